#include "agents/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *p)
{
    if (!p) {
        fputs("out of memory; nothing is lost: start again to continue\n", stderr);
        abort();
    }
    return p;
}

void *mem_zeroed(const void *ctx, size_t size, size_t count, const char *name)
{
    void *p = must(_talloc_array(ctx, size, (unsigned)(count ? count : 1), name));
    memset(p, 0, size * (count ? count : 1));
    return p;
}

void mem_copy(void *to, const void *from, size_t bytes)
{
    if (bytes > 0)
        memcpy(to, from, bytes);
}

void *mem_room_bytes(const void *ctx, void *array, size_t size, size_t want, const char *name)
{
    size_t have = array ? talloc_get_size(array) / size : 0;
    if (want <= have)
        return array;
    size_t room = have ? have * 2 : 8;
    if (room < want)
        room = want;
    char *p = must(_talloc_realloc_array(ctx, array, size, (unsigned)room, name));
    memset(p + have * size, 0, (room - have) * size);
    return p;
}

/* Not empty: a pointer to an empty context points past its chunk, and a leak checker that meets it
 * on the stack of a program which ends from within (argp does) would not know it. */
void *mem_scope(void)
{
    return must(talloc_named_const(NULL, 1, "scope"));
}

void scope_end(void *scope)
{
    talloc_free(*(void **)scope);
}

const char *mem_text(const void *ctx, const char *s)
{
    return s ? must(talloc_strdup(ctx, s)) : NULL;
}

char *mem_bytes(const void *ctx, const char *bytes, size_t n)
{
    char *copy = mem_array(ctx, char, n + 1);
    mem_copy(copy, bytes, n);
    return copy;
}

const char *mem_textn(const void *ctx, const char *s, size_t n)
{
    return s ? must(talloc_strndup(ctx, s, n)) : NULL;
}

const char *mem_printf(const void *ctx, const char *fmt, ...)
{
    enum { SHORT = 256 }; /* most fit, and are formatted once instead of twice */
    char room[SHORT];
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(room, sizeof(room), fmt, ap);
    char *s = n >= 0 && n < SHORT ? talloc_strndup(ctx, room, (size_t)n)
                                  : talloc_vasprintf(ctx, fmt, again);
    va_end(again);
    va_end(ap);
    return must(s);
}
