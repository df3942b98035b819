#include <string.h>
#include <uthash.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/graph/graph_build.h"

/* A column called user_id, userid or userId probably holds the key of a table called user, users or
 * "User", when the types can hold each other's values. Never more than a guess that a person takes
 * over into the manifest as `references:`. */
enum {
    SAME_TYPE = 70,
    OTHER_WIDTH = 60,
    LAST_WORD = 20, /* less: only the last word of the name fits (billing_user_id) */
    BASE_BYTES = 64,
};

struct key {
    const char *table; /* lower case, singular */
    const struct service_catalog *item;
    const struct relation *relation;
    const struct column *column;
    struct key *next; /* of other services */
    UT_hash_handle hh;
};

struct candidate {
    const struct service_catalog *item;
    const struct relation *relation;
    const struct column *column;
};

struct suggestions {
    struct builder *b;
    void *tmp;
    struct key *keys;
    struct key **list; /* all, for the end */
    size_t count;
};

/* users -> user, addresses -> address, companies -> company */
static const char *singular(const void *ctx, const char *name)
{
    size_t n = strlen(name);

    if (n > 3 && text_ends(name, "ies"))
        return mem_printf(ctx, "%.*sy", (int)n - 3, name);
    if (n > 4 && (text_ends(name, "sses") || text_ends(name, "xes") || text_ends(name, "ches")))
        return mem_textn(ctx, name, n - 2);
    if (n > 2 && text_ends(name, "s") && !text_ends(name, "ss"))
        return mem_textn(ctx, name, n - 1);
    return mem_text(ctx, name);
}

static const char *lower(const void *ctx, const char *s)
{
    char *copy = talloc_strdup(ctx, s);

    for (char *p = copy; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    return copy;
}

/* user_id, userId, user_uuid -> user; null when the name does not look like a reference. */
static const char *base_of(const void *ctx, const char *column)
{
    static const char *const endings[] = { "_id", "_uuid", "Id", "ID", "_fk" };

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (text_ends(column, endings[i]) && strlen(column) > strlen(endings[i]))
            return singular(
                ctx, lower(ctx, mem_textn(ctx, column, strlen(column) - strlen(endings[i]))));
    return NULL;
}

static bool is_integer(const char *type)
{
    return text_eq(type, "integer") || text_eq(type, "bigint") || text_eq(type, "smallint");
}

static bool is_text(const char *type)
{
    return text_eq(type, "text") || text_starts(type, "character");
}

static int type_match(const char *a, const char *b)
{
    if (text_eq(a, b))
        return SAME_TYPE;
    return (is_integer(a) && is_integer(b)) || (is_text(a) && is_text(b)) ? OTHER_WIDTH : 0;
}

static void add_key(struct suggestions *s, const struct service_catalog *item,
                    const struct relation *r)
{
    const struct constraint *primary = relation_primary_key(r);

    if (!strchr("rp", r->kind) || r->partition_bound || !primary || primary->columns.count != 1)
        return;
    struct key *key = mem_new(s->tmp, struct key), *known = NULL;

    key->table = singular(s->tmp, lower(s->tmp, r->name));
    key->item = item;
    key->relation = r;
    key->column = relation_column(r, primary->columns.items[0]);
    HASH_FIND_STR(s->keys, key->table, known);
    if (known) {
        key->next = known->next;
        known->next = key;
    } else {
        HASH_ADD_KEYPTR(hh, s->keys, key->table, strlen(key->table), key);
    }
}

/* A column with a foreign key or a declared reference is settled. */
static bool is_settled(const struct suggestions *s, const struct candidate *c)
{
    const struct graph *g = s->b->graph;
    const struct relation *r = c->relation;

    for (size_t i = 0; i < r->constraint_count; i++)
        if (r->constraints[i].kind == 'f' || r->constraints[i].kind == 'p')
            for (size_t j = 0; j < r->constraints[i].columns.count; j++)
                if (text_eq(r->constraints[i].columns.items[j], c->column->name) &&
                    (r->constraints[i].kind == 'f' || r->constraints[i].columns.count == 1))
                    return true;
    for (size_t i = 0; i < g->edge_count; i++)
        if (g->edges[i].kind == EDGE_REFERENCE &&
            text_eq(g->edges[i].from.service, c->item->service) &&
            text_eq(g->edges[i].from.name, r->name) &&
            text_eq(g->edges[i].from.column, c->column->name))
            return true;
    return false;
}

/* The service's own table wins; else every service that has one is suggested, less surely. */
static void suggest(struct suggestions *s, const struct candidate *c, const char *base, int less)
{
    struct key *first = NULL;
    size_t own = 0, others = 0;

    HASH_FIND_STR(s->keys, base, first);
    for (const struct key *k = first; k; k = k->next)
        if (k->column && k->relation != c->relation && type_match(c->column->type, k->column->type))
            *(k->item == c->item ? &own : &others) += 1;
    for (const struct key *k = first; k; k = k->next) {
        int match = k->column ? type_match(c->column->type, k->column->type) - less : 0;

        if (match <= 0 || k->relation == c->relation || (own && k->item != c->item))
            continue;
        graph_add(s->b, (struct graph_edge){ .from = { .service = c->item->service,
                                                       .schema = c->relation->schema,
                                                       .name = c->relation->name,
                                                       .column = c->column->name },
                                             .to = { .service = k->item->service,
                                                     .schema = k->relation->schema,
                                                     .name = k->relation->name,
                                                     .column = k->column->name },
                                             .kind = EDGE_SUGGESTED,
                                             .evidence = "name and type match",
                                             .confidence = match / (int)(own ? own : others) });
    }
}

static void suggest_column(struct suggestions *s, const struct candidate *c)
{
    const char *base = base_of(s->tmp, c->column->name);
    struct key *key = NULL;

    if (!base || is_settled(s, c))
        return;
    HASH_FIND_STR(s->keys, base, key);
    const char *last = strrchr(base, '_');
    if (key)
        suggest(s, c, base, 0);
    else if (last)
        suggest(s, c, last + 1, LAST_WORD);
}

void graph_find_suggestions(struct builder *b)
{
    SCOPE(tmp);
    struct suggestions s = { .b = b, .tmp = tmp };
    const struct graph *g = b->graph;

    for (size_t i = 0; i < g->catalog_count; i++)
        for (size_t j = 0; j < g->catalogs[i].catalog->relation_count; j++)
            add_key(&s, &g->catalogs[i], &g->catalogs[i].catalog->relations[j]);
    for (size_t i = 0; i < g->catalog_count; i++)
        for (size_t j = 0; j < g->catalogs[i].catalog->relation_count; j++) {
            const struct relation *r = &g->catalogs[i].catalog->relations[j];

            for (size_t k = 0; k < r->column_count && strchr("rp", r->kind) && !r->partition_bound;
                 k++)
                suggest_column(&s, &(struct candidate){ &g->catalogs[i], r, &r->columns[k] });
        }
    HASH_CLEAR(hh, s.keys);
}
