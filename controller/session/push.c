#include "controller/session/push.h"

#include <string.h>

#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/session/ssh.h"

enum {
    SFTP_START_MS = 10 * 1000,
    UPLOAD_MS = 10 * 60 * 1000,
    INSTALL_MS = 60 * 1000,
    STDERR_STREAM = 1,
    PATH_MOST = 4096,
    DIGEST_SHOWN = 12, /* of 64 digits: enough for a file's name */
};

struct upload {
    struct ssh *ssh;
    LIBSSH2_SFTP *sftp;
    const struct instance *target;
    const char *to;   /* absolute */
    const char *path; /* of the uploaded file */
};

static bool no_sftp(const struct instance *target, struct error *err)
{
    fail(err, ERROR_AUTH, "host %s: this login may not upload files", target->host);
    return fail_hint(err,
                     "the key probably has a forced command, as it should: set push_identity in "
                     "the manifest to a key without one, or install the package on the host");
}

static bool sftp_start(struct upload *u, struct error *err)
{
    ssh_deadline(u->ssh, SFTP_START_MS);
    while (!(u->sftp = libssh2_sftp_init(u->ssh->session))) {
        if (libssh2_session_last_errno(u->ssh->session) != LIBSSH2_ERROR_EAGAIN ||
            !ssh_wait(u->ssh, err))
            return no_sftp(u->target, err);
    }
    return true;
}

/* The absolute path of the agent on the host, in plain words: it becomes part of a command. */
static bool find_place(void *ctx, struct upload *u, const struct push *push, struct error *err)
{
    const char *command = u->target->agent_command;
    const char *to = push->to ? push->to : command && command[0] == '/' ? command : NULL;
    char home[PATH_MOST];
    int n = 0;
    if (!to)
        to = "bin/flotilla-agent";
    if (to[0] != '/') {
        while ((n = libssh2_sftp_realpath(u->sftp, ".", home, sizeof(home) - 1)) ==
               LIBSSH2_ERROR_EAGAIN)
            if (!ssh_wait(u->ssh, err))
                return false;
        if (n <= 0)
            return fail_ssh(u->ssh, ERROR_IO, "the login's home", err);
        to = mem_printf(ctx, "%.*s/%s", n, home, to);
    }
    const char *config = push->agent_config;
    if (!plain_path(to) || (config && !plain_path(config))) {
        fail(err, ERROR_INVALID, "\"%s\" is no plain path",
             text_printable(ctx, plain_path(to) ? config : to));
        return fail_hint(err, "use letters, digits and / . _ - + with --to and --agent-config");
    }
    u->to = to;
    u->path = mem_printf(ctx, "%s.%.*s", to, DIGEST_SHOWN, push->digest + strlen("sha256:"));
    return true;
}

static bool write_file(struct upload *u, const char *path, const char *data, size_t len, long mode,
                       struct error *err)
{
    SCOPE(tmp);
    LIBSSH2_SFTP_HANDLE *handle = NULL;
    while (!(handle = libssh2_sftp_open(
                 u->sftp, path, LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_TRUNC, mode))) {
        if (libssh2_session_last_errno(u->ssh->session) != LIBSSH2_ERROR_EAGAIN)
            return fail_ssh(u->ssh, ERROR_IO, mem_printf(tmp, "cannot write %s", path), err) ||
                   fail_hint(err, "choose with --to a folder that %s may write to on the host",
                             u->target->user);
        if (!ssh_wait(u->ssh, err))
            return false;
    }
    while (len > 0) {
        ssize_t n = libssh2_sftp_write(handle, data, len);
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        } else if (n != LIBSSH2_ERROR_EAGAIN) {
            return fail_ssh(u->ssh, ERROR_IO, mem_printf(tmp, "writing %s", path), err);
        } else if (!ssh_wait(u->ssh, err)) {
            return false;
        }
    }
    int rc = 0;
    while ((rc = libssh2_sftp_close_handle(handle)) == LIBSSH2_ERROR_EAGAIN)
        if (!ssh_wait(u->ssh, err))
            return false;
    return rc == 0 || fail_ssh(u->ssh, ERROR_IO, mem_printf(tmp, "writing %s", path), err);
}

