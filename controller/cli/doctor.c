/* flotilla doctor: the way to each host and database, with a fix for each finding. */
#include <stdio.h>
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/base/version.h"
#include "controller/cli/commands.h"
#include "controller/desk/targets.h"
#include "controller/session/pool.h"

enum {
    SLOW_START_MS = 1000, /* with a plain login shell an agent says hello within 50 ms */
    SKEW_MS = 5000,
};

struct options {
    struct flags flags;
};

static const struct usage usage = {
    .text =
        "Check the way to every host and database, and say how to fix what is in the way.\v"
        "Looks at: the host's name, port, host key, login, the start of the agent, its version, its "
        "database, the rights of its role, settings that matter, disk, WAL and slots, old transactions, "
        "poolers in between, clocks. Nothing is changed.\n\n"
        "Exit codes: 0 all is well, 1 there are findings.\n\n"
        "Examples:\n"
        "  flotilla doctor\n  flotilla doctor --service users --format json\n",
    .shows = SHOW_FLEET | SHOW_SERVICE | SHOW_TIMEOUT,
    .formats = FORMAT_BIT(JSON),
};

/* One line of a report: ours about the way there, or the agent's about its host. */
static void add(json_t *checks, const char *check, const char *level, const char *what,
                const char *fix)
{
    json_t *line = json_object();
    json_set_text(line, "check", check);
    json_set_text(line, "level", level);
    json_set_text(line, "what", what);
    json_set_text(line, "fix", fix);
    json_set_text(line, "scope", text_eq(check, "agent_database") ? NULL : "host");
    json_array_append_new(checks, line);
}

/* What to do about an error that names no remedy, or only this very command. */
static const char *remedy(const struct error *err)
{
    if (err->hint[0] && !strstr(err->hint, "flotilla doctor"))
        return err->hint;
    switch (err->code) {
    case ERROR_TIMEOUT:
        return "see whether host and port are those of its sshd, whether a firewall swallows the "
               "connection, and what the login's shell waits for; --timeout waits longer";
    case ERROR_CONNECT:
    case ERROR_PROTOCOL:
        return "log in there by hand: the login's forced command, or what the manifest calls "
               "agent_command, must end up in `flotilla-agent serve`, and `flotilla-agent version` "
               "must run for that login; `flotilla agent push` installs it";
    default: return err->hint[0] ? err->hint : NULL;
    }
}

static void add_error(json_t *checks, const char *check, const struct error *err)
{
    add(checks, check, "error", err->message, remedy(err));
}

static const char *failed_part(enum error_code code)
{
    switch (code) {
    case ERROR_HOST_KEY: return "host key";
    case ERROR_AUTH: return "login";
    case ERROR_VERSION: return "agent version";
    case ERROR_PROTOCOL: return "agent";
    case ERROR_INVALID: return "agent.yaml";
    case ERROR_NOT_FOUND: return "agent_database";
    case ERROR_UNSUPPORTED: return "agent version";
    default: return "host";
    }
}

static void check_way(const struct pool_task *task, json_t *checks)
{
    SCOPE(tmp);
    const char *version = json_text_of(task->peer, "version");
    const struct session_timing *t = &task->timing;
    if (t->connect >= 0)
        add(checks, "host", "ok",
            mem_printf(tmp, "resolved, connected, host key checked, logged in within %s",
                       text_duration(tmp, t->resolve + t->connect + t->handshake + t->login)),
            NULL);
    bool slow = t->agent > SLOW_START_MS;
    add(checks, "shell", slow ? "warning" : "ok",
        mem_printf(tmp, "the agent answers after %s", text_duration(tmp, t->agent)),
        slow ? "give the login a plain shell (/bin/sh) without start-up files, and a forced command"
             : NULL);
    bool other = !text_eq(version, FLOTILLA_VERSION);
    add(checks, "agent version", other ? "warning" : "ok",
        mem_printf(tmp, "flotilla-agent %s%s", version ? text_printable(tmp, version) : "?",
                   other ? ", flotilla is " FLOTILLA_VERSION : ""),
        other ? "install the same version: `flotilla agent push`" : NULL);
    int64_t skew = t->skew < 0 ? -t->skew : t->skew;
    if (skew > SKEW_MS)
        add(checks, "clock", "warning",
            mem_printf(tmp, "the host's clock is %s %s ours", text_duration(tmp, skew),
                       t->skew < 0 ? "behind" : "ahead of"),
            "set the clocks by NTP: approvals expire by them");
}

static json_t *report(const struct pool_task *task)
{
    json_t *checks = json_array();
    if (task->peer)
        check_way(task, checks);
    if (!task->ok) {
        add_error(checks, failed_part(task->error.code), &task->error);
        return checks;
    }
    size_t i;
    json_t *line;
    json_array_foreach(json_object_get(task->result, "checks"), i, line) {
        if (json_is_object(line))
            json_array_append(checks, line);
    }
    /* No agent of ours looks at nothing: silence is not health. */
    if (i == 0) {
        struct error none = { 0 };
        if (!fail(&none, ERROR_PROTOCOL, "the agent sent no findings at all"))
            fail_hint(&none, "install the same version on both sides: `flotilla agent push`");
        add_error(checks, "agent", &none);
    }
    return checks;
}

