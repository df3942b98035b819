/* Which columns, keys and names an exchange of types concerns: asked by all of its stages. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/family/retype.h"

struct column_maps retype_map(const struct retype *r, const struct relation *relation, bool stale)
{
    struct column_map *map = mem_array(r->work->ctx, struct column_map, r->count);
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct target *target = &r->targets[i];
        if (target->relation == relation && !target->in_place) {
            map[count++] =
                (struct column_map){ target->column->name,
                                     ident(r->work, stale ? target->stale : target->fresh) };
        }
    }
    return (struct column_maps){ map, count };
}

bool retype_has(const struct retype *r, const struct relation *relation, const char *column)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->targets[i].relation == relation && !r->targets[i].in_place &&
            text_eq(r->targets[i].column->name, column)) {
            return true;
        }
    }
    return false;
}

size_t retype_relations(const struct retype *r, struct relation ***out)
{
    struct relation **all = mem_array(r->work->ctx, struct relation *, r->count);
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++) {
        bool known = r->targets[i].state != r->state || r->targets[i].in_place;
        for (size_t k = 0; k < count && !known; k++) {
            known = all[k] == r->targets[i].relation;
        }
        if (!known) {
            all[count++] = r->targets[i].relation;
        }
    }
    *out = all;
    return count;
}

bool constraint_concerned(const struct retype *r, const struct relation *relation,
                          const struct constraint *constraint)
{
    for (size_t i = 0; i < constraint->columns.count; i++) {
        if (retype_has(r, relation, constraint->columns.items[i])) {
            return true;
        }
    }
    return false;
}

bool key_points_here(const struct retype *r, const struct constraint *key)
{
    if (key->kind != 'f') {
        return false;
    }
    const struct relation *other =
        catalog_relation(r->state->catalog, key->ref_schema, key->ref_table);
    for (size_t i = 0; other && i < key->ref_columns.count; i++) {
        if (retype_has(r, other, key->ref_columns.items[i])) {
            return true;
        }
    }
    return false;
}

const char *twin_name(const struct retype *r, const struct relation *relation, const char *name,
                      const char *suffix)
{
    return free_name(r->work, r->state, relation, say(r->work, "%s%s", name, suffix));
}

static const char *mapped_list(const struct retype *r, const struct relation *relation,
                               const struct catalog_texts *columns, bool stale)
{
    const struct column_maps maps = retype_map(r, relation, stale);
    return columns_mapped(r->work->ctx, ident_list(r->work, columns), &maps);
}

/* What stands behind the list of referenced columns: "MATCH FULL ON DELETE CASCADE …". */
static const char *key_tail(const struct constraint *key)
{
    const char *references = text_from_keyword(key->definition, "REFERENCES");
    const char *open = references ? strchr(references, '(') : NULL;
    const char *close = open ? strchr(open, ')') : NULL;
    return close ? close + 1 : "";
}

const char *key_mapped(const struct retype *r, const struct relation *relation,
                       const struct constraint *key, bool stale)
{
    const struct relation *other =
        catalog_relation(r->state->catalog, key->ref_schema, key->ref_table);
    const char *tail = key_tail(key);
    size_t length = strlen(tail);
    if (text_ends(tail, " NOT VALID")) {
        length -= strlen(" NOT VALID");
    }
    return say(r->work, "FOREIGN KEY (%s) REFERENCES %s (%s)%.*s",
               mapped_list(r, relation, &key->columns, stale),
               name_sql(r->work, key->ref_schema, key->ref_table),
               mapped_list(r, other, &key->ref_columns, stale), (int)length, tail);
}

/* --- what changes together ------------------------------------------------------------------ */
