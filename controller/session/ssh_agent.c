/* transport: ssh. The agent at the other end of an exec channel. */
#include <string.h>

#include "agents/base/clock.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/session/ssh.h"

struct ssh_agent {
    struct ssh *ssh;
    LIBSSH2_CHANNEL *channel;
    struct text said; /* its standard error, the first bytes */
};

enum { STDERR_STREAM = 1 }; /* RFC 4254, 5.2: SSH_EXTENDED_DATA_STDERR */

static void agent_listen(struct ssh_agent *a)
{
    char buffer[1024];
    ssize_t n = 0;
    while ((n = libssh2_channel_read_ex(a->channel, STDERR_STREAM, buffer, sizeof(buffer))) > 0)
        text_addn(&a->said, buffer, (size_t)n);
}

static bool lost(struct ssh_agent *a, struct error *err)
{
    fail_ssh(a->ssh, ERROR_CONNECT, "the connection was lost", err);
    return fail_hint(err, "`flotilla resume` continues when the host is back; `flotilla doctor` "
                          "checks the path");
}

static bool agent_read(void *self, void *data, size_t n, int64_t timeout_ms, size_t *got,
                       struct error *err)
{
    struct ssh_agent *a = self;
    ssh_deadline(a->ssh, timeout_ms);
    for (;;) {
        ssize_t r = libssh2_channel_read_ex(a->channel, 0, data, n);
        if (r > 0) {
            *got = (size_t)r;
            return true;
        }
        if (r < 0 && r != LIBSSH2_ERROR_EAGAIN)
            return lost(a, err);
        agent_listen(a);
        if (libssh2_channel_eof(a->channel) == 1) {
            *got = 0;
            return true;
        }
        if (!ssh_wait(a->ssh, err))
            return false;
    }
}

static bool agent_write(void *self, const void *data, size_t n, int64_t timeout_ms,
                        struct error *err)
{
    struct ssh_agent *a = self;
    const char *p = data;
    ssh_deadline(a->ssh, timeout_ms);
    while (n > 0) {
        ssize_t w = libssh2_channel_write_ex(a->channel, 0, p, n);
        if (w > 0) {
            p += w;
            n -= (size_t)w;
        } else if (w < 0 && w != LIBSSH2_ERROR_EAGAIN) {
            return lost(a, err);
        } else if (!ssh_wait(a->ssh, err)) {
            return false;
        }
    }
    return true;
}

static void agent_ending(void *self, struct ending *out)
{
    struct ssh_agent *a = self;
    struct error ignored;
    int rc = 0;
    ssh_deadline(a->ssh, 1000);
    do {
        agent_listen(a);
        rc = libssh2_channel_eof(a->channel) == 1 ? libssh2_channel_wait_closed(a->channel)
                                                  : LIBSSH2_ERROR_EAGAIN;
    } while (rc == LIBSSH2_ERROR_EAGAIN && ssh_wait(a->ssh, &ignored));
    out->status = rc == 0 ? libssh2_channel_get_exit_status(a->channel) : -1;
    size_t from = a->said.len >= sizeof(out->text) ? a->said.len - sizeof(out->text) + 1 : 0;
    memcpy(out->text, a->said.data + from, a->said.len - from + 1);
}

bool carrier_ssh(const void *ctx, const struct instance *target,
                 const struct session_options *options, struct carrier **out, struct error *err)
{
    SCOPE(tmp);
    const char *command = NULL;
    struct carrier *carrier = mem_new(tmp, struct carrier);
    if (!carrier_command(tmp, target, &command, err))
        return false;
    struct ssh *ssh = NULL;
    if (!ssh_connect(carrier, target, NULL, options, &ssh, err))
        return false;
    /* The channel ends with the connection: libssh2_session_free() frees it. */
    struct ssh_agent *a = mem_new(ssh, struct ssh_agent);
    a->ssh = ssh;
    a->said = text_init(a, TEXT_LINE);
    if (!ssh_exec(ssh, mem_printf(tmp, "%s serve", command), &a->channel, err))
        return false;
    carrier->stream = mem_new(carrier, struct stream);
    *carrier->stream = (struct stream){ .self = a, .read = agent_read, .write = agent_write };
    carrier->self = a;
    carrier->ending = agent_ending;
    carrier->timing = ssh->timing;
    *out = mem_give(ctx, carrier);
    return true;
}
