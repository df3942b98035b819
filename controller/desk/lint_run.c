#include "controller/desk/lint_run.h"

#include <stdio.h>
#include <string.h>

#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/desk/lint_history.h"
#include "controller/lint/crew.h"
#include "controller/terminal/command.h"

enum {
    /* What a worker reads in a few milliseconds. For less, another costs more than it saves: a
     * fork, and following what the others' files leave behind. */
    WORKER_BYTES = 128 * 1024,
    POOL = 512 * 1024,       /* most files need less than this while they are looked at */
    KEPT = 64 * 1024,        /* and those that are kept for the ones behind them less */
    PATIENCE_MS = 60 * 1000, /* for one file: the largest dumps take a few seconds */
};

/* What a worker sends back: this, then the text. */
struct outcome {
    struct lint_count count;
    bool failed; /* the text says why */
};

static const void *packed(const void *ctx, const struct outcome *outcome, const char *text,
                          size_t *length)
{
    size_t n = text ? strlen(text) : 0;
    char *out = talloc_array(ctx, char, sizeof *outcome + n);
    memcpy(out, outcome, sizeof *outcome);
    memcpy(out + sizeof *outcome, text ? text : "", n);
    *length = sizeof *outcome + n;
    return out;
}

static void tally(struct lint_count *c, const struct lint_result *r, int fail_on)
{
    c->files = 1;
    c->statements = r->count;
    for (size_t i = 0; i < r->count; i++) {
        for (size_t k = 0; k < r->statements[i].count; k++) {
            enum severity s = r->statements[i].findings[k].severity;
            c->found[s]++;
            c->failing += (int)s >= fail_on;
        }
    }
}

static enum lint_down down_of(const struct lint_run *run, const struct lint_file *f)
{
    int down = run->down >= 0 ? run->down : f->config ? f->config->down : -1;
    return down >= 0 ? (enum lint_down)down : DOWN_NOTE;
}

/* The options for a file: the command line's, and where it says nothing its configuration's. */
static struct lint_options options_of(const void *ctx, const struct lint_run *run,
                                      const struct lint_file *f)
{
    struct lint_options o = run->options;
    const struct lint_config *c = f->config;
    o.disorder = f->disorder;
    o.down = down_of(run, f);
    if (!c) {
        return o;
    }
    o.all = o.chosen ? o.all : c->all;
    o.version = o.version ? o.version : c->version;
    o.small = o.small ? o.small : c->small;
    o.transaction = run->transaction_said ? o.transaction : c->transaction_said && c->transaction;
    o.levels = c->levels;
    o.level_count = c->level_count;
    if (c->row_count > 0) { /* the first that names a table counts */
        struct lint_rows *rows = mem_array(ctx, struct lint_rows, o.row_count + c->row_count);
        for (size_t i = 0; i < o.row_count; i++) {
            rows[i] = o.rows[i];
        }
        memcpy(rows + o.row_count, c->rows, c->row_count * sizeof *rows);
        o.rows = rows;
        o.row_count += c->row_count;
    }
    return o;
}

static bool wraps_said(const struct lint_run *run, const struct lint_file *f)
{
    return run->transaction_said || (f->config && f->config->transaction_said);
}

static int fail_on_of(const struct lint_run *run, const struct lint_file *f)
{
    int fail = run->fail_on >= 0 ? run->fail_on : f->config ? f->config->fail_on : -1;
    return fail >= 0 ? fail : SEVERITY_WARNING;
}

static struct lint_layout layout_of(const void *ctx, const struct lint_run *run,
                                    const struct lint_file *f, const char *text, size_t length)
{
    struct lint_layout layout = lint_layout_of(ctx, &f->place, text, length);
    for (size_t i = 0; wraps_said(run, f) && i < layout.count; i++) {
        layout.parts[i].unit_count = 0;
    }
    return layout;
}

