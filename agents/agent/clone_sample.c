#include "agents/agent/clone.h"
#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"

enum { ROUNDS = 3, ROWS = 3 };

static bool is_any(const char *type, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (text_starts(type, names[i]))
            return true;
    return false;
}

/* A made-up value; equal numbers in tables that reference each other let keys meet. */
static const char *value_of(const void *ctx, const struct catalog *catalog,
                            const struct column *column, int n)
{
    static const char *const numbers[] = { "integer", "bigint",           "smallint", "numeric",
                                           "real",    "double precision", "money" };
    static const char *const texts[] = { "text", "character", "citext", "public.citext" };
    const char *type = column->type;
    if (text_ends(type, "[]"))
        return "'{}'";
    if (is_any(type, numbers, sizeof(numbers) / sizeof(numbers[0])))
        return mem_printf(ctx, "%d", n);
    if (is_any(type, texts, sizeof(texts) / sizeof(texts[0])))
        return mem_printf(ctx, "'%d'", n);
    if (text_starts(type, "timestamp") || text_starts(type, "date"))
        return mem_printf(ctx, "timestamptz '2024-01-0%d'", n);
    if (text_starts(type, "boolean"))
        return "true";
    if (text_starts(type, "uuid"))
        return mem_printf(ctx, "'00000000-0000-4000-8000-00000000000%d'", n);
    if (text_starts(type, "json"))
        return "'{}'";
    for (size_t i = 0; i < catalog->type_count; i++) {
        const struct type *t = &catalog->types[i];
        const char *name = object_name_join(ctx, t->schema, t->name);
        if (t->kind == 'e' && t->labels.count && text_eq(name, type))
            return text_quote_literal(ctx, t->labels.items[0]);
    }
    return column->not_null ? "DEFAULT" : "NULL";
}

static const char *insert_sql(const void *ctx, const struct catalog *catalog,
                              const struct relation *r, int n)
{
    struct text names = text_init(ctx, TEXT_SQL);
    struct text values = text_init(ctx, TEXT_SQL);
    for (size_t i = 0; i < r->column_count; i++) {
        const struct column *c = &r->columns[i];
        if (c->generated)
            continue;
        text_addf(&names, "%s%s", names.len ? ", " : "", text_quote_ident(ctx, c->name));
        text_addf(&values, "%s%s", values.len ? ", " : "", value_of(ctx, catalog, c, n));
    }
    return mem_printf(ctx, "INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE VALUES (%s)",
                      object_name_sql(ctx, r->schema, r->name), names.data, values.data);
}

static bool takes_rows(const struct relation *r)
{
    return (r->kind == 'r' || r->kind == 'p') && !r->partition_bound &&
           !text_eq(r->schema, "flotilla");
}

/* Rows that a constraint refuses are left out; after a few rounds the referenced ones are there. A
 * row that went in is not tried again: a table without a key would have it once a round. */
bool clone_sample(struct connection *db, const struct catalog *catalog, struct error *err)
{
    SCOPE(all);
    bool *there = mem_array(all, bool, catalog->relation_count *ROWS + 1);
    for (int round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < catalog->relation_count * ROWS; i++) {
            SCOPE(tmp);
            const struct relation *r = &catalog->relations[i / ROWS];
            struct error ignored;
            if (there[i] || !takes_rows(r))
                continue;
            there[i] =
                connection_exec(db, insert_sql(tmp, catalog, r, (int)(i % ROWS) + 1), &ignored);
            if (!there[i] && connection_state(db) == CONNECTION_BROKEN) {
                *err = ignored;
                return fail_in(err, "sample");
            }
        }
    return true;
}
