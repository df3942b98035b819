/* The TCP connection to a host: each address of its name in turn, with a deadline. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agents/base/clock.h"
#include "agents/base/file.h"
#include "controller/session/ssh.h"

static void set_options(int fd)
{
    int on = 1;
    unsigned dead = DEAD_MS;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    /* What was sent and is not acknowledged for so long ends the connection. */
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead, sizeof(dead));
}

/* 0, or the errno of what went wrong. */
static int connect_one(int fd, const struct addrinfo *address, int64_t deadline)
{
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    for (;;) {
        struct pollfd p = { .fd = fd, .events = POLLOUT };
        int64_t left = deadline - clock_mono_ms();
        if (left <= 0)
            return ETIMEDOUT;
        int n = poll(&p, 1, (int)left);
        if (n > 0)
            break;
        if (n < 0 && errno != EINTR)
            return errno;
    }
    int problem = 0;
    socklen_t size = sizeof(problem);
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size);
    return problem;
}

static void address_list_end(struct addrinfo **list)
{
    if (*list)
        freeaddrinfo(*list);
}

static bool unreachable(const struct instance *target, int problem, struct error *err)
{
    errno = problem;
    fail_errno(err, "port %d does not answer", target->port);
    err->code = ERROR_CONNECT;
    if (problem == ECONNREFUSED)
        return fail_hint(err, "check that sshd runs there and listens on port %d", target->port);
    return fail_hint(err, "check the network and firewall on the way to the host");
}

bool socket_connect(const struct instance *target, int64_t deadline, struct session_timing *timing,
                    int *out, struct error *err)
{
    __attribute__((cleanup(address_list_end))) struct addrinfo *list = NULL;
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
    char port[16];
    int64_t began = clock_mono_ms();
    int problem = ETIMEDOUT;
    snprintf(port, sizeof(port), "%d", target->port);
    int rc = getaddrinfo(target->host, port, &hints, &list);
    timing->resolve = clock_mono_ms() - began;
    if (rc != 0) {
        fail(err, ERROR_CONNECT, "the name does not resolve: %s", gai_strerror(rc));
        return fail_hint(err, "check the host's name in the manifest, and the DNS");
    }
    began = clock_mono_ms();
    for (const struct addrinfo *a = list; a; a = a->ai_next) {
        AUTO_FD fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        problem = fd < 0 ? errno : connect_one(fd, a, deadline);
        if (problem != 0)
            continue;
        set_options(fd);
        *out = fd;
        fd = -1;
        timing->connect = clock_mono_ms() - began;
        return true;
    }
    return unreachable(target, problem, err);
}
