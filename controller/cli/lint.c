#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/cli/catalogs.h"
#include "controller/cli/command.h"
#include "controller/cli/commands.h"
#include "controller/cli/lint_format.h"
#include "controller/cli/lint_layout.h"

enum { DEPTH_MAX = 32, JOBS_MAX = 64, NEVER = SEVERITY_ERROR + 1, POOL = 512 * 1024 };

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
};

static const char doc[] =
    "Say what SQL does to a live database: locks, rewrites, what breaks, and the safe way.\v"
    "PATH is a file, a folder (its *.sql, without those that undo) or - for standard input.\n"
    "Exit codes: 0 clean, 2 findings at or above --fail-on, 1 something could not be read.\n\n"
    "Examples:\n"
    "  flotilla lint migrations/\n"
    "  flotilla lint change.sql --catalog orders.json --pg-version 16\n"
    "  flotilla lint change.sql --dsn 'host=localhost dbname=orders'\n"
    "  flotilla lint - --stdin-filename new.sql --format json <new.sql\n"
    "  flotilla lint --explain not-null-scan\n\n"
    "In the SQL, on the line before a statement:  -- flotilla: ignore RULE reason";

static const struct argp_option options[] = {
    { "rules", KEY_RULES, "LIST", 0, "default, all, or rule ids with commas", 1 },
    { "explain", KEY_EXPLAIN, "RULE", 0, "why a rule exists and what to do instead", 1 },
    { "list-rules", KEY_LIST, NULL, 0, "all rules (with --format json: as data)", 1 },
    { "fail-on", KEY_FAIL, "SEVERITY", 0, "error, warning (default), info or never", 1 },
    CATALOGS_OPTIONS(2),
    { "assume-rows", KEY_ROWS, "TABLE=N", 0, "take a table (* for all) to have N rows", 2 },
    { "small-table", KEY_SMALL, "N", 0, "size matters from N rows on (10000)", 2 },
    { "pg-version", KEY_VERSION, "N", 0, "the server's major version (the catalog's, else 15)", 2 },
    { "assume-transaction", KEY_TRANSACTION, "yes|no", 0,
      "the runner puts a transaction around each file", 2 },
    { "stdin-filename", KEY_STDIN, "PATH", 0, "the name to report for standard input", 2 },
    { 0 },
};

struct file {
    const char *path;
    const char *fragment;
    const char *problem;
    struct lint_count count;
    void *ctx;
};

struct lint {
    struct flags flags;
    struct lint_options options;
    struct sql_texts only;
    struct lint_rows *rows;
    const char **paths;
    size_t path_count;
    struct catalogs_wanted wanted;
    const char *explain, *stdin_name;
    bool list, transaction_said;
    int fail_on;
    struct file *files;
    size_t file_count;
    atomic_size_t next;
};

