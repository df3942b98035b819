/*
 * Approvals: OpenSSH signatures (ssh-keygen -Y, namespace "flotilla") over a text that names one
 * part by its digest. The same code checks them in the controller and, with its own list of
 * trusted keys, in the agent. We never parse the signature format ourselves.
 */
#ifndef AGENTS_PART_SIGNATURE_H
#define AGENTS_PART_SIGNATURE_H

#include <jansson.h>
#include <stdint.h>

#include "agents/part/part.h"

struct approval {
    const char *signer;
    const char *signed_at; /* RFC 3339, inside the signed text */
    const char *signature; /* armoured */
};

/* Who may sign and how much is needed. */
struct approval_rule {
    const char *allowed_signers;  /* file in ssh-keygen's format */
    const struct step_texts *who; /* signers that count */
    int need;
    int64_t ttl_ms;     /* older signatures do not count; 0: any age */
    int64_t now_ms;     /* wall time */
    const char *author; /* whose own signature is never enough alone; may be null */
};

/* The text: "flotilla-approval-v1\n<fleet>\n<environment>\n<plan>\n<phase>\n<service>\n<digest>\n
 * <signer>\n<time>\n". The digest is computed from the part, never taken from its field. */
bool approval_text(const void *ctx, const struct part *part, const char *signer,
                   const char *signed_at, const char **out, struct error *err) MUSTCHECK;

/* Signs with `ssh-keygen -Y sign -f KEY` (private key, or public key of one in ssh-agent). */
bool approval_sign(const void *ctx, const struct part *part, const char *signer, const char *key,
                   int64_t now_ms, struct approval *out, struct error *err) MUSTCHECK;

/* One signature: ERROR_UNSIGNED with the reason when it does not hold for this part. */
bool approval_verify(const struct part *part, const struct approval *approval,
                     const struct approval_rule *rule, struct error *err) MUSTCHECK;

/* Counts distinct valid signers; fails with ERROR_UNSIGNED naming what is missing and why each
 * signature that was offered did not count. */
bool approvals_suffice(const struct part *part, const struct approval *approvals, size_t count,
                       const struct approval_rule *rule, struct error *err) MUSTCHECK;

/* The file form: the armoured signature, then the signed text. Null when part and approval cannot
 * make such a text (approval_sign() and approval_verify() say why). */
const char *approval_to_file(const void *ctx, const struct part *part,
                             const struct approval *approval);
/* Takes a file apart; also tells what part it names, to find the one it belongs to. */
struct approval_named {
    const char *fleet, *environment, *plan, *phase, *service, *digest;
    struct approval approval;
};
bool approval_from_file(const void *ctx, const char *data, size_t len, struct approval_named *out,
                        struct error *err) MUSTCHECK;

/* Has the shape of ssh-keygen's armour and a sane length; says nothing about who signed what. */
bool approval_armour_is_sound(const char *armour);

json_t *approval_to_json(const struct approval *approval);
bool approval_from_json(const void *ctx, const json_t *json, struct approval *out,
                        struct error *err) MUSTCHECK;

#endif
