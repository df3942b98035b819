/* Steps of a plan: their statements through the judge. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"
#include "controller/judge/judge.h"

static enum lock_mode mode_of(const char *name)
{
    enum lock_mode mode = LOCK_ACCESS_EXCLUSIVE;
    while (mode > LOCK_NONE && !text_eq(lock_mode_name(mode), name)) {
        mode--;
    }
    return mode;
}

static void lock_add(const void *ctx, struct step *step, const struct verdict_lock *lock)
{
    const char *relation = object_name_join(ctx, lock->schema, lock->name);
    for (size_t i = 0; i < step->lock_count; i++) {
        if (text_eq(step->locks[i].relation, relation)) {
            if (lock->mode > mode_of(step->locks[i].mode)) {
                step->locks[i].mode = lock_mode_name(lock->mode);
            }
            return;
        }
    }
    step->locks = mem_room(ctx, step->locks, struct step_lock, step->lock_count + 1);
    step->locks[step->lock_count++] = (struct step_lock){
        .relation = relation,
        .mode = lock_mode_name(lock->mode),
    };
}

static void verdict_join(const void *ctx, struct step *step, const struct verdict *v)
{
    for (size_t i = 0; i < v->lock_count; i++) {
        if (!v->locks[i].fresh) {
            lock_add(ctx, step, &v->locks[i]);
        }
    }
    step->rewrite = step->rewrite || v->rewrite;
    step->full_scan = step->full_scan || v->full_scan;
    step->tags |= v->tags;
    struct step_estimate *e = &step->estimate;
    e->rows = v->rows > e->rows ? v->rows : e->rows;
    e->ms += v->ms > 0 ? v->ms : 0;
    if (v->unknown) {
        step_texts_add(ctx, &step->risks, v->unknown);
    }
    if (v->waits) {
        step_texts_add(ctx, &step->risks, v->waits);
    }
}

bool step_judge(const void *ctx, struct judge *judge, struct step *step, struct error *err)
{
    step->locks = NULL;
    step->lock_count = 0;
    step->rewrite = step->full_scan = false;
    step->estimate = (struct step_estimate){ .confidence = "guessed" };
    for (size_t i = 0; i < step->up.count; i++) {
        struct script *script;
        if (!sql_parse(ctx, step->up.items[i], strlen(step->up.items[i]), &script, err)) {
            return fail_in(err, "step %s", step->id ? step->id : "");
        }
        for (size_t k = 0; k < script->count; k++) {
            const struct statement *s = &script->statements[k];
            struct verdict *v;
            if (!statement_judge(ctx, judge, s, &v, err)) {
                return false;
            }
            if (s->problem && !v->known_there) {
                fail(err, ERROR_INVALID, "step %s: line %d: %s", step->id ? step->id : "",
                     s->problem->line, s->problem->message);
                return fail_hint(err, "mend the statement: %.200s", s->sql);
            }
            verdict_join(ctx, step, v);
        }
    }
    if ((step->tags & ~(unsigned)TAG_NEUTRAL) != 0) { /* neutral says: nothing else */
        step->tags &= ~(unsigned)TAG_NEUTRAL;
    }
    return true;
}
