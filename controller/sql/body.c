/* Bodies of functions and DO blocks: their statements, as a script of their own. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/sql/body_tree.h"
#include "controller/sql/extract.h"

struct body_walk {
    const void *ctx;
    struct text statements; /* static SQL, one after the other */
    struct text reads;      /* expressions as queries */
    struct sql_body *body;
};

/* The content of a string token: doubled quotes, E'' escapes of quotes, dollar quotes. */
static void literal_add(struct text *out, const char *s, struct token t)
{
    const char *a = s + t.start, *b = s + t.end;
    if (*a == '$') {
        const char *open = memchr(a + 1, '$', (size_t)(b - a - 1));
        size_t tag = (size_t)(open - a) + 1;
        text_addn(out, a + tag, (size_t)(b - a) - 2 * tag);
        return;
    }
    bool escapes = (*a | 32) == 'e';
    const char *p = memchr(a, '\'', (size_t)(b - a));
    for (p++; p < b - 1; p++) {
        if (*p == '\'' || (escapes && *p == '\\')) {
            p++;
        }
        text_addc(out, escapes && p[-1] == '\\' && *p == 'n' ? '\n' : *p);
    }
}

/* 'text', or such joined with ||: true with the text in out. */
static bool constant_text(const void *ctx, const char *expression, struct text *out)
{
    struct tokens t = tokens_of(ctx, expression, 0, strlen(expression));
    for (size_t i = 0; i < t.count; i++) {
        bool odd = i % 2 == 1;
        const struct token k = t.items[i];
        bool joined = odd && k.end - k.start == 2 && memcmp(t.text + k.start, "||", 2) == 0;
        if (!joined && (odd || k.kind != TOKEN_STRING)) {
            return false;
        }
        if (!odd) {
            literal_add(out, t.text, k);
        }
    }
    return t.count % 2 == 1;
}

static void executed(struct body_walk *w, const char *expression)
{
    SCOPE(tmp);
    struct text sql = text_init(tmp, TEXT_SQL);
    if (constant_text(tmp, expression, &sql)) {
        text_add(&w->statements, sql.data);
        text_add(&w->statements, "\n;\n");
    } else {
        sql_texts_add(w->ctx, &w->body->dynamic, expression);
    }
}

/* The SQL of the expression under that key; null: there is none. */
static const char *expression_of(const struct body_tree *t, size_t holder, const char *key)
{
    size_t at = body_tree_child(t, holder, key);
    at = at ? body_tree_child(t, at, "PLpgSQL_expr") : 0;
    at = at ? body_tree_child(t, at, "query") : 0;
    return at ? t->nodes[at].text : NULL;
}

static void statement_add(struct body_walk *w, const char *sql)
{
    if (sql) {
        text_add(&w->statements, sql);
        text_add(&w->statements, "\n;\n");
    }
}

/* An expression, or "variable := expression". */
static void expression_add(struct body_walk *w, const char *e)
{
    const char *assigned = strstr(e, ":=");
    text_addf(&w->reads, "SELECT %s\n;\n", assigned ? assigned + 2 : e);
}

static bool statement_seen(struct body_walk *w, const struct body_tree *t, size_t s)
{
    const char *kind = t->nodes[s].key;
    if (text_eq(kind, "PLpgSQL_stmt_execsql")) {
        statement_add(w, expression_of(t, s, "sqlstmt"));
    } else if (text_eq(kind, "PLpgSQL_stmt_perform")) {
        statement_add(w, expression_of(t, s, "expr"));
    } else if (text_eq(kind, "PLpgSQL_stmt_call")) {
        statement_add(w, expression_of(t, s, "expr"));
    } else if (text_eq(kind, "PLpgSQL_stmt_commit") || text_eq(kind, "PLpgSQL_stmt_rollback")) {
        w->body->commits = true;
    } else {
        const char *dynamic = expression_of(t, s, "dynquery");
        bool executes =
            text_eq(kind, "PLpgSQL_stmt_dynexecute") || text_eq(kind, "PLpgSQL_stmt_dynfors");
        const char *query = expression_of(t, s, "query");
        if (dynamic || (executes && query)) {
            executed(w, dynamic ? dynamic : query);
        } else {
            statement_add(w, query);
        }
        return false;
    }
    return true;
}

static void tree_walk(struct body_walk *w, const struct body_tree *t, size_t node)
{
    for (size_t i = t->nodes[node].child; i != 0; i = t->nodes[i].next) {
        const char *key = t->nodes[i].key;
        if (!key) {
            tree_walk(w, t, i);
            continue;
        }
        if (text_starts(key, "PLpgSQL_stmt_") && statement_seen(w, t, i)) {
            continue;
        }
        size_t query = text_eq(key, "PLpgSQL_expr") ? body_tree_child(t, i, "query") : 0;
        if (query && t->nodes[query].text) {
            expression_add(w, t->nodes[query].text);
        } else if (!text_eq(key, "query") && !text_eq(key, "dynquery")) {
            tree_walk(w, t, i);
        }
    }
}

/* Facts of expressions are reads only; those that do not parse alone are left out. */
static void script_reads(const void *ctx, const char *sql, int depth, struct sql_query *into)
{
    struct script *script;
    struct error ignored;
    if (!script_read(ctx, sql, strlen(sql), depth, &script, &ignored)) {
        return;
    }
    for (size_t i = 0; i < script->count; i++) {
        const struct statement *s = &script->statements[i];
        if (s->query) {
            query_join(ctx, into, s->query);
        }
    }
}

