#include "controller/terminal/lint_format.h"

#include <stdio.h>
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/base/version.h"
#include "controller/terminal/lint_report.h"

static const char *tint(bool color, enum severity s)
{
    static const char *const codes[] = { "\033[36m", "\033[33m", "\033[31m" };
    return color ? codes[s] : "";
}

/* The statement's first line, and the SQL of the safe way, indented. */
static void block(struct text *t, const char *label, const char *sql)
{
    SCOPE(tmp);
    text_addf(t, "  %s\n", label);
    for (const char *line = sql; *line != '\0';) {
        size_t n = strcspn(line, "\n");
        text_addf(t, "    %s\n", text_printable(tmp, mem_textn(tmp, line, n)));
        line += n + (line[n] == '\n');
    }
}

static void frame(struct text *t, const char *sql, int line)
{
    enum { SHOWN = 3, WIDE = 160 };
    SCOPE(tmp);
    for (int i = 0; *sql != '\0'; i++) {
        size_t n = strcspn(sql, "\n");
        if (i == SHOWN) {
            text_add(t, "       | …\n");
            return;
        }
        const char *shown = mem_textn(tmp, sql, n > WIDE ? WIDE : n);
        text_addf(t, "  %4d | %s%s\n", line + i, text_printable(tmp, shown), n > WIDE ? " …" : "");
        sql += n + (sql[n] == '\n');
    }
}

static const char *lint_way_name(enum lint_way way)
{
    static const char *const names[] = { "up", "verify", "down" };
    return names[way];
}

static void finding_text(struct text *t, bool color, const char *path,
                         const struct lint_statement *s, size_t k)
{
    const struct finding *f = &s->findings[k];
    text_addf(t, "%s:%d: %s%s%s %s%s%s: %s\n", path, f->line, tint(color, f->severity),
              severity_name(f->severity), color ? "\033[0m" : "", f->rule->id,
              s->way == LINT_UP ? "" : ", going ", s->way == LINT_UP ? "" : lint_way_name(s->way),
              f->message);
    if (k == 0) {
        frame(t, s->statement->sql, s->statement->line);
    }
    if (k == 0 && s->verdict->assumes) {
        text_addf(t, "  taken for granted, without a catalog: %s\n", s->verdict->assumes);
    }
    text_addf(t, "  instead: %s\n", f->hint);
    if (f->rewrite_sql) {
        block(t, "as SQL:", f->rewrite_sql);
    }
    text_addf(t, "  why: " RULE_PAGE "\n", f->rule->id, f->rule->id);
    text_addc(t, '\n');
}

static const char *as_text(const void *ctx, const struct lint_view *view)
{
    struct text t = text_init(ctx, TEXT_FILE);
    const struct lint_result *r = view->result;
    const char *path = view->path;
    if (view->problem) {
        return ""; /* standard error has it */
    }
    if (view->placeholders.count > 0) {
        text_addf(&t, "%s: note: not known what it stands for: ", path);
        for (size_t i = 0; i < view->placeholders.count; i++) {
            text_addf(&t, "%s%s", i > 0 ? ", " : "", view->placeholders.items[i]);
        }
        text_add(&t, " (placeholders: in .flotilla-lint.yaml tells)\n\n");
    }
    for (size_t i = 0; i < r->count; i++) {
        const struct lint_statement *s = &r->statements[i];
        const struct verdict *v = s->verdict;
        for (size_t k = 0; k < s->count; k++) {
            finding_text(&t, view->color, path, s, k);
        }
        /* No rule speaks of it, but nobody shall take it for looked at. */
        if (s->count == 0 && (v->unknown || v->fails)) {
            text_addf(&t, "%s:%d: note: %s: %s\n", path, s->statement->line,
                      v->fails ? "it will fail" : "it cannot be analysed",
                      v->fails ? v->fails : v->unknown);
            frame(&t, s->statement->sql, s->statement->line);
            text_addc(&t, '\n');
        }
    }
    return t.data;
}

static json_t *tags_json(unsigned tags)
{
    static const struct {
        unsigned bit;
        const char *name;
    } names[] = {
#define X(id, text, bit) { TAG_##id, text },
        STEP_TAGS(X)
#undef X
    };
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (tags & names[i].bit) {
            json_array_append_new(list, json_string(names[i].name));
        }
    }
    return list;
}

static json_t *lock_json(const struct verdict_lock *lock, bool index)
{
    json_t *json =
        json_pack("{s:s, s:s}", "relation", lock->relation, "mode", lock_mode_name(lock->mode));
    if (lock->fresh) {
        json_set_bool(json, "new", true);
    }
    if (index) {
        json_set_bool(json, "index", true);
    }
    return json;
}

