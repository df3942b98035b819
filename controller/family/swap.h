/*
 * The exchange of change_type as it is written down: actions, each with its opposite. The way back
 * is the opposites in exact reverse. Only retype*.c include this.
 */
#ifndef CONTROLLER_FAMILY_SWAP_H
#define CONTROLLER_FAMILY_SWAP_H

#include "controller/family/retype.h"

struct swap {
    struct retype *r;
    struct work *work;
    struct step *step;
    struct step_texts ups, downs; /* downs in order of the ups: reversed at the end */
};

/* An action and its opposite; either may be null. */
void swap_act(struct swap *s, const char *up, const char *down);
const char *swap_alter(const struct swap *s, const struct relation *relation, const char *what);
const char *swap_column(const struct swap *s, const struct relation *relation, const char *column,
                        const char *what);
const char *swap_rename_column(const struct swap *s, const struct relation *relation,
                               const char *from, const char *to);
const char *swap_rename_constraint(const struct swap *s, const struct relation *relation,
                                   const char *from, const char *to);
const char *swap_add_constraint(const struct swap *s, const struct relation *relation,
                                const char *name, const char *definition);
const char *swap_drop_constraint(const struct swap *s, const struct relation *relation,
                                 const char *name);

/* The fresh column takes the name, the old one steps aside (retype_values.c). */
void swap_exchange_column(struct swap *s, const struct target *t);
/* Default, identity or owned sequence move to the new column. */
void swap_exchange_values(struct swap *s, const struct target *t);
/* The old column may be null from here on. */
void swap_relax(struct swap *s, const struct target *t);

#endif
