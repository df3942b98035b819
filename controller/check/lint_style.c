/* Types, names, forms: opinions, most of them off by default. */
#include <ctype.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/check/linting.h"
#include "controller/sql/token.h"

enum { NAME_MAX_BYTES = 63 }; /* NAMEDATALEN - 1 */

static void type_said(struct linter *l, const struct sql_column *c, bool key)
{
    static const struct {
        const char *type, *rule;
    } types[] = {
        { "character varying(", "type-varchar-limit" },
        { "character(", "type-char" },
        { "timestamp without", "type-timestamp" },
        { "smallint", "type-smallint" },
        { "smallserial", "type-smallint" },
        { "money", "type-money" },
    };
    const char *type = c->type ? c->type : "";
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (text_starts(type, types[i].type)) {
            found(l, types[i].rule, NULL, "\"%s\" is %s", c->name, type);
        }
    }
    if (text_starts(type, "timestamp(") && text_ends(type, "without time zone")) {
        found(l, "type-timestamp", NULL, "\"%s\" is %s", c->name, type);
    }
    if (c->serial) {
        found(l, "type-serial", NULL, "\"%s\" is %s", c->name, type);
    }
    for (size_t i = 0; i < c->constraint_count; i++) {
        key = key || c->constraints[i].kind == 'p';
    }
    if ((key && text_eq(type, "integer")) || text_eq(type, "serial") ||
        (c->identity && text_eq(type, "integer"))) {
        found(l, "type-int-key", NULL, "\"%s\" ends at 2,147,483,647", c->name);
    }
}

static bool in_primary_key(const struct sql_table *t, const char *column)
{
    for (size_t i = 0; i < t->constraint_count; i++) {
        if (t->constraints[i].kind == 'p' && sql_texts_have(&t->constraints[i].columns, column)) {
            return true;
        }
    }
    return false;
}

static bool has_primary(const struct sql_table *t)
{
    for (size_t i = 0; i < t->constraint_count; i++) {
        if (t->constraints[i].kind == 'p') {
            return true;
        }
    }
    for (size_t i = 0; i < t->column_count; i++) {
        for (size_t k = 0; k < t->columns[i].constraint_count; k++) {
            if (t->columns[i].constraints[k].kind == 'p') {
                return true;
            }
        }
    }
    return false;
}

static int width(const char *type)
{
    return text_eq(type, "boolean")                                                     ? 1
           : text_eq(type, "smallint")                                                  ? 2
           : text_eq(type, "integer") || text_eq(type, "date") || text_eq(type, "real") ? 4
           : text_eq(type, "bigint") || text_starts(type, "timestamp") ||
                   text_eq(type, "double precision")
               ? 8
               : 0;
}

static void alignment(struct linter *l, const struct sql_table *t)
{
    int wasted = 0, at = 0;
    for (size_t i = 0; i < t->column_count; i++) {
        int w = width(t->columns[i].type ? t->columns[i].type : "");
        if (w == 0) {
            return;
        }
        wasted += (w - at % w) % w;
        at += (w - at % w) % w + w;
    }
    if (wasted >= 8) {
        found(l, "column-alignment", NULL, "%d bytes of every row are padding", wasted);
    }
}

static void table_style(struct linter *l)
{
    const struct statement *s = l->s;
    const struct sql_table *t = s->table;
    for (size_t i = 0; i < t->column_count; i++) {
        type_said(l, &t->columns[i], in_primary_key(t, t->columns[i].name));
    }
    bool own = !t->partition_of.name && t->inherit_count == 0 && t->like_count == 0 &&
               s->object == SQL_OBJECT_TABLE && !s->temporary;
    if (own && !has_primary(t)) {
        bool later = false;
        for (size_t i = l->index + 1; i < l->script->count; i++) {
            const struct statement *after = &l->script->statements[i];
            for (size_t k = 0; k < after->alter_count; k++) {
                later =
                    later || (sql_name_eq(after->name, s->name) && after->alters[k].constraint &&
                              after->alters[k].constraint->kind == 'p');
            }
        }
        if (!later) {
            found(l, "table-without-pk", NULL, "\"%s\" has no primary key", s->name.name);
        }
    }
    if (t->persistence == 'u') {
        found(l, "unlogged-table", NULL, "a crash empties \"%s\"", s->name.name);
    }
    alignment(l, t);
}

/* A sub-command that could say IF [NOT] EXISTS and does not. */
static bool alters_blindly(const struct statement *s)
{
    for (size_t i = 0; s->kind == SQL_STMT_ALTER_TABLE && i < s->alter_count; i++) {
        const struct sql_alter *a = &s->alters[i];
        bool drops = a->kind == SQL_ALTER_DROP_COLUMN || a->kind == SQL_ALTER_DROP_CONSTRAINT;
        if ((a->kind == SQL_ALTER_ADD_COLUMN && !a->if_not_exists) || (drops && !a->if_exists)) {
            return true;
        }
    }
    return false;
}

