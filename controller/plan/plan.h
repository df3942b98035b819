/*
 * A plan: what one change does to a whole fleet, as parts (phase and service) made of steps. Plans
 * are built by plan_build() from what the compiler made, written as one canonical file, read back
 * with every error of the file and every digest checked, and compared part by part.
 *
 * Everything here is pure but plan_load(): no clock, no randomness, no store. A struct plan that
 * exists is consistent: parts sorted, step ids unique, digests right.
 */
#ifndef CONTROLLER_PLAN_PLAN_H
#define CONTROLLER_PLAN_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "agents/base/error.h"
#include "agents/part/part.h"

/* A plan file may be this big: 400 shards with a few dozen steps each are a tenth of it. */
enum { PLAN_FILE_BYTES = 32 * 1024 * 1024, PLAN_VERSION = 1 };

/* What lint or a rehearsal said about the plan. */
struct plan_finding {
    const char *rule;
    const char *severity; /* error, warning, info */
    const char *service;  /* null: of the whole plan */
    const char *step;     /* its id; null: of no one step */
    const char *message;
    const char *hint; /* null: none */
};

/* A rule that a step meets, and the evidence in the plan that discharges it. */
struct plan_discharge {
    const char *step; /* its id */
    bool back;        /* on the way back */
    const char *rule;
    const char *by;    /* the kind of evidence: "snapshot" (docs/SAFETY.md lists them) */
    const char *proof; /* where it is: "kept by contract/users/8"; null: in how the step runs */
};

/* The parts of one phase, in an order in which they may be carried out: after what they name in
 * `after`, by name otherwise. */
struct plan_phase {
    struct part **parts;
    size_t count;
};

struct plan {
    const char *id; /* stays through re-drafts of the same change */
    const char *title;
    const char *author;
    const char *change;      /* the wish as understood: one JSON object, compact; opaque here */
    const char *fleet;       /* "-" with environment "-": drafted without a manifest */
    const char *environment; /* one plan, one environment */
    struct plan_phase phases[PHASE_COUNT];
    struct plan_finding *findings;
    size_t finding_count;
    struct plan_discharge *discharged;
    size_t discharged_count;
    const char *digest; /* over the header and the digests of all parts */
};

/* What plan_build() makes a plan of. */
struct plan_draft {
    const char *id; /* plan_same_id() or a new random one */
    const char *title;
    const char *author;
    const char *change; /* a JSON object as text */
    const char *fleet;
    const char *environment;
    struct part **parts; /* any order; at most one for a phase and service; none without steps */
    size_t part_count;
    const struct plan_finding *findings;
    size_t finding_count;
    const struct plan_discharge *discharged;
    size_t discharged_count;
};

/* Builds the plan. The parts become the plan's (talloc_steal); their plan-wide fields (fleet,
 * environment, plan, author), step ids (PHASE/SERVICE/N) and digests are filled in; their phase,
 * service, instances, after, approvals, objects, health and steps are the caller's. Texts of the
 * draft itself are copied. Fails when `after` names a service without a part in the phase or runs
 * in a circle (the circle is named), when a part is there twice or is empty, or when a step has no
 * shape that an agent would take. */
bool plan_build(const void *ctx, const struct plan_draft *draft, struct plan **out,
                struct error *err) MUSTCHECK;

/* The id to keep when `change` (JSON text) with `title` is drafted again over `previous`: its id
 * when fleet and environment are the same and title or change are; null otherwise (and for a null
 * previous). */
const char *plan_same_id(const struct plan *previous, const struct plan_draft *draft);

/* True when the plan has nothing to do. */
bool plan_is_empty(const struct plan *plan);

/* The part of a phase and service; null when the plan has none. */
struct part *plan_part(const struct plan *plan, enum phase phase, const char *service);

/* --- the file -------------------------------------------------------------------------------- */

/* The plan as JSON, as it stands in the file; owned by ctx. */
json_t *plan_to_json(const void *ctx, const struct plan *plan);

/* The canonical YAML: equal plans are equal bytes. */
const char *plan_to_yaml(const void *ctx, const struct plan *plan);

/* Reads a plan file (the YAML, or the same as JSON; "-" is standard input) and checks it whole:
 * every error as file:line:column in *problems (may be null), the first in err. A part whose
 * content is not what its digest says is ERROR_TAMPERED and named. */
bool plan_load(const void *ctx, const char *path, struct plan **out, const char **problems,
               struct error *err) MUSTCHECK;
/* The same of bytes; `name` stands for the file in messages. */
bool plan_parse(const void *ctx, const char *name, const char *data, size_t len, struct plan **out,
                const char **problems, struct error *err) MUSTCHECK;

/* --- differences ------------------------------------------------------------------------------ */

enum plan_change_kind { PLAN_ADDED, PLAN_REMOVED, PLAN_CHANGED };

struct plan_difference {
    enum plan_change_kind kind;
    enum phase phase;
    const char *service;
    const char *step;     /* position as PHASE/SERVICE/N; null: the part as a whole, or a field */
    const char *field;    /* of step or part ("up", "instances"); null: all of it */
    const char *before;   /* null when added */
    const char *after;    /* null when removed */
    bool drops_approvals; /* signatures of the part in the first plan do not hold for the second */
};

struct plan_diff {
    struct plan_difference *items;
    size_t count;
};

/* Part by part, step by step, in the order of phases, services and steps. */
void plan_diff(const void *ctx, const struct plan *a, const struct plan *b, struct plan_diff *out);

#endif
