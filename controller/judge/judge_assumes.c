/* Without a catalog: what a verdict takes for granted of tables that nobody described. Which way it
 * errs is the worse one, but where the worse one is rare: an unknown table has neither partitions
 * nor dependents. */
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/judge/judge_constraint.h"
#include "controller/judge/judging.h"

static const char *of_constraint(const struct sql_constraint *k)
{
    if (k->using_index) {
        return k->kind == 'p' ? "the index's columns are NOT NULL" : NULL;
    }
    return k->kind == 'f' ? "neither table has partitions" : NULL;
}

static const char *of_column(struct judging *g, const struct sql_column *c)
{
    if (c->default_expr && c->default_expr->volatility > SQL_STABLE &&
        c->default_expr->volatility != SQL_VOLATILE) {
        return default_rewrites(g, c->default_expr) ? "the default's function is volatile" : NULL;
    }
    return NULL;
}

static const char *of_alter(struct judging *g, const struct world_table *t,
                            const struct sql_alter *a)
{
    const struct world_column *c = a->column ? table_column(t, a->column) : NULL;
    switch (a->kind) {
    case SQL_ALTER_SET_TYPE:
        return c && c->type ? NULL : "the column's old type is stored in another way";
    case SQL_ALTER_SET_NOT_NULL:
        return column_proven(g, t, a->column) ? NULL : "no validated check proves it already";
    case SQL_ALTER_ADD_COLUMN: return of_column(g, a->definition);
    case SQL_ALTER_ADD_CONSTRAINT: return of_constraint(a->constraint);
    case SQL_ALTER_ATTACH_PARTITION: return "no validated check proves the bounds";
    case SQL_ALTER_DROP_COLUMN:
    case SQL_ALTER_DROP_CONSTRAINT: return "no foreign key depends on it";
    case SQL_ALTER_VALIDATE_CONSTRAINT:
        return table_constraint(t, a->name) ? NULL : "it is a check, and not validated yet";
    case SQL_ALTER_SET_LOGGED:
    case SQL_ALTER_SET_UNLOGGED:
    case SQL_ALTER_SET_TABLESPACE:
    case SQL_ALTER_SET_ACCESS_METHOD: return "it is not so already";
    default: return NULL;
    }
}

static const char *of_altered(struct judging *g, const struct world_table *t)
{
    for (size_t i = 0; i < g->s->alter_count; i++) {
        const char *assumes = of_alter(g, t, &g->s->alters[i]);
        if (assumes) {
            return assumes;
        }
    }
    return "the table has no partitions or children";
}

static const char *of_dropped(const struct statement *s)
{
    return s->object == SQL_OBJECT_INDEX    ? "the index is on one table, unknown here"
           : s->cascade                     ? "nothing depends on it"
           : s->object == SQL_OBJECT_TABLE  ? "no foreign key refers to it or leaves it"
           : s->object == SQL_OBJECT_TYPE   ? "no column has it"
           : s->object == SQL_OBJECT_DOMAIN ? "no column has it"
                                            : NULL;
}

void judge_assumes(struct judging *g)
{
    const struct statement *s = g->s;
    const struct world_table *t = s->name.name ? world_find(g->world, s->name) : NULL;
    if (world_has_catalog(g->world) || (t && (t->known || t->fresh))) {
        return;
    }
    switch (s->kind) {
    case SQL_STMT_ALTER_TABLE: g->v->assumes = t ? of_altered(g, t) : NULL; break;
    case SQL_STMT_CREATE_INDEX: g->v->assumes = "the table has no partitions"; break;
    case SQL_STMT_DROP: g->v->assumes = of_dropped(s); break;
    case SQL_STMT_ALTER_DOMAIN: g->v->assumes = "no table has a column of the domain"; break;
    case SQL_STMT_TRUNCATE: g->v->assumes = "no foreign key refers to it"; break;
    case SQL_STMT_REINDEX:
    case SQL_STMT_CLUSTER: g->v->assumes = "the table has no partitions"; break;
    case SQL_STMT_REFRESH_MATVIEW: g->v->assumes = "what the view reads is not known"; break;
    case SQL_STMT_UPDATE:
    case SQL_STMT_DELETE: g->v->assumes = "no trigger and no foreign key follows"; break;
    default: break;
    }
}
