/*
 * change_type: the exchange. One transaction a service, all tables locked first by one LOCK in the
 * order of their names, then only changes of the catalog: names, keys by indexes that are ready,
 * defaults, sequences, views. Every action is written together with its opposite; the way back is
 * the opposites in exact reverse, so that what one relies on is there for the other.
 */
#include <stdlib.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/family/partitioned.h"
#include "controller/family/recall.h"
#include "controller/family/retype.h"
#include "controller/family/swap.h"

static const char *not_valid(const struct swap *s, const char *definition)
{
    return text_ends(definition, " NOT VALID") ? definition
                                               : say(s->work, "%s NOT VALID", definition);
}

/* --- before the names change ---------------------------------------------------------------- */

typedef void (*key_action)(struct swap *s, struct relation *relation, const struct constraint *key);

static void each_key_in(struct swap *s, key_action action)
{
    const struct catalog *catalog = s->r->state->catalog;
    for (size_t i = 0; i < catalog->relation_count; i++) {
        struct relation *relation = &catalog->relations[i];
        for (size_t k = 0; k < relation->constraint_count && !relation->partition_bound; k++) {
            if (key_points_here(s->r, &relation->constraints[k])) {
                action(s, relation, &relation->constraints[k]);
            }
        }
    }
}

/* The old key rests on the old unique index; going back it is made again without a scan. */
static void old_key_goes(struct swap *s, struct relation *relation, const struct constraint *key)
{
    /* of a partitioned table it cannot be NOT VALID: going back reads it */
    swap_act(s, swap_drop_constraint(s, relation, key->name),
             swap_add_constraint(s, relation, key->name,
                                 relation->kind == 'p' ? key->definition
                                                       : not_valid(s, key->definition)));
}

/* The partitions' keys have names of their own: the one that is like the whole's. */
static const char *leaf_key(const struct relation *leaf, const struct constraint *key)
{
    for (size_t i = 0; i < leaf->constraint_count; i++) {
        const struct constraint *c = &leaf->constraints[i];
        if (c->kind == 'f' && text_eq(c->definition, key->definition)) {
            return c->name;
        }
    }
    return key->name;
}

/* The key's own name at each relation of the family gets or loses the suffix. */
static void rename_key(struct swap *s, struct relation *relation, const struct constraint *key,
                       const char *from, const char *to)
{
    struct relation **leaves;
    size_t count =
        relation->kind == 'p' ? relation_leaves(s->work, s->r->state, relation, &leaves) : 0;
    const char *names[2] = { *from ? twin_name(s->r, relation, key->name, from) : key->name,
                             *to ? twin_name(s->r, relation, key->name, to) : key->name };
    swap_act(s, swap_rename_constraint(s, relation, names[0], names[1]),
             text_eq(to, "") && key_points_here(s->r, key)
                 ? NULL
                 : swap_rename_constraint(s, relation, names[1], names[0]));
    for (size_t i = 0; i < count; i++) {
        const char *own = leaf_key(leaves[i], key);
        const char *a =
            *from ? (text_eq(from, "_new") ? names[0] : say(s->work, "%s%s", own, from)) : own;
        const char *b = *to ? say(s->work, "%s%s", own, to) : own;
        if (!text_eq(a, b)) {
            swap_act(s, swap_rename_constraint(s, leaves[i], a, b),
                     text_eq(to, "") && key_points_here(s->r, key)
                         ? NULL
                         : swap_rename_constraint(s, leaves[i], b, a));
        }
    }
}

static void new_key_comes(struct swap *s, struct relation *relation, const struct constraint *key)
{
    swap_act(s, NULL, swap_drop_constraint(s, relation, key->name));
    rename_key(s, relation, key, "_new", "");
}

static bool owns_index(const struct constraint *c)
{
    return c->kind == 'p' || c->kind == 'u';
}

static const char *by_index(const struct swap *s, const struct constraint *c, const char *index)
{
    return say(s->work, "%s USING INDEX %s%s", c->kind == 'p' ? "PRIMARY KEY" : "UNIQUE",
               ident(s->work, index), "");
}

/* Statements in order; the opposites come out in reverse. */
static void act_all(struct swap *s, const struct step_texts *list, bool up)
{
    for (size_t i = 0; i < list->count; i++) {
        if (up) {
            swap_act(s, list->items[i], NULL);
        } else {
            swap_act(s, NULL, list->items[list->count - 1 - i]);
        }
    }
}

