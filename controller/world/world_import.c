/* The catalog's objects as the world's. */
#include "controller/world/world_import.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"

static struct sql_texts texts(const void *ctx, const struct catalog_texts *from)
{
    struct sql_texts out = { NULL, 0 };
    for (size_t i = 0; i < from->count; i++) {
        sql_texts_add(ctx, &out, from->items[i]);
    }
    return out;
}

/* "schema.name" of the catalog; a name may hold dots, a schema hardly does. */
static struct sql_name joined(const void *ctx, const char *s)
{
    const char *dot = s ? strchr(s, '.') : NULL;
    if (!dot) {
        return (struct sql_name){ NULL, s };
    }
    return (struct sql_name){ mem_textn(ctx, s, (size_t)(dot - s)), dot + 1 };
}

/* nextval('public.orders_id_seq'::regclass), as the server prints it. */
static void sequence_of_default(const void *ctx, struct world_column *c, const char *expression)
{
    const char *from = expression ? strstr(expression, "nextval('") : NULL;
    const char *to = from ? strstr(from, "'::regclass") : NULL;
    if (to) {
        SCOPE(tmp);
        from += strlen("nextval('");
        const char *name = sql_regclass(ctx, mem_textn(tmp, from, (size_t)(to - from)));
        sql_texts_add(ctx, &c->sequences, name);
    }
}

/* The name in "CREATE STATISTICS app.\"a b\" (…" or "CREATE RULE r AS …", behind the keywords. */
static void defined(const void *ctx, struct sql_texts *into, const struct catalog_texts *from,
                    const char *keywords)
{
    for (size_t i = 0; i < from->count; i++) {
        const char *p = from->items[i];
        if (text_starts(p, keywords)) {
            p += strlen(keywords);
            size_t n = 0;
            for (bool quoted = false; p[n] != '\0' && (quoted || p[n] != ' '); n++) {
                quoted = quoted != (p[n] == '"');
            }
            struct sql_name name = joined(ctx, sql_regclass(ctx, mem_textn(ctx, p, n)));
            sql_texts_add(ctx, into, name.name);
        }
    }
}

static void columns(struct world *w, struct world_table *t, const struct relation *r)
{
    const void *ctx = world_context(w);
    t->columns = mem_array(ctx, struct world_column, r->column_count);
    t->column_count = r->column_count;
    for (size_t i = 0; i < r->column_count; i++) {
        const struct column *c = &r->columns[i];
        t->columns[i] = (struct world_column){
            .name = c->name,
            .id = world_id(w),
            .type = c->type,
            .not_null = c->not_null,
            .has_default = c->default_expr || c->identity,
            .generated = c->generated,
            .identity = c->identity,
            .collation = c->collation,
            .inherited = c->inherited,
        };
        sequence_of_default(ctx, &t->columns[i], c->default_expr);
        struct sql_expression *e;
        struct error err;
        if (c->generated && c->default_expr &&
            sql_expression_check(ctx, c->default_expr, &e, &err)) {
            t->columns[i].uses = e->columns;
            t->columns[i].generate = c->default_expr;
        }
    }
}

static void constraints(const void *ctx, struct world_table *t, const struct relation *r)
{
    t->constraints = mem_array(ctx, struct world_constraint, r->constraint_count);
    t->constraint_count = r->constraint_count;
    for (size_t i = 0; i < r->constraint_count; i++) {
        const struct constraint *c = &r->constraints[i];
        t->constraints[i] = (struct world_constraint){
            .name = c->name,
            .kind = c->kind,
            .columns = texts(ctx, &c->columns),
            .text = c->definition,
            .validated = c->validated,
            .ref = { c->ref_schema, c->ref_table },
            .ref_columns = texts(ctx, &c->ref_columns),
            .index = c->index,
            .on_delete = c->on_delete,
        };
    }
}

/* NOT VALID: the column is marked, but old rows may hold nulls (PostgreSQL 18). */
static void nulls_left(struct world_table *t)
{
    for (size_t i = 0; i < t->constraint_count; i++) {
        const struct world_constraint *k = &t->constraints[i];
        struct world_column *c = k->kind == 'n' && !k->validated && k->columns.count > 0
                                     ? table_column(t, k->columns.items[0])
                                     : NULL;
        if (c) {
            c->not_null = false;
        }
    }
}

static void indexes(const void *ctx, struct world_table *t, const struct relation *r)
{
    t->indexes = mem_array(ctx, struct world_index, r->index_count);
    t->index_count = r->index_count;
    for (size_t i = 0; i < r->index_count; i++) {
        const struct index *x = &r->indexes[i];
        struct sql_texts keys = texts(ctx, &x->columns);
        keys.count = (size_t)x->key_count < keys.count ? (size_t)x->key_count : keys.count;
        t->indexes[i] = (struct world_index){
            .schema = r->schema,
            .name = x->name,
            .text = x->definition,
            .columns = keys,
            .unique = x->unique,
            .valid = x->valid && x->ready,
            .expression = x->has_expressions,
            .partial = x->predicate,
            .clustered = x->clustered,
            .constraint = x->constraint,
        };
    }
}

