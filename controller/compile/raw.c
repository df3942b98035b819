/*
 * sql: statements as they were written, in the phase that was asked for.
 */
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/compile/families.h"

bool compile_sql(struct work *work)
{
    const struct intent *it = work->intent;
    enum phase phase = PHASE_EXPAND;
    if (it->phase && !phase_from_name(it->phase, &phase)) {
        return work_refuse(work, "expand, migrate or contract", "there is no phase %s", it->phase);
    }
    if (!it->transaction && it->up.count > 1) {
        return work_refuse(work, "write one intent for each statement",
                           "transaction: false takes one statement, here are %zu", it->up.count);
    }
    struct step *step = work_step(work, work->home, phase, "Run SQL as written",
                                  it->note ? it->note : "The change says so word for word");
    for (size_t i = 0; i < work->settings.count && it->exact && it->transaction; i++) {
        step_up(work, step, "%s", work->settings.items[i]);
    }
    for (size_t i = 0; i < it->up.count; i++) {
        step_up(work, step, "%s", it->up.items[i]);
    }
    for (size_t i = 0; i < it->down.count; i++) {
        step_down(work, step, "%s", it->down.items[i]);
    }
    work->all_late = work->all_late || (work->last == PHASE_CONTRACT && it->exact);
    step->transaction = it->transaction;
    step->tags = 0;
    if (!it->down.count) {
        step->irreversible = mem_text(work->ctx, it->irreversible);
        step->tags = TAG_DESTRUCTIVE;
    }
    return true;
}
