#include "controller/sql/extract_type.h"

#include "agents/base/mem.h"
#include "agents/base/text.h"

void type_enum(struct extract *x, const ast_message *m)
{
    const PgQuery__CreateEnumStmt *s = (const void *)m;
    extract_main(x, SQL_OBJECT_TYPE, SQL_CREATED, ast_names(x->ctx, s->n_type_name, s->type_name));
    x->out->values = ast_texts(x->ctx, s->n_vals, s->vals);
}

void type_composite(struct extract *x, const ast_message *m)
{
    const PgQuery__CompositeTypeStmt *s = (const void *)m;
    const struct tokens *t = extract_tokens(x);
    struct sql_table *table = mem_new(x->ctx, struct sql_table);
    extract_main(x, SQL_OBJECT_TYPE, SQL_CREATED, ast_range(x->ctx, s->typevar));
    table->columns = mem_array(x->ctx, struct sql_column, s->n_coldeflist);
    for (size_t i = 0; i < s->n_coldeflist; i++) {
        const PgQuery__ColumnDef *def = AST_CAST(ColumnDef, column_def, ast_of(s->coldeflist[i]));
        if (def) {
            size_t first = tokens_at(t, def->location < 0 ? x->start : (size_t)def->location);
            extract_column(x, def, &table->columns[table->column_count++], first,
                           extract_item_end(t, first, t->count));
        }
    }
    x->out->table = table;
}

void type_range(struct extract *x, const ast_message *m)
{
    const PgQuery__CreateRangeStmt *s = (const void *)m;
    extract_main(x, SQL_OBJECT_TYPE, SQL_CREATED, ast_names(x->ctx, s->n_type_name, s->type_name));
}

void type_define(struct extract *x, const ast_message *m)
{
    const PgQuery__DefineStmt *s = (const void *)m;
    enum sql_object_kind kind = extract_kind(s->kind);
    extract_main(x, kind, SQL_CREATED, ast_names(x->ctx, s->n_defnames, s->defnames));
    x->out->if_not_exists = s->if_not_exists;
    x->out->or_replace = s->replace;
    x->out->kind = kind == SQL_OBJECT_TYPE ? SQL_STMT_CREATE_TYPE : SQL_STMT_OTHER;
}

void type_alter_enum(struct extract *x, const ast_message *m)
{
    const PgQuery__AlterEnumStmt *s = (const void *)m;
    extract_main(x, SQL_OBJECT_TYPE, SQL_TARGET, ast_names(x->ctx, s->n_type_name, s->type_name));
    x->out->add_value = text_empty(s->old_val);
    x->out->sub_name = mem_text(x->ctx, text_empty(s->old_val) ? s->new_val : s->old_val);
    x->out->new_name = mem_text(x->ctx, s->new_val);
    x->out->neighbour = ast_text(x->ctx, s->new_val_neighbor);
    x->out->value_after = s->new_val_is_after;
    x->out->if_not_exists = s->skip_if_new_val_exists;
}

void type_alter(struct extract *x, const ast_message *m)
{
    const PgQuery__AlterTypeStmt *s = (const void *)m;
    extract_main(x, SQL_OBJECT_TYPE, SQL_TARGET, ast_names(x->ctx, s->n_type_name, s->type_name));
}

void type_domain(struct extract *x, const ast_message *m)
{
    const PgQuery__CreateDomainStmt *s = (const void *)m;
    const struct tokens *t = extract_tokens(x);
    struct sql_type_def *def = mem_new(x->ctx, struct sql_type_def);
    extract_main(x, SQL_OBJECT_DOMAIN, SQL_CREATED,
                 ast_names(x->ctx, s->n_domainname, s->domainname));
    def->base = ast_type(x->ctx, s->type_name);
    def->constraints = mem_array(x->ctx, struct sql_constraint, s->n_constraints);
    for (size_t i = 0; i < s->n_constraints; i++) {
        const PgQuery__Constraint *c = AST_CAST(Constraint, constraint, ast_of(s->constraints[i]));
        if (c && c->contype == PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL) {
            def->not_null = true;
        } else if (c && c->contype == PG_QUERY__CONSTR_TYPE__CONSTR_DEFAULT) {
            size_t at = tokens_at(t, (size_t)c->location) + 1;
            def->default_expr =
                extract_expression_at(x, c->raw_expr, at, extract_default_end(t, at, t->count));
        } else if (c && c->contype == PG_QUERY__CONSTR_TYPE__CONSTR_CHECK) {
            extract_constraint(x, c, &def->constraints[def->constraint_count++], t->count);
        }
    }
    x->out->type = def;
}

