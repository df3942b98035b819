#include "agents/agent/rehearsal.h"

#include "agents/agent/course.h"
#include "agents/agent/work.h"
#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/pg/catalog_read.h"

enum {
    BUDGET_MS = 10000, /* nobody else is there; whoever is (autovacuum) is waited for */
    DEADLINE_MS = 60000,
    BATCH_MS = 1000,
};

/* Soak time is not waited for, acknowledgements are given, health is asked of the real service
 * only. */
static struct part *for_clone(const void *ctx, const struct part *part)
{
    struct part *copy = mem_new(ctx, struct part);
    *copy = *part;
    copy->steps = mem_array(copy, struct step, part->step_count);
    copy->health_sql = NULL;
    for (size_t i = 0; i < part->step_count; i++) {
        copy->steps[i] = part->steps[i];
        copy->steps[i].wait_ms = 0;
    }
    return copy;
}

static void acknowledge_all(struct work *work)
{
    const struct part *part = work->part;
    struct work_ack *acks = mem_array(work, struct work_ack, part->step_count);
    for (size_t i = 0; i < part->step_count; i++)
        if (part->steps[i].kind == STEP_ACKNOWLEDGE)
            acks[work->ack_count++] = (struct work_ack){ part->steps[i].from, "rehearsal" };
    work->acks = acks;
}

static struct work *work_of(const void *ctx, struct rehearsal *r, const struct part *part,
                            bool back)
{
    struct work *work = mem_new(ctx, struct work);
    work->db = r->db;
    work->watch = r->watch;
    work->part = for_clone(work, part);
    work->run = r->run;
    work->rollout = "rehearsal";
    work->instance = r->database->serves.instance;
    work->database = r->database->name;
    work->fence = 1;
    work->back = back;
    work->rehearsal = true;
    work->spool = r->spool;
    work->limits = (struct work_limits){
        .lock_budget_ms = BUDGET_MS,
        .step_deadline_ms = DEADLINE_MS,
        .batch_ms = BATCH_MS,
        .lag_ms = INT64_MAX,
        .lag_bytes = INT64_MAX,
        .snapshots =
            mem_printf(work, "%s/snapshots", spool_run_path(work, r->config->spool, r->run)),
        .scratch = NULL,
    };
    acknowledge_all(work);
    return work;
}

/* --- the plays -------------------------------------------------------------------------------- */

static void tell(struct rehearsal *r, const struct part *part, const char *direction)
{
    if (r->reply)
        reply_event(r->reply, json_pack("{s:s, s:s, s:s, s:s}", "event", "rehearsing", "service",
                                        part->service, "phase", phase_name(part->phase),
                                        "direction", direction));
}

static bool play_part(struct rehearsal *r, const struct part *part, bool back, struct error *err)
{
    SCOPE(tmp);
    struct work *work = work_of(tmp, r, part, back);
    tell(r, part, back ? "back" : "forward");
    if (back ? course_back(work, err) : course_forward(work, err))
        return true;
    return fail_in(err, back ? "on the way back" : "forward");
}

static bool play_all(struct rehearsal *r, bool back, struct error *err)
{
    for (size_t i = 0; i < r->part_count; i++)
        if (!play_part(r, r->parts[back ? r->part_count - 1 - i : i], back, err))
            return false;
    return true;
}

static bool has_way_back(const struct rehearsal *r)
{
    for (size_t p = 0; p < r->part_count; p++)
        for (size_t i = 0; i < r->parts[p]->step_count; i++)
            if (r->parts[p]->steps[i].irreversible)
                return false;
    return true;
}

static void add_lines(json_t *list, const char *what, const struct catalog_texts *lines)
{
    SCOPE(tmp);
    for (size_t i = 0; i < lines->count; i++)
        json_array_append_new(list, json_string(mem_printf(tmp, "%s: %s", what, lines->items[i])));
}

static bool compare(struct rehearsal *r, const struct catalog *before, const char *what,
                    json_t *differences, struct error *err)
{
    SCOPE(tmp);
    struct catalog *now = NULL;
    if (!catalog_read(tmp, r->watch, &now, err))
        return false;
    struct catalog_texts lines = catalog_diff(tmp, before, now);
    add_lines(differences, what, &lines);
    return true;
}

