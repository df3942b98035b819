#include "agents/part/signature.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agents/base/clock.h"
#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/process.h"
#include "agents/base/text.h"

enum {
    VERIFY_TIMEOUT_MS = 20 * 1000,
    SIGN_TIMEOUT_MS = 120 * 1000, /* a hardware key waits for a touch */
    SKEW_MS = 10 * 60 * 1000,     /* clocks of people's machines and hosts may differ by this */
    TRIES = 3,
    ENDED_BY_SIGNAL = 128, /* see process_run() */
    SIGNALS = 64,          /* ssh-keygen itself exits with 255 */
};

/* Checked before a name or a path becomes an argument: none is read as an option. */
static bool plain_argument(const char *what, const char *value, struct error *err)
{
    if (text_empty(value) || value[0] == '-')
        return fail(err, ERROR_INVALID, "%s: \"%s\" cannot be used", what, value ? value : "");
    return true;
}

bool approval_sign(const void *ctx, const struct part *part, const char *signer, const char *key,
                   int64_t now_ms, struct approval *out, struct error *err)
{
    SCOPE(tmp);
    const char *text = NULL;
    const char *signed_at = clock_rfc3339(ctx, now_ms - now_ms % 1000);
    if (!approval_text(tmp, part, signer, signed_at, &text, err) ||
        !plain_argument("key", key, err))
        return false;
    if (!file_exists(key))
        return fail(err, ERROR_NOT_FOUND, "there is no key %s", key) ||
               fail_hint(err, "name your SSH key with --key FILE");
    const char *argv[] = {
        "ssh-keygen", "-Y", "sign", "-f", key, "-n", "flotilla", "-P", "", NULL
    };
    struct process_result run;
    if (!process_run(tmp, argv, text, SIGN_TIMEOUT_MS, &run, err))
        return fail_in(err, "signing with %s", key);
    if (run.status != 0 || !approval_armour_is_sound(run.out)) {
        fail(err, ERROR_AUTH, "ssh-keygen could not sign with %s", key);
        fail_detail(err, "%s", text_printable(tmp, run.err));
        return fail_hint(err,
                         "a key with a passphrase or on hardware is used through ssh-agent: "
                         "`ssh-add %s`, then name its .pub file with --key",
                         key);
    }
    *out = (struct approval){ mem_text(ctx, signer), signed_at, mem_text(ctx, run.out) };
    return true;
}

/* The signature as a file that only lives in memory: ssh-keygen wants a path. */
static bool memory_file(const char *content, int *fd, struct error *err)
{
    *fd = memfd_create("flotilla-signature", MFD_CLOEXEC);
    if (*fd < 0)
        return fail_errno(err, "cannot hold a signature in memory");
    return file_write_fd(*fd, content, strlen(content), err);
}

/* One that somebody killed has said nothing about the signature. */
static bool keygen(const void *ctx, const char *const *argv, const char *text,
                   struct process_result *run, struct error *err)
{
    for (int tries = 1;; tries++) {
        if (!process_run(ctx, argv, text, VERIFY_TIMEOUT_MS, run, err))
            return fail_in(err, "checking a signature");
        if (run->status <= ENDED_BY_SIGNAL || run->status > ENDED_BY_SIGNAL + SIGNALS)
            return true;
        if (tries == TRIES)
            return fail(err, ERROR_IO,
                        "checking a signature: ssh-keygen was ended by signal %d, %d times",
                        run->status - ENDED_BY_SIGNAL, tries);
    }
}

