#include "controller/work/order.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/work/column_map.h"

/* --- what SQL names -------------------------------------------------------------------------- */

static bool says(const struct work *work, const char *sql, const char *name)
{
    for (struct sql_piece p = sql_piece_next(work->ctx, sql); p.length > 0;
         p = sql_piece_next(work->ctx, p.start + p.length)) {
        if (p.word ? text_eq(p.name, name)
                   : (*p.start == '\'' || *p.start == '$') &&
                         memmem(p.start, p.length, name, strlen(name))) {
            return true;
        }
    }
    return false;
}

static bool any_says(const struct work *work, const char *name)
{
    const struct intent *it = work->intent;
    for (size_t i = 0; i < it->up.count && name; i++) {
        if (says(work, it->up.items[i], name)) {
            return true;
        }
    }
    return false;
}

/* --- conflicts ------------------------------------------------------------------------------- */

static bool names_column(const struct intent *it, const char *column)
{
    if (!column || text_eq(it->column, column) || text_eq(it->to, column)) {
        return true;
    }
    for (size_t i = 0; i < it->columns.count; i++) {
        if (text_eq(it->columns.items[i], column)) {
            return true;
        }
    }
    return (it->expression && column_mentioned(it->expression, column)) ||
           (it->definition && column_mentioned(it->definition, column)) ||
           (it->using_expr && column_mentioned(it->using_expr, column));
}

static bool same_table(const struct mark *mark, const struct object_name *name)
{
    return mark->table && text_eq(mark->table, name->name) &&
           (!name->schema || !mark->schema || text_eq(mark->schema, name->schema));
}

static bool meets_target(const struct mark *mark, const struct object_name *target)
{
    if (!same_table(mark, target)) {
        return false;
    }
    for (size_t i = 0; i < target->column_count; i++) {
        if (!mark->column || text_eq(mark->column, target->columns[i])) {
            return true;
        }
    }
    return target->column_count == 0;
}

static bool sql_meets(const struct work *work, const struct mark *mark)
{
    return any_says(work, mark->name) ||
           (any_says(work, mark->table) && (!mark->column || any_says(work, mark->column)));
}

static bool meets(const struct work *work, const struct mark *mark)
{
    const struct intent *it = work->intent;
    if (mark->state != work->home || (it->operation == INTENT_COMMENT && !mark->column)) {
        return false;
    }
    if (it->operation == INTENT_SQL) {
        return sql_meets(work, mark);
    }
    if (it->target.name && meets_target(mark, &it->target)) {
        return true;
    }
    if (!it->table.name) {
        return mark->name && text_eq(mark->name, it->name ? it->name : it->type);
    }
    return same_table(mark, &it->table) &&
           (names_column(it, mark->column) || (mark->name && text_eq(mark->name, it->name)));
}

/* An earlier intent exchanges or drops in contract what this one is about. */
static bool must_wait(const struct work *work)
{
    const struct intent *it = work->intent;
    struct relation *relation =
        it->table.name ? catalog_relation(work->home->catalog, it->table.schema, it->table.name)
                       : NULL;
    if (!relation) {
        return it->operation == INTENT_SQL && work->busy_count > 0;
    }
    if (it->column && it->columns.count == 0 && !it->expression && !it->definition) {
        return work_is_busy(work, work->home, relation, it->column);
    }
    for (size_t i = 0; i < it->columns.count; i++) {
        if (work_is_busy(work, work->home, relation, it->columns.items[i])) {
            return true;
        }
    }
    return (it->expression || it->definition || it->expressions.count) &&
           work_is_busy(work, work->home, relation, NULL);
}

void order_before(struct work *work)
{
    /* who writes rows may need those written before: by a foreign key, a trigger, a function */
    work->floor = work->last = work->writes ? work->written : PHASE_EXPAND;
    if (work->all_late || must_wait(work)) {
        work->floor = work->last = PHASE_CONTRACT;
        return;
    }
    for (size_t i = 0; i < work->mark_count; i++) {
        const struct mark *mark = &work->marks[i];
        if (mark->phase > work->floor && meets(work, mark)) {
            work->floor = mark->phase;
        }
    }
    work->last = work->floor;
}

/* --- marks ----------------------------------------------------------------------------------- */

static void mark_add(struct work *work, const struct mark *mark)
{
    work->marks = mem_room(work->ctx, work->marks, struct mark, work->mark_count + 1);
    work->marks[work->mark_count++] = *mark;
}

/* What only stops helping old clients in contract is done, as far as others can tell, before. */
static bool settles_early(enum intent_operation operation)
{
    return operation == INTENT_SET_NOT_NULL || operation == INTENT_ADD_COLUMN ||
           operation == INTENT_DATA_BACKFILL;
}

static void mark_sql(struct work *work, struct mark mark)
{
    const struct catalog *catalog = work->home->catalog;
    for (size_t i = 0; i < catalog->relation_count; i++) {
        const struct relation *relation = &catalog->relations[i];
        if (any_says(work, relation->name)) {
            mark.schema = relation->schema;
            mark.table = relation->name;
            mark_add(work, &mark);
        }
    }
}

void order_made(struct work *work, const char *name)
{
    if (name && work->last > PHASE_EXPAND) {
        const struct mark mark = {
            .state = work->home, .table = name, .name = name, .phase = work->last
        };
        mark_add(work, &mark);
    }
}

bool order_is_later(struct work *work, const char *sql, const char *name)
{
    const struct intent *own = work->intent;
    struct intent asked = { .operation = INTENT_SQL, .up = { .items = &sql, .count = 1 } };
    enum phase made = PHASE_EXPAND, floor = work->floor, last = work->last;
    work->intent = &asked;
    order_before(work);
    for (size_t i = 0; i < work->mark_count; i++) {
        if (text_eq(work->marks[i].name, name) && text_eq(work->marks[i].table, name)) {
            made = work->marks[i].phase;
            break;
        }
    }
    bool later = work->floor > made;
    work->intent = own;
    work->floor = floor;
    work->last = last;
    return later;
}

void order_after(struct work *work)
{
    const struct intent *it = work->intent;
    struct mark mark = { .state = work->home, .phase = work->last, .name = it->name };
    if (work->last == PHASE_EXPAND) {
        return;
    }
    if (work->writes && work->last > work->written) {
        work->written = work->last;
    }
    if (it->operation == INTENT_SQL) {
        mark_sql(work, mark);
        return;
    }
    if (settles_early(it->operation) && work->floor < PHASE_CONTRACT) {
        mark.phase = PHASE_MIGRATE;
    }
    if (!it->table.name && it->name) {
        struct object_name name;
        struct error ignored;
        mark.name = object_name_parse(work->ctx, it->name, &name, &ignored) ? name.name : it->name;
    }
    mark.schema = it->table.schema;
    mark.table = it->table.name;
    mark.column = it->column;
    for (size_t i = 0; i < it->columns.count; i++) {
        mark.column = it->columns.items[i];
        mark_add(work, &mark);
    }
    if (it->columns.count == 0) {
        mark_add(work, &mark);
    }
    if (it->to && it->operation == INTENT_RENAME_COLUMN) {
        mark.column = it->to;
        mark_add(work, &mark);
    }
}
