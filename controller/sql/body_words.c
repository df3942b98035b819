/*
 * A second look at PL/pgSQL bodies that the parser's own PL/pgSQL grammar refuses although the
 * server takes them (polymorphic results, COLLATE on variables): statements found by their first
 * words. It sees what stands plainly; it does not judge the rest.
 */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/sql/extract.h"

/* Behind these words a statement begins. */
static bool opens(const struct tokens *t, size_t at)
{
    return tokens_punct(t, at, ';') || tokens_are(t, at, "BEGIN") || tokens_are(t, at, "THEN") ||
           tokens_are(t, at, "ELSE") || tokens_are(t, at, "LOOP");
}

static bool is_statement(const struct tokens *t, size_t at)
{
    static const char *const words[] = { "SELECT", "INSERT", "UPDATE",  "DELETE",   "MERGE",
                                         "ALTER",  "CREATE", "DROP",    "TRUNCATE", "LOCK",
                                         "GRANT",  "REVOKE", "COMMENT", "REINDEX",  "REFRESH",
                                         "COPY",   "CALL",   "SET",     "WITH" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (tokens_are(t, at, words[i])) {
            return true;
        }
    }
    return false;
}

/* Behind the variables of an INTO at `at`: names with dots and commas between. */
static size_t into_end(const struct tokens *t, size_t at, size_t last)
{
    at += tokens_are(t, at + 1, "STRICT") ? 3 : 2;
    while (at < last && (tokens_punct(t, at, ',') || tokens_punct(t, at, '.'))) {
        at += 2;
    }
    return at < last ? at : last;
}

/* SELECT … INTO variable: the INTO clause of PL/pgSQL is not SQL's. */
static void select_add(struct text *out, const struct tokens *t, size_t first, size_t last)
{
    SCOPE(tmp);
    size_t into = extract_find(t, first, last, "INTO");
    bool plain = into == last || tokens_are(t, first, "INSERT") || tokens_are(t, first, "MERGE");
    const char *head = tokens_text(tmp, t, first, plain ? last : into);
    const char *tail = plain ? NULL : tokens_text(tmp, t, into_end(t, into, last), last);
    text_addf(out, "%s %s\n;\n", head ? head : "", tail ? tail : "");
}

static size_t statement_end(const struct tokens *t, size_t at)
{
    while (at < t->count && !tokens_punct(t, at, ';')) {
        at++;
    }
    return at;
}

void body_words(const void *ctx, const char *body, struct text *statements,
                struct sql_texts *executed)
{
    struct tokens t = tokens_of(ctx, body, 0, strlen(body));
    size_t at = 0;
    while (at < t.count && !tokens_are(&t, at, "BEGIN")) { /* declarations */
        at++;
    }
    for (; at < t.count; at++) {
        if (!opens(&t, at)) {
            continue;
        }
        size_t first = at + 1, end = statement_end(&t, first);
        if (tokens_are(&t, first, "RETURN QUERY")) {
            first += 2;
        }
        if (tokens_are(&t, first, "PERFORM")) {
            const char *rest = tokens_text(ctx, &t, first + 1, end);
            text_addf(statements, "SELECT %s\n;\n", rest ? rest : "");
        } else if (tokens_are(&t, first, "EXECUTE")) {
            size_t stop = extract_find(&t, first, end, "USING");
            size_t into = extract_find(&t, first, end, "INTO");
            const char *text = tokens_text(ctx, &t, first + 1, stop < into ? stop : into);
            sql_texts_add(ctx, executed, text ? text : "");
        } else if (is_statement(&t, first)) {
            select_add(statements, &t, first, end);
        }
    }
}
