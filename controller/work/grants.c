#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/work/sync.h"

/* The letters of aclitem: PostgreSQL manual, "Privileges". */
static const struct {
    char letter;
    const char *name;
} privileges[] = {
    { 'a', "INSERT" },   { 'r', "SELECT" },     { 'w', "UPDATE" },   { 'd', "DELETE" },
    { 'D', "TRUNCATE" }, { 'x', "REFERENCES" }, { 't', "TRIGGER" },  { 'X', "EXECUTE" },
    { 'U', "USAGE" },    { 'C', "CREATE" },     { 'm', "MAINTAIN" },
};

static const char *privilege(char letter)
{
    for (size_t i = 0; i < sizeof privileges / sizeof *privileges; i++) {
        if (privileges[i].letter == letter) {
            return privileges[i].name;
        }
    }
    return NULL;
}

/* An aclitem (grantee=letters, a slash, grantor) taken apart: the grantee as SQL, and where the
 * letters begin. */
static const char *grantee_sql(const struct work *work, const char *item, const char **letters)
{
    struct text name = text_init(work->ctx, TEXT_LINE);
    bool quoted = *item == '"';
    const char *at = item + quoted;
    for (; *at; at++) {
        if (quoted && *at == '"') {
            if (at[1] != '"') {
                at++;
                break;
            }
            at++;
        } else if (!quoted && *at == '=') {
            break;
        }
        text_addc(&name, *at);
    }
    *letters = *at == '=' ? at + 1 : at;
    return name.len ? ident(work, name.data) : "PUBLIC";
}

static void grant_of(const struct work *work, const char *item, const char *what,
                     const char *column, struct step_texts *out)
{
    const char *letters;
    const char *grantee = grantee_sql(work, item, &letters);
    struct text plain = text_init(work->ctx, TEXT_LINE), option = text_init(work->ctx, TEXT_LINE);
    for (; *letters && *letters != '/'; letters++) {
        const char *name = privilege(*letters);
        bool with_option = letters[1] == '*';
        struct text *list = with_option ? &option : &plain;
        if (name) {
            text_addf(list, "%s%s%s", list->len ? ", " : "", name,
                      column ? say(work, " (%s)", column) : "");
        }
    }
    if (plain.len) {
        step_texts_add(work->ctx, out, say(work, "GRANT %s %s TO %s", plain.data, what, grantee));
    }
    if (option.len) {
        step_texts_add(
            work->ctx, out,
            say(work, "GRANT %s %s TO %s WITH GRANT OPTION", option.data, what, grantee));
    }
}

void grants_sql(const struct work *work, const struct catalog_texts *acl, const char *what,
                const char *column, struct step_texts *out)
{
    for (size_t i = 0; i < acl->count; i++) {
        grant_of(work, acl->items[i], what, column, out);
    }
}

void column_dress(const struct work *work, const struct relation *relation,
                  const struct column *like, const char *column, struct step_texts *out)
{
    const char *table = relation_sql(work, relation);
    grants_sql(work, &like->acl, say(work, "ON TABLE %s", table), ident(work, column), out);
    if (like->comment) {
        step_texts_add(work->ctx, out,
                       say(work, "COMMENT ON COLUMN %s.%s IS %s", table, ident(work, column),
                           literal(work, like->comment)));
    }
    if (like->statistics >= 0) {
        step_texts_add(work->ctx, out,
                       say(work, "ALTER TABLE %s ALTER COLUMN %s SET STATISTICS %d", table,
                           ident(work, column), like->statistics));
    }
    if (like->attributes) {
        step_texts_add(work->ctx, out,
                       say(work, "ALTER TABLE %s ALTER COLUMN %s SET (%s)", table,
                           ident(work, column), like->attributes));
    }
    column_stored(work, relation, like, column, out);
}

void column_stored(const struct work *work, const struct relation *relation,
                   const struct column *like, const char *column, struct step_texts *out)
{
    const char *table = relation_sql(work, relation);
    if (like->compression) {
        step_texts_add(work->ctx, out,
                       say(work, "ALTER TABLE %s ALTER COLUMN %s SET COMPRESSION %s", table,
                           ident(work, column), like->compression));
    }
    if (like->storage) {
        step_texts_add(work->ctx, out,
                       say(work, "ALTER TABLE %s ALTER COLUMN %s SET STORAGE %s", table,
                           ident(work, column), like->storage));
    }
}

static bool names_part(const struct extra *extra, const char *part)
{
    return text_ends(part, " ") ? text_starts(extra->name, part) : text_eq(extra->name, part);
}

void extras_made(const struct work *work, const struct relation *relation, const char *part,
                 struct step_texts *out)
{
    for (size_t i = 0; i < relation->extra_count; i++) {
        if (names_part(&relation->extras[i], part)) {
            step_texts_add(work->ctx, out, relation->extras[i].sql);
        }
    }
}
