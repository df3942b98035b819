#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/base/clock.h"
#include "agents/base/file.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/rollout/engine.h"

/* --- who may begin ------------------------------------------------------------------------- */

static const char *shared_object(const struct part *a, const struct part *b)
{
    for (size_t i = 0; text_eq(a->service, b->service) && i < a->object_count; i++)
        for (size_t k = 0; k < b->object_count; k++)
            if (text_eq(a->objects[i].object, b->objects[k].object))
                return a->objects[i].object;
    return NULL;
}

static bool parts_apart(const struct part *a, const struct plan *other, const char *id,
                        struct error *err)
{
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        for (size_t i = 0; i < other->phases[phase].count; i++) {
            const char *object = shared_object(a, other->phases[phase].parts[i]);
            if (!object)
                continue;
            fail(err, ERROR_REFUSED, "rollout %s of \"%s\" is at work on %s of %s", id,
                 other->title, object, a->service);
            return fail_hint(err, "wait for its end, or `flotilla rollback %s`", id);
        }
    return true;
}

static bool plans_apart(const struct plan *a, const struct plan *b, const char *other,
                        struct error *err)
{
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        for (size_t i = 0; i < a->phases[phase].count; i++)
            if (!parts_apart(a->phases[phase].parts[i], b, other, err))
                return false;
    return true;
}

static bool apart_from(const struct plan *plan, const struct store_rollout *row, struct error *err)
{
    SCOPE(tmp);
    struct plan *other = NULL;
    if (!text_eq(row->fleet, plan->fleet) || !text_eq(row->environment, plan->environment))
        return true;
    if (!plan_parse(tmp, row->plan_path, row->plan_text, strlen(row->plan_text), &other, NULL, err))
        return fail_in(err, "rollout %s", row->id);
    return plans_apart(plan, other, row->id, err);
}

bool engine_apart(struct store *store, const struct plan *plan, const char *id, struct error *err)
{
    SCOPE(tmp);
    struct store_rollout *rows = NULL;
    size_t count = 0;
    if (!store_list(tmp, store, true, &rows, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!text_eq(rows[i].id, id) && !apart_from(plan, &rows[i], err))
            return false;
    return true;
}

bool engine_create(const void *ctx, struct store *store, const struct plan *plan,
                   const struct store_rollout *row, struct rollout **out, const char **existing,
                   struct error *err)
{
    SCOPE(tmp);
    struct store_rollout *rows = NULL;
    size_t count = 0;
    *existing = NULL;
    if (!store_list(tmp, store, true, &rows, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (text_eq(rows[i].plan, plan->id)) {
            *existing = mem_text(ctx, rows[i].id);
            return fail(err, ERROR_EXISTS, "rollout %s of this plan has not ended", rows[i].id);
        }
        if (!apart_from(plan, &rows[i], err))
            return false;
    }
    struct rollout *rollout = rollout_new(ctx, plan, row->id);
    struct store_rollout full = *row;
    full.status = rollout_status_name(rollout->status);
    full.active = true;
    full.doc = json_own(tmp, rollout_to_json(rollout));
    json_t *event = json_own(tmp, json_pack("{s:s, s:s, s:s, s:s, s:s}", "event", "rollout_started",
                                            "rollout", row->id, "plan", plan->id, "title",
                                            plan->title, "digest", plan->digest));
    json_set_int(event, "time_ms", row->created_ms);
    json_set_text(event, "time", clock_rfc3339(tmp, row->created_ms));
    if (!store_add(store, &full, &event, 1, err)) {
        talloc_free(rollout);
        return false;
    }
    *out = rollout;
    return true;
}

/* --- who drives ---------------------------------------------------------------------------- */

/* Field 22 of /proc/PID/stat: when the process started, in ticks since boot (proc(5)). Tells a
 * process from a later one with the same number. 0: there is none. */
static long long start_time(long pid)
{
    SCOPE(tmp);
    const char *data = NULL;
    size_t len = 0;
    struct error ignored;
    const char *path = mem_printf(tmp, "/proc/%ld/stat", pid);
    if (!file_read(tmp, path, 4096, &data, &len, &ignored))
        return 0;
    const char *p = strrchr(data, ')');
    for (int field = 2; p && field < 22; field++)
        p = strchr(p + 1, ' ');
    return p ? strtoll(p + 1, NULL, 10) : 0;
}

static void host_name(char *into, size_t size)
{
    if (gethostname(into, size) != 0)
        snprintf(into, size, "localhost");
    into[size - 1] = '\0';
}

const char *lease_holder(const void *ctx)
{
    char host[256];
    long pid = (long)getpid();
    host_name(host, sizeof(host));
    return mem_printf(ctx, "%s:%ld:%lld", host, pid, start_time(pid));
}

bool lease_holder_is_dead(const char *holder)
{
    char host[256];
    host_name(host, sizeof(host));
    size_t n = strlen(host);
    if (!holder || strncmp(holder, host, n) != 0 || holder[n] != ':')
        return false;
    char *end = NULL;
    long pid = strtol(holder + n + 1, &end, 10);
    if (pid <= 0 || *end != ':')
        return false;
    long long started = strtoll(end + 1, NULL, 10);
    return start_time(pid) != started;
}
