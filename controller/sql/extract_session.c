/* Queries, sessions, transactions, maintenance. */
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/sql/extract.h"

#define NODE(name) PG_QUERY__NODE__NODE_##name

static void query(struct extract *x, const ast_message *m)
{
    extract_query(x, m);
    if (x->out->query->write_count == 1) {
        x->out->name = x->out->query->writes[0].relation;
        x->out->object = SQL_OBJECT_TABLE;
    }
}

static void select_query(struct extract *x, const ast_message *m)
{
    const PgQuery__SelectStmt *s = (const void *)m;
    extract_query(x, m);
    if (s->into_clause) {
        x->out->kind = SQL_STMT_CREATE_TABLE_AS;
        x->out->table = mem_new(x->ctx, struct sql_table);
        x->out->table->as_query = x->out->table->with_data = true;
        const PgQuery__RangeVar *into = s->into_clause->rel;
        x->out->temporary = into && text_eq(into->relpersistence, "t");
        x->out->table->persistence =
            into && !text_empty(into->relpersistence) ? into->relpersistence[0] : 'p';
        extract_main(x, SQL_OBJECT_TABLE, SQL_CREATED, ast_range(x->ctx, into));
    }
}

static void explain(struct extract *x, const ast_message *m)
{
    const PgQuery__ExplainStmt *s = (const void *)m;
    x->out->analyze = ast_option_on(s->n_options, s->options, "analyze");
    extract_query(x, s->query);
}

static void prepare(struct extract *x, const ast_message *m)
{
    const PgQuery__PrepareStmt *s = (const void *)m;
    x->out->sub_name = ast_text(x->ctx, s->name);
    extract_query(x, s->query);
}

static void execute(struct extract *x, const ast_message *m)
{
    x->out->sub_name = ast_text(x->ctx, ((const PgQuery__ExecuteStmt *)(const void *)m)->name);
}

static void declare_cursor(struct extract *x, const ast_message *m)
{
    extract_query(x, ((const PgQuery__DeclareCursorStmt *)(const void *)m)->query);
    x->out->kind = SQL_STMT_SELECT;
    x->out->cursor = true;
}

static void call(struct extract *x, const ast_message *m)
{
    extract_query(x, m);
    const PgQuery__CallStmt *s = (const void *)m;
    if (s->funccall) {
        extract_main(x, SQL_OBJECT_PROCEDURE, SQL_REFERENCED,
                     ast_names(x->ctx, s->funccall->n_funcname, s->funccall->funcname));
    }
}

static void copy(struct extract *x, const ast_message *m)
{
    const PgQuery__CopyStmt *s = (const void *)m;
    x->out->from = s->is_from;
    x->out->program = s->is_program;
    x->out->file = ast_text(x->ctx, s->filename);
    if (s->relation) {
        extract_main(x, SQL_OBJECT_TABLE, s->is_from ? SQL_WRITTEN : SQL_READ,
                     ast_range(x->ctx, s->relation));
    }
    if (s->query) {
        extract_query(x, s->query);
    }
}

static const char *constant(const void *ctx, const PgQuery__Node *node)
{
    SCOPE(tmp);
    struct sql_expression *e = extract_expression(tmp, node, NULL);
    return mem_text(ctx, e->value);
}

static void set(struct extract *x, const ast_message *m)
{
    const PgQuery__VariableSetStmt *s = (const void *)m;
    bool reset = s->kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET ||
                 s->kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET_ALL ||
                 s->kind == PG_QUERY__VARIABLE_SET_KIND__VAR_SET_DEFAULT;
    x->out->kind = reset ? SQL_STMT_RESET : SQL_STMT_SET;
    x->out->setting = text_empty(s->name) ? "" : mem_text(x->ctx, s->name);
    x->out->local = s->is_local;
    for (size_t i = 0; i < s->n_args; i++) {
        const char *value = constant(x->ctx, s->args[i]);
        sql_texts_add(x->ctx, &x->out->values, value ? value : "");
    }
}

static void transaction(struct extract *x, const ast_message *m)
{
    switch (((const PgQuery__TransactionStmt *)(const void *)m)->kind) {
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_BEGIN:
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_START: x->out->transaction = SQL_BEGIN; break;
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT:
        x->out->transaction = SQL_COMMIT;
        break;
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK:
        x->out->transaction = SQL_ROLLBACK;
        break;
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_PREPARE:
        x->out->transaction = SQL_PREPARE;
        break;
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT_PREPARED:
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_PREPARED:
        x->out->transaction = SQL_FINISH;
        break;
    default: x->out->transaction = SQL_SAVEPOINT; break;
    }
}

static void relations(struct extract *x, size_t n, PgQuery__Node *const *list)
{
    for (size_t i = 0; i < n; i++) {
        struct sql_name name = ast_name(x->ctx, list[i]);
        const PgQuery__RangeVar *r = AST_CAST(RangeVar, range_var, ast_of(list[i]));
        extract_object(x, SQL_OBJECT_TABLE, SQL_TARGET, name, NULL);
        x->out->objects[x->out->object_count - 1].only = r && !r->inh;
        if (n == 1) {
            x->out->name = name;
            x->out->object = SQL_OBJECT_TABLE;
        }
    }
}

static void truncate(struct extract *x, const ast_message *m)
{
    const PgQuery__TruncateStmt *s = (const void *)m;
    relations(x, s->n_relations, s->relations);
    x->out->restart_identity = s->restart_seqs;
    x->out->cascade = s->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
}

