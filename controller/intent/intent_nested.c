#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/intent/reading.h"

/* What stands under a key of an object within an intent; a text unless it is a flag. */
struct field {
    const char *name;
    bool must, flag;
};

struct shape {
    const char *example;
    size_t count;
    struct field fields[8];
};

static const struct shape new_column = { "{ column: id, type: bigint }",
                                         8,
                                         { { "column", true, false },
                                           { "type", true, false },
                                           { "nullable", false, true },
                                           { "default", false, false },
                                           { "identity", false, false },
                                           { "generated", false, false },
                                           { "check", false, false },
                                           { "references", false, false } } };
static const struct shape piece = {
    "{ column: first, type: text, using: \"split_part(c, ' ', 1)\" }",
    4,
    { { "column", true, false },
      { "type", false, false },
      { "using", false, false },
      { "nullable", false, true } }
};
static const struct shape check = { "{ expression: \"amount > 0\" }",
                                    1,
                                    { { "expression", true, false } } };

/* PostgreSQL's NAMEDATALEN - 1: names and labels have at most so many bytes. */
enum { LABEL_BYTES = 63 };

static bool check_one_text(struct intent_reading *r, const char *place, const json_t *value)
{
    if (!json_is_string(value)) {
        return intent_wrong(r, place, "expected text", "put it in quotes if it looks otherwise");
    }
    if (json_string_length(value) == 0) {
        return intent_wrong(r, place, "the text is empty", "write one, or leave it out");
    }
    return true;
}

static bool check_field(struct intent_reading *r, const char *place, const struct field *field,
                        const json_t *value)
{
    if (field->flag && !json_is_boolean(value)) {
        return intent_wrong(r, place, "expected true or false", "write true or false");
    }
    if (text_eq(field->name, "identity") && json_is_string(value)) {
        return intent_word(r, place, json_string_value(value), "always|by_default");
    }
    return field->flag || check_one_text(r, place, value);
}

/* A key that the object may not have; *meant is the one that it may be a slip for. */
static bool unknown_field(struct intent_reading *r, const char *place, const char *key,
                          const struct shape *shape, const char **meant)
{
    SCOPE(tmp);
    const char *names[8];
    struct text all = text_init(tmp, TEXT_LINE);
    for (size_t i = 0; i < shape->count; i++) {
        names[i] = shape->fields[i].name;
        text_addf(&all, "%s%s", i ? ", " : "one of ", names[i]);
    }
    *meant = text_nearest(key, names, shape->count);
    return intent_wrong_key(r, mem_printf(tmp, "%s/%s", place, key),
                            *meant ? mem_printf(tmp, "did you mean \"%s\"?", *meant) : all.data);
}

static bool check_object(struct intent_reading *r, const char *place, const json_t *value,
                         const struct shape *shape)
{
    SCOPE(tmp);
    const char *key, *meant[8] = { NULL };
    json_t *item;
    bool good = true;
    if (!json_is_object(value)) {
        return intent_wrong(r, place, "expected its keys in braces",
                            mem_printf(tmp, "write %s", shape->example));
    }
    json_object_foreach((json_t *)(uintptr_t)value, key, item) {
        const struct field *field = NULL;
        const char *near = NULL;
        for (size_t i = 0; i < shape->count; i++) {
            field = text_eq(shape->fields[i].name, key) ? &shape->fields[i] : field;
        }
        good = (field ? check_field(r, mem_printf(tmp, "%s/%s", place, key), field, item)
                      : unknown_field(r, place, key, shape, &near)) &&
               good;
        for (size_t i = 0; near && i < shape->count; i++) {
            meant[i] = text_eq(shape->fields[i].name, near) ? near : meant[i];
        }
    }
    for (size_t i = 0; i < shape->count; i++) {
        const char *name = shape->fields[i].name;
        if (shape->fields[i].must && !json_object_get(value, name) && !meant[i]) {
            good = intent_wrong(r, place, mem_printf(tmp, "%s is missing", name),
                                mem_printf(tmp, "add %s:", name));
        }
    }
    return good;
}

static bool is_list(struct intent_reading *r, const char *key, const json_t *value,
                    const char *example)
{
    SCOPE(tmp);
    if (!json_is_array(value)) {
        return intent_wrong(r, key, "expected a list",
                            mem_printf(tmp, "write %s: [%s]", key, example));
    }
    if (json_array_size(value) == 0) {
        return intent_wrong(r, key, "the list is empty",
                            mem_printf(tmp, "name at least one: [%s]", example));
    }
    return true;
}

/* A list of objects, no two of them about the same column. */
static bool check_objects(struct intent_reading *r, const char *key, const json_t *list,
                          const struct shape *shape)
{
    SCOPE(tmp);
    bool good = is_list(r, key, list, shape->example);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const char *place = mem_printf(tmp, "%s/%zu", key, i);
        good = check_object(r, place, item, shape) && good;
        const char *name = json_is_object(item) ? json_text_of(item, "column") : NULL;
        for (size_t k = 0; name && k < i; k++) {
            const json_t *other = json_array_get(list, k);
            if (json_is_object(other) && text_eq(json_text_of(other, "column"), name)) {
                good = intent_wrong(r, mem_printf(tmp, "%s/column", place),
                                    "the column is in the list twice", "remove one");
                break;
            }
        }
    }
    return good;
}

