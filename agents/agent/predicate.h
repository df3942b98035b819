/*
 * The predicate of the operation `count`, which runs without anybody's signature.
 *
 * What is let through is one expression over the columns of the counted relation: names, values,
 * operators, brackets that match, casts, and a fixed list of harmless functions. No query in it, so
 * no other relation is read; no other function, so none is called that acts.
 */
#ifndef AGENTS_AGENT_PREDICATE_H
#define AGENTS_AGENT_PREDICATE_H

#include "agents/base/error.h"

/* ERROR_REFUSED, saying what is not let through. */
bool predicate_check(const char *predicate, struct error *err) MUSTCHECK;

#endif
