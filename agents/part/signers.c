#include "agents/part/signers.h"

#include <fnmatch.h>
#include <string.h>

#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

enum {
    FILE_MOST = 1024 * 1024,
    PROBLEMS_MOST = 20,
    TYPE_MOST = 64, /* the longest, webauthn-sk-ecdsa-..., has 44 */
};

struct signers {
    const char *path;
    const char **names; /* lists of patterns, one for each usable key */
    size_t key_count;
    const char *problems[PROBLEMS_MOST];
    size_t problem_count;
};

/* A line, taken apart from the left. */
struct line {
    const char *at;
    const char *name;    /* principals */
    const char *options; /* may be null */
    const char *type, *key;
};

static const char SPACE[] = " \t\r";

/* The next word; quotes hold it together and stay in it, as in options="a, b". */
static const char *word(const void *ctx, struct line *line)
{
    bool quoted = false;
    line->at += strspn(line->at, SPACE);
    const char *begin = line->at;
    while (*line->at && (quoted || !strchr(SPACE, *line->at))) {
        quoted = quoted != (*line->at == '"');
        line->at++;
    }
    return line->at > begin ? mem_textn(ctx, begin, (size_t)(line->at - begin)) : NULL;
}

static bool is_key_type(const char *s)
{
    return s && (text_starts(s, "ssh-") || text_starts(s, "ecdsa-") || text_starts(s, "sk-") ||
                 text_starts(s, "webauthn-"));
}

static int sextet(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *p = c ? strchr(digits, c) : NULL;
    return p ? (int)(p - digits) : -1;
}

/* The first bytes of a key in base64: the length of its type, and the type. */
static bool key_is_of(const char *type, const char *key)
{
    unsigned char bytes[TYPE_MOST + 4] = { 0 };
    size_t n = strlen(key), want = strlen(type) + 4, got = 0;
    size_t digits = n - (text_ends(key, "==") ? 2 : text_ends(key, "=") ? 1 : 0);
    if (n % 4 != 0 || want > sizeof bytes || digits * 3 / 4 <= want) {
        return false;
    }
    unsigned bits = 0;
    for (size_t i = 0; i < digits; i++) {
        int six = sextet(key[i]);
        if (six < 0) {
            return false;
        }
        bits = bits << 6 | (unsigned)six;
        if (i % 4 && got < want) {
            bytes[got++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
        }
    }
    return bytes[3] == want - 4 && memcmp(bytes + 4, type, want - 4) == 0;
}

/* A list of patterns, as in principals and namespaces: one must match, none with "!" may. */
static bool list_matches(const char *list, const char *name)
{
    SCOPE(tmp);
    bool matches = false;
    for (const char *p = list; *p;) {
        size_t n = strcspn(p, ",");
        bool not = *p == '!';
        const char *pattern = mem_textn(tmp, p + not, n - not );
        if (fnmatch(pattern, name, FNM_NOESCAPE) == 0) {
            if (not ) {
                return false;
            }
            matches = true;
        }
        p += n + (p[n] == ',');
    }
    return matches;
}

static const char *unquoted(const void *ctx, const char *s)
{
    size_t n = strlen(s);
    return n >= 2 && s[0] == '"' && s[n - 1] == '"' ? mem_textn(ctx, s + 1, n - 2) : s;
}

/* False: the key is for other namespaces than ours. */
static bool is_for_us(const char *options)
{
    static const char key[] = "namespaces=\"";
    SCOPE(tmp);
    const char *p = options ? strstr(options, key) : NULL;
    return !p || list_matches(mem_textn(tmp, p + strlen(key), strcspn(p + strlen(key), "\"")),
                              "flotilla");
}

static void problem(struct signers *s, int number, const char *what)
{
    if (s->problem_count < PROBLEMS_MOST) {
        s->problems[s->problem_count++] = mem_printf(s, "%s:%d: %s", s->path, number, what);
    }
}

/* Null, or what is wrong with it. */
static const char *line_take(struct signers *s, struct line *line)
{
    line->name = word(s, line);
    line->type = word(s, line);
    if (line->type && !is_key_type(line->type)) {
        line->options = line->type;
        line->type = word(s, line);
    }
    line->key = word(s, line);
    if (is_key_type(line->name)) {
        return "the line begins with a key, and says nobody's name";
    }
    if (!is_key_type(line->type)) {
        return "this is no line of NAME, options, type of key, key";
    }
    if (!line->key || !key_is_of(line->type, line->key)) {
        return "what stands there is no whole public key";
    }
    if (is_for_us(line->options)) {
        s->names[s->key_count++] = unquoted(s, line->name);
    }
    return NULL;
}

bool signers_read(const void *ctx, const char *path, struct signers **out, struct error *err)
{
    SCOPE(tmp);
    const char *data = NULL;
    size_t length = 0, lines = 1;
    if (!file_read(tmp, path, FILE_MOST, &data, &length, err)) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        lines += data[i] == '\n';
    }
    struct signers *s = mem_new(tmp, struct signers);
    s->path = mem_text(s, path);
    s->names = mem_array(s, const char *, lines);
    int number = 0;
    for (size_t at = 0; at < length;) {
        const char *end = memchr(data + at, '\n', length - at);
        size_t n = end ? (size_t)(end - data) - at : length - at;
        struct line line = { .at = mem_textn(s, data + at, n) };
        line.at += strspn(line.at, SPACE);
        const char *wrong = *line.at && *line.at != '#' ? line_take(s, &line) : NULL;
        number++;
        if (wrong) {
            problem(s, number, wrong);
        }
        at += n + 1;
    }
    *out = mem_give(ctx, s);
    return true;
}

size_t signers_keys(const struct signers *signers)
{
    return signers->key_count;
}

bool signers_know(const struct signers *signers, const char *name)
{
    for (size_t i = 0; i < signers->key_count; i++) {
        if (list_matches(signers->names[i], name)) {
            return true;
        }
    }
    return false;
}

const char *signers_problem(const struct signers *signers, size_t index)
{
    return index < signers->problem_count ? signers->problems[index] : NULL;
}
