/* RENAME. A column of a table is renamed by its family; a table, and what it owns, in place. */
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/ddl/ddl.h"

static const char *keyword_of(enum sql_object_kind kind)
{
    switch (kind) {
    case SQL_OBJECT_TABLE: return "TABLE";
    case SQL_OBJECT_VIEW: return "VIEW";
    case SQL_OBJECT_MATVIEW: return "MATERIALIZED VIEW";
    case SQL_OBJECT_FOREIGN_TABLE: return "FOREIGN TABLE";
    case SQL_OBJECT_INDEX: return "INDEX";
    case SQL_OBJECT_SEQUENCE: return "SEQUENCE";
    case SQL_OBJECT_TYPE: return "TYPE";
    case SQL_OBJECT_DOMAIN: return "DOMAIN";
    case SQL_OBJECT_STATISTICS: return "STATISTICS";
    default: return NULL;
    }
}

/* What is renamed inside of a relation or type: how ALTER says it. */
static const char *part_keyword(enum sql_object_kind kind, const char **container)
{
    *container = "TABLE";
    switch (kind) {
    case SQL_OBJECT_COLUMN: return "COLUMN";
    case SQL_OBJECT_CONSTRAINT: return "CONSTRAINT";
    case SQL_OBJECT_ATTRIBUTE: *container = "TYPE"; return "ATTRIBUTE";
    case SQL_OBJECT_DOMAIN_CONSTRAINT: *container = "DOMAIN"; return "CONSTRAINT";
    default: return NULL;
    }
}

static void hanger_back(const struct ddl *d, struct ddl_back *back)
{
    const struct statement *s = d->s;
    const char *kind = s->object == SQL_OBJECT_TRIGGER  ? "TRIGGER"
                       : s->object == SQL_OBJECT_POLICY ? "POLICY"
                                                        : "RULE";
    ddl_down(d, back, "ALTER %s %s ON %s RENAME TO %s", kind, ident(d->work, s->new_name),
             ddl_name(d, &s->name), ident(d->work, s->sub_name));
}

static void routine_back(const struct ddl *d, struct ddl_back *back)
{
    size_t count;
    const struct function *f =
        model_function(d->work->home, d->s->name.schema, d->s->name.name, &count);
    if (f && count == 1) {
        ddl_down(d, back, "ALTER ROUTINE %s(%s) RENAME TO %s",
                 name_sql(d->work, f->schema, d->s->new_name), f->arguments ? f->arguments : "",
                 ident(d->work, f->name));
    } else {
        back->why = "several functions have this name: which one is meant cannot be told";
    }
}

struct ddl_back ddl_back_rename(const struct ddl *d)
{
    const struct statement *s = d->s;
    struct ddl_back back = { .phase = PHASE_CONTRACT };
    const char *container, *whole = keyword_of(s->object);
    const char *part = part_keyword(s->object, &container);
    if (part) {
        ddl_down(d, &back, "ALTER %s %s RENAME %s %s TO %s", container, ddl_name(d, &s->name), part,
                 ident(d->work, s->new_name), ident(d->work, s->sub_name));
    } else if (s->object == SQL_OBJECT_TRIGGER || s->object == SQL_OBJECT_POLICY ||
               s->object == SQL_OBJECT_RULE) {
        hanger_back(d, &back);
    } else if (s->object == SQL_OBJECT_SCHEMA) {
        ddl_down(d, &back, "ALTER SCHEMA %s RENAME TO %s", ident(d->work, s->new_name),
                 ident(d->work, s->name.name));
    } else if (s->object == SQL_OBJECT_FUNCTION || s->object == SQL_OBJECT_PROCEDURE ||
               s->object == SQL_OBJECT_ROUTINE) {
        routine_back(d, &back);
    } else if (whole) {
        ddl_down(d, &back, "ALTER %s %s RENAME TO %s", whole,
                 name_sql(d->work, ddl_schema(d, &s->name), s->new_name),
                 ident(d->work, s->name.name));
    }
    return back;
}

static bool typed(struct ddl *d, const struct relation *relation)
{
    const struct statement *s = d->s;
    if (s->object != SQL_OBJECT_COLUMN || !relation || !strchr("rp", relation->kind) ||
        ddl_made(d, relation)) {
        return false;
    }
    json_t *fields = json_object();
    json_set_text(fields, "table", ddl_table_text(d, &s->name));
    json_set_text(fields, "column", s->sub_name);
    json_set_text(fields, "to", s->new_name);
    ddl_intent(d, "rename_column", fields);
    return true;
}

static bool is_there(const struct ddl *d, const struct relation *relation)
{
    const struct catalog *catalog = d->work->home->catalog;
    const struct statement *s = d->s;
    if (s->object == SQL_OBJECT_TYPE || s->object == SQL_OBJECT_DOMAIN) {
        return ddl_type(d, &s->name) != NULL;
    }
    for (size_t i = 0; i < catalog->relation_count && s->object == SQL_OBJECT_INDEX; i++) {
        if (relation_index(&catalog->relations[i], s->name.name)) {
            return true;
        }
    }
    for (size_t i = 0; i < catalog->sequence_count && s->object == SQL_OBJECT_SEQUENCE; i++) {
        if (text_eq(catalog->sequences[i].name, s->name.name)) {
            return true;
        }
    }
    if (s->object == SQL_OBJECT_COLUMN && relation && s->sub_name) {
        return relation_column(relation, s->sub_name) != NULL;
    }
    return relation != NULL;
}

void ddl_rename(struct ddl *d)
{
    const struct statement *s = d->s;
    const struct relation *relation = ddl_relation(d, &s->name);
    if (s->if_exists && !is_there(d, relation)) {
        return;
    }
    if (typed(d, relation)) {
        return;
    }
    struct ddl_back back = ddl_back_rename(d);
    if (ddl_made(d, relation)) {
        back.phase = PHASE_EXPAND;
    }
    ddl_raw(d, s->sql, &back);
    ddl_follow(d, NULL);
}
