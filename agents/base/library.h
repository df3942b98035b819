/*
 * A shared library that is loaded when it is needed first, instead of when the program starts.
 * Most runs connect to nothing, and what libpq and libssh2 bring along (two kinds of TLS, Kerberos,
 * LDAP) is three quarters of the start of a program (docs/decisions, 0011).
 *
 * A folder that uses one keeps a table of pointers to the functions that it calls, made by
 * LIBRARY_POINTER from the library's own header, and gives each function's name to its pointer:
 *
 *     #define FUNCTIONS(X) X(foo_open) X(foo_close)
 *     extern struct foo { FUNCTIONS(LIBRARY_POINTER) } foo;
 *     #define foo_open foo.foo_open
 *
 * A function that was forgotten is an error of the linker, for nothing links the library.
 */
#ifndef AGENTS_BASE_LIBRARY_H
#define AGENTS_BASE_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

#include "agents/base/error.h"

#define LIBRARY_POINTER(name) __typeof__(name) *name;
/* A row of `symbols`, once the function's name means its pointer. */
#define LIBRARY_SYMBOL(name) { #name, &(name) },

struct library {
    const char *file;    /* as the dynamic linker looks for it: libfoo.so.1 */
    const char *package; /* what Debian calls it */
    const struct library_symbol {
        const char *name;
        void *at; /* the pointer to the function */
    } * symbols;
    size_t count;
    bool loaded;
};

/* Before anything of it is called; every pointer is set then. Any thread may; it stays. */
bool library_load(struct library *library, struct error *err) MUSTCHECK;

#endif
