#include "controller/desk/signing.h"

#include <string.h>

#include "agents/base/clock.h"
#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

static bool may_approve(const struct signing *s, const struct part *part)
{
    SCOPE(tmp);
    const struct service *service = fleet_service(s->place.fleet, part->service);
    const char *const *people = NULL;
    size_t n = service ? service_approvers(tmp, s->place.fleet, service, &people) : 0;
    for (size_t i = 0; i < n; i++)
        if (text_eq(people[i], s->who))
            return true;
    return false;
}

static bool not_theirs(const struct signing *s, struct error *err)
{
    SCOPE(tmp);
    struct text names = text_init(tmp, TEXT_LINE);
    for (size_t i = 0; i < s->count; i++) {
        const struct service *service = fleet_service(s->place.fleet, s->parts[i]->service);
        const char *const *people = NULL;
        size_t n = service ? service_approvers(tmp, s->place.fleet, service, &people) : 0;
        for (size_t k = 0; k < n; k++)
            if (!strstr(names.data, people[k]))
                text_addf(&names, "%s%s", names.len ? ", " : "", people[k]);
    }
    fail(err, ERROR_REFUSED, "%s may not approve any of these parts", s->who);
    return fail_hint(err, "their owners are: %s; names are those of %s",
                     names.len ? names.data : "nobody", s->place.fleet->path);
}

/* Drops what is not theirs; all of it when they named the service themselves is an error. */
static bool keep_theirs(struct signing *s, struct error *err)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++)
        kept += may_approve(s, s->parts[i]);
    if (kept == 0)
        return not_theirs(s, err);
    kept = 0;
    for (size_t i = 0; i < s->count; i++)
        if (may_approve(s, s->parts[i]))
            s->parts[kept++] = s->parts[i];
    s->count = kept;
    return true;
}

static bool same_fleet(const struct signing *s, struct error *err)
{
    const struct plan *plan = s->place.plan;
    if (text_eq(plan->fleet, s->place.fleet->name))
        return true;
    fail(err, ERROR_REFUSED, "the plan is for the fleet %s, %s is %s", plan->fleet,
         s->place.fleet->path, s->place.fleet->name);
    return fail_hint(err, "name the right manifest with --manifest");
}

error_t signing_option(struct signing *s, int key, char *arg, struct argp_state *state)
{
    switch (key) {
    case SIGNING_AS: s->who = arg; return 0;
    case SIGNING_PHASE: s->choice.phase = usage_phase("--phase", arg, state); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

bool signing_begin(const void *ctx, const struct flags *flags, struct signing *s, struct error *err)
{
    struct place *place = &s->place;
    bool default_manifest = text_eq(flags->manifest, "fleet.yaml");
    if (!place_plan(ctx, s->path, &place->plan, err))
        return false;
    if (text_eq(place->plan->fleet, "-"))
        return fail(err, ERROR_REFUSED,
                    "the plan was drafted without a manifest: it cannot be started, and so needs "
                    "no approval");
    if (plan_is_empty(place->plan))
        return fail(err, ERROR_REFUSED, "the plan has nothing to do, and nothing to approve");
    if (!plan_choose(ctx, place->plan, &s->choice, &s->parts, &s->count, err))
        return false;
    if (default_manifest && !file_exists(flags->manifest))
        return true;
    return place_fleet(ctx, flags, place->plan->environment, place, err) && same_fleet(s, err) &&
           (!s->who || keep_theirs(s, err)) && place_store(ctx, flags, place, err);
}

bool signing_word(const void *ctx, const struct signing *signing, const struct part *part,
                  struct store_word *out, struct error *err)
{
    const char *digest = NULL;
    if (!part_digest(ctx, part, &digest, err))
        return false;
    *out = (struct store_word){
        .plan = part->plan,
        .phase = phase_name(part->phase),
        .service = part->service,
        .digest = digest,
        .who = signing->who,
        .time_ms = clock_wall_ms(),
    };
    return true;
}
