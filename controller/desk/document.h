/*
 * The files that people write and hand over: a manifest, a change, a plan. A file is what its keys
 * say, whatever it is called.
 */
#ifndef CONTROLLER_DESK_DOCUMENT_H
#define CONTROLLER_DESK_DOCUMENT_H

#include <stdbool.h>

#include "agents/base/error.h"
#include "controller/manifest/fleet.h"

enum document {
    DOCUMENT_MANIFEST,
    DOCUMENT_CHANGE,
    DOCUMENT_PLAN,
    DOCUMENT_OTHER, /* cannot be read, or its keys say nothing */
};

enum document document_of(const char *path);

/* True unless the file is there and certainly of another kind: then the error says which, and which
 * command is for it. Loaders say the rest. */
bool document_expect(const char *path, enum document wanted, struct error *err) MUSTCHECK;

/* Loads the manifest; prints every problem with its place on standard error. */
bool document_manifest(const void *ctx, const char *path, struct fleet **out,
                       struct error *err) MUSTCHECK;

#endif
