/*
 * Steps of a plan being checked: private to check/. plan_check.c walks the steps, evidence*.c
 * answer whether a kind of evidence is there for a statement.
 */
#ifndef CONTROLLER_CHECK_CHECKING_H
#define CONTROLLER_CHECK_CHECKING_H

#include "controller/check/plan_check.h"
#include "controller/check/trail.h"

/* Two columns that a verify step proved equal, as they were called when the step began. */
struct checked_pair {
    unsigned table, a, b;
    const char *name_a, *name_b;
    size_t step;
    bool good; /* and a trigger has kept them so since */
};

struct checking {
    const void *ctx;
    const struct step *steps;
    size_t count;
    const struct steps_options *options;
    struct judge *judge;  /* the linter's; at the end of the step */
    struct judge *mirror; /* before the statement that is asked about */
    struct trail *now;    /* until there */
    struct trail *all;    /* of the whole walk */
    struct checked_pair *pairs;
    size_t pair_count;
    struct steps_met *out;
    /* the step under way */
    size_t step;
    bool back;
    const struct lint_result *script;
    size_t index;               /* of the statement */
    const struct script *other; /* the statements of the step's other way */
    int64_t hold_ms;            /* estimated, from the first strong lock on; -1 unknown */
    bool sets_timeouts;
};

enum answer {
    ANSWER_NO,
    ANSWER_YES,
    ANSWER_NOT_MINE, /* the statement has nothing that the rule is about */
};

/* evidence_wait() and the like. *said (may stay null) is where the evidence is. */
#define X(id, name, word)                                                                        \
    enum answer evidence_##word(struct checking *c, const char *rule, const struct statement *s, \
                                const char **said);
EVIDENCE_KINDS(X)
#undef X

const struct step *checked_step(const struct checking *c);
/* The id of a step, for people. */
const char *checked_id(const struct checking *c, size_t step);
struct world_table *checked_table(const struct checking *c, struct sql_name name);
/* The relation as it was before the plan; null without a catalog, or when it was not there. */
const struct relation *checked_before(const struct checking *c, struct sql_name name);
/* The service's word that was given in this phase before this step; null: none was. */
const struct trail_fact *checked_word(const struct checking *c);
/* A good pair with that column; null. */
const struct checked_pair *checked_pair(const struct checking *c, unsigned column);
/* The step that drops the column, later on the way forward; null: none does. */
const struct trail_fact *checked_dropped_later(const struct checking *c, unsigned column);
/* The two are the same words, comments and a last semicolon aside. */
bool checked_same_text(const char *a, const char *b);

#endif
