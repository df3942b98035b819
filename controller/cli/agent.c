/* flotilla agent: the agents on the hosts. A table of actions; each has its own function. */
#include "controller/cli/agent.h"

#include <stdio.h>
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/base/version.h"
#include "controller/cli/commands.h"
#include "controller/desk/targets.h"
#include "controller/session/pool.h"

static const struct agent_action {
    const char *name;
    bool (*run)(const struct agent_options *options, struct targets *targets);
} actions[] = {
    { "push", agent_push }, { "version", agent_version },
    { "logs", agent_logs }, { "clean", agent_clean },
    { NULL, NULL },
};

enum { KEY_BINARY = 0x2000, KEY_SIGNATURE, KEY_TO, KEY_CONFIG, KEY_DRY };

static const struct argp_option argp_options[] = {
    { "binary", KEY_BINARY, "FILE", 0,
      "push: the agent to install (default: flotilla-agent beside flotilla)", 0 },
    { "signature", KEY_SIGNATURE, "FILE", 0,
      "push: its signature by a release signer (default: FILE.sig, when it is there)", 0 },
    { "to", KEY_TO, "PATH", 0,
      "push: where it is installed on the hosts (default: agent_command when that is a whole path, "
      "else bin/flotilla-agent in the login's home)",
      0 },
    { "agent-config", KEY_CONFIG, "PATH", 0,
      "push: the agent's file on the hosts (default: /etc/flotilla/agent.yaml)", 0 },
    { "dry-run", KEY_DRY, NULL, 0, "clean: say what would be removed, and remove nothing", 0 },
    { 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct agent_options *o = state->input;
    switch (key) {
    case KEY_BINARY: o->binary = arg; return 0;
    case KEY_SIGNATURE: o->signature = arg; return 0;
    case KEY_TO: o->to = arg; return 0;
    case KEY_CONFIG: o->agent_config = arg; return 0;
    case KEY_DRY: o->dry_run = true; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argument arguments[] = {
    { "ACTION", offsetof(struct agent_options, action),
      "an action is missing: push, version, logs or clean" },
    { 0 },
};

static const struct usage usage = {
    .takes = "ACTION",
    .text =
        "Look after the agents on the hosts.\v"
        "Actions:\n"
        "  push      install or upgrade the agent over SFTP: uploaded under a versioned name, its\n"
        "            digest checked on the host, put in place by a rename of its own\n"
        "  version   which version runs where\n"
        "  logs      what the runs on each database wrote on its host, newest first\n"
        "  clean     remove what ended rollouts left in the schema flotilla of each database; what is\n"
        "            done can then not be rolled back any more. What was dropped by being put aside\n"
        "            is kept as long as the host says (policy.snapshots.keep, 14 days)\n\n"
        "Exit codes: 0 done on every host, 1 not.\n\n"
        "Examples:\n"
        "  flotilla agent version\n"
        "  flotilla agent push --service users --to /usr/local/bin/flotilla-agent\n",
    .arguments = arguments,
    .options = argp_options,
    .parse = parse,
    .shows = SHOW_FLEET | SHOW_SERVICE | SHOW_STATE | SHOW_TIMEOUT,
    .formats = FORMAT_BIT(JSON),
};

/* One operation on all targets; a line each. False when one failed. `more`: further arguments. */
static bool ask_all(const struct agent_options *options, const struct targets *targets,
                    enum operation op, const json_t *more,
                    void (*line)(const struct pool_task *task, json_t *into))
{
    SCOPE(tmp);
    bool good = true;
    json_t *list = json_own(tmp, json_array());
    struct pool_options pool = { .timeout_ms = options->flags.timeout,
                                 .session = { .connect_timeout_ms = options->flags.timeout,
                                              .hello_timeout_ms = options->flags.timeout } };
    struct pool_task *tasks = mem_array(tmp, struct pool_task, targets->count);
    for (size_t i = 0; i < targets->count; i++) {
        json_t *args = json_own(tmp, more ? json_copy((json_t *)(uintptr_t)more) : json_object());
        json_set_text(args, "database", targets->items[i]->agent_database);
        tasks[i] = (struct pool_task){ .instance = targets->items[i], .op = op, .args = args };
    }
    pool_run(tmp, &pool, tasks, targets->count);
    for (size_t i = 0; i < targets->count; i++) {
        json_t *entry = json_object();
        json_set_text(entry, "instance", tasks[i].instance->name);
        json_set_text(entry, "host", target_host(tasks[i].instance));
        json_set_text(entry, "error", tasks[i].ok ? NULL : tasks[i].error.message);
        json_set_text(entry, "hint", tasks[i].ok ? NULL : tasks[i].error.hint);
        if (tasks[i].ok)
            line(&tasks[i], entry);
        good = good && !json_object_get(entry, "error");
        json_array_append_new(list, entry);
    }
    agent_print(options, list);
    return good;
}

static void version_line(const struct pool_task *task, json_t *into)
{
    const char *version = json_text_of(task->peer, "version");
    json_set_text(into, "version", version);
    if (!text_eq(version, FLOTILLA_VERSION)) {
        json_set_text(into, "error", "not the version of flotilla, " FLOTILLA_VERSION);
        json_set_text(into, "hint", "install the same version: `flotilla agent push`");
    }
}

bool agent_version(const struct agent_options *options, struct targets *targets)
{
    return ask_all(options, targets, OP_HELLO, NULL, version_line);
}

static void clean_line(const struct pool_task *task, json_t *into)
{
    json_object_update(into, task->result);
}

bool agent_clean(const struct agent_options *options, struct targets *targets)
{
    SCOPE(tmp);
    struct error err;
    json_t *args = NULL;
    if (!agent_clean_allowed(tmp, options, targets, &args, &err)) {
        command_failed(options->program, &err);
        return false;
    }
    if (options->dry_run)
        json_set_bool(args, "dry_run", true);
    return ask_all(options, targets, OP_CLEAN, args, clean_line);
}

static void logs_line(const struct pool_task *task, json_t *into)
{
    json_object_set(into, "runs", json_object_get(task->result, "runs"));
}

bool agent_logs(const struct agent_options *options, struct targets *targets)
{
    return ask_all(options, targets, OP_LOGS, NULL, logs_line);
}

int command_agent(int argc, char **argv)
{
    SCOPE(tmp);
    struct error err;
    struct agent_options options = { .program = argv[0] };
    struct targets targets = { 0 };
    usage_read(&usage, argc, argv, &options.flags, &options);
    const struct agent_action *action = actions;
    while (action->name && !text_eq(action->name, options.action))
        action++;
    if (!action->name) {
        fail(&err, ERROR_USAGE, "there is no action \"%s\"; there are push, version, logs, clean",
             text_printable(tmp, options.action));
        return command_failed(argv[0], &err);
    }
    if (!targets_load(tmp, &options.flags, &targets, &err))
        return command_failed(argv[0], &err);
    return action->run(&options, &targets) ? EXIT_DONE : EXIT_FAILED;
}
