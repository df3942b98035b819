/*
 * rename_column. The column itself is renamed, at the very end, in place: everything that hangs on
 * it (views, indexes, constraints, keys, policies, defaults, statistics, grants) follows by itself
 * and the catalog ends exactly as after a plain RENAME COLUMN. What makes it safe is a copy under
 * the new name, kept equal by a trigger from expand on, which new clients use until then. At the
 * exchange of names the copy moves aside and goes on following, so that the way back is right for
 * clients at every moment. See docs/decisions on renames.
 */
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/family/families.h"

struct renaming {
    struct pair before; /* source = the old name, copy = the new name */
    struct pair after;  /* source = the new name, copy = the retired name */
    struct column *column;
    const char *from, *to, *retired;
    const char *type; /* of the copy */
};

static void add_copy(struct work *work, const struct renaming *r)
{
    const struct relation *relation = r->before.relation;
    const char *table = relation_sql(work, relation);
    struct step *step =
        work_step(work, r->before.state, PHASE_EXPAND,
                  say(work, "Add %s to %s and keep it equal to %s", r->to, relation->name, r->from),
                  "Old and new clients work side by side; each writes the name it knows, and the "
                  "trigger writes the other");
    step_up(work, step, "%s", pair_schema);
    step_up(work, step, "ALTER TABLE %s ADD COLUMN %s %s%s", table, ident(work, r->to), r->type,
            collate(work, r->column->collation));
    column_dress(work, relation, r->column, r->to, &step->up);
    pair_create(work, &r->before, &step->up);
    pair_remove(work, &r->before, &step->down);
    step_down(work, step, "ALTER TABLE %s DROP COLUMN %s", table, ident(work, r->to));
    step_lock(work, step, relation, "ACCESS EXCLUSIVE");
    step_probe(work, step, "SELECT %s AND %s", probe_column(work, relation, r->to),
               probe_trigger(work, relation, r->before.trigger));
    step_risk(work, step,
              "COPY and INSERT without a list of columns fail while the table has one "
              "more; prepared SELECT * must be prepared again");
    if (r->column->default_expr || r->column->identity) {
        step_risk(work, step,
                  "an explicit NULL for %s by a new client cannot be told from leaving it out: it "
                  "gets the default of %s",
                  r->to, r->from);
    }
}

/* New clients look rows up by the new name: they need the indexes of the old one. Unique ones last,
 * because a twin makes concurrent ON CONFLICT fail on it. */
static void build_twins(struct work *work, const struct renaming *r, bool unique, bool way_back)
{
    const struct pair *pair = &r->before;
    struct column_map map = { r->from, ident(work, way_back ? r->retired : r->to) };
    const struct column_maps maps = { &map, 1 };
    struct relation **leaves;
    size_t count = relation_leaves(work, pair->state, pair->relation, &leaves);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < leaves[i]->index_count; k++) {
            const struct index *index = &leaves[i]->indexes[k];
            if (index->unique != unique || !index->valid || !index_has_column(index, r->from)) {
                continue;
            }
            const char *name =
                free_name(work, pair->state, leaves[i], say(work, "%s_new", index->name));
            const char *sql = index_like(work, leaves[i], index, name, &maps);
            const struct place place = { pair->state, leaves[i],
                                         way_back ? PHASE_CONTRACT : PHASE_MIGRATE };
            if (way_back) {
                index_remove(work, &place, name, sql);
                continue;
            }
            struct step *step = index_build(work, &place, name, sql);
            if (unique) {
                step_risk(work, step,
                          "while both unique indexes are there, concurrent INSERT … ON CONFLICT "
                          "(%s) can fail with 23505 on this one",
                          r->from);
            }
        }
    }
}

