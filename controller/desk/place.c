#include "controller/desk/place.h"

#include <stdio.h>
#include <string.h>

#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/desk/document.h"
#include "controller/desk/plan_recheck.h"

const struct argument rollout_argument[] = {
    { "ROLLOUT", offsetof(struct rollout_options, rollout), NULL },
    { 0 },
};

bool place_fleet(const void *ctx, const struct flags *flags, const char *wanted,
                 struct place *place, struct error *err)
{
    place->flags = flags;
    if (!document_manifest(ctx, flags->manifest, &place->fleet, err))
        return false;
    if (wanted && flags->env && !text_eq(wanted, flags->env)) {
        fail(err, ERROR_USAGE, "the plan is for %s, not for %s", wanted, flags->env);
        return fail_hint(err, "leave --env out: a plan knows its environment");
    }
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
    const char *folder = place_state(ctx, flags);
    if (strstr(folder, "://")) {
        fail(err, ERROR_UNSUPPORTED, "--state %s: this version keeps its state in a folder",
             folder);
        return fail_hint(err,
                         "write --state DIR, or leave it out for .flotilla beside the manifest");
    }
    return store_open(ctx, folder, &place->store, err);
}

bool place_plan(const void *ctx, const char *path, struct plan **out, struct error *err)
{
    const char *problems = NULL;
    if (!file_exists(path)) {
        fail(err, ERROR_NOT_FOUND, "there is no plan %s: No such file or directory", path);
        return fail_hint(err, "`flotilla draft CHANGE.yaml -o %s` makes one", path);
    }
    if (!document_expect(path, DOCUMENT_PLAN, err))
        return false;
    if (plan_load(ctx, path, out, &problems, err))
        return true;
    if (text_empty(problems) || err->code != ERROR_INVALID)
        return false;
    fputs(problems, stderr);
    fail(err, ERROR_INVALID, "%s cannot be used as it is", path);
    return fail_hint(err, "draft it again; a plan is not written by hand");
}

bool place_plan_checked(const void *ctx, const char *path, struct plan **out, struct error *err)
{
    return place_plan(ctx, path, out, err) && place_plan_recheck(ctx, path, *out, err);
}

bool place_plan_recheck(const void *ctx, const char *path, const struct plan *plan,
                        struct error *err)
{
    const char *problems = "";
    if (plan_recheck(ctx, plan, &problems, err))
        return true;
    fputs(problems, stderr);
    return fail_in(err, "%s", path);
}

static bool named_row(const void *ctx, struct place *place, const char *id, struct error *err)
{
    const char *env = place->flags->env;
    if (!store_find(ctx, place->store, id, &place->row, err))
        return false;
    if (!place->row || !env || text_eq(place->row->environment, env))
        return true;
    fail(err, ERROR_USAGE, "rollout %s is in %s, not in %s", place->row->id,
         place->row->environment, env);
    return fail_hint(err, "leave --env out: a rollout knows its environment");
}

/* Those of --env, or all. */
static bool rows_of(const void *ctx, struct place *place, bool active, struct store_rollout **out,
                    size_t *count, struct error *err)
{
    size_t all = 0;
    if (!store_list(ctx, place->store, active, out, &all, err))
        return false;
    *count = 0;
    for (size_t i = 0; i < all; i++)
        if (!place->flags->env || text_eq((*out)[i].environment, place->flags->env))
            (*out)[(*count)++] = (*out)[i];
    return true;
}

static bool pick_row(const void *ctx, struct place *place, const char *id, struct error *err)
{
    struct store_rollout *rows = NULL;
    size_t count = 0;
    if (id)
        return named_row(ctx, place, id, err);
    if (!rows_of(ctx, place, true, &rows, &count, err))
        return false;
    if (count > 1) {
        struct text t = text_init(ctx, TEXT_LINE);
        for (size_t i = 0; i < count; i++)
            text_addf(&t, "%s%s (%s, %s)", i ? ", " : "", rows[i].id, rows[i].title,
                      rows[i].environment);
        fail(err, ERROR_USAGE, "several rollouts have not ended: %s", t.data);
        return fail_hint(err, "name the one that is meant");
    }
    if (count == 0 && !rows_of(ctx, place, false, &rows, &count, err))
        return false;
    place->row = count ? &rows[0] : NULL;
    return true;
}

bool place_rollout(const void *ctx, struct place *place, const char *id, struct error *err)
{
    if (!pick_row(ctx, place, id, err))
        return false;
    if (!place->row) {
        const char *env = place->flags->env;
        fail(err, ERROR_NOT_FOUND, "there is no rollout%s%s here%s%s", id ? " " : "", id ? id : "",
             env ? " in " : "", env ? env : "");
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

bool place_active(const void *ctx, struct place *place, struct store_rollout **out, size_t *count,
                  struct error *err)
{
    return rows_of(ctx, place, true, out, count, err);
}

/* Who only looks leaves no empty state behind. */
static bool there_is_state(const void *ctx, const struct flags *flags, struct error *err)
{
    const char *folder = place_state(ctx, flags);
    if (strstr(folder, "://") || file_exists(folder))
        return true;
    fail(err, ERROR_NOT_FOUND, "there is no rollout here: no state in %s", folder);
    return fail_hint(err, "go to the folder of fleet.yaml, or name it with --manifest or --state");
}

bool place_look(const void *ctx, const struct flags *flags, struct place *place, struct error *err)
{
    return there_is_state(ctx, flags, err) && place_store(ctx, flags, place, err);
}

bool place_open(const void *ctx, const struct flags *flags, const char *id, struct place *place,
                struct error *err)
{
    return place_look(ctx, flags, place, err) && place_rollout(ctx, place, id, err);
}
