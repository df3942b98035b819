/*
 * Files: whole reads with a cap, atomic durable writes, folders. Paths are as given; nothing here
 * expands "~" except file_path_from, which the loaders of YAML files use.
 */
#ifndef AGENTS_BASE_FILE_H
#define AGENTS_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "agents/base/error.h"

/* Closes the descriptor at the end of the block. */
#define AUTO_FD __attribute__((cleanup(file_close))) int
void file_close(int *fd);

/* Opens /dev/null where a program was started without standard input, output or errors: the next
 * file that is opened would take that number, and be written into by whoever prints. */
void file_hold_standard(void);

/* Whole content, NUL-terminated behind the last byte, owned by ctx; over `most` bytes is refused,
 * and so is anything that is not a regular file or a pipe. "-" reads standard input. */
bool file_read(const void *ctx, const char *path, size_t most, const char **data, size_t *len,
               struct error *err) MUSTCHECK;

/* The same of a regular file that lies there itself: links are not followed, pipes and devices not
 * opened. For folders that others may put something into. */
bool file_read_plain(const void *ctx, const char *path, size_t most, const char **data, size_t *len,
                     struct error *err) MUSTCHECK;

/* Replaces the file by a temporary beside it, fsync, rename, fsync of the folder: after a crash the
 * old or the new content is there, whole. */
bool file_write(const char *path, const void *data, size_t len, mode_t mode,
                struct error *err) MUSTCHECK;

/* Writes all bytes to a descriptor, restarting after signals. */
bool file_write_fd(int fd, const void *data, size_t len, struct error *err) MUSTCHECK;

/* mkdir -p; existing folders keep their mode. */
bool file_make_dir(const char *path, mode_t mode, struct error *err) MUSTCHECK;

/* The same with mode 0700, and only if it is a folder of our own that nobody else may write to. */
bool file_make_own_dir(const char *path, struct error *err) MUSTCHECK;

bool file_exists(const char *path);
bool file_is_regular(const char *path); /* no folder, pipe or device: it can be read twice */
bool file_is_stream(const char *path);  /* a pipe, a terminal, a device: it can be read once */
bool file_remove(const char *path, struct error *err) MUSTCHECK; /* absent is fine */

/* Removes a folder with everything in it, as far as it may; symbolic links are not followed. */
void file_remove_tree(const char *path);

/* Free bytes for an unprivileged user on the file system of path; -1 when it cannot be told. */
long long file_free_bytes(const char *path);

/* The folder part of path ("." when there is none). */
const char *file_folder(const void *ctx, const char *path);
/* A path as written in a file that lies in `folder`: "~/" is the home, relative is beside it. */
const char *file_path_from(const void *ctx, const char *folder, const char *path);

#endif
