#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/terminal/plan_text.h"

/* Prose in Markdown: what would become markup, a link or an image is escaped. */
static const char *prose(const void *ctx, const char *s)
{
    SCOPE(tmp);
    struct text t = text_init(ctx, TEXT_SQL);
    for (const char *p = text_printable(tmp, s ? s : ""); *p; p++) {
        if (strchr("\\`*_[]<>#|!", *p))
            text_addc(&t, '\\');
        text_addc(&t, *p);
    }
    return t.data;
}

/* One statement with its semicolon; tabs as spaces, so that they are not shown as an escape. */
static void print_statement(FILE *to, const char *s)
{
    SCOPE(tmp);
    struct text line = text_init(tmp, TEXT_SQL);
    for (; *s; s++) {
        if (*s == '\t')
            text_add(&line, "    ");
        else if (*s != '\n')
            text_addc(&line, *s);
        if (*s != '\n' && s[1])
            continue;
        fprintf(to, "%s%s\n", text_printable(tmp, line.data),
                s[1] || text_ends(line.data, ";") ? "" : ";");
        line = text_init(tmp, TEXT_SQL);
    }
}

/* A fence that no line of the statements can close. */
static void print_sql(FILE *to, const char *title, const struct step_texts *list)
{
    SCOPE(tmp);
    size_t longest = 2;
    if (list->count == 0)
        return;
    for (size_t i = 0; i < list->count; i++)
        for (const char *p = strchr(list->items[i], '`'); p; p = strchr(p, '`')) {
            size_t n = strspn(p, "`");
            longest = n > longest ? n : longest;
            p += n;
        }
    struct text fence = text_init(tmp, TEXT_SQL);
    for (size_t i = 0; i <= longest; i++)
        text_addc(&fence, '`');
    fprintf(to, "\n%s\n\n%ssql\n", title, fence.data);
    for (size_t i = 0; i < list->count; i++)
        print_statement(to, list->items[i]);
    fprintf(to, "%s\n", fence.data);
}

static void print_step(FILE *to, const struct plan *plan, const struct step *step)
{
    SCOPE(tmp);
    fprintf(to, "\n### %s %s\n\n", prose(tmp, step->id), prose(tmp, step->what));
    fprintf(to, "%s, %s", step_kind_name(step->kind), step_tags_text(tmp, step->tags));
    for (size_t i = 0; i < step->lock_count; i++)
        fprintf(to, ", %s on %s", step->locks[i].mode, prose(tmp, step->locks[i].relation));
    if (step->estimate.rows > 0)
        fprintf(to, ", %s rows", text_count(tmp, step->estimate.rows));
    fputs(step->rewrite ? ", **rewrites the table**\n" : "\n", to);
    if (!text_empty(step->why))
        fprintf(to, "\n%s\n", prose(tmp, step->why));
    for (size_t i = 0; i < step->risks.count; i++)
        fprintf(to, "\n> risk: %s\n", prose(tmp, step->risks.items[i]));
    for (size_t i = 0; i < plan->finding_count; i++)
        if (text_eq(plan->findings[i].step, step->id))
            fprintf(to, "\n> **%s** %s: %s\n", plan->findings[i].severity,
                    prose(tmp, plan->findings[i].rule), prose(tmp, plan->findings[i].message));
    const char *met = plan_discharges(tmp, plan, step->id, false);
    if (*met)
        fprintf(to, "\nrules met: %s\n", prose(tmp, met));
    print_sql(to, "Up:", &step->up);
    print_sql(to, "Down:", &step->down);
    if (step->irreversible)
        fprintf(to, "\n**No way back:** %s\n", prose(tmp, step->irreversible));
}

void plan_markdown(FILE *to, const struct plan *plan, struct part *const *parts, size_t count)
{
    SCOPE(tmp);
    fprintf(to, "# %s\n\nPlan %s by %s, fleet %s, %s  \n`%s`\n", prose(tmp, plan->title),
            prose(tmp, plan->id), prose(tmp, plan->author), prose(tmp, plan->fleet),
            prose(tmp, plan->environment), plan->digest);
    for (size_t i = 0; i < plan->finding_count; i++)
        fprintf(to, "\n- **%s** %s: %s", plan->findings[i].severity,
                prose(tmp, plan->findings[i].rule), prose(tmp, plan->findings[i].message));
    if (plan->finding_count)
        fputc('\n', to);
    for (size_t i = 0; i < count; i++) {
        const struct part *part = parts[i];
        fprintf(to, "\n## %s of %s\n\nneeds %d approval%s; `%s`\n", phase_name(part->phase),
                prose(tmp, part->service), part->approvals_need,
                part->approvals_need == 1 ? "" : "s", part->digest);
        for (size_t k = 0; k < part->after_count; k++)
            fprintf(to, "\nafter %s: %s\n", prose(tmp, part->after[k].service),
                    prose(tmp, part->after[k].reason));
        for (size_t k = 0; k < part->step_count; k++)
            print_step(to, plan, &part->steps[k]);
    }
}
