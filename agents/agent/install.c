/*
 * The mode `install`: puts an uploaded agent in the place of this one (or, on a first installation,
 * itself into place). A host that names release signers takes only what one of them signed:
 * `ssh-keygen -Y sign -n flotilla-release -f KEY flotilla-agent`.
 */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agents/agent/config.h"
#include "agents/agent/modes.h"
#include "agents/base/digest.h"
#include "agents/base/file.h"
#include "agents/base/json.h"
#include "agents/base/log.h"
#include "agents/base/mem.h"
#include "agents/base/process.h"
#include "agents/base/text.h"

#define RELEASE_NAMESPACE "flotilla-release"

enum { RUN_MS = 20 * 1000, PROGRAM_MOST = 256 * 1024 * 1024 };

struct install {
    const char *from, *to, *digest;
};

static const struct argp_option options[] = {
    { "from", 'f', "FILE", 0, "the uploaded agent; FILE.sig is its signature", 0 },
    { "to", 't', "FILE", 0, "where it belongs", 0 },
    { "digest", 'd', "DIGEST", 0, "what it must be: sha256:...", 0 },
    { 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct install *i = state->input;
    switch (key) {
    case 'f': i->from = arg; return 0;
    case 't': i->to = arg; return 0;
    case 'd': i->digest = arg; return 0;
    case ARGP_KEY_END:
        if (!i->from || !i->to || !i->digest)
            argp_error(state, "--from, --to and --digest are needed");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options, parse, NULL, "Put an uploaded agent into place.", NULL, NULL, NULL,
};

static bool check_digest(const void *ctx, const struct install *i, struct error *err)
{
    const char *digest = NULL;
    if (!digest_file(ctx, i->from, &digest, err))
        return false;
    if (text_eq(digest, i->digest))
        return true;
    fail(err, ERROR_TAMPERED, "%s has the digest %s, not %s", i->from, digest, i->digest);
    return fail_hint(err, "push it again: it was damaged on the way or replaced");
}

/* ssh-keygen reads the signed bytes from its input; process_run feeds only text. */
static bool keygen_verify(const void *ctx, const char *const *argv, const char *data, size_t len,
                          struct error *err)
{
    int in = -1;
    int out = -1;
    int status = 0;
    pid_t pid = 0;
    (void)ctx;
    if (!process_spawn(argv, &in, &out, NULL, &pid, err))
        return false;
    struct error ignored;
    (void)!file_write_fd(in, data, len, &ignored);
    close(in);
    char buffer[512];
    while (read(out, buffer, sizeof(buffer)) > 0)
        ;
    close(out);
    waitpid(pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    return fail(err, ERROR_UNSIGNED, "the signature does not hold");
}

static bool not_signed(const struct agent_config *config, const char *why, struct error *err)
{
    fail(err, ERROR_UNSIGNED, "this host takes only agents signed by %s: %s",
         config->release_signers, why);
    return fail_hint(err,
                     "`ssh-keygen -Y sign -n " RELEASE_NAMESPACE " -f KEY flotilla-agent` with a "
                     "release key, then push it with --signature");
}

static bool check_signature(const void *ctx, const struct agent_config *config, const char *from,
                            struct error *err)
{
    struct process_result found;
    const char *data = NULL;
    size_t len = 0;
    const char *signature = mem_printf(ctx, "%s.sig", from);
    if (!file_exists(signature))
        return not_signed(config, "this one is not signed", err);
    const char *const find[] = { "ssh-keygen", "-Y", "find-principals",       "-s",
                                 signature,    "-f", config->release_signers, NULL };
    if (!process_run(ctx, find, NULL, RUN_MS, &found, err))
        return false;
    char *signer = talloc_strdup(ctx, found.out);
    signer[strcspn(signer, "\r\n,")] = '\0';
    if (found.status != 0 || !*signer)
        return not_signed(config, "this one is signed by another key", err);
    if (!file_read(ctx, from, PROGRAM_MOST, &data, &len, err))
        return false;
    const char *const verify[] = {
        "ssh-keygen",      "-Y", "verify",  "-f", config->release_signers, "-I", signer, "-n",
        RELEASE_NAMESPACE, "-s", signature, NULL
    };
    if (!keygen_verify(ctx, verify, data, len, err))
        return not_signed(config, "this one's signature is of something else", err);
    return true;
}

/* Runs it once: what does not start is not put into place. "flotilla-agent 0.1.0" */
static bool ask_version(const void *ctx, const char *program, const char **out, struct error *err)
{
    struct process_result result;
    const char *const argv[] = { program, "version", NULL };
    if (chmod(program, 0755) != 0)
        return fail_errno(err, "%s", program);
    if (!process_run(ctx, argv, NULL, RUN_MS, &result, err))
        return false;
    if (result.status != 0 || !text_starts(result.out, "flotilla-agent "))
        return fail(err, ERROR_REFUSED, "%s is no flotilla-agent that runs here: %s", program,
                    text_printable(ctx, result.err));
    const char *version = result.out + strlen("flotilla-agent ");
    *out = mem_textn(ctx, version, strcspn(version, "\r\n"));
    return true;
}

static bool install(const void *ctx, const struct install *i, const char *config_path,
                    const char **version, struct error *err)
{
    struct agent_config *config = NULL;
    if (!check_digest(ctx, i, err))
        return false;
    /* Without the file nothing is served here yet; with one that cannot be read nobody knows
     * whether it asks for signatures. */
    if (file_exists(config_path) && !agent_config_load(ctx, config_path, &config, NULL, err))
        return false;
    if (config && config->release_signers && !check_signature(ctx, config, i->from, err))
        return false;
    if (!ask_version(ctx, i->from, version, err))
        return false;
    if (rename(i->from, i->to) != 0)
        return fail_errno(err, "putting %s into place as %s", i->from, i->to);
    return true;
}

int mode_install(const struct mode_start *start)
{
    SCOPE(tmp);
    struct error err;
    struct error ignored;
    struct install i = { 0 };
    const char *version = NULL;
    argp_parse(&argp, start->argc, start->argv, 0, NULL, &i);
    bool good = install(tmp, &i, start->config_path, &version, &err);
    (void)!file_remove(mem_printf(tmp, "%s.sig", i.from), &ignored);
    if (!good) {
        (void)!file_remove(i.from, &ignored);
        log_error("flotilla-agent install", &err);
        return EXIT_FAILURE;
    }
    json_t *answer = json_own(tmp, json_object());
    json_set_text(answer, "installed", i.to);
    json_set_text(answer, "version", version);
    json_set_text(answer, "digest", i.digest);
    puts(json_compact(tmp, answer));
    return EXIT_SUCCESS;
}
