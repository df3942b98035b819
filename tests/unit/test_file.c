#include "agents/base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agents/base/text.h"
#include "tests/unit/check.h"

static int folder_setup(void **state)
{
    char *folder = talloc_strdup(mem_scope(), "/tmp/flotilla-test-XXXXXX");
    *state = mkdtemp(folder);
    return *state ? 0 : -1;
}

static int folder_teardown(void **state)
{
    const char *const argv[] = { "rm", "-rf", *state, NULL };
    pid_t pid = fork();
    if (pid == 0) {
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(1);
    }
    void *parent = talloc_parent(*state);
    scope_end(&parent);
    return pid > 0 ? 0 : -1;
}

static void written_is_read(void **state)
{
    struct error err;
    const char *path = mem_printf(*state, "%s/a", (char *)*state);
    const char *data = NULL;
    size_t len = 0;
    assert_ok(file_write(path, "a\0b", 3, 0600, &err), err);
    assert_ok(file_read(*state, path, 10, &data, &len, &err), err);
    assert_int_equal(3, len);
    assert_memory_equal("a\0b", data, 4);
    struct stat st;
    assert_int_equal(0, stat(path, &st));
    assert_int_equal(0600, st.st_mode & 0777);
    assert_ok(file_write(path, "new", 3, 0644, &err), err);
    assert_ok(file_read(*state, path, 10, &data, &len, &err), err);
    assert_string_equal("new", data);
}

static void the_limit_is_exact(void **state)
{
    struct error err;
    const char *path = mem_printf(*state, "%s/a", (char *)*state);
    const char *data = "untouched";
    size_t len = 0;
    assert_ok(file_write(path, "12345", 5, 0600, &err), err);
    assert_fails(file_read(*state, path, 4, &data, &len, &err), err, ERROR_INVALID,
                 "over the limit");
    assert_string_equal("untouched", data);
    assert_ok(file_read(*state, path, 5, &data, &len, &err), err);
}

static void what_is_not_a_file(void **state)
{
    struct error err;
    const char *data = NULL;
    size_t len = 0;
    const char *folder = *state;
    assert_fails(file_read(*state, folder, 10, &data, &len, &err), err, ERROR_INVALID,
                 "is not a file");
    assert_fails(file_read(*state, mem_printf(*state, "%s/none", folder), 10, &data, &len, &err),
                 err, ERROR_NOT_FOUND, "none");
    assert_fails(file_write(mem_printf(*state, "%s/no/dir", folder), "x", 1, 0600, &err), err,
                 ERROR_NOT_FOUND, "no/dir");
}

/* /dev/full fails every write with ENOSPC. */
static void a_full_disk_has_its_own_code(void **state)
{
    (void)state;
    struct error err;
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    assert_fails(file_write_fd(fileno(full), "x", 1, &err), err, ERROR_NO_SPACE, "No space");
    fclose(full);
}

static void folders(void **state)
{
    struct error err;
    const char *deep = mem_printf(*state, "%s/x/y/z", (char *)*state);
    assert_ok(file_make_dir(deep, 0700, &err), err);
    assert_ok(file_make_dir(deep, 0700, &err), err);
    assert_true(file_exists(deep));
    const char *file = mem_printf(*state, "%s/file", deep);
    assert_ok(file_write(file, "", 0, 0600, &err), err);
    assert_fails(file_make_dir(file, 0700, &err), err, ERROR_IO, "not a folder");
    assert_ok(file_remove(file, &err), err);
    assert_ok(file_remove(file, &err), err);
    assert_true(file_free_bytes(deep) > 0);
    assert_int_equal(-1, file_free_bytes("/no/such/place"));
}

static void paths(void **state)
{
    assert_string_equal("/a/b", file_folder(*state, "/a/b/c"));
    assert_string_equal(".", file_folder(*state, "c"));
    assert_string_equal("/x/y", file_path_from(*state, "/a", "/x/y"));
    assert_string_equal("/a/y", file_path_from(*state, "/a", "y"));
    setenv("HOME", "/somewhere", 1);
    assert_string_equal("/somewhere/.ssh/id", file_path_from(*state, "/a", "~/.ssh/id"));
}

#define test_in_folder(f) cmocka_unit_test_setup_teardown(f, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_folder(written_is_read),
        test_in_folder(the_limit_is_exact),
        test_in_folder(what_is_not_a_file),
        test_in_folder(a_full_disk_has_its_own_code),
        test_in_folder(folders),
        test_in_folder(paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
