#include "controller/rules/rewrite.h"

#include <string.h>
#include <strings.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/sql/token.h"

enum { BATCH = 1000 }; /* rows: milliseconds of work, few enough locks */

/* What is printed must at least parse. */
static const char *checked(const void *ctx, const char *sql)
{
    SCOPE(tmp);
    struct error err;
    struct script *script = NULL;
    if (!sql || !sql_parse(tmp, sql, strlen(sql), &script, &err)) {
        return NULL;
    }
    for (size_t i = 0; i < script->count; i++) {
        if (script->statements[i].problem) {
            return NULL;
        }
    }
    (void)ctx;
    return sql;
}

const char *rewrite_limited(struct linter *l, const char *setting, const char *value)
{
    return l->nested ? NULL : mem_printf(l->ctx, "SET %s = '%s';\n%s;", setting, value, l->s->sql);
}

const char *rewrite_apart(struct linter *l)
{
    return l->nested || !l->judge->transaction
               ? NULL
               : mem_printf(l->ctx, "COMMIT;\nBEGIN;\n%s;", l->s->sql);
}

const char *rewrite_outside(struct linter *l)
{
    return l->nested ? NULL : mem_printf(l->ctx, "COMMIT;\n%s;\nBEGIN;", l->s->sql);
}

static struct tokens tokens(struct linter *l, const struct statement *s)
{
    return tokens_of(l->ctx, s->sql, 0, strlen(s->sql));
}

/* The first of the words outside of brackets from `first` on; count: none. */
static size_t words_at(const struct tokens *t, size_t first, const char *words)
{
    while (first < t->count && !tokens_are(t, first, words)) {
        first = tokens_punct(t, first, '(') || tokens_punct(t, first, '[') ? tokens_close(t, first)
                                                                           : first + 1;
    }
    return first < t->count ? first : t->count;
}

/* Rows that are done no longer meet the condition. */
static bool ends_by_itself(const struct sql_write *w)
{
    for (size_t i = 0; i < w->columns.count; i++) {
        if (sql_texts_have(&w->is_null, w->columns.items[i]) ||
            sql_texts_have(&w->equal, w->columns.items[i])) {
            return true;
        }
    }
    return w->kind == SQL_DELETE;
}

static const char *batched(struct linter *l, const char *head, const char *table, const char *where)
{
    return mem_printf(l->ctx,
                      "-- again and again, until it finds no row:\n"
                      "%s WHERE ctid = ANY (ARRAY (SELECT ctid FROM %s%s%s LIMIT %d));",
                      head, table, where ? " WHERE " : "", where ? where : "", BATCH);
}

/* One plain DELETE or UPDATE of one table, that can be cut into batches. */
static const struct sql_write *cuttable(struct linter *l, const struct tokens *t)
{
    const struct statement *s = l->s;
    const struct sql_write *w = s->query && s->query->write_count == 1 ? s->query->writes : NULL;
    const struct world_table *table = w ? world_find(l->world, w->relation) : NULL;
    bool plain = tokens_are(t, 0, "DELETE") || tokens_are(t, 0, "UPDATE");
    bool whole = table && table->kind == 'p'; /* rows of partitions share their ctid */
    return w && plain && !whole && w->kind != SQL_MERGE && ends_by_itself(w) ? w : NULL;
}

const char *rewrite_batch(struct linter *l)
{
    const struct statement *s = l->s;
    const char *table = sql_of(l->ctx, s->name),
               *head = mem_printf(l->ctx, "DELETE FROM %s", table);
    if (s->kind == SQL_STMT_TRUNCATE) {
        return s->name.name && !s->cascade ? batched(l, head, table, NULL) : NULL;
    }
    struct tokens t = tokens(l, s);
    const struct sql_write *w = cuttable(l, &t);
    if (!w) {
        return NULL;
    }
    bool update = w->kind == SQL_UPDATE;
    size_t where = words_at(&t, 0, "WHERE"), set = update ? words_at(&t, 0, "SET") : 2;
    bool joined = words_at(&t, set, update ? "FROM" : "USING") < where;
    if (joined || words_at(&t, 0, "RETURNING") < t.count || set >= where) {
        return NULL;
    }
    const char *condition = where < t.count ? tokens_text(l->ctx, &t, where + 1, t.count) : NULL;
    if (update) {
        head = mem_printf(l->ctx, "UPDATE %s %s", table, tokens_text(l->ctx, &t, set, where));
    }
    return checked(l->ctx, batched(l, head, table, condition));
}

