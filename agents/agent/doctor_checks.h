/*
 * The doctor's questions to a database, as data: one query each. A row is a finding (level, what,
 * fix); no row means all is well.
 */
#ifndef AGENTS_AGENT_DOCTOR_CHECKS_H
#define AGENTS_AGENT_DOCTOR_CHECKS_H

struct doctor_check {
    const char *name;
    int min_version;  /* server_version_num; 0: any */
    const char *sql;  /* columns level, what, fix */
    const char *fine; /* what to say without a row: a query with one text, or null */
};

extern const struct doctor_check doctor_checks[]; /* ends with a null name */

#endif
