/*
 * A plan for people: as text on a terminal and as Markdown for a pull request. Whatever the plan
 * holds is made printable: no escape in it reaches the terminal.
 */
#ifndef CONTROLLER_TERMINAL_PLAN_TEXT_H
#define CONTROLLER_TERMINAL_PLAN_TEXT_H

#include <stdio.h>

#include "controller/plan/plan.h"

/* What of a plan is shown or signed; null and -1: all. */
struct plan_choice {
    int phase; /* enum phase, or -1 */
    const char *service;
};

/* The parts that are chosen, in the plan's order; the array is owned by ctx. Fails when there is
 * none, saying what the plan has. */
bool plan_choose(const void *ctx, const struct plan *plan, const struct plan_choice *choice,
                 struct part ***out, size_t *count, struct error *err) MUSTCHECK;

/* Title, id, fleet, author, digest, findings. */
void plan_text_head(FILE *to, const struct plan *plan);
struct plan_view {
    const struct plan *plan;
    const char *path; /* of the plan file, where signatures are looked for; may be null */
    bool rules;       /* what discharges each rule, in sentences */
};

/* A part in full: everything that its signature covers, and why. */
void plan_text_part(FILE *to, const struct plan_view *view, const struct part *part);
/* A part with one line a step, and one for the rules that it meets. */
void plan_text_brief(FILE *to, const struct plan_view *view, const struct part *part);

/* "missing-lock-timeout (wait), …" of a step on the one way or the other; "" for none. */
const char *plan_discharges(const void *ctx, const struct plan *plan, const char *step, bool back);

/* The whole as Markdown. */
void plan_markdown(FILE *to, const struct plan *plan, struct part *const *parts, size_t count);

#endif