/* Says why a signature did not verify: is it of another text, or of a key that is not known? */
static bool explain(const char *path, const char *text, const struct approval *approval,
                    const struct approval_rule *rule, struct error *err)
{
    SCOPE(tmp);
    const char *argv[] = { "ssh-keygen", "-Y", "check-novalidate", "-n", "flotilla", "-s",
                           path,         NULL };
    struct process_result run;
    if (!keygen(tmp, argv, text, &run, err))
        return false;
    if (run.status == 0) {
        fail(err, ERROR_UNSIGNED, "%s signed with a key that %s does not list for that name",
             approval->signer, rule->allowed_signers);
        return fail_hint(err,
                         "sign with the key that is listed (--key FILE), or add this one to "
                         "allowed_signers: `%s namespaces=\"flotilla\" ssh-ed25519 ...`",
                         approval->signer);
    }
    if (strstr(run.err, "namespace"))
        return fail(err, ERROR_UNSIGNED, "the signature of %s was not made for flotilla",
                    approval->signer);
    return fail(err, ERROR_UNSIGNED,
                "the signature of %s is of something else: another plan, phase or service, or "
                "an older draft",
                approval->signer);
}

/* Runs ssh-keygen; *key becomes the fingerprint it names ("SHA256:..."), or null. */
static bool signature_holds(const void *ctx, const struct part *part,
                            const struct approval *approval, const struct approval_rule *rule,
                            const char **key, struct error *err)
{
    SCOPE(tmp);
    const char *text = NULL;
    AUTO_FD fd = -1;
    if (!approval_text(tmp, part, approval->signer, approval->signed_at, &text, err) ||
        !plain_argument("signer", approval->signer, err) ||
        !plain_argument("allowed_signers", rule->allowed_signers, err))
        return false;
    if (!approval_armour_is_sound(approval->signature))
        return fail(err, ERROR_UNSIGNED, "what %s sent is no SSH signature", approval->signer);
    if (!file_exists(rule->allowed_signers))
        return fail(err, ERROR_NOT_FOUND, "%s: there is no such file", rule->allowed_signers) ||
               fail_hint(err, "write one line a person: `ana@example.org ssh-ed25519 AAAA...`");
    if (!memory_file(approval->signature, &fd, err))
        return false;
    const char *path = mem_printf(tmp, "/proc/%ld/fd/%d", (long)getpid(), fd);
    const char *argv[] = { "ssh-keygen",          "-Y", "verify",   "-f",
                           rule->allowed_signers, "-n", "flotilla", "-I",
                           approval->signer,      "-s", path,       NULL };
    struct process_result run;
    if (!keygen(tmp, argv, text, &run, err))
        return false;
    if (run.status != 0)
        return explain(path, text, approval, rule, err);
    const char *print = strstr(run.out, "SHA256:");
    *key = print ? mem_textn(ctx, print, strcspn(print, " \r\n")) : NULL;
    return true;
}

static bool is_among(const char *signer, const struct step_texts *who)
{
    for (size_t i = 0; who && i < who->count; i++)
        if (text_eq(who->items[i], signer))
            return true;
    return !who;
}

static bool is_fresh(const struct approval *approval, const struct approval_rule *rule,
                     int64_t when, struct error *err)
{
    SCOPE(tmp);
    if (rule->ttl_ms <= 0 || rule->now_ms - when <= rule->ttl_ms)
        return true;
    fail(err, ERROR_UNSIGNED, "the approval of %s is expired: signed at %s, it held for %s",
         approval->signer, approval->signed_at, text_duration(tmp, rule->ttl_ms));
    return fail_hint(err, "ask %s to approve again", approval->signer);
}

/* What can be said without the signature itself. */
static bool rule_admits(const struct approval *approval, const struct approval_rule *rule,
                        struct error *err)
{
    const char *signer = approval->signer;
    int64_t when = 0;
    if (text_empty(signer) || text_empty(approval->signed_at) || text_empty(approval->signature))
        return fail(err, ERROR_UNSIGNED, "an approval lacks its signer, time or signature");
    if (!clock_parse_rfc3339(approval->signed_at, &when, err))
        return fail_in(err, "approval of %s", signer);
    if (!is_among(signer, rule->who))
        return fail(err, ERROR_UNSIGNED, "%s is not one of those who may approve here", signer);
    if (rule->now_ms > 0 && when > rule->now_ms + SKEW_MS)
        return fail(err, ERROR_UNSIGNED, "%s signed at %s, which is in the future", signer,
                    approval->signed_at) ||
               fail_hint(err, "check the clocks: `flotilla doctor` compares them");
    return is_fresh(approval, rule, when, err);
}

