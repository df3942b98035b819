#include "controller/desk/forecast.h"

#include <strings.h>

#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/rollout/gate.h"

/* Putting a column back costs about 18 times its snapshot (measured: docs, engine). */
enum { RESTORE_FACTOR = 18, BYTES_A_ROW_SNAPSHOT = 20, BYTES_A_ROW_TABLE = 110 };
/* A change of the catalog alone, an index dropped CONCURRENTLY among them. */
enum { CATALOG_MS = 50, EVENTS = 1000 };

/* --- as data ---------------------------------------------------------------------------------- */

static bool strong(const struct step *step)
{
    for (size_t i = 0; i < step->lock_count; i++)
        if (text_eq(step->locks[i].mode, "ACCESS EXCLUSIVE") ||
            text_eq(step->locks[i].mode, "SHARE ROW EXCLUSIVE") ||
            text_eq(step->locks[i].mode, "EXCLUSIVE"))
            return true;
    return false;
}

/* On the way back the rows of a table are touched by an UPDATE, or put back; else only the catalog
 * changes. */
static bool sweeps_back(const struct step *step)
{
    return step->kind == STEP_SNAPSHOT ||
           (step->down.count > 0 && strncasecmp(step->down.items[0], "UPDATE", 6) == 0);
}

/* `measured`: what steps took on the way there; null on that way. */
static int64_t duration(const struct step *step, const json_t *measured)
{
    if (!measured)
        return step->estimate.ms;
    int64_t ms = step->estimate.ms;
    const json_t *took = json_object_get(measured, step->id);
    if (took)
        ms = json_integer_value(took);
    if (step->kind == STEP_SNAPSHOT)
        return ms * RESTORE_FACTOR;
    return sweeps_back(step) || ms < CATALOG_MS ? ms : CATALOG_MS;
}

struct sums {
    size_t steps;
    int64_t ms, snapshot_rows, backfill_rows;
};

static json_t *step_json(const struct step *step, const json_t *measured, struct sums *sums)
{
    bool back = measured != NULL;
    SCOPE(tmp);
    bool undone = !step->irreversible && (step->down.count || step->kind == STEP_SNAPSHOT);
    json_t *o = json_object();
    json_t *tags = json_array();
    for (unsigned bit = 1; bit <= TAG_UNKNOWN; bit <<= 1)
        if (step->tags & bit)
            json_array_append_new(tags, json_string(step_tags_text(tmp, bit)));
    json_set_text(o, "id", step->id);
    json_set_text(o, "what", step->what ? step->what : "");
    json_set_text(o, "kind", step_kind_name(step->kind));
    json_object_set_new(o, "tags", tags);
    json_set_bool(o, "strong_lock", strong(step));
    json_set_int(o, "rows", step->estimate.rows);
    json_set_int(o, "ms", duration(step, measured));
    if (back)
        json_set_bool(o, "undone", undone);
    json_set_text(o, "irreversible", step->irreversible);
    if (back && !undone)
        return o;
    sums->steps++;
    sums->ms += duration(step, measured);
    if (step->kind == STEP_SNAPSHOT && !back)
        sums->snapshot_rows += step->estimate.rows;
    if (back ? sweeps_back(step) : step->kind == STEP_BACKFILL)
        sums->backfill_rows += step->estimate.rows;
    return o;
}

static json_t *part_json(const struct part *part, const json_t *measured, struct sums *sums)
{
    bool back = measured != NULL;
    json_t *o = json_object(), *steps = json_array(), *after = json_array();
    json_set_text(o, "service", part->service);
    for (size_t i = 0; i < part->after_count; i++)
        json_array_append_new(after, json_pack("{s:s, s:s}", "service", part->after[i].service,
                                               "reason", part->after[i].reason));
    json_object_set_new(o, "after", after);
    json_object_set_new(
        o, "approvals",
        json_pack("{s:i, s:o}", "need", part->approvals_need, "from",
                  json_from_texts(part->approvals_from.items, part->approvals_from.count)));
    for (size_t k = 0; k < part->step_count; k++)
        json_array_append_new(
            steps, step_json(&part->steps[back ? part->step_count - 1 - k : k], measured, sums));
    json_object_set_new(o, "steps", steps);
    return o;
}

static json_t *whole(const struct plan *plan, const char *direction, json_t *phases,
                     const struct sums *sums)
{
    json_t *o = json_object(), *total = json_object();
    json_set_text(o, "plan", plan->id);
    json_set_text(o, "title", plan->title);
    json_set_text(o, "direction", direction);
    json_object_set_new(o, "phases", phases);
    json_set_int(total, "steps", (int64_t)sums->steps);
    json_set_int(total, "ms", sums->ms);
    json_set_int(total, "snapshot_bytes", sums->snapshot_rows * BYTES_A_ROW_SNAPSHOT);
    json_set_int(total, "growth_bytes", sums->backfill_rows * BYTES_A_ROW_TABLE);
    json_object_set_new(o, "total", total);
    return o;
}

