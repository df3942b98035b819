#include "controller/world/names.h"

#include <string.h>
#include <uthash.h>

#include "agents/base/mem.h"

struct named {
    const char *name;
    void **things;
    size_t count;
    UT_hash_handle hh;
};

struct names {
    struct named *by_name;
};

static int names_end(struct names *names)
{
    HASH_CLEAR(hh, names->by_name);
    return 0;
}

struct names *names_new(const void *ctx)
{
    struct names *names = mem_new(ctx, struct names);
    talloc_set_destructor(names, names_end);
    return names;
}

void names_add(struct names *names, const char *name, void *thing)
{
    struct named *at;
    if (!name) {
        return;
    }
    HASH_FIND_STR(names->by_name, name, at);
    if (!at) {
        at = mem_new(names, struct named);
        at->name = name;
        HASH_ADD_KEYPTR(hh, names->by_name, at->name, strlen(at->name), at);
    }
    if (at->count == 0 || at->things[at->count - 1] != thing) {
        at->things = mem_room(names, at->things, void *, at->count + 1);
        at->things[at->count++] = thing;
    }
}

void *const *names_of(const struct names *names, const char *name, size_t *count)
{
    struct named *at = NULL;
    *count = 0;
    if (name) {
        HASH_FIND_STR(names->by_name, name, at);
    }
    *count = at ? at->count : 0;
    return at ? at->things : NULL;
}
