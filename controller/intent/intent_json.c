#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/intent/reading.h"

/* How a key's value is kept. RAW: in `fields` only, for operations that look there themselves. */
enum value_kind { VALUE_TEXT, VALUE_TEXTS, VALUE_FLAG, VALUE_OBJECT };

struct key {
    const char *name;
    enum value_kind kind;
    size_t offset;
};

#define TEXT_KEY(name, field)                            \
    {                                                    \
        name, VALUE_TEXT, offsetof(struct intent, field) \
    }
#define TEXTS_KEY(name, field)                            \
    {                                                     \
        name, VALUE_TEXTS, offsetof(struct intent, field) \
    }
#define FLAG_KEY(name, field)                            \
    {                                                    \
        name, VALUE_FLAG, offsetof(struct intent, field) \
    }

static const struct key keys[] = {
    TEXT_KEY("column", column),
    TEXT_KEY("to", to),
    TEXT_KEY("type", type),
    TEXT_KEY("default", default_expr),
    TEXT_KEY("backfill", backfill),
    TEXT_KEY("fill", fill),
    TEXT_KEY("using", using_expr),
    TEXT_KEY("using_back", using_back),
    TEXT_KEY("on_failure", on_failure),
    TEXT_KEY("name", name),
    TEXT_KEY("expression", expression),
    TEXT_KEY("on_delete", on_delete),
    TEXT_KEY("on_update", on_update),
    TEXT_KEY("match", match),
    TEXT_KEY("orphans", orphans),
    TEXT_KEY("duplicates", duplicates),
    TEXT_KEY("method", method),
    TEXT_KEY("where", where),
    TEXT_KEY("definition", definition),
    TEXT_KEY("check", check),
    TEXT_KEY("identity", identity),
    TEXT_KEY("identity_options", identity_options),
    TEXT_KEY("written", written),
    TEXT_KEY("generated", generated),
    TEXT_KEY("collation", collation),
    TEXT_KEY("text", text),
    TEXT_KEY("irreversible", irreversible),
    TEXT_KEY("phase", phase),
    TEXT_KEY("note", note),
    TEXT_KEY("value", value),
    TEXT_KEY("before", before),
    TEXT_KEY("after", after),
    TEXT_KEY("order", order),
    TEXTS_KEY("columns", columns),
    TEXTS_KEY("expressions", expressions),
    TEXTS_KEY("include", include),
    TEXTS_KEY("opclass", opclass),
    TEXTS_KEY("up", up),
    TEXTS_KEY("down", down),
    FLAG_KEY("nullable", nullable),
    FLAG_KEY("unique", unique),
    FLAG_KEY("deferrable", deferrable),
    FLAG_KEY("deferred", deferred),
    FLAG_KEY("nulls_not_distinct", nulls_not_distinct),
    FLAG_KEY("accept_loss", accept_loss),
    FLAG_KEY("not_valid", not_valid),
    FLAG_KEY("transaction", transaction),
    { "set", VALUE_OBJECT, offsetof(struct intent, set) },
};

bool intent_wrong_key(struct intent_reading *r, const char *key, const char *hint)
{
    bool good = intent_wrong(r, key, "unknown key", hint);
    r->problems->items[r->problems->count - 1].key = true;
    return good;
}

/* A list of texts; one text stands for a list of one. */
static bool read_texts(struct intent_reading *r, const char *key, const json_t *value,
                       struct intent_texts *out)
{
    size_t count = json_is_array(value) ? json_array_size(value) : 1;
    const char **items = mem_array(r->ctx, const char *, count);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_is_array(value) ? json_array_get(value, i) : value;
        if (!json_is_string(item) || json_string_length(item) == 0) {
            SCOPE(tmp);
            const char *at = json_is_array(value) ? mem_printf(tmp, "%s/%zu", key, i) : key;
            return intent_wrong(r, at, "expected a list of texts", "write [first, second]");
        }
        items[i] = mem_text(r->ctx, json_string_value(item));
    }
    if (count == 0) {
        return intent_wrong(r, key, "the list is empty", "name at least one, or leave the key out");
    }
    *out = (struct intent_texts){ items, count };
    return true;
}

