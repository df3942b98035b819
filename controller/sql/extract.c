#include "controller/sql/extract.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"

const struct tokens *extract_tokens(struct extract *x)
{
    if (!x->tokens.text) {
        x->tokens = tokens_of(x->tmp, x->text, x->start, x->end);
    }
    return &x->tokens;
}

void extract_object(struct extract *x, enum sql_object_kind kind, enum sql_role role,
                    struct sql_name name, const char *column)
{
    struct statement *s = x->out;
    s->objects = mem_room(x->ctx, s->objects, struct sql_object, s->object_count + 1);
    s->objects[s->object_count++] = (struct sql_object){
        .kind = kind,
        .role = role,
        .schema = name.schema,
        .name = name.name,
        .column = column,
    };
}

void extract_main(struct extract *x, enum sql_object_kind kind, enum sql_role role,
                  struct sql_name name)
{
    x->out->name = name;
    x->out->object = kind;
    extract_object(x, kind, role, name, NULL);
}

const char *extract_role(const void *ctx, const PgQuery__RoleSpec *role)
{
    switch (role ? role->roletype : PG_QUERY__ROLE_SPEC_TYPE__ROLE_SPEC_TYPE_UNDEFINED) {
    case PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_CSTRING: return ast_text(ctx, role->rolename);
    case PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_PUBLIC: return "public";
    case PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_CURRENT_USER:
    case PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_CURRENT_ROLE: return "current_user";
    case PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_SESSION_USER: return "session_user";
    default: return NULL;
    }
}

enum sql_object_kind extract_kind(PgQuery__ObjectType type)
{
#define KIND(theirs, ours) [PG_QUERY__OBJECT_TYPE__OBJECT_##theirs] = SQL_OBJECT_##ours
    static const enum sql_object_kind kinds[] = {
        KIND(AGGREGATE, AGGREGATE),
        KIND(ATTRIBUTE, ATTRIBUTE),
        KIND(CAST, CAST),
        KIND(COLUMN, COLUMN),
        KIND(COLLATION, COLLATION),
        KIND(DATABASE, DATABASE),
        KIND(DOMAIN, DOMAIN),
        KIND(DOMCONSTRAINT, DOMAIN_CONSTRAINT),
        KIND(EVENT_TRIGGER, EVENT_TRIGGER),
        KIND(EXTENSION, EXTENSION),
        KIND(FDW, WRAPPER),
        KIND(FOREIGN_SERVER, SERVER),
        KIND(FOREIGN_TABLE, FOREIGN_TABLE),
        KIND(FUNCTION, FUNCTION),
        KIND(INDEX, INDEX),
        KIND(LANGUAGE, LANGUAGE),
        KIND(MATVIEW, MATVIEW),
        KIND(OPCLASS, OPERATOR),
        KIND(OPERATOR, OPERATOR),
        KIND(OPFAMILY, OPERATOR),
        KIND(POLICY, POLICY),
        KIND(PROCEDURE, PROCEDURE),
        KIND(PUBLICATION, PUBLICATION),
        KIND(ROLE, ROLE),
        KIND(ROUTINE, ROUTINE),
        KIND(RULE, RULE),
        KIND(SCHEMA, SCHEMA),
        KIND(SEQUENCE, SEQUENCE),
        KIND(SUBSCRIPTION, SUBSCRIPTION),
        KIND(STATISTIC_EXT, STATISTICS),
        KIND(TABCONSTRAINT, CONSTRAINT),
        KIND(TABLE, TABLE),
        KIND(TABLESPACE, TABLESPACE),
        KIND(TRIGGER, TRIGGER),
        KIND(TSCONFIGURATION, TEXT_SEARCH),
        KIND(TSDICTIONARY, TEXT_SEARCH),
        KIND(TSPARSER, TEXT_SEARCH),
        KIND(TSTEMPLATE, TEXT_SEARCH),
        KIND(TYPE, TYPE),
        KIND(VIEW, VIEW),
    };
#undef KIND
    return (size_t)type < sizeof kinds / sizeof *kinds ? kinds[type] : SQL_OBJECT_OTHER;
}

size_t extract_item_end(const struct tokens *t, size_t first, size_t last)
{
    while (first < last && !tokens_punct(t, first, ',') && !tokens_punct(t, first, ')') &&
           !tokens_punct(t, first, ']')) {
        first = tokens_punct(t, first, '(') || tokens_punct(t, first, '[') ? tokens_close(t, first)
                                                                           : first + 1;
    }
    return first < last ? first : last;
}

size_t extract_find(const struct tokens *t, size_t first, size_t last, const char *words)
{
    while (first < last && !tokens_are(t, first, words)) {
        first = tokens_punct(t, first, '(') || tokens_punct(t, first, '[') ? tokens_close(t, first)
                                                                           : first + 1;
    }
    return first < last ? first : last;
}

/* DEFAULT takes a b_expr: these words can only begin the next constraint, unless an operator or IS
 * is in front of them. */
static bool ends_default(const struct tokens *t, size_t at, size_t first)
{
    static const char *const words[] = { "NOT",     "NULL",       "CHECK",      "UNIQUE",
                                         "PRIMARY", "REFERENCES", "GENERATED",  "CONSTRAINT",
                                         "COLLATE", "DEFERRABLE", "INITIALLY",  "USING",
                                         "DEFAULT", "STORAGE",    "COMPRESSION" };
    const struct token before = t->items[at - 1];
    if (before.kind == TOKEN_OPERATOR || token_is(t->text, before, "IS") ||
        (token_is(t->text, before, "NOT") && at - 1 > first)) {
        return false;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (token_is(t->text, t->items[at], words[i])) {
            return true;
        }
    }
    return false;
}

size_t extract_default_end(const struct tokens *t, size_t first, size_t last)
{
    size_t at = first;
    while (at < last && !tokens_punct(t, at, ',') && !tokens_punct(t, at, ')') &&
           !(at > first && ends_default(t, at, first))) {
        at = tokens_punct(t, at, '(') || tokens_punct(t, at, '[') ? tokens_close(t, at) : at + 1;
    }
    return at < last ? at : last;
}

struct sql_expression *extract_expression_at(struct extract *x, const PgQuery__Node *node,
                                             size_t first, size_t last)
{
    return extract_expression(x->ctx, node, tokens_text(x->ctx, extract_tokens(x), first, last));
}

void extract_query(struct extract *x, const void *message)
{
    struct statement *s = x->out;
    if (!s->query) {
        s->query = mem_new(x->ctx, struct sql_query);
    }
    size_t reads = s->query->read_count, writes = s->query->write_count;
    query_collect(x->ctx, s->query, message);
    for (size_t i = reads; i < s->query->read_count; i++) {
        const struct sql_object *o = &s->query->reads[i];
        extract_object(x, o->kind, o->role, (struct sql_name){ o->schema, o->name }, o->column);
    }
    for (size_t i = writes; i < s->query->write_count; i++) {
        extract_object(x, SQL_OBJECT_TABLE, SQL_WRITTEN, s->query->writes[i].relation, NULL);
    }
}
