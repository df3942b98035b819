/* Evidence that lies in how the step is carried out. What the agent does is in agents/agent:
 * locks.c (waits), sweep.c (batches), apply_alone.c (leftovers). */
#include <string.h>
#include <strings.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/check/checking.h"
#include "controller/judge/known_block.h"
#include "controller/sql/token.h"

enum { BUDGET_MS = 200 };

/* --- waits ----------------------------------------------------------------------------------- */

/* Statements that run alone have no lock_timeout: a build waits for old snapshots by design. */
static bool is_bounded(const struct checking *c)
{
    const struct step *step = checked_step(c);
    return step->kind == STEP_STATEMENT && step->transaction && !c->sets_timeouts;
}

enum answer evidence_wait(struct checking *c, const char *rule, const struct statement *s,
                          const char **said)
{
    (void)rule;
    (void)s;
    (void)said;
    return is_bounded(c) ? ANSWER_YES : ANSWER_NO;
}

enum answer evidence_budget(struct checking *c, const char *rule, const struct statement *s,
                            const char **said)
{
    int64_t budget = c->options->lock_budget_ms ? c->options->lock_budget_ms : BUDGET_MS;
    (void)rule;
    (void)s;
    if (!is_bounded(c) || c->hold_ms < 0 || c->hold_ms > budget) {
        return ANSWER_NO;
    }
    *said = mem_printf(c->ctx, "estimated %s of %s", text_duration(c->ctx, c->hold_ms),
                       text_duration(c->ctx, budget));
    return ANSWER_YES;
}

/* --- kinds of steps -------------------------------------------------------------------------- */

/* What the agent takes for a sweep: anything else of a backfill runs as it stands. */
enum answer evidence_batches(struct checking *c, const char *rule, const struct statement *s,
                             const char **said)
{
    const struct step *step = checked_step(c);
    const struct step_texts *list = c->back ? &step->down : &step->up;
    (void)rule;
    (void)said;
    return step->kind == STEP_BACKFILL && list->count == 1 && s->kind == SQL_STMT_UPDATE &&
                   step->batch.relation && strncasecmp(list->items[0], "UPDATE", 6) == 0
               ? ANSWER_YES
               : ANSWER_NO;
}

enum answer evidence_concurrent(struct checking *c, const char *rule, const struct statement *s,
                                const char **said)
{
    bool creates = text_eq(rule, "index-create-blocking");
    bool mine = creates ? s->kind == SQL_STMT_CREATE_INDEX
                        : s->kind == SQL_STMT_DROP && s->object == SQL_OBJECT_INDEX;
    bool concurrently = creates ? mine && s->create_index->concurrently : s->concurrently;
    (void)said;
    if (!mine) {
        return ANSWER_NOT_MINE;
    }
    return concurrently && checked_step(c)->kind == STEP_CONCURRENTLY ? ANSWER_YES : ANSWER_NO;
}

enum answer evidence_leftover(struct checking *c, const char *rule, const struct statement *s,
                              const char **said)
{
    (void)rule;
    (void)said;
    if (s->kind != SQL_STMT_CREATE_INDEX) {
        return ANSWER_NOT_MINE;
    }
    for (size_t i = 0; i < c->other->count; i++) {
        const struct statement *o = &c->other->statements[i];
        if (checked_step(c)->kind == STEP_CONCURRENTLY && o->kind == SQL_STMT_DROP &&
            o->object == SQL_OBJECT_INDEX && text_eq(o->name.name, s->create_index->name)) {
            return ANSWER_YES;
        }
    }
    return ANSWER_NO;
}

/* --- blocks ---------------------------------------------------------------------------------- */

enum answer evidence_read(struct checking *c, const char *rule, const struct statement *s,
                          const char **said)
{
    (void)c;
    (void)rule;
    (void)said;
    bool whole = s->kind == SQL_STMT_DO && s->body->script && !s->body->opaque &&
                 s->body->dynamic.count == 0 && !s->body->commits;
    for (size_t i = 0; whole && i < s->body->script->count; i++) {
        whole = s->body->script->statements[i].kind != SQL_STMT_UNPARSED;
    }
    return whole ? ANSWER_YES : ANSWER_NO;
}

enum answer evidence_known(struct checking *c, const char *rule, const struct statement *s,
                           const char **said)
{
    (void)c;
    (void)rule;
    *said = s->kind == SQL_STMT_DO ? known_block(s->body->text) : NULL;
    return *said ? ANSWER_YES : ANSWER_NO;
}
