/*
 * DO blocks that ask the catalog before they act: IF NOT EXISTS (SELECT … FROM pg_constraint WHERE
 * conname = '…') THEN … END IF. The catalog as the script leaves it by then answers, so what runs
 * is known and can be planned statement by statement. Any other question stays open.
 */
#ifndef CONTROLLER_DDL_DDL_GUARD_H
#define CONTROLLER_DDL_DDL_GUARD_H

#include "controller/ddl/ddl.h"

enum guard {
    GUARD_OPEN,  /* no block of that form, or no question that the catalog answers */
    GUARD_SKIPS, /* nothing of it runs */
    GUARD_RUNS,  /* its statements run, one after the other */
};

/* `asked` (with an answer): the question and its answer in words. */
enum guard ddl_guard(const struct ddl *d, const char *body, const char **asked);

#endif
