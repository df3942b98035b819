/* What DML writes, and whether its WHERE bounds it. */
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/sql/bound.h"
#include "controller/sql/extract.h"

const PgQuery__RangeVar *write_target(const ast_message *m)
{
    const PgQuery__InsertStmt *in = AST_CAST(InsertStmt, insert_stmt, m);
    const PgQuery__UpdateStmt *up = AST_CAST(UpdateStmt, update_stmt, m);
    const PgQuery__DeleteStmt *de = AST_CAST(DeleteStmt, delete_stmt, m);
    const PgQuery__MergeStmt *me = AST_CAST(MergeStmt, merge_stmt, m);
    return in ? in->relation : up ? up->relation : de ? de->relation : me ? me->relation : NULL;
}

struct filter {
    const void *ctx;
    struct sql_write *write;
};

static const char *column_name(const PgQuery__Node *node)
{
    const PgQuery__ColumnRef *ref =
        node && node->node_case == PG_QUERY__NODE__NODE_COLUMN_REF ? node->column_ref : NULL;
    return ref && ref->n_fields > 0 ? ast_string(ref->fields[ref->n_fields - 1]) : NULL;
}

/* A literal, a parameter, a list or cast of them. */
static bool is_constant(const PgQuery__Node *node)
{
    switch (node ? node->node_case : PG_QUERY__NODE__NODE__NOT_SET) {
    case PG_QUERY__NODE__NODE_A_CONST: return true;
    case PG_QUERY__NODE__NODE_PARAM_REF: return true;
    case PG_QUERY__NODE__NODE_TYPE_CAST: return is_constant(node->type_cast->arg);
    case PG_QUERY__NODE__NODE_A_ARRAY_EXPR:
        return node->a_array_expr->n_elements == 0 || is_constant(node->a_array_expr->elements[0]);
    case PG_QUERY__NODE__NODE_LIST:
        return node->list->n_items > 0 && is_constant(node->list->items[0]);
    default: return false;
    }
}

static void comparison_seen(struct filter *f, const PgQuery__AExpr *e)
{
    const char *left = column_name(e->lexpr);
    const char *column = left ? left : column_name(e->rexpr);
    const char *op = e->n_name > 0 ? ast_string(e->name[0]) : NULL;
    bool between = e->kind == PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN;
    bool ordered = op && (op[0] == '<' || op[0] == '>' || op[0] == '=') && !text_eq(op, "<>");
    if (column && (between || (ordered && is_constant(left ? e->rexpr : e->lexpr)))) {
        sql_texts_add(f->ctx, &f->write->compared, column);
    }
}

static bool filter_visit(const ast_message *m, void *data)
{
    struct filter *f = data;
    const PgQuery__AExpr *e = AST_CAST(AExpr, a__expr, m);
    const PgQuery__NullTest *null = AST_CAST(NullTest, null_test, m);
    const PgQuery__ColumnRef *ref = AST_CAST(ColumnRef, column_ref, m);
    const PgQuery__SubLink *link = AST_CAST(SubLink, sub_link, m);
    if (e) {
        comparison_seen(f, e);
    } else if (null && null->nulltesttype == PG_QUERY__NULL_TEST_TYPE__IS_NULL) {
        const char *column = column_name(null->arg);
        if (column) {
            sql_texts_add(f->ctx, &f->write->is_null, column);
        }
    } else if (ref && ref->n_fields > 0) {
        const char *column = ast_string(ref->fields[ref->n_fields - 1]);
        if (column && !sql_texts_have(&f->write->filter, column)) {
            sql_texts_add(f->ctx, &f->write->filter, column);
        }
    }
    return !link;
}

static void filter_collect(const void *ctx, struct sql_write *write, const PgQuery__Node *where)
{
    struct filter f = { .ctx = ctx, .write = write };
    write->where = where != NULL;
    ast_walk((const ast_message *)(const void *)where, filter_visit, &f);
}

struct sql_texts where_compared(const void *ctx, const PgQuery__Node *where)
{
    struct sql_write select = { .kind = SQL_INSERT };
    filter_collect(ctx, &select, where);
    return select.compared;
}

static const PgQuery__ResTarget *target_of(const PgQuery__Node *node)
{
    const PgQuery__ResTarget *t =
        node->node_case == PG_QUERY__NODE__NODE_RES_TARGET ? node->res_target : NULL;
    return t && !text_empty(t->name) ? t : NULL;
}

/* A column twice in one list; fields of it (a.x) are set apart from each other. */
static void duplicates(const void *ctx, struct sql_write *write, size_t n,
                       PgQuery__Node *const *targets)
{
    for (size_t i = 0; i < n; i++) {
        const PgQuery__ResTarget *a = target_of(targets[i]);
        for (size_t k = 0; a && k < i && !write->duplicate; k++) {
            const PgQuery__ResTarget *b = target_of(targets[k]);
            if (b && text_eq(a->name, b->name) &&
                (a->n_indirection == 0 || b->n_indirection == 0)) {
                write->duplicate = mem_text(ctx, a->name);
            }
        }
    }
}

static void assigned(const void *ctx, struct sql_write *write, size_t n,
                     PgQuery__Node *const *targets)
{
    duplicates(ctx, write, n, targets);
    for (size_t i = 0; i < n; i++) {
        const PgQuery__ResTarget *t = target_of(targets[i]);
        if (t) {
            sql_texts_add(ctx, &write->columns, t->name);
        }
    }
}

