#include "controller/sql/tree.h"

#include <stdint.h>
#include <string.h>

#include "controller/sql/ast.h"

static _Thread_local ProtobufCAllocator *arena;
static _Thread_local PgQuery__ParseResult *copied;

/* The linker gives these to who calls the library's own (`--wrap` in the Makefile). */
size_t __wrap_pg_query__parse_result__get_packed_size(const PgQuery__ParseResult *message);
size_t __wrap_pg_query__parse_result__pack(const PgQuery__ParseResult *message, uint8_t *out);

static void *room(size_t bytes)
{
    return arena->alloc(arena->allocator_data, bytes);
}

static ast_message *message_copy(const ast_message *m);

static char *string_copy(const char *s)
{
    if (!s || s == protobuf_c_empty_string) {
        return (char *)(uintptr_t)s;
    }
    size_t n = strlen(s) + 1;
    return memcpy(room(n), s, n);
}

static bool points(const ProtobufCFieldDescriptor *f)
{
    return f->type == PROTOBUF_C_TYPE_MESSAGE || f->type == PROTOBUF_C_TYPE_STRING;
}

static void *value_copy(const ProtobufCFieldDescriptor *f, void *value)
{
    return f->type == PROTOBUF_C_TYPE_MESSAGE ? (void *)message_copy(value)
                                              : (void *)string_copy(value);
}

static void one_copy(const ProtobufCFieldDescriptor *f, uint8_t *message)
{
    void **at = (void **)(void *)(message + f->offset);
    if (*at) {
        *at = value_copy(f, *at);
    }
}

/* Lists of numbers do not occur in the grammar's messages but for these: the same eight bytes. */
static size_t width(const ProtobufCFieldDescriptor *f)
{
    switch (f->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
    case PROTOBUF_C_TYPE_STRING: return sizeof(void *);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_DOUBLE: return sizeof(uint64_t);
    default: return sizeof(uint32_t);
    }
}

static void list_copy(const ProtobufCFieldDescriptor *f, uint8_t *message)
{
    size_t n = *(size_t *)(void *)(message + f->quantifier_offset);
    void **at = (void **)(void *)(message + f->offset);
    if (n == 0) {
        *at = NULL;
        return;
    }
    void *list = memcpy(room(n * width(f)), *at, n * width(f));
    void **items = list;
    for (size_t i = 0; points(f) && i < n; i++) {
        items[i] = value_copy(f, items[i]);
    }
    *at = list;
}

static void field_copy(const ProtobufCFieldDescriptor *f, uint8_t *message)
{
    if (f->label == PROTOBUF_C_LABEL_REPEATED) {
        list_copy(f, message);
    } else if (points(f)) {
        bool chosen = !(f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) ||
                      *(uint32_t *)(void *)(message + f->quantifier_offset) == f->id;
        if (chosen) {
            one_copy(f, message);
        }
    }
}

static ast_message *message_copy(const ast_message *m)
{
    if (!m) {
        return NULL;
    }
    const ProtobufCMessageDescriptor *d = m->descriptor;
    uint8_t *copy = memcpy(room(d->sizeof_message), m, d->sizeof_message);
    if (d == &pg_query__node__descriptor) { /* hundreds of fields, of which one is set */
        PgQuery__Node *node = (PgQuery__Node *)(void *)copy;
        if (node->node_case != PG_QUERY__NODE__NODE__NOT_SET) {
            one_copy(protobuf_c_message_descriptor_get_field(d, node->node_case), copy);
        }
        return (ast_message *)(void *)copy;
    }
    for (unsigned i = 0; i < d->n_fields; i++) {
        field_copy(&d->fields[i], copy);
    }
    return (ast_message *)(void *)copy;
}

size_t __wrap_pg_query__parse_result__get_packed_size(const PgQuery__ParseResult *message)
{
    if (!arena) {
        return protobuf_c_message_get_packed_size(&message->base);
    }
    copied = (PgQuery__ParseResult *)(void *)message_copy(&message->base);
    return 0;
}

size_t __wrap_pg_query__parse_result__pack(const PgQuery__ParseResult *message, uint8_t *out)
{
    return arena ? 0 : protobuf_c_message_pack(&message->base, out);
}

void tree_capture(ProtobufCAllocator *allocator)
{
    arena = allocator;
    copied = NULL;
}

PgQuery__ParseResult *tree_captured(void)
{
    PgQuery__ParseResult *result = copied;
    arena = NULL;
    copied = NULL;
    return result;
}