static void old_spread_goes(struct swap *s, struct relation *relation, const struct constraint *c)
{
    struct step_texts join = { 0 };
    const struct column_maps none = { 0 };
    const struct index *index = relation_index(relation, c->index);
    spread_join(
        &(struct spread){
            s->work, { s->r->state, relation, PHASE_CONTRACT }, index, &none, "_back" },
        c, &join);
    swap_act(s, swap_drop_constraint(s, relation, c->name), NULL);
    act_all(s, &join, false);
}

static void new_spread_comes(struct swap *s, struct relation *relation, const struct constraint *c)
{
    struct step_texts join = { 0 };
    const struct column_maps none = { 0 };
    const struct index *index = relation_index(relation, c->index);
    spread_join(
        &(struct spread){
            s->work, { s->r->state, relation, PHASE_CONTRACT }, index, &none, "_new" },
        c, &join);
    swap_act(s, NULL, swap_drop_constraint(s, relation, c->name));
    act_all(s, &join, true);
}

static void old_constraints_go(struct swap *s, struct relation *relation)
{
    for (size_t i = 0; i < relation->constraint_count; i++) {
        const struct constraint *c = &relation->constraints[i];
        if (!constraint_concerned(s->r, relation, c)) {
            continue;
        }
        if (owns_index(c) && relation->kind == 'p') {
            old_spread_goes(s, relation, c);
        } else if (owns_index(c)) {
            swap_act(
                s, swap_drop_constraint(s, relation, c->name),
                swap_add_constraint(s, relation, c->name,
                                    by_index(s, c, twin_name(s->r, relation, c->index, "_back"))));
        } else if (c->kind == 'c') {
            swap_act(s, swap_drop_constraint(s, relation, c->name),
                     swap_add_constraint(s, relation, c->name, not_valid(s, c->definition)));
        }
    }
}

/* --- what rests on the new columns ---------------------------------------------------------- */

static void new_constraints_come(struct swap *s, struct relation *relation)
{
    for (size_t i = 0; i < relation->constraint_count; i++) {
        const struct constraint *c = &relation->constraints[i];
        const char *twin = twin_name(s->r, relation, c->name, "_new");
        if (!constraint_concerned(s->r, relation, c)) {
            continue;
        }
        if (owns_index(c) && relation->kind == 'p') {
            new_spread_comes(s, relation, c);
        } else if (owns_index(c)) {
            swap_act(
                s,
                swap_add_constraint(s, relation, c->name,
                                    by_index(s, c, twin_name(s->r, relation, c->index, "_new"))),
                swap_drop_constraint(s, relation, c->name));
        } else if (c->kind == 'c') {
            swap_act(s, swap_rename_constraint(s, relation, twin, c->name),
                     swap_rename_constraint(s, relation, c->name, twin));
        } else if (c->kind == 'f' && !key_points_here(s->r, c)) {
            rename_key(s, relation, c, "", "_old");
            rename_key(s, relation, c, "_new", "");
        }
    }
}

static const char *rename_index(const struct swap *s, const struct relation *relation,
                                const char *from, const char *to)
{
    return say(s->work, "ALTER INDEX %s RENAME TO %s", name_sql(s->work, relation->schema, from),
               ident(s->work, to));
}

static void spread_exchange(struct swap *s, struct relation *relation, const struct index *index,
                            const struct column_maps *maps)
{
    static const char *const steps[][2] = { { "", "_old" }, { "_new", "" } };
    const struct spread spread = {
        s->work, { s->r->state, relation, PHASE_CONTRACT }, index, maps, ""
    };
    for (size_t i = 0; i < 2; i++) {
        struct step_texts up = { 0 }, down = { 0 };
        spread_rename(&spread, steps[i][0], steps[i][1], &up);
        spread_rename(&spread, steps[i][1], steps[i][0], &down);
        act_all(s, &up, true);
        act_all(s, &down, false);
    }
}

