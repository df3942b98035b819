#include "controller/world/schemas.h"

#include "agents/base/mem.h"
#include "agents/base/text.h"

struct schema_noted {
    const char *name;
    enum schema_state state;
};

static struct schema_noted *noted(const struct schemas *schemas, const char *name)
{
    for (size_t i = 0; i < schemas->count; i++) {
        if (text_eq(schemas->items[i].name, name)) {
            return &schemas->items[i];
        }
    }
    return NULL;
}

void schemas_note(const void *ctx, struct schemas *schemas, const char *name,
                  enum schema_state state)
{
    struct schema_noted *old = noted(schemas, name);
    if (old) {
        old->state = state;
        return;
    }
    schemas->items = mem_room(ctx, schemas->items, struct schema_noted, schemas->count + 1);
    schemas->items[schemas->count++] = (struct schema_noted){ mem_text(ctx, name), state };
}

enum schema_state schemas_state(const struct schemas *schemas, const char *name)
{
    const struct schema_noted *one = name ? noted(schemas, name) : NULL;
    return one ? one->state : SCHEMA_UNTOUCHED;
}

void schemas_settle(struct schemas *schemas)
{
    for (size_t i = 0; i < schemas->count; i++) {
        if (schemas->items[i].state == SCHEMA_FRESH) {
            schemas->items[i].state = SCHEMA_THERE;
        }
    }
}
