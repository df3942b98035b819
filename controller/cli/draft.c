#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/base/digest.h"
#include "agents/base/file.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/change/change.h"
#include "controller/cli/commands.h"
#include "controller/compile/compile.h"
#include "controller/desk/catalogs.h"
#include "controller/desk/document.h"
#include "controller/desk/draft_judge.h"
#include "controller/desk/draft_loss.h"
#include "controller/desk/draft_rules.h"
#include "controller/desk/draft_shards.h"
#include "controller/plan/plan.h"

struct draft {
    struct flags flags;
    struct catalogs_wanted wanted;
    struct catalogs shards; /* the services' other instances */
    void *ctx;
    const char *change_path, *sql_path, *output;
    const char **assumed; /* "TABLE=N" */
    size_t assumed_count;
    bool check;
};

enum { KEY_SQL = 0x2000, KEY_ASSUME, KEY_CHECK, KEY_DESIRED };

static const struct argp_option options[] = {
    { "output", 'o', "PLAN", 0,
      "write the plan there; over an older plan of the same change it "
      "keeps its id",
      0 },
    { "sql", KEY_SQL, "FILE", 0, "plan a DDL file (with --service)", 0 },
    CATALOGS_OPTIONS(0),
    { "assume-rows", KEY_ASSUME, "TABLE=N", 0, "plan as if the table had N rows; *=N for all", 0 },
    { "check", KEY_CHECK, NULL, 0, "write nothing; exit 2 when changes are pending", 0 },
    { "desired", KEY_DESIRED, "FILE", OPTION_HIDDEN, "not in this version", 0 },
    { 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct draft *draft = state->input;
    switch (key) {
    case 'o': draft->output = arg; return 0;
    case KEY_SQL: draft->sql_path = arg; return 0;
    case KEY_CHECK: draft->check = true; return 0;
    case KEY_DESIRED:
        argp_error(state, "this version cannot plan a desired schema: write intents: or sql:");
        return 0;
    case KEY_ASSUME:
        draft->assumed =
            mem_room(draft->ctx, draft->assumed, const char *, draft->assumed_count + 1);
        draft->assumed[draft->assumed_count++] = arg;
        return 0;
    case ARGP_KEY_END:
        if (!draft->change_path == !draft->sql_path) {
            argp_error(state, "name a change file, or --sql FILE with --service");
        }
        if (draft->sql_path && !draft->flags.service) {
            argp_error(state, "--sql needs --service: whose database the file is for");
        }
        return 0;
    default: return catalogs_option(draft->ctx, &draft->wanted, key, arg);
    }
}

static const struct argument arguments[] = {
    { "CHANGE", offsetof(struct draft, change_path), NULL },
    { 0 },
};

static const struct usage usage = {
    .takes = "[CHANGE.yaml]",
    .text =
        "Turn a change into one plan over the fleet: expand, migrate, contract, step by step, with the "
        "way back of each.\v"
        "Exit codes: 0 drafted or nothing to do, 1 refused, 2 changes are pending (--check).\n\n"
        "Examples:\n"
        "  flotilla draft change.yaml -o plan.yaml\n"
        "  flotilla draft --sql 0042.sql --service orders -o plan.yaml\n"
        "  flotilla draft change.yaml --service users --dsn 'host=localhost dbname=users'\n",
    .arguments = arguments,
    .options = options,
    .parse = parse,
    .shows = SHOW_FLEET | SHOW_SERVICE,
    .formats = FORMAT_BIT(JSON) | FORMAT_BIT(YAML),
};

static const char *user_name(const void *ctx)
{
    const struct passwd *user = getpwuid(geteuid());
    return user ? mem_text(ctx, user->pw_name) : mem_printf(ctx, "uid %u", (unsigned)geteuid());
}

/* --- rows that are assumed ------------------------------------------------------------------ */

static bool assume_one(struct catalogs *catalogs, const char *rule, struct error *err)
{
    SCOPE(tmp);
    const char *equals = strrchr(rule, '=');
    char *end = NULL;
    long long rows = equals ? strtoll(equals + 1, &end, 10) : -1;
    if (!equals || rows < 0 || *end || end == equals + 1) {
        return fail(err, ERROR_USAGE, "--assume-rows %s: expected TABLE=N", rule);
    }
    const char *name = mem_textn(tmp, rule, (size_t)(equals - rule));
    bool found = text_eq(name, "*");
    for (size_t i = 0; i < catalogs->count; i++) {
        const struct catalog *catalog = catalogs->items[i].catalog;
        for (size_t k = 0; k < catalog->relation_count; k++) {
            struct relation *relation = &catalog->relations[k];
            if (text_eq(name, "*") || text_eq(name, relation->name) ||
                text_eq(name, object_name_join(tmp, relation->schema, relation->name))) {
                relation->rows = rows;
                found = true;
            }
        }
    }
    return found || fail(err, ERROR_NOT_FOUND, "--assume-rows %s: there is no such table", rule);
}

static bool assume(const struct draft *draft, struct catalogs *catalogs, struct error *err)
{
    for (size_t i = 0; i < draft->assumed_count; i++) {
        if (!assume_one(catalogs, draft->assumed[i], err)) {
            return false;
        }
    }
    return true;
}

/* --- from change to plan -------------------------------------------------------------------- */

/* There are servers: not only saved catalogs. */
static bool asks(const struct draft *draft)
{
    return draft->wanted.file_count == 0;
}

static bool read_change(struct draft *draft, struct change **out, struct error *err)
{
    const char *author = user_name(draft->ctx), *problems = NULL;
    if (draft->sql_path) {
        return change_of_sql(draft->ctx, draft->sql_path, draft->flags.service, author, out, err);
    }
    if (!file_exists(draft->change_path) && strchr(draft->change_path, ' ')) {
        fail(err, ERROR_UNSUPPORTED, "this version reads changes from files, not from words");
        return fail_hint(err, "`flotilla init` writes a change to start from");
    }
    if (!file_exists(draft->change_path)) {
        fail(err, ERROR_NOT_FOUND, "there is no change file %s: No such file or directory",
             draft->change_path);
        return fail_hint(err,
                         "write what you want as intents: or sql: into a file; `flotilla init` "
                         "writes one to start from");
    }
    if (!document_expect(draft->change_path, DOCUMENT_CHANGE, err)) {
        return false;
    }
    const struct change_reader reader = { author, asks(draft) };
    if (change_read(draft->ctx, draft->change_path, &reader, out, &problems, err)) {
        return true;
    }
    if (text_empty(problems)) {
        return false;
    }
    fputs(problems, stderr);
    fail(err, ERROR_INVALID, "%s cannot be used as it is", draft->change_path);
    return fail_hint(err, "correct it; `flotilla validate %s` checks it again", draft->change_path);
}

static const char *finding_text(const void *ctx, const struct compile_finding *f)
{
    return mem_printf(ctx, "%s%s%s: %s%s%s%s\n", f->place ? f->place : "", f->place ? ": " : "",
                      f->severity, f->service ? f->service : "", f->service ? ": " : "", f->message,
                      f->hint ? mem_printf(ctx, "\n  hint: %s", f->hint) : "");
}

static void print_findings(const struct draft *draft, const struct compiled *compiled,
                           const struct judged *judged)
{
    for (size_t i = 0; i < compiled->finding_count; i++) {
        fputs(finding_text(draft->ctx, &compiled->findings[i]), stderr);
    }
    for (size_t i = 0; i < judged->finding_count; i++) {
        const struct plan_finding *f = &judged->findings[i];
        fprintf(stderr, "%s: %s: %s: %s\n", f->severity, f->step, f->rule,
                text_printable(draft->ctx, f->message));
        if (f->hint) {
            fprintf(stderr, "  hint: %s\n", f->hint);
        }
    }
}

static struct plan_finding *plan_findings(const void *ctx, const struct compiled *compiled,
                                          const struct judged *judged)
{
    struct plan_finding *all =
        mem_array(ctx, struct plan_finding, compiled->finding_count + judged->finding_count);
    for (size_t i = 0; i < judged->finding_count; i++) {
        all[compiled->finding_count + i] = judged->findings[i];
    }
    for (size_t i = 0; i < compiled->finding_count; i++) {
        const struct compile_finding *f = &compiled->findings[i];
        all[i] = (struct plan_finding){ .rule = f->rule,
                                        .severity = f->severity,
                                        .service = f->service,
                                        .message = f->message,
                                        .hint = f->hint };
    }
    return all;
}

/* The plan that stands where this one is to go; null when there is none to take the id from. */
static const struct plan *previous_plan(const struct draft *draft)
{
    struct plan *previous = NULL;
    struct error ignored;
    if (!draft->output || !file_exists(draft->output) ||
        !plan_load(draft->ctx, draft->output, &previous, NULL, &ignored)) {
        return NULL;
    }
    return previous;
}

struct drafted {
    const struct change *change;
    const struct compiled *compiled;
    const struct judged *judged;
};

static bool build(struct draft *draft, const struct catalogs *catalogs,
                  const struct drafted *drafted, struct plan **out, struct error *err)
{
    void *ctx = draft->ctx;
    const struct change *change = drafted->change;
    const struct compiled *compiled = drafted->compiled;
    const struct judged *judged = drafted->judged;
    struct plan_draft wish = {
        .title = change->intents->title,
        .author = change->intents->author,
        .change = json_compact(ctx, json_own(ctx, intents_to_json(compiled->intents))),
        .fleet = catalogs->fleet ? catalogs->fleet->name : "-",
        .environment = catalogs->environment ? catalogs->environment : "-",
        .parts = compiled->parts,
        .part_count = compiled->part_count,
        .findings = plan_findings(ctx, compiled, judged),
        .finding_count = compiled->finding_count + judged->finding_count,
        .discharged = judged->discharged,
        .discharged_count = judged->discharged_count,
    };
    const struct plan *previous = previous_plan(draft);
    wish.id = previous ? plan_same_id(previous, &wish) : NULL;
    wish.id = wish.id ? wish.id : digest_random_id(ctx, 8);
    return plan_build(ctx, &wish, out, err);
}

static bool write_plan(const struct draft *draft, const struct plan *plan, struct error *err)
{
    const char *text = draft->flags.format == FORMAT_JSON
                           ? mem_printf(draft->ctx, "%s\n",
                                        json_pretty(draft->ctx, plan_to_json(draft->ctx, plan)))
                           : plan_to_yaml(draft->ctx, plan);
    if (draft->output && !text_eq(draft->output, "-")) {
        return file_write(draft->output, text, strlen(text), 0644, err);
    }
    fputs(text, stdout);
    return true;
}

static void print_summary(const struct draft *draft, const struct plan *plan)
{
    if (plan_is_empty(plan)) {
        fprintf(stderr, "nothing to do: the catalog already is as wished\n");
        return;
    }
    bool written = draft->output && !text_eq(draft->output, "-");
    if (!draft->check && !written) {
        return;
    }
    if (draft->check) {
        printf("changes are pending: %s\n", plan->title);
    } else {
        printf("plan %s  %s\n", plan->id, plan->title);
    }
    for (enum phase phase = 0; phase < PHASE_COUNT; phase++) {
        for (size_t i = 0; i < plan->phases[phase].count; i++) {
            const struct part *part = plan->phases[phase].parts[i];
            printf("  %-8s %-16s %3zu steps  %s\n", phase_name(phase), part->service,
                   part->step_count, step_tags_text(draft->ctx, part_tags(part)));
        }
    }
    if (draft->check) {
        return;
    }
    printf("written to %s; look at it with `flotilla show %s`\n", draft->output, draft->output);
}

static bool gather(struct draft *draft, const struct change *change, struct catalogs *catalogs,
                   struct error *err)
{
    struct flags flags = draft->flags;
    bool offline = draft->wanted.dsn || draft->wanted.file_count > 0;
    if (!offline) {
        flags.service = NULL; /* dependents of the service are part of the plan */
    } else if (!flags.service && change->intents->count) {
        flags.service = change->intents->items[0].service;
    } else if (!flags.service && change->text_count) {
        flags.service = change->texts[0].service;
    }
    draft->wanted.flags = &flags;
    draft->wanted.all_instances = true;
    if (!catalogs_gather(draft->ctx, &draft->wanted, catalogs, err)) {
        return false;
    }
    shards_part(draft->ctx, catalogs, &draft->shards);
    return assume(draft, catalogs, err);
}

/* Change, catalogs and graph: what the compiler looks at. */
static bool draft_input(struct draft *draft, struct catalogs *catalogs, struct compile_input *input,
                        struct change **change, struct error *err)
{
    struct graph *graph;
    if (!read_change(draft, change, err) || !gather(draft, *change, catalogs, err) ||
        !change_add_texts(draft->ctx, *change, asks(draft), err) ||
        !graph_build(draft->ctx, catalogs->fleet, catalogs->items, catalogs->count, false, &graph,
                     err)) {
        return false;
    }
    if (catalogs->fleet && !catalogs->environment &&
        !fleet_environment(catalogs->fleet, draft->flags.env, &catalogs->environment, err)) {
        return false;
    }
    *input = (struct compile_input){
        .fleet = catalogs->fleet,
        .environment = catalogs->environment ? catalogs->environment : "-",
        .graph = graph,
        .catalogs = catalogs->items,
        .catalog_count = catalogs->count,
        .intents = (*change)->intents,
    };
    return true;
}

/* What the compiler refuses cannot be accepted; what a rule warns of can. */
static bool allowed(const struct compiled *compiled, const struct judged *judged, struct error *err)
{
    size_t count = compiled->refusals + judged->refusals;
    if (count == 0) {
        return true;
    }
    (void)fail(err, ERROR_REFUSED, "the change cannot be planned: %zu reason%s above", count,
               count == 1 ? "" : "s");
    return compiled->refusals
               ? fail_hint(err, "correct the change and draft again; nothing was written")
               : fail_hint(err, "correct the change, or say in it why you accept that (note: of an "
                                "sql intent, -- flotilla: ignore RULE REASON at the statement), "
                                "and draft again; nothing was written");
}

static bool draft_run(struct draft *draft, int *code, struct error *err)
{
    struct change *change;
    struct catalogs catalogs = { 0 };
    struct compile_input input;
    struct compiled *compiled;
    struct judged judged;
    struct plan *plan;
    if (!draft_input(draft, &catalogs, &input, &change, err) ||
        !compile(draft->ctx, &input, &compiled, err) ||
        !draft_judge(draft->ctx, &catalogs, compiled, err) ||
        !draft_loss(draft->ctx, &catalogs, compiled, err) ||
        !draft_rules(draft->ctx, &catalogs, compiled, &judged, err)) {
        return false;
    }
    shards_compare(draft->ctx, &draft->shards, compiled);
    print_findings(draft, compiled, &judged);
    const struct drafted drafted = { change, compiled, &judged };
    if (!allowed(compiled, &judged, err) || !build(draft, &catalogs, &drafted, &plan, err)) {
        return false;
    }
    if (draft->check) {
        *code = plan_is_empty(plan) ? EXIT_DONE : EXIT_FOUND;
    } else if (!write_plan(draft, plan, err)) {
        return false;
    }
    print_summary(draft, plan);
    return true;
}

int command_draft(int argc, char **argv)
{
    SCOPE(ctx);
    struct draft draft = { .ctx = ctx };
    struct error err;
    int code = EXIT_DONE;
    usage_read(&usage, argc, argv, &draft.flags, &draft);
    if (!draft_run(&draft, &code, &err)) {
        return command_failed(argv[0], &err);
    }
    return code;
}
