/*
 * Unique constraints and primary keys: the index is built CONCURRENTLY first, the constraint takes
 * it over. And constraints that go, with a way back that does not block.
 */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/family/families.h"
#include "controller/family/leftover.h"
#include "controller/family/partitioned.h"
#include "controller/work/row_step.h"

/* Duplicates are found before anything is built, instead of after an hour of building. */
void prove_unique(struct work *work, const struct relation *relation, const char *columns)
{
    const struct intent *it = work->intent;
    struct text present = text_init(work->ctx, TEXT_LINE);
    for (size_t i = 0; i < it->columns.count; i++) {
        text_addf(&present, "%s%s IS NOT NULL", i ? " AND " : "",
                  ident(work, it->columns.items[i]));
    }
    struct step *step =
        step_proof(work, &(struct place){ work->home, relation, PHASE_EXPAND },
                   say(work, "Prove that (%s) of %s has no duplicates", columns, relation->name),
                   "A build over duplicates fails at its very end");
    step->check =
        say(work,
            "SELECT NOT EXISTS (SELECT FROM %s WHERE %s GROUP BY %s HAVING "
            "pg_catalog.count(*) > 1)",
            relation_sql(work, relation), it->nulls_not_distinct ? "true" : present.data, columns);
}

static const char *constraint_name(const struct work *work, const struct relation *relation,
                                   bool primary)
{
    const struct intent *it = work->intent;
    return it->name ? it->name
                    : constraint_server_name(work, relation, primary ? 'p' : 'u', it->columns.items,
                                             it->columns.count);
}

static const char *deferral(const struct intent *it)
{
    return it->deferred ? " DEFERRABLE INITIALLY DEFERRED" : it->deferrable ? " DEFERRABLE" : "";
}

static void build_plain(struct work *work, const struct place *place, const char *name,
                        bool primary)
{
    const struct intent *it = work->intent;
    const struct relation *relation = place->relation;
    const struct catalog_texts names = texts_of(work, it->columns.items, it->columns.count);
    const char *columns = ident_list(work, &names), *table = relation_sql(work, relation);
    struct step *index = index_build(
        work, place, name,
        say(work, "CREATE UNIQUE INDEX CONCURRENTLY %s ON %s USING btree (%s)%s", ident(work, name),
            table, columns, it->nulls_not_distinct ? " NULLS NOT DISTINCT" : ""));
    index->tags |= TAG_CONTRACT;
    struct step *step =
        work_step(work, work->home, PHASE_MIGRATE,
                  say(work, "Make %s a constraint of %s", name, relation->name),
                  "It takes over the index that is there: only the catalog changes");
    step_up(work, step, "ALTER TABLE %s ADD CONSTRAINT %s %s USING INDEX %s%s", table,
            ident(work, name), primary ? "PRIMARY KEY" : "UNIQUE", ident(work, name), deferral(it));
    step_down(work, step, "ALTER TABLE %s DROP CONSTRAINT %s", table, ident(work, name));
    step_probe(work, step, "SELECT %s", probe_constraint(work, relation, name, false));
    step_lock(work, step, relation, "ACCESS EXCLUSIVE");
}

/* The index of a constraint has the constraint's name on the whole, and on a partition the one that
 * the server would choose. */
static void build_spread(struct work *work, struct relation *relation, const char *name,
                         bool primary)
{
    const struct intent *it = work->intent;
    const struct catalog_texts names = texts_of(work, it->columns.items, it->columns.count);
    const char *columns = ident_list(work, &names);
    const struct index index = { .name = name,
                                 .definition =
                                     say(work, "USING btree (%s)%s", columns,
                                         it->nulls_not_distinct ? " NULLS NOT DISTINCT" : ""),
                                 .unique = true,
                                 .primary = primary,
                                 .constraint = name };
    const struct constraint c = { .name = name,
                                  .kind = primary ? 'p' : 'u',
                                  .definition =
                                      say(work, "%s%s (%s)%s", primary ? "PRIMARY KEY" : "UNIQUE",
                                          it->nulls_not_distinct ? " NULLS NOT DISTINCT" : "",
                                          columns, deferral(it)) };
    const struct column_maps none = { 0 };
    const struct spread s = {
        work, { work->home, relation, PHASE_MIGRATE }, &index, &none, "_new"
    };
    struct step_texts join = { 0 };
    spread_parts(&s);
    spread_join(&s, &c, &join);
    struct step *step = work_step(work, work->home, PHASE_MIGRATE,
                                  say(work, "Make %s a constraint of %s", name, relation->name),
                                  "It takes over the partitions' indexes that are there: only the "
                                  "catalog changes");
    for (size_t i = 0; i < join.count; i++) {
        step_up(work, step, "%s", join.items[i]);
    }
    step_down(work, step, "ALTER TABLE %s DROP CONSTRAINT %s", relation_sql(work, relation),
              ident(work, name));
    step_probe(work, step, "SELECT %s", probe_constraint(work, relation, name, false));
    step_lock(work, step, relation, "ACCESS EXCLUSIVE");
}

