#include "controller/sql/bound.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"

#define IN(list, s) in_list(list, sizeof(list) / sizeof *(list), s)

struct ranges {
    struct sql_texts lower, upper; /* columns limited from one side */
};

static bool in_list(const char *const *list, size_t n, const char *s)
{
    for (size_t i = 0; i < n; i++) {
        if (strcasecmp(list[i], s) == 0) {
            return true;
        }
    }
    return false;
}

/* The last word of snake_case or camelCase. */
static const char *last_word(const char *name)
{
    const char *last = name;
    for (const char *p = name; *p != '\0'; p++) {
        if (*p == '_' && p[1] != '\0') {
            last = p + 1;
        } else if (p > name && isupper((unsigned char)*p) && islower((unsigned char)p[-1])) {
            last = p;
        }
    }
    return last;
}

/* Its values tell rows apart, or nearly. */
static bool names_rows(const char *column)
{
    static const char *const words[] = {
        "id",        "ids",      "uuid",   "guid",     "key",        "code",        "slug",
        "email",     "token",    "ctid",   "oid",      "hash",       "name",        "num",
        "version",   "login",    "number", "username", "identifier", "pk",          "ref",
        "setting",   "hostname", "host",   "domain",   "subdomain",  "url",         "uri",
        "path",      "filename", "phone",  "sku",      "isbn",       "iban",        "handle",
        "nickname",  "title",    "label",  "digest",   "checksum",   "fingerprint", "sha",
        "reference", "no",       "nr",     "serial",   "permalink",  "account",     "user",
        "tenant",    "owner",    "parent", "address",  "ip",         "barcode",     "nonce",
        "mail",      "table"
    };
    size_t n = strlen(column); /* userid, postid */
    return IN(words, last_word(column)) || (n > 2 && strcasecmp(column + n - 2, "id") == 0);
}

static bool picks_rows(const char *column)
{
    return names_rows(column);
}

static const PgQuery__ColumnRef *column_of(const PgQuery__Node *node)
{
    return node && node->node_case == PG_QUERY__NODE__NODE_COLUMN_REF ? node->column_ref : NULL;
}

/* One row of the other side of a join, and few of this one: a key of its own, not one of its
 * references. */
static bool names_row_beside(const char *column)
{
    static const char *const names[] = { "id",    "uuid",     "guid",  "key",  "code", "slug",
                                         "email", "username", "login", "name", "token" };
    return column && IN(names, column);
}

static const char *own_column(const struct bound_scope *scope, const PgQuery__Node *node)
{
    /* lower(email) is as good as email */
    if (node && node->node_case == PG_QUERY__NODE__NODE_FUNC_CALL && node->func_call->n_args == 1) {
        node = node->func_call->args[0];
    }
    const PgQuery__ColumnRef *ref = column_of(node);
    const char *of = ref && ref->n_fields > 1 ? ast_string(ref->fields[ref->n_fields - 2]) : NULL;
    const char *column =
        ref && ref->n_fields > 0 ? ast_string(ref->fields[ref->n_fields - 1]) : NULL;
    bool mine = !of || !scope->target || text_eq(of, scope->target) || text_eq(of, scope->alias);
    return mine || (scope->joined && names_row_beside(column)) ? column : NULL;
}

static bool is_boolean(const PgQuery__Node *node)
{
    return node && node->node_case == PG_QUERY__NODE__NODE_A_CONST &&
           node->a_const->val_case == PG_QUERY__A__CONST__VAL_BOOLVAL;
}

/* A literal, a parameter, a list or cast of them; a record's field where no such relation is in
 * scope: a variable of plpgsql. */
