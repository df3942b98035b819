#include "controller/rollout/engine.h"

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "controller/rollout/drive.h"

enum {
    LEASE_MS = 6000,       /* a driver that is silent this long has lost its rollout */
    LEASE_RENEW_MS = 1500, /* four tries before it is lost */
    TICK_MS = 200,         /* how soon an ask of another process is seen: promised is 1 s */
};

static bool take_lease(struct drive *d, struct error *err)
{
    SCOPE(tmp);
    struct store *store = d->engine->store;
    const char *id = d->rollout->id;
    struct store_lease lease = { .rollout = id, .holder = d->engine->holder, .token = d->token };
    if (!store_lease_take(tmp, store, &lease, drive_wall(d), LEASE_MS, err))
        return false;
    if (lease.token == 0 && lease_holder_is_dead(lease.other)) {
        if (!store_lease_break(store, id, lease.other, err) ||
            !store_lease_take(tmp, store, &lease, drive_wall(d), LEASE_MS, err))
            return false;
    }
    if (lease.token == 0 && d->token)
        return fail(err, ERROR_FENCED, "rollout %s: process %s took over", id, lease.other);
    if (lease.token == 0) {
        fail(err, ERROR_BUSY, "rollout %s is driven by process %s", id, lease.other);
        return fail_hint(err, "`flotilla watch %s` follows it", id);
    }
    if (d->token && lease.token != d->token)
        return fail(err, ERROR_FENCED, "rollout %s: the lease was lost", id);
    d->token = lease.token;
    d->rollout->token = lease.token;
    d->lease_at = drive_mono(d);
    return true;
}

/* After a restart: what was running is asked for again; agents continue or say how it ended. */
static void continue_running(struct drive *d)
{
    for (size_t i = 0; i < d->rollout->task_count; i++)
        if (d->rollout->tasks[i].status == TASK_RUNNING) {
            d->dispatch = mem_room(d->ctx, d->dispatch, size_t, d->dispatch_count + 1);
            d->dispatch[d->dispatch_count++] = i;
        }
}

static bool has_ended(const struct drive *d)
{
    switch (d->rollout->status) {
    case ROLLOUT_GATE:
    case ROLLOUT_ABORTED:
    case ROLLOUT_FAILED:
    case ROLLOUT_DONE:
    case ROLLOUT_ROLLED_BACK:
    case ROLLOUT_GIVEN_UP: return true;
    case ROLLOUT_PAUSED: return d->engine->leave_when_quiet;
    default: return false;
    }
}

static void take_reports(struct drive *d)
{
    SCOPE(tmp);
    struct world *world = d->engine->world;
    struct report *m = world->receive(world, tmp, TICK_MS);
    /* Bounded, so that a flood of progress cannot keep asks and the lease waiting. */
    for (int i = 0; m && i < 256; i++) {
        drive_report(d, m);
        m = world->receive(world, tmp, 0);
    }
    if (m)
        drive_report(d, m);
}

static bool turn(struct drive *d, struct error *err)
{
    if (drive_mono(d) - d->lease_at > LEASE_RENEW_MS && !take_lease(d, err))
        return false;
    if (!drive_controls(d, err) || !drive_advance(d, err) || !drive_save(d, err) ||
        !drive_dispatch(d, err))
        return false;
    drive_carry_out(d);
    return true;
}

static bool drive_on(struct drive *d, struct error *err)
{
    if (!take_lease(d, err))
        return false;
    continue_running(d);
    for (;;) {
        if (!turn(d, err))
            return false;
        if (has_ended(d) && !d->changed)
            return true;
        if (d->engine->interrupted && *d->engine->interrupted)
            return fail(err, ERROR_CANCELLED, "interrupted; what was started goes on on the hosts");
        take_reports(d);
    }
}

bool engine_run(struct engine *engine, struct error *err)
{
    SCOPE(tmp);
    struct drive d = { .engine = engine, .rollout = engine->rollout, .ctx = tmp };
    d.events = json_own(tmp, json_array());
    bool ok = drive_on(&d, err);
    struct error ignored;
    if (d.token && !store_lease_release(engine->store, engine->rollout->id, d.token, &ignored))
        d.token = 0; /* it runs out by itself */
    return ok;
}
