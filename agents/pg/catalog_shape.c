#include "agents/pg/catalog_shape.h"

#include "agents/base/text.h"
#include "agents/pg/catalog.h"

#define AT(f) .key = #f, .offset = offsetof(STRUCT, f)
#define TEXT(f, ...)                           \
    {                                          \
        AT(f), .kind = FIELD_TEXT, __VA_ARGS__ \
    }
#define INT(f, ...)                           \
    {                                         \
        AT(f), .kind = FIELD_INT, __VA_ARGS__ \
    }
#define INT64(f, ...)                           \
    {                                           \
        AT(f), .kind = FIELD_INT64, __VA_ARGS__ \
    }
#define BOOL(f, ...)                           \
    {                                          \
        AT(f), .kind = FIELD_BOOL, __VA_ARGS__ \
    }
#define CHAR(f, map, ...)                                    \
    {                                                        \
        AT(f), .kind = FIELD_CHAR, .words = map, __VA_ARGS__ \
    }
#define TEXTS(f, ...)                           \
    {                                           \
        AT(f), .kind = FIELD_TEXTS, __VA_ARGS__ \
    }
#define LIST(f, n, s, ...)                                                                       \
    {                                                                                            \
        AT(f), .kind = FIELD_LIST, .count_offset = offsetof(STRUCT, n), .shape = &s, __VA_ARGS__ \
    }
#define QUIET     .flags = FIELD_QUIET
#define STATISTIC .flags = FIELD_STATISTIC
#define DERIVED   .flags = FIELD_DERIVED

static const struct word identity_words[] = { { 'a', "always" }, { 'd', "by default" }, { 0 } };
static const struct word generated_words[] = { { 's', "stored" }, { 'v', "virtual" }, { 0 } };
static const struct word constraint_words[] = {
    { 'c', "check" },     { 'f', "foreign key" }, { 'p', "primary key" }, { 'u', "unique" },
    { 'x', "exclusion" }, { 'n', "not null" },    { 't', "trigger" },     { 0 },
};
static const struct word action_words[] = {
    { 'a', "no action" }, { 'r', "restrict" },    { 'c', "cascade" },
    { 'n', "set null" },  { 'd', "set default" }, { 0 },
};
static const struct word enabled_words[] = {
    { 'O', "origin" }, { 'D', "disabled" }, { 'R', "replica" }, { 'A', "always" }, { 0 },
};
static const struct word command_words[] = {
    { 'r', "select" }, { 'a', "insert" }, { 'w', "update" },
    { 'd', "delete" }, { '*', "all" },    { 0 },
};
static const struct word relation_words[] = {
    { 'r', "table" },         { 'p', "partitioned table" },
    { 'v', "view" },          { 'm', "materialized view" },
    { 'f', "foreign table" }, { 0 },
};
static const struct word persistence_words[] = {
    { 'p', "permanent" }, { 'u', "unlogged" }, { 't', "temporary" }, { 0 }
};
static const struct word replica_words[] = {
    { 'd', "default" }, { 'n', "nothing" }, { 'f', "full" }, { 'i', "index" }, { 0 }
};
static const struct word type_words[] = {
    { 'e', "enum" }, { 'd', "domain" }, { 'c', "composite" }, { 'r', "range" }, { 0 }
};
static const struct word function_words[] = {
    { 'f', "function" }, { 'p', "procedure" }, { 'a', "aggregate" }, { 'w', "window" }, { 0 }
};
static const struct word volatility_words[] = {
    { 'i', "immutable" }, { 's', "stable" }, { 'v', "volatile" }, { 0 }
};

#define STRUCT struct column
static const struct field column_fields[] = {
    TEXT(name),
    INT(number, DERIVED),
    TEXT(type),
    BOOL(not_null),
    TEXT(default_expr),
    CHAR(identity, identity_words),
    CHAR(generated, generated_words),
    TEXT(collation),
    TEXT(options),
    TEXT(storage),
    INT(statistics, QUIET, .usual = -1),
    TEXT(compression),
    TEXT(attributes),
    TEXTS(acl, QUIET),
    TEXT(comment),
    BOOL(inherited, QUIET),
    { 0 },
};
#undef STRUCT

#define STRUCT struct constraint
static const struct field constraint_fields[] = {
    TEXT(name),
    CHAR(kind, constraint_words),
    TEXTS(columns),
    TEXT(definition),
    BOOL(validated),
    BOOL(deferrable, QUIET),
    BOOL(deferred, QUIET),
    TEXT(ref_schema),
    TEXT(ref_table),
    TEXTS(ref_columns, QUIET),
    CHAR(on_delete, action_words),
    CHAR(on_update, action_words),
    TEXT(index),
    BOOL(inherited, QUIET),
    TEXT(comment),
    { 0 },
};
#undef STRUCT