static bool is_constant(const struct bound_scope *scope, const PgQuery__Node *node)
{
    const PgQuery__ColumnRef *ref;
    switch (node ? node->node_case : PG_QUERY__NODE__NODE__NOT_SET) {
    case PG_QUERY__NODE__NODE_A_CONST: return !is_boolean(node);
    case PG_QUERY__NODE__NODE_PARAM_REF: return true;
    case PG_QUERY__NODE__NODE_TYPE_CAST: return is_constant(scope, node->type_cast->arg);
    case PG_QUERY__NODE__NODE_A_ARRAY_EXPR:
        return node->a_array_expr->n_elements == 0 ||
               is_constant(scope, node->a_array_expr->elements[0]);
    case PG_QUERY__NODE__NODE_LIST:
        return node->list->n_items > 0 && is_constant(scope, node->list->items[0]);
    case PG_QUERY__NODE__NODE_SUB_LINK: /* (SELECT max(id) …) is one value */
        return node->sub_link->sub_link_type == PG_QUERY__SUB_LINK_TYPE__EXPR_SUBLINK;
    case PG_QUERY__NODE__NODE_COLUMN_REF:
        ref = node->column_ref;
        return scope->target && !scope->joined && ref->n_fields > 1 && !own_column(scope, node);
    default: return false;
    }
}

/* What a range may end at: also variables and sums of them. */
static bool is_limit(const struct bound_scope *scope, const PgQuery__Node *node)
{
    const PgQuery__ColumnRef *ref = column_of(node);
    if (node && node->node_case == PG_QUERY__NODE__NODE_A_EXPR) {
        return is_limit(scope, node->a_expr->lexpr) && is_limit(scope, node->a_expr->rexpr);
    }
    return is_constant(scope, node) || (ref && ref->n_fields == 1);
}

static bool batch_select(const struct bound_scope *scope, const PgQuery__Node *node)
{
    const PgQuery__SelectStmt *s = AST_CAST(SelectStmt, select_stmt, ast_of(node));
    return s && (s->limit_count ||
                 (s->n_from_clause > 0 && from_bounded(scope, s->n_from_clause, s->from_clause)));
}

static bool range_seen(struct bound_scope *scope, struct ranges *r, const char *column, bool lower)
{
    sql_texts_add(scope->ctx, lower ? &r->lower : &r->upper, column);
    return sql_texts_have(lower ? &r->upper : &r->lower, column);
}

static bool equal_seen(struct bound_scope *scope, const char *column)
{
    sql_texts_add(scope->ctx, &scope->equal, column);
    return picks_rows(column);
}

static bool any_of_batch(struct bound_scope *scope, const PgQuery__Node *list)
{
    return list && list->node_case == PG_QUERY__NODE__NODE_SUB_LINK &&
           batch_select(scope, list->sub_link->subselect);
}

/* a = 5, a < 5: by operator. */
static bool operated(struct bound_scope *scope, struct ranges *r, const char *column,
                     const char *op, bool lower)
{
    if (text_eq(op, "=")) {
        return equal_seen(scope, column);
    }
    return !text_eq(op, "<>") && range_seen(scope, r, column, lower);
}

/* a IN (1, 2), a = ANY (…) */
static bool listed(struct bound_scope *scope, const char *column, const PgQuery__AExpr *e)
{
    if (e->kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP_ANY) {
        return any_of_batch(scope, e->rexpr) ||
               (is_limit(scope, e->rexpr) && equal_seen(scope, column));
    }
    return is_constant(scope, e->rexpr) && equal_seen(scope, column);
}

static bool comparison(struct bound_scope *scope, struct ranges *r, const PgQuery__AExpr *e)
{
    const char *op = e->n_name > 0 ? ast_string(e->name[0]) : "";
    const char *left = own_column(scope, e->lexpr);
    const char *column = left ? left : own_column(scope, e->rexpr);
    const PgQuery__Node *other = left ? e->rexpr : e->lexpr;
    switch (column && op ? e->kind : PG_QUERY__A__EXPR__KIND__A_EXPR_KIND_UNDEFINED) {
    case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN: return left != NULL;
    case PG_QUERY__A__EXPR__KIND__AEXPR_IN:
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ANY:
        return left && text_eq(op, "=") && listed(scope, column, e);
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP:
        return strcspn(op, "=<>") == 0 &&
               (text_eq(op, "=") ? is_constant(scope, other) : is_limit(scope, other)) &&
               operated(scope, r, column, op, (op[0] == '>') == (left != NULL));
    default: return false;
    }
}

static bool bounded(struct bound_scope *scope, struct ranges *r, const PgQuery__Node *node);

