/*
 * An intent while it is read: intent_json.c takes the keys, intent_nested.c looks at the lists
 * and objects below them, intent_check.c asks whether the values make sense together. For these
 * three files.
 */
#ifndef CONTROLLER_INTENT_READING_H
#define CONTROLLER_INTENT_READING_H

#include "controller/intent/intent.h"

struct intent_reading {
    const void *ctx;
    struct intent *intent;
    struct intent_problems *problems;
};

/* Adds a problem at `key`; false. Not `there`: the key is missing, the place is the operation's. */
bool intent_wrong_at(struct intent_reading *r, const char *key, bool there, const char *what,
                     const char *hint) MUSTCHECK;
bool intent_wrong(struct intent_reading *r, const char *key, const char *what,
                  const char *hint) MUSTCHECK;
/* The same for a key that there is not. */
bool intent_wrong_key(struct intent_reading *r, const char *key, const char *hint) MUSTCHECK;
/* Whether the value (null: absent) is one of "a|b|c". */
bool intent_word(struct intent_reading *r, const char *key, const char *value,
                 const char *words) MUSTCHECK;

/* The columns and keys of create_table, the pieces of split_column, the values of create_enum:
 * known keys, nothing twice, no column that is not there. `fields` is what the operation holds. */
bool intent_check_nested(struct intent_reading *r, const json_t *fields) MUSTCHECK;

/* Words of which there are few, reasons for what loses, columns named once, a way back. */
bool intent_check(struct intent_reading *r) MUSTCHECK;

#endif
