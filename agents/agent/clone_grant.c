/* Grants, comments, publications: a clone without them would hide that a step loses them. */
#include "agents/agent/clone_list.h"
#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"

/* The letters of aclitem: PostgreSQL manual, "Privileges". */
static const char *privilege(char letter)
{
    switch (letter) {
    case 'a': return "INSERT";
    case 'r': return "SELECT";
    case 'w': return "UPDATE";
    case 'd': return "DELETE";
    case 'D': return "TRUNCATE";
    case 'x': return "REFERENCES";
    case 't': return "TRIGGER";
    case 'X': return "EXECUTE";
    case 'U': return "USAGE";
    case 'C': return "CREATE";
    case 'm': return "MAINTAIN";
    default: return NULL;
    }
}

/* grantee=letters/grantor, the grantee in double quotes where it needs them. */
static const char *grantee_of(const void *ctx, const char *item, const char **letters)
{
    struct text name = text_init(ctx, TEXT_LINE);
    bool quoted = *item == '"';
    const char *p = item + (quoted ? 1 : 0);
    for (; *p && (quoted || *p != '='); p++) {
        if (quoted && *p == '"' && *++p != '"')
            break;
        text_addc(&name, *p);
    }
    *letters = *p == '=' ? p + 1 : p;
    return name.len ? text_quote_ident(ctx, name.data) : "PUBLIC";
}

void clone_grant(struct clone_list *list, const struct catalog_texts *acl, const char *what,
                 const char *column)
{
    for (size_t i = 0; i < acl->count; i++) {
        const char *letters;
        const char *grantee = grantee_of(list, acl->items[i], &letters);
        for (; *letters && *letters != '/'; letters++) {
            const char *name = privilege(*letters);
            if (name)
                clone_add(list, false, what, "GRANT %s%s%s%s ON %s TO %s%s", name,
                          column ? " (" : "", column ? column : "", column ? ")" : "", what,
                          grantee, letters[1] == '*' ? " WITH GRANT OPTION" : "");
        }
    }
}

static const char *kind_word(char kind)
{
    switch (kind) {
    case 'v': return "VIEW";
    case 'm': return "MATERIALIZED VIEW";
    case 'f': return "FOREIGN TABLE";
    default: return "TABLE";
    }
}

/* A partition's follow its parent's; a comment is its own. */
static void parts_dress(struct clone_list *list, const struct relation *r, const char *name)
{
    for (size_t i = 0; i < r->constraint_count; i++)
        if (r->constraints[i].comment)
            clone_add(list, false, name, "COMMENT ON CONSTRAINT %s ON %s IS %s",
                      text_quote_ident(list, r->constraints[i].name), name,
                      text_quote_literal(list, r->constraints[i].comment));
    for (size_t i = 0; i < r->extra_count; i++)
        clone_add(list, false, name, "%s", r->extras[i].sql);
    for (size_t i = 0; i < r->index_count; i++)
        if (r->indexes[i].comment)
            clone_add(list, false, name, "COMMENT ON INDEX %s IS %s",
                      object_name_sql(list, r->schema, r->indexes[i].name),
                      text_quote_literal(list, r->indexes[i].comment));
}

static void relation_dress(struct clone_list *list, const struct relation *r)
{
    const char *name = object_name_sql(list, r->schema, r->name);
    const char *what = mem_printf(list, "TABLE %s", name);
    clone_grant(list, &r->acl, what, NULL);
    parts_dress(list, r, name);
    if (r->comment)
        clone_add(list, false, name, "COMMENT ON %s %s IS %s", kind_word(r->kind), name,
                  text_quote_literal(list, r->comment));
    for (size_t i = 0; i < r->column_count; i++) {
        const struct column *c = &r->columns[i];
        const char *column = text_quote_ident(list, c->name);
        clone_grant(list, &c->acl, what, column);
        if (c->comment)
            clone_add(list, false, name, "COMMENT ON COLUMN %s.%s IS %s", name, column,
                      text_quote_literal(list, c->comment));
    }
}

static void functions_dress(struct clone_list *list)
{
    for (size_t i = 0; i < list->catalog->function_count; i++) {
        const struct function *f = &list->catalog->functions[i];
        const char *what = mem_printf(list, "%s %s(%s)", f->kind == 'p' ? "PROCEDURE" : "FUNCTION",
                                      object_name_sql(list, f->schema, f->name), f->arguments);
        if (f->acl.count && f->definition) {
            clone_add(list, false, what, "REVOKE ALL ON %s FROM PUBLIC", what);
            clone_grant(list, &f->acl, what, NULL);
        }
    }
}

static const char *published(const void *ctx, const char *entry)
{
    struct error ignored;
    struct object_name name = { 0 };
    if (!object_name_parse(ctx, entry, &name, &ignored) || !name.schema)
        return clone_name(ctx, entry);
    struct text t = text_init(ctx, TEXT_SQL);
    text_add(&t, object_name_sql(ctx, name.schema, name.name));
    for (size_t i = 0; i < name.column_count; i++)
        text_addf(&t, "%s%s", i ? ", " : " (", text_quote_ident(ctx, name.columns[i]));
    text_add(&t, name.column_count ? ")" : "");
    return t.data;
}

static void publications_add(struct clone_list *list)
{
    for (size_t i = 0; i < list->catalog->publication_count; i++) {
        const struct publication *p = &list->catalog->publications[i];
        struct text tables = text_init(list, TEXT_SQL);
        for (size_t k = 0; k < p->tables.count; k++)
            text_addf(&tables, "%s%s", k ? ", " : " FOR TABLE ",
                      published(list, p->tables.items[k]));
        clone_add(list, false, p->name, "CREATE PUBLICATION %s%s", text_quote_ident(list, p->name),
                  tables.data);
    }
}

void clone_grants(struct clone_list *list)
{
    const struct catalog *c = list->catalog;
    for (size_t i = 0; i < c->schema_count; i++)
        clone_grant(list, &c->schemas[i].acl,
                    mem_printf(list, "SCHEMA %s", text_quote_ident(list, c->schemas[i].name)),
                    NULL);
    for (size_t i = 0; i < c->relation_count; i++)
        if (list->chosen[i] && !text_eq(c->relations[i].schema, "flotilla"))
            relation_dress(list, &c->relations[i]);
    for (size_t i = 0; i < c->sequence_count; i++) {
        const struct sequence *q = &c->sequences[i];
        const char *what =
            mem_printf(list, "SEQUENCE %s", object_name_sql(list, q->schema, q->name));
        clone_grant(list, &q->acl, what, NULL);
        if (q->comment)
            clone_add(list, false, what, "COMMENT ON %s IS %s", what,
                      text_quote_literal(list, q->comment));
    }
    functions_dress(list);
    publications_add(list);
}