static void add_texts(json_t *list, const struct step_texts *texts, const char *before)
{
    SCOPE(tmp);
    for (size_t i = 0; i < texts->count; i++)
        json_array_append_new(list, json_string(mem_printf(tmp, "%s%s", before, texts->items[i])));
}

/* What closes the gate before a phase, as things are now: a sentence each. */
static bool closed_by(const struct gate_source *source, const struct plan *plan, enum phase phase,
                      json_t **out, struct error *err)
{
    SCOPE(tmp);
    struct gate_facts facts;
    const struct rollout none = { .plan = plan };
    if (!gate_look(tmp, source, &none, phase, &facts, err))
        return false;
    *out = json_array();
    add_texts(*out, &facts.unrehearsed, "not rehearsed: ");
    add_texts(*out, &facts.rejected, "");
    add_texts(*out, &facts.unsigned_parts, "");
    add_texts(*out, &facts.unacknowledged, "the word is missing of ");
    if (facts.needs_promote)
        json_array_append_new(*out, json_string("waits for promote"));
    return true;
}

bool forecast_forward(const void *ctx, const struct place *place, const char *path, json_t **out,
                      struct error *err)
{
    SCOPE(tmp);
    struct sums sums = { 0 };
    const struct plan *plan = place->plan;
    const struct gate_source source = { place->fleet, place->store, path, clock_wall_ms() };
    json_t *phases = json_own(tmp, json_array());
    for (int phase = 0; phase < PHASE_COUNT; phase++) {
        json_t *closed = NULL, *parts = json_own(tmp, json_array());
        for (size_t i = 0; i < plan->phases[phase].count; i++)
            json_array_append_new(parts, part_json(plan->phases[phase].parts[i], NULL, &sums));
        if (json_array_size(parts) == 0)
            continue;
        if (!closed_by(&source, plan, (enum phase)phase, &closed, err))
            return false;
        json_array_append_new(phases,
                              json_pack("{s:s, s:o, s:O}", "phase", phase_name((enum phase)phase),
                                        "closed", closed, "parts", parts));
    }
    *out = json_own(ctx, whole(plan, "forward", json_incref(phases), &sums));
    return true;
}

/* How long each step took, as its event says; what is not known is left out. */
static json_t *measured_of(const void *ctx, const struct place *place)
{
    json_t *measured = json_own(ctx, json_object());
    int64_t seen = 0;
    for (bool more = true; more;) {
        SCOPE(tmp);
        struct error ignored;
        json_t *events = NULL;
        if (!store_events(tmp, place->store, place->rollout->id, seen, EVENTS, &events, &ignored))
            break;
        for (size_t i = 0; i < json_array_size(events); i++) {
            const json_t *e = json_array_get(events, i);
            const json_t *m = json_object_get(e, "measured");
            seen = json_int_of(e, "seq");
            if (text_eq(json_text_of(e, "event"), "step_done") && json_text_of(e, "step") && m)
                json_set_int(measured, json_text_of(e, "step"), json_int_of(m, "ms"));
        }
        more = json_array_size(events) == EVENTS;
    }
    return measured;
}

json_t *forecast_back(const void *ctx, const struct place *place, int back_to)
{
    SCOPE(tmp);
    struct sums sums = { 0 };
    const json_t *measured = measured_of(tmp, place);
    json_t *phases = json_array();
    for (int phase = PHASE_COUNT - 1; phase > back_to; phase--) {
        json_t *parts = json_array();
        for (size_t i = place->rollout->task_count; i-- > 0;) {
            const struct task *task = &place->rollout->tasks[i];
            if ((int)task->phase != phase || !task->started || task->status == TASK_UNDONE)
                continue;
            json_t *part = part_json(task->part, measured, &sums);
            json_set_text(part, "instance", task->instance);
            json_array_append_new(parts, part);
        }
        json_array_append_new(phases, json_pack("{s:s, s:o}", "phase",
                                                phase_name((enum phase)phase), "parts", parts));
    }
    return json_own(ctx, whole(place->plan, "back", phases, &sums));
}

/* --- for people ------------------------------------------------------------------------------- */

static const char *said(const void *ctx, const json_t *o, const char *key)
{
    const char *s = json_text_of(o, key);
    return text_printable(ctx, s ? s : "");
}

