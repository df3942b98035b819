/*
 * What the compiler is given and what it gives back, as data. Whoever calls compile() makes the one
 * and reads the other; families only add to the result, through work.h.
 */
#ifndef CONTROLLER_WORK_COMPILED_H
#define CONTROLLER_WORK_COMPILED_H

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

#endif
