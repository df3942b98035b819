/*
 * The lock budget while a step is at work: how long its strong locks on users' tables have lasted,
 * whatever the step says of itself.
 *
 * A step that says that it takes strong locks is bounded by the server (see locks.h), which holds
 * even when this process is stopped. This is for what nobody foresaw: a trigger that locks, a
 * statement outside of a transaction, a lock that no list names. The second session looks at what
 * the first one holds or asks for; a step that may take long and takes no strong lock is left
 * alone.
 */
#ifndef AGENTS_AGENT_BUDGET_H
#define AGENTS_AGENT_BUDGET_H

#include "agents/agent/work.h"

enum budget_end { BUDGET_KEPT, BUDGET_HELD, BUDGET_WAITED };

struct budget {
    struct work *work;
    int64_t looked_ms;  /* monotonic, like the others */
    int64_t held_ms;    /* since when a strong lock is seen; 0: none is */
    int64_t waiting_ms; /* the same for one that is asked for, behind which others queue */
    bool waited;        /* in this try, for a strong lock */
    bool patient;       /* its waits are not cut: a statement that could not be tried again */
    enum budget_end end;
};

/* A new try: nothing is held. */
void budget_begin(struct budget *budget, struct work *work);

/* To be called in every tick of a watch; it looks when it is time to. False when the statement has
 * to be taken back; budget->end tells why. What cannot be looked at is not judged. */
bool budget_look(struct budget *budget);

/* The named error of a step whose locks would last longer than the budget. */
bool budget_fail(const struct work *work, int tries, struct error *err) MUSTCHECK;

/* Tells that a try was taken back, as an event. */
bool budget_tell(struct work *work, struct error *err) MUSTCHECK;

#endif
