#include "controller/sql/ast.h"

#include <pg_query.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/sql/tree.h"

enum { ARENA_BLOCK = 64 * 1024, ARENA_ALIGN = 16 };

/* Blocks are talloc children of the arena; the tree is never freed piece by piece. */
struct arena {
    uint8_t *free;
    size_t left;
};

static void *arena_alloc(void *data, size_t size)
{
    struct arena *a = data;
    size = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    if (size > a->left) {
        size_t block = size > ARENA_BLOCK / 4 ? size : ARENA_BLOCK;
        void *fresh = talloc_size(a, block);
        if (block == size) {
            return fresh; /* a large one gets its own block; the current one goes on */
        }
        a->free = fresh;
        a->left = block;
    }
    void *out = a->free;
    a->free += size;
    a->left -= size;
    return out;
}

static void arena_free(void *data, void *pointer)
{
    (void)data;
    (void)pointer;
}

/* Byte offset of the parser's 1-based character position. */
static size_t byte_offset(const char *text, int cursor)
{
    size_t at = 0;
    for (int i = 1; i < cursor && text[at] != '\0'; i++) {
        at++;
        while (((unsigned char)text[at] & 0xC0) == 0x80) {
            at++;
        }
    }
    return at;
}

static bool said(const void *ctx, const char *text, const PgQueryError *e,
                 struct ast_problem *problem)
{
    problem->message = mem_text(ctx, e && e->message ? e->message : "the parser gave up");
    problem->offset = e ? byte_offset(text, e->cursorpos) : 0;
    return false;
}

bool ast_parse(const void *ctx, const char *text, struct ast **out, struct ast_problem *problem)
{
    struct ast *ast = mem_new(ctx, struct ast);
    struct arena *arena = mem_new(ast, struct arena);
    ProtobufCAllocator allocator = { arena_alloc, arena_free, arena };
    tree_capture(&allocator);
    PgQueryProtobufParseResult r = pg_query_parse_protobuf(text);
    ast->arena = arena;
    ast->tree = tree_captured();
    if (!r.error && !ast->tree) {
        ast->tree = pg_query__parse_result__unpack(&allocator, r.parse_tree.len,
                                                   (const uint8_t *)r.parse_tree.data);
    }
    bool ok = !r.error && ast->tree;
    if (ok) {
        *out = ast;
    } else {
        talloc_free(ast);
        said(ctx, text, r.error, problem);
    }
    pg_query_free_protobuf_parse_result(r);
    return ok;
}

bool ast_parse_plpgsql(const void *ctx, const char *text, char **json, struct ast_problem *problem)
{
    PgQueryPlpgsqlParseResult r = pg_query_parse_plpgsql(text);
    bool ok = !r.error && r.plpgsql_funcs;
    if (ok) {
        *json = talloc_strdup(ctx, r.plpgsql_funcs);
    } else {
        said(ctx, text, r.error, problem);
    }
    pg_query_free_plpgsql_parse_result(r);
    return ok;
}

bool ast_is(const ast_message *message, const ProtobufCMessageDescriptor *type)
{
    return message && message->descriptor == type;
}

const ast_message *ast_of(const PgQuery__Node *node)
{
    /* Every member of the union is a pointer to a message. */
    return node && node->node_case != PG_QUERY__NODE__NODE__NOT_SET
               ? (const ast_message *)(const void *)node->alias
               : NULL;
}

const ast_message *ast_unwrap(const ast_message *m)
{
    return ast_is(m, &pg_query__node__descriptor) ? ast_of((const PgQuery__Node *)(const void *)m)
                                                  : m;
}

void ast_walk_below(const ast_message *m, ast_visit visit, void *data)
{
    if (!m || ast_is(m, &pg_query__a__const__descriptor)) {
        return;
    }
    const ProtobufCMessageDescriptor *d = m->descriptor;
    for (unsigned i = 0; i < d->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &d->fields[i];
        const uint8_t *at = (const uint8_t *)m + f->offset;
        if (f->type != PROTOBUF_C_TYPE_MESSAGE) {
            continue;
        }
        if (f->label == PROTOBUF_C_LABEL_REPEATED) {
            size_t n = *(const size_t *)(const void *)((const uint8_t *)m + f->quantifier_offset);
            ast_message *const *list = *(ast_message *const *const *)(const void *)at;
            for (size_t j = 0; j < n; j++) {
                ast_walk(list[j], visit, data);
            }
        } else {
            ast_walk(*(const ast_message *const *)(const void *)at, visit, data);
        }
    }
}

void ast_walk(const ast_message *m, ast_visit visit, void *data)
{
    m = ast_unwrap(m);
    if (m && visit(m, data)) {
        ast_walk_below(m, visit, data);
    }
}

const char *ast_text(const void *ctx, const char *s)
{
    return text_empty(s) ? NULL : mem_text(ctx, s);
}

static const char *last_string(size_t n, PgQuery__Node *const *nodes)
{
    return n > 0 ? ast_string(nodes[n - 1]) : NULL;
}

const char *ast_string(const PgQuery__Node *node)
{
    if (!node) {
        return NULL;
    }
    switch (node->node_case) {
    case PG_QUERY__NODE__NODE_STRING: return node->string->sval;
    case PG_QUERY__NODE__NODE_LIST: return last_string(node->list->n_items, node->list->items);
    case PG_QUERY__NODE__NODE_TYPE_NAME:
        return last_string(node->type_name->n_names, node->type_name->names);
    default: return NULL;
    }
}

struct sql_name ast_names(const void *ctx, size_t n, PgQuery__Node *const *nodes)
{
    struct sql_name out = { NULL, NULL };
    if (n > 0) {
        out.name = ast_text(ctx, ast_string(nodes[n - 1]));
    }
    if (n > 1) {
        out.schema = ast_text(ctx, ast_string(nodes[n - 2]));
    }
    return out;
}

struct sql_name ast_range(const void *ctx, const PgQuery__RangeVar *range)
{
    struct sql_name out = { NULL, NULL };
    if (range) {
        out.schema = ast_text(ctx, range->schemaname);
        out.name = ast_text(ctx, range->relname);
    }
    return out;
}

struct sql_name ast_name(const void *ctx, const PgQuery__Node *node)
{
    switch (node ? node->node_case : PG_QUERY__NODE__NODE__NOT_SET) {
    case PG_QUERY__NODE__NODE_LIST: return ast_names(ctx, node->list->n_items, node->list->items);
    case PG_QUERY__NODE__NODE_TYPE_NAME:
        return ast_names(ctx, node->type_name->n_names, node->type_name->names);
    case PG_QUERY__NODE__NODE_OBJECT_WITH_ARGS:
        return ast_names(ctx, node->object_with_args->n_objname, node->object_with_args->objname);
    case PG_QUERY__NODE__NODE_RANGE_VAR: return ast_range(ctx, node->range_var);
    case PG_QUERY__NODE__NODE_STRING:
        return (struct sql_name){ NULL, ast_text(ctx, node->string->sval) };
    default: return (struct sql_name){ NULL, NULL };
    }
}

struct sql_texts ast_texts(const void *ctx, size_t n, PgQuery__Node *const *nodes)
{
    struct sql_texts out = { NULL, 0 };
    for (size_t i = 0; i < n; i++) {
        const char *s = ast_string(nodes[i]);
        if (s) {
            sql_texts_add(ctx, &out, s);
        }
    }
    return out;
}
