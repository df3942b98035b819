#include "controller/compile/parts.h"

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/compile/compile.h"

static bool has_bench(const struct work *work, enum phase phase, const char *service)
{
    for (size_t i = 0; i < work->bench_count; i++) {
        if (work->benches[i].phase == phase && text_eq(work->benches[i].service, service) &&
            work->benches[i].step_count > 0) {
            return true;
        }
    }
    return false;
}

static int phase_need(const struct fleet_policy *policy, enum phase phase)
{
    switch (phase) {
    case PHASE_EXPAND: return policy->need_expand;
    case PHASE_MIGRATE: return policy->need_migrate;
    case PHASE_CONTRACT: return policy->need_contract;
    case PHASE_COUNT: break;
    }
    return 1;
}

void compile_approvals(const struct fleet *fleet, struct part *part)
{
    const struct service *service = fleet ? fleet_service(fleet, part->service) : NULL;
    part->approvals_need = service ? phase_need(&service->policy, part->phase) : 1;
    if (service && part_is_grave(part) && service->policy.need_destructive > part->approvals_need) {
        part->approvals_need = service->policy.need_destructive;
    }
}

static void fill_from_fleet(const struct work *work, struct part *part)
{
    const struct fleet *fleet = work->input->fleet;
    const struct service *service = fleet ? fleet_service(fleet, part->service) : NULL;
    if (!service) {
        step_texts_add(work->ctx, &part->instances, part->service);
        return;
    }
    const struct instance *const *instances;
    size_t count = service_instances(work->ctx, service, work->input->environment, &instances);
    for (size_t i = 0; i < count; i++) {
        step_texts_add(work->ctx, &part->instances, instances[i]->name);
    }
    for (size_t i = 0; i < service->owner_count; i++) {
        step_texts_add(work->ctx, &part->approvals_from, service->owners[i]);
    }
    part->health_sql = service->health_sql;
}

static void fill_after(const struct work *work, const struct bench *bench, struct part *part)
{
    part->after = mem_array(work->ctx, struct part_after, bench->after_count);
    for (size_t i = 0; i < bench->after_count; i++) {
        if (has_bench(work, bench->phase, bench->after[i].service)) {
            part->after[part->after_count++] = bench->after[i];
        }
    }
}

static void fill_objects(struct work *work, const struct bench *bench, struct part *part)
{
    const struct state *state = work_state(work, bench->service);
    part->objects = mem_array(work->ctx, struct part_object, bench->touched_count);
    for (size_t i = 0; i < bench->touched_count; i++) {
        const char *print = catalog_object_fingerprint(work->ctx, state->before, bench->touched[i]);
        part->objects[part->object_count++] =
            (struct part_object){ bench->touched[i], print ? print : "absent" };
    }
}

static struct part *part_of(struct work *work, const struct bench *bench)
{
    struct part *part = mem_new(work->ctx, struct part);
    part->fleet = work->input->fleet ? work->input->fleet->name : "-";
    part->environment = work->input->environment;
    part->phase = bench->phase;
    part->service = mem_text(work->ctx, bench->service);
    part->steps = mem_array(work->ctx, struct step, bench->step_count);
    part->step_count = bench->step_count;
    for (size_t i = 0; i < bench->step_count; i++) {
        part->steps[i] = *bench->steps[i];
    }
    fill_from_fleet(work, part);
    compile_approvals(work->input->fleet, part);
    fill_after(work, bench, part);
    fill_objects(work, bench, part);
    return part;
}

void parts_join(struct work *work)
{
    struct compiled *result = work->result;
    result->parts = mem_array(work->ctx, struct part *, work->bench_count);
    for (size_t i = 0; i < work->bench_count; i++) {
        if (work->benches[i].step_count > 0) {
            result->parts[result->part_count++] = part_of(work, &work->benches[i]);
        }
    }
}