/* Behind ALTER TABLE [IF EXISTS] [ONLY] name [*]. */
static size_t commands_at(const struct tokens *t)
{
    size_t at = 2;
    if (!tokens_are(t, 0, "ALTER TABLE")) {
        return t->count;
    }
    at += tokens_are(t, at, "IF EXISTS") ? 2 : 0;
    at += tokens_are(t, at, "ONLY") ? 1 : 0;
    at++;
    at += tokens_punct(t, at, '.') ? 2 : 0;
    return at;
}

const char *rewrite_merged(struct linter *l)
{
    if (l->nested || !l->last_alter) {
        return NULL;
    }
    struct tokens before = tokens(l, l->last_alter), now = tokens(l, l->s);
    size_t a = commands_at(&before), b = commands_at(&now);
    if (a >= before.count || b >= now.count) {
        return NULL;
    }
    return checked(l->ctx, mem_printf(l->ctx, "%s,\n    %s;", l->last_alter->sql,
                                      tokens_text(l->ctx, &now, b, now.count)));
}

/* A text that is copied with changes: `at` is how far. */
struct editor {
    struct text out;
    const char *base;
    size_t at;
};

static void edit(struct editor *e, size_t from, size_t to, const char *with)
{
    text_addn(&e->out, e->base + e->at, from - e->at);
    text_add(&e->out, with);
    e->at = to;
}

static const char *edited(struct linter *l, struct editor *e)
{
    text_addf(&e->out, "%s;", e->base + e->at);
    return checked(l->ctx, e->out.data);
}

/* tokens[at]… are the tokens of `type` as it was written; behind them, 0: they are not. */
static size_t type_end(const struct tokens *t, size_t at, const char *type)
{
    SCOPE(tmp);
    struct tokens w = tokens_of(tmp, type, 0, strlen(type));
    for (size_t i = 0; i < w.count; i++) {
        if (at + i >= t->count) {
            return 0;
        }
        const struct token a = t->items[at + i], b = w.items[i];
        size_t n = b.end - b.start;
        if (a.end - a.start != n || strncasecmp(t->text + a.start, type + b.start, n) != 0) {
            return 0;
        }
    }
    return at + w.count;
}

static bool is_name(const struct tokens *t, size_t at, const char *name)
{
    const struct token k = t->items[at];
    size_t n = strlen(name), quoted = k.kind == TOKEN_QUOTED ? 1 : 0;
    return (k.kind == TOKEN_WORD || k.kind == TOKEN_QUOTED) && k.end - k.start == n + 2 * quoted &&
           strncasecmp(t->text + k.start + quoted, name, n) == 0;
}

static void type_edit(struct editor *e, const struct tokens *t, const struct sql_column *c,
                      const char *to)
{
    for (size_t i = 0; c->type_text && i + 1 < t->count; i++) {
        size_t end = is_name(t, i, c->name) ? type_end(t, i + 1, c->type_text) : 0;
        if (end > 0 && t->items[i + 1].start >= e->at) {
            edit(e, t->items[i + 1].start, t->items[end - 1].end, to);
            return;
        }
    }
}

const char *rewrite_types(struct linter *l, const char *type, const char *to)
{
    const struct statement *s = l->s;
    struct tokens t = tokens(l, s);
    struct editor e = { .out = text_init(l->ctx, TEXT_SQL), .base = s->sql };
    bool create = s->kind == SQL_STMT_CREATE_TABLE;
    for (size_t i = 0; i < (create ? s->table->column_count : s->alter_count); i++) {
        const struct sql_column *c = create ? &s->table->columns[i] : s->alters[i].definition;
        if (c && c->type && text_starts(c->type, type)) {
            type_edit(&e, &t, c, to);
        }
    }
    return e.at == 0 || l->nested ? NULL : edited(l, &e);
}

const char *rewrite_without(struct linter *l, const char *words)
{
    struct tokens t = tokens(l, l->s);
    struct editor e = { .out = text_init(l->ctx, TEXT_SQL), .base = l->s->sql };
    for (size_t i = 0; i < 4 && i + 1 < t.count && !l->nested; i++) {
        if (tokens_are(&t, i, words)) {
            edit(&e, t.items[i].start, t.items[i + 1].start, "");
            return edited(l, &e);
        }
    }
    return NULL;
}

const char *rewrite_with(struct linter *l, const char *with, const char *before, bool or_end)
{
    struct tokens t = tokens(l, l->s);
    struct editor e = { .out = text_init(l->ctx, TEXT_SQL), .base = l->s->sql };
    size_t i = words_at(&t, 0, before);
    if (l->nested || t.count == 0 || (i == t.count && !or_end)) {
        return NULL;
    }
    size_t where = i < t.count ? t.items[i].start : t.items[t.count - 1].end;
    edit(&e, where, where,
         i < t.count ? mem_printf(l->ctx, "%s ", with) : mem_printf(l->ctx, " %s", with));
    return edited(l, &e);
}
