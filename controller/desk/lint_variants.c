#include "controller/desk/lint_variants.h"

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/desk/lint_grammar.h"

struct group {
    struct catalog *catalog;
    const char *fingerprint, *first;
    size_t count;
};

/* The same definitions in the same order: only statistics differ. */
static void rows_raise(struct catalog *into, const struct catalog *from)
{
    for (size_t i = 0; i < into->relation_count && i < from->relation_count; i++) {
        struct relation *r = &into->relations[i];
        const struct relation *other = &from->relations[i];
        bool same = text_eq(r->schema, other->schema) && text_eq(r->name, other->name);
        if (same && other->rows > r->rows) {
            r->rows = other->rows;
            r->bytes = other->bytes > r->bytes ? other->bytes : r->bytes;
        }
    }
}

static struct group *group_of(struct group *groups, size_t count, const struct catalog *catalog,
                              const char *fingerprint)
{
    for (size_t i = 0; i < count; i++) {
        if (groups[i].catalog->server_version / 10000 == catalog->server_version / 10000 &&
            text_eq(groups[i].fingerprint, fingerprint)) {
            return &groups[i];
        }
    }
    return NULL;
}

static const char *where(const void *ctx, const struct group *g)
{
    const char *more = g->count > 1 ? mem_printf(ctx, " and %zu more", g->count - 1) : "";
    return mem_printf(ctx, "%s%s (PostgreSQL %d)", g->first, more,
                      g->catalog->server_version / 10000);
}

static void ask_set(const void *ctx, const struct instance *instance, struct lint_variant *variant)
{
    struct lint_options asking = { 0 };
    if (instance) {
        lint_grammar_of_instance(ctx, instance, &asking);
        variant->ask = asking.ask;
        variant->ask_data = asking.ask_data;
    }
}

void lint_variants_find(const void *ctx, const struct catalogs *catalogs, const char *service,
                        bool live, struct lint_variants *out)
{
    struct group *groups = mem_array(ctx, struct group, catalogs->count);
    out->items = mem_array(ctx, struct lint_variant, catalogs->count);
    for (size_t i = 0; i < catalogs->count; i++) {
        const struct service_catalog *item = &catalogs->items[i];
        if (service && !text_eq(item->service, service)) {
            continue;
        }
        const char *fingerprint = catalog_fingerprint(ctx, item->catalog);
        struct group *g = group_of(groups, out->count, item->catalog, fingerprint);
        if (g) {
            rows_raise(g->catalog, item->catalog);
            g->count++;
            continue;
        }
        groups[out->count] = (struct group){ catalog_copy(ctx, item->catalog), fingerprint,
                                             item->instance ? item->instance : item->service, 1 };
        ask_set(ctx, live ? lint_grammar_instance(ctx, catalogs, item) : NULL,
                &out->items[out->count++]);
    }
    for (size_t i = 0; i < out->count; i++) {
        out->items[i].catalog = groups[i].catalog;
        out->items[i].where = where(ctx, &groups[i]);
    }
}
