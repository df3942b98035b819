/*
 * The mailbox between session threads and the engine: owned reports, many senders, one receiver.
 */
#ifndef CONTROLLER_ROLLOUT_MAILBOX_H
#define CONTROLLER_ROLLOUT_MAILBOX_H

#include "controller/rollout/world.h"

struct mailbox;

struct mailbox *mailbox_new(const void *ctx);

/* A report with no owner, for a sender to fill. body is taken over (may be null). */
struct report *report_new(enum report_kind kind, size_t task, int attempt, json_t *body);

/* Hands the report (a top-level talloc object) over. Any thread. */
void mailbox_send(struct mailbox *mailbox, struct report *report);

/* True once few enough reports wait for another one to be sent; false when that took longer than
 * timeout_ms. For senders of what a host may send without end: a flood waits on its own host. */
bool mailbox_room(struct mailbox *mailbox, int64_t timeout_ms);

/* The oldest report, now owned by ctx; null when none came within timeout_ms. */
struct report *mailbox_receive(struct mailbox *mailbox, const void *ctx, int64_t timeout_ms);

#endif
