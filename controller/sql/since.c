/* The first PostgreSQL that has what a statement asks for, of what the parser's grammar knows:
 * what came with 14 and 15, and later options, which are words of no grammar; nobody is told about
 * older ones. Tried on 15 to 18: tests/truth/syntax.cases. */
#include <string.h>

#include "agents/base/text.h"
#include "controller/sql/extract.h"

static int alter_since(const PgQuery__AlterTableCmd *cmd)
{
    const PgQuery__PartitionCmd *p = AST_CAST(PartitionCmd, partition_cmd, ast_of(cmd->def));
    switch (cmd->subtype) {
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetAccessMethod: return 15;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetCompression: return 14;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DetachPartition: return p && p->concurrent ? 14 : 0;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DetachPartitionFinalize: return 14;
    default: return 0;
    }
}

static int constraint_since(const PgQuery__Constraint *c)
{
    return c->nulls_not_distinct || c->n_fk_del_set_cols > 0 ? 15 : 0;
}

static int publication_since(const PgQuery__PublicationObjSpec *o)
{
    bool schema =
        o->pubobjtype == PG_QUERY__PUBLICATION_OBJ_SPEC_TYPE__PUBLICATIONOBJ_TABLES_IN_SCHEMA ||
        o->pubobjtype == PG_QUERY__PUBLICATION_OBJ_SPEC_TYPE__PUBLICATIONOBJ_TABLES_IN_CUR_SCHEMA;
    const PgQuery__PublicationTable *t = o->pubtable;
    return schema || (t && (t->where_clause || t->n_columns > 0)) ? 15 : 0;
}

static int reindex_since(const PgQuery__ReindexStmt *s)
{
    return ast_option(s->n_params, s->params, "tablespace") ? 14 : 0;
}

static int view_since(const PgQuery__ViewStmt *s)
{
    return ast_option(s->n_options, s->options, "security_invoker") ? 15 : 0;
}

static int sequence_since(const PgQuery__CreateSeqStmt *s)
{
    return s->sequence && text_eq(s->sequence->relpersistence, "u") ? 15 : 0;
}

/* Options by name and the version that has them; a null name ends a list. */
struct option_since {
    const char *name;
    int version;
};

static int options_since(size_t n, PgQuery__Node *const *options, const struct option_since *known)
{
    int since = 0;
    for (; known->name; known++) {
        if (ast_option(n, options, known->name) && known->version > since) {
            since = known->version;
        }
    }
    return since;
}

static int vacuum_since(const PgQuery__VacuumStmt *s)
{
    static const struct option_since known[] = {
        { "process_main", 16 },        { "buffer_usage_limit", 16 }, { "skip_database_stats", 16 },
        { "only_database_stats", 16 }, { "process_toast", 14 },      { NULL, 0 }
    };
    return options_since(s->n_options, s->options, known);
}

static int explain_since(const PgQuery__ExplainStmt *s)
{
    static const struct option_since known[] = {
        { "generic_plan", 16 }, { "serialize", 17 }, { "memory", 17 }, { NULL, 0 }
    };
    return options_since(s->n_options, s->options, known);
}

static bool every_column(const PgQuery__DefElem *option)
{
    return option && option->arg && option->arg->node_case == PG_QUERY__NODE__NODE_A_STAR;
}

static int copy_since(const PgQuery__CopyStmt *s)
{
    static const struct option_since known[] = { { "default", 16 },
                                                 { "on_error", 17 },
                                                 { "log_verbosity", 17 },
                                                 { "reject_limit", 18 },
                                                 { NULL, 0 } };
    int since = options_since(s->n_options, s->options, known);
    const PgQuery__DefElem *header = ast_option(s->n_options, s->options, "header");
    if (since < 15 && header && header->arg && text_eq(ast_string(header->arg), "match")) {
        since = 15;
    }
    bool star = every_column(ast_option(s->n_options, s->options, "force_null")) ||
                every_column(ast_option(s->n_options, s->options, "force_not_null"));
    return star && since < 17 ? 17 : since;
}

static int subscription_since(size_t n, PgQuery__Node *const *options)
{
    static const struct option_since known[] = { { "two_phase", 15 },
                                                 { "disable_on_error", 15 },
                                                 { "origin", 16 },
                                                 { "password_required", 16 },
                                                 { "run_as_owner", 16 },
                                                 { "failover", 17 },
                                                 { NULL, 0 } };
    int since = options_since(n, options, known);
    const PgQuery__DefElem *streaming = ast_option(n, options, "streaming");
    bool parallel = streaming && streaming->arg && text_eq(ast_string(streaming->arg), "parallel");
    return parallel && since < 16 ? 16 : since;
}

