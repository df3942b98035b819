/*
 * What an intent leaves behind in the catalog, as far as later intents of the same change look at
 * it. The text of definitions follows a rename by tokens.
 */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/work/column_map.h"
#include "controller/work/model.h"

struct catalog_texts texts_of(const struct work *work, const char *const *items, size_t count)
{
    const char **copy = mem_array(work->ctx, const char *, count);
    for (size_t i = 0; i < count; i++) {
        copy[i] = mem_text(work->ctx, items[i]);
    }
    return (struct catalog_texts){ copy, count };
}

bool texts_have(const struct catalog_texts *texts, const char *name)
{
    for (size_t i = 0; i < texts->count; i++) {
        if (text_eq(texts->items[i], name)) {
            return true;
        }
    }
    return false;
}

/* The catalog's arrays may be of any length and owner: grown ones are copies. */
#define GROWN(work, type, list, count, added)                   \
    do {                                                        \
        type *copy = mem_array((work)->ctx, type, (count) + 1); \
        mem_copy(copy, (list), (count) * sizeof(type));         \
        copy[(count)] = (added);                                \
        (list) = copy;                                          \
        (count)++;                                              \
    } while (0)

#define REMOVED(list, count, at)                                                      \
    do {                                                                              \
        memmove(&(list)[at], &(list)[(at) + 1], ((count) - (at)-1) * sizeof *(list)); \
        (count)--;                                                                    \
    } while (0)

struct column *model_add_column(const struct work *work, struct relation *relation,
                                const struct column *column)
{
    struct column added = *column;
    added.statistics = -1;
    added.number =
        relation->column_count ? relation->columns[relation->column_count - 1].number + 1 : 1;
    GROWN(work, struct column, relation->columns, relation->column_count, added);
    return &relation->columns[relation->column_count - 1];
}

void model_add_constraint(const struct work *work, struct relation *relation,
                          const struct constraint *constraint)
{
    GROWN(work, struct constraint, relation->constraints, relation->constraint_count, *constraint);
}

void model_add_index(const struct work *work, struct relation *relation, const struct index *index)
{
    GROWN(work, struct index, relation->indexes, relation->index_count, *index);
}

struct relation *model_add_relation(const struct work *work, struct state *state,
                                    const struct relation *relation)
{
    struct catalog *catalog = state->catalog;
    GROWN(work, struct relation, catalog->relations, catalog->relation_count, *relation);
    return &catalog->relations[catalog->relation_count - 1];
}

void model_drop_relation(const struct work *work, struct state *state,
                         const struct relation *relation)
{
    struct catalog *catalog = state->catalog;
    size_t at = (size_t)(relation - catalog->relations);
    (void)work;
    REMOVED(catalog->relations, catalog->relation_count, at);
}

void model_drop_constraint(const struct work *work, struct relation *relation, const char *name)
{
    for (size_t i = relation->constraint_count; i-- > 0;) {
        if (text_eq(relation->constraints[i].name, name)) {
            const char *index = relation->constraints[i].index;
            bool owns = strchr("pux", relation->constraints[i].kind) != NULL;
            REMOVED(relation->constraints, relation->constraint_count, i);
            if (owns && index) {
                model_drop_index(work, relation, index);
            }
        }
    }
}

void model_drop_index(const struct work *work, struct relation *relation, const char *name)
{
    (void)work;
    for (size_t i = relation->index_count; i-- > 0;) {
        if (text_eq(relation->indexes[i].name, name)) {
            REMOVED(relation->indexes, relation->index_count, i);
        }
    }
}

