/*
 * What stands on columns and cannot stay while they are exchanged: views (and views on them),
 * policies, triggers with a list of columns or a condition, extended statistics. All are dropped
 * first and made again at the end of the same transaction, with owner, grants, options and
 * comments; because the columns have their names back by then, the same statements serve both ways.
 */
#ifndef CONTROLLER_WORK_AROUND_H
#define CONTROLLER_WORK_AROUND_H

#include "controller/work/work.h"

struct around {
    struct step_texts drop, make; /* in order of execution */
    const char **names;           /* what is made again, for people */
    size_t name_count;
    bool exchange;                 /* columns change places: what knows the old one by number may
                                      stay for a while (materialized views), or be said again */
    struct step_texts again;       /* functions, at the end of `make` */
    const struct relation **views; /* dropped and made: later ones may read earlier ones */
    size_t view_count;
};

/* Adds what stands on the column; refuses what cannot be made again (materialized views, rules on
 * tables, SQL-standard functions). Call it for every column of a transaction, then around_close. */
bool around_column(struct work *work, const struct state *state, struct relation *relation,
                   const char *column, struct around *around);
/* An SQL-standard body uses the column. */
bool around_has_function(const struct state *state, const struct relation *relation,
                         const char *column);
/* Adds a view and whatever reads it. */
bool around_view(struct work *work, const struct state *state, struct relation *view,
                 struct around *around);
/* Adds whatever reads the view, and not the view. */
bool around_readers(struct work *work, const struct state *state, struct relation *view,
                    struct around *around);
/* A table of a publication as ADD TABLE takes it: with its columns and condition. */
const char *published_sql(const struct work *work, const struct publication *p, size_t at);
/* What takes the relation out of publications that name the column, and puts it back: the lists
 * follow the column by its number. */
void published_around(const struct work *work, const struct state *state,
                      const struct relation *relation, const char *column, struct around *around);
/* Writes the statements for the views that were found. */
void around_close(const struct work *work, const struct state *state, struct around *around);
/* The name in "CREATE STATISTICS name (…) ON …", as it stands there. */
const char *statistics_name(const struct work *work, const char *definition);
/* What is made anew belongs to who made it: the statement that gives it to the table's owner; null
 * when that is not known. */
const char *statistics_owner(const struct work *work, const struct relation *relation,
                             const char *definition);
/* DROP and CREATE of a policy, at the ends of the two lists. */
void around_policy(const struct work *work, const struct relation *relation,
                   const struct policy *policy, struct around *around);
/* CREATE TRIGGER with its state (enabled, disabled, …). */
void trigger_made(const struct work *work, const struct relation *relation,
                  const struct trigger *trigger, struct step_texts *out);
/* CREATE VIEW with owner, grants, options, comments, triggers. */
void view_made(const struct work *work, const struct relation *view, struct step_texts *out);
/* Names what is made again as a risk of the step. */
void around_risk(const struct work *work, const struct around *around, struct step *step);

#endif
