/*
 * ALTER TABLE, action by action. An action on a table that is there and has users means a typed
 * intent where there is one.
 */
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/ddl/ddl.h"

static json_t *about(const struct ddl *d, const char *column)
{
    json_t *fields = json_object();
    json_set_text(fields, "table", ddl_table_text(d, &d->s->name));
    json_set_text(fields, "column", column);
    return fields;
}

static const char *action_name(char letter)
{
    return letter == 'c'   ? "cascade"
           : letter == 'r' ? "restrict"
           : letter == 'n' ? "set null"
           : letter == 'd' ? "set default"
                           : NULL;
}

/* --- constraints ----------------------------------------------------------------------------- */

static void typed_unique(struct ddl *d, const struct sql_constraint *c, json_t *fields)
{
    json_object_set_new(fields, "columns", ddl_texts(&c->columns));
    if (c->nulls_not_distinct) {
        json_set_bool(fields, "nulls_not_distinct", true);
    }
    if (c->kind == 'u' && c->deferrable) {
        json_set_bool(fields, "deferrable", true);
    }
    if (c->kind == 'u' && c->initially_deferred) {
        json_set_bool(fields, "deferred", true);
    }
    ddl_intent(d, c->kind == 'u' ? "add_unique" : "add_primary_key", fields);
}

static void typed_key(struct ddl *d, const struct sql_constraint *c, json_t *fields)
{
    json_t *target = json_object();
    json_set_text(target, "table", ddl_table_text(d, &c->ref));
    if (c->ref_columns.count) {
        json_object_set_new(target, "columns", ddl_texts(&c->ref_columns));
    }
    json_object_set_new(fields, "columns", ddl_texts(&c->columns));
    json_object_set_new(fields, "references", target);
    json_set_text(fields, "on_delete", action_name(c->on_delete));
    json_set_text(fields, "on_update", action_name(c->on_update));
    if (c->deferrable) {
        json_set_bool(fields, "deferrable", true);
    }
    if (c->initially_deferred) {
        json_set_bool(fields, "deferred", true);
    }
    if (c->match == 'f') {
        json_set_text(fields, "match", "full");
    }
    if (c->not_valid) {
        json_set_bool(fields, "not_valid", true);
    }
    ddl_intent(d, "add_foreign_key", fields);
}

static void typed_check(struct ddl *d, const struct sql_constraint *c, json_t *fields)
{
    json_set_text(fields, "expression", c->expression->text);
    if (c->not_valid) {
        json_set_bool(fields, "not_valid", true);
    }
    ddl_intent(d, "add_check", fields);
}

/* The typed intents can say it whole. */
static bool is_plain(const struct sql_constraint *c)
{
    switch (c->kind) {
    case 'u': return !c->using_index && !c->include.count;
    case 'p': return !c->using_index && !c->include.count && !c->deferrable;
    case 'f': return strchr("sf", c->match) != NULL;
    case 'c': return !c->no_inherit;
    default: return false;
    }
}

/* False: it stays SQL. `column`: it is written at that column. */
static bool typed_constraint(struct ddl *d, const struct sql_constraint *c, const char *column)
{
    struct sql_constraint whole = *c;
    const struct relation *relation = ddl_relation(d, &d->s->name);
    if (column && !whole.columns.count) {
        whole.columns = (struct sql_texts){ 0 };
        sql_texts_add(d->work->ctx, &whole.columns, column);
    }
    if (!is_plain(c)) {
        return false;
    }
    if (c->name && relation && relation_constraint(relation, c->name)) {
        if (!d->guarded) {
            (void)ddl_refuse(
                d, "drop the old one first, or choose another name",
                say(d->work, "%s has a constraint %s already", d->s->name.name, c->name));
        }
        return true;
    }
    json_t *fields = about(d, NULL);
    json_set_text(fields, "name", c->name);
    if (c->kind == 'u' || c->kind == 'p') {
        typed_unique(d, &whole, fields);
    } else if (c->kind == 'f') {
        typed_key(d, &whole, fields);
    } else {
        typed_check(d, &whole, fields);
    }
    return true;
}

