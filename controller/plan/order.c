#include "controller/plan/order.h"

#include <stdlib.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"

static int by_service(const void *a, const void *b)
{
    const struct part *const *x = a;
    const struct part *const *y = b;
    return text_cmp((*x)->service, (*y)->service);
}

static size_t find(const struct plan_phase *phase, const char *service)
{
    size_t i = 0;
    while (i < phase->count && !text_eq(phase->parts[i]->service, service))
        i++;
    return i;
}

static bool references_check(const struct plan_phase *phase, enum phase which, struct error *err)
{
    for (size_t i = 0; i < phase->count; i++)
        for (size_t k = 0; k < phase->parts[i]->after_count; k++)
            if (find(phase, phase->parts[i]->after[k].service) == phase->count)
                return fail(err, ERROR_INVALID, "%s of %s comes after %s, which has no part in it",
                            phase_name(which), phase->parts[i]->service,
                            phase->parts[i]->after[k].service);
    return true;
}

static bool is_free(const struct plan_phase *phase, size_t i, const bool *placed)
{
    const struct part *part = phase->parts[i];
    for (size_t k = 0; k < part->after_count; k++)
        if (!placed[find(phase, part->after[k].service)])
            return false;
    return true;
}

/* What is left when nothing is free leads, from predecessor to predecessor, into a circle. */
static bool circle(const struct plan_phase *phase, const bool *placed, enum phase which,
                   struct error *err)
{
    SCOPE(tmp);
    struct text t = text_init(tmp, TEXT_LINE);
    bool *seen = mem_array(tmp, bool, phase->count);
    size_t at = 0;
    while (placed[at])
        at++;
    while (!seen[at]) {
        seen[at] = true;
        text_addf(&t, "%s -> ", phase->parts[at]->service);
        const struct part *part = phase->parts[at];
        size_t k = 0;
        while (placed[find(phase, part->after[k].service)])
            k++;
        at = find(phase, part->after[k].service);
    }
    fail(err, ERROR_INVALID, "the order of %s runs in a circle: %s%s", phase_name(which), t.data,
         phase->parts[at]->service);
    return fail_hint(err, "look at `flotilla graph` for the edges; split the change in two");
}

bool plan_order(struct plan_phase *phase, enum phase which, struct error *err)
{
    SCOPE(tmp);
    if (phase->count == 0)
        return true;
    qsort(phase->parts, phase->count, sizeof(*phase->parts), by_service);
    if (!references_check(phase, which, err))
        return false;
    struct part **sorted = mem_array(tmp, struct part *, phase->count);
    bool *placed = mem_array(tmp, bool, phase->count);
    for (size_t n = 0; n < phase->count; n++) {
        size_t i = 0;
        while (i < phase->count && (placed[i] || !is_free(phase, i, placed)))
            i++;
        if (i == phase->count)
            return circle(phase, placed, which, err);
        placed[i] = true;
        sorted[n] = phase->parts[i];
    }
    for (size_t i = 0; i < phase->count; i++)
        phase->parts[i] = sorted[i];
    return true;
}
