/* Libraries that are loaded late: what is called is theirs, and what is missing is said. */
#include "agents/base/library.h"

#include <string.h>

/* cmocka wants these before it, and our headers too: it defines a macro `fail`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

double cos(double x);
double no_such_function(double x);

#define FUNCTIONS(X) X(cos)
#define TOO_NEW(X)   X(cos) X(no_such_function)

/* clang-format off */
static struct { FUNCTIONS(LIBRARY_POINTER) } libm;
static struct { TOO_NEW(LIBRARY_POINTER) } newer;
static struct { FUNCTIONS(LIBRARY_POINTER) } none;
/* clang-format on */

static void functions_are_the_librarys(void **state)
{
    (void)state;
    struct error err;
#define cos libm.cos
    const struct library_symbol symbols[] = { FUNCTIONS(LIBRARY_SYMBOL) };
#undef cos
    struct library library = { "libm.so.6", "libc6", symbols, 1, false };
    assert_true(library_load(&library, &err));
    assert_true(libm.cos(0) > 0.999);
    assert_true(library_load(&library, &err)); /* again is nothing */
}

static void a_function_that_is_missing_is_named(void **state)
{
    (void)state;
    struct error err;
#define cos              newer.cos
#define no_such_function newer.no_such_function
    const struct library_symbol symbols[] = { TOO_NEW(LIBRARY_SYMBOL) };
#undef cos
#undef no_such_function
    struct library library = { "libm.so.6", "libc6", symbols, 2, false };
    assert_false(library_load(&library, &err));
    assert_int_equal(err.code, ERROR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "libm.so.6 is too old: it has no no_such_function"));
    assert_false(library.loaded);
}

static void a_library_that_is_missing_is_named(void **state)
{
    (void)state;
    struct error err;
#define cos none.cos
    const struct library_symbol symbols[] = { FUNCTIONS(LIBRARY_SYMBOL) };
#undef cos
    struct library library = { "libnonesuch.so.9", "libnonesuch9", symbols, 1, false };
    assert_false(library_load(&library, &err));
    assert_non_null(strstr(err.message, "libnonesuch.so.9 cannot be loaded"));
    assert_non_null(strstr(err.hint, "libnonesuch9"));
    assert_null(none.cos);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_are_the_librarys),
        cmocka_unit_test(a_function_that_is_missing_is_named),
        cmocka_unit_test(a_library_that_is_missing_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