/* Foreign keys that rest on a constraint which goes by CASCADE go first. */
static void keys_first(struct ddl *d, const struct relation *relation, const char *name)
{
    struct work *work = d->work;
    const struct constraint *gone = relation_constraint(relation, name);
    const struct catalog *catalog = work->home->catalog;
    for (size_t i = 0; gone && gone->index && i < catalog->relation_count; i++) {
        const struct relation *other = &catalog->relations[i];
        for (size_t k = 0; k < other->constraint_count; k++) {
            const struct constraint *key = &other->constraints[k];
            if (key->kind == 'f' && text_eq(key->ref_table, relation->name) &&
                text_eq(key->ref_schema, relation->schema) && text_eq(key->index, gone->index)) {
                json_t *fields = json_object();
                json_set_text(fields, "table", relation_key(work, other));
                json_set_text(fields, "name", key->name);
                ddl_intent(d, "drop_constraint", fields);
                k = (size_t)-1;
            }
        }
    }
}

static void drop_constraint(struct ddl *d, const struct sql_alter *alter,
                            const struct relation *relation)
{
    if (!relation_constraint(relation, alter->name) && !alter->if_exists) {
        (void)ddl_refuse(
            d, "look at `flotilla inspect` for the constraints there are",
            say(d->work, "%s has no constraint %s", relation_key(d->work, relation), alter->name));
        return;
    }
    if (alter->cascade) {
        keys_first(d, relation, alter->name);
    }
    json_t *fields = about(d, NULL);
    json_set_text(fields, "name", alter->name);
    ddl_intent(d, "drop_constraint", fields);
}

/* --- columns --------------------------------------------------------------------------------- */

/* "START WITH 7" in the brackets behind AS IDENTITY; null without. */
static const char *sequence_options(const struct ddl *d, const struct sql_alter *alter)
{
    const void *ctx = d->work->ctx;
    for (struct sql_piece p = sql_piece_next(ctx, alter->sql); p.length > 0;) {
        struct sql_piece next = sql_piece_next(ctx, p.start + p.length);
        if (p.word && text_eq(p.name, "identity") && *next.start == '(') {
            const char *close = strchr(next.start, ')');
            return close ? say(d->work, "%.*s", (int)(close - next.start - 1), next.start + 1)
                         : NULL;
        }
        p = next;
    }
    return NULL;
}

static bool column_is_plain(const struct sql_column *c)
{
    for (size_t i = 0; i < c->constraint_count; i++) {
        if (c->constraints[i].kind != 'n' && !is_plain(&c->constraints[i])) {
            return false;
        }
    }
    return !c->storage && !c->compression && c->generated != 'v';
}

static bool typed_column(struct ddl *d, const struct sql_alter *alter,
                         const struct relation *relation)
{
    const struct sql_column *c = alter->definition;
    if (alter->if_not_exists && relation_column(relation, c->name)) {
        return true;
    }
    if (!column_is_plain(c)) {
        return false;
    }
    json_t *fields = about(d, c->name);
    json_set_text(fields, "type", c->type_text);
    json_set_text(fields, "collation", c->collation);
    json_set_text(fields, "default", c->default_expr ? c->default_expr->text : NULL);
    json_set_text(fields, "identity",
                  !c->identity         ? NULL
                  : c->identity == 'a' ? "always"
                                       : "by_default");
    json_set_text(fields, "identity_options", c->identity ? sequence_options(d, alter) : NULL);
    json_set_text(fields, "generated", c->generate ? c->generate->text : NULL);
    if (c->not_null) {
        json_set_bool(fields, "nullable", false);
    }
    ddl_intent(d, "add_column", fields);
    for (size_t i = 0; i < c->constraint_count; i++) {
        if (c->constraints[i].kind != 'n') {
            (void)typed_constraint(d, &c->constraints[i], c->name);
        }
    }
    return true;
}

