#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/intent/intent.h"

static const char *const names[] = {
#define X(id, name, keys) name,
    INTENT_OPERATIONS(X)
#undef X
};

static const char *const keys_of[] = {
#define X(id, name, keys) keys,
    INTENT_OPERATIONS(X)
#undef X
};

const char *intent_name(enum intent_operation operation)
{
    return names[operation];
}

bool intent_from_name(const char *name, enum intent_operation *out, const char **near)
{
    for (size_t i = 0; i < INTENT_COUNT; i++) {
        if (text_eq(names[i], name)) {
            *out = (enum intent_operation)i;
            return true;
        }
    }
    *near = text_nearest(name, names, INTENT_COUNT);
    return false;
}

static bool intent_has_table(enum intent_operation operation)
{
    return !text_starts(keys_of[operation], "-table");
}

/* The next word of a list; false at its end. */
static bool next_word(const char **list, const char **word, size_t *length)
{
    *word = *list + strspn(*list, " ");
    *length = strcspn(*word, " ");
    *list = *word + *length;
    return *length > 0;
}

static const char *const everywhere[] = { "service", "note", "propagate", "written", "table" };

bool intent_takes(enum intent_operation operation, const char *key, bool *required)
{
    const char *list = keys_of[operation], *word;
    size_t length, wanted = strlen(key);
    bool table = intent_has_table(operation);
    *required = text_eq(key, "service") || (table && text_eq(key, "table"));
    for (size_t i = 0; i < 4u + table; i++) {
        if (text_eq(everywhere[i], key)) {
            return true;
        }
    }
    while (next_word(&list, &word, &length)) {
        bool must = word[length - 1] == '!';
        if (length - must == wanted && strncmp(word, key, wanted) == 0) {
            *required = must;
            return true;
        }
    }
    return false;
}

size_t intent_keys(const void *ctx, enum intent_operation operation, const char *const **out)
{
    const char *list = keys_of[operation], *word;
    const char **all = NULL;
    size_t count = 0, length;
    for (size_t i = 0; i < 4u + intent_has_table(operation); i++) {
        all = mem_room(ctx, all, const char *, count + 1);
        all[count++] = everywhere[i];
    }
    while (next_word(&list, &word, &length)) {
        if (word[0] != '-') {
            all = mem_room(ctx, all, const char *, count + 1);
            all[count++] = mem_textn(ctx, word, length - (word[length - 1] == '!'));
        }
    }
    *out = all;
    return count;
}