void model_drop_column(const struct work *work, struct state *state, struct relation *relation,
                       const char *name)
{
    for (size_t i = relation->index_count; i-- > 0;) {
        if (index_has_column(&relation->indexes[i], name)) {
            REMOVED(relation->indexes, relation->index_count, i);
        }
    }
    for (size_t i = relation->constraint_count; i-- > 0;) {
        if (texts_have(&relation->constraints[i].columns, name)) {
            REMOVED(relation->constraints, relation->constraint_count, i);
        }
    }
    for (size_t i = relation->column_count; i-- > 0;) {
        if (text_eq(relation->columns[i].name, name)) {
            REMOVED(relation->columns, relation->column_count, i);
        }
    }
    struct step_texts statistics = { 0 };
    for (size_t i = 0; i < relation->statistics.count; i++) {
        if (!column_mentioned(relation->statistics.items[i], name)) {
            step_texts_add(work->ctx, &statistics, relation->statistics.items[i]);
        }
    }
    relation->statistics = (struct catalog_texts){ statistics.items, statistics.count };
    struct relation **children;
    size_t count = relation_children(work, state, relation, &children);
    for (size_t i = 0; i < count; i++) {
        model_drop_column(work, state, children[i], name);
    }
}

void model_add_type(const struct work *work, struct state *state, const struct type *type)
{
    struct catalog *catalog = state->catalog;
    GROWN(work, struct type, catalog->types, catalog->type_count, *type);
}

void model_drop_type(struct state *state, const struct type *type)
{
    struct catalog *catalog = state->catalog;
    size_t at = (size_t)(type - catalog->types);
    REMOVED(catalog->types, catalog->type_count, at);
}

void model_add_function(const struct work *work, struct state *state,
                        const struct function *function)
{
    struct catalog *catalog = state->catalog;
    GROWN(work, struct function, catalog->functions, catalog->function_count, *function);
}

void model_drop_function(struct state *state, const struct function *function)
{
    struct catalog *catalog = state->catalog;
    size_t at = (size_t)(function - catalog->functions);
    REMOVED(catalog->functions, catalog->function_count, at);
}

const struct function *model_function(const struct state *state, const char *schema,
                                      const char *name, size_t *count)
{
    const struct function *found = NULL;
    *count = 0;
    for (size_t i = 0; i < state->catalog->function_count; i++) {
        const struct function *f = &state->catalog->functions[i];
        if (text_eq(f->name, name) && (!schema || text_eq(f->schema, schema))) {
            found = f;
            (*count)++;
        }
    }
    return found;
}

void model_add_sequence(const struct work *work, struct state *state,
                        const struct sequence *sequence)
{
    struct catalog *catalog = state->catalog;
    GROWN(work, struct sequence, catalog->sequences, catalog->sequence_count, *sequence);
}

void model_drop_sequence(struct state *state, const struct sequence *sequence)
{
    struct catalog *catalog = state->catalog;
    size_t at = (size_t)(sequence - catalog->sequences);
    REMOVED(catalog->sequences, catalog->sequence_count, at);
}

void model_add_trigger(const struct work *work, struct relation *relation,
                       const struct trigger *trigger)
{
    for (size_t i = relation->trigger_count; i-- > 0;) {
        if (text_eq(relation->triggers[i].name, trigger->name)) {
            REMOVED(relation->triggers, relation->trigger_count, i);
        }
    }
    GROWN(work, struct trigger, relation->triggers, relation->trigger_count, *trigger);
}

void model_drop_trigger(struct relation *relation, const struct trigger *trigger)
{
    size_t at = (size_t)(trigger - relation->triggers);
    REMOVED(relation->triggers, relation->trigger_count, at);
}

void model_drop_policy(struct relation *relation, const struct policy *policy)
{
    size_t at = (size_t)(policy - relation->policies);
    REMOVED(relation->policies, relation->policy_count, at);
}

static struct catalog_texts renamed_texts(const struct work *work,
                                          const struct catalog_texts *texts, const char *from,
                                          const char *to)
{
    struct catalog_texts copy = texts_of(work, texts->items, texts->count);
    for (size_t i = 0; i < copy.count; i++) {
        if (text_eq(copy.items[i], from)) {
            ((const char **)(uintptr_t)copy.items)[i] = mem_text(work->ctx, to);
        }
    }
    return copy;
}