static void typed_type(struct ddl *d, const struct sql_alter *alter)
{
    json_t *fields = about(d, alter->column);
    json_set_text(fields, "to", alter->type_text);
    json_set_text(fields, "using", alter->expression ? alter->expression->text : NULL);
    ddl_intent(d, "change_type", fields);
}

static void drop_column(struct ddl *d, const struct sql_alter *alter,
                        const struct relation *relation)
{
    if (!relation_column(relation, alter->column) && alter->if_exists) {
        return;
    }
    if (alter->cascade) {
        ddl_cascade_column(d, relation, alter->column);
    }
    ddl_intent(d, "drop_column", about(d, alter->column));
}

static bool simple(struct ddl *d, const struct sql_alter *alter)
{
    const char *operation = NULL;
    switch (alter->kind) {
    case SQL_ALTER_SET_NOT_NULL: operation = "set_not_null"; break;
    case SQL_ALTER_DROP_NOT_NULL: operation = "drop_not_null"; break;
    case SQL_ALTER_DROP_DEFAULT: operation = "drop_default"; break;
    case SQL_ALTER_SET_DEFAULT: operation = "set_default"; break;
    default: return false;
    }
    json_t *fields = about(d, alter->column);
    if (alter->kind == SQL_ALTER_SET_DEFAULT) {
        json_set_text(fields, "default", alter->expression->text);
    }
    ddl_intent(d, operation, fields);
    return true;
}

/* ONLY is said of one that has nothing below it too, by pg_dump for one. */
static bool only(const struct ddl *d, const struct relation *relation)
{
    struct relation **children;
    return d->s->only && (relation->kind == 'p' ||
                          relation_children(d->work, d->work->home, relation, &children) > 0);
}

/* True when a typed intent says what the action does. */
static bool typed(struct ddl *d, const struct sql_alter *alter, const struct relation *relation)
{
    if (!strchr("rp", relation->kind) || only(d, relation)) {
        return false;
    }
    switch (alter->kind) {
    case SQL_ALTER_ADD_COLUMN: return typed_column(d, alter, relation);
    case SQL_ALTER_ADD_CONSTRAINT: return typed_constraint(d, alter->constraint, NULL);
    case SQL_ALTER_DROP_CONSTRAINT: drop_constraint(d, alter, relation); return true;
    case SQL_ALTER_DROP_COLUMN: drop_column(d, alter, relation); return true;
    case SQL_ALTER_SET_TYPE:
        if (alter->collation) {
            return false;
        }
        typed_type(d, alter);
        return true;
    default: return simple(d, alter);
    }
}

/* The action as a statement of its own. */
static const char *alone(const struct ddl *d, const struct sql_alter *alter)
{
    const struct statement *s = d->s;
    return s->alter_count == 1 ? s->sql
                               : say(d->work, "ALTER %s %s%s %s",
                                     s->object == SQL_OBJECT_VIEW            ? "VIEW"
                                     : s->object == SQL_OBJECT_MATVIEW       ? "MATERIALIZED VIEW"
                                     : s->object == SQL_OBJECT_FOREIGN_TABLE ? "FOREIGN TABLE"
                                     : s->object == SQL_OBJECT_INDEX         ? "INDEX"
                                                                             : "TABLE",
                                     s->only ? "ONLY " : "", ddl_name(d, &s->name), alter->sql);
}

/* A key between two new tables has to go before the first of them does. */
static bool ties(const struct sql_alter *alter)
{
    const struct sql_column *c = alter->definition;
    for (size_t i = 0; c && i < c->constraint_count; i++) {
        if (c->constraints[i].kind == 'f') {
            return true;
        }
    }
    return alter->kind == SQL_ALTER_ADD_CONSTRAINT && alter->constraint->kind == 'f';
}

