#include "agents/base/name.h"

#include <stdbool.h>
#include <string.h>

#include "agents/base/digest.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

enum {
    /* NAMEDATALEN - 1: what PostgreSQL keeps of an identifier. */
    NAME_BYTES = 63,
    FIT_SUFFIX = 9,     /* "_" and eight hex digits */
    COLUMN_LIMIT = 1600 /* MaxHeapAttributeNumber */
};

static const char syntax[] = ".:(),\"";

struct reader {
    const void *ctx;
    const char *whole;
    const char *p;
};

static void skip_spaces(struct reader *r)
{
    while (*r->p == ' ')
        r->p++;
}

static bool bad(const struct reader *r, struct error *err, const char *what)
{
    SCOPE(tmp);
    return fail(err, ERROR_INVALID, "\"%s\" is no name of an object: %s",
                text_printable(tmp, r->whole), what);
}

static bool read_quoted(struct reader *r, const char **out, struct error *err)
{
    struct text t = text_init(r->ctx, TEXT_LINE);
    for (r->p++; *r->p; r->p++) {
        if (*r->p == '"' && r->p[1] != '"')
            break;
        if (*r->p == '"')
            r->p++;
        text_addc(&t, *r->p);
    }
    if (*r->p != '"')
        return bad(r, err, "the double quote is not closed");
    r->p++;
    if (t.len == 0)
        return bad(r, err, "a piece is empty");
    *out = t.data;
    return true;
}

/* One piece with the spaces around it. */
static bool read_piece(struct reader *r, const char **out, struct error *err)
{
    skip_spaces(r);
    if (*r->p == '"') {
        if (!read_quoted(r, out, err))
            return false;
        skip_spaces(r);
        return true;
    }
    size_t n = strcspn(r->p, syntax);
    if (r->p[n] == '"')
        return bad(r, err, "write a piece that holds a double quote in double quotes, doubled");
    size_t kept = n;
    while (kept > 0 && r->p[kept - 1] == ' ')
        kept--;
    if (kept == 0)
        return bad(r, err, "a piece is empty");
    *out = mem_textn(r->ctx, r->p, kept);
    r->p += n;
    return true;
}

static bool read_columns(struct reader *r, struct object_name *name, struct error *err)
{
    do {
        r->p++;
        if (name->column_count == COLUMN_LIMIT)
            return bad(r, err, "no table has that many columns");
        name->columns = mem_room(r->ctx, name->columns, const char *, name->column_count + 1);
        if (!read_piece(r, &name->columns[name->column_count], err))
            return false;
        name->column_count++;
    } while (*r->p == ',');
    if (*r->p != ')')
        return bad(r, err, "the bracket is not closed");
    r->p++;
    skip_spaces(r);
    return true;
}

bool object_name_parse(const void *ctx, const char *s, struct object_name *out, struct error *err)
{
    struct reader r = { .ctx = ctx, .whole = s, .p = s };
    struct object_name name = { 0 };
    if (!read_piece(&r, &name.name, err))
        return false;
    if (*r.p == ':') {
        r.p++;
        name.service = name.name;
        if (!read_piece(&r, &name.name, err))
            return false;
    }
    if (*r.p == '.') {
        r.p++;
        name.schema = name.name;
        if (!read_piece(&r, &name.name, err))
            return false;
    }
    if (*r.p == '(' && !read_columns(&r, &name, err))
        return false;
    if (*r.p)
        return bad(&r, err, "expected service:schema.table(column, ...)");
    *out = name;
    return true;
}

static void add_piece(struct text *t, const char *piece)
{
    size_t n = strlen(piece);
    bool spaces = n > 0 && (piece[0] == ' ' || piece[n - 1] == ' ');
    if (n > 0 && !spaces && !strpbrk(piece, syntax)) {
        text_add(t, piece);
        return;
    }
    SCOPE(tmp);
    text_add(t, text_quote_ident(tmp, piece));
}

const char *object_name_text(const void *ctx, const struct object_name *name)
{
    struct text t = text_init(ctx, TEXT_SQL);
    if (name->service) {
        add_piece(&t, name->service);
        text_addc(&t, ':');
    }
    if (name->schema) {
        add_piece(&t, name->schema);
        text_addc(&t, '.');
    }
    add_piece(&t, name->name);
    for (size_t i = 0; i < name->column_count; i++) {
        text_add(&t, i == 0 ? "(" : ", ");
        add_piece(&t, name->columns[i]);
    }
    if (name->column_count > 0)
        text_addc(&t, ')');
    return t.data;
}

const char *object_name_join(const void *ctx, const char *schema, const char *name)
{
    struct object_name whole = { .schema = schema, .name = name };
    return object_name_text(ctx, &whole);
}

const char *object_name_sql(const void *ctx, const char *schema, const char *name)
{
    SCOPE(tmp);
    const char *quoted = text_quote_ident(tmp, name);
    if (!schema)
        return mem_text(ctx, quoted);
    return mem_printf(ctx, "%s.%s", text_quote_ident(tmp, schema), quoted);
}

const char *object_name_fit(const void *ctx, const char *name)
{
    if (strlen(name) <= NAME_BYTES)
        return mem_text(ctx, name);
    SCOPE(tmp);
    size_t n = NAME_BYTES - FIT_SUFFIX;
    while (n > 0 && ((unsigned char)name[n] & 0xC0) == 0x80)
        n--;
    const char *hex = strchr(digest_text(tmp, name), ':') + 1;
    return mem_printf(ctx, "%.*s_%.8s", (int)n, name, hex);
}