static bool check_column_name(struct intent_reading *r, const char *place, const json_t *name,
                              const json_t *columns)
{
    SCOPE(tmp);
    const char **known = mem_array(tmp, const char *, json_array_size(columns));
    if (!check_one_text(r, place, name)) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(columns); i++) {
        known[i] = json_text_of(json_array_get(columns, i), "column");
        if (text_eq(known[i], json_string_value(name))) {
            return true;
        }
    }
    const char *near = text_nearest(json_string_value(name), known, json_array_size(columns));
    return intent_wrong(r, place,
                        mem_printf(tmp, "the table has no column \"%s\"", json_string_value(name)),
                        near ? mem_printf(tmp, "did you mean \"%s\"?", near)
                             : "name one of columns:, or add it there");
}

/* A column of the new table, or a list of some. */
static bool check_key(struct intent_reading *r, const char *place, const json_t *value,
                      const json_t *columns)
{
    SCOPE(tmp);
    bool good = true;
    if (!json_is_array(value)) {
        return check_column_name(r, place, value, columns);
    }
    if (json_array_size(value) == 0) {
        return intent_wrong(r, place, "the list is empty", "name at least one column");
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *name = json_array_get(value, i);
        const char *at = mem_printf(tmp, "%s/%zu", place, i);
        good = check_column_name(r, at, name, columns) && good;
        for (size_t k = 0; k < i; k++) {
            if (json_is_string(name) && json_equal(name, json_array_get(value, k))) {
                good = intent_wrong(r, at, "the column is in the list twice", "remove one");
                break;
            }
        }
    }
    return good;
}

static bool check_table(struct intent_reading *r, const json_t *fields)
{
    SCOPE(tmp);
    const json_t *columns = json_object_get(fields, "columns");
    const json_t *primary = json_object_get(fields, "primary_key");
    const json_t *unique = json_object_get(fields, "unique");
    const json_t *checks = json_object_get(fields, "checks");
    bool named = columns && check_objects(r, "columns", columns, &new_column), good = named;
    /* Which columns there are is not known before they are right. */
    if (named && primary) {
        good = check_key(r, "primary_key", primary, columns) && good;
    }
    if (unique && !is_list(r, "unique", unique, "[a, b]")) {
        good = false;
    }
    for (size_t i = 0; named && i < json_array_size(unique); i++) {
        good = check_key(r, mem_printf(tmp, "unique/%zu", i), json_array_get(unique, i), columns) &&
               good;
    }
    if (checks && !is_list(r, "checks", checks, "\"amount > 0\"")) {
        good = false;
    }
    for (size_t i = 0; i < json_array_size(checks); i++) {
        const json_t *item = json_array_get(checks, i);
        const char *place = mem_printf(tmp, "checks/%zu", i);
        good = (json_is_object(item) ? check_object(r, place, item, &check)
                                     : check_one_text(r, place, item)) &&
               good;
    }
    return good;
}

static bool check_split(struct intent_reading *r, const json_t *fields)
{
    const json_t *into = json_object_get(fields, "into");
    const json_t *back = json_object_get(fields, "merge_back");
    const json_t *keep = json_object_get(fields, "keep_old");
    bool good = !into || check_objects(r, "into", into, &piece);
    good = (!back || check_one_text(r, "merge_back", back)) && good;
    if (keep && !json_is_boolean(keep)) {
        good = intent_wrong(r, "keep_old", "expected true or false", "write true or false");
    }
    return good;
}

static bool check_labels(struct intent_reading *r, const json_t *fields)
{
    SCOPE(tmp);
    const json_t *values = json_object_get(fields, "values");
    bool good = !values || is_list(r, "values", values, "first, second");
    for (size_t i = 0; i < json_array_size(values); i++) {
        const json_t *label = json_array_get(values, i);
        const char *place = mem_printf(tmp, "values/%zu", i);
        bool text = check_one_text(r, place, label);
        good = text && good;
        if (text && json_string_length(label) > LABEL_BYTES) {
            good = intent_wrong(r, place, "the label is longer than 63 bytes", "shorten it");
        }
        for (size_t k = 0; text && k < i; k++) {
            if (json_equal(label, json_array_get(values, k))) {
                good = intent_wrong(r, place, "the value is in the list twice", "remove one");
                break;
            }
        }
    }
    return good;
}

bool intent_check_nested(struct intent_reading *r, const json_t *fields)
{
    switch (r->intent->operation) {
    case INTENT_CREATE_TABLE: return check_table(r, fields);
    case INTENT_SPLIT_COLUMN: return check_split(r, fields);
    case INTENT_CREATE_ENUM: return check_labels(r, fields);
    default: return true;
    }
}
