#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/cli/commands.h"
#include "controller/desk/catalogs.h"
#include "controller/desk/lint_grammar.h"
#include "controller/desk/lint_live.h"
#include "controller/desk/lint_run.h"
#include "controller/terminal/lint_rules.h"
#include "controller/terminal/usage.h"

enum {
    KEY_RULES = 0x2000,
    KEY_EXPLAIN,
    KEY_LIST,
    KEY_FAIL,
    KEY_ROWS,
    KEY_VERSION,
    KEY_TRANSACTION,
    KEY_STDIN,
    KEY_SMALL,
    KEY_DOWN,
    KEY_CONFIG,
    KEY_NO_CONFIG,
};

static const char doc[] =
    "Say what SQL does to a live database: locks, rewrites, what breaks, and the safe way.\v"
    "PATH is a file, a folder (its *.sql) or - for standard input. The layouts of Flyway, Sqitch,\n"
    "Alembic, Prisma, Rails, golang-migrate, dbmate, goose, graphile-migrate, diesel, sqlx,\n"
    "node-pg-migrate, Liquibase and others are known: order, ways up and down, transactions.\n"
    "Exit codes: 0 clean, 2 findings at or above --fail-on, 1 something could not be read.\n\n"
    "Examples:\n"
    "  flotilla lint migrations/\n"
    "  flotilla lint change.sql --catalog orders.json --pg-version 16\n"
    "  flotilla lint change.sql --dsn 'host=localhost dbname=orders'\n"
    "  flotilla lint migrations/ --assume-rows orders=50000000 --rules all\n"
    "  flotilla lint - --stdin-filename new.sql --format json <new.sql\n"
    "  flotilla lint migrations/ --format sarif >lint.sarif\n"
    "  flotilla lint --explain not-null-scan\n\n"
    "In the SQL, before a statement:  -- flotilla: ignore RULE reason\n"
    "For a file:                      -- flotilla: ignore-file RULE reason\n"
    "For a repository:                " LINT_CONFIG_NAME " (docs/LINT.md)";

static const struct argp_option options[] = {
    { "rules", KEY_RULES, "LIST", 0, "default, all, or rule ids with commas", 1 },
    { "explain", KEY_EXPLAIN, "RULE", 0, "why a rule exists and what to do instead", 1 },
    { "list-rules", KEY_LIST, NULL, 0,
      "all rules (--format json or markdown: as data, as the docs)", 1 },
    { "fail-on", KEY_FAIL, "SEVERITY", 0, "error, warning (default), info or never", 1 },
    CATALOGS_OPTIONS(2),
    { "assume-rows", KEY_ROWS, "TABLE=N", 0, "take a table (* for all) to have N rows", 2 },
    { "small-table", KEY_SMALL, "N", 0, "size matters from N rows on (10000)", 2 },
    { "pg-version", KEY_VERSION, "N", 0, "the server's major version (the catalog's, else 15)", 2 },
    { "assume-transaction", KEY_TRANSACTION, "yes|no", 0,
      "the runner puts a transaction around each file", 2 },
    { "down", KEY_DOWN, "HOW", 0,
      "findings where something is undone: note (default), full or skip", 2 },
    { "config", KEY_CONFIG, "FILE", 0,
      "instead of the nearest " LINT_CONFIG_NAME " above each file", 2 },
    { "no-config", KEY_NO_CONFIG, NULL, 0, "look for no configuration", 2 },
    { "stdin-filename", KEY_STDIN, "PATH", 0, "the name to report for standard input", 2 },
    { 0 },
};

struct lint {
    struct flags flags;
    struct lint_run run;
    struct sql_texts only;
    struct lint_rows *rows;
    const char **paths;
    size_t path_count;
    struct catalogs_wanted wanted;
    const char *explain, *stdin_name, *config_path, *folder_problems;
    bool list, no_config;
    struct lint_configs configs;
    const struct lint_config *named_config;
};

static void rules_chosen(struct lint *l, const char *list, struct argp_state *state)
{
    l->run.options.chosen = true;
    if (text_eq(list, "default") || text_eq(list, "all")) {
        l->run.options.all = text_eq(list, "all");
        return;
    }
    for (const char *p = list; *p != '\0';) {
        size_t n = strcspn(p, ",");
        const char *id = mem_textn(l, p, n);
        if (!rule_find(id)) {
            const char *near = rule_nearest(id);
            argp_error(state,
                       near ? "there is no rule \"%s\"; did you mean \"%s\"?"
                            : "there is no rule \"%s\": see `flotilla lint --list-rules`",
                       id, near);
        }
        sql_texts_add(l, &l->only, id);
        p += n + (p[n] == ',');
    }
}

