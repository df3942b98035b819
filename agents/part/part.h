/*
 * A part: what one plan does to one service in one phase; what an owner signs and an agent runs.
 *
 * The digest covers everything that agent or engine acts on and nothing that only people read, so
 * a re-draft that changes another service or a sentence keeps the signature.
 */
#ifndef AGENTS_PART_PART_H
#define AGENTS_PART_PART_H

#include "agents/part/step.h"

enum phase { PHASE_EXPAND, PHASE_MIGRATE, PHASE_CONTRACT, PHASE_COUNT };

/* Whose part of the same phase must be done first, and why. */
struct part_after {
    const char *service;
    const char *reason;
};

/* Fingerprint of an object this part touches, before the plan's first step on it. */
struct part_object {
    const char *object;      /* "public.orders", or a key as in catalog.h */
    const char *fingerprint; /* sha256:...; "absent" when the object must not be there */
};

struct part {
    const char *fleet;
    const char *environment;
    const char *plan; /* the plan's id */
    const char *author;
    enum phase phase;
    const char *service;
    struct step_texts instances;
    struct part_after *after;
    size_t after_count;
    int approvals_need;
    struct step_texts approvals_from; /* owners (team names) */
    struct part_object *objects;
    size_t object_count;
    const char *health_sql; /* null: none; read-only query with one boolean or any row */
    struct step *steps;
    size_t step_count;
    const char *digest; /* as written; part_digest() computes it */
};

const char *phase_name(enum phase phase);
bool phase_from_name(const char *name, enum phase *out);

/* Union of the steps' tags. */
unsigned part_tags(const struct part *part);
/* It destroys something, or has a step that could not be analysed and counts as the worst: as many
 * must sign as for destruction. */
bool part_is_grave(const struct part *part);
/* The first step that could not be analysed; null: none. */
const struct step *part_unknown(const struct part *part);

/* As it stands in the plan file under its phase (with the plan-wide fields when `whole`, which is
 * how it goes to an agent). From JSON expects the whole form. */
json_t *part_to_json(const struct part *part, bool whole);
bool part_from_json(const void *ctx, const json_t *json, struct part **out,
                    struct error *err) MUSTCHECK;

/* sha256 over the canonical JSON of what is signed. */
bool part_digest(const void *ctx, const struct part *part, const char **out,
                 struct error *err) MUSTCHECK;

#endif
