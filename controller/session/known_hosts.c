/*
 * known_hosts: which keys a host may show. libssh2 1.10 prefers ECDSA and calls a host whose
 * ed25519 key alone is known a MISMATCH, which looks like an attack: so the lines are read first
 * and only the known types are asked for. libssh2 matches names (hashed ones too); wildcards and
 * certificate authorities it does not know.
 */
#include <stdio.h>
#include <string.h>

#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/session/ssh.h"

enum { FILE_MOST = 32 * 1024 * 1024, LINE_MOST = 16 * 1024, SHA256_BYTES = 32 };

struct known_hosts {
    const struct instance *target;
    const char *path;
    struct text keys;    /* "type base64\n" of each line about this host */
    struct text revoked; /* the same of @revoked lines */
    struct text methods;
    const char *types; /* "ssh-ed25519, ssh-rsa" for messages */
    bool authority;    /* there are @cert-authority or wildcard lines */
};

static void hosts_end(LIBSSH2_KNOWNHOSTS **hosts)
{
    if (*hosts)
        libssh2_knownhost_free(*hosts);
}

static void session_end(LIBSSH2_SESSION **session)
{
    if (*session)
        libssh2_session_free(*session);
}

/* Whether a line is about the host: any key asked for, so a line of the host answers MISMATCH. */
static bool line_matches(LIBSSH2_SESSION *session, const struct instance *target, const char *line,
                         size_t len)
{
    __attribute__((cleanup(hosts_end))) LIBSSH2_KNOWNHOSTS *one = libssh2_knownhost_init(session);
    struct libssh2_knownhost *found = NULL;
    if (!one || libssh2_knownhost_readline(one, line, len, LIBSSH2_KNOWNHOST_FILE_OPENSSH) != 0)
        return false;
    int answer = libssh2_knownhost_checkp(
        one, target->host, target->port, "AAAA", 4,
        LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_BASE64, &found);
    return answer == LIBSSH2_KNOWNHOST_CHECK_MISMATCH || answer == LIBSSH2_KNOWNHOST_CHECK_MATCH;
}

/* "names type base64 comment" → "type base64". */
static void add_key(struct text *into, const char *line)
{
    const char *type = line + strcspn(line, " \t");
    type += strspn(type, " \t");
    size_t type_len = strcspn(type, " \t");
    const char *key = type + type_len;
    key += strspn(key, " \t");
    text_addn(into, type, type_len);
    text_addc(into, ' ');
    text_addn(into, key, strcspn(key, " \t"));
    text_addc(into, '\n');
}

static bool is_wild(const char *line)
{
    size_t n = strcspn(line, " \t");
    return line[0] != '|' && (memchr(line, '*', n) || memchr(line, '?', n));
}

static void take_line(struct known_hosts *known, LIBSSH2_SESSION *session, const char *data,
                      size_t len)
{
    SCOPE(tmp);
    const char *line = mem_textn(tmp, data, len);
    line += strspn(line, " \t");
    if (*line == '#' || !*line || len > LINE_MOST)
        return;
    bool revoked = text_starts(line, "@revoked");
    if (text_starts(line, "@cert-authority") || (!revoked && is_wild(line))) {
        known->authority = true;
        return;
    }
    if (revoked)
        line += strcspn(line, " \t");
    line += strspn(line, " \t");
    if (line_matches(session, known->target, line, strlen(line)))
        add_key(revoked ? &known->revoked : &known->keys, line);
}

/* Key type in known_hosts → what to ask the host for; libssh2 leaves out what it does not know. */
static const char *const method_of[][2] = {
    { "ssh-ed25519", "ssh-ed25519" },
    { "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256" },
    { "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384" },
    { "ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521" },
    { "ssh-rsa", "rsa-sha2-512,rsa-sha2-256,ssh-rsa" },
};

static bool has_type(const struct text *keys, const char *type)
{
    size_t n = strlen(type);
    for (const char *line = keys->data; *line; line = strchr(line, '\n') + 1)
        if (strncmp(line, type, n) == 0 && line[n] == ' ')
            return true;
    return false;
}

static void find_methods(struct known_hosts *known)
{
    struct text types = text_init(known, TEXT_LINE);
    for (size_t i = 0; i < sizeof(method_of) / sizeof(method_of[0]); i++) {
        if (!has_type(&known->keys, method_of[i][0]))
            continue;
        text_addf(&known->methods, "%s%s", known->methods.len ? "," : "", method_of[i][1]);
        text_addf(&types, "%s%s", types.len ? ", " : "", method_of[i][0]);
    }
    known->types = types.data;
}

static const char *default_path(const void *ctx)
{
    return file_path_from(ctx, ".", "~/.ssh/known_hosts");
}