static bool tree_read(struct body_walk *w, const void *tmp, const char *create)
{
    char *text;
    struct ast_problem problem;
    struct body_tree tree;
    if (!ast_parse_plpgsql(tmp, create, &text, &problem)) {
        w->body->opaque = mem_text(w->ctx, problem.message);
        return false;
    }
    if (!body_tree_read(tmp, text, &tree)) {
        w->body->opaque = "its statements nest too deep";
        return false;
    }
    tree_walk(w, &tree, 0);
    return true;
}

static bool plpgsql_read(const void *ctx, struct sql_body *body, const char *create, int depth,
                         struct sql_query *query)
{
    SCOPE(tmp);
    struct error err;
    struct body_walk w = { .ctx = ctx, .body = body };
    w.statements = text_init(tmp, TEXT_FILE);
    w.reads = text_init(tmp, TEXT_FILE);
    bool read = tree_read(&w, tmp, create);
    if (!read && body->text) {
        struct sql_texts executes = { NULL, 0 };
        body_words(tmp, body->text, &w.statements, &executes);
        for (size_t i = 0; i < executes.count; i++) {
            executed(&w, executes.items[i]);
        }
        /* What is no PL/pgSQL at all stays unreadable, whatever words stand in it. */
        read = !body->opaque || !strstr(body->opaque, "syntax error");
        body->opaque = read ? NULL : body->opaque;
    }
    if (w.statements.len > 0 &&
        !script_read(ctx, w.statements.data, w.statements.len, depth + 1, &body->script, &err)) {
        body->opaque = mem_text(ctx, err.message);
        return false;
    }
    if (query && w.reads.len > 0) {
        script_reads(ctx, w.reads.data, depth + 1, query);
    }
    return read;
}

static void body_queries(const void *ctx, const struct sql_body *body, struct sql_query *into)
{
    for (size_t i = 0; body->script && i < body->script->count; i++) {
        const struct statement *s = &body->script->statements[i];
        if (s->query) {
            query_join(ctx, into, s->query);
        }
    }
}

void body_read(struct extract *x, struct sql_body *body, const char *create)
{
    struct error err;
    bool sql = text_eq(body->language, "sql");
    if (!body->text) {
        body->opaque = "it has no body text";
    } else if (x->depth >= EXTRACT_DEPTH) {
        body->opaque = "statements inside of statements nest too deep";
    } else if (sql) {
        if (!script_read(x->ctx, body->text, strlen(body->text), x->depth + 1, &body->script,
                         &err)) {
            body->opaque = mem_text(x->ctx, err.message);
        }
    } else if (text_eq(body->language, "plpgsql")) {
        plpgsql_read(x->ctx, body, create, x->depth, NULL);
    } else {
        body->opaque = mem_printf(x->ctx, "language %s cannot be read", body->language);
    }
}

struct reads_call {
    const void *ctx;
    const char *language, *body;
    struct sql_query *query;
    struct sql_body facts;
};

static void reads_run(void *arg)
{
    /* What the body returns is not known here: RETURN is checked against it. */
    static const char *const results[] = { "trigger", "void", "int", "SETOF record" };
    struct reads_call *c = arg;
    struct error err;
    if (text_eq(c->language, "sql")) {
        if (script_read(c->ctx, c->body, strlen(c->body), 1, &c->facts.script, &err)) {
            body_queries(c->ctx, &c->facts, c->query);
        } else {
            c->facts.opaque = "it cannot be parsed";
        }
        return;
    }
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        SCOPE(tmp);
        const char *create =
            mem_printf(tmp, "CREATE FUNCTION f() RETURNS %s LANGUAGE plpgsql AS %s", results[i],
                       text_quote_literal(tmp, c->body));
        c->facts.opaque = NULL;
        c->facts.dynamic = (struct sql_texts){ NULL, 0 };
        if (plpgsql_read(c->ctx, &c->facts, create, 0, c->query)) {
            body_queries(c->ctx, &c->facts, c->query);
            return;
        }
    }
}

bool sql_body_reads(const void *ctx, const char *language, const char *body, struct sql_query **out,
                    bool *opaque, struct error *err)
{
    struct reads_call call = { .ctx = ctx, .language = language, .body = body };
    call.query = mem_new(ctx, struct sql_query);
    if (!text_eq(language, "sql") && !text_eq(language, "plpgsql")) {
        call.facts.opaque = "another language";
    } else if (!sql_deep(reads_run, &call, err)) {
        return false;
    }
    bool unparsed = false;
    for (size_t i = 0; call.facts.script && i < call.facts.script->count; i++) {
        unparsed = unparsed || call.facts.script->statements[i].problem;
    }
    if (opaque) {
        *opaque = call.facts.opaque || call.facts.dynamic.count > 0 || unparsed;
    }
    *out = call.query;
    return true;
}

bool sql_query_reads(const void *ctx, const char *text, struct sql_query **out, struct error *err)
{
    struct script *script;
    if (!sql_parse(ctx, text, strlen(text), &script, err)) {
        return false;
    }
    struct sql_query *query = mem_new(ctx, struct sql_query);
    for (size_t i = 0; i < script->count; i++) {
        const struct statement *s = &script->statements[i];
        if (s->problem) {
            return fail(err, ERROR_INVALID, "line %d: %s", s->problem->line, s->problem->message);
        }
        if (s->query) {
            query_join(ctx, query, s->query);
        }
    }
    *out = query;
    return true;
}
