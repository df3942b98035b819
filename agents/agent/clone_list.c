#include "agents/agent/clone_list.h"

#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"

void clone_add(struct clone_list *list, bool needed, const char *object, const char *fmt, ...)
{
    struct text sql = text_init(list, TEXT_SQL);
    va_list ap;
    va_start(ap, fmt);
    text_addv(&sql, fmt, ap);
    va_end(ap);
    list->items = mem_room(list, list->items, struct clone_statement, list->count + 1);
    list->items[list->count++] = (struct clone_statement){ .object = mem_text(list, object),
                                                           .sql = sql.data,
                                                           .needed = needed };
}

const char *clone_name(const void *ctx, const char *joined)
{
    struct error ignored;
    struct object_name name = { 0 };
    if (!object_name_parse(ctx, joined, &name, &ignored))
        return text_quote_ident(ctx, joined);
    return name.schema ? object_name_sql(ctx, name.schema, name.name)
                       : text_quote_ident(ctx, name.name);
}
