/* Columns, partitions and their indexes, the way that nobody waits for. */
#include <string.h>
#include <strings.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/judge/judge_constraint.h"
#include "controller/rules/rewrite.h"

static const char *named(struct linter *l, const char *column, const char *suffix)
{
    const char *items[] = { column };
    const struct sql_texts one = { items, 1 };
    return quoted(l->ctx, derived_name(l->ctx, l->s->name.name, &one, suffix));
}

const char *rewrite_not_null(struct linter *l, const char *column)
{
    const char *t = sql_of(l->ctx, l->s->name), *c = quoted(l->ctx, column);
    const char *k = named(l, column, "not_null");
    if (l->judge->version >= 18) {
        return mem_printf(l->ctx,
                          "ALTER TABLE %s ADD CONSTRAINT %s NOT NULL %s NOT VALID;\n"
                          "ALTER TABLE %s VALIDATE CONSTRAINT %s;",
                          t, k, c, t, k);
    }
    return mem_printf(l->ctx,
                      "ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s IS NOT NULL) NOT VALID;\n"
                      "ALTER TABLE %s VALIDATE CONSTRAINT %s;\n"
                      "ALTER TABLE %s ALTER COLUMN %s SET NOT NULL;\n"
                      "ALTER TABLE %s DROP CONSTRAINT %s;",
                      t, k, c, t, k, t, c, t, k);
}

const char *rewrite_column_filled(struct linter *l, const struct sql_column *c)
{
    return mem_printf(l->ctx,
                      "ALTER TABLE %s ADD COLUMN %s %s;\n"
                      "-- give every row a value, in batches by key; then:\n%s",
                      sql_of(l->ctx, l->s->name), quoted(l->ctx, c->name), c->type_text,
                      rewrite_not_null(l, c->name));
}

const char *rewrite_column_numbered(struct linter *l, const struct sql_column *c)
{
    const char *t = sql_of(l->ctx, l->s->name), *n = quoted(l->ctx, c->name);
    const char *sequence = named(l, c->name, "seq");
    bool small = c->serial && strcasecmp(c->type, "bigserial") != 0;
    if (l->s->name.schema) {
        sequence = mem_printf(l->ctx, "%s.%s", quoted(l->ctx, l->s->name.schema), sequence);
    }
    const char *type = c->serial ? small ? "integer" : "bigint" : c->type_text;
    return mem_printf(
        l->ctx,
        "ALTER TABLE %s ADD COLUMN %s %s;\n"
        "CREATE SEQUENCE %s AS %s OWNED BY %s.%s;\n"
        "ALTER TABLE %s ALTER COLUMN %s SET DEFAULT nextval(%s);\n"
        "-- number the rows that are there, in batches:\n"
        "UPDATE %s SET %s = DEFAULT WHERE ctid = ANY (ARRAY (SELECT ctid FROM %s WHERE %s IS NULL "
        "LIMIT 1000));\n%s",
        t, n, type, sequence, type, t, n, t, n, text_quote_literal(l->ctx, sequence), t, n, t, n,
        rewrite_not_null(l, c->name));
}

