/*
 * Tables that come and go. A dropped table is moved into the schema flotilla with all it has: the
 * way back is instant and brings every row. `flotilla agent clean` removes it for good.
 */
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/family/families.h"
#include "controller/work/owner.h"

/* --- create_table ---------------------------------------------------------------------------- */

static bool column_clause(struct work *work, const json_t *column, struct text *t)
{
    const char *name = json_text_of(column, "column"), *type = json_text_of(column, "type");
    const json_t *nullable = json_object_get(column, "nullable");
    const char *identity = json_text_of(column, "identity");
    const char *target = json_text_of(column, "references");
    if (!name || !type) {
        return work_refuse(work, "write { column: id, type: bigint, … }",
                           "a column of the new table has no name or no type");
    }
    text_addf(t, "%s %s", ident(work, name), type_name(work, work->home, type));
    if (json_text_of(column, "default")) {
        text_addf(t, " DEFAULT %s", json_text_of(column, "default"));
    }
    if (identity) {
        text_addf(t, " GENERATED %s AS IDENTITY",
                  text_eq(identity, "always") ? "ALWAYS" : "BY DEFAULT");
    }
    if (json_text_of(column, "generated")) {
        text_addf(t, " GENERATED ALWAYS AS (%s) STORED", json_text_of(column, "generated"));
    }
    if (json_is_false(nullable)) {
        text_add(t, " NOT NULL");
    }
    if (json_text_of(column, "check")) {
        text_addf(t, " CHECK (%s)", json_text_of(column, "check"));
    }
    if (target) {
        struct object_name other;
        struct error why;
        if (!object_name_parse(work->ctx, target, &other, &why)) {
            return work_refuse(work, why.hint, "references: %s", why.message);
        }
        text_addf(t, " REFERENCES %s%s%s%s",
                  other.schema ? name_sql(work, other.schema, other.name) : ident(work, other.name),
                  other.column_count ? " (" : "",
                  other.column_count ? ident(work, other.columns[0]) : "",
                  other.column_count ? ")" : "");
    }
    return true;
}

/* A column, or a list of them. */
static const char *names_of(const struct work *work, const json_t *list)
{
    struct text t = text_init(work->ctx, TEXT_LINE);
    size_t i;
    json_t *item;
    if (json_is_string(list)) {
        return ident(work, json_string_value(list));
    }
    json_array_foreach(list, i, item) {
        text_addf(&t, "%s%s", i ? ", " : "", ident(work, json_string_value(item)));
    }
    return t.data;
}

static const char *table_definition(struct work *work, const json_t *fields, const char *table)
{
    struct text t = text_init(work->ctx, TEXT_SQL);
    size_t i;
    json_t *item;
    text_addf(&t, "CREATE TABLE %s (", table);
    json_array_foreach(json_object_get(fields, "columns"), i, item) {
        text_add(&t, i ? ", " : "");
        if (!column_clause(work, item, &t)) {
            return NULL;
        }
    }
    if (json_object_get(fields, "primary_key")) {
        text_addf(&t, ", PRIMARY KEY (%s)", names_of(work, json_object_get(fields, "primary_key")));
    }
    json_array_foreach(json_object_get(fields, "unique"), i, item) {
        text_addf(&t, ", UNIQUE (%s)", names_of(work, item));
    }
    json_array_foreach(json_object_get(fields, "checks"), i, item) {
        const char *expression =
            json_is_string(item) ? json_string_value(item) : json_text_of(item, "expression");
        text_addf(&t, ", CHECK (%s)", expression ? expression : "true");
    }
    text_addf(&t, ")%s%s", json_text_of(fields, "partition_by") ? " PARTITION BY " : "",
              json_text_of(fields, "partition_by") ? json_text_of(fields, "partition_by") : "");
    return t.data;
}

