/*
 * change_type: what is prepared beside the columns that are in use. Expand adds the fresh column
 * and its trigger; migrate fills and proves it and builds what hangs on it; the unique twins and
 * the keys on them come as late as they can, at the beginning of contract, because a twin disturbs
 * concurrent ON CONFLICT and because an exchange that goes back takes them with it.
 */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/family/matview.h"
#include "controller/family/partitioned.h"
#include "controller/family/retype.h"
#include "controller/work/row_step.h"

static void add_fresh(struct retype *r, struct target *t)
{
    struct work *work = r->work;
    const char *table = relation_sql(work, t->relation), *fresh = ident(work, t->fresh);
    struct step *step = work_step(
        work, t->state, PHASE_EXPAND,
        say(work, "Add %s (%s) to %s and keep it equal to %s", t->fresh, t->to, t->relation->name,
            t->column->name),
        text_eq(t->reason, "the intent")
            ? "The old column goes on being used; the trigger fills the new one with every write"
            : say(work, "It follows the change: %s", t->reason));
    step_up(work, step, "%s", pair_schema);
    step_up(work, step, "ALTER TABLE %s ADD COLUMN %s %s%s", table, fresh, t->to,
            collate(work, t->column->collation));
    struct column dress = *t->column;
    dress.storage = dress.compression = NULL; /* a change of type resets them */
    column_dress(work, t->relation, &dress, t->fresh, &step->up);
    pair_create(work, &t->before, &step->up);
    pair_remove(work, &t->before, &step->down);
    step_down(work, step, "ALTER TABLE %s DROP COLUMN %s", table, fresh);
    step_lock(work, step, t->relation, "ACCESS EXCLUSIVE");
    step_probe(work, step, "SELECT %s AND %s", probe_column(work, t->relation, t->fresh),
               probe_trigger(work, t->relation, t->before.trigger));
    step_risk(work, step,
              "COPY and INSERT without a list of columns fail while the table has one "
              "more; prepared SELECT * must be prepared again");
}

/* A value that does not fit stops the change before anything is made. */
static void prove_fit(struct retype *r, struct target *t)
{
    struct work *work = r->work;
    bool raises;
    const char *own = ident(work, t->column->name);
    const struct type_change there = { t->state, t->column->type, t->to };
    const char *guarded = type_cast_guarded(work, &there, own, &raises);
    bool written = work->intent->using_expr != NULL;
    if ((t->lossless && !written) || work->intent->accept_loss) {
        return;
    }
    struct step *step = step_proof(
        work, &(struct place){ t->state, t->relation, PHASE_EXPAND },
        say(work, "Prove that every %s fits %s", column_words(work, t->relation, t->column->name),
            t->to),
        "A value that does not fit would be lost; the change stops here, before anything is made");
    /* what raises is tried on every row: the server says why it does not go */
    step->check =
        raises || written
            ? say(work, "SELECT pg_catalog.count(%s) >= 0 FROM %s", t->before.forward,
                  relation_sql(work, t->relation))
            : say(work, "SELECT NOT EXISTS (SELECT FROM %s WHERE %s IS NOT NULL AND (%s) IS NULL)",
                  relation_sql(work, t->relation), own, guarded);
}

void retype_expand(struct retype *r)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->targets[i].state == r->state && !r->targets[i].in_place) {
            prove_fit(r, &r->targets[i]);
        }
    }
    for (size_t i = 0; i < r->count; i++) {
        if (r->targets[i].state == r->state && !r->targets[i].in_place) {
            add_fresh(r, &r->targets[i]);
        }
    }
}

/* --- migrate -------------------------------------------------------------------------------- */

static void plain_indexes(struct retype *r, struct relation *relation)
{
    const struct column_maps maps = retype_map(r, relation, false);
    for (size_t i = 0; i < relation->index_count; i++) {
        const struct index *index = &relation->indexes[i];
        bool concerned = index_has_mapped(index, &maps);
        if (concerned && !index->unique && index->valid && relation->kind == 'p') {
            spread_build(&(struct spread){
                r->work, { r->state, relation, PHASE_MIGRATE }, index, &maps, "_new" });
        } else if (concerned && !index->unique && index->valid) {
            const char *name = twin_name(r, relation, index->name, "_new");
            const struct place place = { r->state, relation, PHASE_MIGRATE };
            index_build(r->work, &place, name, index_like(r->work, relation, index, name, &maps));
        }
    }
}

