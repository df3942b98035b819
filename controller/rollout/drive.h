/*
 * What the files of the engine share: one drive = one engine_run(). engine.c turns it: what people
 * ask for and hosts report comes in (observe.c), the rollout advances (advance.c), drive_save()
 * writes it together with the events that waited in `events`, and only then effects go out to the
 * hosts (effects.c).
 */
#ifndef CONTROLLER_ROLLOUT_DRIVE_H
#define CONTROLLER_ROLLOUT_DRIVE_H

#include "controller/rollout/engine.h"
#include "controller/rollout/gate.h"

struct drive {
    struct engine *engine;
    struct rollout *rollout;
    void *ctx;      /* of this drive; freed at its end */
    json_t *events; /* array, not saved yet; owned by ctx */
    bool changed;   /* the rollout differs from what is saved */
    int64_t token;
    int64_t lease_at;    /* monotonic ms of the last renewal */
    int64_t asked_at;    /* monotonic ms of the last repeated control */
    int64_t stopping_at; /* monotonic ms since which it waits for runners to stop; 0: it does not */
    unsigned effects;    /* of transitions, to be carried out after the save */
    size_t *dispatch;    /* tasks to start after the save */
    size_t dispatch_count;
};

/* The world's clocks, in milliseconds. */
int64_t drive_wall(const struct drive *drive);
int64_t drive_mono(const struct drive *drive);

/* Adds an event about the rollout, or about a task when it is not null. fields may be null and is
 * taken over. */
void drive_event(struct drive *drive, const char *event, const struct task *task, json_t *fields);

/* Takes an event through the table. False: refused, *refusal says why (a constant). */
bool drive_transition(struct drive *drive, enum rollout_event event,
                      const char **refusal) MUSTCHECK;

/* The same for what the engine itself observes: the table accepts that wherever it can happen. */
void drive_observe(struct drive *drive, enum rollout_event event);

/* A report of the world: changes the task, adds events. */
void drive_report(struct drive *drive, const struct report *report);

/* Every task that still runs has failed for this reason, as far as we are concerned. */
void drive_fail_running(struct drive *drive, const struct error *why);

/* Takes what people asked for. */
bool drive_controls(struct drive *drive, struct error *err) MUSTCHECK;

/* Does what is next: opens a phase or waits at its gate, plans tasks, ends. */
bool drive_advance(struct drive *drive, struct error *err) MUSTCHECK;

/* After the save: starts the planned tasks; asks runners what transitions want of them. */
bool drive_dispatch(struct drive *drive, struct error *err) MUSTCHECK;
void drive_carry_out(struct drive *drive);

/* Writes rollout and events, then tells the observer. Does nothing when nothing changed. */
bool drive_save(struct drive *drive, struct error *err) MUSTCHECK;

#endif
