#include <stdarg.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/work/work.h"

static struct bench *bench_of(struct work *work, const struct state *state, enum phase phase)
{
    for (size_t i = 0; i < work->bench_count; i++) {
        if (work->benches[i].phase == phase && text_eq(work->benches[i].service, state->service)) {
            return &work->benches[i];
        }
    }
    work->benches = mem_room(work->ctx, work->benches, struct bench, work->bench_count + 1);
    struct bench *bench = &work->benches[work->bench_count++];
    *bench = (struct bench){ .phase = phase, .service = state->service };
    return bench;
}

struct step *work_step(struct work *work, const struct state *state, enum phase phase,
                       const char *what, const char *why)
{
    phase = phase > work->floor ? phase : work->floor;
    work->last = phase > work->last ? phase : work->last;
    struct bench *bench = bench_of(work, state, phase);
    struct step *step = mem_new(work->ctx, struct step);
    bench->steps = mem_room(work->ctx, bench->steps, struct step *, bench->step_count + 1);
    bench->steps[bench->step_count++] = step;
    *step = (struct step){
        .what = mem_text(work->ctx, what),
        .why = mem_text(work->ctx, why),
        .intent = work->number,
        .kind = STEP_STATEMENT,
        .transaction = true,
        .tags = TAG_ADDITIVE,
        .estimate = { .ms = 5, .confidence = "guessed" },
    };
    return step;
}

size_t work_steps(struct work *work, const struct state *state, enum phase phase,
                  struct step ***out)
{
    struct bench *bench = bench_of(work, state, phase);
    *out = bench->steps;
    return bench->step_count;
}

static const char *formatted(const struct work *work, const char *fmt, va_list ap)
{
    struct text t = text_init(work->ctx, TEXT_SQL);
    text_addv(&t, fmt, ap);
    return t.data;
}

void step_up(const struct work *work, struct step *step, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    step_texts_add(work->ctx, &step->up, formatted(work, fmt, ap));
    va_end(ap);
}

void step_down(const struct work *work, struct step *step, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    step_texts_add(work->ctx, &step->down, formatted(work, fmt, ap));
    va_end(ap);
}

void step_up_nothing(const struct work *work, struct step *step, const char *why)
{
    step_up(work, step, "SELECT %s", literal(work, say(work, "nothing to do: %s", why)));
}

void step_down_nothing(const struct work *work, struct step *step, const char *why)
{
    step_down(work, step, "SELECT %s", literal(work, say(work, "nothing to undo: %s", why)));
}

void step_lock(const struct work *work, struct step *step, const struct relation *relation,
               const char *mode)
{
    const char *key = relation_key(work, relation);
    for (size_t i = 0; i < step->lock_count; i++) {
        if (text_eq(step->locks[i].relation, key)) {
            return;
        }
    }
    step->locks = mem_room(work->ctx, step->locks, struct step_lock, step->lock_count + 1);
    step->locks[step->lock_count++] = (struct step_lock){ key, mode };
}

void step_probe(const struct work *work, struct step *step, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    step->probe = formatted(work, fmt, ap);
    va_end(ap);
}

void step_risk(const struct work *work, struct step *step, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    step_texts_add(work->ctx, &step->risks, formatted(work, fmt, ap));
    va_end(ap);
}

void step_estimate(struct step *step, const struct relation *relation, int64_t rows_per_second)
{
    int64_t rows = relation->rows > 0 ? relation->rows : 0;
    step->estimate = (struct step_estimate){
        .rows = rows,
        .ms = 5 + rows * 1000 / rows_per_second,
        .confidence = "guessed",
    };
}

void work_touch(struct work *work, const struct state *state, const char *object)
{
    for (size_t i = 0; i < work->bench_count; i++) {
        struct bench *bench = &work->benches[i];
        bool there = !text_eq(bench->service, state->service);
        for (size_t k = 0; k < bench->touched_count && !there; k++) {
            there = text_eq(bench->touched[k], object);
        }
        if (!there) {
            bench->touched =
                mem_room(work->ctx, bench->touched, const char *, bench->touched_count + 1);
            bench->touched[bench->touched_count++] = mem_text(work->ctx, object);
        }
    }
}

void work_after(struct work *work, const struct state *state, enum phase phase,
                const struct state *first, const char *reason)
{
    struct bench *bench = bench_of(work, state, phase);
    for (size_t i = 0; i < bench->after_count; i++) {
        if (text_eq(bench->after[i].service, first->service)) {
            return;
        }
    }
    bench->after = mem_room(work->ctx, bench->after, struct part_after, bench->after_count + 1);
    bench->after[bench->after_count++] =
        (struct part_after){ first->service, mem_text(work->ctx, reason) };
}

/* --- probes --------------------------------------------------------------------------------- */

static const char *regclass(const struct work *work, const char *quoted)
{
    return say(work, "pg_catalog.to_regclass(%s)", literal(work, quoted));
}

const char *probe_column(const struct work *work, const struct relation *relation,
                         const char *column)
{
    return say(work,
               "EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = %s AND attname = %s "
               "AND NOT attisdropped)",
               regclass(work, relation_sql(work, relation)), literal(work, column));
}

const char *probe_constraint(const struct work *work, const struct relation *relation,
                             const char *name, bool validated)
{
    return say(work,
               "EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = %s AND conname = "
               "%s%s)",
               regclass(work, relation_sql(work, relation)), literal(work, name),
               validated ? " AND convalidated" : "");
}

const char *probe_index(const struct work *work, const char *schema, const char *name)
{
    return say(work,
               "EXISTS (SELECT FROM pg_catalog.pg_index WHERE indexrelid = %s AND indisvalid)",
               regclass(work, name_sql(work, schema, name)));
}

const char *probe_trigger(const struct work *work, const struct relation *relation,
                          const char *name)
{
    return say(work,
               "EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = %s AND tgname = %s AND "
               "tgenabled IN ('O', 'A'))",
               regclass(work, relation_sql(work, relation)), literal(work, name));
}