static void checks(struct retype *r, struct relation *relation)
{
    struct work *work = r->work;
    const struct column_maps maps = retype_map(r, relation, false);
    for (size_t i = 0; i < relation->constraint_count; i++) {
        const struct constraint *check = &relation->constraints[i];
        if (check->kind != 'c' || !constraint_concerned(r, relation, check)) {
            continue;
        }
        const char *definition = columns_mapped(work->ctx, check->definition, &maps);
        size_t length = strlen(definition);
        if (text_ends(definition, " NOT VALID")) {
            length -= strlen(" NOT VALID");
        }
        constraint_in_two(work, &(struct new_constraint){
                                    .place = { r->state, relation, PHASE_MIGRATE },
                                    .name = twin_name(r, relation, check->name, "_new"),
                                    .definition = say(work, "%.*s", (int)length, definition) });
    }
}

static void key_in_two(struct retype *r, struct relation *relation, const struct constraint *key,
                       enum phase phase, const char *back)
{
    constraint_in_two(
        r->work, &(struct new_constraint){
                     .place = { r->state, relation, phase },
                     .other = catalog_relation(r->state->catalog, key->ref_schema, key->ref_table),
                     .name = twin_name(r, relation, key->name, "_new"),
                     .definition = key_mapped(r, relation, key, false),
                     .back = back });
}

/* Keys to columns that keep their type: they can be made as soon as the fresh column is right. */
static void keys_out(struct retype *r, struct relation *relation)
{
    for (size_t i = 0; i < relation->constraint_count; i++) {
        const struct constraint *key = &relation->constraints[i];
        if (key->kind == 'f' && constraint_concerned(r, relation, key) &&
            !key_points_here(r, key)) {
            key_in_two(r, relation, key, PHASE_MIGRATE, NULL);
        }
    }
}

void retype_migrate(struct retype *r)
{
    struct relation **relations;
    size_t count = retype_relations(r, &relations);
    for (size_t i = 0; i < r->count; i++) {
        struct target *t = &r->targets[i];
        if (t->state == r->state && !t->in_place) {
            pair_backfill(r->work, &t->before, PHASE_MIGRATE);
            pair_verify(r->work, &t->before, PHASE_MIGRATE);
            pair_analyze(r->work, &t->before, PHASE_MIGRATE);
        }
    }
    for (size_t i = 0; i < count; i++) {
        plain_indexes(r, relations[i]);
    }
    for (size_t i = 0; i < r->count; i++) {
        struct target *t = &r->targets[i];
        if (t->state == r->state && !t->in_place && t->column->not_null) {
            not_null_proven(r->work, r->state, t->relation, t->fresh, PHASE_MIGRATE);
        }
    }
    for (size_t i = 0; i < count; i++) {
        checks(r, relations[i]);
        keys_out(r, relations[i]);
    }
}

/* --- contract, before the exchange ---------------------------------------------------------- */

static void unique_spread(struct retype *r, struct relation *relation, const struct index *index,
                          const struct column_maps *maps)
{
    const struct column_maps none = { 0 };
    const struct place place = { r->state, relation, PHASE_CONTRACT };
    if (!index->constraint) {
        spread_build(&(struct spread){ r->work, place, index, maps, "_new" });
        return;
    }
    spread_parts(&(struct spread){ r->work, place, index, maps, "_new" });
    spread_parts(&(struct spread){ r->work, place, index, &none, "_back" });
}

static void unique_twins(struct retype *r, struct relation *relation)
{
    struct work *work = r->work;
    const struct column_maps maps = retype_map(r, relation, false);
    for (size_t i = 0; i < relation->index_count; i++) {
        const struct index *index = &relation->indexes[i];
        bool concerned = index_has_mapped(index, &maps);
        if (!concerned || !index->unique || !index->valid) {
            continue;
        }
        if (relation->kind == 'p') {
            unique_spread(r, relation, index, &maps);
            continue;
        }
        const char *name = twin_name(r, relation, index->name, "_new");
        const struct place place = { r->state, relation, PHASE_CONTRACT };
        const struct column_maps none = { 0 };
        struct step *step =
            index_build(work, &place, name, index_like(work, relation, index, name, &maps));
        step_risk(work, step,
                  "until the exchange, concurrent INSERT … ON CONFLICT can fail with "
                  "23505 on this second unique index");
        if (index->constraint) {
            const char *back = twin_name(r, relation, index->name, "_back");
            struct step *second =
                index_build(work, &place, back, index_like(work, relation, index, back, &none));
            second->why = "The exchange takes the constraint's own index away; the way back makes "
                          "this one the constraint again, without building anything";
        }
    }
}

static void keys_in(struct retype *r)
{
    struct work *work = r->work;
    for (size_t i = 0; i < r->state->catalog->relation_count; i++) {
        struct relation *relation = &r->state->catalog->relations[i];
        for (size_t k = 0; k < relation->constraint_count && !relation->partition_bound; k++) {
            const struct constraint *key = &relation->constraints[k];
            if (key_points_here(r, key)) {
                const char *back = say(work, "ALTER TABLE %s VALIDATE CONSTRAINT %s",
                                       relation_sql(work, relation), ident(work, key->name));
                key_in_two(r, relation, key, PHASE_CONTRACT,
                           key->validated && relation->kind == 'r' ? back : NULL);
                work_touch(work, r->state, relation_key(work, relation));
            }
        }
    }
}