static void build(struct work *work, struct relation *relation, const char *name, bool primary)
{
    const struct intent *it = work->intent;
    const struct catalog_texts names = texts_of(work, it->columns.items, it->columns.count);
    const char *columns = ident_list(work, &names);
    const struct place place = { work->home, relation, PHASE_MIGRATE };
    prove_unique(work, relation, columns);
    if (relation->kind == 'p') {
        build_spread(work, relation, name, primary);
    } else {
        build_plain(work, &place, name, primary);
    }
    model_add_constraint(
        work, relation,
        &(struct constraint){ .name = name,
                              .kind = primary ? 'p' : 'u',
                              .columns = names,
                              .deferrable = it->deferrable || it->deferred,
                              .deferred = it->deferred,
                              .definition =
                                  say(work, "%s (%s)", primary ? "PRIMARY KEY" : "UNIQUE", columns),
                              .validated = true,
                              .index = name });
    model_add_index(work, relation,
                    &(struct index){ .name = name,
                                     .definition = say(work,
                                                       "CREATE UNIQUE INDEX %s ON %s USING btree "
                                                       "(%s)",
                                                       name, relation->name, columns),
                                     .method = "btree",
                                     .columns = names,
                                     .key_count = (int)names.count,
                                     .unique = true,
                                     .primary = primary,
                                     .valid = true,
                                     .ready = true,
                                     .constraint = name });
    work_touch(work, work->home, relation_key(work, relation));
}

static bool columns_found(struct work *work, struct relation *relation)
{
    struct column *column;
    for (size_t i = 0; i < work->intent->columns.count; i++) {
        if (!find_column(work, relation, work->intent->columns.items[i], &column)) {
            return false;
        }
    }
    return true;
}

static bool can_build(struct work *work, struct relation *relation, bool *done)
{
    const struct intent *it = work->intent;
    *done = it->name && relation_constraint(relation, it->name);
    if (*done) {
        work_note(work, "info", "nothing-to-do", "%s has a constraint %s already",
                  relation_key(work, relation), it->name);
        return false;
    }
    if (!strchr("rp", relation->kind)) {
        return work_refuse(work, "name a table", "%s is no table", relation_key(work, relation));
    }
    if (it->duplicates && !text_eq(it->duplicates, "refuse")) {
        return work_refuse(work, "remove the duplicates with data_backfill or sql first",
                           "this version cannot plan duplicates: %s", it->duplicates);
    }
    return columns_found(work, relation);
}

bool compile_add_unique(struct work *work)
{
    struct relation *relation;
    bool done = false;
    if (!find_table(work, &relation) || !can_build(work, relation, &done)) {
        return done;
    }
    if (work->intent->expressions.count) {
        return work_refuse(work, "use add_index with unique: true",
                           "a constraint cannot be on expressions");
    }
    build(work, relation, constraint_name(work, relation, false), false);
    return true;
}

bool compile_add_primary_key(struct work *work)
{
    struct relation *relation;
    bool done = false;
    if (!find_table(work, &relation) || !can_build(work, relation, &done)) {
        return done;
    }
    if (relation_primary_key(relation)) {
        return work_refuse(work, "drop_constraint first, or replace_primary_key",
                           "%s has the primary key %s already", relation_key(work, relation),
                           relation_primary_key(relation)->name);
    }
    for (size_t i = 0; i < work->intent->columns.count; i++) {
        struct column *column = relation_column(relation, work->intent->columns.items[i]);
        if (!column->not_null) {
            not_null_proven(work, work->home, relation, column->name, PHASE_MIGRATE);
            column->not_null = true;
        }
    }
    build(work, relation, constraint_name(work, relation, true), true);
    return true;
}

/* --- constraints that go --------------------------------------------------------------------- */

