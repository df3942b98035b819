#include "controller/session/ssh.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agents/base/clock.h"
#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

enum { GOODBYE_MS = 500 };

bool fail_ssh(struct ssh *ssh, enum error_code code, const char *what, struct error *err)
{
    SCOPE(tmp);
    char *text = NULL;
    int number = libssh2_session_last_error(ssh->session, &text, NULL, 0);
    return fail(err, code, "%s: %s (libssh2 %d)", what, text_printable(tmp, text ? text : ""),
                number);
}

void ssh_deadline(struct ssh *ssh, int64_t timeout_ms)
{
    ssh->deadline = timeout_ms < 0 ? -1 : clock_mono_ms() + timeout_ms;
    ssh->waiting_since = clock_mono_ms();
}

/* Silence counts from when we began to wait: before that nobody asked the other side anything. */
static bool is_dead(const struct ssh *ssh)
{
    struct tcp_info info;
    socklen_t size = sizeof(info);
    if (clock_mono_ms() - ssh->waiting_since < DEAD_MS)
        return false;
    if (getsockopt(ssh->fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        return true;
    return info.tcpi_last_data_recv > DEAD_MS;
}

bool ssh_wait(struct ssh *ssh, struct error *err)
{
    int directions = libssh2_session_block_directions(ssh->session);
    struct pollfd p = { .fd = ssh->fd };
    if (directions & LIBSSH2_SESSION_BLOCK_OUTBOUND)
        p.events |= POLLOUT;
    if (directions & LIBSSH2_SESSION_BLOCK_INBOUND || !p.events)
        p.events |= POLLIN;
    int64_t now = clock_mono_ms();
    if (ssh->deadline >= 0 && now >= ssh->deadline)
        return fail(err, ERROR_TIMEOUT, "no answer in time");
    int next = 0;
    libssh2_keepalive_send(ssh->session, &next);
    int64_t wait_ms = next > 0 ? next * 1000LL : KEEPALIVE_S * 1000LL;
    if (ssh->deadline >= 0 && ssh->deadline - now < wait_ms)
        wait_ms = ssh->deadline - now;
    int n = poll(&p, 1, (int)wait_ms);
    if (n < 0 && errno != EINTR)
        return fail_errno(err, "waiting for the host");
    if (n == 0 && is_dead(ssh))
        return fail(err, ERROR_CONNECT, "no sign of life from the host for %d s", DEAD_MS / 1000);
    return true;
}

static int ssh_end(struct ssh *ssh)
{
    if (ssh->session) {
        libssh2_session_set_blocking(ssh->session, 1);
        libssh2_session_set_timeout(ssh->session, GOODBYE_MS);
        libssh2_session_disconnect(ssh->session, "done");
        libssh2_session_free(ssh->session);
    }
    if (ssh->fd >= 0)
        close(ssh->fd);
    return 0;
}

/* One handshake; *kex is set when it failed because nothing was common. */
static bool handshake(const void *ctx, const struct instance *target, int64_t deadline,
                      const char *methods, struct ssh **out, bool *kex, struct error *err)
{
    struct ssh *ssh = mem_new(ctx, struct ssh);
    ssh->fd = -1;
    ssh->target = target;
    ssh->deadline = deadline;
    ssh->waiting_since = clock_mono_ms();
    ssh->timing.agent = -1;
    talloc_set_destructor(ssh, ssh_end);
    if (!socket_connect(target, deadline, &ssh->timing, &ssh->fd, err))
        return false;
    int64_t began = clock_mono_ms();
    ssh->session = libssh2_session_init_ex(NULL, NULL, NULL, NULL);
    if (!ssh->session)
        return fail(err, ERROR_INTERNAL, "libssh2 gives no session");
    libssh2_session_set_blocking(ssh->session, 0);
    if (methods)
        libssh2_session_method_pref(ssh->session, LIBSSH2_METHOD_HOSTKEY, methods);
    int rc = 0;
    while ((rc = libssh2_session_handshake(ssh->session, ssh->fd)) == LIBSSH2_ERROR_EAGAIN)
        if (!ssh_wait(ssh, err))
            return fail_in(err, "SSH handshake");
    if (rc == LIBSSH2_ERROR_KEX_FAILURE || rc == LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE ||
        rc == LIBSSH2_ERROR_METHOD_NONE)
        *kex = true;
    if (rc != 0 && !*kex)
        return fail_ssh(ssh, ERROR_CONNECT, "the host closed the connection during the handshake",
                        err);
    if (rc != 0)
        return fail_ssh(ssh, ERROR_CONNECT, "SSH handshake", err);
    ssh->timing.handshake = clock_mono_ms() - began;
    libssh2_keepalive_config(ssh->session, 1, KEEPALIVE_S);
    *out = ssh;
    return true;
}

/* With the types that known_hosts has; where the host has none of them, once more with any, to be
 * able to say what it has. */
static bool handshake_known(void *ctx, const struct instance *target, int64_t deadline,
                            struct ssh **out, struct error *err)
{
    struct known_hosts *known = NULL;
    bool kex = false;
    if (!known_hosts_read(ctx, target, &known, err))
        return false;
    const char *methods = known_hosts_methods(known);
    if (handshake(ctx, target, deadline, methods, out, &kex, err))
        return known_hosts_check(known, *out, err);
    if (!kex)
        return false;
    if (methods) {
        struct error first = *err;
        bool again = false;
        if (handshake(ctx, target, deadline, NULL, out, &again, err))
            return known_hosts_check(known, *out, err);
        *err = first;
    }
    return fail_hint(err,
                     "libssh2 1.10 cannot talk to a host that has only an RSA host key or only "
                     "other new methods: give it an ed25519 host key, or set `transport: "
                     "openssh` for it");
}

bool ssh_connect(const void *ctx, const struct instance *target, const char *identity,
                 const struct session_options *options, struct ssh **out, struct error *err)
{
    SCOPE(tmp);
    struct ssh *ssh = NULL;
    int64_t deadline = clock_mono_ms() + options->connect_timeout_ms;
    if (!ssh_library(err) || !handshake_known(tmp, target, deadline, &ssh, err))
        return false;
    int64_t began = clock_mono_ms();
    if (!login(ssh, identity ? identity : target->identity, err))
        return false;
    ssh->timing.login = clock_mono_ms() - began;
    *out = mem_give(ctx, ssh);
    return true;
}

bool ssh_exec(struct ssh *ssh, const char *command, LIBSSH2_CHANNEL **out, struct error *err)
{
    LIBSSH2_CHANNEL *channel = NULL;
    while (!(channel = libssh2_channel_open_session(ssh->session))) {
        if (libssh2_session_last_errno(ssh->session) != LIBSSH2_ERROR_EAGAIN)
            return fail_ssh(ssh, ERROR_CONNECT, "the host opens no channel", err);
        if (!ssh_wait(ssh, err))
            return false;
    }
    int rc = 0;
    while ((rc = libssh2_channel_process_startup(
                channel, "exec", 4, command, (unsigned)strlen(command))) == LIBSSH2_ERROR_EAGAIN)
        if (!ssh_wait(ssh, err))
            return false;
    if (rc != 0)
        return fail_ssh(ssh, ERROR_CONNECT, "the host runs no command", err);
    *out = channel;
    return true;
}