/* The exchange makes the old checks again NOT VALID when it goes back: proven right after it. */
static void checks_way_back(struct retype *r, struct relation *relation)
{
    struct work *work = r->work;
    for (size_t i = 0; i < relation->constraint_count; i++) {
        const struct constraint *check = &relation->constraints[i];
        if (check->kind != 'c' || !check->validated || !constraint_concerned(r, relation, check)) {
            continue;
        }
        struct step *step = work_step(work, r->state, PHASE_CONTRACT,
                                      say(work, "On the way back: prove %s again", check->name),
                                      "VALIDATE reads while everybody goes on");
        step_up_nothing(work, step, "this step is for the way back");
        step_down(work, step, "ALTER TABLE %s VALIDATE CONSTRAINT %s", relation_sql(work, relation),
                  ident(work, check->name));
        step->tags = TAG_NEUTRAL;
    }
}

/* --- contract, after the exchange ----------------------------------------------------------- */

/* When the way back starts between the check and its proof there is none yet. */
static const char *validate_if_there(const struct work *work, const struct relation *relation,
                                     const char *constraint)
{
    return say(work, "DO %s",
               literal(work, say(work,
                                 "BEGIN IF %s THEN ALTER TABLE %s VALIDATE CONSTRAINT %s; END IF; "
                                 "END",
                                 probe_constraint(work, relation, constraint, false),
                                 relation_sql(work, relation), ident(work, constraint))));
}

static void proof_way_back(struct retype *r, const struct target *t)
{
    struct work *work = r->work;
    const char *table = relation_sql(work, t->relation);
    const char *check =
        twin_name(r, t->relation, say(work, "%s_back", t->column->name), "_not_null");
    struct step *prove = work_step(work, t->state, PHASE_CONTRACT,
                                   say(work, "On the way back: prove that no %s of %s is missing",
                                       t->column->name, t->relation->name),
                                   "Values that the old type cannot hold stop the way back here, "
                                   "before anything is exchanged");
    step_up_nothing(work, prove, "this step is for the way back");
    step_down(work, prove, "%s", validate_if_there(work, t->relation, check));
    struct step *guard = work_step(work, t->state, PHASE_CONTRACT,
                                   say(work, "On the way back: let no %s of %s be missing any more",
                                       t->column->name, t->relation->name),
                                   "NOT VALID needs no scan; the proof is the step before");
    step_up_nothing(work, guard, "this step is for the way back");
    step_down(work, guard, "ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s IS NOT NULL) NOT VALID",
              table, ident(work, check), ident(work, t->stale));
    prove->tags = guard->tags = TAG_NEUTRAL;
}

static void stale_spread(struct retype *r, struct relation *relation, const struct index *index,
                         const struct column_maps *maps)
{
    struct relation **leaves;
    const struct spread s = { r->work,
                              { r->state, relation, PHASE_CONTRACT },
                              index,
                              maps,
                              index->constraint ? "_back" : "_old" };
    size_t count = relation_leaves(r->work, r->state, relation, &leaves);
    if (!index->constraint) {
        spread_remove(&s);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct place leaf = { r->state, leaves[i], PHASE_CONTRACT };
        const char *name = spread_name(&s, leaves[i], s.suffix);
        index_remove(r->work, &leaf, name, index_like(r->work, leaves[i], index, name, maps));
    }
}

static void stale_indexes(struct retype *r, struct relation *relation)
{
    struct work *work = r->work;
    const struct column_maps maps = retype_map(r, relation, true);
    for (size_t i = 0; i < relation->index_count; i++) {
        const struct index *index = &relation->indexes[i];
        bool concerned = index_has_mapped(index, &maps);
        if (concerned && index->valid && relation->kind == 'p') {
            stale_spread(r, relation, index, &maps);
        } else if (concerned && index->valid) {
            const char *name =
                twin_name(r, relation, index->name, index->constraint ? "_back" : "_old");
            const struct place place = { r->state, relation, PHASE_CONTRACT };
            index_remove(work, &place, name, index_like(work, relation, index, name, &maps));
        }
    }
}