static bool exchange_names(struct work *work, const struct renaming *r)
{
    const struct pair *pair = &r->before;
    const char *table = relation_sql(work, pair->relation);
    struct step *step =
        work_step(work, pair->state, PHASE_CONTRACT,
                  say(work, "Give the name %s to the column %s itself", r->to, r->from),
                  "Everything that hangs on the column follows; its copy moves aside and goes on "
                  "following, so that the way back is instant");
    const char *lock = say(work, "LOCK TABLE %s IN ACCESS EXCLUSIVE MODE", table);
    const char *aside = say(work, "ALTER TABLE %s RENAME COLUMN %s TO %s", table,
                            ident(work, r->to), ident(work, r->retired));
    step_up(work, step, "%s", lock);
    step_up(work, step, "%s", aside);
    step_up(work, step, "ALTER TABLE %s RENAME COLUMN %s TO %s", table, ident(work, r->from),
            ident(work, r->to));
    step_up(work, step, "%s", pair_create_function(work, &r->after, true));
    step_down(work, step, "%s", lock);
    step_down(work, step, "ALTER TABLE %s RENAME COLUMN %s TO %s", table, ident(work, r->to),
              ident(work, r->from));
    step_down(work, step, "ALTER TABLE %s RENAME COLUMN %s TO %s", table, ident(work, r->retired),
              ident(work, r->to));
    step_down(work, step, "%s", pair_create_function(work, &r->before, true));
    const struct new_name rename = { pair->state, pair->relation, r->from, r->to };
    if (!functions_follow_rename(work, &rename, step)) {
        return false;
    }
    step_lock(work, step, pair->relation, "ACCESS EXCLUSIVE");
    step_probe(work, step, "SELECT %s AND NOT %s", probe_column(work, pair->relation, r->retired),
               probe_column(work, pair->relation, r->from));
    step->tags = TAG_CONTRACT;
    step_risk(work, step,
              "clients that still say %s fail from here on; dynamic SQL is not looked "
              "into",
              r->from);
    return true;
}

static void drop_copy(struct work *work, const struct renaming *r)
{
    const struct pair *pair = &r->after;
    const char *table = relation_sql(work, pair->relation);
    const char *retired = ident(work, r->retired);
    copy_way_back(work, pair);
    struct step *step = work_step(
        work, pair->state, PHASE_CONTRACT,
        say(work, "Drop %s, the copy that %s no longer needs", r->retired, r->to),
        "Nobody reads the copy any more; the column itself, under its new name, has all the data");
    pair_remove(work, pair, &step->up);
    step_up(work, step, "ALTER TABLE %s DROP COLUMN %s", table, retired);
    step_down(work, step, "ALTER TABLE %s ADD COLUMN %s %s%s", table, retired, r->type,
              collate(work, r->column->collation));
    column_dress(work, pair->relation, r->column, r->retired, &step->down);
    pair_create(work, pair, &step->down);
    step_lock(work, step, pair->relation, "ACCESS EXCLUSIVE");
    step_probe(work, step, "SELECT NOT %s", probe_column(work, pair->relation, r->retired));
    step->tags = TAG_CONTRACT | TAG_DESTRUCTIVE;
}

/* Readers elsewhere keep the names they show; only where they read from changes. */
static void repoint_readers(struct work *work, const struct renaming *r)
{
    struct reader *readers;
    const struct pair *pair = &r->before;
    size_t count = foreign_readers(work, pair->state, pair->relation, r->from, &readers);
    for (size_t i = 0; i < count; i++) {
        const struct reader *reader = &readers[i];
        if (!reader->column || left_behind(work, reader, pair->relation, r->from)) {
            continue;
        }
        const char *table = relation_sql(work, reader->relation);
        const char *column = ident(work, reader->column->name);
        bool mapped = reader->column->options && column_option(reader->column, "column_name");
        struct step *step = work_step(
            work, reader->state, PHASE_MIGRATE,
            say(work, "Let foreign table %s read %s.%s", reader->relation->name,
                pair->relation->name, r->to),
            say(work, "The column is there and filled in %s; the old name goes away in contract",
                pair->state->service));
        step_up(work, step, "ALTER FOREIGN TABLE %s ALTER COLUMN %s OPTIONS (%s column_name %s)",
                table, column, mapped ? "SET" : "ADD", literal(work, r->to));
        step_down(work, step, "ALTER FOREIGN TABLE %s ALTER COLUMN %s OPTIONS (%s)", table, column,
                  mapped ? say(work, "SET column_name %s", literal(work, r->from))
                         : "DROP column_name");
        step_probe(work, step,
                   "SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = "
                   "pg_catalog.to_regclass(%s) AND attname = %s AND attfdwoptions @> "
                   "ARRAY[%s])",
                   literal(work, table), literal(work, reader->column->name),
                   literal(work, say(work, "column_name=%s", r->to)));
        step_lock(work, step, reader->relation, "ACCESS EXCLUSIVE");
        work_touch(work, reader->state, relation_key(work, reader->relation));
        if (reader->state != pair->state) {
            work_after(work, reader->state, PHASE_MIGRATE, pair->state,
                       say(work, "foreign table %s reads %s", reader->relation->name,
                           column_words(work, pair->relation, r->from)));
            work_after(work, pair->state, PHASE_CONTRACT, reader->state,
                       say(work, "foreign table %s reads %s", reader->relation->name,
                           column_words(work, pair->relation, r->from)));
        }
    }
}

