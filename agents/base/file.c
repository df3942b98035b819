#include "agents/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"

void file_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

void file_hold_standard(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    file_close(&fd);
}

static bool read_all(const void *ctx, int fd, size_t most, struct text *into, struct error *err)
{
    *into = text_init(ctx, most);
    char buffer[64 * 1024];
    for (;;) {
        ssize_t n = read(fd, buffer, sizeof(buffer));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_errno(err, "cannot read");
        if (n == 0)
            return true;
        text_addn(into, buffer, (size_t)n);
        if (into->full)
            return fail(err, ERROR_INVALID, "is over the limit of %zu bytes, is it the right file?",
                        most);
    }
}

bool file_read(const void *ctx, const char *path, size_t most, const char **data, size_t *len,
               struct error *err)
{
    bool standard = text_eq(path, "-");
    AUTO_FD fd = standard ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return fail_errno(err, "%s", path);
    if (!standard && !S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode))
        return fail(err, ERROR_INVALID, "%s: is not a file", path);
    if (!standard && fcntl(fd, F_SETFL, 0) != 0)
        return fail_errno(err, "%s", path);
    struct text content;
    if (!read_all(ctx, fd, most, &content, err))
        return fail_in(err, "%s", path);
    *data = content.data;
    *len = content.len;
    return true;
}

bool file_read_plain(const void *ctx, const char *path, size_t most, const char **data, size_t *len,
                     struct error *err)
{
    AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return fail_errno(err, "%s", path);
    if (!S_ISREG(st.st_mode))
        return fail(err, ERROR_INVALID, "%s: is not a file", path);
    struct text content;
    if (!read_all(ctx, fd, most, &content, err))
        return fail_in(err, "%s", path);
    *data = content.data;
    *len = content.len;
    return true;
}

bool file_write_fd(int fd, const void *data, size_t len, struct error *err)
{
    const char *p = data;
    while (len > 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_errno(err, "cannot write");
        p += n;
        len -= (size_t)n;
    }
    return true;
}

static bool sync_folder(const char *path, struct error *err)
{
    SCOPE(tmp);
    AUTO_FD fd = open(file_folder(tmp, path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        return fail_errno(err, "%s: cannot sync its folder", path);
    return true;
}

bool file_write(const char *path, const void *data, size_t len, mode_t mode, struct error *err)
{
    SCOPE(tmp);
    const char *draft = mem_printf(tmp, "%s.%ld.tmp", path, (long)getpid());
    AUTO_FD fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return fail_errno(err, "%s", path);
    if (!file_write_fd(fd, data, len, err)) {
        unlink(draft);
        return fail_in(err, "%s", path);
    }
    if (fsync(fd) != 0 || rename(draft, path) != 0) {
        fail_errno(err, "%s", path);
        unlink(draft);
        return false;
    }
    return sync_folder(path, err);
}

bool file_make_dir(const char *path, mode_t mode, struct error *err)
{
    SCOPE(tmp);
    char *copy = talloc_strdup(tmp, path);
    for (char *p = copy + 1; copy[0]; p++) {
        char c = *p;
        if (c != '/' && c != '\0')
            continue;
        *p = '\0';
        if (mkdir(copy, mode) != 0 && errno != EEXIST)
            return fail_errno(err, "%s", copy);
        *p = c;
        if (c == '\0')
            break;
    }
    struct stat st;
    if (stat(path, &st) != 0)
        return fail_errno(err, "%s", path);
    return S_ISDIR(st.st_mode) ? true : fail(err, ERROR_IO, "%s: is not a folder", path);
}

bool file_make_own_dir(const char *path, struct error *err)
{
    struct stat st;
    if (!file_make_dir(path, 0700, err))
        return false;
    if (lstat(path, &st) != 0)
        return fail_errno(err, "%s", path);
    if (S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & (S_IWGRP | S_IWOTH)))
        return true;
    fail(err, ERROR_REFUSED, "%s: is a link, or somebody else owns it or may write there", path);
    return fail_hint(err,
                     "move it away, or give it to the account that runs here: it is made anew");
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

bool file_is_regular(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool file_is_stream(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode));
}

bool file_remove(const char *path, struct error *err)
{
    if (unlink(path) != 0 && errno != ENOENT)
        return fail_errno(err, "%s", path);
    return true;
}

enum { TREE_DEPTH_MOST = 32 };

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}
#define AUTO_DIR __attribute__((cleanup(close_dir))) DIR *

static void remove_tree(const char *path, int depth)
{
    SCOPE(tmp);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    AUTO_DIR dir = depth < TREE_DEPTH_MOST && fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir)
        file_close(&fd);
    if (fd < 0)
        unlink(path);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        struct stat st;
        const char *name = mem_printf(tmp, "%s/%s", path, e->d_name);
        if (text_eq(e->d_name, ".") || text_eq(e->d_name, "..") || lstat(name, &st) != 0)
            continue;
        if (S_ISDIR(st.st_mode))
            remove_tree(name, depth + 1);
        else
            unlink(name);
    }
    rmdir(path);
}

void file_remove_tree(const char *path)
{
    remove_tree(path, 0);
}

long long file_free_bytes(const char *path)
{
    struct statvfs v;
    if (statvfs(path, &v) != 0)
        return -1;
    return (long long)v.f_bavail * (long long)v.f_frsize;
}

const char *file_folder(const void *ctx, const char *path)
{
    SCOPE(tmp);
    return mem_text(ctx, dirname(talloc_strdup(tmp, path)));
}

static const char *home_folder(void)
{
    const char *home = getenv("HOME");
    if (!text_empty(home))
        return home;
    struct passwd *pw = getpwuid(getuid());
    return pw ? pw->pw_dir : "/";
}

const char *file_path_from(const void *ctx, const char *folder, const char *path)
{
    if (text_starts(path, "~/"))
        return mem_printf(ctx, "%s/%s", home_folder(), path + 2);
    if (path[0] == '/')
        return mem_text(ctx, path);
    return mem_printf(ctx, "%s/%s", folder, path);
}
