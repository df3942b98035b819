/*
 * What a statement does to a live database: lock per relation, rewrite, scan, whether it can run in
 * a transaction, tags, how long. One judge follows one script: every statement it judges is also
 * applied to its picture of the database, so that the next one is judged in that state (tables made
 * by the script, constraints validated, settings, the open transaction).
 *
 * The catalog may be null: then tables that the script did not make are unknown, and where the
 * answer depends on them it is the worse one. Nothing here knows who wrote the statement.
 *
 * Facts: locks.c, a table with source and versions per row.
 */
#ifndef CONTROLLER_JUDGE_JUDGE_H
#define CONTROLLER_JUDGE_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agents/base/error.h"
#include "agents/part/step.h"
#include "agents/pg/catalog.h"
#include "agents/pg/syntax.h"
#include "controller/sql/script.h"

/* In the order of strength. */
enum lock_mode {
    LOCK_NONE,
    LOCK_ACCESS_SHARE,
    LOCK_ROW_SHARE,
    LOCK_ROW_EXCLUSIVE,
    LOCK_SHARE_UPDATE_EXCLUSIVE,
    LOCK_SHARE,
    LOCK_SHARE_ROW_EXCLUSIVE,
    LOCK_EXCLUSIVE,
    LOCK_ACCESS_EXCLUSIVE,
};

/* PostgreSQL's own words: "SHARE ROW EXCLUSIVE". */
const char *lock_mode_name(enum lock_mode mode);
/* Writers of the relation wait. */
bool lock_blocks_writes(enum lock_mode mode);

struct verdict_lock {
    const char *relation; /* "schema.name" */
    const char *schema, *name;
    enum lock_mode mode;
    bool fresh;   /* made by this script: nobody waits for it */
    bool rewrite; /* this relation is rewritten */
    bool scan;    /* this relation is read from end to end */
};

struct verdict {
    struct verdict_lock *locks; /* tables, views, sequences */
    size_t lock_count;
    /* Indexes: those that the statement is about, and those that it takes in a stronger mode than
     * their table. Others are taken along with the table. */
    struct verdict_lock *index_locks;
    size_t index_lock_count;
    bool rewrite;        /* of a relation that existed before */
    bool new_sequence;   /* a sequence gets a new file: one page, and setting it back waits */
    bool full_scan;      /* the same */
    bool transaction;    /* it can run inside a transaction */
    bool version_ok;     /* the judge's server version knows it */
    int min_version;     /* the first major version that does; 0: all that we know */
    unsigned tags;       /* of enum step_tag */
    const char *fails;   /* why the server will refuse it in this state; null */
    const char *waits;   /* what else it waits for; null */
    bool known_there;    /* not analysed, but the server it is for knows it */
    const char *assumes; /* without a catalog: what it takes for granted; null */
    const char *unknown; /* why it could not be analysed (whole or in part); null */
    int64_t rows;        /* of the largest relation that it rewrites, scans or writes; -1 unknown */
    int64_t ms;          /* expected hold time, guessed from rows and bytes; -1 unknown */
};

struct judge;

/* What is known of a major version: 15 to 18 are measured, 14 follows its documentation; what is
 * said of others is what the nearest of these does. */
enum judge_facts { FACTS_MEASURED, FACTS_DOCUMENTED, FACTS_UNPROVEN };
enum judge_facts judge_facts(int version);
const char *judge_facts_name(enum judge_facts facts);

/* version: major (15); 0: the catalog's, else 15. The catalog must outlive the judge. */
struct judge *judge_new(const void *ctx, const struct catalog *catalog, int version);

/* Overrides the row estimate of a table ("orders", "public.orders", "*" for all). */
void judge_assume_rows(struct judge *judge, const char *table, int64_t rows);

/* Names without a schema are in that one; null: as ever. */
void judge_assume_schema(struct judge *judge, const char *schema);

/* The script runs inside one transaction that its runner opens. */
void judge_assume_transaction(struct judge *judge, bool inside);

/* Somebody to ask where the grammar here (PostgreSQL 15's, with what newer one is known) ends: the
 * server that the script is for. Without one, or where it has nothing to say, such a statement is
 * unknown and counts as the worst. */
typedef bool judge_ask_fn(void *data, const struct syntax_question *question,
                          struct syntax_answer *answer);
void judge_ask(struct judge *judge, judge_ask_fn *ask, void *data);

/* What it will know comes from files that may not be all there is: a statement is not said to fail
 * for what is there, or is not. */
void judge_take_hearsay(struct judge *judge);

/* What was made so far counts as existing before: between scripts that run one after the other,
 * and between steps of different phases. */
void judge_settle(struct judge *judge);

/* Judges one statement and applies it. *out is owned by ctx. */
bool statement_judge(const void *ctx, struct judge *judge, const struct statement *statement,
                     struct verdict **out, struct error *err) MUSTCHECK;

/* The verdict without applying it. */
bool statement_foresee(const void *ctx, struct judge *judge, const struct statement *statement,
                       struct verdict **out, struct error *err) MUSTCHECK;

/* Judges all of `up` in order and writes locks (strongest per relation, without fresh ones),
 * rewrite, full_scan, tags (added to those set) and estimate into the step. What it writes is owned
 * by ctx. A statement that does not parse is an error, unless the one who is asked knows it. */
bool step_judge(const void *ctx, struct judge *judge, struct step *step,
                struct error *err) MUSTCHECK;

#endif
