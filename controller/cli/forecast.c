#include "controller/cli/forecast.h"

#include "agents/base/mem.h"
#include "agents/base/text.h"

/* Putting a column back costs about 18 times its snapshot (measured: docs, engine). */
enum { RESTORE_FACTOR = 18, BYTES_A_ROW_SNAPSHOT = 20, BYTES_A_ROW_TABLE = 110 };

static bool strong(const struct step *step)
{
    for (size_t i = 0; i < step->lock_count; i++)
        if (text_eq(step->locks[i].mode, "ACCESS EXCLUSIVE") ||
            text_eq(step->locks[i].mode, "SHARE ROW EXCLUSIVE") ||
            text_eq(step->locks[i].mode, "EXCLUSIVE"))
            return true;
    return false;
}

static void print_step(FILE *to, const struct step *step, bool back)
{
    SCOPE(tmp);
    int64_t ms = step->estimate.ms;
    if (back && step->kind == STEP_SNAPSHOT)
        ms *= RESTORE_FACTOR;
    fprintf(to, "      %-24s %s", step->id, text_printable(tmp, step->what ? step->what : ""));
    fprintf(to, "  [%s", step_tags_text(tmp, step->tags));
    if (strong(step))
        fputs("; strong lock within the budget", to);
    if (step->estimate.rows > 0)
        fprintf(to, "; %s rows", text_count(tmp, step->estimate.rows));
    if (ms > 0)
        fprintf(to, "; about %s", text_duration(tmp, ms));
    fputs("]\n", to);
}

struct sums {
    size_t steps;
    int64_t ms, snapshot_rows, backfill_rows;
};

static void add_step(struct sums *sums, const struct step *step, bool back)
{
    sums->steps++;
    sums->ms += back && step->kind == STEP_SNAPSHOT ? step->estimate.ms * RESTORE_FACTOR
                                                    : step->estimate.ms;
    if (step->kind == STEP_SNAPSHOT)
        sums->snapshot_rows += step->estimate.rows;
    if (step->kind == STEP_BACKFILL || (back && step->kind == STEP_SNAPSHOT))
        sums->backfill_rows += step->estimate.rows;
}

static void print_sums(FILE *to, const struct sums *sums, const char *first)
{
    SCOPE(tmp);
    fprintf(to, "%s %zu steps, about %s one after the other", first, sums->steps,
            text_duration(tmp, sums->ms));
    fprintf(to, "; disk: about %s of snapshots",
            text_bytes(tmp, sums->snapshot_rows * BYTES_A_ROW_SNAPSHOT));
    fprintf(to, ", up to %s of table growth until vacuum\n",
            text_bytes(tmp, sums->backfill_rows * BYTES_A_ROW_TABLE));
}

static void print_part(FILE *to, const struct part *part, struct sums *sums)
{
    fprintf(to, "    %s", part->service);
    for (size_t i = 0; i < part->after_count; i++)
        fprintf(to, "%s%s (%s)", i ? ", " : "  after ", part->after[i].service,
                part->after[i].reason);
    fprintf(to, "  needs %d signature%s from", part->approvals_need,
            part->approvals_need == 1 ? "" : "s");
    for (size_t i = 0; i < part->approvals_from.count; i++)
        fprintf(to, "%s %s", i ? " or" : "", part->approvals_from.items[i]);
    fputc('\n', to);
    for (size_t k = 0; k < part->step_count; k++) {
        print_step(to, &part->steps[k], false);
        add_step(sums, &part->steps[k], false);
    }
}

void forecast_forward(FILE *to, const struct plan *plan)
{
    struct sums sums = { 0 };
    fprintf(to, "%s: this is what `flotilla start` would do; nothing was done\n", plan->title);
    for (int phase = 0; phase < PHASE_COUNT; phase++) {
        if (plan->phases[phase].count == 0)
            continue;
        fprintf(to, "  %s%s\n", phase_name((enum phase)phase),
                phase == PHASE_CONTRACT ? "  (waits for acknowledgements and promote)" : "");
        for (size_t i = 0; i < plan->phases[phase].count; i++)
            print_part(to, plan->phases[phase].parts[i], &sums);
    }
    print_sums(to, &sums, "in all:");
}

static void print_part_back(FILE *to, const struct task *task, struct sums *sums)
{
    const struct part *part = task->part;
    fprintf(to, "    %s on %s\n", part->service, task->instance);
    for (size_t k = part->step_count; k-- > 0;) {
        const struct step *step = &part->steps[k];
        if (step->irreversible)
            fprintf(to, "      %-24s CANNOT BE UNDONE: %s\n", step->id, step->irreversible);
        else if (step->down.count || step->kind == STEP_SNAPSHOT)
            print_step(to, step, true);
        add_step(sums, step, true);
    }
}

void forecast_back(FILE *to, const struct place *place, int back_to)
{
    struct sums sums = { 0 };
    fprintf(to, "%s: this is what `flotilla rollback` would undo; nothing was done\n",
            place->plan->title);
    for (int phase = PHASE_COUNT - 1; phase > back_to; phase--) {
        fprintf(to, "  %s\n", phase_name((enum phase)phase));
        for (size_t i = place->rollout->task_count; i-- > 0;) {
            const struct task *task = &place->rollout->tasks[i];
            if ((int)task->phase == phase && task->started && task->status != TASK_UNDONE)
                print_part_back(to, task, &sums);
        }
    }
    print_sums(to, &sums, "in all:");
}