static void indexes_exchange(struct swap *s, struct relation *relation)
{
    const struct column_maps maps = retype_map(s->r, relation, false);
    for (size_t i = 0; i < relation->index_count; i++) {
        const struct index *index = &relation->indexes[i];
        if (!index_has_mapped(index, &maps) || index->constraint || !index->valid) {
            continue;
        }
        if (relation->kind == 'p') {
            spread_exchange(s, relation, index, &maps);
            continue;
        }
        const char *old = twin_name(s->r, relation, index->name, "_old");
        const char *twin = twin_name(s->r, relation, index->name, "_new");
        swap_act(s, rename_index(s, relation, index->name, old),
                 rename_index(s, relation, old, index->name));
        /* what it is dressed in at the end stays with the name */
        const char *bare = say(s->work, "COMMENT ON INDEX %s IS NULL",
                               name_sql(s->work, relation->schema, index->name));
        swap_act(s, rename_index(s, relation, twin, index->name),
                 rename_index(s, relation, index->name, twin));
        swap_act(s, NULL, index->comment ? bare : NULL);
    }
}

/* --- the step ------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return text_cmp(*(const char *const *)a, *(const char *const *)b);
}

static void lock_relation(struct swap *s, struct step_texts *names, struct relation *relation)
{
    const char *name = relation_sql(s->work, relation);
    for (size_t i = 0; i < names->count; i++) {
        if (text_eq(names->items[i], name)) {
            return;
        }
    }
    step_texts_add(s->work->ctx, names, name);
    step_lock(s->work, s->step, relation, "ACCESS EXCLUSIVE");
}

/* Every table of the exchange, and those with keys from or to it. */
static const char *lock_statement(struct swap *s)
{
    struct step_texts names = { 0 };
    struct relation **relations;
    const struct catalog *catalog = s->r->state->catalog;
    size_t count = retype_relations(s->r, &relations);
    for (size_t i = 0; i < count; i++) {
        lock_relation(s, &names, relations[i]);
    }
    for (size_t i = 0; i < catalog->relation_count; i++) {
        struct relation *relation = &catalog->relations[i];
        for (size_t k = 0; k < relation->constraint_count && !relation->partition_bound; k++) {
            if (key_points_here(s->r, &relation->constraints[k])) {
                lock_relation(s, &names, relation);
            }
        }
    }
    qsort(names.items, names.count, sizeof *names.items, by_name);
    struct text t = text_init(s->work->ctx, TEXT_SQL);
    for (size_t i = 0; i < names.count; i++) {
        text_addf(&t, "%s%s", i ? ", " : "LOCK TABLE ", names.items[i]);
    }
    text_add(&t, " IN ACCESS EXCLUSIVE MODE");
    return t.data;
}

static void each_target(struct swap *s, void (*action)(struct swap *, const struct target *))
{
    for (size_t i = 0; i < s->r->count; i++) {
        const struct target *t = &s->r->targets[i];
        if (t->state == s->r->state && !t->in_place) {
            action(s, t);
        }
    }
}

/* The trigger keeps its name: what it does turns around. */
static void turn_trigger(struct swap *s, const struct target *t)
{
    swap_act(s, pair_create_function(s->work, &t->after, true),
             pair_create_function(s->work, &t->before, true));
}

static void both_ways(struct swap *s, const char *sql)
{
    if (sql) {
        step_up(s->work, s->step, "%s", sql);
        step_down(s->work, s->step, "%s", sql);
    }
}

/* What is made anew has no comment and no marks; at the end of either way the names are what they
 * were. */
static void comments_again(struct swap *s)
{
    struct relation **relations;
    size_t count = retype_relations(s->r, &relations);
    for (size_t i = 0; i < count; i++) {
        struct relation *relation = relations[i];
        const struct column_maps maps = retype_map(s->r, relation, false);
        for (size_t k = 0; k < relation->constraint_count; k++) {
            if (constraint_concerned(s->r, relation, &relation->constraints[k]) ||
                key_points_here(s->r, &relation->constraints[k])) {
                both_ways(s, constraint_comment(s->work, relation, &relation->constraints[k]));
            }
        }
        for (size_t k = 0; k < relation->index_count; k++) {
            struct step_texts dress = { 0 };
            if (index_has_mapped(&relation->indexes[k], &maps)) {
                index_dress(s->work, relation, &relation->indexes[k], &dress);
            }
            for (size_t d = 0; d < dress.count; d++) {
                both_ways(s, dress.items[d]);
            }
        }
    }
}