#define STRUCT struct index
static const struct field index_fields[] = {
    TEXT(name),
    TEXT(definition),
    TEXT(method),
    TEXTS(columns),
    INT(key_count),
    BOOL(unique),
    BOOL(primary),
    BOOL(valid),
    BOOL(ready),
    BOOL(nulls_not_distinct, QUIET),
    BOOL(clustered, .flags = FIELD_QUIET | FIELD_DERIVED),
    BOOL(has_expressions, QUIET),
    TEXT(predicate),
    TEXT(constraint),
    TEXT(comment),
    INT64(bytes, STATISTIC),
    { 0 },
};
#undef STRUCT

#define STRUCT struct trigger
static const struct field trigger_fields[] = {
    TEXT(name), TEXT(definition), CHAR(enabled, enabled_words), TEXT(function), { 0 },
};
#undef STRUCT

#define STRUCT struct policy
static const struct field policy_fields[] = {
    TEXT(name),
    CHAR(command, command_words),
    BOOL(permissive),
    TEXTS(roles),
    TEXT(using_expr),
    TEXT(check_expr),
    { 0 },
};
#undef STRUCT

#define STRUCT struct extra
static const struct field extra_fields[] = { TEXT(name), TEXT(sql), { 0 } };
#undef STRUCT

static const struct shape extra_shape = { "extra", sizeof(struct extra), extra_fields };
static const struct shape constraint_shape = { "constraint", sizeof(struct constraint),
                                               constraint_fields };
static const struct shape index_shape = { "index", sizeof(struct index), index_fields };
static const struct shape trigger_shape = { "trigger", sizeof(struct trigger), trigger_fields };
static const struct shape policy_shape = { "policy", sizeof(struct policy), policy_fields };
const struct shape column_shape = { "column", sizeof(struct column), column_fields };

#define STRUCT struct relation
static const struct field relation_fields[] = {
    TEXT(schema),
    TEXT(name),
    CHAR(kind, relation_words),
    CHAR(persistence, persistence_words),
    TEXT(owner),
    TEXTS(acl, QUIET),
    LIST(columns, column_count, column_shape),
    LIST(constraints, constraint_count, constraint_shape),
    LIST(indexes, index_count, index_shape),
    LIST(triggers, trigger_count, trigger_shape),
    LIST(policies, policy_count, policy_shape, QUIET),
    LIST(extras, extra_count, extra_shape, QUIET),
    TEXTS(rules, QUIET),
    TEXTS(statistics, QUIET),
    TEXT(definition),
    TEXTS(options, QUIET),
    TEXT(partition_key),
    TEXT(partition_bound),
    TEXT(parent),
    TEXT(of_type, DERIVED),
    TEXT(tablespace, DERIVED),
    TEXT(access_method, DERIVED),
    BOOL(row_security, QUIET),
    BOOL(force_row_security, QUIET),
    CHAR(replica_identity, replica_words),
    TEXT(server),
    TEXT(foreign_schema),
    TEXT(foreign_table),
    TEXT(comment),
    INT64(rows, STATISTIC, .usual = -1),
    INT64(bytes, STATISTIC),
    TEXTS(reads, .flags = FIELD_QUIET | FIELD_DERIVED),
    BOOL(incomplete, QUIET),
    { 0 },
};
#undef STRUCT

#define STRUCT struct type
static const struct field type_fields[] = {
    TEXT(schema),
    TEXT(name),
    CHAR(kind, type_words),
    TEXT(owner),
    TEXTS(labels, QUIET),
    TEXT(base),
    BOOL(not_null, QUIET),
    TEXT(default_expr),
    TEXTS(constraints, QUIET),
    TEXTS(attributes, QUIET),
    TEXTS(acl, QUIET),
    { 0 },
};
#undef STRUCT

#define STRUCT struct function
static const struct field function_fields[] = {
    TEXT(schema),
    TEXT(name),
    TEXT(arguments),
    TEXT(result),
    TEXT(language),
    CHAR(kind, function_words),
    CHAR(volatility, volatility_words),
    BOOL(security_definer, QUIET),
    TEXT(body),
    TEXT(definition),
    TEXTS(config, QUIET),
    TEXT(owner),
    TEXTS(acl, QUIET),
    TEXTS(reads, .flags = FIELD_QUIET | FIELD_DERIVED),
    { 0 },
};
#undef STRUCT