static void existence(struct linter *l)
{
    const struct statement *s = l->s;
    bool make = s->kind == SQL_STMT_CREATE_TABLE || s->kind == SQL_STMT_CREATE_INDEX ||
                s->kind == SQL_STMT_CREATE_SEQUENCE || s->kind == SQL_STMT_CREATE_SCHEMA ||
                s->kind == SQL_STMT_CREATE_EXTENSION;
    bool blind = (make && !s->if_not_exists) || (s->kind == SQL_STMT_DROP && !s->if_exists);
    if (!in_transaction(l) && (blind || alters_blindly(s))) {
        found(l, "robust-if-exists", NULL, "it fails when it is run again");
    }
}

static void long_names(struct linter *l)
{
    SCOPE(tmp);
    const struct statement *s = l->s;
    struct tokens t = tokens_of(tmp, s->sql, 0, strlen(s->sql));
    for (size_t i = 0; i < t.count; i++) {
        const struct token k = t.items[i];
        size_t n = k.end - k.start - (k.kind == TOKEN_QUOTED ? 2 : 0);
        if ((k.kind == TOKEN_WORD || k.kind == TOKEN_QUOTED) && n > NAME_MAX_BYTES) {
            found(l, "identifier-too-long", NULL, "the server cuts it to 63 bytes: %.*s",
                  (int)(n > 100 ? 100 : n), s->sql + k.start);
        }
    }
}

static bool is_plain(const char *name)
{
    for (const char *p = name ? name : ""; *p != '\0'; p++) {
        if (!islower((unsigned char)*p) && !isdigit((unsigned char)*p) && *p != '_') {
            return false;
        }
    }
    return true;
}

static void names(struct linter *l)
{
    const struct statement *s = l->s;
    for (size_t i = 0; i < s->object_count; i++) {
        const struct sql_object *o = &s->objects[i];
        const char *name = o->column ? o->column : o->name;
        if (o->role == SQL_CREATED && !is_plain(name)) {
            found(l, "naming-convention", NULL, "\"%s\" has to be quoted everywhere", name);
        }
        bool in_schema = (o->kind >= SQL_OBJECT_TABLE && o->kind <= SQL_OBJECT_SEQUENCE) ||
                         (o->kind >= SQL_OBJECT_FUNCTION && o->kind <= SQL_OBJECT_DOMAIN);
        if (in_schema && o->name && !o->schema && !s->temporary &&
            s->kind != SQL_STMT_CREATE_INDEX) {
            found(l, "schema-unqualified", NULL, "\"%s\" is found by the search_path", o->name);
        }
    }
}

/* PRIMARY KEY added to a column that is known to be an integer. */
static void key_said(struct linter *l, const struct sql_constraint *k)
{
    const struct world_table *t = k && k->kind == 'p' ? world_find(l->world, l->s->name) : NULL;
    for (size_t i = 0; t && i < k->columns.count; i++) {
        const struct world_column *c = table_column(t, k->columns.items[i]);
        if (c && text_eq(c->type, "integer")) {
            found(l, "type-int-key", NULL, "\"%s\" ends at 2,147,483,647", c->name);
        }
    }
}

void lint_style(struct linter *l)
{
    const struct statement *s = l->s;
    if (s->kind == SQL_STMT_CREATE_TABLE) {
        table_style(l);
    }
    for (size_t i = 0; s->kind == SQL_STMT_ALTER_TABLE && i < s->alter_count; i++) {
        key_said(l, s->alters[i].constraint);
        if (s->alters[i].definition) {
            type_said(l, s->alters[i].definition, false);
        } else if (s->alters[i].kind == SQL_ALTER_SET_UNLOGGED) {
            found(l, "unlogged-table", NULL, "a crash empties \"%s\"", s->name.name);
        }
    }
    if (s->kind == SQL_STMT_CREATE_ENUM) {
        found(l, "enum-created", NULL, "values of \"%s\" can never be removed", s->name.name);
    } else if (s->kind == SQL_STMT_ALTER_ENUM && s->add_value && !s->neighbour) {
        found(l, "enum-value-order", NULL, "'%s' goes to the end", s->sub_name);
    } else if (s->kind == SQL_STMT_CREATE_RULE) {
        found(l, "rule-created", NULL, "\"%s\" rewrites queries on \"%s\"", s->sub_name,
              s->name.name);
    }
    existence(l);
    long_names(l);
    names(l);
}