static int database_since(const PgQuery__CreatedbStmt *s)
{
    static const struct option_since known[] = {
        { "locale_provider", 15 }, { "icu_locale", 15 },     { "strategy", 15 }, { "oid", 15 },
        { "icu_rules", 16 },       { "builtin_locale", 17 }, { NULL, 0 }
    };
    return options_since(s->n_options, s->options, known);
}

static int define_since(const PgQuery__DefineStmt *s)
{
    static const struct option_since collation[] = { { "rules", 16 }, { NULL, 0 } };
    return s->kind == PG_QUERY__OBJECT_TYPE__OBJECT_COLLATION
               ? options_since(s->n_definition, s->definition, collation)
               : 0;
}

static int grant_since(const PgQuery__GrantStmt *s)
{
    for (size_t i = 0; i < s->n_privileges; i++) {
        const PgQuery__AccessPriv *p = AST_CAST(AccessPriv, access_priv, ast_of(s->privileges[i]));
        if (p && text_eq(p->priv_name, "maintain")) {
            return 17;
        }
    }
    return s->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_PARAMETER_ACL ? 15 : 0;
}

/* Names that a statement's relations have: RETURNING old.a may mean one of them. */
static bool has_alias(size_t n, PgQuery__Node *const *items, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        const PgQuery__RangeVar *r = AST_CAST(RangeVar, range_var, ast_of(items[i]));
        if (!r || text_eq(r->alias ? r->alias->aliasname : r->relname, name)) {
            return true; /* another kind of item may bring any name */
        }
    }
    return false;
}

struct returning {
    size_t n;
    PgQuery__Node *const *list;
    const PgQuery__RangeVar *target;
    size_t from_count;
    PgQuery__Node *const *from;
};

/* RETURNING old.a, new.*: the row before and after. */
static int returning_since(struct returning r)
{
    for (size_t i = 0; i < r.n; i++) {
        const PgQuery__ResTarget *t = AST_CAST(ResTarget, res_target, ast_of(r.list[i]));
        const PgQuery__ColumnRef *c = t ? AST_CAST(ColumnRef, column_ref, ast_of(t->val)) : NULL;
        const char *first = c && c->n_fields == 2 ? ast_string(c->fields[0]) : NULL;
        if (!text_eq(first, "old") && !text_eq(first, "new")) {
            continue;
        }
        const PgQuery__RangeVar *target = r.target;
        bool named =
            target && text_eq(target->alias ? target->alias->aliasname : target->relname, first);
        if (!named && !has_alias(r.from_count, r.from, first)) {
            return 18;
        }
    }
    return 0;
}

static int setting_since(const PgQuery__VariableSetStmt *s)
{
    static const struct option_since known[] = { { "transaction_timeout", 17 },
                                                 { "event_triggers", 17 },
                                                 { "vacuum_buffer_usage_limit", 16 },
                                                 { "createrole_self_grant", 16 },
                                                 { NULL, 0 } };
    for (const struct option_since *k = known; k->name; k++) {
        if (text_eq(s->name, k->name)) {
            return k->version;
        }
    }
    return 0;
}

static int function_since(const PgQuery__CreateFunctionStmt *s)
{
    return s->sql_body ? 14 : 0;
}

#define ASK(type, lower, expression)                         \
    do {                                                     \
        const PgQuery__##type *s = AST_CAST(type, lower, m); \
        if (s) {                                             \
            return expression;                               \
        }                                                    \
    } while (0)

