#include "controller/judge/locks.h"

/* Versions that were measured; the one before is by its documentation. */
enum { DOCUMENTED = 14, MEASURED_FROM = 15, MEASURED_TO = 18 };

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
#define X(id, m, o, letters, first, last, source) \
    { LOCK_##m, LOCK_##o, letters, first, last, source },
        EFFECTS(X)
#undef X
    };
    return &rows[effect];
}

bool lock_row_has(enum effect effect, char flag)
{
    return has(lock_row(effect)->flags, flag);
}

enum effect effect_of_grant(int version)
{
    return version >= 18 ? EFFECT_GRANT_18 : EFFECT_GRANT;
}

enum judge_facts judge_facts(int version)
{
    return version >= MEASURED_FROM && version <= MEASURED_TO ? FACTS_MEASURED
           : version == DOCUMENTED                            ? FACTS_DOCUMENTED
                                                              : FACTS_UNPROVEN;
}

const char *judge_facts_name(enum judge_facts facts)
{
    static const char *const names[] = { "measured", "documented", "unproven" };
    return names[facts];
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
