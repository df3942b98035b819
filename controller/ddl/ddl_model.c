/*
 * What statements that stay SQL leave behind in the model: as much as later statements of the same
 * change look at.
 */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/ddl/ddl.h"
#include "controller/ddl/view_reads.h"

/* --- tables ---------------------------------------------------------------------------------- */

static void column_follow(struct ddl *d, struct relation *relation, const struct sql_column *c)
{
    struct work *work = d->work;
    struct column column = {
        .name = c->name,
        .type = type_name(work, work->home, c->type_text),
        .not_null = c->not_null || c->serial || c->identity,
        .default_expr = c->default_expr ? c->default_expr->text
                        : c->generate   ? c->generate->text
                                        : NULL,
        .identity = c->identity,
        .generated = c->generated,
        .collation = c->collation,
    };
    if (!relation_column(relation, c->name)) {
        (void)model_add_column(work, relation, &column);
    }
}

static void constraint_follow(struct ddl *d, struct relation *relation,
                              const struct sql_constraint *c, const char *column)
{
    struct work *work = d->work;
    const char *only[1] = { column };
    const char *const *columns = c->columns.count ? c->columns.items : only;
    size_t count = c->columns.count ? c->columns.count : column ? 1 : 0;
    if (c->kind == 'n') {
        return;
    }
    const char *name =
        c->name ? c->name : constraint_server_name(work, relation, c->kind, columns, count);
    struct constraint made = { .name = name,
                               .kind = c->kind,
                               .columns = texts_of(work, columns, count),
                               .definition = c->definition,
                               .validated = !c->not_valid,
                               .deferrable = c->deferrable,
                               .on_delete = c->on_delete,
                               .on_update = c->on_update };
    if (c->kind == 'f') {
        const struct relation *other = ddl_relation(d, &c->ref);
        const struct constraint *primary = other ? relation_primary_key(other) : NULL;
        made.ref_schema = ddl_schema(d, &c->ref);
        made.ref_table = c->ref.name;
        made.ref_columns = c->ref_columns.count
                               ? texts_of(work, c->ref_columns.items, c->ref_columns.count)
                           : primary ? primary->columns
                                     : (struct catalog_texts){ 0 };
        made.index = primary && !c->ref_columns.count ? primary->index : NULL;
    } else if (strchr("pu", c->kind)) {
        made.index = name;
        model_add_index(work, relation,
                        &(struct index){ .name = name,
                                         .definition = say(work, "USING btree (%s)",
                                                           ident_list(work, &made.columns)),
                                         .method = "btree",
                                         .columns = made.columns,
                                         .key_count = (int)count,
                                         .unique = true,
                                         .primary = c->kind == 'p',
                                         .valid = true,
                                         .ready = true,
                                         .constraint = name });
    }
    model_add_constraint(work, relation, &made);
}

static void columns_like(struct ddl *d, struct relation *relation, const struct sql_name *other)
{
    const struct relation *like = ddl_relation(d, other);
    for (size_t i = 0; like && i < like->column_count; i++) {
        if (!relation_column(relation, like->columns[i].name)) {
            (void)model_add_column(d->work, relation, &like->columns[i]);
        }
    }
}

static void table_columns(struct ddl *d, struct relation *relation, const struct sql_table *table)
{
    for (size_t i = 0; i < table->inherit_count; i++) {
        columns_like(d, relation, &table->inherits[i]);
    }
    if (table->partition_of.name) {
        const struct relation *parent = ddl_relation(d, &table->partition_of);
        columns_like(d, relation, &table->partition_of);
        relation->partition_bound = table->bound;
        relation->parent = parent ? relation_key(d->work, parent) : NULL;
    }
    for (size_t i = 0; i < table->like_count; i++) {
        columns_like(d, relation, &table->like[i]);
    }
    for (size_t i = 0; i < table->column_count; i++) {
        column_follow(d, relation, &table->columns[i]);
    }
    for (size_t i = 0; i < table->column_count; i++) {
        for (size_t k = 0; k < table->columns[i].constraint_count; k++) {
            constraint_follow(d, relation, &table->columns[i].constraints[k],
                              table->columns[i].name);
        }
    }
    for (size_t i = 0; i < table->constraint_count; i++) {
        constraint_follow(d, relation, &table->constraints[i], NULL);
    }
}

