#include "controller/cli/place.h"

#include <stdio.h>
#include <string.h>

#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

static bool printed(const char *problems)
{
    if (!text_empty(problems))
        fputs(problems, stderr);
    return !text_empty(problems);
}

bool place_fleet(const void *ctx, const struct flags *flags, const char *wanted,
                 struct place *place, struct error *err)
{
    const char *problems = NULL;
    place->flags = flags;
    if (!fleet_load(ctx, flags->manifest, &place->fleet, &problems, err)) {
        if (printed(problems))
            return fail(err, ERROR_INVALID, "%s cannot be used as it is", flags->manifest);
        return false;
    }
    if (wanted && flags->env && !text_eq(wanted, flags->env))
        return fail(err, ERROR_USAGE, "the plan is for %s, not for %s", wanted, flags->env);
    return fleet_environment(place->fleet, wanted ? wanted : flags->env, &place->environment, err);
}

const char *place_state(const void *ctx, const struct flags *flags)
{
    return flags->state ? flags->state
                        : mem_printf(ctx, "%s/.flotilla", file_folder(ctx, flags->manifest));
}

bool place_store(const void *ctx, const struct flags *flags, struct place *place, struct error *err)
{
    place->flags = flags;
    return store_open(ctx, place_state(ctx, flags), &place->store, err);
}

bool place_plan(const void *ctx, const char *path, struct plan **out, struct error *err)
{
    const char *problems = NULL;
    if (plan_load(ctx, path, out, &problems, err))
        return true;
    if (printed(problems) && err->code == ERROR_INVALID)
        return fail(err, ERROR_INVALID, "%s cannot be used as it is", path);
    return false;
}

static bool pick_row(const void *ctx, struct place *place, const char *id, struct error *err)
{
    struct store_rollout *rows = NULL;
    size_t count = 0;
    if (id)
        return store_find(ctx, place->store, id, &place->row, err);
    if (!store_list(ctx, place->store, true, &rows, &count, err))
        return false;
    if (count > 1) {
        struct text t = text_init(ctx, TEXT_LINE);
        for (size_t i = 0; i < count; i++)
            text_addf(&t, "%s%s (%s)", i ? ", " : "", rows[i].id, rows[i].title);
        return fail(err, ERROR_USAGE, "several rollouts have not ended; name one: %s", t.data);
    }
    if (count == 0 && !store_list(ctx, place->store, false, &rows, &count, err))
        return false;
    place->row = count ? &rows[0] : NULL;
    return true;
}

bool place_rollout(const void *ctx, struct place *place, const char *id, struct error *err)
{
    if (!pick_row(ctx, place, id, err))
        return false;
    if (!place->row) {
        fail(err, ERROR_NOT_FOUND, id ? "there is no rollout %s here" : "there is no rollout here",
             id);
        return fail_hint(err, "`flotilla start PLAN` begins one; --state names another state");
    }
    const char *text = place->row->plan_text;
    if (plan_parse(ctx, place->row->plan_path, text, strlen(text), &place->plan, NULL, err) &&
        rollout_from_json(ctx, place->plan, place->row->doc, &place->rollout, err))
        return true;
    fail_in(err, "the state is damaged: rollout %s", place->row->id);
    return fail_hint(err, "move its folder away; `flotilla recover PLAN` then rebuilds the state "
                          "from the journals in the databases");
}
