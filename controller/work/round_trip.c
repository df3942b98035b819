#include "controller/work/round_trip.h"

#include <stdint.h>
#include <string.h>

#include "agents/base/text.h"

static const char opening[] = "((ARRAY[", closing[] = "])::text[])", cast[] = "::character varying";

/* Behind the literal that starts here, or null. */
static const char *past_literal(const char *at)
{
    if (*at != '\'') {
        return NULL;
    }
    for (at++; *at; at++) {
        if (*at == '\'' && *++at != '\'') {
            return at;
        }
    }
    return NULL;
}

/* The end of the list 'a'::character varying, … that starts here; null: it is another one. */
static const char *past_list(const char *at)
{
    for (;;) {
        at = past_literal(at);
        if (!at || !text_starts(at, cast)) {
            return NULL;
        }
        at += strlen(cast);
        if (!text_starts(at, ", ")) {
            return text_starts(at, closing) ? at : NULL;
        }
        at += 2;
    }
}

const char *round_trip(const void *ctx, const char *text)
{
    const char *found = text ? strstr(text, opening) : NULL;
    if (!found) {
        return text;
    }
    struct text out = text_init(ctx, TEXT_SQL);
    const char *rest = text;
    for (; found; found = strstr(found + 1, opening)) {
        const char *list = found + strlen(opening), *end = past_list(list);
        if (end) {
            text_addf(&out, "%.*s(ARRAY[%.*s])", (int)(found - rest), rest, (int)(end - list),
                      list);
            rest = end + strlen(closing);
        }
    }
    text_add(&out, rest);
    return out.data;
}

static void each_text(const void *ctx, struct catalog_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++) {
        ((const char **)(uintptr_t)texts->items)[i] = round_trip(ctx, texts->items[i]);
    }
}

static void hangers(const void *ctx, struct relation *relation)
{
    for (size_t i = 0; i < relation->trigger_count; i++) {
        struct trigger *trigger = &relation->triggers[i];
        trigger->definition = round_trip(ctx, trigger->definition);
    }
    for (size_t i = 0; i < relation->policy_count; i++) {
        struct policy *policy = &relation->policies[i];
        policy->using_expr = round_trip(ctx, policy->using_expr);
        policy->check_expr = round_trip(ctx, policy->check_expr);
    }
    each_text(ctx, &relation->rules);
}

void catalog_round_trip(const void *ctx, struct catalog *catalog)
{
    for (size_t i = 0; i < catalog->relation_count; i++) {
        struct relation *relation = &catalog->relations[i];
        relation->definition = round_trip(ctx, relation->definition);
        for (size_t k = 0; k < relation->column_count; k++) {
            relation->columns[k].default_expr = round_trip(ctx, relation->columns[k].default_expr);
        }
        for (size_t k = 0; k < relation->constraint_count; k++) {
            relation->constraints[k].definition =
                round_trip(ctx, relation->constraints[k].definition);
        }
        for (size_t k = 0; k < relation->index_count; k++) {
            struct index *index = &relation->indexes[k];
            index->definition = round_trip(ctx, index->definition);
            index->predicate = round_trip(ctx, index->predicate);
        }
        hangers(ctx, relation);
    }
    for (size_t i = 0; i < catalog->type_count; i++) {
        each_text(ctx, &catalog->types[i].constraints);
    }
}