static void owned_by(struct extract *x, size_t n, PgQuery__Node *const *options)
{
    const PgQuery__DefElem *owned = ast_option(n, options, "owned_by");
    const PgQuery__List *list = owned ? AST_CAST(List, list, ast_of(owned->arg)) : NULL;
    if (list && list->n_items > 1) { /* [schema, ] table, column */
        extract_object(x, SQL_OBJECT_TABLE, SQL_REFERENCED,
                       ast_names(x->ctx, list->n_items - 1, list->items),
                       ast_text(x->ctx, ast_string(list->items[list->n_items - 1])));
    }
    for (size_t i = 0; i < n; i++) {
        if (options[i]->node_case == PG_QUERY__NODE__NODE_DEF_ELEM) {
            sql_texts_add(x->ctx, &x->out->values, options[i]->def_elem->defname);
        }
    }
}

void type_sequence(struct extract *x, const ast_message *m)
{
    const PgQuery__CreateSeqStmt *s = (const void *)m;
    extract_main(x, SQL_OBJECT_SEQUENCE, SQL_CREATED, ast_range(x->ctx, s->sequence));
    x->out->if_not_exists = s->if_not_exists;
    x->out->temporary = s->sequence && text_eq(s->sequence->relpersistence, "t");
    owned_by(x, s->n_options, s->options);
}

void type_alter_sequence(struct extract *x, const ast_message *m)
{
    const PgQuery__AlterSeqStmt *s = (const void *)m;
    extract_main(x, SQL_OBJECT_SEQUENCE, SQL_TARGET, ast_range(x->ctx, s->sequence));
    x->out->if_exists = s->missing_ok;
    owned_by(x, s->n_options, s->options);
}

void type_schema(struct extract *x, const ast_message *m)
{
    const PgQuery__CreateSchemaStmt *s = (const void *)m;
    const char *name = ast_text(x->ctx, s->schemaname);
    name = name ? name : extract_role(x->ctx, s->authrole);
    extract_main(x, SQL_OBJECT_SCHEMA, SQL_CREATED, (struct sql_name){ NULL, name });
    x->out->if_not_exists = s->if_not_exists;
    for (size_t i = 0; i < s->n_schema_elts; i++) {
        const ast_message *element = ast_of(s->schema_elts[i]);
        const PgQuery__CreateStmt *table = AST_CAST(CreateStmt, create_stmt, element);
        const PgQuery__ViewStmt *view = AST_CAST(ViewStmt, view_stmt, element);
        const PgQuery__RangeVar *r = table ? table->relation : view ? view->view : NULL;
        if (r) {
            extract_object(x, view ? SQL_OBJECT_VIEW : SQL_OBJECT_TABLE, SQL_CREATED,
                           (struct sql_name){ name, ast_text(x->ctx, r->relname) }, NULL);
        }
    }
}

void type_extension(struct extract *x, const ast_message *m)
{
    const PgQuery__CreateExtensionStmt *s = (const void *)m;
    extract_main(x, SQL_OBJECT_EXTENSION, SQL_CREATED,
                 (struct sql_name){ NULL, ast_text(x->ctx, s->extname) });
    x->out->if_not_exists = s->if_not_exists;
    x->out->cascade = ast_option_on(s->n_options, s->options, "cascade");
    x->out->text = ast_option_text(x->ctx, ast_option(s->n_options, s->options, "schema"));
}

void type_alter_extension(struct extract *x, const ast_message *m)
{
    const PgQuery__AlterExtensionStmt *s = (const void *)m;
    extract_main(x, SQL_OBJECT_EXTENSION, SQL_TARGET,
                 (struct sql_name){ NULL, ast_text(x->ctx, s->extname) });
}

void type_statistics(struct extract *x, const ast_message *m)
{
    const PgQuery__CreateStatsStmt *s = (const void *)m;
    extract_main(x, SQL_OBJECT_STATISTICS, SQL_CREATED,
                 ast_names(x->ctx, s->n_defnames, s->defnames));
    x->out->if_not_exists = s->if_not_exists;
    for (size_t i = 0; i < s->n_relations; i++) {
        extract_object(x, SQL_OBJECT_TABLE, SQL_REFERENCED, ast_name(x->ctx, s->relations[i]),
                       NULL);
    }
}
