/*
 * What the steps of a plan have made, proven and kept aside so far: the evidence that discharges
 * rules. A trail follows a world statement by statement, and is told of the steps that are no
 * statements. Private to check/; facts are in the order in which they came about and never removed.
 */
#ifndef CONTROLLER_CHECK_TRAIL_H
#define CONTROLLER_CHECK_TRAIL_H

#include "controller/judge/judging.h"

/* MADE, UNMADE    an object (kind, key) came into being by the plan, or is gone or another's
 * ADDED, DROPPED  a column (table, column, name)
 * UNPROVEN        a constraint was added NOT VALID (table, name); PROVEN: it was validated
 * INDEXED         an index on a table (table, name), columns in `columns`
 * EQUAL           a verify step proves column and other equal in every row
 * KEPT            a snapshot of a table, of one column or (column 0) all of it
 * BACKFILLED      a backfill of a table, columns in `columns`
 * WORD            a service's word (acknowledge)
 * BODY            the text of a function (key) */
enum trail_kind {
    TRAIL_MADE,
    TRAIL_UNMADE,
    TRAIL_ADDED,
    TRAIL_DROPPED,
    TRAIL_UNPROVEN,
    TRAIL_PROVEN,
    TRAIL_INDEXED,
    TRAIL_EQUAL,
    TRAIL_KEPT,
    TRAIL_BACKFILLED,
    TRAIL_WORD,
    TRAIL_BODY,
};

struct trail_fact {
    enum trail_kind kind;
    size_t step;
    bool back;
    bool theirs; /* UNMADE: it was there before the plan; what takes its name is as good as it */
    bool ours;   /* made by the plan, whatever it is called now */
    enum sql_object_kind object;
    const char *key;  /* of objects: trail_key() */
    const char *name; /* column, constraint, index; EQUAL: null */
    unsigned table, column, other;
    struct sql_texts columns;
    const char *text;  /* BODY */
    const char *calls; /* a trigger's function, as its key */
    bool concurrently; /* INDEXED */
};

struct trail {
    const void *ctx;
    struct world *world;
    struct trail_fact *items;
    size_t count;
    size_t step; /* the one under way */
    bool back;
};

struct trail *trail_new(const void *ctx, struct world *world);

/* The column of a table, made up on first mention when nobody described the table. Null: there is
 * none. */
struct world_column *trail_column(struct trail *trail, struct world_table *table, const char *name);
/* Tables and columns that the statement names, made up where nobody described them: before it is
 * looked at. */
void trail_mention(struct trail *trail, const struct statement *s);
/* Around applying a statement to the world: before with the old names, after with the new. */
void trail_before(struct trail *trail, const struct statement *s);
void trail_after(struct trail *trail, const struct statement *s);
/* A step that is no statement, when it is done. */
void trail_step(struct trail *trail, const struct step *step);

/* How an object is called in facts. Triggers, policies, constraints have their relation and a name
 * of their own. */
const char *trail_key(const struct trail *trail, enum sql_object_kind kind, struct sql_name name,
                      const char *sub);
/* The fact that the plan made it and that it is still this one; null: it was there before. */
const struct trail_fact *trail_made(const struct trail *trail, enum sql_object_kind kind,
                                    const char *key);
/* The last fact of the kind about a table and column (either 0: any); null: none. */
const struct trail_fact *trail_find(const struct trail *trail, enum trail_kind kind, unsigned table,
                                    unsigned column);
/* The two columns are kept equal by a trigger that the plan made and that is there now. */
bool trail_synced(const struct trail *trail, const struct world_table *table, const char *a,
                  const char *b);

#endif
