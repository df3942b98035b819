#include <string.h>

#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/cli/agent.h"
#include "controller/desk/place.h"

static const char *needed_by(const struct plan *plan, const struct targets *targets)
{
    for (size_t i = 0; i < targets->count; i++)
        for (int phase = 0; phase < PHASE_COUNT; phase++)
            if (plan_part(plan, (enum phase)phase, targets->items[i]->service))
                return targets->items[i]->service;
    return NULL;
}

static bool not_needed(const struct store_rollout *row, const struct targets *targets,
                       struct error *err)
{
    SCOPE(tmp);
    struct plan *plan = NULL;
    if (!text_eq(row->environment, targets->environment))
        return true;
    if (!plan_parse(tmp, row->plan_path, row->plan_text, strlen(row->plan_text), &plan, NULL, err))
        return fail_in(err, "rollout %s", row->id);
    const char *service = needed_by(plan, targets);
    if (!service)
        return true;
    fail(err, ERROR_BUSY, "rollout %s (%s) has not ended and needs the journal of %s", row->id,
         row->title, service);
    return fail_hint(err, "finish it or `flotilla rollback %s` first; --service cleans another one",
                     row->id);
}

bool agent_clean_allowed(const void *ctx, const struct agent_options *options,
                         const struct targets *targets, json_t **args, struct error *err)
{
    SCOPE(tmp);
    struct place place = { 0 };
    struct store_rollout *rows = NULL;
    size_t count = 0;
    json_t *given_up = json_array();
    *args = json_own(ctx, json_pack("{s:o}", "given_up", given_up));
    if (!options->flags.state && !file_exists(place_state(tmp, &options->flags)))
        return true;
    if (!place_store(tmp, &options->flags, &place, err) ||
        !store_list(tmp, place.store, false, &rows, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].active && !not_needed(&rows[i], targets, err))
            return false;
        if (text_eq(rows[i].status, rollout_status_name(ROLLOUT_GIVEN_UP)))
            json_array_append_new(given_up, json_string(rows[i].id));
    }
    return true;
}
