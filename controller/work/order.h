/*
 * In which phase an intent may begin. Steps of one phase keep the order of their intents, but a
 * later intent's early step would overtake an earlier one's late step: an intent that is about
 * something which an earlier one is still busy with starts no earlier than that is done.
 */
#ifndef CONTROLLER_WORK_ORDER_H
#define CONTROLLER_WORK_ORDER_H

#include "controller/work/work.h"

/* Sets work->floor for work->intent. */
void order_before(struct work *work);
/* Remembers what the intent has touched, and until when. */
void order_after(struct work *work);
/* The same of what the intent just taken makes, which nobody could know by name before. */
void order_made(struct work *work, const char *name);
/* The statement would run in a later phase than the one that makes `name`. */
bool order_is_later(struct work *work, const char *sql, const char *name);

#endif
