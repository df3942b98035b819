/*
 * change_type, taken apart: the columns that change together, and the stages that are done to them.
 * A column that changes has a fresh twin (id_new) until the swap, and a stale one (id_old) after
 * it.
 */
#ifndef CONTROLLER_FAMILY_RETYPE_H
#define CONTROLLER_FAMILY_RETYPE_H

#include "controller/family/families.h"
#include "controller/work/around.h"

struct target {
    struct state *state;
    struct relation *relation;
    struct column *column;
    const char *to;
    const char *fresh, *stale;
    struct pair before; /* source the column, copy the fresh one, both ways */
    struct pair after;  /* source the column (the fresh one under its name), copy the stale one */
    const char *reason; /* why it changes: the intent, or what it references */
    bool lossless;
    bool in_place;
};

struct retype {
    struct work *work;
    struct target *targets;
    size_t count;
    struct state *state; /* the service whose turn it is */
};

/* The targets of one relation as a map from their names to the fresh or the stale name. */
struct column_maps retype_map(const struct retype *r, const struct relation *relation, bool stale);
bool retype_has(const struct retype *r, const struct relation *relation, const char *column);
/* The relations of this service that have targets, each once. */
size_t retype_relations(const struct retype *r, struct relation ***out);

/* A constraint or index of a relation that the exchange concerns. */
bool constraint_concerned(const struct retype *r, const struct relation *relation,
                          const struct constraint *constraint);
/* A foreign key whose referenced columns change. */
bool key_points_here(const struct retype *r, const struct constraint *key);

/* Names of the twins; the same question has the same answer. */
const char *twin_name(const struct retype *r, const struct relation *relation, const char *name,
                      const char *suffix);

/* "FOREIGN KEY (…) REFERENCES …" of an existing key with both sides mapped to fresh columns. */
const char *key_mapped(const struct retype *r, const struct relation *relation,
                       const struct constraint *key, bool stale);

void retype_expand(struct retype *r);
void retype_migrate(struct retype *r);
bool retype_contract(struct retype *r);
bool retype_swap(struct retype *r);
/* The sequence that the target owns; null: none. */
const struct sequence *retype_sequence(const struct target *target);
/* A step for each serial whose sequence would end before the new type does. */
void retype_widen_sequences(struct retype *r);
/* Types that only the catalog knows: ALTER COLUMN TYPE as it stands. */
bool retype_in_place(struct retype *r, struct target *target);
/* Foreign tables of other services that read a target get its new type. */
bool retype_readers(struct retype *r);

/* Refuses when a foreign key from the target's column would compare types that do not. */
bool retype_keys_fine(const struct retype *r, const struct target *target);

#endif
