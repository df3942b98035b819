#include "controller/sql/object.h"

#include "agents/base/mem.h"
#include "agents/base/text.h"

const char *sql_object_kind_name(enum sql_object_kind kind)
{
    static const char *const names[] = {
#define X(id, name) name,
        SQL_OBJECTS(X)
#undef X
    };
    return names[kind];
}

bool sql_name_eq(struct sql_name a, struct sql_name b)
{
    return text_eq(a.name, b.name) && (!a.schema || !b.schema || text_eq(a.schema, b.schema));
}

const char *sql_name_text(const void *ctx, struct sql_name name)
{
    return name.schema ? mem_printf(ctx, "%s.%s", name.schema, name.name)
                       : mem_text(ctx, name.name);
}

bool sql_texts_have(const struct sql_texts *list, const char *s)
{
    for (size_t i = 0; i < list->count; i++) {
        if (text_eq(list->items[i], s)) {
            return true;
        }
    }
    return false;
}

void sql_texts_add(const void *ctx, struct sql_texts *list, const char *s)
{
    list->items = mem_room(ctx, list->items, const char *, list->count + 1);
    list->items[list->count++] = mem_text(ctx, s);
}

const char *sql_regclass(const void *ctx, const char *literal)
{
    struct text t = text_init(ctx, TEXT_LINE);
    bool quoted = false;
    for (const char *p = literal ? literal : ""; *p != '\0'; p++) {
        if (*p == '"') {
            if (quoted && p[1] == '"') {
                text_addc(&t, *p++);
            } else {
                quoted = !quoted;
            }
        } else {
            text_addc(&t, !quoted && *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p);
        }
    }
    return t.data;
}
