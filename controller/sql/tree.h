/*
 * Getting the parser's tree without its detour: libpg_query builds protobuf structs, packs them
 * into bytes and hands those over, to be unpacked into the same structs again, which is more than
 * half of all work of a lint. The linker puts the functions of tree.c in the place of the library's
 * packing ones; between tree_capture and tree_captured, on the same thread, they copy the structs
 * into an arena and pack nothing. Linked in another way, with the library as a shared object,
 * nothing is captured, and the bytes are there as ever.
 */
#ifndef CONTROLLER_SQL_TREE_H
#define CONTROLLER_SQL_TREE_H

#include <pg_query/pg_query.pb-c.h>

/* The next parse result of this thread is copied with `allocator`, which must outlive the call. */
void tree_capture(ProtobufCAllocator *allocator);
/* Ends it: the copy, or null when none was made. */
PgQuery__ParseResult *tree_captured(void);

#endif
