/*
 * An intent while it is read: intent_json.c takes the keys, intent_check.c asks whether their
 * values make sense together. For these two files.
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

/* Words of which there are few, reasons for what loses, columns named once, a way back. */
bool intent_check(struct intent_reading *r) MUSTCHECK;

#endif
