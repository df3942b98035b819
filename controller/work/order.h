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

#endif
