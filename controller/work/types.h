/*
 * Types: how they are called, which changes of them cost or lose nothing, how a value is turned
 * into another type (conversion.c), who uses the service's own ones (type_use.c).
 */
#ifndef CONTROLLER_WORK_TYPES_H
#define CONTROLLER_WORK_TYPES_H

#include "controller/work/work.h"

/* The type as format_type prints it: aliases resolved, schema of the service's own types added. */
const char *type_name(const struct work *work, const struct state *state, const char *written);
/* What a column of the type holds: of a domain the type below it, else the type itself. A new
 * column of a domain with a constraint has the table written anew. */
const char *type_below(const struct work *work, const struct state *state, const char *type);
/* ALTER COLUMN TYPE from -> to neither rewrites nor re-checks the table. */
bool type_in_place(const char *from, const char *to);
/* A change of type in a service (whose time zone counts). */
struct type_change {
    const struct state *state;
    const char *from, *to;
};

/* SQL that turns `value` into the other type, independent of session settings if possible. */
const char *type_cast(const struct work *work, const struct type_change *change, const char *value);
/* The same with null for what the type cannot hold; *may_raise when some values still raise. */
const char *type_cast_guarded(const struct work *work, const struct type_change *change,
                              const char *value, bool *may_raise);
/* " COLLATE …" with its names quoted; "" for null. */
const char *collate(const struct work *work, const char *collation);
/* Every value of `from` has an equal one in `to`. */
bool type_lossless(const char *from, const char *to);

/* --- the service's own types (type_use.c) ------------------------------------- */

/* "app.mood", "\"app\".\"mood\"[]": the type, or an array of it. */
bool type_is(const struct work *work, const char *text, const struct type *type);
/* A list of arguments or a result names the type. */
bool type_mentioned(const struct work *work, const char *text, const struct type *type);
/* Two spellings of one type. */
bool type_same(const struct work *work, const char *a, const char *b);
/* A column that has the type ("t.c"); null: none. */
const char *type_user(const struct work *work, const struct state *state, const struct type *type);
#endif
