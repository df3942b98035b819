/*
 * Memory: talloc, with the policy that running out of it ends the program. The journals make an
 * abort safe at any point, so no caller checks for null.
 *
 * The first parameter of a function that returns memory is the owner of the result. Temporaries of
 * a function hang on `SCOPE(tmp)`, which is freed when the block is left. A hierarchy belongs to
 * one thread at a time; talloc_enable_null_tracking() and talloc_autofree_context() are not used.
 */
#ifndef AGENTS_BASE_MEM_H
#define AGENTS_BASE_MEM_H

#include <stddef.h>
#include <talloc.h>

#include "agents/base/error.h"

/* A zeroed `type`, owned by ctx. */
#define mem_new(ctx, type) ((type *)mem_zeroed((ctx), sizeof(type), 1, #type))

/* A zeroed array of n `type`; n may be 0 (the result is still not null). */
#define mem_array(ctx, type, n) ((type *)mem_zeroed((ctx), sizeof(type), (n), #type))

/* Makes room for `want` elements in a talloc array that may be null; growth is geometric, new
 * elements are zeroed: `list = mem_room(ctx, list, type, count + 1)`. */
#define mem_room(ctx, array, type, want) \
    ((type *)mem_room_bytes((ctx), (array), sizeof(type), (want), #type))

/* A talloc context that ends with the block. */
#define SCOPE(name) __attribute__((cleanup(scope_end))) void *name = mem_scope()

void *mem_zeroed(const void *ctx, size_t size, size_t count, const char *name);
void *mem_room_bytes(const void *ctx, void *array, size_t size, size_t want, const char *name);
void *mem_scope(void);
void scope_end(void *scope); /* takes the address of the context */

/* Text copies, owned by ctx; mem_text(ctx, NULL) is NULL. */
const char *mem_text(const void *ctx, const char *s);
const char *mem_textn(const void *ctx, const char *s, size_t n);
/* Bytes that may hold a NUL, and one NUL after them. */
char *mem_bytes(const void *ctx, const char *bytes, size_t n);
const char *mem_printf(const void *ctx, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* memcpy that may copy nothing from an empty, null list. */
void mem_copy(void *to, const void *from, size_t bytes);

/* Moves a result to its owner. */
#define mem_give(ctx, ptr) talloc_steal((ctx), (ptr))

#endif
