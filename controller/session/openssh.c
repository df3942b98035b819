/* transport: openssh. The user's own ssh program, with its configuration, jump hosts, agents and
 * certificates. */
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/session/child.h"

enum { ARGS = 32, SSH_PORT = 22 };

struct arguments {
    const char *items[ARGS];
    int count;
};

static void add(struct arguments *a, const char *s)
{
    if (a->count < ARGS - 1)
        a->items[a->count++] = s;
}

static void add_option(struct arguments *a, const char *option)
{
    add(a, "-o");
    add(a, option);
}

/* What the manifest does not say is left to the user's ssh_config. */
static void add_target(void *ctx, struct arguments *a, const struct instance *target)
{
    if (target->port > 0 && target->port != SSH_PORT) {
        add(a, "-p");
        add(a, mem_printf(ctx, "%d", target->port));
    }
    if (target->user) {
        add(a, "-l");
        add(a, target->user);
    }
    if (target->identity) {
        add(a, "-i");
        add(a, target->identity);
    }
    if (target->known_hosts)
        add_option(a, mem_printf(ctx, "UserKnownHostsFile=\"%s\"", target->known_hosts));
}

bool carrier_openssh(const void *ctx, const struct instance *target,
                     const struct session_options *options, struct carrier **out, struct error *err)
{
    SCOPE(tmp);
    struct arguments a = { 0 };
    const char *command = NULL;
    if (!carrier_command(tmp, target, &command, err))
        return false;
    add(&a, "ssh");
    add(&a, "-T");
    add_option(&a, "BatchMode=yes");
    add_option(&a, "StrictHostKeyChecking=yes");
    add_option(&a, "ServerAliveInterval=15");
    add_option(&a, "ServerAliveCountMax=3");
    add_option(&a, mem_printf(tmp, "ConnectTimeout=%lld",
                              (long long)(options->connect_timeout_ms + 999) / 1000));
    add_target(tmp, &a, target);
    add(&a, "--");
    add(&a, target->host);
    add(&a, mem_printf(tmp, "%s serve", command));
    if (child_start(ctx, a.items, out, err))
        return true;
    return fail_hint(err, "install the OpenSSH client, or use `transport: ssh`");
}
