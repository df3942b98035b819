/* Approvals against the real ssh-keygen: what holds, and everything that must not. */
#include "tests/unit/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agents/base/clock.h"
#include "agents/base/file.h"
#include "agents/base/json.h"
#include "agents/base/process.h"
#include "agents/base/text.h"
#include "agents/part/signature.h"

enum { NOW = 1772366400 }; /* 2026-03-01T12:00:00Z */
static const int64_t now_ms = (int64_t)NOW * 1000;
static const int64_t day_ms = 86400 * 1000;

struct desk {
    char folder[64];
    const char *allowed;
    struct part part;
    struct step step;
    struct approval_rule rule;
};

static void run(const void *ctx, const char *const *argv, const char *input,
                struct process_result *out)
{
    struct error err;
    assert_ok(process_run(ctx, argv, input, 20000, out, &err), err);
}

static const char *key_path(const struct desk *d, const char *name)
{
    return mem_printf(d, "%s/%s", d->folder, name);
}

static const char *key_new(struct desk *d, const char *name)
{
    const char *argv[] = { "ssh-keygen", "-q", "-t", "ed25519",         "-N", "",
                           "-C",         name, "-f", key_path(d, name), NULL };
    struct process_result result;
    run(d, argv, NULL, &result);
    assert_int_equal(result.status, 0);
    const char *data;
    size_t len;
    struct error err;
    assert_ok(file_read(d, mem_printf(d, "%s/%s.pub", d->folder, name), 4096, &data, &len, &err),
              err);
    return data;
}

static int desk_open(void **state)
{
    struct desk *d = mem_new(NULL, struct desk);
    snprintf(d->folder, sizeof(d->folder), "/tmp/flotilla-signature.XXXXXX");
    assert_non_null(mkdtemp(d->folder));
    const char *ana = key_new(d, "ana");
    const char *raj = key_new(d, "raj");
    key_new(d, "eve");
    struct text list = text_init(d, TEXT_FILE);
    text_addf(&list, "ana@example.org %s", ana);
    text_addf(&list, "raj@example.org,twin@example.org namespaces=\"flotilla\" %s", raj);
    d->allowed = key_path(d, "allowed_signers");
    struct error err;
    assert_ok(file_write(d->allowed, list.data, list.len, 0600, &err), err);
    d->step = (struct step){ .id = "expand/orders/1", .transaction = true, .tags = TAG_ADDITIVE };
    step_texts_add(d, &d->step.up, "ALTER TABLE public.orders ADD COLUMN x int");
    step_texts_add(d, &d->step.down, "ALTER TABLE public.orders DROP COLUMN x");
    d->part = (struct part){ .fleet = "shop",
                             .environment = "production",
                             .plan = "7f3c",
                             .author = "raj@example.org",
                             .phase = PHASE_EXPAND,
                             .service = "orders",
                             .steps = &d->step,
                             .step_count = 1 };
    d->rule = (struct approval_rule){
        .allowed_signers = d->allowed, .need = 1, .ttl_ms = 14 * day_ms, .now_ms = now_ms
    };
    *state = d;
    return 0;
}

static int desk_close(void **state)
{
    struct desk *d = *state;
    const char *argv[] = { "rm", "-rf", d->folder, NULL };
    struct process_result result;
    run(d, argv, NULL, &result);
    talloc_free(d);
    return 0;
}

static struct approval signed_by(struct desk *d, const char *signer, const char *key)
{
    struct approval a;
    struct error err;
    assert_ok(approval_sign(d, &d->part, signer, key_path(d, key), now_ms, &a, &err), err);
    return a;
}

