#include "controller/sql/expression.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/sql/extract.h"
#include "controller/sql/split.h"

static bool is_aggregate(const char *name)
{
    static const char *const names[] = {
        "array_agg", "avg",      "bool_and",        "bool_or",    "count",
        "every",     "json_agg", "json_object_agg", "jsonb_agg",  "jsonb_object_agg",
        "max",       "min",      "row_number",      "string_agg", "sum"
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (text_eq(names[i], name)) {
            return true;
        }
    }
    return false;
}

struct facts {
    const void *ctx;
    struct sql_expression *e;
};

static void once(const void *ctx, struct sql_texts *list, const char *s)
{
    if (s && !sql_texts_have(list, s)) {
        sql_texts_add(ctx, list, s);
    }
}

static void worse(struct sql_expression *e, enum sql_volatility v)
{
    e->volatility = v > e->volatility ? v : e->volatility;
}

static void call_seen(struct facts *f, const PgQuery__FuncCall *call)
{
    SCOPE(tmp);
    struct sql_name name = ast_names(tmp, call->n_funcname, call->funcname);
    if (!name.name) {
        return;
    }
    bool builtin = !name.schema || text_eq(name.schema, "pg_catalog");
    if (builtin) {
        name.schema = NULL;
    }
    const char *shown = sql_name_text(tmp, name);
    enum sql_volatility v = builtin ? sql_function_volatility(name.name) : SQL_UNKNOWN;
    once(f->ctx, &f->e->functions, shown);
    if (v == SQL_UNKNOWN) {
        once(f->ctx, &f->e->unknown, shown);
    }
    worse(f->e, v);
    const PgQuery__Node *arg = text_eq(shown, "nextval") && call->n_args > 0 ? call->args[0] : NULL;
    if (arg) {
        const char *literal = extract_expression(tmp, arg, NULL)->value;
        once(f->ctx, &f->e->sequences, literal ? sql_regclass(tmp, literal) : NULL);
    }
    f->e->aggregate = f->e->aggregate || call->over || (builtin && is_aggregate(name.name));
}

static void column_seen(struct facts *f, const PgQuery__ColumnRef *ref)
{
    struct text t = text_init(f->ctx, TEXT_LINE);
    for (size_t i = 0; i < ref->n_fields; i++) {
        const char *s = ast_string(ref->fields[i]);
        text_add(&t, i > 0 ? "." : "");
        text_add(&t, s ? s : "*");
    }
    const char *last = ref->n_fields > 0 ? ast_string(ref->fields[ref->n_fields - 1]) : NULL;
    once(f->ctx, &f->e->columns, last ? last : "*");
    once(f->ctx, &f->e->qualified, t.data);
}

static bool facts_visit(const ast_message *m, void *data)
{
    struct facts *f = data;
    const PgQuery__FuncCall *call = AST_CAST(FuncCall, func_call, m);
    const PgQuery__ColumnRef *ref = AST_CAST(ColumnRef, column_ref, m);
    const PgQuery__TypeCast *cast = AST_CAST(TypeCast, type_cast, m);
    if (call) {
        call_seen(f, call);
    } else if (ref) {
        column_seen(f, ref);
    } else if (cast) {
        once(f->ctx, &f->e->types, ast_type(f->ctx, cast->type_name));
    } else if (ast_is(m, &pg_query__sqlvalue_function__descriptor)) {
        worse(f->e, SQL_STABLE);
    } else if (ast_is(m, &pg_query__sub_link__descriptor)) {
        f->e->subselect = true;
        worse(f->e, SQL_UNKNOWN);
    } else if (ast_is(m, &pg_query__param_ref__descriptor)) {
        f->e->parameter = true;
    }
    return !ast_is(m, &pg_query__type_name__descriptor);
}

static void constant_seen(const void *ctx, struct sql_expression *e, const PgQuery__Node *node)
{
    while (node && node->node_case == PG_QUERY__NODE__NODE_TYPE_CAST) {
        node = node->type_cast->arg;
    }
    if (!node || node->node_case != PG_QUERY__NODE__NODE_A_CONST) {
        return;
    }
    const PgQuery__AConst *c = node->a_const;
    e->constant = true;
    e->null = c->isnull;
    switch (c->val_case) {
    case PG_QUERY__A__CONST__VAL_IVAL: e->value = mem_printf(ctx, "%d", c->ival->ival); break;
    case PG_QUERY__A__CONST__VAL_FVAL: e->value = mem_text(ctx, c->fval->fval); break;
    case PG_QUERY__A__CONST__VAL_SVAL: e->value = mem_text(ctx, c->sval->sval); break;
    case PG_QUERY__A__CONST__VAL_BSVAL: e->value = mem_text(ctx, c->bsval->bsval); break;
    case PG_QUERY__A__CONST__VAL_BOOLVAL: e->value = c->boolval->boolval ? "true" : "false"; break;
    default: break;
    }
}

/* `c IS NOT NULL`, alone or joined with AND: what the server takes as proof for SET NOT NULL. */
static void proof_seen(const void *ctx, struct sql_expression *e, const PgQuery__Node *node)
{
    const PgQuery__BoolExpr *both = AST_CAST(BoolExpr, bool_expr, ast_of(node));
    const PgQuery__NullTest *test = AST_CAST(NullTest, null_test, ast_of(node));
    if (both && both->boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR) {
        for (size_t i = 0; i < both->n_args; i++) {
            proof_seen(ctx, e, both->args[i]);
        }
    } else if (test && test->nulltesttype == PG_QUERY__NULL_TEST_TYPE__IS_NOT_NULL) {
        const PgQuery__ColumnRef *ref = AST_CAST(ColumnRef, column_ref, ast_of(test->arg));
        if (ref && ref->n_fields > 0) {
            once(ctx, &e->not_null, ast_string(ref->fields[ref->n_fields - 1]));
        }
    }
}

