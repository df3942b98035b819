/* CREATE TABLE and its relatives, CREATE INDEX. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/sql/extract.h"
#include "controller/sql/extract_alter.h"

#define NODE(name) PG_QUERY__NODE__NODE_##name

/* CREATE_TABLE_LIKE_… of the server's parsenodes.h. */
enum { LIKE_DEFAULTS = 1 << 3, LIKE_IDENTITY = 1 << 5 };

static void element_add(struct extract *x, struct sql_table *table, const ast_message *m)
{
    const struct tokens *t = extract_tokens(x);
    const PgQuery__ColumnDef *def = AST_CAST(ColumnDef, column_def, m);
    const PgQuery__Constraint *c = AST_CAST(Constraint, constraint, m);
    const PgQuery__TableLikeClause *like = AST_CAST(TableLikeClause, table_like_clause, m);
    if (def) {
        size_t first = tokens_at(t, def->location < 0 ? x->start : (size_t)def->location);
        table->columns =
            mem_room(x->ctx, table->columns, struct sql_column, table->column_count + 1);
        extract_column(x, def, &table->columns[table->column_count++], first,
                       extract_item_end(t, first, t->count));
    } else if (c) {
        size_t first = tokens_at(t, c->location < 0 ? x->start : (size_t)c->location);
        table->constraints = mem_room(x->ctx, table->constraints, struct sql_constraint,
                                      table->constraint_count + 1);
        extract_constraint(x, c, &table->constraints[table->constraint_count++],
                           extract_item_end(t, first, t->count));
    } else if (like) {
        table->like = mem_room(x->ctx, table->like, struct sql_name, table->like_count + 1);
        table->like_takes =
            mem_room(x->ctx, table->like_takes, struct sql_like, table->like_count + 1);
        table->like_takes[table->like_count] =
            (struct sql_like){ .defaults = like->options & LIKE_DEFAULTS,
                               .identity = like->options & LIKE_IDENTITY };
        table->like[table->like_count++] = ast_range(x->ctx, like->relation);
        extract_object(x, SQL_OBJECT_TABLE, SQL_REFERENCED, table->like[table->like_count - 1],
                       NULL);
    }
}

static void parents(struct extract *x, const PgQuery__CreateStmt *s, struct sql_table *table)
{
    if (s->partbound && s->n_inh_relations > 0) {
        table->partition_of = ast_range(x->ctx, s->inh_relations[0]->range_var);
        extract_object(x, SQL_OBJECT_TABLE, SQL_REFERENCED, table->partition_of, NULL);
        extract_bound(x, s->partbound, &table->bound, &table->is_default);
        return;
    }
    table->inherits = mem_array(x->ctx, struct sql_name, s->n_inh_relations);
    for (size_t i = 0; i < s->n_inh_relations; i++) {
        table->inherits[i] = ast_range(x->ctx, s->inh_relations[i]->range_var);
        extract_object(x, SQL_OBJECT_TABLE, SQL_REFERENCED, table->inherits[i], NULL);
    }
    table->inherit_count = s->n_inh_relations;
}

static struct sql_table *table_new(struct extract *x, const PgQuery__RangeVar *r)
{
    struct sql_table *table = mem_new(x->ctx, struct sql_table);
    table->persistence = r && !text_empty(r->relpersistence) ? r->relpersistence[0] : 'p';
    x->out->temporary = table->persistence == 't';
    x->out->table = table;
    return table;
}

static void table_read(struct extract *x, const PgQuery__CreateStmt *s, enum sql_object_kind kind)
{
    struct sql_table *table = table_new(x, s->relation);
    x->out->if_not_exists = s->if_not_exists;
    extract_main(x, kind, SQL_CREATED, ast_range(x->ctx, s->relation));
    for (size_t i = 0; i < s->n_table_elts; i++) {
        element_add(x, table, ast_of(s->table_elts[i]));
    }
    for (size_t i = 0; i < s->n_constraints; i++) {
        element_add(x, table, ast_of(s->constraints[i]));
    }
    parents(x, s, table);
    if (s->of_typename) {
        table->of_type = ast_names(x->ctx, s->of_typename->n_names, s->of_typename->names);
        extract_object(x, SQL_OBJECT_TYPE, SQL_REFERENCED, table->of_type, NULL);
    }
    if (s->partspec) {
        const struct tokens *t = extract_tokens(x);
        size_t at = extract_find(t, 0, t->count, "PARTITION BY") + 2;
        size_t end = at;
        while (end < t->count && !tokens_punct(t, end, '(')) {
            end++;
        }
        table->partition_by = tokens_text(x->ctx, t, at, tokens_close(t, end));
    }
}

static void create_table(struct extract *x, const ast_message *m)
{
    table_read(x, (const PgQuery__CreateStmt *)(const void *)m, SQL_OBJECT_TABLE);
}

static void create_foreign_table(struct extract *x, const ast_message *m)
{
    const PgQuery__CreateForeignTableStmt *s = (const void *)m;
    table_read(x, s->base_stmt, SQL_OBJECT_FOREIGN_TABLE);
    x->out->table->server = ast_text(x->ctx, s->servername);
    extract_object(x, SQL_OBJECT_SERVER, SQL_REFERENCED,
                   (struct sql_name){ NULL, x->out->table->server }, NULL);
}

