/* What queries read and write: one walk with the names in scope. */
#include "controller/sql/query.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/sql/bound.h"
#include "controller/sql/extract.h"

/* A name that a query level brings in: a CTE, or a relation of its FROM under its alias. */
struct scope_name {
    const char *alias;
    struct sql_name relation; /* null name: a CTE, subselect or function */
    bool cte;
};

struct walk {
    const void *ctx;
    struct sql_query *query;
    struct scope_name *names; /* a stack */
    size_t count;
    size_t level;                    /* where the innermost query's FROM begins */
    const PgQuery__RangeVar *target; /* of the DML statement around: written, not read */
    struct sql_texts batches;        /* CTEs of few rows */
    void *tmp;
};

static void scope_push(struct walk *w, const char *alias, struct sql_name relation, bool cte)
{
    w->names = mem_room(w->tmp, w->names, struct scope_name, w->count + 1);
    w->names[w->count++] = (struct scope_name){ alias, relation, cte };
}

static bool is_cte(const struct walk *w, const char *name)
{
    for (size_t i = w->count; i > 0; i--) {
        if (w->names[i - 1].cte && text_eq(w->names[i - 1].alias, name)) {
            return true;
        }
    }
    return false;
}

static struct sql_object *read_add(struct walk *w, struct sql_name relation, const char *column)
{
    struct sql_query *q = w->query;
    for (size_t i = 0; i < q->read_count; i++) {
        struct sql_object *o = &q->reads[i];
        if (text_eq(o->column, column) && text_eq(o->name, relation.name) &&
            text_eq(o->schema, relation.schema)) {
            return o;
        }
    }
    q->reads = mem_room(w->ctx, q->reads, struct sql_object, q->read_count + 1);
    q->reads[q->read_count++] = (struct sql_object){
        .kind = column ? SQL_OBJECT_COLUMN : SQL_OBJECT_TABLE,
        .role = SQL_READ,
        .schema = mem_text(w->ctx, relation.schema),
        .name = mem_text(w->ctx, relation.name),
        .column = mem_text(w->ctx, column),
    };
    return &q->reads[q->read_count - 1];
}

/* Without its children only where every mention says so. */
static void relation_read(struct walk *w, const PgQuery__RangeVar *range)
{
    size_t before = w->query->read_count;
    struct sql_object *o = read_add(w, ast_range(w->tmp, range), NULL);
    o->only = !range->inh && (o->only || w->query->read_count > before);
}

static void once(const void *ctx, struct sql_texts *list, const char *s)
{
    if (s && !sql_texts_have(list, s)) {
        sql_texts_add(ctx, list, s);
    }
}

static bool walk_visit(const ast_message *m, void *data);

static void walk_node(struct walk *w, const PgQuery__Node *node)
{
    ast_walk((const ast_message *)(const void *)node, walk_visit, w);
}

/* Puts what one FROM item brings in on the stack. */
static void scope_item(struct walk *w, const PgQuery__Node *item)
{
    switch (item ? item->node_case : PG_QUERY__NODE__NODE__NOT_SET) {
    case PG_QUERY__NODE__NODE_RANGE_VAR: {
        const PgQuery__RangeVar *r = item->range_var;
        const char *alias = r->alias ? r->alias->aliasname : r->relname;
        struct sql_name relation = ast_range(w->tmp, r);
        if (!relation.schema && is_cte(w, relation.name)) {
            relation.name = NULL;
        }
        scope_push(w, alias, relation, false);
        break;
    }
    case PG_QUERY__NODE__NODE_JOIN_EXPR:
        scope_item(w, item->join_expr->larg);
        scope_item(w, item->join_expr->rarg);
        break;
    case PG_QUERY__NODE__NODE_RANGE_SUBSELECT:
        scope_push(w, item->range_subselect->alias ? item->range_subselect->alias->aliasname : "",
                   (struct sql_name){ NULL, NULL }, false);
        break;
    case PG_QUERY__NODE__NODE_RANGE_FUNCTION:
        scope_push(w, item->range_function->alias ? item->range_function->alias->aliasname : "",
                   (struct sql_name){ NULL, NULL }, false);
        break;
    default: break;
    }
}