bool compile_create_table(struct work *work)
{
    const struct intent *it = work->intent;
    const struct object_name *name = &it->table;
    const json_t *fields = json_object_get(it->fields, intent_name(it->operation));
    if (catalog_relation(work->home->catalog, name->schema, name->name)) {
        return work_refuse(work, "choose another name, or add columns to it",
                           "service %s has a table %s already", work->home->service, name->name);
    }
    if (json_object_get(fields, "foreign_keys") || json_object_get(fields, "indexes")) {
        return work_refuse(work, "write add_foreign_key and add_index intents behind it",
                           "this version takes foreign_keys and indexes of a new table as intents "
                           "of their own");
    }
    const char *table =
        name->schema ? name_sql(work, name->schema, name->name) : ident(work, name->name);
    const char *definition = table_definition(work, fields, table);
    if (!definition) {
        return false;
    }
    struct step *step = work_step(work, work->home, PHASE_EXPAND,
                                  say(work, "Create table %s", name->name), "Nobody uses it yet");
    step_up(work, step, "%s", definition);
    const char *owner = owner_after(work, definition);
    if (owner) {
        step_up(work, step, "%s", owner);
    }
    step_down(work, step, "DROP TABLE %s", table);
    step_probe(work, step, "SELECT pg_catalog.to_regclass(%s) IS NOT NULL", literal(work, table));
    struct relation made = { .schema = name->schema ? name->schema : "public",
                             .name = name->name,
                             .kind = 'r',
                             .persistence = 'p' };
    struct relation *relation = model_add_relation(work, work->home, &made);
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(fields, "columns"), i, item) {
        model_add_column(
            work, relation,
            &(struct column){ .name = json_text_of(item, "column"),
                              .type = type_name(work, work->home, json_text_of(item, "type")),
                              .not_null = json_is_false(json_object_get(item, "nullable")) });
    }
    work_touch(work, work->home, object_name_join(work->ctx, made.schema, made.name));
    return true;
}

/* --- drop_table ------------------------------------------------------------------------------ */

static bool no_service_needs(struct work *work, const struct relation *relation)
{
    const struct graph *graph = work->input->graph;
    for (size_t i = 0; graph && i < graph->edge_count; i++) {
        const struct graph_edge *edge = &graph->edges[i];
        if (edge->kind != EDGE_SUGGESTED && text_eq(edge->to.service, work->home->service) &&
            text_eq(edge->to.name, relation->name) &&
            !text_eq(edge->from.service, work->home->service)) {
            return work_refuse(
                work, "let that service stop reading it first; a drop is never passed on",
                "service %s still reads %s:%s (%s)", edge->from.service, work->home->service,
                relation->name, edge->evidence ? edge->evidence : edge_kind_name(edge->kind));
        }
    }
    return true;
}

static bool nobody_needs(struct work *work, const struct relation *relation)
{
    const struct catalog *catalog = work->home->catalog;
    const char *prefix = say(work, "%s.", relation_key(work, relation));
    for (size_t i = 0; i < catalog->relation_count; i++) {
        const struct relation *other = &catalog->relations[i];
        for (size_t k = 0; k < other->reads.count; k++) {
            if (text_starts(other->reads.items[k], prefix)) {
                return work_refuse(work, "drop or replace that view first", "view %s reads %s",
                                   relation_key(work, other), relation_key(work, relation));
            }
        }
        for (size_t k = 0; k < other->constraint_count; k++) {
            const struct constraint *key = &other->constraints[k];
            if (other != relation && key->kind == 'f' && text_eq(key->ref_table, relation->name) &&
                text_eq(key->ref_schema, relation->schema)) {
                return work_refuse(work, "drop that foreign key first",
                                   "foreign key %s of %s references %s", key->name,
                                   relation_key(work, other), relation_key(work, relation));
            }
        }
    }
    return no_service_needs(work, relation);
}

static void keys_off(struct work *work, struct relation *relation)
{
    const struct column_maps none = { 0 };
    const struct place place = { work->home, relation, PHASE_CONTRACT };
    for (size_t i = 0; i < relation->constraint_count; i++) {
        if (relation->constraints[i].kind == 'f' && !relation->constraints[i].inherited) {
            constraint_remove(work, &place, &relation->constraints[i], &none);
        }
    }
}

