/* flotilla snapshot: what the hosts keep aside for the way back. */
#include <stdio.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/cli/commands.h"
#include "controller/desk/targets.h"
#include "controller/session/pool.h"

struct options {
    struct flags flags;
    const char *action;
    const char *rollout;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    const struct options *o = state->input;
    (void)arg;
    if (key != ARGP_KEY_END)
        return ARGP_ERR_UNKNOWN;
    if (text_eq(o->action, "restore"))
        argp_error(state, "rows come back as part of a signed way back: `flotilla rollback`");
    if (!text_eq(o->action, "list") && !text_eq(o->action, "verify"))
        argp_error(state, "there is no action \"%s\"; there are: list, verify", o->action);
    return 0;
}

static const struct argument arguments[] = {
    { "ACTION", offsetof(struct options, action), "an action is missing: list or verify" },
    { "ROLLOUT", offsetof(struct options, rollout), NULL },
    { 0 },
};

static const struct usage usage = {
    .takes = "list|verify [ROLLOUT]",
    .text = "What the hosts keep aside for the way back. Rows never leave them.\v"
            "Actions:\n"
            "  list      rollout, step, table, rows, size, and when it was taken and verified\n"
            "  verify    load each one again beside the database, compare count and checksum\n\n"
            "Rows come back only as part of a signed way back: `flotilla rollback`.\n\n"
            "Exit codes: 0 all good, 1 not.\n\n"
            "Examples:\n  flotilla snapshot list\n  flotilla snapshot verify --service users\n",
    .arguments = arguments,
    .parse = parse,
    .shows = SHOW_FLEET | SHOW_SERVICE | SHOW_TIMEOUT,
    .formats = FORMAT_BIT(JSON),
};

static json_t *collect(const void *ctx, const struct options *o, const struct targets *targets)
{
    SCOPE(tmp);
    json_t *list = json_own(ctx, json_array());
    struct pool_options pool = { .timeout_ms = o->flags.timeout,
                                 .session = { .connect_timeout_ms = o->flags.timeout,
                                              .hello_timeout_ms = o->flags.timeout } };
    struct pool_task *tasks = mem_array(tmp, struct pool_task, targets->count);
    for (size_t i = 0; i < targets->count; i++) {
        json_t *args = json_own(tmp, json_object());
        json_set_text(args, "database", targets->items[i]->agent_database);
        json_set_text(args, "action", o->action);
        json_set_text(args, "rollout", o->rollout);
        tasks[i] =
            (struct pool_task){ .instance = targets->items[i], .op = OP_SNAPSHOT, .args = args };
    }
    pool_run(tmp, &pool, tasks, targets->count);
    for (size_t i = 0; i < targets->count; i++) {
        json_t *entry = json_object();
        json_set_text(entry, "instance", tasks[i].instance->name);
        json_set_text(entry, "error", tasks[i].ok ? NULL : tasks[i].error.message);
        json_set_text(entry, "hint", tasks[i].ok ? NULL : tasks[i].error.hint);
        if (tasks[i].ok)
            json_object_set(entry, "snapshots", json_object_get(tasks[i].result, "snapshots"));
        json_array_append_new(list, entry);
    }
    return list;
}

static const char *safe(const void *ctx, const json_t *o, const char *key)
{
    const char *s = json_text_of(o, key);
    return s ? text_printable(ctx, s) : "";
}

static bool print_snapshot(const char *instance, const json_t *s)
{
    SCOPE(tmp);
    const char *error = json_text_of(s, "error");
    const char *name = mem_printf(tmp, "%s.%s", safe(tmp, s, "schema"), safe(tmp, s, "name"));
    printf("%-16s %-14s %-24s %-28s %12s rows %10s  taken %s  verified %s\n", instance,
           safe(tmp, s, "rollout"), safe(tmp, s, "step"), name,
           text_count(tmp, json_int_of(s, "rows")), text_bytes(tmp, json_int_of(s, "bytes")),
           safe(tmp, s, "taken"), safe(tmp, s, "verified"));
    if (error)
        fprintf(stderr,
                "%s: %s\n  hint: going back needs it: look at the host's disk before you "
                "do\n",
                instance, text_printable(tmp, error));
    return !error;
}

static bool is_empty(const json_t *list)
{
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry)
        if (json_text_of(entry, "error") || json_array_size(json_object_get(entry, "snapshots")))
            return false;
    return true;
}

static bool print_entry(const json_t *entry, bool text)
{
    SCOPE(tmp);
    size_t i;
    json_t *item;
    bool good = !json_text_of(entry, "error");
    const char *instance = safe(tmp, entry, "instance");
    if (!good)
        fprintf(stderr, "%s: %s\n  hint: %s\n", instance, safe(tmp, entry, "error"),
                safe(tmp, entry, "hint"));
    json_array_foreach(json_object_get(entry, "snapshots"), i, item) {
        if (text)
            good = print_snapshot(instance, item) && good;
        else
            good = good && !json_text_of(item, "error");
    }
    return good;
}

int command_snapshot(int argc, char **argv)
{
    SCOPE(tmp);
    struct options o = { 0 };
    struct targets targets = { 0 };
    struct error err;
    bool good = true;
    size_t i;
    json_t *entry;
    usage_read(&usage, argc, argv, &o.flags, &o);
    if (!targets_load(tmp, &o.flags, &targets, &err))
        return command_failed(argv[0], &err);
    json_t *list = collect(tmp, &o, &targets);
    json_array_foreach(list, i, entry)
        good = print_entry(entry, o.flags.format == FORMAT_TEXT) && good;
    json_t *whole = json_own(tmp, json_pack("{s:s, s:O}", "action", o.action, "instances", list));
    if (o.flags.format == FORMAT_JSON)
        puts(json_pretty(tmp, whole));
    else if (is_empty(list))
        printf("no snapshots%s%s\n", o.rollout ? " of rollout " : "", o.rollout ? o.rollout : "");
    return good ? EXIT_DONE : EXIT_FAILED;
}