static bool partition_key_has(const struct relation *relation, const char *column)
{
    return relation->partition_key && column_mentioned(relation->partition_key, column);
}

static bool rename_allowed(struct work *work, const struct relation *relation, const char *from,
                           const char *to)
{
    if (!table_can_sync(work, relation) || !no_subscriber(work, work->home, relation)) {
        return false;
    }
    if (relation_column(relation, to)) {
        return work_refuse(work, "choose another name, or drop that column first",
                           "table %s already has a column %s", relation_key(work, relation), to);
    }
    if (text_eq(object_name_fit(work->ctx, to), to) == false) {
        return work_refuse(work, "choose a shorter name",
                           "the name %s is longer than PostgreSQL's 63 bytes", to);
    }
    if (partition_key_has(relation, from)) {
        return work_refuse(work,
                           "rename it by hand in a maintenance window; rows cannot be routed by a "
                           "column that a trigger fills",
                           "column %s is part of the partition key of %s", from,
                           relation_key(work, relation));
    }
    return true;
}

/* The value of a column as the copy has it, or back. */
static const char *as_type(const struct work *work, const struct renaming *r, const char *column,
                           const char *type)
{
    return text_eq(r->type, r->column->type) ? ident(work, column)
                                             : say(work, "(%s)::%s", ident(work, column), type);
}

static void renaming_start(struct work *work, struct renaming *r, struct relation *relation)
{
    r->retired = free_column(work, relation, say(work, "%s_retired", r->to));
    bool computed = r->column->generated != 0;
    r->type = computed ? r->column->type : type_below(work, work->home, r->column->type);
    r->before = (struct pair){
        .state = work->home,
        .relation = relation,
        .source = r->from,
        .copy = r->to,
        .forward = computed ? say(work, "(%s)::%s", r->column->default_expr, r->column->type)
                            : as_type(work, r, r->from, r->type),
        .backward = computed ? NULL : as_type(work, r, r->to, r->column->type),
    };
    pair_name(work, &r->before);
    r->after = r->before;
    r->after.source = r->to;
    r->after.copy = r->retired;
    r->after.backward = NULL;
    r->after.forward = computed ? r->before.forward : as_type(work, r, r->to, r->type);
}

bool compile_rename_column(struct work *work)
{
    struct relation *relation;
    struct renaming r = { .from = work->intent->column, .to = work->intent->to };
    if (!find_table(work, &relation)) {
        return false;
    }
    if (!relation_column(relation, r.from) && relation_column(relation, r.to)) {
        work_note(work, "info", "nothing-to-do", "%s has the name %s already",
                  column_words(work, relation, r.from), r.to);
        return true;
    }
    if (!find_column(work, relation, r.from, &r.column) ||
        !rename_allowed(work, relation, r.from, r.to)) {
        return false;
    }
    renaming_start(work, &r, relation);
    add_copy(work, &r);
    pair_backfill(work, &r.before, PHASE_MIGRATE);
    pair_verify(work, &r.before, PHASE_MIGRATE);
    pair_analyze(work, &r.before, PHASE_MIGRATE);
    build_twins(work, &r, false, false);
    build_twins(work, &r, true, false);
    repoint_readers(work, &r);
    acknowledge(work, work->home, relation, r.from);
    pair_verify(work, &r.before, PHASE_CONTRACT);
    if (!exchange_names(work, &r)) {
        return false;
    }
    build_twins(work, &r, false, true);
    build_twins(work, &r, true, true);
    /* from here on the table has the new name: a snapshot's key may be this very column */
    model_rename_column(work, work->home, relation, r.from, r.to);
    drop_copy(work, &r);
    work_touch(work, work->home, relation_key(work, relation));
    work_busy(work, work->home, relation, r.from);
    work_busy(work, work->home, relation, r.to);
    return true;
}
