/*
 * What `approve` and `reject` have in common: a plan, the fleet when there is a manifest, the parts
 * that a person speaks about, and whether that person may.
 */
#ifndef CONTROLLER_DESK_SIGNING_H
#define CONTROLLER_DESK_SIGNING_H

#include "controller/desk/place.h"
#include "controller/terminal/plan_text.h"

/* The options that both have, for the list of a command's own. */
enum { SIGNING_AS = 0x3000, SIGNING_PHASE };
#define SIGNING_OPTIONS(who)                                                      \
    { "as", SIGNING_AS, "NAME", 0, who, 0 },                                      \
    {                                                                             \
        "phase", SIGNING_PHASE, "PHASE", 0, "only expand, migrate or contract", 0 \
    }

struct signing {
    const char *path; /* of the plan */
    const char *who;
    struct plan_choice choice;
    struct place place; /* plan always; fleet and store only with a manifest */
    struct part **parts;
    size_t count;
};

/* Reads one of them; as an argp parser does. */
error_t signing_option(struct signing *signing, int key, char *arg, struct argp_state *state);

/* Loads the plan and, when the manifest is there (or was named), the fleet and the state. Chooses
 * the parts: those that were asked for, which must be `who`'s to approve; without a service, those
 * of `who` (null: all). Without a manifest nobody can tell whose they are: then all that were asked
 * for. */
bool signing_begin(const void *ctx, const struct flags *flags, struct signing *signing,
                   struct error *err) MUSTCHECK;

/* The word of `who` about a part, to be filled in further. */
bool signing_word(const void *ctx, const struct signing *signing, const struct part *part,
                  struct store_word *out, struct error *err) MUSTCHECK;

#endif