const char *rewrite_column_computed(struct linter *l, const struct sql_column *c)
{
    const char *t = sql_of(l->ctx, l->s->name), *n = quoted(l->ctx, c->name);
    const char *f = named(l, c->name, "compute");
    if (!c->generate || !c->generate->text) {
        return NULL;
    }
    if (l->judge->version >= 18) {
        return mem_printf(l->ctx,
                          "ALTER TABLE %s ADD COLUMN %s %s GENERATED ALWAYS AS (%s) VIRTUAL;", t, n,
                          c->type_text, c->generate->text);
    }
    if (l->s->name.schema) {
        f = mem_printf(l->ctx, "%s.%s", quoted(l->ctx, l->s->name.schema), f);
    }
    return mem_printf(l->ctx,
                      "ALTER TABLE %s ADD COLUMN %s %s;\n"
                      "CREATE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql AS $compute$\n"
                      "BEGIN\n    NEW.%s := (SELECT (%s) FROM (SELECT NEW.*) AS r);\n"
                      "    RETURN NEW;\nEND $compute$;\n"
                      "CREATE TRIGGER %s BEFORE INSERT OR UPDATE ON %s\n"
                      "    FOR EACH ROW EXECUTE FUNCTION %s();\n"
                      "-- the rows that are there, in batches:\n"
                      "UPDATE %s SET %s = %s WHERE ctid = ANY (ARRAY (SELECT ctid FROM %s "
                      "WHERE %s IS DISTINCT FROM (%s) LIMIT 1000));",
                      t, n, c->type_text, f, n, c->generate->text, named(l, c->name, "compute"), t,
                      f, t, n, c->generate->text, t, n, c->generate->text);
}

const char *rewrite_column_unique(struct linter *l, const struct sql_column *c)
{
    const char *t = sql_of(l->ctx, l->s->name), *n = quoted(l->ctx, c->name);
    const char *k = named(l, c->name, "key");
    return c->not_null || c->default_expr || c->serial || c->identity || c->generated
               ? NULL
               : mem_printf(l->ctx,
                            "ALTER TABLE %s ADD COLUMN %s %s;\n"
                            "CREATE UNIQUE INDEX CONCURRENTLY %s ON %s (%s);\n"
                            "ALTER TABLE %s ADD CONSTRAINT %s UNIQUE USING INDEX %s;",
                            t, n, c->type_text, k, t, n, t, k, k);
}

static const char *action(char how)
{
    return how == 'c'   ? "CASCADE"
           : how == 'n' ? "SET NULL"
           : how == 'd' ? "SET DEFAULT"
           : how == 'r' ? "RESTRICT"
                        : NULL;
}

/* "REFERENCES t (a) ON DELETE CASCADE" */
static const char *references(struct linter *l, const struct sql_constraint *k)
{
    const char *gone = action(k->on_delete), *changed = action(k->on_update);
    struct text out = text_init(l->ctx, TEXT_LINE);
    text_addf(&out, "REFERENCES %s", sql_of(l->ctx, k->ref));
    if (k->ref_columns.count > 0) {
        text_addf(&out, " (%s)", quoted_list(l->ctx, &k->ref_columns));
    }
    text_addf(&out, "%s%s", gone ? " ON DELETE " : "", gone ? gone : "");
    text_addf(&out, "%s%s", changed ? " ON UPDATE " : "", changed ? changed : "");
    text_addf(&out, "%s%s", k->deferrable ? " DEFERRABLE" : "",
              k->initially_deferred ? " INITIALLY DEFERRED" : "");
    return out.data;
}

const char *rewrite_column_references(struct linter *l, const struct sql_column *c,
                                      const struct sql_constraint *k)
{
    const char *t = sql_of(l->ctx, l->s->name), *n = quoted(l->ctx, c->name);
    const char *name = k->name ? quoted(l->ctx, k->name) : named(l, c->name, "fkey");
    if (!c->default_expr || k->match == 'f' || c->serial || c->identity || c->generated) {
        return NULL;
    }
    return mem_printf(l->ctx,
                      "ALTER TABLE %s ADD COLUMN %s %s%s DEFAULT %s;\n"
                      "ALTER TABLE %s ADD CONSTRAINT %s FOREIGN KEY (%s) %s NOT VALID;\n"
                      "ALTER TABLE %s VALIDATE CONSTRAINT %s;",
                      t, n, c->type_text, c->not_null ? " NOT NULL" : "", c->default_expr->text, t,
                      name, n, references(l, k), t, name);
}