static int said(const ast_message *m)
{
    ASK(MergeStmt, merge_stmt, s ? 15 : 0);
    ASK(Constraint, constraint, constraint_since(s));
    ASK(IndexStmt, index_stmt, s->nulls_not_distinct ? 15 : 0);
    ASK(PublicationObjSpec, publication_obj_spec, publication_since(s));
    ASK(AlterDatabaseRefreshCollStmt, alter_database_refresh_coll_stmt, s ? 15 : 0);
    ASK(ViewStmt, view_stmt, view_since(s));
    ASK(CreateSeqStmt, create_seq_stmt, sequence_since(s));
    ASK(CopyStmt, copy_stmt, copy_since(s));
    ASK(CreateTrigStmt, create_trig_stmt, s->replace ? 14 : 0);
    ASK(VacuumStmt, vacuum_stmt, vacuum_since(s));
    ASK(ExplainStmt, explain_stmt, explain_since(s));
    ASK(GrantStmt, grant_stmt, grant_since(s));
    ASK(CreateSubscriptionStmt, create_subscription_stmt,
        subscription_since(s->n_options, s->options));
    ASK(AlterSubscriptionStmt, alter_subscription_stmt,
        subscription_since(s->n_options, s->options));
    ASK(CreatedbStmt, createdb_stmt, database_since(s));
    ASK(DefineStmt, define_stmt, define_since(s));
    ASK(CreateEventTrigStmt, create_event_trig_stmt, text_eq(s->eventname, "login") ? 17 : 0);
    ASK(VariableSetStmt, variable_set_stmt, setting_since(s));
    ASK(CreateFunctionStmt, create_function_stmt, function_since(s));
    ASK(ReindexStmt, reindex_stmt, reindex_since(s));
    return 0;
}

static int most(size_t n, PgQuery__Node *const *nodes)
{
    int since = 0;
    for (size_t i = 0; i < n; i++) {
        int here = said(ast_of(nodes[i]));
        since = here > since ? here : since;
    }
    return since;
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static int of_definition(const ast_message *def)
{
    const PgQuery__ColumnDef *column = AST_CAST(ColumnDef, column_def, def);
    return column ? most(column->n_constraints, column->constraints) : said(def);
}

static int of_table(const PgQuery__CreateStmt *s)
{
    int since = 0;
    for (size_t i = 0; i < s->n_table_elts; i++) {
        since = larger(since, of_definition(ast_of(s->table_elts[i])));
    }
    return since;
}

static bool has_like(const PgQuery__CreateStmt *s)
{
    for (size_t i = 0; s && i < s->n_table_elts; i++) {
        if (AST_CAST(TableLikeClause, table_like_clause, ast_of(s->table_elts[i]))) {
            return true;
        }
    }
    return false;
}

/* What a partitioned table may have: an access method, exclusion constraints. */
static int of_partitioned(const PgQuery__CreateStmt *s)
{
    bool later = !text_empty(s->access_method);
    for (size_t i = 0; i < s->n_table_elts; i++) {
        const PgQuery__Constraint *c = AST_CAST(Constraint, constraint, ast_of(s->table_elts[i]));
        later = later || (c && c->contype == PG_QUERY__CONSTR_TYPE__CONSTR_EXCLUSION);
    }
    return s->partspec && later ? 17 : 0;
}

/* What DML gives back. */
static int of_change(const ast_message *m)
{
    ASK(InsertStmt, insert_stmt,
        returning_since(
            (struct returning){ s->n_returning_list, s->returning_list, s->relation, 0, NULL }));
    ASK(UpdateStmt, update_stmt,
        returning_since((struct returning){ s->n_returning_list, s->returning_list, s->relation,
                                            s->n_from_clause, s->from_clause }));
    ASK(DeleteStmt, delete_stmt,
        returning_since((struct returning){ s->n_returning_list, s->returning_list, s->relation,
                                            s->n_using_clause, s->using_clause }));
    return 0;
}

static int of_alter(const PgQuery__AlterTableStmt *s)
{
    int since = 0;
    for (size_t i = 0; i < s->n_cmds; i++) {
        const PgQuery__AlterTableCmd *cmd =
            AST_CAST(AlterTableCmd, alter_table_cmd, ast_of(s->cmds[i]));
        since = larger(since, cmd ? larger(alter_since(cmd), of_definition(ast_of(cmd->def))) : 0);
    }
    return since;
}

int statement_since(const ast_message *m)
{
    ASK(CreateStmt, create_stmt, larger(of_table(s), of_partitioned(s)));
    ASK(CreateForeignTableStmt, create_foreign_table_stmt, has_like(s->base_stmt) ? 18 : 0);
    ASK(AlterTableStmt, alter_table_stmt, of_alter(s));
    ASK(CreatePublicationStmt, create_publication_stmt, most(s->n_pubobjects, s->pubobjects));
    ASK(AlterPublicationStmt, alter_publication_stmt, most(s->n_pubobjects, s->pubobjects));
    return larger(said(m), of_change(m));
}
