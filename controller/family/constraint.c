/*
 * Checks, foreign keys and unique constraints: first for new rows only (NOT VALID), then proven for
 * the old ones under a lock that lets everybody work; unique ones by an index built CONCURRENTLY.
 */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/family/families.h"

static void in_two(struct work *work, const struct new_constraint *wanted)
{
    const struct relation *relation = wanted->place.relation, *other = wanted->other;
    const struct state *state = wanted->place.state;
    const char *name = wanted->name, *back = wanted->back;
    enum phase phase = wanted->place.phase;
    const char *table = relation_sql(work, relation), *quoted = ident(work, name);
    struct step *add =
        work_step(work, state, phase, say(work, "Hold new rows of %s to %s", relation->name, name),
                  "NOT VALID needs no scan: rows that are there are looked at in the next step");
    if (other && other != relation) {
        step_up(work, add, "LOCK TABLE %s, %s IN SHARE ROW EXCLUSIVE MODE",
                relation_sql(work, other), table);
        step_lock(work, add, other, "SHARE ROW EXCLUSIVE");
    }
    step_up(work, add, "ALTER TABLE %s ADD CONSTRAINT %s %s NOT VALID", table, quoted,
            wanted->definition);
    step_down(work, add, "ALTER TABLE %s DROP CONSTRAINT IF EXISTS %s", table, quoted);
    step_probe(work, add, "SELECT %s", probe_constraint(work, relation, name, false));
    step_lock(work, add, relation, other ? "SHARE ROW EXCLUSIVE" : "ACCESS EXCLUSIVE");
    add->tags = TAG_ADDITIVE | TAG_CONTRACT;
    struct step *proof =
        work_step(work, state, phase, say(work, "Prove %s for the rows that are there", name),
                  "VALIDATE reads while everybody goes on reading and writing");
    step_up(work, proof, "ALTER TABLE %s VALIDATE CONSTRAINT %s", table, quoted);
    if (back) {
        step_down(work, proof, "%s", back);
    } else {
        step_down_nothing(work, proof, "the constraint goes away with its own step");
    }
    step_probe(work, proof, "SELECT %s", probe_constraint(work, relation, name, true));
    step_lock(work, proof, relation, "SHARE UPDATE EXCLUSIVE");
    if (other) {
        step_lock(work, proof, other, "ROW SHARE");
    }
    step_estimate(proof, relation, RATE_SCAN);
    proof->full_scan = true;
}

/* Below 18 a partitioned table takes no NOT VALID key: each partition first, then the whole, which
 * finds theirs and needs no scan. */
static void key_on_partitions(struct work *work, const struct new_constraint *wanted)
{
    struct relation **leaves;
    const struct relation *relation = wanted->place.relation, *other = wanted->other;
    const char *name = wanted->name, *definition = wanted->definition;
    size_t count =
        relation_leaves(work, wanted->place.state, (struct relation *)(uintptr_t)relation, &leaves);
    for (size_t i = 0; i < count; i++) {
        struct new_constraint leaf = *wanted;
        leaf.place.relation = leaves[i];
        leaf.back = NULL;
        in_two(work, &leaf);
    }
    struct step *whole =
        work_step(work, wanted->place.state, wanted->place.phase,
                  say(work, "Join the keys of the partitions to %s of %s", name, relation->name),
                  "The partitions have the proven key already: nothing is scanned");
    step_up(work, whole, "LOCK TABLE %s, %s IN SHARE ROW EXCLUSIVE MODE", relation_sql(work, other),
            relation_sql(work, relation));
    step_up(work, whole, "ALTER TABLE %s ADD CONSTRAINT %s %s", relation_sql(work, relation),
            ident(work, name), definition);
    step_down(work, whole, "ALTER TABLE %s DROP CONSTRAINT IF EXISTS %s",
              relation_sql(work, relation), ident(work, name));
    step_lock(work, whole, relation, "SHARE ROW EXCLUSIVE");
    step_lock(work, whole, other, "SHARE ROW EXCLUSIVE");
}

void constraint_in_two(struct work *work, const struct new_constraint *wanted)
{
    if (wanted->place.relation->kind == 'p' && wanted->other) {
        key_on_partitions(work, wanted);
    } else {
        in_two(work, wanted);
    }
}

