/*
 * A sweep: an UPDATE over a whole table, carried out in small batches under traffic.
 *
 * The statement is any UPDATE of one relation whose WHERE clause comes last and whose condition is
 * in parentheses, so that " AND ..." can be appended: it must be true for exactly those rows that
 * still need work, so that running it again over all rows changes nothing. It may read the target
 * row and constant tables, never a copy of the target row made elsewhere in the statement.
 *
 * Rows that others have locked are skipped at first and come back later. Rows may move while we
 * look (updates, VACUUM), so sweeps over the whole table are repeated until one changes nothing and
 * skips nothing. Where it is stands in the journal, in the transaction of each batch.
 */
#ifndef AGENTS_AGENT_SWEEP_H
#define AGENTS_AGENT_SWEEP_H

#include "agents/agent/journal.h"

struct sweep {
    struct work *work;
    const char *target;    /* name of its cursor in the journal */
    const char *statement; /* as above */
    const char *schema;    /* of the relation */
    const char *name;
    const struct step_texts *key; /* cut by ranges of these columns; null: by ctid */
    int64_t rows;                 /* estimate of the rows to do; 0: unknown */
    bool settles; /* ours: when triggers keep changing what it wrote, two equal passes are enough */
};

struct sweep_result {
    int64_t rows; /* changed in all, by this run and earlier ones of the same step */
    int64_t batches;
    int64_t passes;
    int64_t longest_ms; /* of a batch */
};

bool sweep_run(const struct sweep *sweep, struct sweep_result *out, struct error *err) MUSTCHECK;

#endif