static int64_t number(const char *s, struct argp_state *state, const char *flag)
{
    char *end;
    long long n = strtoll(s, &end, 10);
    if (end == s || *end != '\0' || n < 0) {
        argp_error(state, "%s: \"%s\" is not a number", flag, s);
    }
    return n;
}

static void rows_assumed(struct lint *l, const char *arg, struct argp_state *state)
{
    const char *equals = strrchr(arg, '=');
    if (!equals || equals == arg) {
        argp_error(state, "--assume-rows: write TABLE=N, for instance orders=50000000");
        return;
    }
    l->rows = mem_room(l, l->rows, struct lint_rows, l->run.options.row_count + 1);
    l->rows[l->run.options.row_count++] =
        (struct lint_rows){ mem_textn(l, arg, (size_t)(equals - arg)),
                            number(equals + 1, state, "--assume-rows") };
}

static void path_add(struct lint *l, const char *path)
{
    l->paths = mem_room(NULL, l->paths, const char *, l->path_count + 1);
    l->paths[l->path_count++] = path;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct lint *l = state->input;
    switch (key) {
    case ARGP_KEY_ARG: path_add(l, arg); return 0;
    case KEY_RULES: rules_chosen(l, arg, state); return 0;
    case KEY_EXPLAIN: l->explain = arg; return 0;
    case KEY_LIST: l->list = true; return 0;
    case KEY_FAIL:
        if (!lint_fail_from_name(arg, &l->run.fail_on)) {
            argp_error(state, "--fail-on: error, warning, info or never");
        }
        return 0;
    case KEY_DOWN:
        if (!lint_down_from_name(arg, &l->run.down)) {
            argp_error(state, "--down: note, full or skip");
        }
        return 0;
    case KEY_CONFIG: l->config_path = arg; return 0;
    case KEY_NO_CONFIG: l->no_config = true; return 0;
    case KEY_ROWS: rows_assumed(l, arg, state); return 0;
    case KEY_SMALL: l->run.options.small = number(arg, state, "--small-table"); return 0;
    case KEY_VERSION: l->run.options.version = (int)number(arg, state, "--pg-version"); return 0;
    case KEY_TRANSACTION:
        l->run.transaction_said = true;
        l->run.options.transaction = text_eq(arg, "yes");
        if (!text_eq(arg, "yes") && !text_eq(arg, "no")) {
            argp_error(state, "--assume-transaction: yes or no");
        }
        return 0;
    case KEY_STDIN: l->stdin_name = arg; return 0;
    default: return catalogs_option(NULL, &l->wanted, key, arg);
    }
}

static bool config_of(struct lint *l, const void *ctx, struct lint_file *f, struct error *err)
{
    struct lint_config *named;
    if (l->no_config) {
        return true;
    }
    if (!l->config_path) {
        bool standard = text_eq(f->path, "-");
        const char *path = standard && !l->stdin_name ? "-" : f->shown;
        return lint_config_for(ctx, &l->configs, path, &f->config, err);
    }
    if (!l->named_config) {
        if (!lint_config_load(ctx, l->config_path, &named, err)) {
            return false;
        }
        l->named_config = named;
    }
    f->config = l->named_config;
    return true;
}

/* The files of all paths, each with its configuration; what a configuration excludes is left out.
 */
static bool files_find(struct lint *l, const void *ctx, struct error *err)
{
    struct lint_files *files = &l->run.files;
    struct text problems = text_init(ctx, TEXT_FILE);
    for (size_t i = 0; i < l->path_count; i++) {
        const char *shown = l->stdin_name ? l->stdin_name : "stdin.sql";
        if (!lint_files_add(ctx, files, l->paths[i], shown, &problems, err)) {
            return false;
        }
    }
    size_t kept = 0;
    for (size_t i = 0; i < files->count; i++) {
        struct lint_file f = files->items[i];
        if (!config_of(l, ctx, &f, err)) {
            return false;
        }
        if (!lint_config_excludes(f.config, f.shown)) {
            files->items[kept++] = f;
        }
    }
    files->count = kept;
    l->folder_problems = problems.data;
    return true;
}

/* The catalogs that are meant, one a kind of database; with several services (a fleet's file)
 * --service says whose. */
