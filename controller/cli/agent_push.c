/* flotilla agent push: the agent onto each host of the targets, once a host. */
#include <stdio.h>
#include <unistd.h>

#include "agents/base/digest.h"
#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/cli/agent.h"
#include "controller/session/pool.h"
#include "controller/session/push.h"

enum { BINARY_MOST = 256 * 1024 * 1024, SIGNATURE_MOST = 64 * 1024 };

static const char *default_binary(const void *ctx)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (n <= 0)
        return "flotilla-agent";
    path[n] = '\0';
    return mem_printf(ctx, "%s/flotilla-agent", file_folder(ctx, path));
}

static bool load(const void *ctx, const struct agent_options *options, struct push *out,
                 struct error *err)
{
    size_t len = 0;
    const char *binary = options->binary ? options->binary : default_binary(ctx);
    const char *signature =
        options->signature ? options->signature : mem_printf(ctx, "%s.sig", binary);
    if (!file_read(ctx, binary, BINARY_MOST, &out->data, &out->len, err))
        return fail_hint(err, "name the agent to install with --binary");
    if (!text_starts(out->data, "\177ELF")) {
        fail(err, ERROR_INVALID, "%s is no program", binary);
        return fail_hint(err, "name the flotilla-agent of a build with --binary");
    }
    if ((options->signature || file_exists(signature)) &&
        !file_read(ctx, signature, SIGNATURE_MOST, &out->signature, &len, err))
        return false;
    out->digest = digest_bytes(ctx, out->data, out->len);
    out->to = options->to;
    out->agent_config = options->agent_config;
    return true;
}

static bool same_host(const struct instance *a, const struct instance *b)
{
    SCOPE(tmp);
    return text_eq(session_key(tmp, a), session_key(tmp, b));
}

/* One host: its first instance stands for it. */
struct errand {
    const struct instance *target;
    const struct push *push;
    json_t *answer; /* a reference of its own; null: error */
    struct error error;
};

static void errand_run(void *self, size_t i)
{
    SCOPE(tmp);
    struct errand *errand = &((struct errand *)self)[i];
    json_t *answer = NULL;
    if (push_agent(tmp, errand->target, errand->push, &answer, &errand->error))
        errand->answer = json_incref(answer);
}

static json_t *errand_report(const struct errand *errand)
{
    json_t *entry = json_object();
    json_set_text(entry, "instance", errand->target->name);
    json_set_text(entry, "host", target_host(errand->target));
    if (errand->answer) {
        json_object_update_missing(entry, errand->answer);
    } else {
        json_set_text(entry, "error", errand->error.message);
        json_set_text(entry, "hint", errand->error.hint);
    }
    return entry;
}

bool agent_push(const struct agent_options *options, struct targets *targets)
{
    SCOPE(tmp);
    bool good = true;
    size_t count = 0;
    struct error err;
    struct push push = { 0 };
    struct errand *errands = mem_array(tmp, struct errand, targets->count);
    json_t *list = json_own(tmp, json_array());
    if (!load(tmp, options, &push, &err)) {
        command_failed(options->program, &err);
        return false;
    }
    for (size_t i = 0; i < targets->count; i++) {
        bool known = false;
        for (size_t k = 0; k < count; k++)
            known = known || same_host(targets->items[i], errands[k].target);
        if (!known)
            errands[count++] = (struct errand){ .target = targets->items[i], .push = &push };
    }
    pool_each(0, count, errand_run, errands);
    for (size_t i = 0; i < count; i++) {
        good = good && errands[i].answer;
        json_array_append_new(list, errand_report(&errands[i]));
        json_decref(errands[i].answer);
    }
    agent_print(options, list);
    return good;
}
