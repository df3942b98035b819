#include "controller/check/locks.h"

/* Every effect of the table is the same on all versions measured; what differs has a function. */
enum { MEASURED_FROM = 15, MEASURED_TO = 18 };

/* Flags of a row as a set of letters, folded by the compiler. */
static bool has(const char *flags, char c)
{
    while (*flags != '\0' && *flags != c) {
        flags++;
    }
    return *flags == c;
}

const struct lock_row *lock_row(enum effect effect)
{
    static const struct lock_row rows[] = {
#define X(id, m, o, letters, from) \
    { LOCK_##m, LOCK_##o, letters, MEASURED_FROM, MEASURED_TO, from },
        EFFECTS(X)
#undef X
    };
    return &rows[effect];
}

bool lock_row_has(enum effect effect, char flag)
{
    return has(lock_row(effect)->flags, flag);
}

enum lock_mode lock_of_grant(int version)
{
    return version >= 18 ? LOCK_ACCESS_SHARE : LOCK_NONE;
}

const char *lock_mode_name(enum lock_mode mode)
{
    static const char *const names[] = {
        "none",  "ACCESS SHARE",        "ROW SHARE", "ROW EXCLUSIVE",   "SHARE UPDATE EXCLUSIVE",
        "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"
    };
    return names[mode];
}

bool lock_blocks_writes(enum lock_mode mode)
{
    return mode >= LOCK_SHARE;
}