/* The text of the query behind AS, without WITH [NO] DATA and the like. */
static void query_text(struct extract *x)
{
    const struct tokens *t = extract_tokens(x);
    size_t at = extract_find(t, 0, t->count, "AS") + 1, end = t->count;
    while (end > at && (tokens_are(t, end - 1, "DATA") || tokens_are(t, end - 1, "OPTION"))) {
        size_t with = end - 1;
        while (with > at && !tokens_are(t, with, "WITH")) {
            with--;
        }
        end = with > at ? with : end;
        if (with <= at) {
            break;
        }
    }
    x->out->query_text = tokens_text(x->ctx, t, at, end);
}

static void create_table_as(struct extract *x, const ast_message *m)
{
    const PgQuery__CreateTableAsStmt *s = (const void *)m;
    const PgQuery__IntoClause *into = s->into;
    bool matview = s->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW;
    struct sql_table *table = table_new(x, into ? into->rel : NULL);
    x->out->kind = matview ? SQL_STMT_CREATE_MATVIEW : SQL_STMT_CREATE_TABLE_AS;
    x->out->if_not_exists = s->if_not_exists;
    extract_main(x, matview ? SQL_OBJECT_MATVIEW : SQL_OBJECT_TABLE, SQL_CREATED,
                 ast_range(x->ctx, into ? into->rel : NULL));
    table->as_query = true;
    table->with_data = !(into && into->skip_data);
    query_text(x);
    extract_query(x, s->query);
}

static void create_view(struct extract *x, const ast_message *m)
{
    const PgQuery__ViewStmt *s = (const void *)m;
    extract_main(x, SQL_OBJECT_VIEW, SQL_CREATED, ast_range(x->ctx, s->view));
    x->out->or_replace = s->replace;
    x->out->temporary = s->view && text_eq(s->view->relpersistence, "t");
    x->out->values = ast_texts(x->ctx, s->n_aliases, s->aliases);
    query_text(x);
    extract_query(x, s->query);
}

static void refresh_matview(struct extract *x, const ast_message *m)
{
    const PgQuery__RefreshMatViewStmt *s = (const void *)m;
    extract_main(x, SQL_OBJECT_MATVIEW, SQL_TARGET, ast_range(x->ctx, s->relation));
    x->out->concurrently = s->concurrent;
    x->out->only = s->skip_data;
}

static void create_index(struct extract *x, const ast_message *m)
{
    const PgQuery__IndexStmt *s = (const void *)m;
    struct sql_index *index = mem_new(x->ctx, struct sql_index);
    const struct tokens *t = extract_tokens(x);
    index->name = ast_text(x->ctx, s->idxname);
    index->table = ast_range(x->ctx, s->relation);
    index->method = text_empty(s->access_method) ? "btree" : mem_text(x->ctx, s->access_method);
    index->include =
        extract_column_names(x->ctx, s->n_index_including_params, s->index_including_params);
    index->unique = s->unique;
    index->concurrently = s->concurrent;
    index->if_not_exists = s->if_not_exists;
    index->only = s->relation && !s->relation->inh;
    index->nulls_not_distinct = s->nulls_not_distinct;
    extract_index_keys(x, s, index);
    size_t where = extract_find(t, 0, t->count, "WHERE");
    if (s->where_clause) {
        index->where = extract_expression_at(x, s->where_clause, where + 1, t->count);
    }
    size_t with = extract_find(t, 0, t->count, "WITH");
    if (with < t->count) {
        index->with = tokens_text(x->ctx, t, with + 2, tokens_close(t, with + 1) - 1);
    }
    x->out->create_index = index;
    x->out->concurrently = s->concurrent;
    x->out->if_not_exists = s->if_not_exists;
    extract_main(x, SQL_OBJECT_TABLE, SQL_TARGET, index->table);
    extract_object(x, SQL_OBJECT_INDEX, SQL_CREATED,
                   (struct sql_name){ index->table.schema, index->name }, NULL);
}

static const struct extract_entry entries[] = {
    [NODE(CREATE_STMT)] = { SQL_STMT_CREATE_TABLE, create_table },
    [NODE(CREATE_FOREIGN_TABLE_STMT)] = { SQL_STMT_CREATE_TABLE, create_foreign_table },
    [NODE(CREATE_TABLE_AS_STMT)] = { SQL_STMT_CREATE_TABLE_AS, create_table_as },
    [NODE(VIEW_STMT)] = { SQL_STMT_CREATE_VIEW, create_view },
    [NODE(REFRESH_MAT_VIEW_STMT)] = { SQL_STMT_REFRESH_MATVIEW, refresh_matview },
    [NODE(INDEX_STMT)] = { SQL_STMT_CREATE_INDEX, create_index },
    [NODE(ALTER_TABLE_STMT)] = { SQL_STMT_ALTER_TABLE, extract_alter_table },
    [NODE(ALTER_DOMAIN_STMT)] = { SQL_STMT_ALTER_DOMAIN, extract_alter_domain },
};

const struct extract_entry *extract_table_entry(PgQuery__Node__NodeCase node)
{
    const struct extract_entry *e =
        (size_t)node < sizeof entries / sizeof *entries ? &entries[node] : NULL;
    return e && e->read ? e : NULL;
}