/* "FOR VALUES FROM (a) TO (b)", "FOR VALUES IN (a, b)" as a condition on one column. */
static const char *bound_check(struct linter *l, const char *bound, const char *column)
{
    const char *open = strchr(bound, '('), *close = open ? strchr(open, ')') : NULL;
    const char *to = close ? strchr(close, '(') : NULL, *end = to ? strchr(to, ')') : NULL;
    if (!close) {
        return NULL;
    }
    const char *first = mem_textn(l->ctx, open + 1, (size_t)(close - open - 1));
    if (!to) {
        return strcasestr(bound, " IN") && !strcasestr(first, "NULL")
                   ? mem_printf(l->ctx, "%s IS NOT NULL AND %s IN (%s)", column, column, first)
                   : NULL;
    }
    const char *last = end ? mem_textn(l->ctx, to + 1, (size_t)(end - to - 1)) : "";
    bool unbounded = strcasestr(first, "VALUE") || strcasestr(last, "VALUE");
    return unbounded || !end || strchr(first, ',') || strchr(last, ',') ||
                   strcasestr(bound, "MODULUS")
               ? NULL
               : mem_printf(l->ctx, "%s IS NOT NULL AND %s >= %s AND %s < %s", column, column,
                            first, column, last);
}

const char *rewrite_attach(struct linter *l, const struct world_table *parent,
                           const struct sql_alter *a)
{
    struct sql_texts keys = partition_columns(l->ctx, parent);
    const char *child = sql_of(l->ctx, a->other);
    if (keys.count != 1 || !a->bound || a->is_default) {
        return NULL;
    }
    const char *check = bound_check(l, a->bound, quoted(l->ctx, keys.items[0]));
    const char *k = quoted(l->ctx, derived_name(l->ctx, a->other.name, &keys, "bound"));
    return check ? mem_printf(l->ctx,
                              "ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s) NOT VALID;\n"
                              "ALTER TABLE %s VALIDATE CONSTRAINT %s;\n%s;\n"
                              "ALTER TABLE %s DROP CONSTRAINT %s;",
                              child, k, check, child, k, l->s->sql, child, k)
                 : NULL;
}

/* "(a, b) WHERE …" of CREATE INDEX: from the bracket or USING on. */
static const char *index_rest(struct linter *l)
{
    const char *sql = l->s->sql, *on = strcasestr(sql, " on ");
    const char *open = on ? strchr(on, '(') : NULL, *method = on ? strcasestr(on, " using ") : NULL;
    (void)l;
    return method && method < open ? method + 1 : open;
}

const char *rewrite_partitioned_index(struct linter *l, const struct world_table *parent)
{
    const struct sql_index *x = l->s->create_index;
    const char *rest = index_rest(l), *unique = x->unique ? "UNIQUE " : "";
    struct world_table *child;
    if (!x->name || !rest || l->nested || x->concurrently) {
        return NULL;
    }
    struct text out = text_init(l->ctx, TEXT_SQL);
    const char *name = quoted(l->ctx, x->name);
    const char *whole = sql_of(l->ctx, (struct sql_name){ parent->schema, x->name });
    text_addf(&out, "CREATE %sINDEX %s ON ONLY %s %s;", unique, name, sql_of(l->ctx, x->table),
              rest);
    for (size_t i = 0; (child = world_child_at(l->world, i)); i++) {
        struct judging g = { .ctx = l->ctx, .judge = l->judge, .world = l->world, .s = l->s };
        const struct sql_texts none = { NULL, 0 };
        if (!is_child_of(&g, child, parent)) {
            continue;
        }
        if (child->kind == 'p') { /* its partitions would need the same again */
            return NULL;
        }
        const char *part = derived_name(l->ctx, child->name, &none, x->name);
        text_addf(&out,
                  "\nCREATE %sINDEX CONCURRENTLY %s ON %s %s;\n"
                  "ALTER INDEX %s ATTACH PARTITION %s;",
                  unique, quoted(l->ctx, part),
                  sql_of(l->ctx, (struct sql_name){ child->schema, child->name }), rest, whole,
                  sql_of(l->ctx, (struct sql_name){ child->schema, part }));
    }
    return out.data;
}