bool known_hosts_read(const void *ctx, const struct instance *target, struct known_hosts **out,
                      struct error *err)
{
    SCOPE(tmp);
    struct known_hosts *known = mem_new(tmp, struct known_hosts);
    const char *data = "";
    size_t len = 0;
    known->target = target;
    known->path = target->known_hosts ? mem_text(known, target->known_hosts) : default_path(known);
    known->keys = text_init(known, TEXT_SQL);
    known->revoked = text_init(known, TEXT_SQL);
    known->methods = text_init(known, TEXT_LINE);
    if (!file_read(tmp, known->path, FILE_MOST, &data, &len, err)) {
        err->code = ERROR_HOST_KEY;
        fail_in(err, "the hosts' keys cannot be checked");
        return fail_hint(err,
                         "write the keys of your hosts there: `ssh-keyscan HOST >> %s`, then "
                         "compare them with the hosts' administrators",
                         known->path);
    }
    __attribute__((cleanup(session_end))) LIBSSH2_SESSION *session =
        libssh2_session_init_ex(NULL, NULL, NULL, NULL);
    for (size_t at = 0; session && at < len;) {
        const char *end = memchr(data + at, '\n', len - at);
        size_t n = end ? (size_t)(end - data) - at : len - at;
        take_line(known, session, data + at, n > 0 && data[at + n - 1] == '\r' ? n - 1 : n);
        at += n + 1;
    }
    find_methods(known);
    *out = mem_give(ctx, known);
    return true;
}

const char *known_hosts_methods(const struct known_hosts *known)
{
    return known->methods.len ? known->methods.data : NULL;
}

static const char *base64(const void *ctx, const void *data, size_t n, bool pad)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct text t = text_init(ctx, TEXT_SQL);
    const unsigned char *p = data;
    for (size_t i = 0; i < n; i += 3) {
        unsigned word = (unsigned)p[i] << 16 | (i + 1 < n ? (unsigned)p[i + 1] << 8 : 0) |
                        (i + 2 < n ? p[i + 2] : 0);
        size_t have = n - i < 3 ? n - i + 1 : 4;
        for (size_t k = 0; k < 4; k++)
            if (k < have)
                text_addc(&t, digits[word >> (18 - 6 * k) & 63]);
            else if (pad)
                text_addc(&t, '=');
    }
    return t.data;
}

static const char *type_name(int type)
{
    switch (type) {
    case LIBSSH2_HOSTKEY_TYPE_RSA: return "ssh-rsa";
    case LIBSSH2_HOSTKEY_TYPE_ECDSA_256: return "ecdsa-sha2-nistp256";
    case LIBSSH2_HOSTKEY_TYPE_ECDSA_384: return "ecdsa-sha2-nistp384";
    case LIBSSH2_HOSTKEY_TYPE_ECDSA_521: return "ecdsa-sha2-nistp521";
    case LIBSSH2_HOSTKEY_TYPE_ED25519: return "ssh-ed25519";
    default: return "unknown type";
    }
}

static const char *spelled(const void *ctx, const struct instance *target)
{
    return target->port == 22 ? mem_text(ctx, target->host)
                              : mem_printf(ctx, "[%s]:%d", target->host, target->port);
}

static bool unknown_host(const struct known_hosts *known, const char *shown, struct error *err)
{
    SCOPE(tmp);
    fail(err, ERROR_HOST_KEY, "the host key is unknown: %s has no line for %s, which shows %s",
         known->path, spelled(tmp, known->target), shown);
    if (known->authority)
        return fail_hint(err, "if it is known by a wildcard or @cert-authority line, which libssh2 "
                              "does not understand, set `transport: openssh`; else compare the key "
                              "with its administrator and add it");
    return fail_hint(err,
                     "compare it with its administrator, then add it: `ssh-keyscan -p %d %s "
                     ">> %s`",
                     known->target->port, known->target->host, known->path);
}

bool known_hosts_check(const struct known_hosts *known, struct ssh *ssh, struct error *err)
{
    SCOPE(tmp);
    size_t len = 0;
    int type = 0;
    const char *key = libssh2_session_hostkey(ssh->session, &len, &type);
    const char *hash = libssh2_hostkey_hash(ssh->session, LIBSSH2_HOSTKEY_HASH_SHA256);
    if (!key || !hash)
        return fail(err, ERROR_HOST_KEY, "the host shows no key");
    const char *name = type_name(type);
    const char *line = mem_printf(tmp, "%s %s\n", name, base64(tmp, key, len, true));
    const char *shown =
        mem_printf(tmp, "%s SHA256:%s", name, base64(tmp, hash, SHA256_BYTES, false));
    if (strstr(known->revoked.data, line)) {
        fail(err, ERROR_HOST_KEY, "the host shows a key that %s has as revoked: %s", known->path,
             shown);
        return fail_hint(err, "do not connect; ask the host's administrator");
    }
    if (strstr(known->keys.data, line))
        return true;
    if (!known->keys.len)
        return unknown_host(known, shown, err);
    if (!has_type(&known->keys, name)) {
        fail(err, ERROR_HOST_KEY,
             "the host shows a key of another type (%s) than %s knows of it (%s)", shown,
             known->path, known->types);
        return fail_hint(err,
                         "compare it with its administrator, then add it beside the others: "
                         "`ssh-keyscan -p %d %s`",
                         known->target->port, known->target->host);
    }
    fail(err, ERROR_HOST_KEY, "the host key has CHANGED: it shows %s, which is not the key in %s",
         shown, known->path);
    return fail_hint(err,
                     "this may be an attack. Ask the host's administrator; if the host was set "
                     "up anew: `ssh-keygen -R %s -f %s`, then add the new key",
                     spelled(tmp, known->target), known->path);
}