static const char *tags_text(const void *ctx, const json_t *step)
{
    struct text t = text_init(ctx, TEXT_LINE);
    size_t i;
    json_t *tag;
    json_array_foreach(json_object_get(step, "tags"), i, tag)
        text_addf(&t, "%s%s", i ? ", " : "", json_string_value(tag));
    return t.data;
}

static void print_step(FILE *to, const json_t *step, bool back)
{
    SCOPE(tmp);
    const char *irreversible = json_text_of(step, "irreversible");
    if (back && irreversible)
        fprintf(to, "      %-24s CANNOT BE UNDONE: %s\n", said(tmp, step, "id"),
                text_printable(tmp, irreversible));
    if (back && !json_is_true(json_object_get(step, "undone")))
        return;
    fprintf(to, "      %-24s %s  [%s", said(tmp, step, "id"), said(tmp, step, "what"),
            tags_text(tmp, step));
    if (json_is_true(json_object_get(step, "strong_lock")))
        fputs("; strong lock within the budget", to);
    if (back && text_eq(json_text_of(step, "kind"), step_kind_name(STEP_SNAPSHOT)))
        fputs("; put back from the snapshot", to);
    if (json_int_of(step, "rows") > 0)
        fprintf(to, "; %s rows", text_count(tmp, json_int_of(step, "rows")));
    if (json_int_of(step, "ms") > 0)
        fprintf(to, "; about %s", text_duration(tmp, json_int_of(step, "ms")));
    fputs("]\n", to);
}

static void print_part_head(FILE *to, const json_t *part)
{
    SCOPE(tmp);
    size_t i;
    json_t *item;
    const json_t *approvals = json_object_get(part, "approvals");
    int64_t need = json_int_of(approvals, "need");
    fprintf(to, "    %s", said(tmp, part, "service"));
    json_array_foreach(json_object_get(part, "after"), i, item)
        fprintf(to, "%s%s (%s)", i ? ", " : "  after ", said(tmp, item, "service"),
                said(tmp, item, "reason"));
    fprintf(to, "  %lld signature%s of", (long long)need, need == 1 ? "" : "s");
    json_array_foreach(json_object_get(approvals, "from"), i, item)
        fprintf(to, "%s %s", i ? " or" : "", text_printable(tmp, json_string_value(item)));
    fputc('\n', to);
}

static void print_part(FILE *to, const json_t *part, bool back)
{
    SCOPE(tmp);
    size_t i;
    json_t *step;
    if (back)
        fprintf(to, "    %s on %s\n", said(tmp, part, "service"), said(tmp, part, "instance"));
    else
        print_part_head(to, part);
    json_array_foreach(json_object_get(part, "steps"), i, step)
        print_step(to, step, back);
}

static void print_total(FILE *to, const json_t *total, bool back)
{
    SCOPE(tmp);
    fprintf(to, "in all: %lld steps, about %s one after the other; disk: ",
            (long long)json_int_of(total, "steps"), text_duration(tmp, json_int_of(total, "ms")));
    if (!back)
        fprintf(to, "about %s of snapshots, ",
                text_bytes(tmp, json_int_of(total, "snapshot_bytes")));
    fprintf(to, "up to %s of table growth until vacuum\n",
            text_bytes(tmp, json_int_of(total, "growth_bytes")));
}

/* The gate before it: its state, not only its rule. */
static void print_phase_head(FILE *to, const json_t *phase)
{
    SCOPE(tmp);
    size_t i;
    json_t *reason;
    const json_t *closed = json_object_get(phase, "closed");
    fprintf(to, "  %s%s\n", said(tmp, phase, "phase"),
            closed && !json_array_size(closed) ? "  (its gate is open)" : "");
    json_array_foreach(closed, i, reason)
        fprintf(to, "    gate: %s\n", text_printable(tmp, json_string_value(reason)));
}

static void forecast_print(FILE *to, const json_t *forecast)
{
    SCOPE(tmp);
    size_t i, k;
    json_t *phase, *part;
    bool back = text_eq(json_text_of(forecast, "direction"), "back");
    fprintf(to, "%s: this is what `flotilla %s; nothing was done\n", said(tmp, forecast, "title"),
            back ? "rollback` would undo" : "start` would do");
    json_array_foreach(json_object_get(forecast, "phases"), i, phase) {
        print_phase_head(to, phase);
        json_array_foreach(json_object_get(phase, "parts"), k, part)
            print_part(to, part, back);
    }
    print_total(to, json_object_get(forecast, "total"), back);
}

void forecast_show(const struct flags *flags, const json_t *forecast)
{
    SCOPE(tmp);
    if (flags->format == FORMAT_JSON)
        puts(json_pretty(tmp, forecast));
    else
        forecast_print(stdout, forecast);
}
