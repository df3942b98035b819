/*
 * Gates: what has to be true before a phase starts. gate_look() gathers the facts (signatures are
 * verified, words read from the store); gate_open() decides, pure, and says why not.
 *
 * In order: the phase asked for with --until, rehearsal evidence (before the first phase), no
 * rejection, enough signatures for every part, every dependent's acknowledgement, and, for
 * contract, `promote`.
 */
#ifndef CONTROLLER_ROLLOUT_GATE_H
#define CONTROLLER_ROLLOUT_GATE_H

#include "agents/part/signature.h"
#include "controller/manifest/fleet.h"
#include "controller/rollout/state.h"
#include "controller/store/store.h"

/* Why a gate is closed; each list holds one sentence an item, empty = nothing in the way. */
struct gate_facts {
    struct step_texts unrehearsed;
    struct step_texts rejected;
    struct step_texts unsigned_parts;
    struct step_texts unacknowledged; /* services */
    const struct step *unknown;       /* could not be analysed: never part of an automatic run */
    bool needs_promote;
};

struct gate_source {
    const struct fleet *fleet;
    struct store *store;   /* null: there is none yet, nobody has given a word */
    const char *plan_path; /* signatures and evidence lie beside it */
    int64_t now_ms;
};

/* Gathers the facts about the phase. */
bool gate_look(const void *ctx, const struct gate_source *source, const struct rollout *rollout,
               enum phase phase, struct gate_facts *out, struct error *err) MUSTCHECK;

/* True when the phase may start; otherwise *why and *hint, owned by ctx. */
bool gate_open(const void *ctx, const struct rollout *rollout, enum phase phase,
               const struct gate_facts *facts, const char **why, const char **hint) MUSTCHECK;

/* The valid and invalid signatures offered for a part, from the store and the files beside the
 * plan: what an agent is given to judge by itself. */
bool gate_approvals(const void *ctx, const struct gate_source *source, const struct part *part,
                    struct approval **out, size_t *count, struct error *err) MUSTCHECK;

/* The services whose word the phase needs: `from` of its acknowledge steps, each once. */
void gate_acknowledgers(const void *ctx, const struct plan *plan, enum phase phase,
                        struct step_texts *out);

#endif
