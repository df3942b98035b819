#include <string.h>

#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/part/signature.h"

static const char header[] = "flotilla-approval-v1";
static const char armour_begin[] = "-----BEGIN SSH SIGNATURE-----\n";
static const char armour_end[] = "-----END SSH SIGNATURE-----\n";

/* A signature of the largest keys (RSA 16384, certificates) is under 8 kB of armour. */
enum { ARMOUR_LIMIT = 64 * 1024, FILE_LIMIT = 128 * 1024, LINE_COUNT = 9 };

/* The text is read line by line: no value may bring a line of its own. */
static bool one_line(const char *what, const char *value, struct error *err)
{
    if (text_empty(value))
        return fail(err, ERROR_INVALID, "an approval needs %s", what);
    for (const char *p = value; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7F)
            return fail(err, ERROR_INVALID, "an approval cannot name %s with control characters",
                        what);
    return true;
}

/* ssh-keygen's allowed_signers separates names by commas and spaces, and reads * ? ! as patterns.
 */
static bool signer_is_name(const char *signer, struct error *err)
{
    if (!one_line("a signer", signer, err))
        return false;
    if (strpbrk(signer, " ,\"*?!#"))
        return fail(err, ERROR_INVALID, "\"%s\" cannot be a signer's name", signer) ||
               fail_hint(err, "use the name as in allowed_signers, such as ana@example.org");
    return true;
}

bool approval_text(const void *ctx, const struct part *part, const char *signer,
                   const char *signed_at, const char **out, struct error *err)
{
    SCOPE(tmp);
    const char *digest = NULL;
    int64_t when = 0;
    if (!one_line("a fleet", part->fleet, err) ||
        !one_line("an environment", part->environment, err) ||
        !one_line("a plan", part->plan, err) || !one_line("a service", part->service, err) ||
        !signer_is_name(signer, err) || !one_line("a time", signed_at, err) ||
        !clock_parse_rfc3339(signed_at, &when, err) || !part_digest(tmp, part, &digest, err))
        return false;
    *out = mem_printf(ctx, "%s\n%s\n%s\n%s\n%s\n%s\n%s\n%s\n%s\n", header, part->fleet,
                      part->environment, part->plan, phase_name(part->phase), part->service, digest,
                      signer, signed_at);
    return true;
}

const char *approval_to_file(const void *ctx, const struct part *part,
                             const struct approval *approval)
{
    SCOPE(tmp);
    struct error err;
    const char *text = NULL;
    if (!approval_text(tmp, part, approval->signer, approval->signed_at, &text, &err))
        return NULL;
    return mem_printf(ctx, "%s%s", approval->signature, text);
}

bool approval_armour_is_sound(const char *armour)
{
    size_t n = armour ? strlen(armour) : 0;
    return n < ARMOUR_LIMIT && text_starts(armour, armour_begin) && text_ends(armour, armour_end);
}

/* Takes the next line of *rest; null when there is none that ends. */
static const char *next_line(const void *ctx, const char **rest)
{
    const char *end = strchr(*rest, '\n');
    if (!end)
        return NULL;
    const char *line = mem_textn(ctx, *rest, (size_t)(end - *rest));
    *rest = end + 1;
    return line;
}

static bool read_lines(const void *ctx, const char *text, struct approval_named *named,
                       struct error *err)
{
    const char *line[LINE_COUNT];
    const char *rest = text;
    for (int i = 0; i < LINE_COUNT; i++) {
        line[i] = next_line(ctx, &rest);
        if (text_empty(line[i]))
            return fail(err, ERROR_INVALID, "the signed text ends after %d of %d lines", i,
                        LINE_COUNT);
    }
    if (!text_eq(line[0], header) || *rest)
        return fail(err, ERROR_INVALID, "the signed text is no approval of this version");
    *named = (struct approval_named){
        .fleet = line[1],
        .environment = line[2],
        .plan = line[3],
        .phase = line[4],
        .service = line[5],
        .digest = line[6],
        .approval = { .signer = line[7], .signed_at = line[8] },
    };
    return true;
}

bool approval_from_file(const void *ctx, const char *data, size_t len, struct approval_named *out,
                        struct error *err)
{
    if (len > FILE_LIMIT || !text_is_utf8(data, len))
        return fail(err, ERROR_INVALID, "is no approval: too long or not text");
    const char *whole = mem_textn(ctx, data, len);
    const char *end = strstr(whole, armour_end);
    if (!text_starts(whole, armour_begin) || !end)
        return fail(err, ERROR_INVALID, "is no approval: it does not start with an SSH signature");
    end += strlen(armour_end);
    struct approval_named named;
    if (!read_lines(ctx, end, &named, err))
        return fail_in(err, "is no approval");
    named.approval.signature = mem_textn(ctx, whole, (size_t)(end - whole));
    *out = named;
    return true;
}

json_t *approval_to_json(const struct approval *approval)
{
    json_t *o = json_object();
    json_set_text(o, "signer", approval->signer);
    json_set_text(o, "signed_at", approval->signed_at);
    json_set_text(o, "signature", approval->signature);
    return o;
}

bool approval_from_json(const void *ctx, const json_t *json, struct approval *out,
                        struct error *err)
{
    const char *signer = NULL;
    const char *signed_at = NULL;
    const char *signature = NULL;
    if (!json_need_text(json, "signer", &signer, err) ||
        !json_need_text(json, "signed_at", &signed_at, err) ||
        !json_need_text(json, "signature", &signature, err))
        return fail_in(err, "approval");
    *out = (struct approval){ mem_text(ctx, signer), mem_text(ctx, signed_at),
                              mem_text(ctx, signature) };
    return true;
}