static void insert_collect(struct bound_scope *scope, struct sql_write *w,
                           const PgQuery__InsertStmt *s)
{
    const void *ctx = scope->ctx;
    const PgQuery__SelectStmt *q = AST_CAST(SelectStmt, select_stmt, ast_of(s->select_stmt));
    w->kind = SQL_INSERT;
    w->from_query = q && q->n_values_lists == 0;
    w->rows = q ? q->n_values_lists : 1;
    w->where = q && q->where_clause;
    w->conflict = s->on_conflict_clause;
    assigned(ctx, w, s->n_cols, s->cols);
    if (s->on_conflict_clause) {
        duplicates(ctx, w, s->on_conflict_clause->n_target_list,
                   s->on_conflict_clause->target_list);
    }
    w->bounded = w->from_query && select_bounded(scope, q);
}

static void merge_collect(struct bound_scope *scope, struct sql_write *w,
                          const PgQuery__MergeStmt *s)
{
    PgQuery__Node *source[] = { s->source_relation };
    w->kind = SQL_MERGE;
    w->where = true;
    w->bounded = true;
    for (size_t i = 0; i < s->n_merge_when_clauses; i++) {
        const PgQuery__MergeWhenClause *when = s->merge_when_clauses[i]->merge_when_clause;
        w->deletes = w->deletes || when->command_type == PG_QUERY__CMD_TYPE__CMD_DELETE;
        w->inserts = w->inserts || when->command_type == PG_QUERY__CMD_TYPE__CMD_INSERT;
        w->bounded = w->bounded && when->command_type == PG_QUERY__CMD_TYPE__CMD_NOTHING;
        if (when->command_type == PG_QUERY__CMD_TYPE__CMD_UPDATE) {
            assigned(scope->ctx, w, when->n_target_list, when->target_list);
        } else {
            duplicates(scope->ctx, w, when->n_target_list, when->target_list);
        }
    }
    w->bounded = w->bounded || from_bounded(scope, 1, source);
}

/* Few rows by its WHERE or by what it is joined with. */
static void rows_bounded(struct bound_scope *scope, struct sql_write *w, const PgQuery__Node *where,
                         size_t n, PgQuery__Node *const *from)
{
    filter_collect(scope->ctx, w, where);
    scope->joined = n > 0;
    w->bounded = where_bounded(scope, where) || from_bounded(scope, n, from);
    w->equal = scope->equal;
}

void write_collect(const void *ctx, struct sql_query *query, const struct sql_texts *batches,
                   const ast_message *m)
{
    const PgQuery__InsertStmt *in = AST_CAST(InsertStmt, insert_stmt, m);
    const PgQuery__UpdateStmt *up = AST_CAST(UpdateStmt, update_stmt, m);
    const PgQuery__DeleteStmt *de = AST_CAST(DeleteStmt, delete_stmt, m);
    const PgQuery__MergeStmt *me = AST_CAST(MergeStmt, merge_stmt, m);
    const PgQuery__RangeVar *target = write_target(m);
    query->writes = mem_room(ctx, query->writes, struct sql_write, query->write_count + 1);
    struct sql_write *w = &query->writes[query->write_count++];
    struct bound_scope scope = {
        .ctx = ctx,
        .batches = batches,
        .target = target ? target->relname : NULL,
        .alias = target && target->alias ? target->alias->aliasname : NULL,
    };
    w->relation = ast_range(ctx, target);
    w->only = target && !target->inh;
    if (in) {
        insert_collect(&scope, w, in);
    } else if (up) {
        w->kind = SQL_UPDATE;
        assigned(ctx, w, up->n_target_list, up->target_list);
        rows_bounded(&scope, w, up->where_clause, up->n_from_clause, up->from_clause);
    } else if (de) {
        w->kind = SQL_DELETE;
        w->deletes = true;
        rows_bounded(&scope, w, de->where_clause, de->n_using_clause, de->using_clause);
    } else if (me) {
        merge_collect(&scope, w, me);
    }
}

static void texts_join(const void *ctx, struct sql_texts *into, const struct sql_texts *from)
{
    for (size_t i = 0; i < from->count; i++) {
        if (!sql_texts_have(into, from->items[i])) {
            sql_texts_add(ctx, into, from->items[i]);
        }
    }
}

void query_join(const void *ctx, struct sql_query *into, const struct sql_query *from)
{
    into->reads =
        mem_room(ctx, into->reads, struct sql_object, into->read_count + from->read_count);
    for (size_t i = 0; i < from->read_count; i++) {
        bool have = false;
        for (size_t j = 0; j < into->read_count && !have; j++) {
            const struct sql_object *a = &into->reads[j], *b = &from->reads[i];
            have = text_eq(a->schema, b->schema) && text_eq(a->name, b->name) &&
                   text_eq(a->column, b->column);
        }
        if (!have) {
            into->reads[into->read_count++] = from->reads[i];
        }
    }
    into->writes =
        mem_room(ctx, into->writes, struct sql_write, into->write_count + from->write_count);
    for (size_t i = 0; i < from->write_count; i++) {
        into->writes[into->write_count++] = from->writes[i];
    }
    texts_join(ctx, &into->functions, &from->functions);
    texts_join(ctx, &into->sequences, &from->sequences);
    texts_join(ctx, &into->row_locks, &from->row_locks);
    into->star = into->star || from->star;
    into->from = into->from || from->from;
}
