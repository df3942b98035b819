/*
 * Indexes: always built and dropped CONCURRENTLY on a table that has rows; on a partitioned table
 * one by one on the partitions, then joined under an index ON ONLY the parent.
 */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/family/families.h"
#include "controller/family/leftover.h"
#include "controller/family/partitioned.h"

void index_gone(struct work *work, const struct place *place, const struct index *index,
                const struct column_maps *maps)
{
    struct step_texts dress = { 0 };
    index_dress(work, place->relation, index, &dress);
    if (dress.count) {
        struct step *step =
            work_step(work, place->state, place->phase,
                      say(work, "On the way back: comment and marks of %s", index->name),
                      "An index that is built anew has none");
        step_up_nothing(work, step, "this step is for the way back");
        for (size_t i = 0; i < dress.count; i++) {
            step_down(work, step, "%s",
                      leftover_if_index(work, place->relation, index->name, dress.items[i]));
        }
        step->tags = TAG_NEUTRAL;
    }
    if (place->relation->kind == 'p') {
        spread_remove(&(struct spread){ work, *place, index, maps, "" });
    } else {
        index_remove(work, place, index->name,
                     index_like(work, place->relation, index, index->name, maps));
    }
}

/* --- add_index ------------------------------------------------------------------------------ */

static void tail_keys(const struct work *work, struct text *t)
{
    const struct intent *it = work->intent;
    const char *order = it->order ? say(work, " %s", it->order) : "";
    for (size_t i = 0; i < it->columns.count; i++) {
        text_addf(t, "%s%s%s%s%s", i ? ", " : "", ident(work, it->columns.items[i]),
                  i < it->opclass.count ? " " : "",
                  i < it->opclass.count ? it->opclass.items[i] : "", order);
    }
    for (size_t i = 0; i < it->expressions.count; i++) {
        text_addf(t, "%s(%s)", i || it->columns.count ? ", " : "", it->expressions.items[i]);
    }
}

/* "USING btree (a DESC, lower(b)) INCLUDE (c) WHERE d" of what the intent asks for. */
static const char *wanted_tail(const struct work *work)
{
    const struct intent *it = work->intent;
    struct text t = text_init(work->ctx, TEXT_SQL);
    text_addf(&t, "USING %s (", it->method ? it->method : "btree");
    tail_keys(work, &t);
    text_addc(&t, ')');
    for (size_t i = 0; i < it->include.count; i++) {
        text_addf(&t, "%s%s", i ? ", " : " INCLUDE (", ident(work, it->include.items[i]));
    }
    text_add(&t, it->include.count ? ")" : "");
    text_add(&t, it->nulls_not_distinct ? " NULLS NOT DISTINCT" : "");
    if (it->where) {
        text_addf(&t, " WHERE (%s)", it->where);
    }
    return t.data;
}

/* The columns' names joined by "_": what the server makes the name of an index of. */
static const char *columns_joined(const struct work *work)
{
    const struct intent *it = work->intent;
    struct text t = text_init(work->ctx, TEXT_LINE);
    for (size_t i = 0; i < it->columns.count; i++) {
        text_addf(&t, "%s%s", i ? "_" : "", it->columns.items[i]);
    }
    for (size_t i = 0; i < it->expressions.count; i++) {
        text_addf(&t, "%s%s", t.len ? "_" : "", expression_label(work, it->expressions.items[i]));
    }
    return t.data;
}

static void build_one(struct work *work, const struct relation *leaf, const char *name,
                      const char *tail, bool unique)
{
    const struct place place = { work->home, leaf, PHASE_MIGRATE };
    struct step *step =
        index_build(work, &place, name,
                    say(work, "CREATE %sINDEX CONCURRENTLY %s ON %s %s", unique ? "UNIQUE " : "",
                        ident(work, name), relation_sql(work, leaf), tail));
    if (unique) {
        step_risk(work, step,
                  "duplicates make the build fail; they are named then, and nothing is "
                  "left behind");
    }
}

/* The partitions' indexes are attached one by one; the last one makes the parent's valid. */
static void build_partitioned(struct work *work, struct relation *parent, const char *name,
                              const char *tail, bool unique)
{
    struct relation **children;
    size_t count = relation_children(work, work->home, parent, &children);
    struct step *shell =
        work_step(work, work->home, PHASE_MIGRATE,
                  say(work, "Make index %s of %s, without its partitions", name, parent->name),
                  "ON ONLY builds nothing and is instant; the partitions' indexes "
                  "are attached to it");
    step_up(work, shell, "CREATE %sINDEX %s ON ONLY %s %s", unique ? "UNIQUE " : "",
            ident(work, name), relation_sql(work, parent), tail);
    const char *gone = say(work, "DROP INDEX IF EXISTS %s", name_sql(work, parent->schema, name));
    step_down(work, shell, "%s", gone);
    step_lock(work, shell, parent, "SHARE");
    for (size_t i = 0; i < count; i++) {
        const char *child = server_index_name(work, children[i], columns_joined(work));
        if (children[i]->kind == 'p') {
            build_partitioned(work, children[i], child, tail, unique);
        } else {
            build_one(work, children[i], child, tail, unique);
        }
        struct step *attach =
            work_step(work, work->home, PHASE_MIGRATE, say(work, "Attach %s to %s", child, name),
                      "The index of the whole is valid when every partition has its own");
        step_up(work, attach, "ALTER INDEX %s ATTACH PARTITION %s",
                name_sql(work, parent->schema, name), name_sql(work, children[i]->schema, child));
        /* attached ones cannot be dropped alone: the whole goes first, and takes them along */
        step_down(work, attach, "%s", gone);
        step_lock(work, attach, children[i], "ACCESS SHARE");
    }
}