static bool read_known(struct intent_reading *r, const struct key *key, const json_t *value)
{
    char *field = (char *)r->intent + key->offset;
    if (r->intent->operation == INTENT_CREATE_TABLE && key->kind != VALUE_TEXT) {
        return true; /* columns, unique: intent_nested.c; the compiler reads them from `fields` */
    }
    switch (key->kind) {
    case VALUE_TEXT:
        if (r->intent->operation == INTENT_PARTITION_TABLE && json_is_boolean(value) &&
            text_eq(key->name, "default")) {
            return true; /* whether there is a default partition: read from `fields` */
        }
        if (!json_is_string(value)) {
            return intent_wrong(r, key->name, "expected text",
                                "put it in quotes if it looks otherwise");
        }
        if (json_string_length(value) == 0 && !text_eq(key->name, "text")) {
            return intent_wrong(r, key->name, "the text is empty",
                                "write one, or leave the key out");
        }
        *(const char **)(void *)field = mem_text(r->ctx, json_string_value(value));
        return true;
    case VALUE_TEXTS: return read_texts(r, key->name, value, (struct intent_texts *)(void *)field);
    case VALUE_FLAG:
        if (!json_is_boolean(value)) {
            return intent_wrong(r, key->name, "expected true or false", "write true or false");
        }
        *(bool *)(void *)field = json_is_true(value);
        return true;
    case VALUE_OBJECT:
        if (!json_is_object(value) || json_object_size(value) == 0) {
            return intent_wrong(r, key->name, "expected {column: expression}",
                                "write set: { column: \"expression\" }");
        }
        *(json_t **)(void *)field = json_own(r->ctx, json_deep_copy(value));
        return true;
    }
    return true;
}

static bool read_name(struct intent_reading *r, const char *key, const json_t *value,
                      struct object_name *out)
{
    struct error why;
    if (!json_is_string(value)) {
        return intent_wrong(r, key, "expected a name", "write table or schema.table");
    }
    if (!object_name_parse(r->ctx, json_string_value(value), out, &why)) {
        return intent_wrong(r, key, why.message, why.hint);
    }
    return true;
}

/* references: {table, columns} or "table(column)". */
static bool read_references(struct intent_reading *r, const json_t *value)
{
    struct object_name *target = &r->intent->target;
    if (json_is_string(value)) {
        return read_name(r, "references", value, target);
    }
    if (!json_is_object(value) ||
        !read_name(r, "references", json_object_get(value, "table"), target)) {
        return json_is_object(value) ? false
                                     : intent_wrong(r, "references", "expected {table, columns}",
                                                    "write references: { table: t, columns: [c] }");
    }
    const json_t *columns = json_object_get(value, "columns");
    const char *key;
    json_t *ignored;
    json_object_foreach((json_t *)(uintptr_t)value, key, ignored) {
        if (!text_eq(key, "table") && !text_eq(key, "columns")) {
            SCOPE(tmp);
            return intent_wrong_key(r, mem_printf(tmp, "references/%s", key),
                                    "write references: { table: t, columns: [c] }");
        }
    }
    if (columns) {
        struct intent_texts list = { 0 };
        if (!read_texts(r, "references/columns", columns, &list)) {
            return false;
        }
        target->columns = list.items;
        target->column_count = list.count;
    }
    return true;
}

static bool read_propagate(struct intent_reading *r, const json_t *value)
{
    if (json_is_boolean(value)) {
        r->intent->propagate = json_is_true(value);
        return true;
    }
    if (!json_is_array(value)) {
        return intent_wrong(r, "propagate", "expected true, false or a list of services",
                            "write propagate: [orders, shipping]");
    }
    return read_texts(r, "propagate", value, &r->intent->propagate_to);
}

