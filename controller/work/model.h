/*
 * The catalog as the intents so far leave it. Families change it through these functions, so that
 * intents behind them see what will be there by then. Lists grow by copies on the work's context;
 * a pointer into one does not survive an addition to it.
 */
#ifndef CONTROLLER_WORK_MODEL_H
#define CONTROLLER_WORK_MODEL_H

#include "controller/work/work.h"

struct column *model_add_column(const struct work *work, struct relation *relation,
                                const struct column *column);
void model_drop_column(const struct work *work, struct state *state, struct relation *relation,
                       const char *name);
void model_rename_column(const struct work *work, struct state *state, struct relation *relation,
                         const char *from, const char *to);
void model_add_constraint(const struct work *work, struct relation *relation,
                          const struct constraint *constraint);
void model_drop_constraint(const struct work *work, struct relation *relation, const char *name);
void model_add_index(const struct work *work, struct relation *relation, const struct index *index);
void model_drop_index(const struct work *work, struct relation *relation, const char *name);
struct relation *model_add_relation(const struct work *work, struct state *state,
                                    const struct relation *relation);
void model_drop_relation(const struct work *work, struct state *state,
                         const struct relation *relation);
void model_add_type(const struct work *work, struct state *state, const struct type *type);
void model_drop_type(struct state *state, const struct type *type);
void model_add_function(const struct work *work, struct state *state,
                        const struct function *function);
void model_drop_function(struct state *state, const struct function *function);
/* The last one of that name, and how many there are; schema null: any. */
const struct function *model_function(const struct state *state, const char *schema,
                                      const char *name, size_t *count);
void model_add_sequence(const struct work *work, struct state *state,
                        const struct sequence *sequence);
void model_drop_sequence(struct state *state, const struct sequence *sequence);
/* In the place of one with its name. */
void model_add_trigger(const struct work *work, struct relation *relation,
                       const struct trigger *trigger);
void model_drop_trigger(struct relation *relation, const struct trigger *trigger);
void model_drop_policy(struct relation *relation, const struct policy *policy);
void model_rename_relation(const struct work *work, struct state *state, struct relation *relation,
                           const char *to);
void model_rename_constraint(struct relation *relation, const char *from, const char *to);
void model_rename_index(struct state *state, const char *from, const char *to);
void model_rename_type(const struct work *work, struct state *state, struct type *type,
                       const char *to);
/* A key, an expression or the condition of the index names the column. */
bool index_has_column(const struct index *index, const char *column);

struct catalog_texts texts_of(const struct work *work, const char *const *items, size_t count);
bool texts_have(const struct catalog_texts *texts, const char *name);

#endif