static json_t *locks_json(const struct verdict *v)
{
    json_t *list = json_array();
    for (size_t i = 0; i < v->lock_count; i++) {
        json_array_append_new(list, lock_json(&v->locks[i], false));
    }
    for (size_t i = 0; i < v->index_lock_count; i++) {
        json_array_append_new(list, lock_json(&v->index_locks[i], true));
    }
    return list;
}

static json_t *finding_json(const struct finding *f)
{
    json_t *o = json_object();
    json_set_text(o, "rule", f->rule->id);
    json_set_text(o, "severity", severity_name(f->severity));
    json_set_text(o, "message", f->message);
    json_set_text(o, "hint", f->hint);
    json_object_set_new(o, "rewrite_sql",
                        f->rewrite_sql ? json_string(f->rewrite_sql) : json_null());
    json_set_int(o, "line", f->line);
    return o;
}

static json_t *statement_json(const struct lint_statement *s, size_t index)
{
    json_t *o = json_object(), *findings = json_array();
    const struct verdict *v = s->verdict;
    json_set_int(o, "index", (int64_t)index);
    json_set_int(o, "line", s->statement->line);
    json_set_text(o, "sql", s->statement->sql);
    if (s->way != LINT_UP) {
        json_set_text(o, "part", lint_way_name(s->way));
    }
    json_set_text(o, "kind", sql_statement_name(s->statement->kind));
    json_object_set_new(o, "tags", tags_json(v->tags));
    json_object_set_new(o, "locks", locks_json(v));
    json_set_bool(o, "rewrite", v->rewrite || v->new_sequence);
    json_set_bool(o, "full_scan", v->full_scan);
    json_set_bool(o, "transaction", v->transaction);
    json_set_bool(o, "version_ok", v->version_ok);
    json_set_text(o, "fails", v->fails);
    json_set_text(o, "waits", v->waits);
    json_set_text(o, "assumes", v->assumes);
    json_set_text(o, "unknown", v->unknown);
    if (v->rows > 0) {
        json_set_int(o, "rows", v->rows);
        json_set_int(o, "estimate_ms", v->ms);
    }
    for (size_t i = 0; i < s->count; i++) {
        json_array_append_new(findings, finding_json(&s->findings[i]));
    }
    json_object_set_new(o, "findings", findings);
    return o;
}

static const char *as_json(const void *ctx, const struct lint_view *view)
{
    json_auto_t *o = json_object();
    json_t *statements = json_array();
    json_object_set_new(o, "path", json_string(view->path));
    json_set_text(o, "layout", view->tool);
    for (size_t i = 0; i < view->placeholders.count; i++) {
        json_t *list = i == 0 ? json_array() : json_object_get(o, "placeholders");
        json_array_append_new(list, json_string(view->placeholders.items[i]));
        if (i == 0) {
            json_object_set_new(o, "placeholders", list);
        }
    }
    json_set_text(o, "problem", view->problem);
    if (view->result) {
        json_set_int(o, "pg_version", view->result->version);
        json_set_text(o, "facts", judge_facts_name(judge_facts(view->result->version)));
    }
    for (size_t i = 0; view->result && i < view->result->count; i++) {
        json_array_append_new(statements, statement_json(&view->result->statements[i], i + 1));
    }
    json_object_set_new(o, "statements", statements);
    return json_compact(ctx, o);
}

const char *lint_format_file(const void *ctx, const struct lint_view *view)
{
    switch (view->format) {
    case FORMAT_TEXT: return as_text(ctx, view);
    case FORMAT_JSON: return as_json(ctx, view);
    default: return lint_report_file(ctx, view);
    }
}

static const char *separator(enum format format)
{
    return format == FORMAT_JSON || format == FORMAT_SARIF || format == FORMAT_GITLAB ? ",\n" : "";
}

void lint_format_begin(enum format format)
{
    switch (format) {
    case FORMAT_JSON: fputs("{\"files\":[\n", stdout); break;
    case FORMAT_TEXT: break;
    default: lint_report_begin(format); break;
    }
}

void lint_format_print(enum format format, const char *fragment, bool first)
{
    fputs(first ? "" : separator(format), stdout);
    fputs(fragment, stdout);
}

static void counted(size_t n, const char *what, const char *behind)
{
    printf("%zu %s%s%s", n, what, n == 1 ? "" : "s", behind);
}

void lint_format_end(enum format format, const struct lint_count *c, const struct lint_view *unread)
{
    switch (format) {
    case FORMAT_JSON: fputs("\n]}\n", stdout); break;
    case FORMAT_TEXT:
        counted(c->files, "file", ", ");
        counted(c->statements, "statement", ": ");
        counted(c->found[SEVERITY_ERROR], "error", ", ");
        counted(c->found[SEVERITY_WARNING], "warning", ", ");
        counted(c->found[SEVERITY_INFO], "note", c->unread > 0 ? "; " : "\n");
        if (c->unread > 0) {
            counted(c->unread, "file", " could not be looked at\n");
        }
        break;
    default: lint_report_end(format, unread, c->unread); break;
    }
}