/* A data-modifying CTE, just walked, gives back the rows that it wrote. */
static bool wrote_few(const struct walk *w, size_t before)
{
    const struct sql_query *q = w->query;
    if (q->write_count == before) {
        return false;
    }
    const struct sql_write *last = &q->writes[q->write_count - 1];
    return last->bounded || (last->kind == SQL_INSERT && !last->from_query);
}

static void scope_ctes(struct walk *w, const PgQuery__WithClause *with)
{
    const struct sql_name none = { NULL, NULL };
    for (size_t i = 0; with && with->recursive && i < with->n_ctes; i++) {
        scope_push(w, with->ctes[i]->common_table_expr->ctename, none, true);
    }
    for (size_t i = 0; with && i < with->n_ctes; i++) {
        const PgQuery__CommonTableExpr *cte = with->ctes[i]->common_table_expr;
        const struct bound_scope scope = { .ctx = w->tmp, .batches = &w->batches };
        size_t before = w->query->write_count;
        walk_node(w, cte->ctequery);
        if (wrote_few(w, before) ||
            select_bounded(&scope, AST_CAST(SelectStmt, select_stmt, ast_of(cte->ctequery)))) {
            sql_texts_add(w->tmp, &w->batches, cte->ctename);
        }
        scope_push(w, cte->ctename, none, true);
    }
}

/* t.a: the relation that the alias stands for. */
static void qualified_read(struct walk *w, const char *of, const char *column)
{
    for (size_t i = w->count; i > 0; i--) {
        const struct scope_name *s = &w->names[i - 1];
        if (!s->cte && text_eq(s->alias, of)) {
            if (s->relation.name) {
                read_add(w, s->relation, column);
            }
            return;
        }
    }
}

/* a: of the only relation in the innermost FROM, or of one that only a catalog can tell. */
static void bare_read(struct walk *w, const char *column, bool star)
{
    size_t seen = 0;
    struct sql_name only = { NULL, NULL };
    for (size_t i = w->level; i < w->count; i++) {
        const struct scope_name *s = &w->names[i];
        if (s->cte) {
            continue;
        }
        seen++;
        only = s->relation;
        if (star && s->relation.name) {
            read_add(w, s->relation, column);
        }
    }
    if (!star && !(seen == 1 && !only.name)) {
        read_add(w, seen == 1 ? only : (struct sql_name){ NULL, NULL }, column);
    }
}

static void column_read(struct walk *w, const PgQuery__ColumnRef *ref)
{
    size_t n = ref->n_fields;
    const PgQuery__Node *last = n > 0 ? ref->fields[n - 1] : NULL;
    bool star = last && last->node_case == PG_QUERY__NODE__NODE_A_STAR;
    const char *column = star ? "*" : ast_string(last);
    const char *of = n > 1 ? ast_string(ref->fields[n - 2]) : NULL;
    w->query->star = w->query->star || star;
    if (column && of) {
        qualified_read(w, of, column);
    } else if (column) {
        bare_read(w, column, star);
    }
}

static void call_seen(struct walk *w, const PgQuery__FuncCall *call)
{
    SCOPE(tmp);
    struct sql_name name = ast_names(tmp, call->n_funcname, call->funcname);
    if (!name.name) {
        return;
    }
    if (text_eq(name.schema, "pg_catalog")) {
        name.schema = NULL;
    }
    once(w->ctx, &w->query->functions, sql_name_text(tmp, name));
    bool sequence = text_eq(name.name, "nextval") || text_eq(name.name, "setval") ||
                    text_eq(name.name, "currval");
    const PgQuery__Node *arg = sequence && call->n_args > 0 ? call->args[0] : NULL;
    while (arg && arg->node_case == PG_QUERY__NODE__NODE_TYPE_CAST) {
        arg = arg->type_cast->arg;
    }
    if (arg && arg->node_case == PG_QUERY__NODE__NODE_A_CONST &&
        arg->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL) {
        once(w->ctx, &w->query->sequences, sql_regclass(tmp, arg->a_const->sval->sval));
    }
}

static void from_items(struct walk *w, size_t n, PgQuery__Node *const *items)
{
    for (size_t i = 0; i < n; i++) {
        scope_item(w, items[i]);
    }
}

