/* The journal's tables as the agent makes them and as schemas/agent-journal.sql shows them. */
#include <ctype.h>
#include <string.h>

#include "agents/agent/journal.h"
#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "tests/unit/check.h"

/* Without comments, every run of white space one space. */
static const char *squeezed(const void *ctx, const char *sql)
{
    struct text t = text_init(ctx, TEXT_SQL);
    for (const char *p = sql; *p; p++) {
        if (text_starts(p, "--"))
            p += strcspn(p, "\n");
        if (!isspace((unsigned char)*p))
            text_addc(&t, *p);
        else if (t.len && t.data[t.len - 1] != ' ')
            text_addc(&t, ' ');
        if (!*p)
            break;
    }
    return t.data;
}

static void test_documented_as_made(void **state)
{
    SCOPE(tmp);
    struct error err;
    const char *data = NULL;
    size_t len = 0;
    (void)state;
    if (!file_read(tmp, "schemas/agent-journal.sql", TEXT_SQL, &data, &len, &err))
        fail_msg("%s", err.message);
    assert_string_equal(squeezed(tmp, journal_tables), squeezed(tmp, data));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_documented_as_made) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
