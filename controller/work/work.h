/*
 * The compiler's bench, shared by the families: the catalogs as they change under the intents, the
 * steps made so far, the findings. Everything hangs on `ctx` of the work and lives as long as the
 * result. Families are functions `bool compile_NAME(struct work *work)` that look at work->intent,
 * refuse with work_refuse() or emit steps, and leave the catalogs as the intent leaves them.
 */
#ifndef CONTROLLER_WORK_WORK_H
#define CONTROLLER_WORK_WORK_H

#include "controller/work/compiled.h"

/* One service: its catalog as the intents so far leave it. */
struct state {
    const char *service;
    const struct catalog *before; /* as it was read */
    struct catalog *catalog;      /* a copy that the families change */
};

/* A part being made. */
struct bench {
    enum phase phase;
    const char *service;
    struct step **steps;
    size_t step_count;
    struct part_after *after;
    size_t after_count;
    const char **touched; /* objects whose fingerprints bind the part */
    size_t touched_count;
};

/* What an intent before has touched, and in which phase it was last at it: an intent behind it that
 * is about the same starts no earlier. */
struct mark {
    const struct state *state;
    const char *schema, *table, *column; /* null: all of it */
    const char *name;                    /* a constraint, an index, a type, ... by its name */
    enum phase phase;
};

/* From which phase on later intents may begin on a column: an earlier one is busy with it. */
struct busy {
    const struct state *state;
    const char *schema, *table, *column; /* column null: all of it */
};

struct work {
    const void *ctx;
    const struct compile_input *input;
    struct state *states;
    size_t state_count;
    struct bench *benches;
    size_t bench_count;
    struct busy *busy_list;
    size_t busy_count;
    struct mark *marks;
    size_t mark_count;
    struct asked *asked; /* reach.c: who acknowledges what */
    size_t asked_count;
    struct step_texts made;     /* keys of what this change makes: it has no users yet */
    struct step_texts settings; /* SET LOCAL … of the script, for SQL that runs as written */
    struct compiled *result;
    const struct intent *intent;
    int number;         /* of the intent, from 1 */
    bool all_late;      /* SQL as written runs in contract: nothing behind it may overtake it */
    enum phase floor;   /* no step of this intent goes into an earlier phase */
    enum phase last;    /* the latest phase that it has a step in */
    bool writes;        /* the statement at hand is about rows */
    enum phase written; /* the latest phase in which one before it writes rows */
    struct state *home; /* the intent's own service */
};

/* "public.users", "type public.mood", … is made by this change. */
void work_made(struct work *work, const char *key);
void work_unmade(struct work *work, const char *key);
bool work_is_made(const struct work *work, const char *key);

/* Owned text; the shortest way to write it. */
const char *say(const struct work *work, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* An identifier, a relation, and a literal as SQL. */
const char *ident(const struct work *work, const char *name);
const char *relation_sql(const struct work *work, const struct relation *relation);
const char *name_sql(const struct work *work, const char *schema, const char *name);
const char *literal(const struct work *work, const char *text);
/* "public.users" as in locks and fingerprints; "users.id" for people. */
const char *relation_key(const struct work *work, const struct relation *relation);
/* "schema.table.column" with quotes where a piece needs them: as views say what they read. */
const char *column_key(const struct work *work, const struct relation *relation,
                       const char *column);
const char *column_words(const struct work *work, const struct relation *relation,
                         const char *column);
/* A name that is not taken by a relation of the schema or a constraint of the relation (null: not
 * looked at): base, or base with a number. */
const char *free_name(const struct work *work, const struct state *state,
                      const struct relation *relation, const char *base);
/* The same for a column of the relation. */
const char *free_column(const struct work *work, const struct relation *relation, const char *base);
/* "a", "b" of column names. */
const char *ident_list(const struct work *work, const struct catalog_texts *names);

/* Findings. work_refuse returns false; `instead` is the hint. */
bool work_refuse(struct work *work, const char *instead, const char *fmt, ...) PRINTF_LIKE(3, 4);
void work_note(struct work *work, const char *severity, const char *rule, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* Where a step is done. */
struct place {
    const struct state *state;
    const struct relation *relation;
    enum phase phase;
};

/* A new step at the end of the part of phase and service. transaction is true; kind STATEMENT. */
struct step *work_step(struct work *work, const struct state *state, enum phase phase,
                       const char *what, const char *why);
/* The steps so far of that phase and service. */
size_t work_steps(struct work *work, const struct state *state, enum phase phase,
                  struct step ***out);
void step_up(const struct work *work, struct step *step, const char *fmt, ...) PRINTF_LIKE(3, 4);
void step_down(const struct work *work, struct step *step, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Nothing has to be done on that way; says so in words. */
void step_up_nothing(const struct work *work, struct step *step, const char *why);
void step_down_nothing(const struct work *work, struct step *step, const char *why);
void step_lock(const struct work *work, struct step *step, const struct relation *relation,
               const char *mode);
void step_probe(const struct work *work, struct step *step, const char *fmt, ...) PRINTF_LIKE(3, 4);
void step_risk(const struct work *work, struct step *step, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Expected time: a fixed part and rows at a rate. Rates are rows a second, measured on PostgreSQL
 * 15: a batched UPDATE under traffic, a scan, CREATE INDEX CONCURRENTLY of 5 million rows (two
 * scans and a sort). Guesses until a rehearsal has measured. */
enum { RATE_BACKFILL = 100000, RATE_SCAN = 2000000, RATE_BUILD = 700000 };
void step_estimate(struct step *step, const struct relation *relation, int64_t rows_per_second);
/* The part's work on the object is bound to its fingerprint. */
void work_touch(struct work *work, const struct state *state, const char *object);
/* The part of `first` in that phase must be done before the one of `state`. */
void work_after(struct work *work, const struct state *state, enum phase phase,
                const struct state *first, const char *reason);

/* Lookups that refuse with near matches. */
struct state *work_state(struct work *work, const char *service);
bool find_table(struct work *work, struct relation **out);
bool find_column(struct work *work, struct relation *relation, const char *name,
                 struct column **out);
/* Refuses what no copy-and-sync can be right for: unlogged, foreign, inherited tables, ... */
bool table_can_sync(struct work *work, const struct relation *relation);

/* Later intents on the column start in contract. */
void work_busy(struct work *work, const struct state *state, const struct relation *relation,
               const char *column);
bool work_is_busy(const struct work *work, const struct state *state,
                  const struct relation *relation, const char *column);

/* Partitions with rows of their own, or the relation itself. */
size_t relation_leaves(const struct work *work, const struct state *state,
                       struct relation *relation, struct relation ***out);
/* Direct children by partitioning or inheritance. */
size_t relation_children(const struct work *work, const struct state *state,
                         const struct relation *relation, struct relation ***out);

/* "SELECT EXISTS (…)" pieces for probes. */
const char *probe_column(const struct work *work, const struct relation *relation,
                         const char *column);
const char *probe_constraint(const struct work *work, const struct relation *relation,
                             const char *name, bool validated);
const char *probe_index(const struct work *work, const char *schema, const char *name);
const char *probe_trigger(const struct work *work, const struct relation *relation,
                          const char *name);

#endif
