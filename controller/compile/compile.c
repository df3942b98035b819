#include "controller/compile/compile.h"

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/compile/parts.h"
#include "controller/ddl/ddl.h"
#include "controller/family/families.h"
#include "controller/work/round_trip.h"

static bool start(struct work *work, struct error *err)
{
    const struct compile_input *input = work->input;
    work->states = mem_array(work->ctx, struct state, input->catalog_count);
    for (size_t i = 0; i < input->catalog_count; i++) {
        const struct service_catalog *source = &input->catalogs[i];
        if (!source->catalog) {
            return fail(err, ERROR_INVALID, "service %s has no catalog", source->service);
        }
        struct catalog *copy = catalog_copy(work->ctx, source->catalog);
        catalog_round_trip(work->ctx, copy);
        work->states[i] = (struct state){ .service = source->service,
                                          .before = source->catalog,
                                          .catalog = copy };
    }
    work->state_count = input->catalog_count;
    return true;
}

bool compile(const void *ctx, const struct compile_input *input, struct compiled **out,
             struct error *err)
{
    struct work work = { .ctx = ctx, .input = input, .result = mem_new(ctx, struct compiled) };
    struct intents *taken = mem_new(ctx, struct intents);
    *taken = (struct intents){ .title = input->intents->title,
                               .author = input->intents->author,
                               .note = input->intents->note };
    work.result->intents = work.result->taken = taken;
    if (!start(&work, err)) {
        return false;
    }
    for (size_t i = 0; i < input->intents->count; i++) {
        const struct intent *it = &input->intents->items[i];
        if (it->exact && it->operation == INTENT_SQL) {
            compile_ddl(&work, it);
        } else {
            work_take(&work, it);
        }
    }
    if (work.result->refusals == 0) {
        parts_join(&work);
    }
    *out = work.result;
    return true;
}
