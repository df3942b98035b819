/*
 * The rules of the linter, as one table: what each is for, how bad, whether it is on by default, an
 * example, and what to do instead. `flotilla lint --explain`, the reports and the documentation all
 * read it. Findings refer to a rule by its id, which is a contract.
 */
#ifndef CONTROLLER_RULES_RULE_H
#define CONTROLLER_RULES_RULE_H

#include <stdbool.h>
#include <stddef.h>

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_ERROR };

struct rule {
    const char *id, *group;
    enum severity severity;
    bool on;             /* without --rules */
    const char *what;    /* one line */
    const char *why;     /* a paragraph */
    const char *instead; /* the safe way */
    const char *example; /* SQL that it flags */
};

const struct rule *rule_find(const char *id);
/* The id that is likely meant; null when none is near. */
const char *rule_nearest(const char *id);
/* All of them, by group; *count of them. */
const struct rule *const *rules_all(size_t *count);

const char *severity_name(enum severity severity);

#endif
