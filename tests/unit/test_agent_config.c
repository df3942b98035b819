/* agent.yaml: what it says is what is loaded; every mistake is found in one run, with its place. */
#include "tests/unit/check.h"

#include <stdlib.h>
#include <unistd.h>

#include "agents/agent/config.h"
#include "agents/base/file.h"
#include "agents/base/text.h"

static const char *written(void *ctx, const char *content)
{
    struct error err;
    char folder[] = "/tmp/fl-config-XXXXXX";
    assert_non_null(mkdtemp(folder));
    const char *path = mem_printf(ctx, "%s/agent.yaml", folder);
    assert_ok(file_write(path, content, strlen(content), 0600, &err), err);
    return path;
}

static void gone(const char *path)
{
    SCOPE(tmp);
    unlink(path);
    rmdir(file_folder(tmp, path));
}

static const char GOOD[] =
    "databases:\n"
    "  users:\n"
    "    pg_service: users_admin\n"
    "    serves: { fleet: shop, environment: production, service: users, instance: users-1 }\n"
    "    approvers: [ana@example.org, raj@example.org]\n"
    "  users_scratch: { conninfo: 'dbname=x', purpose: scratch, for: users }\n"
    "allowed_signers: signers\n"
    "policy: { destructive: { need: 3 }, lock_budget_max: 1s, snapshots: { keep: 2d } }\n"
    "spool: /var/spool/flotilla\n";

static void reads_what_it_says(void **state)
{
    SCOPE(tmp);
    (void)state;
    struct error err;
    struct agent_config *c = NULL;
    const struct agent_database *users = NULL;
    const char *path = written(tmp, GOOD);
    assert_ok(agent_config_load(tmp, path, &c, NULL, &err), err);
    assert_ok(agent_config_database(c, "users", &users, &err), err);
    assert_string_equal(users->conninfo, "service='users_admin'");
    assert_string_equal(users->serves.instance, "users-1");
    assert_int_equal(users->approvers.count, 2);
    assert_string_equal(agent_config_scratch(c, "users")->conninfo, "dbname=x");
    assert_null(agent_config_scratch(c, "orders"));
    assert_string_equal(c->allowed_signers, mem_printf(tmp, "%s/signers", c->folder));
    assert_string_equal(c->policy.snapshots_dir, "/var/spool/flotilla/snapshots");
    assert_int_equal(c->policy.need, 1);
    assert_int_equal(c->policy.destructive_need, 3);
    assert_int_equal(c->policy.lock_budget_max_ms, 1000);
    assert_int_equal(c->policy.approval_ttl_ms, 14LL * 24 * 3600 * 1000);
    assert_null(c->release_signers);
    assert_fails(agent_config_database(c, "orders", &users, &err), err, ERROR_NOT_FOUND,
                 "it serves: users");
    assert_fails(agent_config_database(c, "users_scratch", &users, &err), err, ERROR_NOT_FOUND,
                 "it serves: users");
    gone(path);
}

static const char BAD[] =
    "databases:\n"
    "  users:\n"
    "    pg_service: a\n"
    "    conninfo: b\n"
    "    serves: { fleet: shop, environment: production, service: users, instance: users-1 }\n"
    "    approver: []\n"
    "  other:\n"
    "    serves: { fleet: shop, environment: production, service: users, instance: users-1 }\n"
    "    approvers: []\n"
    "  scratch: { conninfo: x, purpose: scratch, for: usrs }\n"
    "polcy: {}\n"
    "policy: { need: 0 }\n";

static void names_every_mistake(void **state)
{
    SCOPE(tmp);
    (void)state;
    struct error err;
    struct agent_config *c = NULL;
    const char *problems = NULL;
    const char *path = written(tmp, BAD);
    assert_false(agent_config_load(tmp, path, &c, &problems, &err));
    assert_int_equal(err.code, ERROR_INVALID);
    static const char *const expected[] = {
        ":4:15: both pg_service and conninfo",
        "did you mean \"approvers\"",
        "how to connect to \"other\"",
        ":8:13: \"users\" (line 2) serves the same",
        "there is no database \"usrs\"",
        "\"allowed_signers\" is missing",
        ":11:1: unknown key \"polcy\", did you mean",
        ":12:17: need: expected a whole number",
    };
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        if (!strstr(problems, expected[i]))
            fail_msg("no \"%s\" in:\n%s", expected[i], problems);
    gone(path);
}

static void quotes_a_service_for_libpq(void **state)
{
    SCOPE(tmp);
    (void)state;
    struct error err;
    struct agent_config *c = NULL;
    const char *path = written(tmp, "databases:\n"
                                    "  users:\n"
                                    "    pg_service: \"a' host='evil\\\\\"\n"
                                    "    serves: { fleet: s, environment: p, service: u, "
                                    "instance: i }\n"
                                    "    approvers: [x]\n"
                                    "allowed_signers: s\n");
    assert_ok(agent_config_load(tmp, path, &c, NULL, &err), err);
    assert_string_equal(c->databases[0].conninfo, "service='a\\' host=\\'evil\\\\'");
    gone(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_says),
        cmocka_unit_test(names_every_mistake),
        cmocka_unit_test(quotes_a_service_for_libpq),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