static bool is_finding(const json_t *line)
{
    const char *level = json_text_of(line, "level");
    return !text_eq(level, "ok") && !text_eq(level, "note");
}

static size_t count_findings(const json_t *checks)
{
    size_t i;
    json_t *line;
    size_t count = 0;
    json_array_foreach(checks, i, line) {
        count += is_finding(line);
    }
    return count;
}

/* What concerns a whole host is found by each of its databases; it is said once. */
static bool said_before(json_t *said, const struct instance *target, const json_t *line)
{
    SCOPE(tmp);
    const char *what = json_text_of(line, "what");
    if (!json_text_of(line, "scope"))
        return false;
    const char *key = mem_printf(tmp, "%s|%s|%s", session_key(tmp, target),
                                 json_text_of(line, "check"), what ? what : "");
    if (json_object_get(said, key))
        return true;
    json_object_set_new(said, key, json_true());
    return false;
}

static void print_line(const struct instance *target, const json_t *line, bool again)
{
    SCOPE(tmp);
    const char *what = again ? "as said above" : json_text_of(line, "what");
    const char *fix = again ? NULL : json_text_of(line, "fix");
    const char *check = json_text_of(line, "check");
    const char *level = json_text_of(line, "level");
    printf("%-8s %s: %s: %s%s%s\n", text_printable(tmp, level ? level : "?"), target->name,
           text_printable(tmp, check ? check : "?"), text_printable(tmp, what ? what : ""),
           fix ? "; fix: " : "", fix ? text_printable(tmp, fix) : "");
}

static void print_text(const struct pool_task *tasks, json_t *const *reports, size_t count)
{
    SCOPE(tmp);
    json_t *said = json_own(tmp, json_object());
    for (size_t i = 0; i < count; i++) {
        const struct instance *target = tasks[i].instance;
        size_t findings = count_findings(reports[i]);
        size_t k;
        json_t *line;
        printf("%-8s %s (%s): %zu checks, %zu finding%s\n", findings ? "!!" : "ok", target->name,
               target_host(target), json_array_size(reports[i]), findings,
               findings == 1 ? "" : "s");
        json_array_foreach(reports[i], k, line) {
            if (!text_eq(json_text_of(line, "level"), "ok"))
                print_line(target, line, said_before(said, target, line));
        }
    }
}

static void print_json(const struct pool_task *tasks, json_t *const *reports, size_t count)
{
    SCOPE(tmp);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct instance *target = tasks[i].instance;
        json_t *entry = json_object();
        json_set_text(entry, "service", target->service);
        json_set_text(entry, "instance", target->name);
        json_set_text(entry, "host", target_host(target));
        json_set_bool(entry, "reached", tasks[i].peer != NULL);
        json_set_text(entry, "agent_version", json_text_of(tasks[i].peer, "version"));
        json_set_int(entry, "findings", (int64_t)count_findings(reports[i]));
        json_object_set(entry, "checks", reports[i]);
        json_array_append_new(list, entry);
    }
    json_t *all = json_own(tmp, json_pack("{s:o}", "instances", list));
    puts(json_pretty(tmp, all));
}

/* What the manifest takes the instance for: the agent compares. */
static json_t *serves_of(const struct targets *targets, const struct instance *instance)
{
    json_t *serves = json_object();
    json_set_text(serves, "fleet", targets->fleet->name);
    json_set_text(serves, "environment", instance->environment);
    json_set_text(serves, "service", instance->service);
    json_set_text(serves, "instance", instance->name);
    return serves;
}

static size_t examine(void *ctx, const struct flags *flags, const struct targets *targets)
{
    size_t findings = 0;
    struct pool_options pool = { .timeout_ms = flags->timeout,
                                 .session = { .connect_timeout_ms = flags->timeout,
                                              .hello_timeout_ms = flags->timeout } };
    struct pool_task *tasks = mem_array(ctx, struct pool_task, targets->count);
    json_t **reports = mem_array(ctx, json_t *, targets->count);
    for (size_t i = 0; i < targets->count; i++) {
        tasks[i].instance = targets->items[i];
        tasks[i].op = OP_DOCTOR;
        json_t *args = json_own(ctx, json_object());
        json_set_text(args, "database", targets->items[i]->agent_database);
        json_object_set_new(args, "serves", serves_of(targets, targets->items[i]));
        tasks[i].args = args;
    }
    pool_run(ctx, &pool, tasks, targets->count);
    for (size_t i = 0; i < targets->count; i++) {
        reports[i] = json_own(ctx, report(&tasks[i]));
        findings += count_findings(reports[i]);
    }
    if (flags->format == FORMAT_JSON)
        print_json(tasks, reports, targets->count);
    else
        print_text(tasks, reports, targets->count);
    return findings;
}

int command_doctor(int argc, char **argv)
{
    SCOPE(tmp);
    struct error err;
    struct options options = { 0 };
    struct targets targets = { 0 };
    usage_read(&usage, argc, argv, &options.flags, &options);
    if (!targets_load(tmp, &options.flags, &targets, &err))
        return command_failed(argv[0], &err);
    size_t findings = examine(tmp, &options.flags, &targets);
    if (findings)
        fprintf(stderr, "%s: %zu finding%s\n", argv[0], findings, findings == 1 ? "" : "s");
    return findings ? EXIT_FAILED : EXIT_DONE;
}
