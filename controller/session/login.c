/*
 * The login: the identity's file, else the keys of ssh-agent. What libssh2 1.10 cannot do (RSA keys
 * with an OpenSSH server of today, certificates) is said by name instead of "failed".
 */
#include <stdlib.h>
#include <string.h>

#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/session/ssh.h"

enum { KEY_FILE_MOST = 64 * 1024 };

static const char *const OPENSSH_HINT = "use an ed25519 key, or set `transport: openssh`";

static bool looks_rsa(const char *identity)
{
    SCOPE(tmp);
    struct error ignored;
    const char *data = NULL;
    size_t len = 0;
    if (file_read(tmp, mem_printf(tmp, "%s.pub", identity), KEY_FILE_MOST, &data, &len, &ignored) &&
        text_starts(data, "ssh-rsa"))
        return true;
    return file_read(tmp, identity, KEY_FILE_MOST, &data, &len, &ignored) &&
           strstr(data, "BEGIN RSA PRIVATE KEY");
}

static bool refused(struct ssh *ssh, const char *identity, int rc, struct error *err)
{
    const struct instance *t = ssh->target;
    if (rc == LIBSSH2_ERROR_AUTHENTICATION_FAILED ||
        (rc == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED && looks_rsa(identity))) {
        fail(err, ERROR_AUTH, "login as %s with %s is refused", t->user, identity);
        if (looks_rsa(identity))
            return fail_hint(err,
                             "libssh2 1.10 signs with RSA keys only in a way that sshd refuses: "
                             "%s",
                             OPENSSH_HINT);
        return fail_hint(err,
                         "add %s.pub to authorized_keys of %s on the host, or correct user and "
                         "identity in the manifest",
                         identity, t->user);
    }
    fail_ssh(ssh, ERROR_AUTH, identity, err);
    if (rc == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED || rc == LIBSSH2_ERROR_FILE)
        return fail_hint(err,
                         "the key file cannot be used as it is (a passphrase, another kind of "
                         "key?): load it into ssh-agent, %s",
                         OPENSSH_HINT);
    return fail_hint(err, "check user and identity in the manifest");
}

static bool login_file(struct ssh *ssh, const char *identity, int *rc, struct error *err)
{
    SCOPE(tmp);
    struct error unreadable;
    const char *data = NULL;
    size_t len = 0;
    const struct instance *t = ssh->target;
    if (!file_read(tmp, identity, KEY_FILE_MOST, &data, &len, &unreadable)) {
        *rc = LIBSSH2_ERROR_FILE;
        *err = unreadable;
        err->code = ERROR_AUTH;
        return fail_hint(err,
                         "correct `identity` in the manifest, or make the key: `ssh-keygen -t "
                         "ed25519 -f %s`",
                         identity);
    }
    while ((*rc = libssh2_userauth_publickey_fromfile_ex(ssh->session, t->user,
                                                         (unsigned)strlen(t->user), NULL, identity,
                                                         NULL)) == LIBSSH2_ERROR_EAGAIN)
        if (!ssh_wait(ssh, err))
            return fail_in(err, "login");
    return *rc == 0 || refused(ssh, identity, *rc, err);
}

static void agent_end(LIBSSH2_AGENT **agent)
{
    if (!*agent)
        return;
    libssh2_agent_disconnect(*agent);
    libssh2_agent_free(*agent);
}

static bool login_agent(struct ssh *ssh, struct error *err)
{
    const char *user = ssh->target->user;
    __attribute__((cleanup(agent_end))) LIBSSH2_AGENT *agent = libssh2_agent_init(ssh->session);
    if (!agent || libssh2_agent_connect(agent) != 0 || libssh2_agent_list_identities(agent) != 0) {
        fail(err, ERROR_AUTH, "there is neither an identity file nor an ssh-agent to log in with");
        return fail_hint(err, "set `ssh: { identity: ... }` in the manifest or start an ssh-agent");
    }
    struct libssh2_agent_publickey *key = NULL;
    struct libssh2_agent_publickey *before = NULL;
    int tried = 0;
    while (libssh2_agent_get_identity(agent, &key, before) == 0) {
        int rc = 0;
        while ((rc = libssh2_agent_userauth(agent, user, key)) == LIBSSH2_ERROR_EAGAIN)
            if (!ssh_wait(ssh, err))
                return fail_in(err, "login through ssh-agent");
        if (rc == 0)
            return true;
        before = key;
        tried++;
    }
    fail(err, ERROR_AUTH, "login as %s is refused for each of the %d keys in ssh-agent", user,
         tried);
    return fail_hint(err,
                     "add one's public key to authorized_keys of %s on the host; RSA keys do "
                     "not work here: %s",
                     user, OPENSSH_HINT);
}

bool login(struct ssh *ssh, const char *identity, struct error *err)
{
    int rc = 0;
    if (!ssh->target->user)
        return fail(err, ERROR_AUTH, "the manifest names no user to log in as");
    if (!identity)
        return login_agent(ssh, err);
    if (login_file(ssh, identity, &rc, err))
        return true;
    /* A key that only the agent can use: with a passphrase, or only its public half here. */
    bool locked = rc == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED || rc == LIBSSH2_ERROR_FILE;
    struct error ignored;
    return locked && getenv("SSH_AUTH_SOCK") && login_agent(ssh, &ignored);
}
