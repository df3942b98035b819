/*
 * SQL as written that destroys something: the draft is refused unless all of it is named and kept
 * aside before, or the intent says in words that it may be lost (`accept_loss` and a note). Who
 * signs sees either the snapshot or the reason.
 */
#ifndef CONTROLLER_DESK_DRAFT_LOSS_H
#define CONTROLLER_DESK_DRAFT_LOSS_H

#include "controller/desk/catalogs.h"
#include "controller/work/compiled.h"

/* After draft_judge(). Adds a refusal for each statement whose loss nobody keeps or accepts. */
bool draft_loss(const void *ctx, const struct catalogs *catalogs, struct compiled *compiled,
                struct error *err) MUSTCHECK;

#endif