static void holds_for_its_part(void **state)
{
    struct desk *d = *state;
    struct error err;
    struct approval a = signed_by(d, "ana@example.org", "ana");
    assert_string_equal(a.signed_at, "2026-03-01T12:00:00Z");
    assert_ok(approval_verify(&d->part, &a, &d->rule, &err), err);
    assert_ok(approvals_suffice(&d->part, &a, 1, &d->rule, &err), err);
    /* What only people read may change, and the digest that is written in the part is not trusted.
     */
    d->step.why = "another sentence";
    d->part.digest = "sha256:lie";
    assert_ok(approval_verify(&d->part, &a, &d->rule, &err), err);
}

static void is_of_nothing_else(void **state)
{
    struct desk *d = *state;
    struct error err;
    struct approval a = signed_by(d, "ana@example.org", "ana");
    const struct part part = d->part;
    static const char other[] = "other";
    const char **fields[] = { &d->part.fleet, &d->part.environment, &d->part.plan, &d->part.service,
                              &d->part.author };
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        *fields[i] = other;
        assert_fails(approval_verify(&d->part, &a, &d->rule, &err), err, ERROR_UNSIGNED,
                     "is of something else");
        d->part = part;
    }
    d->part.phase = PHASE_CONTRACT;
    assert_fails(approval_verify(&d->part, &a, &d->rule, &err), err, ERROR_UNSIGNED,
                 "is of something else");
    d->part = part;
    d->step.up.items[0] = "DROP TABLE public.orders";
    assert_fails(approval_verify(&d->part, &a, &d->rule, &err), err, ERROR_UNSIGNED,
                 "is of something else");
}

static void is_of_that_signer(void **state)
{
    struct desk *d = *state;
    struct error err;
    struct approval a = signed_by(d, "ana@example.org", "ana");
    a.signer = "raj@example.org";
    assert_fails(approval_verify(&d->part, &a, &d->rule, &err), err, ERROR_UNSIGNED,
                 "is of something else");
    struct approval e = signed_by(d, "ana@example.org", "eve");
    assert_fails(approval_verify(&d->part, &e, &d->rule, &err), err, ERROR_UNSIGNED,
                 "does not list");
    const char *only[] = { "raj@example.org" };
    struct step_texts who = { only, 1 };
    d->rule.who = &who;
    a = signed_by(d, "ana@example.org", "ana");
    assert_fails(approval_verify(&d->part, &a, &d->rule, &err), err, ERROR_UNSIGNED,
                 "not one of those who may approve");
    d->rule.who = NULL;
    d->rule.allowed_signers = "/nowhere/allowed_signers";
    assert_fails(approval_verify(&d->part, &a, &d->rule, &err), err, ERROR_NOT_FOUND,
                 "there is no such file");
}

static void is_of_our_namespace(void **state)
{
    struct desk *d = *state;
    struct error err;
    const char *text = NULL;
    assert_ok(approval_text(d, &d->part, "ana@example.org", "2026-03-01T12:00:00Z", &text, &err),
              err);
    const char *argv[] = {
        "ssh-keygen", "-Y", "sign", "-n", "git", "-f", key_path(d, "ana"), NULL
    };
    struct process_result result;
    run(d, argv, text, &result);
    struct approval a = { "ana@example.org", "2026-03-01T12:00:00Z", result.out };
    assert_fails(approval_verify(&d->part, &a, &d->rule, &err), err, ERROR_UNSIGNED,
                 "not made for flotilla");
    a.signature = "-----BEGIN SSH SIGNATURE-----\nnonsense\n";
    assert_fails(approval_verify(&d->part, &a, &d->rule, &err), err, ERROR_UNSIGNED,
                 "no SSH signature");
}

static void ages(void **state)
{
    struct desk *d = *state;
    struct error err;
    struct approval a = signed_by(d, "ana@example.org", "ana");
    d->rule.now_ms = now_ms + 15 * day_ms;
    assert_fails(approval_verify(&d->part, &a, &d->rule, &err), err, ERROR_UNSIGNED, "is expired");
    d->rule.ttl_ms = 0;
    assert_ok(approval_verify(&d->part, &a, &d->rule, &err), err);
    d->rule.now_ms = now_ms - day_ms;
    assert_fails(approval_verify(&d->part, &a, &d->rule, &err), err, ERROR_UNSIGNED,
                 "in the future");
    /* Another time than the signed one is another text. */
    a.signed_at = "2026-02-28T12:00:00Z";
    assert_fails(approval_verify(&d->part, &a, &d->rule, &err), err, ERROR_UNSIGNED,
                 "is of something else");
}