static bool file_lint(const void *ctx, struct lint_run *run, size_t index, struct lint_view *view,
                      struct error *err)
{
    const struct lint_file *f = &run->files.items[index];
    const char *text;
    size_t length;
    if (!file_read(ctx, f->path, TEXT_FILE, &text, &length, err)) {
        return false;
    }
    struct lint_options o = options_of(ctx, run, f);
    const struct lint_config *c = f->config;
    text = lint_placeholders_fill(ctx, text, &length, c ? c->placeholders : NULL,
                                  c ? c->placeholder_count : 0, &view->placeholders);
    struct lint_layout layout = layout_of(ctx, run, f, text, length);
    view->tool = layout.tool;
    o.judge = lint_history_before(run, index, &layout, &o);
    if (o.judge) { /* it keeps what the statements say */
        ctx = talloc_pool(run->ctx, KEPT);
        text = mem_bytes(ctx, text, length); /* a NUL is refused where it is parsed */
        layout = layout_of(ctx, run, f, text, length);
    }
    for (size_t i = 0; i < run->variants.count; i++) {
        const struct lint_variant *v = &run->variants.items[i];
        struct lint_result *result;
        o.catalog = v->catalog;
        o.ask = v->ask ? v->ask : run->options.ask;
        o.ask_data = v->ask ? v->ask_data : run->options.ask_data;
        if (!lint_parts(ctx, layout.parts, layout.count, length, &o, &result, err)) {
            return false;
        }
        if (i == 0) {
            view->result = result;
        } else {
            lint_merge(ctx, view->result, result, v->where);
        }
    }
    bool good = run->variants.count > 0 ||
                lint_parts(ctx, layout.parts, layout.count, length, &o, &view->result, err);
    lint_history_linted(run, index);
    return good;
}

static const void *work(const void *ctx, void *data, size_t index, size_t *length)
{
    struct lint_run *run = data; /* a copy: this is a process of its own */
    const struct lint_file *f = &run->files.items[index];
    void *pool = talloc_pool(ctx, POOL);
    struct error err = { 0 };
    struct outcome outcome = { 0 };
    struct lint_view view = {
        .format = run->flags->format,
        .color = run->flags->color,
        .path = text_printable(ctx, f->shown),
    };
    if (!file_lint(pool, run, index, &view, &err)) {
        outcome.failed = true;
        return packed(ctx, &outcome,
                      mem_printf(ctx, "%s%s%s", err.message, *err.hint ? "; " : "", err.hint),
                      length);
    }
    tally(&outcome.count, view.result, fail_on_of(run, f));
    return packed(ctx, &outcome, lint_format_file(pool, &view), length);
}

static void unread_add(struct lint_run *run, const struct lint_file *f, const char *problem)
{
    const char *path = text_printable(run->ctx, f->shown);
    const char *why = text_printable(run->ctx, problem);
    /* Some reasons begin with the file's name already. */
    if (text_starts(why, path) && text_starts(why + strlen(path), ": ")) {
        why += strlen(path) + 2;
    }
    run->unread = mem_room(run->ctx, run->unread, struct lint_view, run->count.unread + 1);
    struct lint_view *view = &run->unread[run->count.unread++];
    *view = (struct lint_view){ .format = run->flags->format, .path = path, .problem = why };
    fprintf(stderr, "flotilla lint: %s: %s\n", path, why);
    const char *fragment = lint_format_file(run->ctx, view);
    if (!text_empty(fragment)) {
        lint_format_print(run->flags->format, fragment, run->printed++ == 0);
    }
}

static void done(void *data, size_t index, const void *bytes, size_t length, const char *problem)
{
    struct lint_run *run = data;
    const struct lint_file *f = &run->files.items[index];
    struct outcome outcome;
    if (problem || length < sizeof outcome) {
        unread_add(run, f, problem ? problem : "its analysis said nothing");
        return;
    }
    memcpy(&outcome, bytes, sizeof outcome);
    const char *text = (const char *)bytes + sizeof outcome;
    if (outcome.failed) {
        unread_add(run, f, text);
        return;
    }
    run->count.files += outcome.count.files;
    run->count.statements += outcome.count.statements;
    run->count.failing += outcome.count.failing;
    for (int s = 0; s <= SEVERITY_ERROR; s++) {
        run->count.found[s] += outcome.count.found[s];
    }
    if (!text_empty(text)) {
        lint_format_print(run->flags->format, text, run->printed++ == 0);
    }
}

bool lint_run(const void *ctx, struct lint_run *run, int *code, struct error *err)
{
    run->ctx = talloc_new(ctx);
    const struct crew_task task = {
        .count = run->files.count,
        .workers = 1 + (size_t)run->files.bytes / WORKER_BYTES,
        .timeout_ms = run->flags->timeout > 0 ? run->flags->timeout : PATIENCE_MS,
        .data = run,
        .work = work,
        .done = done,
    };
    lint_format_begin(run->flags->format);
    if (!crew_run(&task, err)) {
        return false;
    }
    lint_format_end(run->flags->format, &run->count, run->unread);
    *code = run->count.unread > 0 ? EXIT_FAILED : run->count.failing > 0 ? EXIT_FOUND : EXIT_DONE;
    return true;
}