struct sql_expression *extract_expression(const void *ctx, const PgQuery__Node *node,
                                          const char *text)
{
    struct sql_expression *e = mem_new(ctx, struct sql_expression);
    struct facts f = { ctx, e };
    e->text = text ? text : "";
    e->volatility = SQL_IMMUTABLE;
    ast_walk((const ast_message *)(const void *)node, facts_visit, &f);
    constant_seen(ctx, e, node);
    proof_seen(ctx, e, node);
    return e;
}

struct check {
    const void *ctx;
    const char *text;
    struct sql_expression *out;
    const char *type; /* of sql_type_normalise */
    const char *message;
};

static bool has_clauses(const PgQuery__SelectStmt *s)
{
    const size_t lists = s->n_distinct_clause + s->n_from_clause + s->n_group_clause +
                         s->n_window_clause + s->n_values_lists + s->n_sort_clause +
                         s->n_locking_clause;
    const void *const clauses[] = { s->into_clause,  s->where_clause, s->having_clause,
                                    s->limit_offset, s->limit_count,  s->with_clause,
                                    s->larg };
    bool any = lists > 0;
    for (size_t i = 0; i < sizeof clauses / sizeof *clauses; i++) {
        any = any || clauses[i];
    }
    return any;
}

/* A SELECT list of exactly one unnamed item and nothing else. */
static const PgQuery__Node *only_item(const struct ast *ast)
{
    const PgQuery__SelectStmt *s =
        ast->tree->n_stmts == 1
            ? AST_CAST(SelectStmt, select_stmt, ast_of(ast->tree->stmts[0]->stmt))
            : NULL;
    if (!s || s->n_target_list != 1 || has_clauses(s)) {
        return NULL;
    }
    const PgQuery__ResTarget *item = s->target_list[0]->res_target;
    const PgQuery__ColumnRef *ref = AST_CAST(ColumnRef, column_ref, ast_of(item->val));
    bool star = ref && ref->n_fields > 0 &&
                ref->fields[ref->n_fields - 1]->node_case == PG_QUERY__NODE__NODE_A_STAR;
    return text_empty(item->name) && !star ? item->val : NULL;
}

/* Tokens that the text may not have although SELECT would take them. */
static const char *forbidden(const char *text)
{
    struct lexer lexer = { text, strlen(text), 0 };
    for (bool first = true;; first = false) {
        struct token t = token_next(&lexer);
        if (t.kind == TOKEN_END) {
            return first ? "it is empty" : NULL;
        }
        if (t.kind == TOKEN_COMMENT) {
            return "it holds a comment";
        }
        if (t.kind == TOKEN_BROKEN) {
            return "a quote or comment is not closed";
        }
        if (token_punct(text, t, ';')) {
            return "it holds a semicolon";
        }
        if (first && (token_is(text, t, "ALL") || token_is(text, t, "DISTINCT"))) {
            return "it is not one scalar expression";
        }
    }
}

static const char *over_caps(const void *ctx, const char *text)
{
    struct spans spans = sql_split(ctx, text, strlen(text), false);
    return spans.count > 0 ? spans.items[0].refused : NULL;
}

static void check_run(void *arg)
{
    struct check *c = arg;
    SCOPE(tmp);
    struct ast *ast;
    struct ast_problem problem = { NULL, 0 };
    c->message = text_is_utf8(c->text, strlen(c->text)) ? forbidden(c->text) : "it is not UTF-8";
    c->message = c->message ? c->message : over_caps(tmp, c->text);
    if (c->message) {
        return;
    }
    if (!ast_parse(tmp, mem_printf(tmp, "SELECT %s", c->text), &ast, &problem)) {
        c->message = mem_text(c->ctx, problem.message);
        return;
    }
    const PgQuery__Node *item = only_item(ast);
    if (item) {
        c->out = extract_expression(c->ctx, item, mem_text(c->ctx, c->text));
    } else {
        c->message = "it is not one scalar expression";
    }
}

bool sql_expression_check(const void *ctx, const char *text, struct sql_expression **out,
                          struct error *err)
{
    struct check check = { .ctx = ctx, .text = text };
    if (!sql_deep(check_run, &check, err)) {
        return false;
    }
    if (!check.out) {
        fail(err, ERROR_INVALID, "SQL expression \"%.200s\": %s", text, check.message);
        return fail_hint(err, "write one SQL expression, for instance lower(email)");
    }
    *out = check.out;
    return true;
}

static void type_run(void *arg)
{
    struct check *c = arg;
    SCOPE(tmp);
    struct ast *ast;
    struct ast_problem problem = { NULL, 0 };
    c->message = forbidden(c->text);
    c->message = c->message ? c->message : over_caps(tmp, c->text);
    if (c->message) {
        return;
    }
    if (!ast_parse(tmp, mem_printf(tmp, "SELECT CAST(NULL AS %s)", c->text), &ast, &problem)) {
        c->message = mem_text(c->ctx, problem.message);
        return;
    }
    const PgQuery__TypeCast *cast = AST_CAST(TypeCast, type_cast, ast_of(only_item(ast)));
    c->type = cast ? ast_type(c->ctx, cast->type_name) : NULL;
    c->message = "it is not one type name";
}

bool sql_type_normalise(const void *ctx, const char *text, const char **out, struct error *err)
{
    struct check check = { .ctx = ctx, .text = text };
    if (!sql_deep(type_run, &check, err)) {
        return false;
    }
    if (!check.type) {
        fail(err, ERROR_INVALID, "type \"%.200s\": %s", text, check.message);
        return fail_hint(err, "write a type as in SQL, for instance varchar(50)");
    }
    *out = check.type;
    return true;
}