static void counts_people_once(void **state)
{
    struct desk *d = *state;
    struct error err;
    struct approval ana = signed_by(d, "ana@example.org", "ana");
    struct approval raj = signed_by(d, "raj@example.org", "raj");
    struct approval twin = signed_by(d, "twin@example.org", "raj");
    d->rule.need = 2;
    const struct approval same[] = { ana, ana };
    assert_fails(approvals_suffice(&d->part, same, 2, &d->rule, &err), err, ERROR_UNSIGNED,
                 "expand of orders needs 2 approvals and has 1 (ana@example.org); not counted: "
                 "ana@example.org counts once");
    const struct approval both[] = { raj, ana };
    assert_ok(approvals_suffice(&d->part, both, 2, &d->rule, &err), err);
    d->rule.author = "raj@example.org";
    assert_ok(approvals_suffice(&d->part, both, 2, &d->rule, &err), err);
    d->rule.need = 1;
    assert_ok(approvals_suffice(&d->part, both, 2, &d->rule, &err), err);
    assert_fails(approvals_suffice(&d->part, both, 1, &d->rule, &err), err, ERROR_UNSIGNED,
                 "of who wrote the plan: another person has to approve it too");
    d->rule.need = 2;
    d->rule.author = NULL;
    const struct approval one_key[] = { raj, twin };
    assert_fails(approvals_suffice(&d->part, one_key, 2, &d->rule, &err), err, ERROR_UNSIGNED,
                 "twin@example.org signed with the key of raj@example.org");
    d->rule.need = 1;
    assert_fails(approvals_suffice(&d->part, NULL, 0, &d->rule, &err), err, ERROR_UNSIGNED,
                 "needs 1 approval and has 0");
    assert_non_null(strstr(err.hint, "--phase expand --service orders"));
}

static void travels_as_file_and_json(void **state)
{
    struct desk *d = *state;
    struct error err;
    struct approval a = signed_by(d, "ana@example.org", "ana");
    const char *file = approval_to_file(d, &d->part, &a);
    struct approval_named named;
    assert_ok(approval_from_file(d, file, strlen(file), &named, &err), err);
    assert_string_equal(named.service, "orders");
    assert_string_equal(named.phase, "expand");
    assert_ok(approval_verify(&d->part, &named.approval, &d->rule, &err), err);
    json_t *json = json_own(d, approval_to_json(&a));
    struct approval b;
    assert_ok(approval_from_json(d, json, &b, &err), err);
    assert_ok(approval_verify(&d->part, &b, &d->rule, &err), err);
    /* ssh-keygen itself takes the file as it is, over the text behind the armour. */
    const char *path = key_path(d, "approval.sig");
    assert_ok(file_write(path, file, strlen(file), 0600, &err), err);
    const char *argv[] = { "ssh-keygen",      "-Y", "verify",   "-f", d->allowed, "-I",
                           "ana@example.org", "-n", "flotilla", "-s", path,       NULL };
    struct process_result result;
    run(d, argv, strstr(file, "flotilla-approval-v1"), &result);
    assert_int_equal(result.status, 0);
}

/* A flipped bit anywhere in the file is refused when it is read or when it is verified. In the
 * armour a few bits are of no consequence (line breaks become other spaces, unused bits of the last
 * group): then the signature still is the signature, over the same text. */
