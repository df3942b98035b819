#include "agents/base/digest.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

static const char *digest_done(const void *ctx, crypto_hash_sha256_state *state)
{
    unsigned char raw[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof(raw) + 1];
    crypto_hash_sha256_final(state, raw);
    sodium_bin2hex(hex, sizeof(hex), raw, sizeof(raw));
    return mem_printf(ctx, "sha256:%s", hex);
}

const char *digest_bytes(const void *ctx, const void *data, size_t n)
{
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, data, n);
    return digest_done(ctx, &state);
}

const char *digest_text(const void *ctx, const char *s)
{
    return digest_bytes(ctx, s, strlen(s));
}

bool digest_json(const void *ctx, const json_t *value, const char **out, struct error *err)
{
    SCOPE(tmp);
    const char *text = NULL;
    if (!json_canonical(tmp, value, &text, err))
        return false;
    *out = digest_text(ctx, text);
    return true;
}

static void close_file(FILE **f)
{
    if (*f)
        fclose(*f);
}

bool digest_file(const void *ctx, const char *path, const char **out, struct error *err)
{
    __attribute__((cleanup(close_file))) FILE *f = fopen(path, "rbe");
    if (!f)
        return fail_errno(err, "%s", path);
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    unsigned char buffer[64 * 1024];
    size_t n;
    while ((n = fread(buffer, 1, sizeof(buffer), f)) > 0)
        crypto_hash_sha256_update(&state, buffer, n);
    if (ferror(f))
        return fail_errno(err, "%s", path);
    *out = digest_done(ctx, &state);
    return true;
}

bool digest_is_valid(const char *s)
{
    return text_starts(s, "sha256:") && strlen(s) == DIGEST_TEXT - 1 &&
           strspn(s + 7, "0123456789abcdef") == 64;
}

const char *digest_random_id(const void *ctx, size_t n)
{
    SCOPE(tmp);
    unsigned char *raw = mem_array(tmp, unsigned char, n);
    char *hex = mem_array(ctx, char, 2 * n + 1);
    randombytes_buf(raw, n);
    return sodium_bin2hex(hex, 2 * n + 1, raw, n);
}