bool add_check_constraint(struct work *work, struct relation *relation, const char *name,
                          const char *expression)
{
    const char *definition = say(work, "CHECK (%s)", expression);
    if (work->intent->not_valid) {
        struct step *add = work_step(work, work->home, PHASE_EXPAND,
                                     say(work, "Hold new rows of %s to %s", relation->name, name),
                                     "NOT VALID, as was asked for: old rows are not looked at");
        step_up(work, add, "ALTER TABLE %s ADD CONSTRAINT %s %s NOT VALID",
                relation_sql(work, relation), ident(work, name), definition);
        step_down(work, add, "ALTER TABLE %s DROP CONSTRAINT %s", relation_sql(work, relation),
                  ident(work, name));
        step_lock(work, add, relation, "ACCESS EXCLUSIVE");
    } else {
        constraint_in_two(
            work, &(struct new_constraint){ .place = { work->home, relation, PHASE_MIGRATE },
                                            .name = name,
                                            .definition = definition });
    }
    const char **named = mem_array(work->ctx, const char *, relation->column_count);
    size_t count = 0;
    for (size_t i = 0; i < relation->column_count; i++) {
        if (column_mentioned(expression, relation->columns[i].name)) {
            named[count++] = relation->columns[i].name;
        }
    }
    model_add_constraint(work, relation,
                         &(struct constraint){ .name = name,
                                               .kind = 'c',
                                               .columns = { named, count },
                                               .definition = definition,
                                               .validated = !work->intent->not_valid });
    return true;
}

/* False, with a note or a refusal, when there is nothing to add under that name. */
static bool name_is_new(struct work *work, const struct relation *relation, const char *name,
                        bool *done)
{
    const struct constraint *there = name ? relation_constraint(relation, name) : NULL;
    *done = there != NULL;
    if (!there) {
        return true;
    }
    work_note(work, "info", "nothing-to-do", "%s has a constraint %s already: %s",
              relation_key(work, relation), name, there->definition);
    return true;
}

bool compile_add_check(struct work *work)
{
    struct relation *relation;
    const struct intent *it = work->intent;
    bool done;
    if (!find_table(work, &relation) || !name_is_new(work, relation, it->name, &done) || done) {
        return work->result->refusals == 0;
    }
    const char *column = NULL;
    for (size_t i = 0; i < relation->column_count; i++) {
        if (column_mentioned(it->expression, relation->columns[i].name)) {
            column = column ? "" : relation->columns[i].name;
        }
    }
    const char *const columns[] = { column };
    const char *name =
        it->name ? it->name
                 : constraint_server_name(work, relation, 'c', columns, column && *column ? 1 : 0);
    work_touch(work, work->home, relation_key(work, relation));
    return add_check_constraint(work, relation, name, it->expression);
}

/* --- foreign keys --------------------------------------------------------------------------- */

static struct relation *referenced(struct work *work, struct catalog_texts *columns)
{
    const struct object_name *target = &work->intent->target;
    struct relation *other = catalog_relation(work->home->catalog, target->schema, target->name);
    if (!other) {
        (void)work_refuse(work, "look at `flotilla inspect` for the tables there are",
                          "the referenced table %s is not in service %s", target->name,
                          work->home->service);
        return NULL;
    }
    const struct constraint *primary = relation_primary_key(other);
    if (target->column_count) {
        *columns = texts_of(work, target->columns, target->column_count);
    } else if (primary) {
        *columns = primary->columns;
    }
    if (columns->count != work->intent->columns.count) {
        (void)work_refuse(work, "name as many referenced columns as referencing ones",
                          "the foreign key has %zu columns here and %zu at %s",
                          work->intent->columns.count, columns->count, relation_key(work, other));
        return NULL;
    }
    return other;
}

static bool has_unique(const struct relation *relation, const struct catalog_texts *columns)
{
    for (size_t i = 0; i < relation->index_count; i++) {
        const struct index *index = &relation->indexes[i];
        bool fits = index->unique && !index->predicate && !index->has_expressions &&
                    (size_t)index->key_count == columns->count;
        for (size_t k = 0; fits && k < columns->count; k++) {
            fits = texts_have(columns, index->columns.items[k]);
        }
        if (fits) {
            return true;
        }
    }
    return false;
}

static char action_letter(const char *action)
{
    return !action                          ? 'a'
           : text_eq(action, "cascade")     ? 'c'
           : text_eq(action, "restrict")    ? 'r'
           : text_eq(action, "set null")    ? 'n'
           : text_eq(action, "set default") ? 'd'
                                            : 'a';
}

static const char *key_definition(struct work *work, const struct relation *other,
                                  const struct catalog_texts *mine,
                                  const struct catalog_texts *theirs)
{
    const struct intent *it = work->intent;
    return say(work, "FOREIGN KEY (%s) REFERENCES %s (%s)%s%s%s%s%s%s", ident_list(work, mine),
               relation_sql(work, other), ident_list(work, theirs),
               text_eq(it->match, "full") ? " MATCH FULL" : "", it->on_update ? " ON UPDATE " : "",
               it->on_update ? it->on_update : "", it->on_delete ? " ON DELETE " : "",
               it->on_delete ? it->on_delete : "",
               it->deferred     ? " DEFERRABLE INITIALLY DEFERRED"
               : it->deferrable ? " DEFERRABLE"
                                : "");
}