static void view_reads(const void *ctx, struct world_table *t, const struct relation *r)
{
    t->reads = mem_array(ctx, struct sql_object, r->reads.count);
    for (size_t i = 0; i < r->reads.count; i++) { /* schema.table.column */
        struct sql_name of = joined(ctx, r->reads.items[i]);
        const char *dot = of.name ? strrchr(of.name, '.') : NULL;
        t->reads[t->read_count++] = (struct sql_object){
            .kind = SQL_OBJECT_COLUMN,
            .role = SQL_READ,
            .schema = of.schema,
            .name = dot ? mem_textn(ctx, of.name, (size_t)(dot - of.name)) : of.name,
            .column = dot ? dot + 1 : NULL,
        };
    }
}

static void policies(const void *ctx, struct world_table *t, const struct relation *r)
{
    t->policies = mem_array(ctx, struct world_policy, r->policy_count);
    t->policy_count = r->policy_count;
    for (size_t i = 0; i < r->policy_count; i++) {
        const char *const expressions[] = { r->policies[i].using_expr, r->policies[i].check_expr };
        t->policies[i].name = r->policies[i].name;
        for (size_t j = 0; j < 2; j++) {
            struct sql_expression *e;
            struct error err;
            if (expressions[j] && sql_expression_check(ctx, expressions[j], &e, &err)) {
                for (size_t k = 0; k < e->columns.count; k++) {
                    sql_texts_add(ctx, &t->policies[i].columns, e->columns.items[k]);
                }
            }
        }
    }
}

static void triggers(const void *ctx, struct world_table *t, const struct relation *r)
{
    t->triggers = mem_array(ctx, struct world_trigger, r->trigger_count);
    t->trigger_count = r->trigger_count;
    for (size_t i = 0; i < r->trigger_count; i++) {
        struct statement *s;
        struct error err;
        t->triggers[i].name = r->triggers[i].name;
        t->triggers[i].function = r->triggers[i].function;
        if (r->triggers[i].definition && sql_parse_one(ctx, r->triggers[i].definition, &s, &err)) {
            t->triggers[i].columns = s->values;
        }
    }
}

static void relation(const void *ctx, struct world *w, const struct relation *r)
{
    struct world_table *t = world_make(w, (struct sql_name){ r->schema, r->name }, r->kind);
    t->known = true;
    t->unlogged = r->persistence == 'u';
    t->rows = r->rows;
    t->bytes = r->bytes;
    t->role = r->owner;
    t->replica_identity = r->replica_identity;
    t->row_security = r->row_security;
    t->partition_by = r->partition_key;
    t->bound = r->partition_bound;
    t->tablespace = r->tablespace;
    t->access_method = r->access_method;
    t->server = r->server;
    t->of_type = joined(ctx, r->of_type);
    defined(ctx, &t->statistics, &r->statistics, "CREATE STATISTICS ");
    defined(ctx, &t->rules, &r->rules, "CREATE RULE ");
    t->is_default = r->partition_bound && text_eq(r->partition_bound, "DEFAULT");
    columns(w, t, r);
    constraints(ctx, t, r);
    nulls_left(t);
    indexes(ctx, t, r);
    for (size_t i = 0; i < t->index_count; i++) {
        world_note_index(w, t, &t->indexes[i]);
    }
    view_reads(ctx, t, r);
    policies(ctx, t, r);
    triggers(ctx, t, r);
    if (r->parent) {
        t->parents = mem_array(ctx, struct sql_name, 1);
        t->parents[0] = joined(ctx, r->parent);
        t->parent_count = 1;
        world_note_child(w, t);
    }
}

static enum sql_volatility volatility(char c)
{
    return c == 'i' ? SQL_IMMUTABLE : c == 's' ? SQL_STABLE : SQL_VOLATILE;
}

void world_import(struct world *w, const struct catalog *catalog)
{
    const void *ctx = world_context(w);
    for (size_t i = 0; i < catalog->relation_count; i++) {
        relation(ctx, w, &catalog->relations[i]);
    }
    for (size_t i = 0; i < catalog->sequence_count; i++) {
        const struct sequence *s = &catalog->sequences[i];
        struct world_table *t = world_make(w, (struct sql_name){ s->schema, s->name }, 'S');
        t->known = true;
        t->owner_table = joined(ctx, s->owned_table);
        t->owner_column = s->owned_column;
    }
    for (size_t i = 0; i < catalog->type_count; i++) {
        const struct type *from = &catalog->types[i];
        struct world_type *t =
            world_make_type(w, (struct sql_name){ from->schema, from->name }, from->kind);
        t->base = from->base;
        t->known = true;
        if (from->kind == 'c') {
            world_make(w, (struct sql_name){ from->schema, from->name }, 'c')->known = true;
        }
        t->constrained = from->not_null || from->constraints.count > 0;
        for (size_t j = 0; j < from->constraints.count; j++) { /* "name definition" */
            const char *text = from->constraints.items[j], *space = strchr(text, ' ');
            const char *name = space ? mem_textn(ctx, text, (size_t)(space - text)) : text;
            sql_texts_add(ctx, &t->checks, name);
            if (text_ends(text, " NOT VALID")) {
                sql_texts_add(ctx, &t->not_valid, name);
            }
        }
    }
    for (size_t i = 0; i < catalog->function_count; i++) {
        const struct function *from = &catalog->functions[i];
        struct world_function *f =
            world_make_function(w, (struct sql_name){ from->schema, from->name });
        f->language = from->language;
        f->volatility = volatility(from->volatility);
        f->fenced = from->security_definer || from->config.count > 0;
        f->definition = from->definition;
    }
}