static bool same_index(const struct relation *relation, const char *tail, bool unique,
                       const char *name)
{
    for (size_t i = 0; i < relation->index_count; i++) {
        const struct index *index = &relation->indexes[i];
        const char *using = text_from_keyword(index->definition, "USING");
        if (index->valid && index->unique == unique && using && text_eq(using, tail) &&
            (!name || text_eq(name, index->name))) {
            return true;
        }
    }
    return false;
}

static bool columns_there(struct work *work, struct relation *relation)
{
    struct column *column;
    for (size_t i = 0; i < work->intent->columns.count; i++) {
        if (!find_column(work, relation, work->intent->columns.items[i], &column)) {
            return false;
        }
    }
    return true;
}

static void remember_index(struct work *work, struct relation *relation, const char *name,
                           const char *tail)
{
    const struct intent *it = work->intent;
    const char *kind = it->unique ? "UNIQUE " : "";
    model_add_index(
        work, relation,
        &(struct index){
            .name = name,
            .definition = say(work, "CREATE %sINDEX %s ON %s %s", kind, name, relation->name, tail),
            .method = it->method ? it->method : "btree",
            .columns = texts_of(work, it->columns.items, it->columns.count),
            .key_count = (int)it->columns.count,
            .unique = it->unique,
            .valid = true,
            .ready = true,
            .has_expressions = it->expressions.count > 0,
            .predicate = it->where });
}

bool compile_add_index(struct work *work)
{
    struct relation *relation;
    const struct intent *it = work->intent;
    if (!find_table(work, &relation) || !columns_there(work, relation)) {
        return false;
    }
    if (!strchr("rpm", relation->kind)) {
        return work_refuse(work, "name a table or a materialized view", "%s cannot have an index",
                           relation_key(work, relation));
    }
    const char *tail = it->definition ? it->definition : wanted_tail(work);
    const char *name =
        it->name ? it->name : server_index_name(work, relation, columns_joined(work));
    if (same_index(relation, tail, it->unique, it->name)) {
        work_note(work, "info", "nothing-to-do", "the index on %s is there already",
                  relation_key(work, relation));
        return true;
    }
    if (!text_eq(object_name_fit(work->ctx, name), name)) {
        return work_refuse(work, "choose a shorter name",
                           "the name %s is longer than PostgreSQL's 63 bytes", name);
    }
    if (!text_eq(free_name(work, work->home, relation, name), name)) {
        return work_refuse(work, "choose another name", "the name %s is taken in schema %s", name,
                           relation->schema);
    }
    if (it->unique && !it->where && !it->definition && it->expressions.count == 0) {
        const struct catalog_texts names = texts_of(work, it->columns.items, it->columns.count);
        prove_unique(work, relation, ident_list(work, &names));
    }
    if (relation->kind == 'p') {
        build_partitioned(work, relation, name, tail, it->unique);
    } else {
        build_one(work, relation, name, tail, it->unique);
    }
    work_touch(work, work->home, relation_key(work, relation));
    remember_index(work, relation, name, tail);
    return true;
}

bool compile_drop_index(struct work *work)
{
    const struct intent *it = work->intent;
    struct catalog *catalog = work->home->catalog;
    struct object_name name;
    struct error why;
    if (!object_name_parse(work->ctx, it->name, &name, &why)) {
        return work_refuse(work, why.hint, "%s", why.message);
    }
    for (size_t i = 0; i < catalog->relation_count; i++) {
        struct relation *relation = &catalog->relations[i];
        struct index *index = relation_index(relation, name.name);
        if (!index || (name.schema && !text_eq(name.schema, relation->schema))) {
            continue;
        }
        if (index->constraint) {
            return work_refuse(work, "use drop_constraint",
                               "index %s belongs to the constraint %s of %s", index->name,
                               index->constraint, relation_key(work, relation));
        }
        const struct place place = { work->home, relation, PHASE_CONTRACT };
        const struct column_maps none = { 0 };
        work_busy(work, work->home, relation, NULL);
        index_gone(work, &place, index, &none);
        work_touch(work, work->home, relation_key(work, relation));
        model_drop_index(work, relation, index->name);
        return true;
    }
    work_note(work, "info", "nothing-to-do", "there is no index %s", it->name);
    return true;
}
