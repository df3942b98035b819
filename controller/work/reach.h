/*
 * Beyond the service itself: who else reads, references or copies something, by the graph, and
 * whether the change flows to them.
 */
#ifndef CONTROLLER_WORK_REACH_H
#define CONTROLLER_WORK_REACH_H

#include "controller/work/work.h"

/* Steps of kind acknowledge in the contract part of `state`: from every other service that the
 * graph knows to read or reference the column, and from the service itself. A service has one step
 * a part, which names every column that it was called for. */
void acknowledge(struct work *work, const struct state *state, const struct relation *relation,
                 const char *column);
/* A foreign table elsewhere that reads the relation. */
struct reader {
    struct state *state;
    struct relation *relation;
    struct column *column; /* the one that reads the column asked for; null: it reads others only */
};
size_t foreign_readers(struct work *work, const struct state *state,
                       const struct relation *relation, const char *column, struct reader **out);
/* Whether the intent's propagate: lets the change flow to that service; its own it always does. */
bool reaches(const struct intent *intent, const char *service);
/* propagate: leaves the reader as it is; a finding says so. */
bool left_behind(struct work *work, const struct reader *reader, const struct relation *relation,
                 const char *column);
/* Refuses when a logical subscription elsewhere copies the table. */
bool no_subscriber(struct work *work, const struct state *state, const struct relation *relation);
/* Refuses when a publication's list of columns names the column: the list follows the column by
 * its number, not by its name. */
bool no_published_list(struct work *work, const struct state *state,
                       const struct relation *relation, const char *column);

/* The value of an option of a foreign table's column ("column_name=x, …"); null when not set. */
const char *column_option(const struct column *column, const char *option);

#endif
