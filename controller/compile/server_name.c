/*
 * The names that the server chooses for indexes nobody named.
 */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/compile/families.h"

enum { NAME_ROOM = 63 }; /* NAMEDATALEN - 1 */

/* A cut at a character, as pg_mbcliplen does it for UTF-8. */
static size_t clipped(const char *s, size_t most)
{
    size_t length = strlen(s) < most ? strlen(s) : most;
    while (length > 0 && s[length] && ((unsigned char)s[length] & 0xC0) == 0x80) {
        length--;
    }
    return length;
}

/* As makeObjectName() of PostgreSQL: the longer of the two names gives way. */
static const char *joined_name(const struct work *work, const char *first, const char *second,
                               const char *label)
{
    size_t room = NAME_ROOM - strlen(label) - 2, a = strlen(first), b = strlen(second);
    while (a + b > room) {
        if (a > b) {
            a--;
        } else {
            b--;
        }
    }
    return say(work, "%.*s_%.*s_%s", (int)clipped(first, a), first, (int)clipped(second, b), second,
               label);
}

const char *server_index_name(const struct work *work, const struct relation *relation,
                              const char *columns)
{
    const char *name = joined_name(work, relation->name, columns, "idx");
    for (int n = 1; !text_eq(free_name(work, work->home, relation, name), name); n++) {
        name = joined_name(work, relation->name, columns, say(work, "idx%d", n));
    }
    return name;
}
