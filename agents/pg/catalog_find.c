#include <stdlib.h>
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"
#include "agents/pg/catalog.h"

static int compare_relation(const void *a, const void *b)
{
    const struct relation *x = a, *y = b;
    int order = text_cmp(x->schema, y->schema);

    return order ? order : text_cmp(x->name, y->name);
}

/* Sorted as a rule; a caller that simulates steps may have appended or renamed. */
static struct relation *find_relation(const struct catalog *catalog, const char *schema,
                                      const char *name)
{
    struct relation key = { .schema = schema, .name = name };
    struct relation *found = NULL;

    if (catalog->relation_count)
        found = bsearch(&key, catalog->relations, catalog->relation_count, sizeof key,
                        compare_relation);
    for (size_t i = 0; !found && i < catalog->relation_count; i++)
        if (compare_relation(&catalog->relations[i], &key) == 0)
            found = &catalog->relations[i];
    return found;
}

const char *catalog_path_next(const void *ctx, const char **rest)
{
    const char *s = *rest + strspn(*rest, ", ");
    struct text piece = text_init(ctx, TEXT_LINE);
    bool quoted = *s == '"';

    if (!*s)
        return NULL;
    for (s += quoted; *s && (quoted ? *s != '"' || s[1] == '"' : !strchr(", ", *s)); s++) {
        text_addc(&piece, *s);
        if (quoted && *s == '"')
            s++;
    }
    *rest = *s ? s + 1 : s;
    return piece.data;
}

struct relation *catalog_relation(const struct catalog *catalog, const char *schema,
                                  const char *name)
{
    SCOPE(tmp);
    const char *rest = catalog->search_path ? catalog->search_path : "public";
    struct relation *found = NULL;

    if (schema)
        return find_relation(catalog, schema, name);
    while (!found && (schema = catalog_path_next(tmp, &rest)))
        found = find_relation(catalog, schema, name);
    /* Tools read with a path of their own: a name that exists once is still clear. */
    size_t same = 0;
    for (size_t i = 0; !found && i < catalog->relation_count; i++)
        same += text_eq(catalog->relations[i].name, name);
    for (size_t i = 0; same == 1 && i < catalog->relation_count; i++)
        if (text_eq(catalog->relations[i].name, name))
            found = &catalog->relations[i];
    return found;
}

const char *catalog_default_schema(const void *ctx, const struct catalog *catalog)
{
    SCOPE(tmp);
    const char *rest = catalog->search_path ? catalog->search_path : "public", *schema;

    while ((schema = catalog_path_next(tmp, &rest)))
        for (size_t i = 0; i < catalog->schema_count; i++)
            if (text_eq(catalog->schemas[i].name, schema))
                return mem_text(ctx, schema);
    return mem_text(ctx, "public");
}

struct column *relation_column(const struct relation *relation, const char *name)
{
    for (size_t i = 0; i < relation->column_count; i++)
        if (text_eq(relation->columns[i].name, name))
            return &relation->columns[i];
    return NULL;
}

struct constraint *relation_constraint(const struct relation *relation, const char *name)
{
    for (size_t i = 0; i < relation->constraint_count; i++)
        if (text_eq(relation->constraints[i].name, name))
            return &relation->constraints[i];
    return NULL;
}

struct index *relation_index(const struct relation *relation, const char *name)
{
    for (size_t i = 0; i < relation->index_count; i++)
        if (text_eq(relation->indexes[i].name, name))
            return &relation->indexes[i];
    return NULL;
}

struct constraint *relation_primary_key(const struct relation *relation)
{
    for (size_t i = 0; i < relation->constraint_count; i++)
        if (relation->constraints[i].kind == 'p')
            return &relation->constraints[i];
    return NULL;
}

/* --- order ---------------------------------------------------------------------------------- */

static int compare_column(const void *a, const void *b)
{
    const struct column *x = a, *y = b;

    return (x->number > y->number) - (x->number < y->number);
}

/* Every other struct that has a name has it first, or after its schema. */
static int compare_first(const void *a, const void *b)
{
    return text_cmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_two(const void *a, const void *b)
{
    const char *const *x = a;
    const char *const *y = b;
    int order = text_cmp(x[0], y[0]);

    return order ? order : text_cmp(x[1], y[1]);
}

static int compare_function(const void *a, const void *b)
{
    const struct function *x = a, *y = b;
    int order = compare_two(a, b);

    return order ? order : text_cmp(x->arguments, y->arguments);
}

static int compare_history(const void *a, const void *b)
{
    const struct migration_history *x = a, *y = b;
    int order = text_cmp(x->schema, y->schema);

    return order ? order : text_cmp(x->table, y->table);
}

static void texts_sort(struct catalog_texts *texts)
{
    if (texts->count > 1)
        qsort((void *)texts->items, texts->count, sizeof *texts->items, compare_first);
}

#define SORT(list, count, compare)                           \
    do {                                                     \
        if ((count) > 1)                                     \
            qsort((list), (count), sizeof *(list), compare); \
    } while (0)

static void relation_sort(struct relation *r)
{
    SORT(r->columns, r->column_count, compare_column);
    SORT(r->constraints, r->constraint_count, compare_first);
    SORT(r->indexes, r->index_count, compare_first);
    SORT(r->triggers, r->trigger_count, compare_first);
    SORT(r->policies, r->policy_count, compare_first);
    texts_sort(&r->acl);
    texts_sort(&r->rules);
    texts_sort(&r->statistics);
    texts_sort(&r->options);
    texts_sort(&r->reads);
    for (size_t i = 0; i < r->column_count; i++)
        texts_sort(&r->columns[i].acl);
    for (size_t i = 0; i < r->policy_count; i++)
        texts_sort(&r->policies[i].roles);
}

void catalog_sort(struct catalog *c)
{
    for (size_t i = 0; i < c->relation_count; i++)
        relation_sort(&c->relations[i]);
    SORT(c->relations, c->relation_count, compare_relation);
    SORT(c->schemas, c->schema_count, compare_first);
    SORT(c->types, c->type_count, compare_two);
    SORT(c->functions, c->function_count, compare_function);
    SORT(c->sequences, c->sequence_count, compare_two);
    SORT(c->extensions, c->extension_count, compare_first);
    SORT(c->servers, c->server_count, compare_first);
    SORT(c->publications, c->publication_count, compare_first);
    SORT(c->subscriptions, c->subscription_count, compare_first);
    SORT(c->histories, c->history_count, compare_history);
    SORT(c->unreadable, c->unreadable_count, compare_two);
    for (size_t i = 0; i < c->schema_count; i++)
        texts_sort(&c->schemas[i].acl);
    for (size_t i = 0; i < c->type_count; i++) {
        texts_sort(&c->types[i].acl);
        texts_sort(&c->types[i].constraints);
    }
    for (size_t i = 0; i < c->function_count; i++) {
        texts_sort(&c->functions[i].acl);
        texts_sort(&c->functions[i].reads);
    }
    for (size_t i = 0; i < c->sequence_count; i++)
        texts_sort(&c->sequences[i].acl);
    for (size_t i = 0; i < c->publication_count; i++)
        texts_sort(&c->publications[i].tables);
}
