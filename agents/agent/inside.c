#include "agents/agent/inside.h"

#include <string.h>

#include "agents/base/text.h"

enum { WORD_BYTES = 16, WORDS = 3 };

struct words {
    char word[WORDS][WORD_BYTES]; /* in lower case; cut when longer, which none of ours is */
};

/* Comments nest in PostgreSQL. */
static const char *past_comment(const char *p)
{
    int depth = 1;
    for (p += 2; *p && depth > 0; p++) {
        if (p[0] == '/' && p[1] == '*')
            depth++, p++;
        else if (p[0] == '*' && p[1] == '/')
            depth--, p++;
    }
    return p;
}

/* To the next word. Semicolons too: an empty statement before another one is none. */
static const char *past_space(const char *p)
{
    for (;;) {
        if (*p && strchr(" \t\n\r\f\v;", *p))
            p++;
        else if (p[0] == '-' && p[1] == '-')
            p += strcspn(p, "\n\r");
        else if (p[0] == '/' && p[1] == '*')
            p = past_comment(p);
        else
            return p;
    }
}

static struct words words_of(const char *sql)
{
    struct words w = { 0 };
    const char *p = sql;
    for (int i = 0; i < WORDS; i++) {
        p = past_space(p);
        for (size_t n = 0; (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || *p == '_'; p++)
            if (n < WORD_BYTES - 1)
                w.word[i][n++] = (char)(*p >= 'A' && *p <= 'Z' ? *p + ('a' - 'A') : *p);
    }
    return w;
}

static bool is_any(const char *word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (text_eq(word, list[i]))
            return true;
    return false;
}
#define IS_ANY(word, list) is_any(word, list, sizeof(list) / sizeof((list)[0]))

bool statement_ends_transaction(const char *sql)
{
    static const char *const ends[] = { "commit", "end", "rollback", "abort", "begin", "start" };
    struct words w = words_of(sql);
    return IS_ANY(w.word[0], ends) ||
           (text_eq(w.word[0], "prepare") && text_eq(w.word[1], "transaction"));
}

bool statement_is_for_server(const char *sql)
{
    static const char *const verbs[] = { "create", "alter", "drop" };
    static const char *const nouns[] = { "database", "role", "group", "tablespace", "system" };
    struct words w = words_of(sql);
    if (!IS_ANY(w.word[0], verbs))
        return false;
    return IS_ANY(w.word[1], nouns) ||
           (text_eq(w.word[1], "user") && !text_eq(w.word[2], "mapping"));
}

static bool list_stays(const struct step *step, const struct step_texts *list, bool rehearsal,
                       struct error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        if (statement_ends_transaction(list->items[i])) {
            fail(err, ERROR_REFUSED, "step %s: statement %zu ends or begins a transaction itself",
                 step->id, i + 1);
            return fail_hint(err, "take it out of the plan: the agent commits a step together "
                                  "with its journal");
        }
        if (rehearsal && statement_is_for_server(list->items[i])) {
            fail(err, ERROR_REFUSED, "step %s: statement %zu concerns the whole server", step->id,
                 i + 1);
            return fail_hint(err, "it cannot be rehearsed in a scratch database: do it by hand, "
                                  "outside of the plan");
        }
    }
    return true;
}

bool part_stays_inside(const struct part *part, bool rehearsal, struct error *err)
{
    for (size_t i = 0; i < part->step_count; i++) {
        const struct step *step = &part->steps[i];
        if (!list_stays(step, &step->up, rehearsal, err) ||
            !list_stays(step, &step->down, rehearsal, err))
            return false;
    }
    return true;
}
