/*
 * change_type: which columns change together, and in which order the services go. Everything that
 * references the column changes with it: foreign keys in the same database, declared references in
 * others, foreign tables that read it.
 */
#include "controller/family/retype.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"

static bool target_add(struct retype *r, struct state *state, struct relation *relation,
                       struct column *column, const char *reason)
{
    struct work *work = r->work;
    for (size_t i = 0; i < r->count; i++) {
        if (r->targets[i].relation == relation && r->targets[i].column == column) {
            return true;
        }
    }
    const char *to = r->count ? r->targets[0].to : type_name(work, state, work->intent->to);
    if (r->count && (text_eq(column->type, to) || type_lossless(to, column->type))) {
        return true;
    }
    r->targets = mem_room(work->ctx, r->targets, struct target, r->count + 1);
    r->targets[r->count++] = (struct target){
        .state = state,
        .relation = relation,
        .column = column,
        .to = to,
        .reason = reason,
        .lossless = type_lossless(column->type, to),
        .in_place = type_in_place(column->type, to),
    };
    return true;
}

static void follow_keys(struct retype *r, size_t at)
{
    struct state *state = r->targets[at].state;
    for (size_t i = 0; i < state->catalog->relation_count; i++) {
        struct relation *relation = &state->catalog->relations[i];
        for (size_t k = 0; k < relation->constraint_count && !relation->partition_bound; k++) {
            const struct constraint *key = &relation->constraints[k];
            const struct target *target = &r->targets[at];
            if (key->kind != 'f' || !text_eq(key->ref_table, target->relation->name) ||
                !text_eq(key->ref_schema, target->relation->schema)) {
                continue;
            }
            for (size_t c = 0; c < key->columns.count && c < key->ref_columns.count; c++) {
                if (text_eq(key->ref_columns.items[c], r->targets[at].column->name)) {
                    (void)target_add(r, state, relation,
                                     relation_column(relation, key->columns.items[c]),
                                     say(r->work, "foreign key %s", key->name));
                }
            }
        }
    }
}

static bool follow_references(struct retype *r, size_t at)
{
    struct work *work = r->work;
    const struct graph *graph = work->input->graph;
    for (size_t i = 0; graph && i < graph->edge_count; i++) {
        const struct graph_edge *edge = &graph->edges[i];
        const struct target *target = &r->targets[at];
        if (edge->kind != EDGE_REFERENCE || !edge->to.column || !edge->from.column ||
            !text_eq(edge->to.service, target->state->service) ||
            !text_eq(edge->to.name, target->relation->name) ||
            !text_eq(edge->to.column, target->column->name) ||
            !reaches(work->intent, edge->from.service)) {
            continue;
        }
        struct state *other = work_state(work, edge->from.service);
        struct relation *relation =
            other ? catalog_relation(other->catalog, edge->from.schema, edge->from.name) : NULL;
        struct column *column = relation ? relation_column(relation, edge->from.column) : NULL;
        if (!column) {
            return work_refuse(work, "correct the reference in the manifest",
                               "%s: service %s has no %s.%s", edge->evidence, edge->from.service,
                               edge->from.name, edge->from.column);
        }
        (void)target_add(r, other, relation, column,
                         say(work, "it references %s:%s (%s)", target->state->service,
                             column_words(work, target->relation, target->column->name),
                             edge->evidence ? edge->evidence : "the manifest"));
    }
    return true;
}

/* --- what cannot be ------------------------------------------------------------------------- */

static bool generated_free(struct work *work, const struct target *target)
{
    const struct relation *relation = target->relation;
    for (size_t i = 0; i < relation->column_count; i++) {
        const struct column *column = &relation->columns[i];
        if (column->generated && (column == target->column ||
                                  column_mentioned(column->default_expr, target->column->name))) {
            return work_refuse(work, "drop the generated column, change the type, add it again",
                               "%s is generated from %s: it would be rewritten under a strong lock",
                               column_words(work, relation, column->name), target->column->name);
        }
    }
    return true;
}

static bool constraints_fine(struct work *work, const struct target *target)
{
    const struct relation *relation = target->relation;
    for (size_t i = 0; i < relation->constraint_count; i++) {
        const struct constraint *c = &relation->constraints[i];
        if (!texts_have(&c->columns, target->column->name)) {
            continue;
        }
        if (c->kind == 'x') {
            return work_refuse(work, "drop the exclusion constraint first, add it again after",
                               "%s has the exclusion constraint %s: it cannot be built without "
                               "blocking writes",
                               relation_key(work, relation), c->name);
        }
        if ((c->kind == 'u' || c->kind == 'p') && c->deferrable) {
            return work_refuse(work, "make it NOT DEFERRABLE first",
                               "%s is deferrable: its twin index would be immediate and fail "
                               "updates that pass today",
                               c->name);
        }
        if (c->kind == 'f' && (c->on_delete == 'd' || c->on_update == 'd')) {
            return work_refuse(work, "change the foreign key's action first",
                               "foreign key %s sets the default: while two columns live it cannot "
                               "be known which one",
                               c->name);
        }
    }
    return true;
}