static void recall(struct swap *s, const struct target *t)
{
    recall_functions(s->work, s->r->state, t->relation, s->step);
}

static void actions(struct swap *s)
{
    struct relation **relations;
    size_t count = retype_relations(s->r, &relations);
    each_key_in(s, old_key_goes);
    for (size_t i = 0; i < count; i++) {
        old_constraints_go(s, relations[i]);
    }
    each_target(s, swap_exchange_column);
    each_target(s, turn_trigger);
    each_target(s, swap_exchange_values);
    each_target(s, swap_relax);
    for (size_t i = 0; i < count; i++) {
        new_constraints_come(s, relations[i]);
        indexes_exchange(s, relations[i]);
    }
    each_key_in(s, new_key_comes);
}

static void swap_risks(struct swap *s)
{
    struct work *work = s->work;
    step_risk(work, s->step,
              "prepared statements and SELECT * fail once with \"cached plan must "
              "not change result type\"; a prepared parameter keeps its old type: "
              "let the connection pools reconnect right after this step");
    step_risk(work, s->step,
              "INSERT without a list of columns puts values into other columns "
              "from here on: the column moves to the end of its table");
    for (size_t i = 0; i < s->r->count; i++) {
        const struct target *t = &s->r->targets[i];
        if (t->state == s->r->state && !t->in_place && !t->after.backward &&
            !type_lossless(t->to, t->column->type)) {
            step_risk(work, s->step,
                      "going back closes with the first %s of %s that %s cannot hold",
                      t->column->name, t->relation->name, t->column->type);
        }
    }
}

static const char *swap_title(const struct retype *r)
{
    struct text t = text_init(r->work->ctx, TEXT_LINE);
    for (size_t i = 0; i < r->count; i++) {
        if (r->targets[i].state == r->state && !r->targets[i].in_place) {
            text_addf(&t, "%s%s", t.len ? ", " : "Exchange old and new: ",
                      column_words(r->work, r->targets[i].relation, r->targets[i].column->name));
        }
    }
    return t.data;
}

bool retype_swap(struct retype *r)
{
    struct work *work = r->work;
    struct around around = { .exchange = true };
    struct swap s = { .r = r, .work = work };
    s.step = work_step(work, r->state, PHASE_CONTRACT, swap_title(r),
                       "Only names and other entries of the catalog change; everything was built "
                       "and proven before");
    for (size_t i = 0; i < r->count; i++) {
        const struct target *t = &r->targets[i];
        if (t->state == r->state && !t->in_place &&
            !around_column(work, r->state, t->relation, t->column->name, &around)) {
            return false;
        }
    }
    around_close(work, r->state, &around);
    actions(&s);
    const char *lock = lock_statement(&s);
    step_up(work, s.step, "%s", lock);
    step_down(work, s.step, "%s", lock);
    for (size_t i = 0; i < around.drop.count; i++) {
        step_up(work, s.step, "%s", around.drop.items[i]);
        step_down(work, s.step, "%s", around.drop.items[i]);
    }
    for (size_t i = 0; i < s.ups.count; i++) {
        step_up(work, s.step, "%s", s.ups.items[i]);
    }
    for (size_t i = s.downs.count; i-- > 0;) {
        step_down(work, s.step, "%s", s.downs.items[i]);
    }
    for (size_t i = 0; i < around.make.count; i++) {
        step_up(work, s.step, "%s", around.make.items[i]);
        step_down(work, s.step, "%s", around.make.items[i]);
    }
    comments_again(&s);
    each_target(&s, recall);
    for (size_t i = 0; i < r->count; i++) {
        const struct target *t = &r->targets[i];
        if (t->state == r->state && !t->in_place) {
            functions_made_again(work, &(struct place){ r->state, t->relation, PHASE_CONTRACT },
                                 s.step);
        }
        if (t->state == r->state && !t->in_place && !s.step->probe) {
            step_probe(work, s.step, "SELECT %s AND NOT %s",
                       probe_column(work, t->relation, t->stale),
                       probe_column(work, t->relation, t->fresh));
        }
    }
    s.step->tags = TAG_CONTRACT;
    s.step->estimate.ms = 20 + 5 * (int64_t)s.step->lock_count;
    swap_risks(&s);
    around_risk(work, &around, s.step);
    retype_widen_sequences(r);
    return true;
}
