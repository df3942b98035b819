#include "controller/work/work.h"

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include <stdarg.h>

const char *say(const struct work *work, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct text t = text_init(work->ctx, TEXT_SQL);
    text_addv(&t, fmt, ap);
    va_end(ap);
    return t.data;
}

const char *ident(const struct work *work, const char *name)
{
    return text_quote_ident(work->ctx, name);
}

const char *literal(const struct work *work, const char *text)
{
    return text_quote_literal(work->ctx, text);
}

const char *name_sql(const struct work *work, const char *schema, const char *name)
{
    return object_name_sql(work->ctx, schema, name);
}

const char *relation_sql(const struct work *work, const struct relation *relation)
{
    return name_sql(work, relation->schema, relation->name);
}

const char *relation_key(const struct work *work, const struct relation *relation)
{
    return object_name_join(work->ctx, relation->schema, relation->name);
}

const char *column_key(const struct work *work, const struct relation *relation, const char *column)
{
    return say(work, "%s.%s", relation_key(work, relation),
               object_name_join(work->ctx, NULL, column));
}

const char *column_words(const struct work *work, const struct relation *relation,
                         const char *column)
{
    return say(work, "%s.%s", relation->name, column);
}

const char *ident_list(const struct work *work, const struct catalog_texts *names)
{
    struct text t = text_init(work->ctx, TEXT_SQL);
    for (size_t i = 0; i < names->count; i++) {
        text_addf(&t, "%s%s", i ? ", " : "", ident(work, names->items[i]));
    }
    return t.data;
}

/* Indexes share the schema's name space with relations. */
static bool name_taken(const struct state *state, const struct relation *relation,
                       const char *schema, const char *name)
{
    const struct catalog *catalog = state->catalog;
    for (size_t i = 0; i < catalog->relation_count; i++) {
        const struct relation *other = &catalog->relations[i];
        if (!text_eq(other->schema, schema)) {
            continue;
        }
        if (text_eq(other->name, name) || relation_index(other, name)) {
            return true;
        }
    }
    for (size_t i = 0; i < catalog->sequence_count; i++) {
        if (text_eq(catalog->sequences[i].schema, schema) &&
            text_eq(catalog->sequences[i].name, name)) {
            return true;
        }
    }
    return relation && relation_constraint(relation, name);
}

const char *free_name(const struct work *work, const struct state *state,
                      const struct relation *relation, const char *base)
{
    const char *name = object_name_fit(work->ctx, base);
    for (int n = 1; name_taken(state, relation, relation->schema, name); n++) {
        name = object_name_fit(work->ctx, say(work, "%s%d", base, n));
    }
    return name;
}

const char *free_column(const struct work *work, const struct relation *relation, const char *base)
{
    const char *name = object_name_fit(work->ctx, base);
    for (int n = 1; relation_column(relation, name); n++) {
        name = object_name_fit(work->ctx, say(work, "%s%d", base, n));
    }
    return name;
}

void work_made(struct work *work, const char *key)
{
    if (!work_is_made(work, key)) {
        step_texts_add(work->ctx, &work->made, key);
    }
}

void work_unmade(struct work *work, const char *key)
{
    for (size_t i = work->made.count; i-- > 0;) {
        if (text_eq(work->made.items[i], key)) {
            work->made.items[i] = work->made.items[--work->made.count];
        }
    }
}

bool work_is_made(const struct work *work, const char *key)
{
    for (size_t i = 0; i < work->made.count; i++) {
        if (text_eq(work->made.items[i], key)) {
            return true;
        }
    }
    return false;
}

/* --- findings ------------------------------------------------------------------------------- */

static void finding_add(struct work *work, struct compile_finding finding)
{
    struct compiled *result = work->result;
    finding.service = work->home ? work->home->service : work->intent->service;
    finding.place = work->intent->place;
    finding.intent = work->number;
    result->findings =
        mem_room(work->ctx, result->findings, struct compile_finding, result->finding_count + 1);
    result->findings[result->finding_count++] = finding;
    result->refusals += text_eq(finding.severity, "error");
}

bool work_refuse(struct work *work, const char *instead, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct text t = text_init(work->ctx, TEXT_LINE);
    text_addv(&t, fmt, ap);
    va_end(ap);
    finding_add(
        work, (struct compile_finding){
                  .severity = "error", .rule = "cannot-plan", .message = t.data, .hint = instead });
    return false;
}

void work_note(struct work *work, const char *severity, const char *rule, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct text t = text_init(work->ctx, TEXT_LINE);
    text_addv(&t, fmt, ap);
    va_end(ap);
    finding_add(work,
                (struct compile_finding){ .severity = severity, .rule = rule, .message = t.data });
}

/* --- lookups -------------------------------------------------------------------------------- */

struct state *work_state(struct work *work, const char *service)
{
    for (size_t i = 0; i < work->state_count; i++) {
        if (text_eq(work->states[i].service, service)) {
            return &work->states[i];
        }
    }
    return NULL;
}

