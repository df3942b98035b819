#include "controller/desk/plan_needs.h"

#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "controller/sql/need.h"
#include "controller/sql/script.h"

static void of_sql(const void *ctx, struct sql_needs *list, const char *sql)
{
    struct script *script;
    struct error ignored;
    if (!sql || !sql_parse(ctx, sql, strlen(sql), &script, &ignored)) {
        return;
    }
    for (size_t i = 0; i < script->count; i++) {
        sql_needs_add(ctx, list, &script->statements[i]);
    }
}

static void put(const char *step, const struct sql_need *need, json_t *list)
{
    json_t *o = json_object();
    json_set_text(o, "step", step);
    json_set_text(o, "need", need->need);
    json_set_text(o, "what", need->what);
    json_set_text(o, "schema", need->name.schema);
    json_set_text(o, "name", need->name.name);
    json_set_text(o, "to", need->to);
    json_array_append_new(list, o);
}

static void of_step(const struct step *step, json_t *list)
{
    SCOPE(tmp);
    struct sql_needs needs = { 0 };
    struct object_name of = { 0 };
    struct error ignored;
    for (size_t i = 0; i < step->up.count; i++) {
        of_sql(tmp, &needs, step->up.items[i]);
    }
    for (size_t i = 0; i < step->down.count; i++) {
        of_sql(tmp, &needs, step->down.items[i]);
    }
    of_sql(tmp, &needs, step->check);
    for (size_t i = 0; i < needs.count; i++) {
        put(step->id, &needs.items[i], list);
    }
    if (step->snapshot.of && object_name_parse(tmp, step->snapshot.of, &of, &ignored)) {
        const struct sql_need reads = { "select", "relation", { of.schema, of.name }, NULL };
        put(step->id, &reads, list);
    }
}

void plan_needs(const struct part *part, json_t *list)
{
    for (size_t i = 0; i < part->step_count; i++) {
        of_step(&part->steps[i], list);
    }
}
