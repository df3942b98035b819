#include <stdio.h>
#include <string.h>

#include "agents/base/file.h"
#include "agents/base/log.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/base/yaml.h"
#include "controller/change/change.h"
#include "controller/cli/commands.h"
#include "controller/desk/document.h"
#include "controller/desk/plan_recheck.h"
#include "controller/manifest/fleet.h"
#include "controller/plan/plan.h"

static const char doc[] =
    "Check manifests, changes and plans, without any connection.\v"
    "Prints every error as FILE:LINE:COLUMN: what, and what to write instead. Without FILE it "
    "checks the manifest.\n\n"
    "Exit codes: 0 all is right, 1 there are errors.\n\n"
    "Example:\n"
    "  flotilla validate fleet.yaml change.yaml plan.yaml\n";

struct validate {
    struct flags flags;
    const char **files;
    size_t count;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct validate *v = state->input;
    switch (key) {
    case ARGP_KEY_ARG:
        /* A file is looked into first, then read: a pipe cannot be read twice. */
        if (text_eq(arg, "-"))
            argp_error(state, "name a file: standard input is not read here");
        v->files = mem_room(NULL, v->files, const char *, v->count + 1);
        v->files[v->count++] = arg;
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static size_t instance_count(const struct fleet *fleet)
{
    size_t n = 0;
    for (size_t i = 0; i < fleet->service_count; i++)
        n += fleet->services[i].instance_count;
    return n;
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

/* What is written and has no effect yet must not look as if it had one. */
static void print_notes(const char *path, const struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->service_count; i++)
        if (fleet->services[i].health_http)
            printf("%s:%d: note: health of %s: this version asks sql:, not http:\n", path,
                   fleet->services[i].line, fleet->services[i].name);
}

static bool validate_manifest(const char *path)
{
    SCOPE(tmp);
    struct fleet *fleet = NULL;
    const char *problems = "";
    struct error err;
    if (!fleet_load(tmp, path, &fleet, &problems, &err)) {
        fputs(problems, stderr);
        return false;
    }
    printf("%s: the manifest of fleet %s: %zu service%s, %zu instance%s, %zu owner%s\n", path,
           fleet->name, fleet->service_count, plural(fleet->service_count), instance_count(fleet),
           plural(instance_count(fleet)), fleet->owner_count, plural(fleet->owner_count));
    print_notes(path, fleet);
    return true;
}

static size_t part_count(const struct plan *plan)
{
    size_t n = 0;
    for (int p = 0; p < PHASE_COUNT; p++)
        n += plan->phases[p].count;
    return n;
}

/* Each line after the file's name, then what it comes to. */
static void report(const char *path, const char *problems, const struct error *err)
{
    for (const char *p = problems; *p != '\0';) {
        size_t n = strcspn(p, "\n");
        fprintf(stderr, "%s: %.*s\n", path, (int)n, p);
        p += n + (p[n] == '\n');
    }
    fprintf(stderr, "%s: %s\n  hint: %s\n", path, err->message, err->hint);
}

static bool validate_plan(const char *path)
{
    SCOPE(tmp);
    struct plan *plan = NULL;
    const char *problems = "";
    struct error err;
    if (!plan_load(tmp, path, &plan, &problems, &err)) {
        fputs(problems, stderr);
        return false;
    }
    if (!plan_recheck(tmp, plan, &problems, &err)) {
        report(path, problems, &err);
        return false;
    }
    printf("%s: the plan %s, \"%s\": %zu part%s, digests right\n", path, plan->id,
           text_printable(tmp, plan->title), part_count(plan), plural(part_count(plan)));
    return true;
}

static bool validate_change(const char *path)
{
    SCOPE(tmp);
    struct change *change = NULL;
    const char *problems = NULL;
    struct error err;
    const struct change_reader reader = { .author = "nobody" };
    if (!change_read(tmp, path, &reader, &change, &problems, &err)) {
        if (problems)
            fputs(problems, stderr);
        else
            log_error("flotilla validate", &err);
        return false;
    }
    size_t n = change->intents->count;
    printf("%s: the change \"%s\": %zu intent%s", path, text_printable(tmp, change->intents->title),
           n, plural(n));
    if (change->text_count)
        printf(", SQL for %zu service%s", change->text_count, plural(change->text_count));
    fputc('\n', stdout);
    return true;
}

/* A file is looked into first, then read by its kind; a pipe cannot be read twice. */
static bool validate_pipe(const char *path)
{
    SCOPE(tmp);
    fprintf(stderr, "%s: is no file that can be read twice, write it into one and name that\n",
            text_printable(tmp, path));
    return false;
}

/* What says nothing is read as YAML, so that a file that is none says why. */
static bool validate_other(const char *path)
{
    SCOPE(tmp);
    struct yaml_problems problems = yaml_problems_for(tmp, path);
    const struct yaml_node *root = yaml_load(tmp, path, YAML_FILE_BYTES, &problems);
    if (root)
        yaml_complain(&problems, root,
                      "this is no manifest (which has \"fleet\" and \"services\"), no plan "
                      "(\"flotilla_plan\") and no change (\"intents\" or \"sql\")");
    fputs(yaml_problems_text(tmp, &problems), stderr);
    return false;
}

static bool validate_file(const char *path)
{
    static bool (*const validate[])(const char *path) = {
        [DOCUMENT_MANIFEST] = validate_manifest,
        [DOCUMENT_CHANGE] = validate_change,
        [DOCUMENT_PLAN] = validate_plan,
        [DOCUMENT_OTHER] = validate_other,
    };
    enum document kind = document_of(path);
    if (kind == DOCUMENT_OTHER && file_is_stream(path))
        return validate_pipe(path);
    return validate[kind](path);
}

int command_validate(int argc, char **argv)
{
    struct validate v = { 0 };
    static const struct usage usage = {
        .takes = "[FILE...]",
        .text = doc,
        .parse = parse,
        .shows = SHOW_MANIFEST,
    };
    usage_read(&usage, argc, argv, &v.flags, &v);
    bool good = true;
    for (size_t i = 0; i < v.count; i++)
        good = validate_file(v.files[i]) && good;
    if (v.count == 0)
        good = validate_file(v.flags.manifest);
    if (v.count == 0 && !file_exists(v.flags.manifest))
        fputs("  hint: `flotilla init` writes one, `flotilla validate FILE` checks another\n",
              stderr);
    talloc_free(v.files);
    return good ? EXIT_DONE : EXIT_FAILED;
}
