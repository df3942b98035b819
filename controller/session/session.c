#include "controller/session/session.h"

#include <string.h>

#include "agents/base/clock.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/session/carrier.h"
#include "controller/session/handshake.h"

enum { CONNECT_TIMEOUT_MS = 15 * 1000 };

struct session {
    const struct instance *target;
    const char *where; /* "host db1.example.org", "local agent users-1" */
    struct carrier *carrier;
    struct client *client;
};

const char *session_key(const void *ctx, const struct instance *t)
{
    const char *command = t->agent_command ? t->agent_command : "";
    if (t->transport == TRANSPORT_LOCAL)
        return mem_printf(ctx, "local %s %s", t->agent_config ? t->agent_config : "", command);
    return mem_printf(ctx, "%s %s@%s:%d %s", t->transport == TRANSPORT_SSH ? "ssh" : "openssh",
                      t->user ? t->user : "", t->host, t->port, command);
}

static const char *where_of(const void *ctx, const struct instance *t)
{
    if (t->transport == TRANSPORT_LOCAL)
        return mem_printf(ctx, "local agent %s", t->agent_config ? t->agent_config : "");
    return mem_printf(ctx, "host %s", t->host);
}

static bool carrier_open(const void *ctx, const struct instance *target,
                         const struct session_options *options, struct carrier **out,
                         struct error *err)
{
    switch (target->transport) {
    case TRANSPORT_LOCAL: return carrier_local(ctx, target, out, err);
    case TRANSPORT_OPENSSH: return carrier_openssh(ctx, target, options, out, err);
    case TRANSPORT_SSH: return carrier_ssh(ctx, target, options, out, err);
    }
    return fail(err, ERROR_INTERNAL, "no such transport");
}

static bool controller_hello(struct session *s, const struct session_options *options,
                             struct error *err)
{
    SCOPE(tmp);
    const bool can[OP_COUNT_OF] = { 0 };
    int64_t began = clock_mono_ms();
    struct hello *own = hello_own(tmp, "flotilla", can);
    if (options->hello_timeout_ms > 0)
        own->patience_ms = options->hello_timeout_ms;
    if (!client_open(s, s->carrier->stream, own, &s->client, err)) {
        struct ending ending = { .status = -1 };
        if (err->code == ERROR_CONNECT) {
            s->carrier->ending(s->carrier->self, &ending);
            ending_explain(s->target, &ending, err);
        }
        return false;
    }
    s->carrier->timing.agent = clock_mono_ms() - began;
    int64_t theirs = json_int_of(client_peer(s->client)->host, "time_ms");
    s->carrier->timing.skew = theirs ? theirs - clock_wall_ms() : 0;
    return true;
}

static bool session_try(const void *ctx, const struct instance *target,
                        const struct session_options *options, struct session **out,
                        struct error *err)
{
    SCOPE(tmp);
    HANDSHAKE_TURN(turn, target);
    struct session *s = mem_new(tmp, struct session);
    s->target = target;
    s->where = where_of(s, target);
    if (!carrier_open(s, target, options, &s->carrier, err) || !controller_hello(s, options, err))
        return fail_in(err, "%s", s->where);
    *out = mem_give(ctx, s);
    return true;
}

bool session_open(const void *ctx, const struct instance *target,
                  const struct session_options *options, struct session **out, struct error *err)
{
    struct session_options o = options ? *options : (struct session_options){ 0 };
    if (o.connect_timeout_ms <= 0)
        o.connect_timeout_ms = CONNECT_TIMEOUT_MS;
    for (int attempt = 1;; attempt++) {
        if (session_try(ctx, target, &o, out, err))
            return true;
        if (!handshake_worth_retry(target, err, attempt))
            return false;
        handshake_pause(attempt);
    }
}

bool session_call(struct session *s, const void *ctx, const struct call *call, json_t **result,
                  struct error *err)
{
    if (client_call(s->client, ctx, call, result, err))
        return true;
    if (!client_usable(s->client) && err->code == ERROR_CONNECT) {
        struct ending ending = { .status = -1 };
        s->carrier->ending(s->carrier->self, &ending);
        if (ending.text[0])
            fail_detail(err, "%s", ending.text);
    }
    return fail_in(err, "%s", s->where);
}

const struct hello *session_peer(const struct session *s)
{
    return client_peer(s->client);
}

struct session_timing session_timing(const struct session *s)
{
    return s->carrier->timing;
}

bool session_usable(const struct session *s)
{
    return client_usable(s->client);
}

void session_close(struct session *s)
{
    if (!s)
        return;
    SCOPE(tmp);
    struct error ignored;
    json_t *result = NULL;
    if (client_usable(s->client))
        (void)!client_call(s->client, tmp, &(struct call){ .op = OP_BYE, .timeout_ms = 2000 },
                           &result, &ignored);
    talloc_free(s);
}