static bool make_folder(struct upload *u, struct error *err)
{
    SCOPE(tmp);
    /* It is there, or the upload says why it cannot be. */
    while (libssh2_sftp_mkdir(u->sftp, file_folder(tmp, u->to), 0755) == LIBSSH2_ERROR_EAGAIN)
        if (!ssh_wait(u->ssh, err))
            return false;
    return true;
}

static bool exists(struct upload *u, const char *path, bool *out, struct error *err)
{
    LIBSSH2_SFTP_ATTRIBUTES attributes;
    int rc = 0;
    while ((rc = libssh2_sftp_stat(u->sftp, path, &attributes)) == LIBSSH2_ERROR_EAGAIN)
        if (!ssh_wait(u->ssh, err))
            return false;
    *out = rc == 0;
    return true;
}

static bool upload(struct upload *u, const struct push *push, struct error *err)
{
    SCOPE(tmp);
    ssh_deadline(u->ssh, UPLOAD_MS);
    if (!make_folder(u, err) || !write_file(u, u->path, push->data, push->len, 0700, err))
        return false;
    return !push->signature || write_file(u, mem_printf(tmp, "%s.sig", u->path), push->signature,
                                          strlen(push->signature), 0600, err);
}

/* All that the command prints, each kind up to its builder's cap. */
static bool collect(struct upload *u, LIBSSH2_CHANNEL *channel, struct text *out, struct text *said,
                    struct error *err)
{
    char buffer[4096];
    for (;;) {
        ssize_t n = libssh2_channel_read_ex(channel, 0, buffer, sizeof(buffer));
        if (n > 0)
            text_addn(out, buffer, (size_t)n);
        ssize_t m = libssh2_channel_read_ex(channel, STDERR_STREAM, buffer, sizeof(buffer));
        if (m > 0)
            text_addn(said, buffer, (size_t)m);
        if (n > 0 || m > 0)
            continue;
        if (libssh2_channel_eof(channel) == 1)
            return true;
        if (n < 0 && n != LIBSSH2_ERROR_EAGAIN)
            return fail_ssh(u->ssh, ERROR_CONNECT, "installing", err);
        if (!ssh_wait(u->ssh, err))
            return false;
    }
}

static bool install(const void *ctx, struct upload *u, const struct push *push, json_t **out,
                    struct error *err)
{
    SCOPE(tmp);
    LIBSSH2_CHANNEL *channel = NULL;
    bool there = false;
    const char *config = push->agent_config;
    struct text printed = text_init(tmp, TEXT_LINE);
    struct text said = text_init(tmp, TEXT_LINE);
    ssh_deadline(u->ssh, INSTALL_MS);
    if (!exists(u, u->to, &there, err))
        return false;
    const char *command =
        mem_printf(tmp, "%s%s%s install --from %s --to %s --digest %s", there ? u->to : u->path,
                   config ? " --config " : "", config ? config : "", u->path, u->to, push->digest);
    if (!ssh_exec(u->ssh, command, &channel, err) || !collect(u, channel, &printed, &said, err))
        return false;
    if (!json_parse(ctx, printed.data, printed.len, out, err) || !json_is_object(*out)) {
        fail(err, ERROR_REFUSED, "the host did not install it: %s",
             text_printable(tmp, said.len ? said.data : printed.data));
        return fail_hint(err, "the old agent goes on; the upload is %s there", u->path);
    }
    return true;
}

bool push_agent(const void *ctx, const struct instance *target, const struct push *push,
                json_t **out, struct error *err)
{
    SCOPE(tmp);
    struct upload u = { .target = target };
    const struct session_options options = { .connect_timeout_ms = 15 * 1000 };
    json_t *answer = NULL;
    if (target->transport != TRANSPORT_SSH) {
        fail(err, ERROR_UNSUPPORTED, "instance %s: push works over transport ssh", target->name);
        return fail_hint(err, "install the agent by its package, or copy it there yourself");
    }
    if (!ssh_connect(tmp, target, target->push_identity, &options, &u.ssh, err))
        return fail_in(err, "host %s", target->host);
    if (!sftp_start(&u, err))
        return false;
    if (!find_place(tmp, &u, push, err) || !upload(&u, push, err) ||
        !install(ctx, &u, push, &answer, err))
        return fail_in(err, "host %s", target->host);
    *out = answer;
    return true;
}
