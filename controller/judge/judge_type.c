/* ALTER TYPE and ALTER DOMAIN: the tables that use them. */
#include <string.h>

#include "agents/base/text.h"
#include "controller/judge/judging.h"

static bool has_type(const struct world_table *t, struct sql_name name)
{
    for (size_t i = 0; !t->gone && i < t->column_count; i++) {
        const char *type = t->columns[i].type;
        const char *dot = type ? strrchr(type, '.') : NULL;
        if (type && text_eq(dot ? dot + 1 : type, name.name)) {
            return true;
        }
    }
    return false;
}

void judge_alter_domain(struct judging *g)
{
    const struct sql_alter *a = &g->s->alters[0];
    struct world_type *domain = world_type(g->world, g->s->name);
    struct world_table *t;
    bool validates = a->kind == SQL_ALTER_VALIDATE_CONSTRAINT ||
                     a->kind == SQL_ALTER_SET_NOT_NULL ||
                     (a->kind == SQL_ALTER_ADD_CONSTRAINT && !a->constraint->not_valid);
    bool stricter = validates || a->kind == SQL_ALTER_ADD_CONSTRAINT;
    bool fresh = domain && domain->fresh;
    tag_add(g, stricter && !fresh ? TAG_CONTRACT : TAG_NEUTRAL);
    for (size_t i = 0; validates && (t = world_at(g->world, i)); i++) {
        if (has_type(t, g->s->name)) {
            effect_take(g, EFFECT_DOMAIN_SCAN, t, NULL);
        }
    }
    if (validates && !fresh && !world_has_catalog(g->world)) {
        g->v->full_scan = true; /* of the tables that use it, which only a catalog knows */
    }
}

static bool type_eq(struct judging *g, struct sql_name a, struct sql_name b)
{
    const char *usual = world_schema(g->world);
    return text_eq(a.name, b.name) &&
           text_eq(a.schema ? a.schema : usual, b.schema ? b.schema : usual);
}

/* A composite type is a relation too; tables made OF it change along. */
void composite_take(struct judging *g, struct sql_name name, bool tables)
{
    struct world_table *t;
    for (size_t i = 0; (t = world_at(g->world, i)); i++) {
        if (t->kind == 'c' && table_is(t, g->world, name)) {
            effect_take(g, EFFECT_COMPOSITE, t, NULL);
        } else if (tables && t->of_type.name && type_eq(g, t->of_type, name)) {
            effect_take(g, EFFECT_COMPOSITE, NULL, t);
            if (g->s->alter_count > 0 && !g->s->alters[0].cascade) {
                will_fail(g, "cannot alter type \"%s\": \"%s\" is a table of it", name.name,
                          t->name);
            }
        }
    }
}

void judge_alter_type(struct judging *g)
{
    tag_add(g, TAG_NEUTRAL);
    if (g->s->alter_count > 0) {
        tag_add(g, TAG_CONTRACT);
        if (!world_has_catalog(g->world) && !world_find(g->world, g->s->name)) {
            world_make(g->world, g->s->name, 'c'); /* only a composite type has attributes */
        }
        composite_take(g, g->s->name, true);
    }
}