static bool joined(struct bound_scope *scope, struct ranges *r, const PgQuery__BoolExpr *e)
{
    bool any = false, all = e->n_args > 0;
    for (size_t i = 0; i < e->n_args; i++) {
        struct ranges own = { { NULL, 0 }, { NULL, 0 } };
        bool and = e->boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR;
        size_t before = scope->equal.count;
        bool one = bounded(scope, and? r : &own, e->args[i]);
        scope->equal.count = and? scope->equal.count : before;
        any = any || one;
        all = all && one;
    }
    switch (e->boolop) {
    case PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR: return any;
    case PG_QUERY__BOOL_EXPR_TYPE__OR_EXPR: return all;
    default: return false;
    }
}

/* (a, b) = (1, 2) */
static bool rows_equal(struct bound_scope *scope, const PgQuery__AExpr *e)
{
    bool any = false;
    if (!e->lexpr || !e->rexpr || e->lexpr->node_case != PG_QUERY__NODE__NODE_ROW_EXPR ||
        e->rexpr->node_case != PG_QUERY__NODE__NODE_ROW_EXPR || e->n_name != 1 ||
        !text_eq(ast_string(e->name[0]), "=")) {
        return false;
    }
    const PgQuery__RowExpr *a = e->lexpr->row_expr, *b = e->rexpr->row_expr;
    for (size_t i = 0; i < a->n_args && i < b->n_args; i++) {
        const char *column = own_column(scope, a->args[i]);
        any = (column && is_constant(scope, b->args[i]) && equal_seen(scope, column)) || any;
    }
    return any;
}

static bool bounded(struct bound_scope *scope, struct ranges *r, const PgQuery__Node *node)
{
    switch (node ? node->node_case : PG_QUERY__NODE__NODE__NOT_SET) {
    case PG_QUERY__NODE__NODE_BOOL_EXPR: return joined(scope, r, node->bool_expr);
    case PG_QUERY__NODE__NODE_A_EXPR:
        return comparison(scope, r, node->a_expr) || rows_equal(scope, node->a_expr);
    case PG_QUERY__NODE__NODE_CURRENT_OF_EXPR: return true;
    case PG_QUERY__NODE__NODE_SUB_LINK: /* a IN (SELECT … LIMIT n) */
        return node->sub_link->sub_link_type == PG_QUERY__SUB_LINK_TYPE__ANY_SUBLINK &&
               batch_select(scope, node->sub_link->subselect);
    default: return false;
    }
}

bool where_bounded(struct bound_scope *scope, const PgQuery__Node *where)
{
    struct ranges r = { { NULL, 0 }, { NULL, 0 } };
    return bounded(scope, &r, where);
}

static bool item_bounded(const struct bound_scope *scope, const PgQuery__Node *item)
{
    const PgQuery__SelectStmt *s;
    switch (item ? item->node_case : PG_QUERY__NODE__NODE__NOT_SET) {
    case PG_QUERY__NODE__NODE_RANGE_VAR:
        return scope->batches && text_empty(item->range_var->schemaname) &&
               sql_texts_have(scope->batches, item->range_var->relname);
    case PG_QUERY__NODE__NODE_RANGE_SUBSELECT:
        s = AST_CAST(SelectStmt, select_stmt, ast_of(item->range_subselect->subquery));
        return select_bounded(scope, s);
    default: return false;
    }
}

bool from_bounded(const struct bound_scope *scope, size_t n, PgQuery__Node *const *items)
{
    for (size_t i = 0; i < n; i++) {
        if (item_bounded(scope, items[i])) {
            return true;
        }
    }
    return false;
}

bool select_bounded(const struct bound_scope *scope, const PgQuery__SelectStmt *s)
{
    struct bound_scope own = { .ctx = scope->ctx, .batches = scope->batches };
    if (!s) {
        return false;
    }
    if (s->larg && s->rarg) { /* UNION */
        return s->limit_count || (select_bounded(scope, s->larg) && select_bounded(scope, s->rarg));
    }
    return s->limit_count || s->n_values_lists > 0 || s->n_from_clause == 0 ||
           from_bounded(scope, s->n_from_clause, s->from_clause) ||
           where_bounded(&own, s->where_clause);
}
