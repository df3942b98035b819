#include "controller/terminal/plan_text.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/check/discharge.h"
#include "controller/plan/approvals.h"
#include "controller/terminal/near.h"

/* --- choosing -------------------------------------------------------------------------------- */

static bool no_service(const struct plan *plan, const char *service, struct error *err)
{
    SCOPE(tmp);
    struct step_texts names = { 0 };
    for (int p = 0; p < PHASE_COUNT; p++)
        for (size_t i = 0; i < plan->phases[p].count; i++)
            near_add(tmp, &names, plan->phases[p].parts[i]->service);
    fail(err, ERROR_NOT_FOUND, "the plan has no part for service %s", service);
    return near_hint(err, service, &names);
}

static bool none_chosen(const struct plan *plan, const struct plan_choice *choice,
                        struct error *err)
{
    SCOPE(tmp);
    struct text t = text_init(tmp, TEXT_LINE);
    for (int p = 0; p < PHASE_COUNT; p++)
        for (size_t i = 0; i < plan->phases[p].count; i++)
            if (!choice->service || text_eq(choice->service, plan->phases[p].parts[i]->service))
                text_addf(&t, "%s%s of %s", t.len ? ", " : "", phase_name((enum phase)p),
                          plan->phases[p].parts[i]->service);
    if (choice->service && !t.len)
        return no_service(plan, choice->service, err);
    fail(err, ERROR_NOT_FOUND, "the plan has no part in %s%s%s",
         phase_name((enum phase)choice->phase), choice->service ? " for service " : "",
         choice->service ? choice->service : "");
    return fail_hint(err, "it has: %s", t.len ? t.data : "nothing to do");
}

bool plan_choose(const void *ctx, const struct plan *plan, const struct plan_choice *choice,
                 struct part ***out, size_t *count, struct error *err)
{
    struct part **list = NULL;
    size_t n = 0;
    for (int p = 0; p < PHASE_COUNT; p++) {
        if (choice->phase >= 0 && choice->phase != p)
            continue;
        for (size_t i = 0; i < plan->phases[p].count; i++) {
            struct part *part = plan->phases[p].parts[i];
            if (choice->service && !text_eq(choice->service, part->service))
                continue;
            list = mem_room(ctx, list, struct part *, n + 1);
            list[n++] = part;
        }
    }
    if (n == 0 && (choice->service || choice->phase >= 0))
        return none_chosen(plan, choice, err);
    *out = list;
    *count = n;
    return true;
}

/* --- printing -------------------------------------------------------------------------------- */

/* Text of several lines, each made printable (tabs as spaces) and indented. */
static void print_lines(FILE *to, int indent, const char *s)
{
    while (*s) {
        SCOPE(tmp);
        size_t n = strcspn(s, "\n");
        struct text line = text_init(tmp, TEXT_SQL);
        for (size_t i = 0; i < n; i++) {
            if (s[i] == '\t')
                text_add(&line, "    ");
            else
                text_addc(&line, s[i]);
        }
        fprintf(to, "%*s%s\n", n ? indent : 0, "", text_printable(tmp, line.data));
        s += n + (s[n] == '\n');
    }
}

static void print_field(FILE *to, const char *name, const char *value)
{
    SCOPE(tmp);
    if (!text_empty(value))
        fprintf(to, "      %-12s %s\n", name, text_printable(tmp, value));
}

static void print_statements(FILE *to, const char *name, const struct step_texts *list)
{
    if (list->count == 0)
        return;
    fprintf(to, "      %s\n", name);
    for (size_t i = 0; i < list->count; i++) {
        SCOPE(tmp);
        const char *end = text_ends(list->items[i], ";") ? "" : ";";
        print_lines(to, 10, mem_printf(tmp, "%s%s", list->items[i], end));
    }
}

static const char *joined(const void *ctx, const struct step_texts *list)
{
    struct text t = text_init(ctx, TEXT_LINE);
    for (size_t i = 0; i < list->count; i++)
        text_addf(&t, "%s%s", i ? ", " : "", list->items[i]);
    return t.data;
}

