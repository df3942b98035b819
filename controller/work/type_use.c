/* The service's own types, by any of their spellings; and who uses them. */
#include <string.h>

#include "agents/base/text.h"
#include "controller/work/column_map.h"
#include "controller/work/types.h"

/* The schema and name that a spelling begins with; false: it is no plain name. */
static bool name_of(const struct work *work, const char *text, const char **schema,
                    const char **name)
{
    struct sql_piece piece = sql_piece_next(work->ctx, text);
    *schema = NULL;
    *name = piece.name;
    if (!piece.word) {
        return false;
    }
    const char *end = piece.start + piece.length;
    if (*end == '.') {
        struct sql_piece behind = sql_piece_next(work->ctx, end + 1);
        *schema = piece.name;
        *name = behind.name;
        end = behind.start + behind.length;
        if (!behind.word) {
            return false;
        }
    }
    return *end == 0 || *end == '[' || *end == '(';
}

const char *collate(const struct work *work, const char *collation)
{
    struct object_name name;
    struct error ignored;
    if (!collation) {
        return "";
    }
    if (!object_name_parse(work->ctx, collation, &name, &ignored)) {
        return say(work, " COLLATE %s", ident(work, collation));
    }
    return say(work, " COLLATE %s",
               name.schema ? name_sql(work, name.schema, name.name) : ident(work, name.name));
}

bool type_is(const struct work *work, const char *text, const struct type *type)
{
    const char *schema, *name;
    return text && name_of(work, text, &schema, &name) && text_eq(name, type->name) &&
           (!schema || text_eq(schema, type->schema));
}

bool type_same(const struct work *work, const char *a, const char *b)
{
    const char *schema_a, *name_a, *schema_b, *name_b;
    if (text_eq(a, b)) {
        return true;
    }
    const char *rest_a = strpbrk(a, "[("), *rest_b = strpbrk(b, "[(");
    return name_of(work, a, &schema_a, &name_a) && name_of(work, b, &schema_b, &name_b) &&
           text_eq(name_a, name_b) && schema_a && schema_b && text_eq(schema_a, schema_b) &&
           text_eq(rest_a ? rest_a : "", rest_b ? rest_b : "");
}

bool type_mentioned(const struct work *work, const char *text, const struct type *type)
{
    for (struct sql_piece p = sql_piece_next(work->ctx, text ? text : ""); p.length > 0;
         p = sql_piece_next(work->ctx, p.start + p.length)) {
        if (p.word && text_eq(p.name, type->name)) {
            return true;
        }
    }
    return false;
}

const char *type_user(const struct work *work, const struct state *state, const struct type *type)
{
    for (size_t i = 0; i < state->catalog->relation_count; i++) {
        const struct relation *r = &state->catalog->relations[i];
        for (size_t k = 0; k < r->column_count; k++) {
            if (type_is(work, r->columns[k].type, type)) {
                return column_words(work, r, r->columns[k].name);
            }
        }
    }
    return NULL;
}