static bool read_key(struct intent_reading *r, const char *name, const json_t *value)
{
    bool required;
    if (!intent_takes(r->intent->operation, name, &required)) {
        SCOPE(tmp);
        const char *const *known;
        size_t count = intent_keys(tmp, r->intent->operation, &known);
        const char *near = text_nearest(name, known, count);
        return intent_wrong_key(r, name,
                                near ? mem_printf(tmp, "did you mean \"%s\"?", near)
                                     : "see the vocabulary of intents in the documentation");
    }
    if (text_eq(name, "service")) {
        if (!json_is_string(value) || json_string_length(value) == 0) {
            return intent_wrong(r, name, "expected the name of a service", "write service: NAME");
        }
        r->intent->service = mem_text(r->ctx, json_string_value(value));
        return true;
    }
    if (text_eq(name, "table")) {
        return read_name(r, name, value, &r->intent->table);
    }
    if (text_eq(name, "references")) {
        return read_references(r, value);
    }
    if (text_eq(name, "propagate")) {
        return read_propagate(r, value);
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (text_eq(keys[i].name, name)) {
            return read_known(r, &keys[i], value);
        }
    }
    return true;
}

/* Some key that is none was meant to be this one: then one error is enough. */
static bool is_misspelt(const json_t *fields, const char *missing, const char *const *known,
                        size_t count)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)fields, key, value) {
        bool there = false;
        for (size_t i = 0; i < count; i++) {
            there = there || text_eq(known[i], key);
        }
        if (!there && text_eq(text_nearest(key, known, count), missing)) {
            return true;
        }
    }
    return false;
}

static bool read_fields(struct intent_reading *r, json_t *fields)
{
    const char *key;
    json_t *value;
    bool good = true;
    json_object_foreach(fields, key, value) {
        good = read_key(r, key, value) && good;
    }
    SCOPE(tmp);
    const char *const *known;
    size_t count = intent_keys(tmp, r->intent->operation, &known);
    for (size_t i = 0; i < count; i++) {
        bool required = false;
        if (intent_takes(r->intent->operation, known[i], &required) && required &&
            !json_object_get(fields, known[i]) && !is_misspelt(fields, known[i], known, count)) {
            good = intent_wrong_at(r, known[i], false, "is missing",
                                   mem_printf(tmp, "add %s:", known[i]));
        }
    }
    good = intent_check_nested(r, fields) && good;
    /* What an intent means is asked once its keys are right. */
    return good && intent_check(r);
}

static bool operation_of(const json_t *json, struct intent *read, struct error *err)
{
    const char *near = NULL;
    if (!json_is_object(json) || json_object_size(json) != 1) {
        (void)fail(err, ERROR_INVALID, "an intent has exactly one key, the operation");
        return fail_hint(err, "write - rename_column: { service: S, table: T, … }");
    }
    void *first = json_object_iter((json_t *)(uintptr_t)json);
    const char *name = json_object_iter_key(first);
    if (!intent_from_name(name, &read->operation, &near)) {
        (void)fail(err, ERROR_INVALID, "unknown operation \"%s\"", name);
        return near ? fail_hint(err, "did you mean \"%s\"?", near)
                    : fail_hint(err, "see the vocabulary of intents in the documentation");
    }
    if (!json_is_object(json_object_iter_value(first))) {
        (void)fail(err, ERROR_INVALID, "%s: expected its keys in braces", name);
        return fail_hint(err, "write %s: { service: S, … }", name);
    }
    return true;
}

bool intent_from_json(const void *ctx, const json_t *json, struct intent *out,
                      struct intent_problems *problems)
{
    SCOPE(tmp);
    struct intent read = { .nullable = true, .propagate = true, .transaction = true };
    struct intent_reading r = { ctx, &read, problems };
    struct error err;
    if (!operation_of(json, &read, &err)) {
        const char *name = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)json));
        intent_complain(problems, json_object_size(json) == 1 ? mem_printf(tmp, "/%s", name) : "",
                        &err);
        problems->items[problems->count - 1].key = text_starts(err.message, "unknown operation");
        return false;
    }
    read.fields = json_own(ctx, json_deep_copy(json));
    if (!read_fields(&r, json_object_get(json, intent_name(read.operation)))) {
        return false;
    }
    *out = read;
    return true;
}

json_t *intents_to_json(const struct intents *intents)
{
    json_t *out = json_object(), *list = json_array();
    json_set_text(out, "title", intents->title);
    json_set_text(out, "note", intents->note);
    for (size_t i = 0; i < intents->count; i++) {
        json_array_append(list, intents->items[i].fields);
    }
    json_object_set_new(out, "intents", list);
    return out;
}
