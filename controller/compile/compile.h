/*
 * The compiler: intents, graph and catalogs in, steps out. Plain DDL goes through ddl/, which says
 * what typed intents it means; each typed intent goes to its family (family/), which knows what
 * expand, migrate and contract mean for it; all of them work on one bench (work/). Pure: it looks
 * at catalogs as data and never asks a database, a file or a clock, so equal input gives equal
 * parts.
 *
 * Intents compose in order: each is compiled against the catalog as the ones before it leave it.
 * What cannot be planned is a finding of severity "error" that says why and what to do instead; all
 * of them are collected, and a result with one of them must not become a plan.
 */
#ifndef CONTROLLER_COMPILE_COMPILE_H
#define CONTROLLER_COMPILE_COMPILE_H

#include "controller/work/compiled.h"

/* Fails only for an input that no plan could be made of at all (a service without a catalog);
 * everything about the change itself is a finding. */
bool compile(const void *ctx, const struct compile_input *input, struct compiled **out,
             struct error *err) MUSTCHECK;

/* How many approvals the part needs by the manifest and its steps' tags: asked again when a judge
 * has found more in them than the compiler did. fleet may be null: one. */
void compile_approvals(const struct fleet *fleet, struct part *part);

#endif