#define STRUCT struct sequence
static const struct field sequence_fields[] = {
    TEXT(schema),       TEXT(name),        TEXT(type),         INT64(start),
    INT64(increment),   INT64(min),        INT64(max),         INT64(cache),
    BOOL(cycle, QUIET), TEXT(owned_table), TEXT(owned_column), BOOL(identity, QUIET),
    TEXT(owner),        TEXTS(acl, QUIET), TEXT(comment),      { 0 },
};
#undef STRUCT

#define STRUCT struct schema
static const struct field schema_fields[] = { TEXT(name), TEXT(owner), TEXTS(acl, QUIET), { 0 } };
#undef STRUCT

#define STRUCT struct extension
static const struct field extension_fields[] = { TEXT(name), TEXT(version), TEXT(schema), { 0 } };
#undef STRUCT

#define STRUCT struct foreign_server
static const struct field server_fields[] = {
    TEXT(name), TEXT(wrapper), TEXT(owner), TEXT(host), TEXT(port), TEXT(database), { 0 },
};
#undef STRUCT

#define STRUCT struct publication
static const struct field publication_fields[] = {
    TEXT(name),    BOOL(all_tables),       TEXT(publish),
    TEXTS(tables), TEXTS(filtered, QUIET), TEXTS(filters, QUIET),
    { 0 },
};
#undef STRUCT

#define STRUCT struct subscription
static const struct field subscription_fields[] = {
    TEXT(name), TEXTS(publications), TEXT(slot), BOOL(enabled), { 0 },
};
#undef STRUCT

#define STRUCT struct event_trigger
static const struct field event_trigger_fields[] = {
    TEXT(name),         TEXT(event), TEXT(function), TEXT(owner), CHAR(enabled, enabled_words),
    TEXTS(tags, QUIET), { 0 },
};
#undef STRUCT

#define STRUCT struct migration_history
static const struct field history_fields[] = { TEXT(tool), TEXT(schema), TEXT(table), { 0 } };
#undef STRUCT

#define STRUCT struct unreadable
static const struct field unreadable_fields[] = { TEXT(object), TEXT(reason), { 0 } };
#undef STRUCT

static const struct shape schema_shape = { "schema", sizeof(struct schema), schema_fields };
static const struct shape extension_shape = { "extension", sizeof(struct extension),
                                              extension_fields };
static const struct shape server_shape = { "server", sizeof(struct foreign_server), server_fields };
static const struct shape publication_shape = { "publication", sizeof(struct publication),
                                                publication_fields };
static const struct shape subscription_shape = { "subscription", sizeof(struct subscription),
                                                 subscription_fields };
static const struct shape event_trigger_shape = { "event trigger", sizeof(struct event_trigger),
                                                  event_trigger_fields };
static const struct shape history_shape = { "migration history", sizeof(struct migration_history),
                                            history_fields };
static const struct shape unreadable_shape = { "unreadable", sizeof(struct unreadable),
                                               unreadable_fields };
const struct shape relation_shape = { "relation", sizeof(struct relation), relation_fields };
const struct shape type_shape = { "type", sizeof(struct type), type_fields };
const struct shape function_shape = { "function", sizeof(struct function), function_fields };
const struct shape sequence_shape = { "sequence", sizeof(struct sequence), sequence_fields };

#define STRUCT struct catalog
static const struct field catalog_fields[] = {
    TEXT(database, DERIVED),
    INT(server_version, DERIVED),
    TEXT(server_port, DERIVED),
    TEXT(search_path, DERIVED),
    TEXT(time_zone, DERIVED),
    LIST(schemas, schema_count, schema_shape),
    LIST(relations, relation_count, relation_shape),
    LIST(types, type_count, type_shape),
    LIST(functions, function_count, function_shape),
    LIST(sequences, sequence_count, sequence_shape),
    LIST(extensions, extension_count, extension_shape),
    TEXTS(available_extensions, DERIVED),
    LIST(servers, server_count, server_shape),
    LIST(publications, publication_count, publication_shape),
    LIST(subscriptions, subscription_count, subscription_shape),
    LIST(event_triggers, event_trigger_count, event_trigger_shape, QUIET),
    LIST(histories, history_count, history_shape, DERIVED),
    LIST(unreadable, unreadable_count, unreadable_shape, DERIVED),
    { 0 },
};
#undef STRUCT

const struct shape catalog_shape = { "catalog", sizeof(struct catalog), catalog_fields };

const char *shape_word(const struct field *field, char c)
{
    for (const struct word *w = field->words; w->c; w++)
        if (w->c == c)
            return w->word;
    return NULL;
}

char shape_char(const struct field *field, const char *word)
{
    for (const struct word *w = field->words; w->c; w++)
        if (text_eq(w->word, word))
            return w->c;
    return 0;
}
