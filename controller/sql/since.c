/* The first PostgreSQL that has what a statement asks for, of what the parser's grammar knows:
 * what came with 14 and 15; nobody is told about older ones. */
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

static int copy_since(const PgQuery__CopyStmt *s)
{
    const PgQuery__DefElem *header = ast_option(s->n_options, s->options, "header");
    return header && header->arg && text_eq(ast_string(header->arg), "match") ? 15 : 0;
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
    ASK(CreateStmt, create_stmt, of_table(s));
    ASK(AlterTableStmt, alter_table_stmt, of_alter(s));
    ASK(CreatePublicationStmt, create_publication_stmt, most(s->n_pubobjects, s->pubobjects));
    ASK(AlterPublicationStmt, alter_publication_stmt, most(s->n_pubobjects, s->pubobjects));
    return said(m);
}