/* Keys of the stale column that still point to columns which kept their type. */
static void stale_keys(struct retype *r, struct relation *relation)
{
    struct work *work = r->work;
    const char *table = relation_sql(work, relation);
    for (size_t i = 0; i < relation->constraint_count; i++) {
        const struct constraint *key = &relation->constraints[i];
        if (key->kind != 'f' || !constraint_concerned(r, relation, key) ||
            key_points_here(r, key)) {
            continue;
        }
        const char *name = ident(work, twin_name(r, relation, key->name, "_old"));
        struct step *prove = work_step(work, r->state, PHASE_CONTRACT,
                                       say(work, "On the way back: prove %s again", key->name),
                                       "VALIDATE reads while everybody goes on");
        step_up_nothing(work, prove, "this step is for the way back");
        if (relation->kind == 'p') {
            step_down_nothing(work, prove, "a partitioned table's key is proven as it is made");
        } else {
            step_down(work, prove, "ALTER TABLE %s VALIDATE CONSTRAINT %s", table, name);
        }
        struct step *guard = work_step(work, r->state, PHASE_CONTRACT,
                                       say(work, "Drop %s of the old column", key->name),
                                       "The new column has its own key, proven long ago");
        const char *both = say(work, "LOCK TABLE %s, %s IN ACCESS EXCLUSIVE MODE",
                               name_sql(work, key->ref_schema, key->ref_table), table);
        step_up(work, guard, "%s", both);
        step_up(work, guard, "ALTER TABLE %s DROP CONSTRAINT %s", table, name);
        step_down(work, guard, "ALTER TABLE %s ADD CONSTRAINT %s %s%s", table, name,
                  key_mapped(r, relation, key, true), relation->kind == 'p' ? "" : " NOT VALID");
        step_lock(work, guard, relation, "ACCESS EXCLUSIVE");
        guard->tags = TAG_CONTRACT;
    }
}

static void drop_stale(struct retype *r, struct target *t)
{
    struct work *work = r->work;
    const char *table = relation_sql(work, t->relation), *stale = ident(work, t->stale);
    copy_way_back(work, &t->after);
    struct step *step = work_step(
        work, t->state, PHASE_CONTRACT,
        say(work, "Drop %s, the old %s of %s", t->stale, t->column->name, t->relation->name),
        "Nobody reads it any more; a snapshot of it is kept");
    pair_remove(work, &t->after, &step->up);
    step_up(work, step, "ALTER TABLE %s DROP COLUMN %s", table, stale);
    step_down(work, step, "ALTER TABLE %s ADD COLUMN %s %s%s", table, stale, t->column->type,
              collate(work, t->column->collation));
    column_dress(work, t->relation, t->column, t->stale, &step->down);
    pair_create(work, &t->after, &step->down);
    step_lock(work, step, t->relation, "ACCESS EXCLUSIVE");
    step_probe(work, step, "SELECT NOT %s", probe_column(work, t->relation, t->stale));
    step->tags = TAG_CONTRACT | TAG_DESTRUCTIVE;
}

/* A target of the service whose turn it is, that is copied. */
static bool has_turn(const struct retype *r, size_t i)
{
    return r->targets[i].state == r->state && !r->targets[i].in_place;
}

static void before_exchange(struct retype *r, struct relation **relations, size_t count)
{
    for (size_t i = 0; i < r->count; i++) {
        if (has_turn(r, i)) {
            acknowledge(r->work, r->state, r->targets[i].relation, r->targets[i].column->name);
        }
    }
    for (size_t i = 0; i < r->count; i++) {
        if (has_turn(r, i)) {
            pair_verify(r->work, &r->targets[i].before, PHASE_CONTRACT);
        }
    }
    for (size_t i = 0; i < count; i++) {
        unique_twins(r, relations[i]);
        checks_way_back(r, relations[i]);
    }
    keys_in(r);
}

static void after_exchange(struct retype *r, struct relation **relations, size_t count)
{
    for (size_t i = 0; i < r->count; i++) {
        if (has_turn(r, i) && r->targets[i].column->not_null) {
            proof_way_back(r, &r->targets[i]);
        }
    }
    for (size_t i = 0; i < count; i++) {
        stale_indexes(r, relations[i]);
        stale_keys(r, relations[i]);
    }
    for (size_t i = 0; i < r->count; i++) {
        if (has_turn(r, i)) {
            drop_stale(r, &r->targets[i]);
        }
    }
}

static bool matviews(struct retype *r, bool forward)
{
    const struct catalog *catalog = r->state->catalog;
    for (size_t i = 0; i < catalog->relation_count; i++) {
        bool reads = false;
        for (size_t k = 0; k < r->count; k++) {
            const struct target *t = &r->targets[k];
            reads = reads || (has_turn(r, k) &&
                              matview_reads(&catalog->relations[i],
                                            column_key(r->work, t->relation, t->column->name)));
        }
        if (reads && !matview_again(r->work, r->state, &catalog->relations[i], forward)) {
            return false;
        }
    }
    return true;
}

bool retype_contract(struct retype *r)
{
    struct relation **relations;
    size_t count = retype_relations(r, &relations);
    before_exchange(r, relations, count);
    if (!matviews(r, false) || !retype_swap(r) || !matviews(r, true)) {
        return false;
    }
    after_exchange(r, relations, count);
    return true;
}