static void survives_no_bit_flip(void **state)
{
    struct desk *d = *state;
    struct approval a = signed_by(d, "ana@example.org", "ana");
    const char *good = approval_to_file(d, &d->part, &a);
    size_t len = strlen(good);
    size_t text = (size_t)(strstr(good, "flotilla-approval-v1") - good);
    int refused = 0;
    for (size_t i = 0; i < len; i += i < text ? 23 : 3) {
        SCOPE(tmp);
        char *bad = talloc_strdup(tmp, good);
        bad[i] = (char)(bad[i] ^ 1 << (i % 7));
        struct approval_named named;
        struct error err = { 0 };
        bool holds = approval_from_file(tmp, bad, len, &named, &err) &&
                     approval_verify(&d->part, &named.approval, &d->rule, &err);
        /* Lines that only say which part it is are not what is verified: the part at hand is. */
        bool same = holds && text_eq(named.approval.signer, a.signer) &&
                    text_eq(named.approval.signed_at, a.signed_at);
        if (holds && !same)
            fail_msg("byte %zu flipped and the signature still held", i);
        refused += !holds;
    }
    assert_true(refused > 10);
}

static void refuses_odd_names(void **state)
{
    struct desk *d = *state;
    struct error err;
    const char *text = NULL;
    static const char *const names[] = { "", "a b", "a\nb", "*", "a,b", "!a", "a\"b" };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_false(approval_text(d, &d->part, names[i], "2026-03-01T12:00:00Z", &text, &err));
    assert_false(approval_text(d, &d->part, "ana", "yesterday", &text, &err));
    d->part.service = "x\ny";
    assert_fails(approval_text(d, &d->part, "ana", "2026-03-01T12:00:00Z", &text, &err), err,
                 ERROR_INVALID, "control characters");
    d->part.service = "orders";
    struct approval a;
    assert_fails(approval_sign(d, &d->part, "ana", "-oops", now_ms, &a, &err), err, ERROR_INVALID,
                 "cannot be used");
    assert_fails(approval_sign(d, &d->part, "ana", "/nowhere/key", now_ms, &a, &err), err,
                 ERROR_NOT_FOUND, "there is no key");
}

/* An ssh-keygen that is killed `times` times before it does its work. */
static void mortal_keygen(struct desk *d, const char *path, int times)
{
    struct error err;
    const char *count = mem_printf(d, "%d\n", times);
    const char *script = mem_printf(d,
                                    "#!/bin/sh\nread n <%s/left\n"
                                    "if [ $n -gt 0 ]; then echo $((n - 1)) >%s/left; kill -9 $$; "
                                    "fi\nPATH='%s' exec ssh-keygen \"$@\"\n",
                                    d->folder, d->folder, path);
    assert_ok(file_write(key_path(d, "left"), count, strlen(count), 0600, &err), err);
    assert_ok(file_write(key_path(d, "ssh-keygen"), script, strlen(script), 0700, &err), err);
}

static void one_that_is_killed_says_nothing(void **state)
{
    struct desk *d = *state;
    struct error err;
    struct approval a = signed_by(d, "ana@example.org", "ana");
    const char *path = mem_text(d, getenv("PATH"));
    setenv("PATH", mem_printf(d, "%s:%s", d->folder, path), 1);
    mortal_keygen(d, path, 2);
    assert_ok(approvals_suffice(&d->part, &a, 1, &d->rule, &err), err);
    mortal_keygen(d, path, 100);
    assert_fails(approvals_suffice(&d->part, &a, 1, &d->rule, &err), err, ERROR_IO,
                 "ended by signal 9");
    setenv("PATH", path, 1);
}

#define desk_test(f) cmocka_unit_test_setup_teardown(f, desk_open, desk_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        desk_test(holds_for_its_part),
        desk_test(is_of_nothing_else),
        desk_test(is_of_that_signer),
        desk_test(is_of_our_namespace),
        desk_test(ages),
        desk_test(counts_people_once),
        desk_test(travels_as_file_and_json),
        desk_test(survives_no_bit_flip),
        desk_test(refuses_odd_names),
        desk_test(one_that_is_killed_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
