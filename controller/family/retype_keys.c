/*
 * change_type: whether the foreign keys of a column can stand between the new types. What
 * references a column follows it; what a column references does not.
 */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/family/retype.h"

/* Types that an operator of one family compares: what a foreign key asks of its two sides. */
static const char *const families[][4] = {
    { "smallint", "integer", "bigint", NULL },
    { "text", "character varying", "character", NULL },
    { "date", "timestamp without time zone", "timestamp with time zone", NULL },
    { "real", "double precision", NULL, NULL },
};

static int family_of_type(const char *type)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        for (size_t k = 0; k < 4 && families[i][k]; k++) {
            size_t length = strlen(families[i][k]);
            if (strncmp(type, families[i][k], length) == 0 && strchr("(", type[length])) {
                return (int)i;
            }
        }
    }
    return -1;
}

static bool key_compares(const char *from, const char *to)
{
    int family = family_of_type(from);
    bool wider = family == 0 && (text_starts(to, "numeric") || text_eq(to, "real") ||
                                 text_eq(to, "double precision"));
    size_t base = strcspn(from, "(");
    return (family >= 0 && family == family_of_type(to)) || wider ||
           (base == strcspn(to, "(") && strncmp(from, to, base) == 0);
}

static const char *type_after(const struct retype *r, const struct relation *relation,
                              const struct column *column)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->targets[i].relation == relation && r->targets[i].column == column) {
            return r->targets[i].to;
        }
    }
    return column->type;
}

/* What a domain is made over; else the type itself. */
static const char *bare(const struct retype *r, const struct state *state, const char *name)
{
    for (size_t i = 0; i < state->catalog->type_count; i++) {
        const struct type *type = &state->catalog->types[i];
        if (type->kind == 'd' && type->base && type_is(r->work, name, type)) {
            return type->base;
        }
    }
    return name;
}

bool retype_keys_fine(const struct retype *r, const struct target *target)
{
    struct relation *relation = target->relation;
    for (size_t i = 0; i < relation->constraint_count; i++) {
        const struct constraint *key = &relation->constraints[i];
        struct relation *other =
            key->kind == 'f'
                ? catalog_relation(target->state->catalog, key->ref_schema, key->ref_table)
                : NULL;
        for (size_t c = 0; other && c < key->columns.count && c < key->ref_columns.count; c++) {
            const struct column *theirs = relation_column(other, key->ref_columns.items[c]);
            if (!theirs || !text_eq(key->columns.items[c], target->column->name)) {
                continue;
            }
            const char *type = type_after(r, other, theirs);
            if (!type_same(r->work, target->to, type) &&
                !key_compares(bare(r, target->state, target->to), bare(r, target->state, type))) {
                return work_refuse(
                    r->work,
                    say(r->work, "change the type of %s instead: what references it follows",
                        column_words(r->work, other, theirs->name)),
                    "foreign key %s compares %s with %s, and there is no such key from %s to %s",
                    key->name, column_words(r->work, relation, target->column->name),
                    column_words(r->work, other, theirs->name), target->to, type);
            }
        }
    }
    return true;
}