static void lock(struct extract *x, const ast_message *m)
{
    /* LOCKMODE of src/include/storage/lockdefs.h */
    static const char *const modes[] = {
        NULL,    "ACCESS SHARE",        "ROW SHARE", "ROW EXCLUSIVE",   "SHARE UPDATE EXCLUSIVE",
        "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"
    };
    const PgQuery__LockStmt *s = (const void *)m;
    relations(x, s->n_relations, s->relations);
    x->out->text = modes[s->mode > 0 && s->mode < 9 ? s->mode : 8];
    x->out->nowait = s->nowait;
}

static void vacuum(struct extract *x, const ast_message *m)
{
    const PgQuery__VacuumStmt *s = (const void *)m;
    x->out->kind = s->is_vacuumcmd ? SQL_STMT_VACUUM : SQL_STMT_ANALYZE;
    x->out->full = ast_option_on(s->n_options, s->options, "full");
    x->out->analyze = ast_option_on(s->n_options, s->options, "analyze");
    bool only = sugar_find(x->sugar, SUGAR_ONLY, x->start, x->end + 1) != NULL;
    for (size_t i = 0; i < s->n_rels; i++) {
        const PgQuery__VacuumRelation *r =
            AST_CAST(VacuumRelation, vacuum_relation, ast_of(s->rels[i]));
        struct sql_name name = ast_range(x->ctx, r ? r->relation : NULL);
        extract_object(x, SQL_OBJECT_TABLE, SQL_TARGET, name, NULL);
        x->out->objects[x->out->object_count - 1].only = only;
        x->out->name = s->n_rels == 1 ? name : x->out->name;
        x->out->object = SQL_OBJECT_TABLE;
    }
}

static void cluster(struct extract *x, const ast_message *m)
{
    const PgQuery__ClusterStmt *s = (const void *)m;
    x->out->sub_name = ast_text(x->ctx, s->indexname);
    if (s->relation) {
        extract_main(x, SQL_OBJECT_TABLE, SQL_TARGET, ast_range(x->ctx, s->relation));
    }
}

static void reindex(struct extract *x, const ast_message *m)
{
    const PgQuery__ReindexStmt *s = (const void *)m;
    x->out->concurrently = ast_option_on(s->n_params, s->params, "concurrently");
    switch (s->kind) {
    case PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_INDEX:
        x->out->text = "index";
        extract_main(x, SQL_OBJECT_INDEX, SQL_TARGET, ast_range(x->ctx, s->relation));
        break;
    case PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_TABLE:
        x->out->text = "table";
        extract_main(x, SQL_OBJECT_TABLE, SQL_TARGET, ast_range(x->ctx, s->relation));
        break;
    case PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_SCHEMA:
        x->out->text = "schema";
        extract_main(x, SQL_OBJECT_SCHEMA, SQL_TARGET,
                     (struct sql_name){ NULL, ast_text(x->ctx, s->name) });
        break;
    default: x->out->text = "database"; break;
    }
}

static void discard(struct extract *x, const ast_message *m)
{
    x->out->full = ((const PgQuery__DiscardStmt *)(const void *)m)->target ==
                   PG_QUERY__DISCARD_MODE__DISCARD_ALL;
}

static void nothing(struct extract *x, const ast_message *m)
{
    (void)x;
    (void)m;
}

static const struct extract_entry entries[] = {
    [NODE(SELECT_STMT)] = { SQL_STMT_SELECT, select_query },
    [NODE(INSERT_STMT)] = { SQL_STMT_INSERT, query },
    [NODE(UPDATE_STMT)] = { SQL_STMT_UPDATE, query },
    [NODE(DELETE_STMT)] = { SQL_STMT_DELETE, query },
    [NODE(MERGE_STMT)] = { SQL_STMT_MERGE, query },
    [NODE(EXPLAIN_STMT)] = { SQL_STMT_EXPLAIN, explain },
    [NODE(PREPARE_STMT)] = { SQL_STMT_PREPARE, prepare },
    [NODE(EXECUTE_STMT)] = { SQL_STMT_EXECUTE, execute },
    [NODE(DECLARE_CURSOR_STMT)] = { SQL_STMT_SELECT, declare_cursor },
    [NODE(CALL_STMT)] = { SQL_STMT_CALL, call },
    [NODE(COPY_STMT)] = { SQL_STMT_COPY, copy },
    [NODE(VARIABLE_SET_STMT)] = { SQL_STMT_SET, set },
    [NODE(VARIABLE_SHOW_STMT)] = { SQL_STMT_SHOW, nothing },
    [NODE(TRANSACTION_STMT)] = { SQL_STMT_TRANSACTION, transaction },
    [NODE(TRUNCATE_STMT)] = { SQL_STMT_TRUNCATE, truncate },
    [NODE(LOCK_STMT)] = { SQL_STMT_LOCK, lock },
    [NODE(VACUUM_STMT)] = { SQL_STMT_VACUUM, vacuum },
    [NODE(CLUSTER_STMT)] = { SQL_STMT_CLUSTER, cluster },
    [NODE(REINDEX_STMT)] = { SQL_STMT_REINDEX, reindex },
    [NODE(DISCARD_STMT)] = { SQL_STMT_DISCARD, discard },
    [NODE(CHECK_POINT_STMT)] = { SQL_STMT_CHECKPOINT, nothing },
};

const struct extract_entry *extract_session_entry(PgQuery__Node__NodeCase node)
{
    const struct extract_entry *e =
        (size_t)node < sizeof entries / sizeof *entries ? &entries[node] : NULL;
    return e && e->read ? e : NULL;
}