const char *constraint_comment(const struct work *work, const struct relation *relation,
                               const struct constraint *c)
{
    return c->comment ? say(work, "COMMENT ON CONSTRAINT %s ON %s IS %s", ident(work, c->name),
                            relation_sql(work, relation), literal(work, c->comment))
                      : NULL;
}

/* Rows written since may have kept it from being made. */
static void comment_back(const struct work *work, struct step *step, const struct place *place,
                         const struct constraint *c)
{
    const char *comment = constraint_comment(work, place->relation, c);
    if (comment) {
        step_down(
            work, step, "DO %s",
            literal(work, say(work, "BEGIN IF %s THEN %s; END IF; END",
                              probe_constraint(work, place->relation, c->name, false), comment)));
    }
}

static void prove_again(struct work *work, const struct place *place, const struct constraint *c)
{
    struct step *step = work_step(work, place->state, place->phase,
                                  say(work, "On the way back: prove %s again", c->name),
                                  "VALIDATE reads while everybody goes on");
    step_up_nothing(work, step, "this step is for the way back");
    step_down(work, step, "%s", leftover_proof(work, place->relation, c->name));
    step->tags = TAG_NEUTRAL;
}

static struct step *drop_step(struct work *work, const struct place *place,
                              const struct constraint *c)
{
    struct step *step =
        work_step(work, place->state, place->phase,
                  say(work, "Drop constraint %s of %s", c->name, place->relation->name),
                  "Only the catalog changes; its definition is kept for the way "
                  "back");
    step->tags = TAG_CONTRACT;
    step_lock(work, step, place->relation, "ACCESS EXCLUSIVE");
    step_probe(work, step, "SELECT NOT %s",
               probe_constraint(work, place->relation, c->name, false));
    return step;
}

static const char *mapped_definition(const struct work *work, const struct constraint *c,
                                     const struct column_maps *maps)
{
    /* the referenced side of a foreign key keeps its names */
    const char *references = c->kind == 'f' ? text_from_keyword(c->definition, "REFERENCES") : NULL;
    if (!references) {
        return columns_mapped(work->ctx, c->definition, maps);
    }
    const char *mine = mem_textn(work->ctx, c->definition, (size_t)(references - c->definition));
    return say(work, "%s%s", columns_mapped(work->ctx, mine, maps), references);
}

static void remove_unique(struct work *work, const struct place *place, const struct constraint *c,
                          const struct column_maps *maps)
{
    const char *table = relation_sql(work, place->relation), *name = ident(work, c->name);
    struct step *step = drop_step(work, place, c);
    const struct index *index = c->index ? relation_index(place->relation, c->index) : NULL;
    step_up(work, step, "ALTER TABLE %s DROP CONSTRAINT %s", table, name);
    const char *add = say(work, "ALTER TABLE %s ADD CONSTRAINT %s %s USING INDEX %s%s", table, name,
                          c->kind == 'p' ? "PRIMARY KEY" : "UNIQUE", ident(work, c->index),
                          c->deferred     ? " DEFERRABLE INITIALLY DEFERRED"
                          : c->deferrable ? " DEFERRABLE"
                                          : "");
    if (index) {
        /* it is there, unless the way back starts between the two steps, or duplicates forbid it */
        const char *like = index_like(work, place->relation, index, index->name, maps);
        const char *make = say(work, "CREATE UNIQUE INDEX %s",
                               strstr(like, "CONCURRENTLY ") + strlen("CONCURRENTLY "));
        add = leftover_by_index(work, place->relation, c->index, make, add);
    }
    step_down(work, step, "%s", add);
    comment_back(work, step, place, c);
    struct step_texts dress = { 0 };
    if (index) {
        index_dress(work, place->relation, index, &dress);
    }
    for (size_t i = 0; i < dress.count; i++) {
        step_down(work, step, "%s",
                  leftover_if_index(work, place->relation, index->name, dress.items[i]));
    }
    if (index) {
        struct step *built = index_remove(
            work, place, index->name, index_like(work, place->relation, index, index->name, maps));
        built->what = say(work, "On the way back: build the index of %s first", c->name);
        built->why = "The constraint takes it over then, without a scan under its lock";
        built->probe = NULL; /* forward it is gone already, with its constraint */
    }
}

/* The way back: unique indexes of the partitions first, then the constraint of the whole takes them
 * over. */