static void rules_chosen(struct lint *l, const char *list, struct argp_state *state)
{
    if (text_eq(list, "default") || text_eq(list, "all")) {
        l->options.all = text_eq(list, "all");
        return;
    }
    for (const char *p = list; *p != '\0';) {
        size_t n = strcspn(p, ",");
        const char *id = mem_textn(l, p, n);
        if (!rule_find(id)) {
            argp_error(state, "there is no rule \"%s\": see `flotilla lint --list-rules`", id);
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
    l->rows = mem_room(NULL, l->rows, struct lint_rows, l->options.row_count + 1);
    l->rows[l->options.row_count++] =
        (struct lint_rows){ mem_textn(NULL, arg, (size_t)(equals - arg)),
                            number(equals + 1, state, "--assume-rows") };
}

static void fail_on(struct lint *l, const char *arg, struct argp_state *state)
{
    enum severity s;
    if (text_eq(arg, "never")) {
        l->fail_on = NEVER;
    } else if (severity_from_name(arg, &s)) {
        l->fail_on = (int)s;
    } else {
        argp_error(state, "--fail-on: error, warning, info or never");
    }
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
    case KEY_FAIL: fail_on(l, arg, state); return 0;
    case KEY_ROWS: rows_assumed(l, arg, state); return 0;
    case KEY_SMALL: l->options.small = number(arg, state, "--small-table"); return 0;
    case KEY_VERSION: l->options.version = (int)number(arg, state, "--pg-version"); return 0;
    case KEY_TRANSACTION:
        l->transaction_said = true;
        l->options.transaction = text_eq(arg, "yes");
        if (!text_eq(arg, "yes") && !text_eq(arg, "no")) {
            argp_error(state, "--assume-transaction: yes or no");
        }
        return 0;
    case KEY_STDIN: l->stdin_name = arg; return 0;
    default: return catalogs_option(NULL, &l->wanted, key, arg);
    }
}

static void file_add(struct lint *l, const void *ctx, const char *path)
{
    l->files = mem_room(ctx, l->files, struct file, l->file_count + 1);
    l->files[l->file_count++] = (struct file){ .path = path };
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strverscmp((*a)->d_name, (*b)->d_name); /* 2 before 10, as most tools run them */
}

/* Its *.sql files, then its folders, by name. */
static bool folder_add(struct lint *l, const void *ctx, const char *path, int depth,
                       struct error *err)
{
    struct dirent **list = NULL;
    int n = depth < DEPTH_MAX ? scandir(path, &list, NULL, by_name) : 0;
    if (n < 0) {
        return fail_errno(err, "%s", path);
    }
    bool good = true;
    for (int i = 0; i < n; i++) {
        const char *name = list[i]->d_name;
        const char *full = mem_printf(ctx, "%s%s%s", path, text_ends(path, "/") ? "" : "/", name);
        struct stat st;
        if (name[0] != '.' && stat(full, &st) == 0) {
            if (S_ISDIR(st.st_mode)) {
                good = good && folder_add(l, ctx, full, depth + 1, err);
            } else if (text_ends(name, ".sql") && !lint_layout_undoes(full)) {
                file_add(l, ctx, full);
            }
        }
        free(list[i]);
    }
    free(list);
    return good;
}

static bool files_find(struct lint *l, const void *ctx, struct error *err)
{
    for (size_t i = 0; i < l->path_count; i++) {
        struct stat st;
        if (!text_eq(l->paths[i], "-") && stat(l->paths[i], &st) == 0 && S_ISDIR(st.st_mode)) {
            if (!folder_add(l, ctx, l->paths[i], 0, err)) {
                return false;
            }
        } else {
            file_add(l, ctx, l->paths[i]);
        }
    }
    return true;
}

static void tally(struct file *f, const struct lint_result *r)
{
    f->count.statements = r->count;
    for (size_t i = 0; i < r->count; i++) {
        for (size_t k = 0; k < r->statements[i].count; k++) {
            f->count.found[r->statements[i].findings[k].severity]++;
        }
    }
}

static void file_lint(struct lint *l, struct file *f)
{
    SCOPE(tmp);
    void *pool = talloc_pool(tmp, POOL);
    struct error err;
    const char *text;
    size_t length;
    struct lint_result *result;
    struct lint_options o = l->options;
    f->ctx = talloc_new(NULL);
    const char *shown =
        text_eq(f->path, "-") ? (l->stdin_name ? l->stdin_name : "stdin.sql") : f->path;
    if (!file_read(tmp, f->path, TEXT_FILE, &text, &length, &err)) {
        f->problem = mem_printf(f->ctx, "%s", err.message);
        return;
    }
    struct lint_layout layout = lint_layout_of(tmp, text, length);
    o.transaction = l->transaction_said ? o.transaction : layout.transaction;
    if (!lint_script(pool, layout.text, length, &o, &result, &err)) {
        f->problem =
            mem_printf(f->ctx, "%s: %s%s%s", shown, err.message, *err.hint ? "; " : "", err.hint);
        return;
    }
    tally(f, result);
    f->fragment = lint_format_file(f->ctx, l->flags.format, l->flags.color,
                                   text_printable(tmp, shown), result);
}

static void worker(void *arg)
{
    struct lint *l = arg;
    for (;;) {
        size_t i = atomic_fetch_add(&l->next, 1);
        if (i >= l->file_count) {
            return;
        }
        file_lint(l, &l->files[i]);
    }
}

static void *thread(void *arg)
{
    struct error err;
    if (!sql_deep(worker, arg, &err)) {
        worker(arg); /* every parse will then say for itself why it cannot */
    }
    return NULL;
}

static void files_lint(struct lint *l)
{
    pthread_t threads[JOBS_MAX];
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    size_t jobs = cpus < 1 ? 1 : cpus > JOBS_MAX ? JOBS_MAX : (size_t)cpus, started = 0;
    while (started + 1 < jobs && started + 1 < l->file_count &&
           pthread_create(&threads[started], NULL, thread, l) == 0) {
        started++;
    }
    thread(l);
    for (size_t i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
    }
}

static int report(struct lint *l)
{
    struct lint_count all = { .files = l->file_count };
    bool first = true;
    lint_format_begin(l->flags.format);
    for (size_t i = 0; i < l->file_count; i++) {
        const struct file *f = &l->files[i];
        if (f->problem) {
            SCOPE(tmp);
            fprintf(stderr, "flotilla lint: %s\n", text_printable(tmp, f->problem));
            all.unread++;
            continue;
        }
        if (!text_empty(f->fragment)) {
            lint_format_print(l->flags.format, f->fragment, first);
            first = false;
        }
        all.statements += f->count.statements;
        for (int s = 0; s <= SEVERITY_ERROR; s++) {
            all.found[s] += f->count.found[s];
        }
    }
    lint_format_end(l->flags.format, &all);
    for (int s = l->fail_on; s <= SEVERITY_ERROR && all.unread == 0; s++) {
        if (all.found[s] > 0) {
            return EXIT_FOUND;
        }
    }
    return all.unread > 0 ? EXIT_FAILED : EXIT_DONE;
}

/* The one catalog that is meant; with several (a fleet's file) --service says which. */
static bool catalog_load(struct lint *l, const void *ctx, struct error *err)
{
    struct catalogs all = { 0 };
    if (!l->wanted.file_count && !l->wanted.dsn && !l->flags.service) {
        return true;
    }
    if (!catalogs_gather(ctx, &l->wanted, &all, err)) {
        return false;
    }
    for (size_t i = 0; i < all.count; i++) {
        if (all.count == 1 || text_eq(all.items[i].service, l->flags.service)) {
            l->options.catalog = all.items[i].catalog;
            return true;
        }
    }
    fail(err, ERROR_USAGE, "%zu catalogs and no way to tell which is meant", all.count);
    return fail_hint(err, "name the service whose database the SQL is for: --service NAME");
}

static int lint_run(struct lint *l, const void *ctx, const char *name)
{
    struct error err = { 0 };
    if (l->explain) {
        if (lint_explain(l->explain)) {
            return EXIT_DONE;
        }
        fail(&err, ERROR_NOT_FOUND, "there is no rule \"%s\"", l->explain);
        fail_hint(&err, "see `flotilla lint --list-rules`");
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
    if (!catalog_load(l, ctx, &err) || !files_find(l, ctx, &err)) {
        return command_failed(name, &err);
    }
    l->options.rows = l->rows;
    l->options.only = &l->only;
    files_lint(l);
    int code = report(l);
    for (size_t i = 0; i < l->file_count; i++) {
        talloc_free(l->files[i].ctx);
    }
    return code;
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
        .shows = SHOW_FLEET | SHOW_SERVICE | SHOW_COLOR,
        .formats = FORMAT_BIT(JSON) | FORMAT_BIT(SARIF) | FORMAT_BIT(GITHUB) | FORMAT_BIT(GITLAB) |
                   FORMAT_BIT(JUNIT),
    };
    l->fail_on = SEVERITY_WARNING;
    l->wanted.flags = &l->flags;
    usage_read(&usage, argc, argv, &l->flags, l);
    int code = lint_run(l, tmp, argv[0]);
    talloc_free(l->paths);
    talloc_free(l->rows);
    talloc_free(l->wanted.files);
    return code;
}