static bool target_fine(struct work *work, const struct target *target)
{
    const struct relation *relation = target->relation;
    const char *name = target->column->name;
    struct state *home = work->home;
    work->home = target->state;
    bool fine = table_can_sync(work, relation) && generated_free(work, target) &&
                no_subscriber(work, target->state, relation) && constraints_fine(work, target);
    if (fine && relation->partition_key && column_mentioned(relation->partition_key, name)) {
        fine = work_refuse(work, "move the rows into a new partitioned table instead",
                           "%s is part of the partition key", column_words(work, relation, name));
    }
    if (fine && relation->replica_identity == 'i' && relation->kind == 'p') {
        fine = work_refuse(work, "set REPLICA IDENTITY DEFAULT or FULL first",
                           "%s has an index as its replica identity", relation_key(work, relation));
    }
    work->home = home;
    return fine;
}

/* --- the stages, service by service --------------------------------------------------------- */

static void name_pair(struct retype *r, struct target *t, const char *using_expr,
                      const char *using_back)
{
    struct work *work = r->work;
    const char *own = ident(work, t->column->name), *fresh = ident(work, t->fresh);
    const char *from = t->column->type;
    const struct type_change there = { t->state, from, t->to }, back = { t->state, t->to, from };
    bool raises;
    t->before = (struct pair){
        .state = t->state,
        .relation = t->relation,
        .source = t->column->name,
        .copy = t->fresh,
        .forward =
            using_expr ? say(work, "(%s)::%s", using_expr, t->to) : type_cast(work, &there, own),
        .backward =
            using_back ? say(work, "(%s)::%s", using_back, from) : type_cast(work, &back, fresh),
    };
    pair_name(work, &t->before);
    t->after = t->before;
    t->after.copy = t->stale;
    t->after.backward = NULL;
    t->after.kept = true;
    t->after.forward =
        using_back ? say(work, "(%s)::%s", using_back, from) : type_cast(work, &back, own);
    t->after.guarded = using_back ? t->after.forward : type_cast_guarded(work, &back, own, &raises);
    t->after.guard_errors = using_back || raises;
    if (using_back) {
        struct column_map map = { t->column->name, fresh };
        const struct column_maps maps = { &map, 1 };
        t->before.backward =
            say(work, "(%s)::%s", columns_mapped(work->ctx, using_back, &maps), from);
    }
}

static void name_target(struct retype *r, struct target *t)
{
    const struct intent *it = r->work->intent;
    t->fresh = free_column(r->work, t->relation, say(r->work, "%s_new", t->column->name));
    t->stale = free_column(r->work, t->relation, say(r->work, "%s_old", t->column->name));
    name_pair(r, t, it->using_expr, it->using_back);
}

static bool compile_service(struct retype *r)
{
    bool copies = false;
    for (size_t i = 0; i < r->count; i++) {
        struct target *t = &r->targets[i];
        if (t->state == r->state && t->in_place && !retype_in_place(r, t)) {
            return false;
        }
        copies = copies || (t->state == r->state && !t->in_place);
    }
    if (!copies) {
        return true;
    }
    retype_expand(r);
    retype_migrate(r);
    return retype_contract(r);
}

/* A referenced column may hold values that a referencing one cannot take: those go first. */
static void order_services(struct retype *r)
{
    for (size_t i = 1; i < r->count; i++) {
        const struct target *t = &r->targets[i];
        if (t->state != r->targets[0].state) {
            const struct target *root = &r->targets[0];
            const struct target *first = t->lossless ? t : root;
            const struct target *then = t->lossless ? root : t;
            work_after(r->work, then->state, PHASE_CONTRACT, first->state,
                       say(r->work, "%s: %s", column_words(r->work, t->relation, t->column->name),
                           t->reason));
        }
    }
}

static bool each_service(struct retype *r)
{
    struct work *work = r->work;
    struct state *home = work->home;
    bool fine = true;
    for (size_t s = 0; s < work->state_count; s++) {
        bool concerned = false;
        for (size_t i = 0; i < r->count; i++) {
            concerned = concerned || r->targets[i].state == &work->states[s];
        }
        if (concerned) {
            r->state = work->home = &work->states[s];
            fine = compile_service(r) && fine;
        }
    }
    work->home = home;
    return fine;
}