static void remove_spread(struct work *work, const struct place *place, const struct constraint *c,
                          const struct column_maps *maps)
{
    const struct index *index = relation_index(place->relation, c->index);
    const struct spread s = { work, *place, index, maps, "_back" };
    struct step_texts join = { 0 };
    struct relation **leaves;
    size_t count =
        relation_leaves(work, place->state, (struct relation *)(uintptr_t)place->relation, &leaves);
    struct step *step = drop_step(work, place, c);
    step_up(work, step, "ALTER TABLE %s DROP CONSTRAINT %s", relation_sql(work, place->relation),
            ident(work, c->name));
    spread_join(&s, c, &join);
    for (size_t i = 0; i < join.count; i++) {
        step_down(work, step, "%s", join.items[i]);
    }
    comment_back(work, step, place, c);
    for (size_t i = 0; i < count; i++) {
        const struct place leaf = { place->state, leaves[i], place->phase };
        const struct index *own = spread_child(&s, leaves[i]);
        const char *base = own ? own->name : say(work, "%s_%s", leaves[i]->name, index->name);
        const char *name = free_name(work, place->state, leaves[i], say(work, "%s_back", base));
        struct step *built =
            index_remove(work, &leaf, name, index_like(work, leaves[i], index, name, maps));
        built->what = say(work, "On the way back: build %s first", name);
        built->why = "The constraint takes it over then, without a scan under its lock";
        built->probe = NULL;
    }
}

void constraint_remove(struct work *work, const struct place *place, const struct constraint *c,
                       const struct column_maps *maps)
{
    const char *table = relation_sql(work, place->relation), *name = ident(work, c->name);
    if (c->kind == 'p' || c->kind == 'u') {
        if (place->relation->kind == 'p' && relation_index(place->relation, c->index)) {
            remove_spread(work, place, c, maps);
        } else {
            remove_unique(work, place, c, maps);
        }
        return;
    }
    bool two = c->kind == 'c' || (c->kind == 'f' && place->relation->kind == 'r');
    if (two && c->validated) {
        prove_again(work, place, c);
    }
    struct step *step = drop_step(work, place, c);
    if (c->kind == 'f') {
        step_up(work, step, "LOCK TABLE %s, %s IN ACCESS EXCLUSIVE MODE",
                name_sql(work, c->ref_schema, c->ref_table), table);
    }
    step_up(work, step, "ALTER TABLE %s DROP CONSTRAINT %s", table, name);
    const char *definition = mapped_definition(work, c, maps);
    bool already = text_ends(definition, " NOT VALID");
    const char *add = say(work, "ALTER TABLE %s ADD CONSTRAINT %s %s%s", table, name, definition,
                          two && !already ? " NOT VALID" : "");
    step_down(work, step, "%s",
              two || already ? add
                             : leftover_or(work, add,
                                           say(work,
                                               "%s: not made again, because rows written since do "
                                               "not fit: %s",
                                               relation_key(work, place->relation), add)));
    comment_back(work, step, place, c);
}

bool compile_drop_constraint(struct work *work)
{
    struct relation *relation;
    const struct intent *it = work->intent;
    const struct column_maps none = { 0 };
    if (!find_table(work, &relation)) {
        return false;
    }
    const struct constraint *c = relation_constraint(relation, it->name);
    if (!c) {
        work_note(work, "info", "nothing-to-do", "%s has no constraint %s",
                  relation_key(work, relation), it->name);
        return true;
    }
    const struct catalog *catalog = work->home->catalog;
    for (size_t i = 0; i < catalog->relation_count && c->index && c->kind != 'f'; i++) {
        for (size_t k = 0; k < catalog->relations[i].constraint_count; k++) {
            const struct constraint *key = &catalog->relations[i].constraints[k];
            if (key->kind == 'f' && text_eq(key->ref_table, relation->name) &&
                text_eq(key->ref_schema, relation->schema) && text_eq(key->index, c->index)) {
                return work_refuse(work, "drop that foreign key first",
                                   "foreign key %s of %s rests on %s", key->name,
                                   relation_key(work, &catalog->relations[i]), c->name);
            }
        }
    }
    if (c->inherited) {
        return work_refuse(work, "drop it at the parent", "constraint %s comes from %s", c->name,
                           relation->parent ? relation->parent : "a parent");
    }
    constraint_remove(work, &(struct place){ work->home, relation, PHASE_CONTRACT }, c, &none);
    work_touch(work, work->home, relation_key(work, relation));
    work_busy(work, work->home, relation, NULL);
    model_drop_constraint(work, relation, it->name);
    return true;
}
