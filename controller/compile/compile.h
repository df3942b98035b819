/*
 * The compiler: intents, graph and catalogs in, steps out. Here lives what expand, migrate and
 * contract mean for each family of intent. Pure: it looks at catalogs as data and never asks a
 * database, a file or a clock, so equal input gives equal parts.
 *
 * Intents compose in order: each is compiled against the catalog as the ones before it leave it.
 * What cannot be planned is a finding of severity "error" that says why and what to do instead; all
 * of them are collected, and a result with one of them must not become a plan.
 */
#ifndef CONTROLLER_COMPILE_COMPILE_H
#define CONTROLLER_COMPILE_COMPILE_H

#include <stdbool.h>
#include <stddef.h>

#include "agents/base/error.h"
#include "agents/part/part.h"
#include "agents/pg/catalog.h"
#include "controller/graph/graph.h"
#include "controller/intent/intent.h"
#include "controller/manifest/fleet.h"

struct compile_input {
    const struct fleet *fleet; /* null: without a manifest; then one service only */
    const char *environment;   /* "-" without a manifest */
    const struct graph *graph; /* null: no other service is looked at */
    const struct service_catalog *catalogs;
    size_t catalog_count;
    const struct intents *intents;
};

struct compile_finding {
    const char *severity; /* error, warning, info */
    const char *rule;
    const char *service;
    const char *place; /* where the intent stands; null */
    const char *message;
    const char *hint; /* null: none */
    int intent;       /* from 1 */
};

struct compiled {
    const struct intents *intents; /* as understood: a statement of DDL is the intents it means */
    struct intents *taken;         /* the same, while it is made */
    struct part **parts;           /* none without steps; ids and digests are plan_build()'s */
    size_t part_count;
    struct compile_finding *findings;
    size_t finding_count;
    size_t refusals; /* findings of severity error */
};

/* Fails only for an input that no plan could be made of at all (a service without a catalog);
 * everything about the change itself is a finding. */
bool compile(const void *ctx, const struct compile_input *input, struct compiled **out,
             struct error *err) MUSTCHECK;

/* How many approvals the part needs by the manifest and its steps' tags: asked again when a judge
 * has found more in them than the compiler did. fleet may be null: one. */
void compile_approvals(const struct fleet *fleet, struct part *part);

#endif