static bool catalog_load(struct lint *l, const void *ctx, struct error *err)
{
    struct catalogs all = { 0 };
    bool offline = l->wanted.file_count > 0 || l->wanted.dsn;
    if (!offline && !l->flags.service) {
        return true;
    }
    /* From the fleet: the others too, who may read what this one has. If they cannot be reached,
     * the one that is meant is enough. */
    struct flags everyone = l->flags;
    struct catalogs_wanted whole = l->wanted;
    struct error ignored;
    everyone.service = NULL;
    whole.flags = &everyone;
    whole.all_of = l->wanted.all_of = l->flags.service;
    if ((offline || !catalogs_gather(ctx, &whole, &all, &ignored)) &&
        !catalogs_gather(ctx, &l->wanted, &all, err)) {
        return false;
    }
    for (size_t i = 0; i < all.count; i++) {
        if (all.count == 1 || text_eq(all.items[i].service, l->flags.service)) {
            l->run.options.catalog = all.items[i].catalog;
            lint_variants_find(ctx, &all, all.count == 1 ? NULL : l->flags.service, !offline,
                               &l->run.variants);
            if (l->wanted.dsn) {
                lint_rows_from(ctx, l->wanted.dsn, &l->run.options);
                lint_grammar_of_dsn(ctx, l->wanted.dsn, &l->run.options);
            }
            return lint_outside_find(ctx, &all, all.items[i].service, &l->run.options, err);
        }
    }
    fail(err, ERROR_USAGE, "%zu catalogs and no way to tell which is meant", all.count);
    return fail_hint(err, "name the service whose database the SQL is for: --service NAME");
}

/* Folders that could not be read; the others were. */
static bool folders_named(const struct lint *l)
{
    SCOPE(tmp);
    for (const char *p = l->folder_problems; *p != '\0';) {
        size_t n = strcspn(p, "\n");
        fprintf(stderr, "flotilla lint: %s\n", text_printable(tmp, mem_textn(tmp, p, n)));
        p += n + (p[n] == '\n');
    }
    return !text_empty(l->folder_problems);
}

/* Versions whose behaviour nobody measured: said once each. */
static void facts_named(const struct lint *l)
{
    int said = 0;
    for (size_t i = 0; i <= l->run.variants.count + l->run.files.count; i++) {
        const struct lint_run *run = &l->run;
        size_t file = i - run->variants.count - 1;
        int version = i == 0                     ? run->options.version
                      : run->options.version > 0 ? 0
                      : i <= run->variants.count
                          ? run->variants.items[i - 1].catalog->server_version / 10000
                      : run->files.items[file].config ? run->files.items[file].config->version
                                                      : 0;
        if (version == 0 || version == said || judge_facts(version) == FACTS_MEASURED) {
            continue;
        }
        said = version;
        fprintf(
            stderr,
            judge_facts(version) == FACTS_DOCUMENTED
                ? "flotilla lint: warning: what is said of PostgreSQL %d is by its documentation, "
                  "not measured (15 to 18 are)\n"
                : "flotilla lint: warning: what is said of PostgreSQL %d is not proven: 15 to 18 "
                  "are measured, 14 is by its documentation\n",
            version);
    }
}

static int lint_asked(struct lint *l, const void *ctx, const char *name)
{
    struct error err = { 0 };
    if (l->explain) {
        if (lint_explain(l->explain)) {
            return EXIT_DONE;
        }
        fail(&err, ERROR_NOT_FOUND, "there is no rule \"%s\"", l->explain);
        const char *near = rule_nearest(l->explain);
        fail_hint(&err, near ? "did you mean \"%s\"?" : "see `flotilla lint --list-rules`", near);
        return command_failed(name, &err);
    }
    if (l->list) {
        lint_list_rules(l->flags.format);
        return EXIT_DONE;
    }
    if (l->path_count == 0) {
        fail(&err, ERROR_USAGE, "name a file, a folder, or - for standard input");
        return command_failed(name, &err);
    }
    l->run.options.rows = l->rows;
    l->run.options.only = &l->only;
    l->run.flags = &l->flags;
    int code;
    if (!catalog_load(l, ctx, &err) || !files_find(l, ctx, &err)) {
        return command_failed(name, &err);
    }
    facts_named(l);
    if (!lint_run(ctx, &l->run, &code, &err)) {
        return command_failed(name, &err);
    }
    return folders_named(l) ? EXIT_FAILED : code;
}

int command_lint(int argc, char **argv)
{
    SCOPE(tmp);
    struct lint *l = mem_new(tmp, struct lint);
    static const struct usage usage = {
        .takes = "PATH...",
        .text = doc,
        .options = options,
        .parse = parse,
        .shows = SHOW_FLEET | SHOW_SERVICE | SHOW_COLOR | SHOW_TIMEOUT,
        .formats = FORMAT_BIT(JSON) | FORMAT_BIT(SARIF) | FORMAT_BIT(GITHUB) | FORMAT_BIT(GITLAB) |
                   FORMAT_BIT(JUNIT) | FORMAT_BIT(MARKDOWN),
    };
    l->run.fail_on = l->run.down = -1;
    l->wanted.flags = &l->flags;
    usage_read(&usage, argc, argv, &l->flags, l);
    int code = lint_asked(l, tmp, argv[0]);
    talloc_free(l->paths);
    talloc_free(l->rows);
    talloc_free(l->wanted.files);
    return code;
}