static void relation_follow(struct ddl *d, char kind)
{
    const struct statement *s = d->s;
    struct work *work = d->work;
    if (ddl_relation(d, &s->name)) {
        return;
    }
    struct relation made = { .schema = ddl_schema(d, &s->name),
                             .name = s->name.name,
                             .kind = kind,
                             .persistence =
                                 s->table && s->table->persistence ? s->table->persistence : 'p',
                             .partition_key = s->table ? s->table->partition_by : NULL,
                             .replica_identity = 'd' };
    struct relation *relation = model_add_relation(work, work->home, &made);
    if (s->table) {
        table_columns(d, relation, s->table);
    }
    work_made(work, relation_key(work, relation));
    if (kind == 'v' || kind == 'm') {
        relation->reads = view_reads(work, work->home, s->query);
    }
}

/* --- parts of tables ------------------------------------------------------------------------- */

static void index_follow(struct ddl *d)
{
    const struct sql_index *index = d->s->create_index;
    struct relation *relation = ddl_relation(d, &index->table);
    const char **columns = mem_array(d->work->ctx, const char *, index->key_count);
    struct text joined = text_init(d->work->ctx, TEXT_LINE);
    for (size_t i = 0; i < index->key_count; i++) {
        columns[i] = index->keys[i].column ? index->keys[i].column : "";
        text_addf(&joined, "%s%s", i ? "_" : "", *columns[i] ? columns[i] : "expr");
    }
    if (!relation) {
        return;
    }
    const char *name =
        index->name ? index->name : server_index_name(d->work, relation, joined.data);
    if (!relation_index(relation, name)) {
        model_add_index(d->work, relation,
                        &(struct index){ .name = name,
                                         .definition = d->s->sql,
                                         .method = index->method,
                                         .columns = { columns, index->key_count },
                                         .key_count = (int)index->key_count,
                                         .unique = index->unique,
                                         .valid = true,
                                         .ready = true,
                                         .predicate = index->where ? index->where->text : NULL });
    }
}

static void trigger_follow(struct ddl *d)
{
    struct relation *relation = ddl_relation(d, &d->s->name);
    const char *function = "";
    for (size_t i = 0; i < d->s->object_count; i++) {
        const struct sql_object *o = &d->s->objects[i];
        if (o->kind == SQL_OBJECT_FUNCTION && o->role == SQL_REFERENCED) {
            size_t count;
            const struct function *f = model_function(d->work->home, o->schema, o->name, &count);
            function = f ? say(d->work, "%s.%s", f->schema, f->name) : o->name;
        }
    }
    if (relation) {
        model_add_trigger(d->work, relation,
                          &(struct trigger){ .name = d->s->sub_name,
                                             .definition = d->s->sql,
                                             .enabled = 'O',
                                             .function = function });
    }
}

static void alter_follow(struct ddl *d, const struct sql_alter *alter)
{
    struct relation *relation = ddl_relation(d, &d->s->name);
    struct column *column =
        relation && alter->column ? relation_column(relation, alter->column) : NULL;
    if (!relation) {
        return;
    }
    switch (alter->kind) {
    case SQL_ALTER_ADD_COLUMN:
        column_follow(d, relation, alter->definition);
        for (size_t i = 0; i < alter->definition->constraint_count; i++) {
            constraint_follow(d, relation, &alter->definition->constraints[i],
                              alter->definition->name);
        }
        break;
    case SQL_ALTER_DROP_COLUMN:
        model_drop_column(d->work, d->work->home, relation, alter->column);
        break;
    case SQL_ALTER_ADD_CONSTRAINT: constraint_follow(d, relation, alter->constraint, NULL); break;
    case SQL_ALTER_DROP_CONSTRAINT: model_drop_constraint(d->work, relation, alter->name); break;
    case SQL_ALTER_SET_TYPE:
        if (column) {
            column->type = type_name(d->work, d->work->home, alter->type_text);
        }
        break;
    case SQL_ALTER_SET_DEFAULT:
    case SQL_ALTER_DROP_DEFAULT:
        if (column) {
            column->default_expr = alter->expression ? alter->expression->text : NULL;
        }
        break;
    case SQL_ALTER_SET_NOT_NULL:
    case SQL_ALTER_DROP_NOT_NULL:
        if (column) {
            column->not_null = alter->kind == SQL_ALTER_SET_NOT_NULL;
        }
        break;
    case SQL_ALTER_ATTACH_PARTITION: {
        struct relation *child = ddl_relation(d, &alter->other);
        if (child) {
            child->parent = relation_key(d->work, relation);
            child->partition_bound = alter->bound;
        }
        break;
    }
    default: break;
    }
}

/* --- types, functions ------------------------------------------------------------------------ */

