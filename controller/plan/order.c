#include <stdlib.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/plan/private.h"

/* The parts of a phase by service name, and which of them have their place already. */
struct ordering {
    struct part **sorted;
    size_t count;
    bool *placed;
};

static int by_service(const void *a, const void *b)
{
    return text_cmp((*(struct part *const *)a)->service, (*(struct part *const *)b)->service);
}

/* The place of a service in the sorted list, or `count`. */
static size_t find(const struct ordering *o, const char *service)
{
    const struct part wanted = { .service = service };
    const struct part *key = &wanted;
    struct part **found =
        o->count ? bsearch(&key, o->sorted, o->count, sizeof(*o->sorted), by_service) : NULL;
    return found ? (size_t)(found - o->sorted) : o->count;
}

static bool names_known(const struct ordering *o, struct error *err)
{
    for (size_t i = 0; i < o->count; i++) {
        const struct part *part = o->sorted[i];
        if (i > 0 && text_eq(o->sorted[i - 1]->service, part->service))
            return fail(err, ERROR_INVALID, "%s has two parts for service %s",
                        phase_name(part->phase), part->service);
        for (size_t k = 0; k < part->after_count; k++)
            if (find(o, part->after[k].service) == o->count)
                return fail(err, ERROR_INVALID,
                            "%s of %s comes after %s, which has no part in that phase",
                            phase_name(part->phase), part->service, part->after[k].service);
    }
    return true;
}

/* What the part still waits for, or `count`. */
static size_t waits_for(const struct ordering *o, size_t part)
{
    for (size_t k = 0; k < o->sorted[part]->after_count; k++) {
        size_t other = find(o, o->sorted[part]->after[k].service);
        if (!o->placed[other])
            return other;
    }
    return o->count;
}

/* Walks what waits for what from a part that can never start: after as many steps as there are
 * parts the walk is inside of a circle, and once around names it. */
static bool circle(const struct ordering *o, size_t from, struct error *err)
{
    SCOPE(tmp);
    for (size_t i = 0; i < o->count; i++)
        from = waits_for(o, from);
    struct text path = text_init(tmp, TEXT_LINE);
    size_t at = from;
    do {
        text_addf(&path, "%s after ", o->sorted[at]->service);
        at = waits_for(o, at);
    } while (at != from);
    return fail(err, ERROR_INVALID, "the parts of %s wait for each other in a circle: %s%s",
                phase_name(o->sorted[from]->phase), path.data, o->sorted[from]->service);
}

/* The first by name that waits for nothing. */
static bool next_place(const struct ordering *o, size_t *next, struct error *err)
{
    size_t stuck = o->count;
    for (size_t i = 0; i < o->count; i++) {
        if (o->placed[i])
            continue;
        if (waits_for(o, i) == o->count) {
            *next = i;
            return true;
        }
        stuck = i;
    }
    return circle(o, stuck, err);
}

static bool arrange(struct plan_phase *phase, const void *ctx, struct error *err)
{
    SCOPE(tmp);
    struct ordering o = { phase->parts, phase->count, mem_array(tmp, bool, phase->count) };
    if (o.count > 1)
        qsort(o.sorted, o.count, sizeof(*o.sorted), by_service);
    if (!names_known(&o, err))
        return false;
    struct part **order = mem_array(ctx, struct part *, o.count);
    for (size_t i = 0; i < o.count; i++) {
        size_t next = 0;
        if (!next_place(&o, &next, err))
            return false;
        o.placed[next] = true;
        order[i] = o.sorted[next];
    }
    phase->parts = order;
    return true;
}

bool plan_arrange(struct plan *plan, struct error *err)
{
    for (int p = 0; p < PHASE_COUNT; p++)
        if (!arrange(&plan->phases[p], plan, err))
            return false;
    return true;
}