bool find_table(struct work *work, struct relation **out)
{
    const struct object_name *name = &work->intent->table;
    const struct catalog *catalog = work->home->catalog;
    struct relation *found = catalog_relation(catalog, name->schema, name->name);
    if (found) {
        *out = found;
        return true;
    }
    SCOPE(tmp);
    const char **names = mem_array(tmp, const char *, catalog->relation_count);
    for (size_t i = 0; i < catalog->relation_count; i++) {
        names[i] = catalog->relations[i].name;
    }
    const char *near = text_nearest(name->name, names, catalog->relation_count);
    return work_refuse(work,
                       near ? say(work, "did you mean \"%s\"?", near)
                            : "look at `flotilla inspect` for the tables there are",
                       "service %s has no table %s", work->home->service,
                       object_name_join(tmp, name->schema, name->name));
}

bool find_column(struct work *work, struct relation *relation, const char *name,
                 struct column **out)
{
    struct column *found = relation_column(relation, name);
    if (found) {
        *out = found;
        return true;
    }
    SCOPE(tmp);
    const char **names = mem_array(tmp, const char *, relation->column_count);
    for (size_t i = 0; i < relation->column_count; i++) {
        names[i] = relation->columns[i].name;
    }
    const char *near = text_nearest(name, names, relation->column_count);
    return work_refuse(work,
                       near ? say(work, "did you mean \"%s\"?", near)
                            : "look at `flotilla inspect` for its columns",
                       "table %s has no column %s", relation_key(work, relation), name);
}

size_t relation_children(const struct work *work, const struct state *state,
                         const struct relation *relation, struct relation ***out)
{
    const char *key = relation_key(work, relation);
    const char *plain = say(work, "%s.%s", relation->schema, relation->name);
    struct relation **all = NULL;
    size_t count = 0;
    for (size_t i = 0; i < state->catalog->relation_count; i++) {
        struct relation *child = &state->catalog->relations[i];
        if (child->parent && (text_eq(child->parent, key) || text_eq(child->parent, plain))) {
            all = mem_room(work->ctx, all, struct relation *, count + 1);
            all[count++] = child;
        }
    }
    *out = all;
    return count;
}

size_t relation_leaves(const struct work *work, const struct state *state,
                       struct relation *relation, struct relation ***out)
{
    struct relation **todo = mem_array(work->ctx, struct relation *, 1), **leaves = NULL;
    size_t count = 0, pending = 1;
    todo[0] = relation;
    for (size_t i = 0; i < pending; i++) {
        if (todo[i]->kind != 'p') {
            leaves = mem_room(work->ctx, leaves, struct relation *, count + 1);
            leaves[count++] = todo[i];
            continue;
        }
        struct relation **children;
        size_t more = relation_children(work, state, todo[i], &children);
        todo = mem_room(work->ctx, todo, struct relation *, pending + more);
        mem_copy(todo + pending, children, more * sizeof *children);
        pending += more;
    }
    *out = leaves;
    return count;
}

bool table_can_sync(struct work *work, const struct relation *relation)
{
    const char *key = relation_key(work, relation);
    struct relation **children;
    if (relation->kind != 'r' && relation->kind != 'p') {
        return work_refuse(work, "name the table behind it", "%s is no table", key);
    }
    if (relation->persistence == 'u' || relation->persistence == 't') {
        return work_refuse(work, "make it LOGGED first, or change it by hand",
                           "table %s is unlogged: a crash empties it, but not the journal", key);
    }
    if (relation->partition_bound) {
        return work_refuse(work, say(work, "name its parent %s", relation->parent),
                           "table %s is a partition", key);
    }
    if (relation->parent) {
        return work_refuse(work, "change the inheritance by hand first",
                           "table %s inherits from %s: triggers do not follow inheritance", key,
                           relation->parent);
    }
    if (relation->kind == 'r' && relation_children(work, work->home, relation, &children) > 0) {
        return work_refuse(work, "change the inheritance by hand first",
                           "table %s has inheritance children (%s): triggers do not follow "
                           "inheritance, their rows would go unsynced",
                           key, relation_key(work, children[0]));
    }
    return true;
}

/* --- what is busy --------------------------------------------------------------------------- */

void work_busy(struct work *work, const struct state *state, const struct relation *relation,
               const char *column)
{
    work->busy_list = mem_room(work->ctx, work->busy_list, struct busy, work->busy_count + 1);
    work->busy_list[work->busy_count++] = (struct busy){
        state,
        mem_text(work->ctx, relation->schema),
        mem_text(work->ctx, relation->name),
        mem_text(work->ctx, column),
    };
}

bool work_is_busy(const struct work *work, const struct state *state,
                  const struct relation *relation, const char *column)
{
    for (size_t i = 0; i < work->busy_count; i++) {
        const struct busy *busy = &work->busy_list[i];
        if (busy->state == state && text_eq(busy->schema, relation->schema) &&
            text_eq(busy->table, relation->name) &&
            (!column || !busy->column || text_eq(busy->column, column))) {
            return true;
        }
    }
    return false;
}