static void rename_hangers(const struct work *work, struct relation *relation,
                           const struct column_maps *maps)
{
    struct catalog_texts statistics =
        texts_of(work, relation->statistics.items, relation->statistics.count);
    for (size_t i = 0; i < relation->trigger_count; i++) {
        relation->triggers[i].definition =
            columns_mapped(work->ctx, relation->triggers[i].definition, maps);
    }
    for (size_t i = 0; i < relation->policy_count; i++) {
        struct policy *policy = &relation->policies[i];
        policy->using_expr =
            policy->using_expr ? columns_mapped(work->ctx, policy->using_expr, maps) : NULL;
        policy->check_expr =
            policy->check_expr ? columns_mapped(work->ctx, policy->check_expr, maps) : NULL;
    }
    for (size_t i = 0; i < statistics.count; i++) {
        ((const char **)(uintptr_t)statistics.items)[i] =
            columns_mapped(work->ctx, statistics.items[i], maps);
    }
    relation->statistics = statistics;
}

/* PostgreSQL rewrites the views; what they look like then is not known here. */
static void rename_in_views(const struct work *work, struct state *state, const char *from,
                            const char *to)
{
    for (size_t i = 0; i < state->catalog->relation_count; i++) {
        struct relation *view = &state->catalog->relations[i];
        if (texts_have(&view->reads, from)) {
            view->reads = renamed_texts(work, &view->reads, from, to);
            view->definition = NULL;
        }
    }
}

static void rename_in(const struct work *work, struct relation *relation, const char *from,
                      const char *to)
{
    struct column_map map = { from, ident(work, to) };
    const struct column_maps maps = { &map, 1 };
    rename_hangers(work, relation, &maps);
    for (size_t i = 0; i < relation->column_count; i++) {
        if (text_eq(relation->columns[i].name, from)) {
            relation->columns[i].name = mem_text(work->ctx, to);
        }
        if (relation->columns[i].generated) {
            relation->columns[i].default_expr =
                columns_mapped(work->ctx, relation->columns[i].default_expr, &maps);
        }
    }
    for (size_t i = 0; i < relation->constraint_count; i++) {
        struct constraint *constraint = &relation->constraints[i];
        if (texts_have(&constraint->columns, from)) {
            constraint->columns = renamed_texts(work, &constraint->columns, from, to);
            constraint->definition = columns_mapped(work->ctx, constraint->definition, &maps);
        }
    }
    for (size_t i = 0; i < relation->index_count; i++) {
        struct index *index = &relation->indexes[i];
        if (index_has_column(index, from)) {
            index->columns = renamed_texts(work, &index->columns, from, to);
            index->definition = columns_mapped(work->ctx, index->definition, &maps);
        }
    }
}

void model_rename_column(const struct work *work, struct state *state, struct relation *relation,
                         const char *from, const char *to)
{
    struct relation **children;
    size_t count = relation_children(work, state, relation, &children);
    rename_in(work, relation, from, to);
    for (size_t i = 0; i < count; i++) {
        model_rename_column(work, state, children[i], from, to);
    }
    struct catalog *catalog = state->catalog;
    rename_in_views(work, state, column_key(work, relation, from), column_key(work, relation, to));
    for (size_t i = 0; i < catalog->relation_count; i++) {
        struct relation *other = &catalog->relations[i];
        for (size_t k = 0; k < other->constraint_count; k++) {
            struct constraint *key = &other->constraints[k];
            if (key->kind == 'f' && text_eq(key->ref_schema, relation->schema) &&
                text_eq(key->ref_table, relation->name)) {
                key->ref_columns = renamed_texts(work, &key->ref_columns, from, to);
            }
        }
    }
}

bool index_has_column(const struct index *index, const char *column)
{
    for (size_t i = 0; i < index->columns.count; i++) {
        if (text_eq(index->columns.items[i], column)) {
            return true;
        }
    }
    if (!index->has_expressions && !index->predicate) {
        return false;
    }
    const char *using = text_from_keyword(index->definition, "USING");
    return using && column_mentioned(using, column);
}