static void row_locks(struct walk *w, const PgQuery__SelectStmt *s)
{
    for (size_t i = 0; i < s->n_locking_clause; i++) {
        const PgQuery__LockingClause *lock = s->locking_clause[i]->locking_clause;
        for (size_t j = w->level; j < w->count; j++) {
            const struct scope_name *n = &w->names[j];
            bool named = lock->n_locked_rels == 0;
            for (size_t k = 0; k < lock->n_locked_rels; k++) {
                named = named || text_eq(lock->locked_rels[k]->range_var->relname, n->alias);
            }
            if (named && !n->cte && n->relation.name) {
                once(w->ctx, &w->query->row_locks, sql_name_text(w->tmp, n->relation));
            }
        }
    }
}

static void select_enter(struct walk *w, const PgQuery__SelectStmt *s)
{
    scope_ctes(w, s->with_clause);
    w->level = w->count;
    from_items(w, s->n_from_clause, s->from_clause);
    w->query->from = w->query->from || s->n_from_clause > 0;
    row_locks(w, s);
}

/* Names in scope for a statement with its own FROM; false for other messages. */
static bool scope_enter(struct walk *w, const ast_message *m)
{
    const PgQuery__SelectStmt *s = AST_CAST(SelectStmt, select_stmt, m);
    const PgQuery__InsertStmt *in = AST_CAST(InsertStmt, insert_stmt, m);
    const PgQuery__UpdateStmt *up = AST_CAST(UpdateStmt, update_stmt, m);
    const PgQuery__DeleteStmt *de = AST_CAST(DeleteStmt, delete_stmt, m);
    const PgQuery__MergeStmt *me = AST_CAST(MergeStmt, merge_stmt, m);
    if (s) {
        select_enter(w, s);
        return true;
    }
    if (!in && !up && !de && !me) {
        return false;
    }
    const PgQuery__RangeVar *target = write_target(m);
    scope_ctes(w, in   ? in->with_clause
                  : up ? up->with_clause
                  : de ? de->with_clause
                       : me->with_clause);
    w->level = w->count;
    if (target) {
        scope_push(w, target->alias ? target->alias->aliasname : target->relname,
                   ast_range(w->tmp, target), false);
    }
    if (up) {
        from_items(w, up->n_from_clause, up->from_clause);
    } else if (de) {
        from_items(w, de->n_using_clause, de->using_clause);
    } else if (me) {
        scope_item(w, me->source_relation);
    }
    write_collect(w->ctx, w->query, &w->batches, m);
    return true;
}

/* Below a DML statement the target is no read; everything else is walked. */
static bool walk_visit(const ast_message *m, void *data)
{
    struct walk *w = data;
    size_t count = w->count, level = w->level;
    const PgQuery__RangeVar *range = AST_CAST(RangeVar, range_var, m);
    const PgQuery__ColumnRef *column = AST_CAST(ColumnRef, column_ref, m);
    const PgQuery__FuncCall *call = AST_CAST(FuncCall, func_call, m);
    if (ast_is(m, &pg_query__with_clause__descriptor) ||
        ast_is(m, &pg_query__into_clause__descriptor) ||
        ast_is(m, &pg_query__locking_clause__descriptor) ||
        ast_is(m, &pg_query__type_name__descriptor)) {
        return false;
    }
    if (range) {
        if (range != w->target && (!text_empty(range->schemaname) || !is_cte(w, range->relname))) {
            relation_read(w, range);
        }
        return false;
    }
    if (column) {
        column_read(w, column);
    } else if (call) {
        call_seen(w, call);
    } else if (scope_enter(w, m)) {
        const PgQuery__RangeVar *outer = w->target;
        w->target = write_target(m);
        ast_walk_below(m, walk_visit, w);
        w->target = outer;
        w->count = count;
        w->level = level;
        return false;
    }
    return true;
}

void query_collect(const void *ctx, struct sql_query *query, const void *message)
{
    SCOPE(tmp);
    struct walk w = { .ctx = ctx, .query = query, .tmp = tmp };
    ast_walk(message, walk_visit, &w);
    const PgQuery__SelectStmt *s = AST_CAST(SelectStmt, select_stmt, ast_unwrap(message));
    if (s) {
        query->limited = query->limited || s->limit_count;
        query->where = query->where || s->where_clause;
        query->compared = where_compared(ctx, s->where_clause);
        const struct bound_scope scope = { .ctx = tmp, .batches = &w.batches };
        query->bounded = select_bounded(&scope, s);
    }
}