static const char *key_name(struct work *work, const struct relation *relation)
{
    const struct intent *it = work->intent;
    return it->name
               ? it->name
               : constraint_server_name(work, relation, 'f', it->columns.items, it->columns.count);
}

static bool indexed(const struct relation *relation, const char *column)
{
    for (size_t i = 0; i < relation->index_count; i++) {
        const struct index *index = &relation->indexes[i];
        if (index->columns.count && index->valid && !index->predicate &&
            text_eq(index->columns.items[0], column)) {
            return true;
        }
    }
    return false;
}

/* NOT VALID, as was asked for. */
static void key_for_new_rows(struct work *work, struct relation *relation,
                             const struct relation *other, const char *name, const char *definition)
{
    const char *table = relation_sql(work, relation);
    struct step *add = work_step(work, work->home, PHASE_MIGRATE,
                                 say(work, "Hold new rows of %s to %s", relation->name, name),
                                 "NOT VALID, as was asked for: old rows are not looked at");
    step_up(work, add, "LOCK TABLE %s, %s IN SHARE ROW EXCLUSIVE MODE", relation_sql(work, other),
            table);
    step_up(work, add, "ALTER TABLE %s ADD CONSTRAINT %s %s NOT VALID", table, ident(work, name),
            definition);
    step_down(work, add, "ALTER TABLE %s DROP CONSTRAINT %s", table, ident(work, name));
    step_probe(work, add, "SELECT %s", probe_constraint(work, relation, name, false));
    step_lock(work, add, relation, "SHARE ROW EXCLUSIVE");
    step_lock(work, add, other, "SHARE ROW EXCLUSIVE");
    add->tags = TAG_ADDITIVE | TAG_CONTRACT;
}

static void remember_key(struct work *work, struct relation *relation, const struct relation *other,
                         const struct constraint *key)
{
    const struct intent *it = work->intent;
    struct constraint made = *key;
    made.kind = 'f';
    made.definition = it->not_valid ? say(work, "%s NOT VALID", key->definition) : key->definition;
    made.validated = !it->not_valid;
    made.ref_schema = other->schema;
    made.ref_table = other->name;
    made.on_delete = action_letter(it->on_delete);
    made.on_update = action_letter(it->on_update);
    made.deferrable = it->deferrable || it->deferred;
    made.deferred = it->deferred;
    work_touch(work, work->home, relation_key(work, relation));
    work_touch(work, work->home, relation_key(work, other));
    model_add_constraint(work, relation, &made);
}

bool compile_add_foreign_key(struct work *work)
{
    struct relation *relation;
    const struct intent *it = work->intent;
    struct catalog_texts theirs = { 0 };
    bool done;
    if (!find_table(work, &relation) || !name_is_new(work, relation, it->name, &done) || done) {
        return work->result->refusals == 0;
    }
    struct column *column;
    for (size_t i = 0; i < it->columns.count; i++) {
        if (!find_column(work, relation, it->columns.items[i], &column)) {
            return false;
        }
    }
    struct relation *other = referenced(work, &theirs);
    if (!other) {
        return false;
    }
    if (!has_unique(other, &theirs)) {
        return work_refuse(work, "add_unique there first",
                           "%s has no unique index on (%s) that a foreign key could rest on",
                           relation_key(work, other), ident_list(work, &theirs));
    }
    if (it->orphans && !text_eq(it->orphans, "refuse")) {
        return work_refuse(work, "clean the rows up with data_backfill first, then leave it out",
                           "this version cannot plan orphans: %s", it->orphans);
    }
    struct catalog_texts mine = texts_of(work, it->columns.items, it->columns.count);
    const char *name = key_name(work, relation);
    if (!indexed(relation, it->columns.items[0])) {
        work_note(work, "warning", "fk-without-index",
                  "no index of %s begins with %s: deleting a referenced row will scan it",
                  relation_key(work, relation), it->columns.items[0]);
    }
    const char *definition = key_definition(work, other, &mine, &theirs);
    if (it->not_valid) {
        key_for_new_rows(work, relation, other, name, definition);
    } else {
        constraint_in_two(
            work, &(struct new_constraint){ .place = { work->home, relation, PHASE_MIGRATE },
                                            .other = other,
                                            .name = name,
                                            .definition = definition });
    }
    remember_key(
        work, relation, other,
        &(struct constraint){
            .name = name, .columns = mine, .ref_columns = theirs, .definition = definition });
    return true;
}
