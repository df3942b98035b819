/*
 * sql: statements as they were written, in the phase that was asked for.
 */
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/family/families.h"
#include "controller/work/owner.h"

/* Names without a schema mean the same to the agent, to psql, and to whoever reads the plan. */
static const char *path_said(const struct work *work)
{
    const struct catalog *catalog = work->home->catalog;
    if (text_eq(catalog_default_schema(work->ctx, catalog), "public")) {
        return NULL;
    }
    struct text path = text_init(work->ctx, TEXT_LINE);
    const char *schema;
    for (const char *rest = catalog->search_path; (schema = catalog_path_next(work->ctx, &rest));) {
        if (!text_eq(schema, "$user")) {
            text_addf(&path, "%s%s", path.len ? ", " : "", ident(work, schema));
        }
    }
    return say(work, "SET LOCAL search_path = %s", path.data);
}

static void statements(struct work *work, struct step *step)
{
    const struct intent *it = work->intent;
    const char *path = it->transaction ? path_said(work) : NULL;
    if (path) {
        step_up(work, step, "%s", path);
    }
    for (size_t i = 0; i < work->settings.count && it->exact && it->transaction; i++) {
        step_up(work, step, "%s", work->settings.items[i]);
    }
    for (size_t i = 0; i < it->up.count; i++) {
        step_up(work, step, "%s", it->up.items[i]);
        const char *owner = it->transaction ? owner_after(work, it->up.items[i]) : NULL;
        if (owner) {
            step_up(work, step, "%s", owner);
        }
    }
    if (path && it->down.count) {
        step_down(work, step, "%s", path);
    }
    for (size_t i = 0; i < it->down.count; i++) {
        step_down(work, step, "%s", it->down.items[i]);
    }
}

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
    if (!it->accept_loss) {
        raw_keep(work, phase);
    }
    struct step *step = work_step(work, work->home, phase, "Run SQL as written",
                                  it->note ? it->note : "The change says so word for word");
    statements(work, step);
    work->all_late = work->all_late || (work->last == PHASE_CONTRACT && it->exact);
    step->transaction = it->transaction;
    if (it->accept_loss) {
        step_risk(work, step, "what it destroys is not kept: %s", it->note);
    }
    step->tags = 0;
    if (!it->down.count) {
        step->irreversible = mem_text(work->ctx, it->irreversible);
        step->tags = TAG_DESTRUCTIVE;
    }
    return true;
}