/* A partitioned table's partitions do not follow it into another schema by themselves. */
static size_t family(struct work *work, struct relation *relation, struct relation ***out)
{
    struct relation **all = mem_array(work->ctx, struct relation *, 1);
    size_t count = 1;
    all[0] = relation;
    for (size_t i = 0; i < count; i++) {
        struct relation **children;
        size_t more = relation_children(work, work->home, all[i], &children);
        all = mem_room(work->ctx, all, struct relation *, count + more);
        mem_copy(all + count, children, more * sizeof *children);
        count += more;
    }
    *out = all;
    return count;
}

static void one_away(struct work *work, struct step *step, const struct relation *relation,
                     struct step_texts *back)
{
    const char *aside =
        object_name_fit(work->ctx, say(work, "dropped %s.%s", relation->schema, relation->name));
    const char *renamed = name_sql(work, relation->schema, aside);
    step_up(work, step, "ALTER TABLE %s RENAME TO %s", relation_sql(work, relation),
            ident(work, aside));
    step_up(work, step, "ALTER TABLE %s SET SCHEMA flotilla", renamed);
    step_texts_add(work->ctx, back,
                   say(work, "ALTER TABLE %s RENAME TO %s", renamed, ident(work, relation->name)));
    step_texts_add(work->ctx, back,
                   say(work, "ALTER TABLE %s SET SCHEMA %s", name_sql(work, "flotilla", aside),
                       ident(work, relation->schema)));
    step_lock(work, step, relation, "ACCESS EXCLUSIVE");
}

static void move_away(struct work *work, struct relation *relation)
{
    struct relation **all;
    struct step_texts back = { 0 };
    size_t count = family(work, relation, &all);
    struct step *step =
        work_step(work, work->home, PHASE_CONTRACT,
                  say(work, "Take table %s out of sight, into the schema flotilla", relation->name),
                  "The way back brings it and every row in an instant; `flotilla agent clean` "
                  "removes it for good");
    step_up(work, step, "%s", pair_schema);
    for (size_t i = 0; i < count; i++) {
        one_away(work, step, all[i], &back);
    }
    for (size_t i = back.count; i-- > 0;) {
        step_down(work, step, "%s", back.items[i]);
    }
    step_probe(work, step, "SELECT pg_catalog.to_regclass(%s) IS NULL",
               literal(work, relation_sql(work, relation)));
    step->tags = TAG_CONTRACT;
    step_risk(work, step, "its disk space is free only after `flotilla agent clean`");
}

static void forget(struct work *work, struct relation *relation)
{
    const char *key = relation_key(work, relation);
    struct relation **children;
    while (relation_children(work, work->home, relation, &children) > 0) {
        forget(work, children[0]);
        for (size_t i = 0; i < work->home->catalog->relation_count; i++) {
            if (text_eq(relation_key(work, &work->home->catalog->relations[i]), key)) {
                relation = &work->home->catalog->relations[i];
            }
        }
    }
    model_drop_relation(work, work->home, relation);
}

bool compile_drop_table(struct work *work)
{
    struct relation *relation;
    const struct intent *it = work->intent;
    relation = catalog_relation(work->home->catalog, it->table.schema, it->table.name);
    if (!relation) {
        work_note(work, "info", "nothing-to-do", "there is no table %s", it->table.name);
        return true;
    }
    if (!strchr("rp", relation->kind) || relation->parent) {
        return work_refuse(work, "drop it by hand, or write it as sql:",
                           "%s is no plain table: this version cannot take it out of sight whole",
                           relation_key(work, relation));
    }
    struct relation **children;
    if (relation->kind == 'r' && relation_children(work, work->home, relation, &children) > 0) {
        return work_refuse(work, "drop its children first", "%s has children",
                           relation_key(work, relation));
    }
    if (!nobody_needs(work, relation)) {
        return false;
    }
    acknowledge(work, work->home, relation, "*");
    keys_off(work, relation);
    move_away(work, relation);
    work_touch(work, work->home, relation_key(work, relation));
    work_busy(work, work->home, relation, NULL);
    forget(work, relation);
    return true;
}