/* A constraint takes the index that it is made of along when it goes: before it stands the step
 * that, on the way back, builds that index again. */
static void index_back(struct ddl *d, const struct sql_alter *alter, struct relation *relation)
{
    static const char verb[] = " INDEX ";
    const struct sql_constraint *c =
        alter->kind == SQL_ALTER_ADD_CONSTRAINT ? alter->constraint : NULL;
    const struct index *index =
        c && c->using_index ? relation_index(relation, c->using_index) : NULL;
    const char *at = index ? strstr(index->definition, verb) : NULL;
    struct ddl_back back = { .phase = PHASE_EXPAND, .alone = true };
    if (at && text_starts(index->definition, "CREATE ")) {
        ddl_down(d, &back, "%.*s INDEX CONCURRENTLY %s", (int)(at - index->definition),
                 index->definition, at + strlen(verb));
        ddl_raw(d, "SELECT 'nothing to do: this step is for the way back'", &back);
    }
}

static void stays(struct ddl *d, const struct sql_alter *alter, struct relation *relation)
{
    if (!ddl_made(d, relation)) {
        index_back(d, alter, relation);
    }
    struct ddl_back back = { .phase = PHASE_EXPAND };
    if (ddl_made(d, relation) && !ties(alter)) {
        ddl_down(d, &back, "SELECT 'nothing to undo: what is new goes away with its own step'");
    } else {
        back = ddl_back_alter(d, alter, relation);
    }
    ddl_raw(d, alone(d, alter), &back);
    ddl_follow(d, alter);
}

/* A table of this change takes most as it stands; what reads all its rows only while it is young.
 */
static bool takes(const struct ddl *d, const struct sql_alter *alter,
                  const struct relation *relation)
{
    bool reads = alter->kind == SQL_ALTER_ADD_CONSTRAINT || alter->kind == SQL_ALTER_SET_NOT_NULL;
    return reads ? ddl_young(d, relation) : ddl_made(d, relation);
}

static void actions(struct ddl *d)
{
    const struct statement *s = d->s;
    for (size_t i = 0; i < s->alter_count; i++) {
        struct relation *relation = ddl_relation(d, &s->name);
        bool table = s->object == SQL_OBJECT_TABLE;
        if (!relation && s->if_exists) {
            return;
        }
        if (!relation && table) {
            (void)ddl_refuse(d, "look at `flotilla inspect` for the tables there are",
                             say(d->work, "there is no table %s", s->name.name));
            return;
        }
        if (!table || takes(d, &s->alters[i], relation) || !typed(d, &s->alters[i], relation)) {
            stays(d, &s->alters[i], relation);
        }
    }
}

/* The server's own order: a statement may name what a later action of it makes. */
static int turn(const struct sql_alter *alter)
{
    switch (alter->kind) {
    case SQL_ALTER_DROP_COLUMN:
    case SQL_ALTER_DROP_CONSTRAINT:
    case SQL_ALTER_DROP_NOT_NULL:
    case SQL_ALTER_DROP_DEFAULT: return 0;
    case SQL_ALTER_SET_TYPE: return 1;
    case SQL_ALTER_ADD_COLUMN: return 2;
    case SQL_ALTER_ADD_CONSTRAINT: return 4;
    default: return 3;
    }
}

static struct statement in_turn(const struct ddl *d)
{
    struct statement s = *d->s;
    size_t count = 0;
    s.alters = mem_array(d->work->ctx, struct sql_alter, s.alter_count);
    for (int now = 0; now <= 4; now++) {
        for (size_t i = 0; i < s.alter_count; i++) {
            if (turn(&d->s->alters[i]) == now) {
                s.alters[count++] = d->s->alters[i];
            }
        }
    }
    return s;
}

void ddl_alter(struct ddl *d)
{
    const struct statement *as_written = d->s, sorted = in_turn(d);
    d->s = &sorted;
    actions(d);
    d->s = as_written;
}
