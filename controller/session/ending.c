/* What the end of an agent that never spoke means, in words that say what to do. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/session/carrier.h"

enum {
    NOT_FOUND = 127, /* of the shell, POSIX 2.8.2: the command was not found */
    NOT_RUNNABLE = 126,
    SSH_FAILED = 255, /* ssh(1), EXIT STATUS */
};

/* The last line that is not empty nor the hint of an error of ours, fit for one line. */
static const char *last_line(const void *ctx, const char *s)
{
    size_t n = strlen(s);
    for (;;) {
        while (n > 0 && (s[n - 1] == '\n' || s[n - 1] == '\r' || s[n - 1] == ' '))
            n--;
        size_t from = n;
        while (from > 0 && s[from - 1] != '\n')
            from--;
        if (from == 0 || !text_starts(s + from, "  hint: "))
            return text_printable(ctx, mem_textn(ctx, s + from, n - from));
        n = from;
    }
}

struct saying {
    const char *words;
    enum error_code code;
    const char *hint;
};

/* Of OpenSSH 9.2's messages, sshconnect.c and misc.c; they have been stable for years. */
static const struct saying sayings[] = {
    { "REMOTE HOST IDENTIFICATION HAS CHANGED", ERROR_HOST_KEY,
      "the host's key changed since it was written to known_hosts: ask its administrator why, then "
      "remove the old line with `ssh-keygen -R HOST`" },
    { "Host key verification failed", ERROR_HOST_KEY,
      "compare the key with its administrator, then add it to known_hosts (`ssh-keyscan HOST`)" },
    { "Permission denied", ERROR_AUTH,
      "add the public key to authorized_keys of the login on that host, or check user and identity "
      "in the manifest" },
    { "Could not resolve hostname", ERROR_CONNECT, "check the host's name in the manifest" },
    { "Connection refused", ERROR_CONNECT, "check that sshd runs there, and the port" },
    { "timed out", ERROR_CONNECT, "check the network and firewall on the way to the host" },
    { "No route to host", ERROR_CONNECT, "check the network on the way to the host" },
};

static bool explain_ssh(const struct ending *ending, struct error *err)
{
    SCOPE(tmp);
    for (size_t i = 0; i < sizeof(sayings) / sizeof(sayings[0]); i++) {
        if (!strstr(ending->text, sayings[i].words))
            continue;
        fail(err, sayings[i].code, "ssh: %s",
             i == 0 ? "the host key has CHANGED" : last_line(tmp, ending->text));
        fail_hint(err, "%s", sayings[i].hint);
        return true;
    }
    fail(err, ERROR_CONNECT, "ssh: %s", last_line(tmp, ending->text));
    return true;
}

void ending_explain(const struct instance *target, const struct ending *ending, struct error *err)
{
    SCOPE(tmp);
    const char *command = target->agent_command ? target->agent_command : "flotilla-agent";
    if (ending->status == NOT_FOUND || ending->status == NOT_RUNNABLE) {
        fail(err, ERROR_CONNECT, "there is no agent: \"%s\" was not %s (%s)", command,
             ending->status == NOT_FOUND ? "found" : "executable", last_line(tmp, ending->text));
        fail_hint(err, "install it with `flotilla agent push` or the package, or set agent_command "
                       "in the manifest");
        return;
    }
    if (ending->status == SSH_FAILED && target->transport == TRANSPORT_OPENSSH &&
        explain_ssh(ending, err))
        return;
    if (text_empty(last_line(tmp, ending->text))) {
        if (ending->status > 0)
            fail_in(err, "exit status %d", ending->status);
        return;
    }
    enum error_code code = err->code;
    fail(err, code, "the agent did not start: %s", last_line(tmp, ending->text));
    fail_detail(err, "%s", text_printable(tmp, ending->text));
    fail_hint(err, "run `flotilla-agent check` on the host");
}