bool approval_verify(const struct part *part, const struct approval *approval,
                     const struct approval_rule *rule, struct error *err)
{
    SCOPE(tmp);
    const char *key = NULL;
    return rule_admits(approval, rule, err) &&
           signature_holds(tmp, part, approval, rule, &key, err);
}

/* It could not be checked, which is no word against it. */
static bool is_unsure(const struct error *why)
{
    return why->code == ERROR_IO || why->code == ERROR_TIMEOUT || why->code == ERROR_NO_SPACE;
}

struct counted {
    const char *signer;
    const char *key;
};

/* One person counts once, and so does one key, whatever names it is listed under. */
static bool is_new(const struct counted *counted, int count, const struct counted *c,
                   struct error *err)
{
    for (int i = 0; i < count; i++) {
        if (text_eq(counted[i].signer, c->signer))
            return fail(err, ERROR_UNSIGNED, "%s counts once", c->signer);
        if (c->key && text_eq(counted[i].key, c->key))
            return fail(err, ERROR_UNSIGNED, "%s signed with the key of %s", c->signer,
                        counted[i].signer);
    }
    return true;
}

/* Nobody approves a change of their own alone, however few signatures are asked for. */
static bool enough(const struct counted *counted, int count, const struct approval_rule *rule)
{
    if (count < rule->need)
        return false;
    for (int i = 0; i < count; i++)
        if (!text_eq(counted[i].signer, rule->author))
            return true;
    return rule->need == 0;
}

static bool fail_short(const struct part *part, const struct approval_rule *rule, int count,
                       const char *valid, const char *refused, struct error *err)
{
    bool alone = count >= rule->need;
    fail(err, ERROR_UNSIGNED, "%s of %s needs %d approval%s and has %d%s%s%s%s%s%s",
         phase_name(part->phase), part->service, rule->need, rule->need == 1 ? "" : "s", count,
         count ? " (" : "", valid, count ? ")" : "",
         alone ? ", of who wrote the plan: another person has to approve it too" : "",
         *refused ? "; not counted: " : "", refused);
    return fail_hint(err,
                     "ask the owners: `flotilla approve PLAN --as NAME --phase %s --service %s`",
                     phase_name(part->phase), part->service);
}

bool approvals_suffice(const struct part *part, const struct approval *approvals, size_t count,
                       const struct approval_rule *rule, struct error *err)
{
    SCOPE(tmp);
    struct counted *counted = mem_array(tmp, struct counted, count);
    struct text valid = text_init(tmp, TEXT_LINE);
    struct text refused = text_init(tmp, TEXT_LINE);
    struct error unsure = { 0 };
    int valid_count = 0;
    for (size_t i = 0; i < count && !enough(counted, valid_count, rule); i++) {
        struct counted c = { .signer = approvals[i].signer };
        struct error why = { 0 };
        if (rule_admits(&approvals[i], rule, &why) &&
            signature_holds(tmp, part, &approvals[i], rule, &c.key, &why) &&
            is_new(counted, valid_count, &c, &why)) {
            counted[valid_count++] = c;
            text_addf(&valid, "%s%s", valid_count > 1 ? ", " : "", c.signer);
        } else {
            text_addf(&refused, "%s%s", refused.len ? "; " : "", why.message);
            unsure = is_unsure(&why) ? why : unsure;
        }
    }
    if (enough(counted, valid_count, rule))
        return true;
    if (unsure.code) {
        *err = unsure;
        return false;
    }
    return fail_short(part, rule, valid_count, valid.data, refused.data, err);
}