static bool up_down_up(struct rehearsal *r, json_t *differences, struct error *err)
{
    struct catalog *start = NULL;
    struct catalog *up = NULL;
    return catalog_read(r, r->watch, &start, err) && play_all(r, false, err) &&
           catalog_read(r, r->watch, &up, err) &&
           (!has_way_back(r) ||
            (play_all(r, true, err) && compare(r, start, "after the way back", differences, err) &&
             play_all(r, false, err) &&
             compare(r, up, "after the second way forward", differences, err)));
}

/* --- what was seen ---------------------------------------------------------------------------- */

static json_t *find_step(json_t *steps, const char *id)
{
    size_t i;
    json_t *item;
    json_array_foreach(steps, i, item) {
        if (text_eq(json_text_of(item, "id"), id))
            return item;
    }
    item = json_object();
    json_set_text(item, "id", id);
    json_set_bool(item, "ok", false);
    json_array_append_new(steps, item);
    return item;
}

/* The first way forward is what a real one will be like. */
static void take_event(json_t *steps, const json_t *event)
{
    const char *name = json_text_of(event, "event");
    const char *id = json_text_of(event, "step");
    const json_t *measured = json_object_get(event, "measured");
    if (!id)
        return;
    if (text_eq(name, "step_failed")) {
        json_t *step = find_step(steps, id);
        json_set_bool(step, "ok", false);
        json_object_set(step, "error", json_object_get(event, "error"));
    }
    if (text_eq(name, "step_undone") && measured)
        json_object_set(find_step(steps, id), "back_ms", json_object_get(measured, "ms"));
    if (!text_eq(name, "step_done") || json_true_of(find_step(steps, id), "ok"))
        return;
    json_t *step = find_step(steps, id);
    json_set_bool(step, "ok", true);
    json_set_int(step, "ms", json_int_of(measured, "ms"));
    json_object_set(step, "locks", json_object_get(measured, "locks"));
    if (!json_object_get(step, "locks"))
        json_object_set_new(step, "locks", json_array());
    json_set_int(step, "hold_ms", json_int_of(measured, "hold_ms"));
    json_set_int(step, "rows", json_int_of(measured, "rows"));
    json_set_bool(step, "rewrite", json_true_of(measured, "rewrite"));
}

static bool seen(struct rehearsal *r, json_t *steps, struct error *err)
{
    struct spool_reader *reader = NULL;
    if (!spool_reader_open(r, r->config->spool, r->run, 0, &reader, err))
        return false;
    for (;;) {
        SCOPE(tmp);
        json_t *event = NULL;
        if (!spool_next(reader, tmp, &event, err))
            return false;
        if (!event)
            return true;
        take_event(steps, event);
    }
}

bool rehearsal_is_misfit(const char *sqlstate)
{
    return text_starts(sqlstate, "22") || text_starts(sqlstate, "23");
}

/* All went well on the clone, and would not there. */
static json_t *rights_error(const struct rehearsal *r)
{
    SCOPE(tmp);
    const json_t *first = json_array_get(r->missing, 0);
    const char *said =
        mem_printf(tmp, "database %s: role %s %s (step %s)%s", r->database->name, r->role,
                   json_text_of(first, "message"), json_text_of(first, "step"),
                   json_array_size(r->missing) > 1 ? ", and more" : "");
    return json_pack("{s:s, s:s, s:s}", "code", error_code_name(ERROR_RIGHTS), "message", said,
                     "hint", json_text_of(first, "fix"));
}

bool rehearsal_play(struct rehearsal *r, json_t **result, struct error *why, struct error *err)
{
    SCOPE(tmp);
    *why = (struct error){ 0 };
    json_t *steps = json_own(tmp, json_array());
    json_t *differences = json_own(tmp, json_array());
    bool through = up_down_up(r, differences, why);
    if (!seen(r, steps, err))
        return false;
    json_t *o = json_object();
    json_object_set(o, "steps", steps);
    json_set_bool(o, "equal", through && json_array_size(differences) == 0);
    json_set_bool(o, "way_back", has_way_back(r));
    json_object_set(o, "differences", differences);
    json_object_set_new(o, "notes", json_from_texts(r->notes.items, r->notes.count));
    json_set_int(o, "ms", clock_mono_ms() - r->began_ms);
    if (r->missing)
        json_object_set(o, "rights", r->missing);
    if (through && json_array_size(r->missing) > 0)
        json_object_set_new(o, "error", rights_error(r));
    if (!through)
        json_object_set_new(o, "error",
                            json_pack("{s:s, s:s, s:s}", "code", error_code_name(why->code),
                                      "message", why->message, "hint", why->hint));
    *result = o;
    return true;
}