static void keep_off(struct retype *r, struct state *state, const struct relation *relation,
                     const struct catalog_texts *columns)
{
    for (size_t i = 0; relation && i < columns->count; i++) {
        work_busy(r->work, state, relation, columns->items[i]);
    }
}

/* Its foreign keys are made anew beside the old ones: nobody makes them a third time meanwhile. */
static void keep_off_keys(struct retype *r)
{
    for (size_t s = 0; s < r->work->state_count; s++) {
        r->state = &r->work->states[s];
        for (size_t i = 0; i < r->state->catalog->relation_count; i++) {
            const struct relation *relation = &r->state->catalog->relations[i];
            for (size_t k = 0; k < relation->constraint_count; k++) {
                const struct constraint *key = &relation->constraints[k];
                if (key->kind != 'f' ||
                    (!key_points_here(r, key) && !constraint_concerned(r, relation, key))) {
                    continue;
                }
                const struct relation *other =
                    catalog_relation(r->state->catalog, key->ref_schema, key->ref_table);
                keep_off(r, r->state, relation, &key->columns);
                keep_off(r, r->state, other, &key->ref_columns);
            }
        }
    }
}

static bool shares_twin(const struct retype *r, const struct relation *relation, const char *column)
{
    const struct column_maps maps = retype_map(r, relation, false);
    for (size_t i = 0; i < relation->index_count; i++) {
        const struct index *index = &relation->indexes[i];
        if (index_has_mapped(index, &maps) && index_has_column(index, column)) {
            return true;
        }
    }
    for (size_t i = 0; i < relation->constraint_count; i++) {
        const struct constraint *c = &relation->constraints[i];
        if (constraint_concerned(r, relation, c) &&
            (texts_have(&c->columns, column) || column_mentioned(c->definition, column))) {
            return true;
        }
    }
    return false;
}

/* An index or check over two columns has a twin for the first: the second waits for its exchange.
 */
static void keep_off_twins(struct retype *r)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct target *t = &r->targets[i];
        r->state = t->state;
        for (size_t k = 0; k < t->relation->column_count && !t->in_place; k++) {
            const char *column = t->relation->columns[k].name;
            if (shares_twin(r, t->relation, column)) {
                work_busy(r->work, t->state, t->relation, column);
            }
        }
    }
}

static void leave_model(struct retype *r)
{
    keep_off_keys(r);
    keep_off_twins(r);
    for (size_t i = 0; i < r->count; i++) {
        struct target *t = &r->targets[i];
        work_touch(r->work, t->state, relation_key(r->work, t->relation));
        work_busy(r->work, t->state, t->relation, t->column->name);
        t->column->type = t->to;
    }
}

static bool collect(struct retype *r)
{
    struct work *work = r->work;
    const struct intent *it = work->intent;
    for (size_t i = 0; i < r->count; i++) {
        if (it->propagate && !it->exact) {
            follow_keys(r, i);
            if (!follow_references(r, i)) {
                return false;
            }
        }
    }
    bool fine = true;
    for (size_t i = 0; i < r->count; i++) {
        fine = target_fine(work, &r->targets[i]) && retype_keys_fine(r, &r->targets[i]) && fine;
    }
    if (fine && it->using_expr && r->count > 1) {
        return work_refuse(work, "propagate: false with a note, and one intent for each column",
                           "%zu other columns follow this one, and the USING expression is about "
                           "this table only",
                           r->count - 1);
    }
    return fine;
}

bool compile_change_type(struct work *work)
{
    struct relation *relation;
    struct column *column;
    const struct intent *it = work->intent;
    if (!find_table(work, &relation) || !find_column(work, relation, it->column, &column)) {
        return false;
    }
    if (text_eq(it->on_failure, "set_null")) {
        return work_refuse(work,
                           "make those values null with data_backfill first, then leave it out",
                           "this version cannot plan on_failure: set_null");
    }
    const char *to = type_name(work, work->home, it->to);
    if (type_same(work, column->type, to) && !it->using_expr) {
        work_note(work, "info", "nothing-to-do", "%s is %s already",
                  column_words(work, relation, it->column), to);
        return true;
    }
    struct retype r = { .work = work };
    (void)target_add(&r, work->home, relation, column, "the intent");
    r.targets[0].in_place = r.targets[0].in_place && !it->using_expr;
    if (!collect(&r)) {
        return false;
    }
    for (size_t i = 0; i < r.count; i++) {
        name_target(&r, &r.targets[i]);
    }
    bool fine = each_service(&r) && retype_readers(&r);
    order_services(&r);
    leave_model(&r);
    return fine;
}
