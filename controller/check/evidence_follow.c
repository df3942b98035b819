/* Evidence that functions and rights stay what they were. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/check/checking.h"
#include "controller/sql/token.h"

static const struct statement *statement_at(const struct checking *c, size_t i)
{
    return i < c->script->count ? c->script->statements[i].statement : NULL;
}

/* --- functions ---------------------------------------------------------------------------------
 */

static bool token_names(const char *text, struct token k, const char *name)
{
    SCOPE(tmp);
    const char *word = k.kind == TOKEN_QUOTED ? text_quote_ident(tmp, name) : name;
    return strlen(word) == k.end - k.start && memcmp(text + k.start, word, k.end - k.start) == 0;
}

/* One of the step's renames turns this token into that one. */
static bool follows_rename(const struct checking *c, const char *a, struct token x, const char *b,
                           struct token y)
{
    for (size_t i = 0; i < c->script->count; i++) {
        const struct statement *s = statement_at(c, i);
        if (s->kind == SQL_STMT_RENAME && s->object == SQL_OBJECT_COLUMN &&
            token_names(a, x, s->sub_name) && token_names(b, y, s->new_name)) {
            return true;
        }
    }
    return false;
}

static bool same_body(const struct checking *c, const char *a, const char *b)
{
    SCOPE(tmp);
    struct tokens x = tokens_of(tmp, a, 0, strlen(a)), y = tokens_of(tmp, b, 0, strlen(b));
    for (size_t i = 0; i < x.count && x.count == y.count; i++) {
        size_t n = x.items[i].end - x.items[i].start;
        bool same = n == y.items[i].end - y.items[i].start &&
                    memcmp(a + x.items[i].start, b + y.items[i].start, n) == 0;
        if (!same && !follows_rename(c, a, x.items[i], b, y.items[i])) {
            return false;
        }
    }
    return x.count == y.count;
}

/* Before the body the definitions must be the same; a dollar-quoted body is one token. */
static bool same_function(const struct checking *c, const struct function *f,
                          const struct statement *s)
{
    if (!f->definition || !s->body->text || !f->body) {
        return false;
    }
    const char *old = strstr(f->definition, f->body);
    const char *now = strstr(s->sql, s->body->text);
    if (!old || !now) {
        return false;
    }
    SCOPE(tmp);
    const char *head = mem_textn(tmp, f->definition, (size_t)(old - f->definition));
    const char *head_now = mem_textn(tmp, s->sql, (size_t)(now - s->sql));
    return checked_same_text(head, head_now) && same_body(c, f->body, s->body->text);
}

/* ALTER … SECURITY as it is already: sessions forget their plan of it, nothing else happens. */
static bool says_what_is(const struct checking *c, const struct statement *s)
{
    SCOPE(tmp);
    const struct catalog *catalog = c->options->catalog;
    struct tokens k = tokens_of(tmp, s->sql, 0, strlen(s->sql));
    size_t n = k.count;
    bool definer = n > 3 && tokens_are(&k, n - 2, "SECURITY DEFINER");
    if (n < 4 || !tokens_punct(&k, n - 3, ')') ||
        !(definer || tokens_are(&k, n - 2, "SECURITY INVOKER"))) {
        return false;
    }
    for (size_t i = 0; catalog && i < catalog->function_count; i++) {
        const struct function *f = &catalog->functions[i];
        if (text_eq(f->name, s->name.name) && text_eq(f->schema, s->name.schema)) {
            return f->security_definer == definer;
        }
    }
    return false;
}

enum answer evidence_follows(struct checking *c, const char *rule, const struct statement *s,
                             const char **said)
{
    const struct catalog *catalog = c->options->catalog;
    (void)rule;
    (void)said;
    if (s->kind == SQL_STMT_ALTER_FUNCTION) {
        return says_what_is(c, s) ? ANSWER_YES : ANSWER_NO;
    }
    if (s->kind != SQL_STMT_CREATE_FUNCTION) {
        return ANSWER_NOT_MINE;
    }
    for (size_t i = 0; catalog && i < catalog->function_count; i++) {
        const struct function *f = &catalog->functions[i];
        if (text_eq(f->name, s->name.name) &&
            (!s->name.schema || text_eq(f->schema, s->name.schema)) && same_function(c, f, s)) {
            return ANSWER_YES;
        }
    }
    return ANSWER_NO;
}

/* --- rights ------------------------------------------------------------------------------------
 */

static char letter_of(const char *privilege)
{
    static const struct {
        const char *name;
        char letter;
    } letters[] = { { "select", 'r' },  { "insert", 'a' },   { "update", 'w' },
                    { "delete", 'd' },  { "truncate", 'D' }, { "references", 'x' },
                    { "trigger", 't' }, { "usage", 'U' } };
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
        if (text_eq(letters[i].name, privilege)) {
            return letters[i].letter;
        }
    }
    return 0;
}

