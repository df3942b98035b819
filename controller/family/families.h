/*
 * The families of intents, one file each, and the pieces that several of them use. Each
 * compile_NAME() compiles work->intent: it emits steps and leaves the catalog as the intent does,
 * or refuses and returns false.
 */
#ifndef CONTROLLER_FAMILY_FAMILIES_H
#define CONTROLLER_FAMILY_FAMILIES_H

#include "controller/work/column_map.h"
#include "controller/work/index_step.h"
#include "controller/work/model.h"
#include "controller/work/reach.h"
#include "controller/work/server_name.h"
#include "controller/work/sync.h"
#include "controller/work/types.h"
#include "controller/work/work.h"

bool compile_add_column(struct work *work);
bool compile_rename_column(struct work *work);
bool compile_change_type(struct work *work);
bool compile_drop_column(struct work *work);
bool compile_set_default(struct work *work);
bool compile_drop_default(struct work *work);
bool compile_set_not_null(struct work *work);
bool compile_drop_not_null(struct work *work);
bool compile_add_check(struct work *work);
bool compile_add_foreign_key(struct work *work);
bool compile_add_unique(struct work *work);
bool compile_drop_constraint(struct work *work);
bool compile_add_index(struct work *work);
bool compile_drop_index(struct work *work);
bool compile_create_table(struct work *work);
bool compile_comment(struct work *work);
bool compile_data_backfill(struct work *work);
bool compile_add_primary_key(struct work *work);
bool compile_drop_table(struct work *work);
bool compile_drop_view(struct work *work);
bool compile_drop_materialized_view(struct work *work);
bool compile_drop_function(struct work *work);
bool compile_drop_trigger(struct work *work);
bool compile_drop_policy(struct work *work);
bool compile_sql(struct work *work);
/* Steps that keep aside what the intent's SQL destroys by name (raw_keep.c). */
void raw_keep(struct work *work, enum phase phase);

/* Refuses what a server refuses whatever the plan is: names, expressions, nulls (wish.c). */
bool wish_fits(struct work *work);

/* The compiler of an operation; null when this version cannot plan it. */
typedef bool (*family_function)(struct work *work);
family_function family_of(enum intent_operation operation);
/* Compiles one intent, and lists it with what the change was understood to be. */
void work_take(struct work *work, const struct intent *intent);

/* --- new columns (add_numbers.c) ------------------------------------------------ */

/* The integer type of a serial; null for other types. */
const char *serial_base(const char *type);
/* A serial or identity column, numbered in batches. */
void add_numbered(struct work *work, struct relation *relation, const char *type);

/* A proof, before anything is made, that no two rows have the same ("a", "b"). */
void prove_unique(struct work *work, const struct relation *relation, const char *columns);

/* --- indexes (index.c) ----------------------------------------------------------------------- */

/* Drops an index of a table, partitioned or not; the map says how its columns are called by then.
 */
void index_gone(struct work *work, const struct place *place, const struct index *index,
                const struct column_maps *maps);

/* --- constraints (not_null.c, constraint.c) -------------------------------------------------- */

/* NOT NULL without a scan under a strong lock: a check NOT VALID, VALIDATE, SET NOT NULL by that
 * proof, the check dropped. */
void not_null_proven(struct work *work, struct state *state, struct relation *relation,
                     const char *column, enum phase phase);
/* DROP NOT NULL; its way back is guarded, proven and set again, each a step of its own. fill: the
 * value, over the row, of rows that are null by then; null: those stay, and the check with them. */
void relax_with_proof(struct work *work, const struct place *place, const char *column,
                      const char *fill);
/* COMMENT ON of a constraint that has one; null: it has none. */
const char *constraint_comment(const struct work *work, const struct relation *relation,
                               const struct constraint *c);
/* Takes a constraint off; its way back needs no scan under a strong lock and no blocking build.
 * The map says under which names its columns go by then. */
void constraint_remove(struct work *work, const struct place *place,
                       const struct constraint *constraint, const struct column_maps *maps);
/* The column's default is a sequence that it owns, or it is an identity. */
bool owns_sequence(const struct work *work, struct relation *relation, const struct column *column);
/* A check NOT VALID, then VALIDATE, in migrate. */
bool add_check_constraint(struct work *work, struct relation *relation, const char *name,
                          const char *expression);
/* ADD CONSTRAINT … NOT VALID and VALIDATE as two steps. `other`: the referenced table of a foreign
 * key, or null. `definition` is what stands after the name. */
struct new_constraint {
    struct place place;
    const struct relation *other;
    const char *name, *definition;
    const char *back; /* what VALIDATE's way back runs; null: nothing */
};
void constraint_in_two(struct work *work, const struct new_constraint *wanted);

/* --- functions with plain bodies (function.c) ------------------------------------------------ */

/* A column and its new name. */
struct new_name {
    const struct state *state;
    const struct relation *relation;
    const char *from, *to;
};

/* Statements that re-create every function whose body names the column, with the new name (up) and
 * as it was (down), added to the step. Refuses, naming the function, where that is not safe. */
bool functions_follow_rename(struct work *work, const struct new_name *rename, struct step *step);
/* Sessions keep the types that a plpgsql function met and fail with "type of parameter does not
 * match" once one changes: CREATE OR REPLACE, with nothing replaced, makes them look again. For the
 * triggers of the place's relation and whatever names it. */
void functions_made_again(const struct work *work, const struct place *place, struct step *step);

#endif
