/* Names that change in place: what else carries them in the model. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/work/column_map.h"
#include "controller/work/model.h"
#include "controller/work/types.h"

/* The text with every "schema.from" (and quoted forms of it) saying "to". */
static const char *said_anew(const struct work *work, const char *text,
                             const struct relation *relation, const char *to)
{
    struct text t = text_init(work->ctx, TEXT_SQL);
    const char *done = text;
    for (struct sql_piece p = sql_piece_next(work->ctx, text); p.length > 0;
         p = sql_piece_next(work->ctx, p.start + p.length)) {
        if (p.word && text_eq(p.name, relation->name)) {
            text_addn(&t, done, (size_t)(p.start - done));
            text_add(&t, ident(work, to));
            done = p.start + p.length;
        }
    }
    text_add(&t, done);
    return t.data;
}

static void readers_follow(const struct work *work, struct state *state,
                           const struct relation *relation, const char *to)
{
    const char *old = say(work, "%s.", relation_key(work, relation));
    const char *now = object_name_join(work->ctx, relation->schema, to);
    for (size_t i = 0; i < state->catalog->relation_count; i++) {
        struct relation *view = &state->catalog->relations[i];
        const char **reads = mem_array(work->ctx, const char *, view->reads.count);
        bool moved = false;
        for (size_t k = 0; k < view->reads.count; k++) {
            bool mine = text_starts(view->reads.items[k], old);
            reads[k] = mine ? say(work, "%s.%s", now, view->reads.items[k] + strlen(old))
                            : view->reads.items[k];
            moved = moved || mine;
        }
        if (moved) {
            view->reads.items = reads;
            view->definition =
                view->definition ? said_anew(work, view->definition, relation, to) : NULL;
        }
    }
}

void model_rename_relation(const struct work *work, struct state *state, struct relation *relation,
                           const char *to)
{
    struct catalog *catalog = state->catalog;
    const char *key = relation_key(work, relation);
    const char *now = object_name_join(work->ctx, relation->schema, to);
    readers_follow(work, state, relation, to);
    for (size_t i = 0; i < catalog->relation_count; i++) {
        struct relation *other = &catalog->relations[i];
        other->parent = text_eq(other->parent, key) ? now : other->parent;
        for (size_t k = 0; k < other->constraint_count; k++) {
            struct constraint *c = &other->constraints[k];
            if (c->kind == 'f' && text_eq(c->ref_table, relation->name) &&
                text_eq(c->ref_schema, relation->schema)) {
                c->ref_table = to;
                c->definition = said_anew(work, c->definition, relation, to);
            }
        }
    }
    for (size_t i = 0; i < catalog->sequence_count; i++) {
        struct sequence *q = &catalog->sequences[i];
        q->owned_table = text_eq(q->owned_table, key) ? now : q->owned_table;
    }
    for (size_t i = 0; i < relation->trigger_count; i++) {
        relation->triggers[i].definition =
            said_anew(work, relation->triggers[i].definition, relation, to);
    }
    for (size_t i = 0; i < relation->index_count; i++) {
        relation->indexes[i].definition =
            said_anew(work, relation->indexes[i].definition, relation, to);
    }
    relation->name = mem_text(work->ctx, to);
}

void model_rename_constraint(struct relation *relation, const char *from, const char *to)
{
    for (size_t i = 0; i < relation->constraint_count; i++) {
        struct constraint *c = &relation->constraints[i];
        if (!text_eq(c->name, from)) {
            continue;
        }
        c->name = to;
        for (size_t k = 0; k < relation->index_count && c->kind != 'f'; k++) {
            struct index *index = &relation->indexes[k];
            if (text_eq(index->name, c->index)) {
                index->name = index->constraint = to;
            }
        }
        c->index = c->kind == 'f' ? c->index : c->index ? to : NULL;
    }
}

void model_rename_index(struct state *state, const char *from, const char *to)
{
    for (size_t i = 0; i < state->catalog->relation_count; i++) {
        struct relation *relation = &state->catalog->relations[i];
        struct index *index = relation_index(relation, from);
        if (!index) {
            continue;
        }
        for (size_t k = 0; k < relation->constraint_count; k++) {
            struct constraint *c = &relation->constraints[k];
            if (text_eq(c->index, from) && c->kind != 'f') {
                c->index = to;
                c->name = index->constraint ? to : c->name;
                index->constraint = index->constraint ? to : NULL;
            }
        }
        index->name = to;
    }
}

/* The text with every cast to the type saying "to"; a column may have its name. */
static const char *cast_anew(const struct work *work, const char *text, const struct type *type,
                             const char *to)
{
    if (!text || !type_mentioned(work, text, type)) {
        return text;
    }
    struct text t = text_init(work->ctx, TEXT_SQL);
    const char *done = text;
    bool cast = false, schema = false;
    for (struct sql_piece p = sql_piece_next(work->ctx, text); p.length > 0;
         p = sql_piece_next(work->ctx, p.start + p.length)) {
        if (cast && p.word && text_eq(p.name, type->name)) {
            text_addn(&t, done, (size_t)(p.start - done));
            text_add(&t, ident(work, to));
            done = p.start + p.length;
        }
        bool dot = schema && *p.start == '.';
        schema = cast && p.word && text_eq(p.name, type->schema);
        cast = schema || dot || (p.length == 2 && text_starts(p.start, "::"));
    }
    text_add(&t, done);
    return t.data;
}

static void casts_follow(const struct work *work, struct relation *relation,
                         const struct type *type, const char *to)
{
    relation->definition = cast_anew(work, relation->definition, type, to);
    for (size_t i = 0; i < relation->index_count; i++) {
        struct index *index = &relation->indexes[i];
        index->definition = cast_anew(work, index->definition, type, to);
        index->predicate = cast_anew(work, index->predicate, type, to);
    }
    for (size_t i = 0; i < relation->constraint_count; i++) {
        struct constraint *c = &relation->constraints[i];
        c->definition = cast_anew(work, c->definition, type, to);
    }
    for (size_t i = 0; i < relation->policy_count; i++) {
        struct policy *policy = &relation->policies[i];
        policy->using_expr = cast_anew(work, policy->using_expr, type, to);
        policy->check_expr = cast_anew(work, policy->check_expr, type, to);
    }
    for (size_t i = 0; i < relation->trigger_count; i++) {
        struct trigger *trigger = &relation->triggers[i];
        trigger->definition = cast_anew(work, trigger->definition, type, to);
    }
}

void model_rename_type(const struct work *work, struct state *state, struct type *type,
                       const char *to)
{
    struct catalog *catalog = state->catalog;
    const char *now = name_sql(work, type->schema, to);
    for (size_t i = 0; i < catalog->relation_count; i++) {
        struct relation *relation = &catalog->relations[i];
        casts_follow(work, relation, type, to);
        for (size_t k = 0; k < relation->column_count; k++) {
            struct column *c = &relation->columns[k];
            const char *array = strchr(c->type, '[');
            if (!type_is(work, c->type, type)) {
                continue;
            }
            c->type = say(work, "%s%s", now, array ? array : "");
            if (c->default_expr) {
                struct relation named = { .name = type->name };
                c->default_expr = said_anew(work, c->default_expr, &named, to);
            }
        }
    }
    type->name = to;
}
