/*
 * The shape of the catalog's structs as tables: which fields, of which kind, where. JSON in both
 * directions, fingerprints and diffs are walks over these tables, so a new field of a struct is one
 * more line in catalog_shape.c and nothing else.
 */
#ifndef AGENTS_PG_CATALOG_SHAPE_H
#define AGENTS_PG_CATALOG_SHAPE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "agents/base/error.h"

enum field_kind {
    FIELD_TEXT,  /* const char *; null is left out */
    FIELD_INT,   /* int */
    FIELD_INT64, /* int64_t */
    FIELD_BOOL,  /* bool */
    FIELD_CHAR,  /* char, spelled as a word; 0 is left out */
    FIELD_TEXTS, /* struct catalog_texts */
    FIELD_LIST,  /* pointer to structs of `shape`, their number at count_offset */
};

enum {
    FIELD_QUIET = 1,     /* left out of the JSON when it has its usual value (`usual`, false, {}) */
    FIELD_STATISTIC = 2, /* changes without DDL: no part of fingerprints and diffs */
    FIELD_DERIVED = 4,   /* follows from other fields or from the place: likewise */
};

struct word {
    char c;
    const char *word;
};

struct shape;

struct field {
    const char *key;
    enum field_kind kind;
    size_t offset;
    size_t count_offset;       /* FIELD_LIST */
    const struct shape *shape; /* FIELD_LIST */
    const struct word *words;  /* FIELD_CHAR; ends with 0 */
    int usual;                 /* of numbers */
    unsigned flags;
};

struct shape {
    const char *name; /* "column", "index": what diffs call it */
    size_t size;
    const struct field *fields; /* ends with a null key */
};

extern const struct shape catalog_shape;
extern const struct shape relation_shape;
extern const struct shape column_shape;
extern const struct shape type_shape;
extern const struct shape function_shape;
extern const struct shape sequence_shape;

/* The word of a character, null when the table has none; and back, 0 when there is none. */
const char *shape_word(const struct field *field, char c);
char shape_char(const struct field *field, const char *word);

/* One object to JSON; `whole` is false for the form that fingerprints are over: without statistics
 * and derived fields. */
json_t *shape_to_json(const struct shape *shape, const void *object, bool whole);

/* Fills a zeroed object; lists and texts are owned by ctx. The error names the path. */
bool shape_from_json(const void *ctx, const struct shape *shape, const json_t *json, void *object,
                     struct error *err) MUSTCHECK;

#endif