static void type_follow(struct ddl *d, char kind)
{
    const struct statement *s = d->s;
    const char *schema = ddl_schema(d, &s->name);
    if (!ddl_type(d, &s->name)) {
        model_add_type(
            d->work, d->work->home,
            &(struct type){ .schema = schema,
                            .name = s->name.name,
                            .kind = kind,
                            .labels = texts_of(d->work, s->values.items, s->values.count),
                            .base = s->type ? s->type->base : NULL });
        work_made(d->work, say(d->work, "type %s.%s", schema, s->name.name));
    }
}

static void function_follow(struct ddl *d)
{
    const struct statement *s = d->s;
    size_t count;
    if (!model_function(d->work->home, s->name.schema, s->name.name, &count) && s->body) {
        const char *schema = ddl_schema(d, &s->name);
        model_add_function(d->work, d->work->home,
                           &(struct function){ .schema = schema,
                                               .name = s->name.name,
                                               .result = s->body->returns,
                                               .language = s->body->language,
                                               .kind = s->body->procedure ? 'p' : 'f',
                                               .volatility = 'v',
                                               .body = s->body->text });
        work_made(d->work, say(d->work, "function %s.%s", schema, s->name.name));
    }
}

static void sequence_follow(struct ddl *d)
{
    model_add_sequence(d->work, d->work->home,
                       &(struct sequence){ .schema = ddl_schema(d, &d->s->name),
                                           .name = d->s->name.name,
                                           .type = "bigint",
                                           .start = 1,
                                           .increment = 1,
                                           .min = 1,
                                           .max = INT64_MAX,
                                           .cache = 1 });
}

/* --- names ----------------------------------------------------------------------------------- */

static void rename_follow(struct ddl *d)
{
    const struct statement *s = d->s;
    struct relation *relation = ddl_relation(d, &s->name);
    struct work *work = d->work;
    switch (s->object) {
    case SQL_OBJECT_TABLE:
    case SQL_OBJECT_VIEW:
    case SQL_OBJECT_MATVIEW:
        if (relation) {
            bool made = ddl_made(d, relation);
            model_rename_relation(work, work->home, relation, s->new_name);
            if (made) {
                work_made(work, relation_key(work, relation));
            }
        }
        break;
    case SQL_OBJECT_COLUMN:
        if (relation) {
            model_rename_column(work, work->home, relation, s->sub_name, s->new_name);
        }
        break;
    case SQL_OBJECT_CONSTRAINT:
        if (relation) {
            model_rename_constraint(relation, s->sub_name, s->new_name);
        }
        break;
    case SQL_OBJECT_INDEX: model_rename_index(work->home, s->name.name, s->new_name); break;
    case SQL_OBJECT_TYPE:
    case SQL_OBJECT_DOMAIN: {
        struct type *type = ddl_type(d, &s->name);
        if (type) {
            model_rename_type(work, work->home, type, s->new_name);
        }
        break;
    }
    default: break;
    }
}

static void comment_follow(struct ddl *d)
{
    struct relation *relation = ddl_relation(d, &d->s->name);
    struct column *column =
        relation && d->s->sub_name ? relation_column(relation, d->s->sub_name) : NULL;
    if (d->s->object == SQL_OBJECT_COLUMN && column) {
        column->comment = d->s->text;
    } else if (relation && !d->s->sub_name) {
        relation->comment = d->s->text;
    }
}

void ddl_follow(struct ddl *d, const struct sql_alter *alter)
{
    switch (d->s->kind) {
    case SQL_STMT_ALTER_TABLE:
        if (alter) {
            alter_follow(d, alter);
        }
        break;
    case SQL_STMT_CREATE_TABLE:
        relation_follow(d, d->s->object == SQL_OBJECT_FOREIGN_TABLE   ? 'f'
                           : d->s->table && d->s->table->partition_by ? 'p'
                                                                      : 'r');
        break;
    case SQL_STMT_CREATE_TABLE_AS: relation_follow(d, 'r'); break;
    case SQL_STMT_CREATE_VIEW: relation_follow(d, 'v'); break;
    case SQL_STMT_CREATE_MATVIEW: relation_follow(d, 'm'); break;
    case SQL_STMT_CREATE_INDEX: index_follow(d); break;
    case SQL_STMT_CREATE_TRIGGER: trigger_follow(d); break;
    case SQL_STMT_CREATE_ENUM: type_follow(d, 'e'); break;
    case SQL_STMT_CREATE_TYPE: type_follow(d, 'c'); break;
    case SQL_STMT_CREATE_DOMAIN: type_follow(d, 'd'); break;
    case SQL_STMT_CREATE_FUNCTION: function_follow(d); break;
    case SQL_STMT_CREATE_SEQUENCE: sequence_follow(d); break;
    case SQL_STMT_RENAME: rename_follow(d); break;
    case SQL_STMT_COMMENT: comment_follow(d); break;
    default: break;
    }
}