void plan_text_head(FILE *to, const struct plan *plan)
{
    SCOPE(tmp);
    fprintf(to, "%s\n", text_printable(tmp, plan->title));
    fprintf(to, "plan %s, by %s, fleet %s, %s\n%s\n", text_printable(tmp, plan->id),
            text_printable(tmp, plan->author), text_printable(tmp, plan->fleet),
            text_printable(tmp, plan->environment), plan->digest);
    for (size_t i = 0; i < plan->finding_count; i++) {
        const struct plan_finding *f = &plan->findings[i];
        const char *where = f->step ? f->step : f->service ? f->service : "plan";
        fprintf(to, "%s %s: %s: %s\n", f->severity, f->rule, text_printable(tmp, where),
                text_printable(tmp, f->message));
        if (f->hint)
            fprintf(to, "  hint: %s\n", text_printable(tmp, f->hint));
    }
    if (plan_is_empty(plan))
        fputs("nothing to do: the catalogs are as wished\n", to);
}

static void print_part_head(FILE *to, const struct part *part, const char *path)
{
    SCOPE(tmp);
    fprintf(to, "\n%s of %s  on %s\n", phase_name(part->phase), text_printable(tmp, part->service),
            text_printable(tmp, joined(tmp, &part->instances)));
    fprintf(to, "  digest     %s\n", part->digest);
    fprintf(to, "  approvals  %d from %s", part->approvals_need,
            text_printable(tmp, joined(tmp, &part->approvals_from)));
    struct approval *files = NULL;
    size_t count = path ? plan_approvals_of(tmp, path, part, &files) : 0;
    for (size_t i = 0; i < count; i++)
        fprintf(to, "%s%s", i ? ", " : "; signature files of ",
                text_printable(tmp, files[i].signer));
    fputc('\n', to);
    for (size_t i = 0; i < part->after_count; i++)
        fprintf(to, "  after      %s: %s\n", text_printable(tmp, part->after[i].service),
                text_printable(tmp, part->after[i].reason));
}

static const char *locks_text(const void *ctx, const struct step *step)
{
    struct text t = text_init(ctx, TEXT_LINE);
    for (size_t i = 0; i < step->lock_count; i++)
        text_addf(&t, "%s%s on %s", i ? ", " : "", step->locks[i].mode, step->locks[i].relation);
    return t.data;
}

static void print_kind(FILE *to, const struct step *step)
{
    SCOPE(tmp);
    if (step->kind == STEP_BACKFILL)
        fprintf(to, "      batches      of %s by %s %s\n",
                text_printable(tmp, step->batch.relation), step->batch.by,
                text_printable(tmp, joined(tmp, &step->batch.columns)));
    if (step->kind == STEP_SNAPSHOT)
        fprintf(
            to, "      snapshot     of %s: %s (key %s)\n", text_printable(tmp, step->snapshot.of),
            step->snapshot.columns.count ? text_printable(tmp, joined(tmp, &step->snapshot.columns))
                                         : "all columns",
            text_printable(tmp, joined(tmp, &step->snapshot.key)));
    if (step->wait_ms)
        fprintf(to, "      waits        %s\n", text_duration(tmp, step->wait_ms));
    print_field(to, "from", step->from);
    for (size_t i = 0; i < step->snapshot.columns.count; i++) {
        const struct step_snapshot *s = &step->snapshot;
        if (i < s->current.count && !text_empty(s->current.items[i]))
            print_field(to, "unchanged if", s->current.items[i]);
        if (i < s->inverse.count && !text_empty(s->inverse.items[i]))
            print_field(to, "else back by", s->inverse.items[i]);
    }
}

static void print_estimate(FILE *to, const struct step *step)
{
    SCOPE(tmp);
    if (!step->estimate.confidence || (!step->estimate.rows && !step->estimate.ms))
        return;
    fprintf(to, "      %-12s %s rows, %s (%s)\n", "estimate", text_count(tmp, step->estimate.rows),
            text_duration(tmp, step->estimate.ms), step->estimate.confidence);
}

