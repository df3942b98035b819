/* What the grammar here does not know: the server is asked, and the worst is assumed. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/judge/judging.h"
#include "controller/sql/token.h"

static struct syntax_answer asked(struct judging *g, const struct syntax_question *q)
{
    struct syntax_answer answer = { .verdict = SYNTAX_UNSAID };
    const struct judge *j = g->judge;
    if (!j->ask || !j->ask(j->ask_data, q, &answer)) {
        answer.verdict = SYNTAX_UNSAID;
        return answer;
    }
    if (answer.version / 10000 != j->version) { /* it speaks for another version */
        answer.verdict = SYNTAX_UNSAID;
        answer.why = mem_printf(g->ctx, "the server that was asked is PostgreSQL %d",
                                answer.version / 10000);
    }
    return answer;
}

static const char *name_at(const void *ctx, const struct tokens *t, size_t i)
{
    const struct token *k = i < t->count ? &t->items[i] : NULL;
    if (!k || (k->kind != TOKEN_WORD && k->kind != TOKEN_QUOTED)) {
        return NULL;
    }
    return sql_regclass(ctx, mem_textn(ctx, t->text + k->start, k->end - k->start));
}

/* Without a catalog a word behind one of these may be a relation. */
static bool leads_to_name(const struct tokens *t, size_t i)
{
    static const char *const words[] = { "TABLE",  "ONLY", "EXISTS", "ON",   "INTO",
                                         "UPDATE", "FROM", "JOIN",   "VIEW", "INDEX" };
    for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
        if (tokens_are(t, i, words[k])) {
            return true;
        }
    }
    return false;
}

static bool is_keyword(const struct tokens *t, size_t i)
{
    static const char *const words[] = { "IF", "NOT", "EXISTS", "ONLY", "SELECT", "CONCURRENTLY" };
    for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
        if (tokens_are(t, i, words[k])) {
            return true;
        }
    }
    return false;
}

/* Every relation that the text seems to name, in the strongest mode. */
static void names_take(struct judging *g)
{
    struct tokens t = tokens_of(g->ctx, g->s->sql, 0, strlen(g->s->sql));
    bool catalog = world_has_catalog(g->world);
    for (size_t i = 0; i < t.count; i++) {
        const char *first = name_at(g->ctx, &t, i);
        bool dotted = first && tokens_punct(&t, i + 1, '.') && name_at(g->ctx, &t, i + 2);
        struct sql_name name = { dotted ? first : NULL,
                                 dotted ? name_at(g->ctx, &t, i + 2) : first };
        if (!first || (i > 0 && tokens_punct(&t, i - 1, '.'))) {
            continue;
        }
        struct world_table *table = world_find(g->world, name);
        bool likely = i > 0 && leads_to_name(&t, i - 1) && !is_keyword(&t, i);
        if (!table && likely && !catalog) {
            table = world_table(g->world, name);
        }
        lock_take(g, table, LOCK_ACCESS_EXCLUSIVE, "RS");
    }
}

void judge_unparsed(struct judging *g)
{
    const char *problem = g->s->problem ? g->s->problem->message : "";
    struct syntax_answer answer = asked(g, &(struct syntax_question){ .sql = g->s->sql });
    tag_add(g, TAG_UNKNOWN);
    names_take(g);
    g->v->rewrite = g->v->full_scan = true;
    g->v->rows = g->v->ms = -1;
    if (answer.verdict == SYNTAX_KNOWN) {
        g->v->known_there = true;
        not_seen(g, "PostgreSQL %d knows it, but it is too new to be analysed here (%s)",
                 g->judge->version, problem);
        return;
    }
    if (answer.verdict == SYNTAX_REFUSED) {
        will_fail(g, "PostgreSQL %d refuses it: %s", g->judge->version, answer.why);
    }
    g->v->version_ok = false;
    const char *silence = answer.verdict == SYNTAX_UNSAID ? answer.why : NULL;
    not_seen(g, "it does not parse: %s%s%s", problem, silence ? "; " : "", silence ? silence : "");
}

void judge_unread(struct judging *g)
{
    const struct sql_body *body = g->s->body;
    if (g->s->kind != SQL_STMT_DO || !body->text || !text_eq(body->language, "plpgsql")) {
        return;
    }
    struct syntax_answer answer =
        asked(g, &(struct syntax_question){ .sql = body->text, .language = body->language });
    if (answer.verdict == SYNTAX_REFUSED) {
        will_fail(g, "PostgreSQL %d refuses the block: %s", g->judge->version, answer.why);
    }
}
