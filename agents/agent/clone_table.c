/* Tables with their columns, keys, checks and indexes; partitions are made alone and attached, so
 * that their indexes keep their names. */
#include <string.h>

#include "agents/agent/clone_list.h"
#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"

static const struct sequence *identity_of(const struct catalog *c, const char *table,
                                          const char *column)
{
    for (size_t i = 0; i < c->sequence_count; i++)
        if (c->sequences[i].identity && text_eq(c->sequences[i].owned_table, table) &&
            text_eq(c->sequences[i].owned_column, column))
            return &c->sequences[i];
    return NULL;
}

static void identity_add(struct text *t, const struct catalog *c, const struct relation *r,
                         const struct column *column)
{
    const struct sequence *s =
        identity_of(c, object_name_join(t->ctx, r->schema, r->name), column->name);
    text_addf(t, " GENERATED %s AS IDENTITY", column->identity == 'a' ? "ALWAYS" : "BY DEFAULT");
    if (s)
        text_addf(t,
                  " (SEQUENCE NAME %s INCREMENT %lld MINVALUE %lld MAXVALUE %lld START %lld"
                  " CACHE %lld%s)",
                  object_name_sql(t->ctx, s->schema, s->name), (long long)s->increment,
                  (long long)s->min, (long long)s->max, (long long)s->start, (long long)s->cache,
                  s->cycle ? " CYCLE" : "");
}

/* "column_name=email,x=y" as OPTIONS. */
static void options_add(struct text *t, const char *options)
{
    text_add(t, " OPTIONS (");
    for (const char *p = options; p && *p;) {
        size_t n = strcspn(p, ",");
        size_t name = strcspn(p, "=");
        if (name < n)
            text_addf(t, "%s%s %s", p == options ? "" : ", ",
                      text_quote_ident(t->ctx, mem_textn(t->ctx, p, name)),
                      text_quote_literal(t->ctx, mem_textn(t->ctx, p + name + 1, n - name - 1)));
        p += n + (p[n] ? 1 : 0);
    }
    text_add(t, ")");
}

static void column_add(struct text *t, const struct catalog *c, const struct relation *r,
                       const struct column *column)
{
    text_addf(t, "%s %s", text_quote_ident(t->ctx, column->name), column->type);
    if (r->kind == 'f' && !text_empty(column->options))
        options_add(t, column->options);
    if (column->collation)
        text_addf(t, " COLLATE %s", clone_name(t->ctx, column->collation));
    if (column->identity)
        identity_add(t, c, r, column);
    else if (column->generated)
        text_addf(t, " GENERATED ALWAYS AS (%s) STORED", column->default_expr);
    else if (column->default_expr)
        text_addf(t, " DEFAULT %s", column->default_expr);
    if (column->not_null)
        text_add(t, " NOT NULL");
}

static const char *columns_sql(const void *ctx, const struct catalog *c, const struct relation *r)
{
    struct text t = text_init(ctx, TEXT_SQL);
    for (size_t i = 0; i < r->column_count; i++) {
        text_add(&t, i ? ", " : "");
        column_add(&t, c, r, &r->columns[i]);
    }
    return t.data;
}

static const char *with_options(const void *ctx, const struct relation *r)
{
    struct text t = text_init(ctx, TEXT_SQL);
    for (size_t i = 0; i < r->options.count; i++)
        text_addf(&t, "%s%s", i ? ", " : " WITH (", r->options.items[i]);
    text_add(&t, r->options.count ? ")" : "");
    return t.data;
}

static void table_add(struct clone_list *list, const struct relation *r, const char *name)
{
    const char *columns = columns_sql(list, list->catalog, r);
    if (r->kind == 'f') {
        struct text t = text_init(list, TEXT_SQL);
        const char *schema = r->foreign_schema ? r->foreign_schema : r->schema;
        const char *table = r->foreign_table ? r->foreign_table : r->name;
        text_addf(&t,
                  "CREATE FOREIGN TABLE %s (%s) SERVER %s OPTIONS (schema_name %s, table_name %s)",
                  name, columns, text_quote_ident(list, r->server),
                  text_quote_literal(list, schema), text_quote_literal(list, table));
        clone_add(list, true, name, "%s", t.data);
        return;
    }
    clone_add(list, true, name, "CREATE %sTABLE %s (%s)%s%s%s",
              r->persistence == 'u' ? "UNLOGGED " : "", name, columns,
              r->partition_key ? " PARTITION BY " : "", r->partition_key ? r->partition_key : "",
              r->kind == 'r' ? with_options(list, r) : "");
}

static void keys_add(struct clone_list *list, const struct relation *r, const char *name)
{
    for (size_t i = 0; i < r->constraint_count; i++) {
        const struct constraint *k = &r->constraints[i];
        if (strchr("cpux", k->kind))
            clone_add(list, true, mem_printf(list, "constraint %s of %s", k->name, name),
                      "ALTER TABLE %s ADD CONSTRAINT %s %s", name, text_quote_ident(list, k->name),
                      k->definition);
    }
    for (size_t i = 0; i < r->index_count; i++)
        if (!r->indexes[i].constraint && r->indexes[i].valid)
            clone_add(list, true, mem_printf(list, "index %s of %s", r->indexes[i].name, name),
                      "%s", r->indexes[i].definition);
}

static void parent_add(struct clone_list *list, const struct relation *r, const char *name)
{
    if (!r->parent)
        return;
    const char *parent = clone_name(list, r->parent);
    if (r->partition_bound)
        clone_add(list, true, name, "ALTER TABLE %s ATTACH PARTITION %s %s", parent, name,
                  r->partition_bound);
    else
        clone_add(list, true, name, "ALTER TABLE %s INHERIT %s", name, parent);
}

static bool is_table(const struct relation *r)
{
    return r->kind == 'r' || r->kind == 'p' || r->kind == 'f';
}

void clone_tables(struct clone_list *list)
{
    const struct catalog *c = list->catalog;
    /* Parents take keys and indexes only after their partitions have theirs: statements in vain are
     * tried again, so three rounds over the list are the plain way to say it. */
    for (int stage = 0; stage < 3; stage++)
        for (size_t i = 0; i < c->relation_count; i++) {
            const struct relation *r = &c->relations[i];
            if (!list->chosen[i] || !is_table(r) || text_eq(r->schema, "flotilla"))
                continue;
            const char *name = object_name_sql(list, r->schema, r->name);
            if (stage == 0)
                table_add(list, r, name);
            else if (stage == 1)
                keys_add(list, r, name);
            else
                parent_add(list, r, name);
        }
    for (size_t i = 0; i < c->sequence_count; i++) {
        const struct sequence *s = &c->sequences[i];
        if (!s->identity && s->owned_table)
            clone_add(list, false, s->name, "ALTER SEQUENCE %s OWNED BY %s.%s",
                      object_name_sql(list, s->schema, s->name), clone_name(list, s->owned_table),
                      text_quote_ident(list, s->owned_column));
    }
}