/* "reader=r/owner"; PUBLIC has no name. */
static bool gives(const struct catalog_texts *acl, const char *role, char letter)
{
    SCOPE(tmp);
    const char *plain = mem_printf(tmp, "%s=", text_eq(role, "public") ? "" : role);
    const char *quoted = mem_printf(tmp, "%s=", text_quote_ident(tmp, role));
    for (size_t i = 0; letter && i < acl->count; i++) {
        const char *item = acl->items[i];
        const char *prefix = text_starts(item, quoted) ? quoted : plain;
        size_t n = strlen(prefix);
        if (text_starts(item, prefix) && memchr(item + n, letter, strcspn(item + n, "/"))) {
            return true;
        }
    }
    return false;
}

/* Names without a schema are looked for where the statements look. */
static const struct sequence *sequence_before(const struct checking *c, const struct sql_object *o)
{
    const struct catalog *catalog = c->options->catalog;
    const char *schema = o->schema ? o->schema : world_schema(c->mirror->world);
    for (size_t i = 0; catalog && i < catalog->sequence_count; i++) {
        const struct sequence *q = &catalog->sequences[i];
        if (text_eq(q->schema, schema) && text_eq(q->name, o->name)) {
            return q;
        }
    }
    return NULL;
}

static bool has_right(const struct checking *c, const struct sql_object *o, const char *role,
                      char letter)
{
    const struct relation *r = checked_before(c, (struct sql_name){ o->schema, o->name });
    const struct sequence *q = sequence_before(c, o);
    bool has = (r && gives(&r->acl, role, letter)) || (!r && q && gives(&q->acl, role, letter));
    for (size_t i = 0; r && i < r->column_count; i++) {
        has = has || gives(&r->columns[i].acl, role, letter);
    }
    return has;
}

static bool has_all(const struct checking *c, const struct sql_object *o, const struct sql_grant *g)
{
    for (size_t k = 0; k < g->grantees.count; k++) {
        for (size_t n = 0; n < g->privileges.count; n++) {
            if (!has_right(c, o, g->grantees.items[k], letter_of(g->privileges.items[n]))) {
                return false;
            }
        }
    }
    return true;
}

/* One of the rights that an aclitem says is granted again behind the statement. */
static bool granted_again(const struct checking *c, struct sql_name name, const char *role,
                          char letter)
{
    for (size_t i = c->index + 1; i < c->script->count; i++) {
        const struct statement *s = statement_at(c, i);
        bool mine = s->kind == SQL_STMT_GRANT && s->object_count > 0 &&
                    text_eq(s->objects[0].name, name.name) &&
                    sql_texts_have(&s->grant->grantees, role);
        for (size_t k = 0; mine && k < s->grant->privileges.count; k++) {
            if (letter_of(s->grant->privileges.items[k]) == letter) {
                return true;
            }
        }
        if (mine && s->grant->privileges.count == 0) {
            return true; /* ALL */
        }
    }
    return false;
}

/* Every right of others on a relation that is made again. */
static bool rights_again(const struct checking *c, const struct sql_object *o)
{
    SCOPE(tmp);
    struct sql_name name = { o->schema, o->name };
    const struct relation *r = checked_before(c, name);
    for (size_t i = 0; r && i < r->acl.count; i++) {
        const char *item = r->acl.items[i], *equals = strrchr(item, '=');
        const char *end = equals ? strchr(equals, '/') : NULL;
        const char *role = equals ? mem_textn(tmp, item, (size_t)(equals - item)) : "";
        bool owner = text_eq(role, r->owner);
        for (const char *p = equals ? equals + 1 : ""; !owner && p < end; p++) {
            if (*p != '*' && !granted_again(c, name, *role ? role : "public", *p)) {
                return false;
            }
        }
    }
    return r != NULL;
}

static enum answer all_rights_again(const struct checking *c, const struct statement *s)
{
    bool all = s->kind == SQL_STMT_DROP && s->object_count > 0 && checked_step(c)->transaction;
    for (size_t i = 0; all && i < s->object_count; i++) {
        all = rights_again(c, &s->objects[i]);
    }
    return all ? ANSWER_YES : ANSWER_NO;
}

enum answer evidence_same_rights(struct checking *c, const char *rule, const struct statement *s,
                                 const char **said)
{
    const struct sql_grant *g = s->grant;
    bool all = g && g->privileges.count > 0 && !g->roles && !g->all_in_schema && !g->with_option;
    (void)said;
    if (text_eq(rule, "privileges-lost")) {
        return all_rights_again(c, s);
    }
    if (s->kind != SQL_STMT_GRANT) {
        return s->kind == SQL_STMT_REVOKE ? ANSWER_NO : ANSWER_NOT_MINE;
    }
    for (size_t i = 0; all && i < s->object_count; i++) {
        all = has_all(c, &s->objects[i], g);
    }
    return all && s->object_count > 0 ? ANSWER_YES : ANSWER_NO;
}