/* "missing-lock-timeout (wait), rename-column (exchange)" */
const char *plan_discharges(const void *ctx, const struct plan *plan, const char *step, bool back)
{
    struct text t = text_init(ctx, TEXT_SQL);
    for (size_t i = 0; i < plan->discharged_count; i++) {
        const struct plan_discharge *d = &plan->discharged[i];
        if (d->back == back && text_eq(d->step, step))
            text_addf(&t, "%s%s (%s)", t.len ? ", " : "", d->rule, d->by);
    }
    return t.data;
}

static void print_findings(FILE *to, const struct plan *plan, const struct step *step)
{
    SCOPE(tmp);
    for (size_t i = 0; i < plan->finding_count; i++) {
        const struct plan_finding *f = &plan->findings[i];
        if (text_eq(f->step, step->id))
            print_field(to, f->severity, mem_printf(tmp, "%s: %s", f->rule, f->message));
    }
}

static void print_discharged(FILE *to, const struct plan *plan, const struct step *step)
{
    for (size_t i = 0; i < plan->discharged_count; i++) {
        SCOPE(tmp);
        const struct plan_discharge *d = &plan->discharged[i];
        if (!text_eq(d->step, step->id))
            continue;
        const struct discharge *why = discharge_named(d->rule, d->by);
        fprintf(to, "        %s%s, by %s%s%s\n", d->back ? "way back: " : "",
                text_printable(tmp, d->rule), text_printable(tmp, d->by), d->proof ? ": " : "",
                d->proof ? text_printable(tmp, d->proof) : "");
        if (why)
            fprintf(to, "          %s\n", why->why);
    }
}

static void print_rules(FILE *to, const struct plan_view *view, const struct step *step)
{
    SCOPE(tmp);
    print_findings(to, view->plan, step);
    print_field(to, "rules met", plan_discharges(tmp, view->plan, step->id, false));
    print_field(to, "on way back", plan_discharges(tmp, view->plan, step->id, true));
    if (view->rules)
        print_discharged(to, view->plan, step);
}

static void print_step(FILE *to, const struct plan_view *view, const struct step *step)
{
    SCOPE(tmp);
    fprintf(to, "\n    %s  %s\n", step->id, text_printable(tmp, step->what ? step->what : ""));
    fprintf(to, "      %-12s %s%s%s\n", "kind", step_kind_name(step->kind),
            step->transaction ? ", in one transaction" : "",
            step->rewrite     ? ", rewrites the table"
            : step->full_scan ? ", reads the whole table"
                              : "");
    print_field(to, "tags", step_tags_text(tmp, step->tags));
    print_field(to, "why", step->why);
    print_field(to, "locks", locks_text(tmp, step));
    print_estimate(to, step);
    for (size_t i = 0; i < step->risks.count; i++)
        print_field(to, "risk", step->risks.items[i]);
    print_kind(to, step);
    print_field(to, "check", step->check);
    print_field(to, "done if", step->probe);
    print_statements(to, "up", &step->up);
    print_statements(to, "down", &step->down);
    print_field(to, "no way back", step->irreversible);
    print_rules(to, view, step);
}

void plan_text_part(FILE *to, const struct plan_view *view, const struct part *part)
{
    SCOPE(tmp);
    print_part_head(to, part, view->path);
    if (part->health_sql)
        fprintf(to, "  health     %s\n", text_printable(tmp, part->health_sql));
    for (size_t i = 0; i < part->object_count; i++)
        fprintf(to, "  object     %s  %s\n", text_printable(tmp, part->objects[i].object),
                part->objects[i].fingerprint);
    for (size_t i = 0; i < part->step_count; i++)
        print_step(to, view, &part->steps[i]);
}

void plan_text_brief(FILE *to, const struct plan_view *view, const struct part *part)
{
    print_part_head(to, part, view->path);
    for (size_t i = 0; i < part->step_count; i++) {
        SCOPE(tmp);
        const struct step *step = &part->steps[i];
        fprintf(to, "    %-24s %s  [%s]\n", step->id,
                text_printable(tmp, step->what ? step->what : step_kind_name(step->kind)),
                step_tags_text(tmp, step->tags));
        const char *met = plan_discharges(tmp, view->plan, step->id, false);
        if (*met)
            fprintf(to, "    %-24s   met: %s\n", "", text_printable(tmp, met));
    }
}
