#include "controller/manifest/grammar.h"

#include <arpa/inet.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define ALNUM  LOWER UPPER DIGITS

/* The first character is one of `first`, all others of `rest`; at most `most` in all. */
static bool made_of(const char *s, const char *first, const char *rest, size_t most)
{
    size_t n = strlen(s);
    return n > 0 && n <= most && strchr(first, s[0]) && 1 + strspn(s + 1, rest) == n;
}

static bool has_control(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7F)
            return true;
    return false;
}

static bool is_name(const char *s)
{
    return made_of(s, ALNUM "_", ALNUM "_.-", 63);
}

static bool is_signer(const char *s)
{
    return made_of(s, ALNUM "_", ALNUM "_.@+/:=-", 254);
}

/* RFC 1123 labels; an underscore is let through, as in many an internal zone. */
static bool is_dns_name(const char *s)
{
    size_t n = strlen(s);
    if (n == 0 || n > 253 || strspn(s, DIGITS ".") == n)
        return false;
    for (const char *label = s;;) {
        size_t len = strcspn(label, ".");
        if (len == 0 || len > 63 || !strchr(ALNUM "_", label[0]) || label[len - 1] == '-' ||
            strspn(label, ALNUM "_-") < len)
            return false;
        if (!label[len])
            return true;
        label += len + 1;
    }
}

static bool is_host(const char *s)
{
    struct in6_addr address;
    return is_dns_name(s) || inet_pton(AF_INET, s, &address) == 1 ||
           inet_pton(AF_INET6, s, &address) == 1;
}

static bool is_user(const char *s)
{
    return made_of(s, LOWER UPPER "_", ALNUM "_.-", 32);
}

/* A conninfo has a "=" or is a URL: those stay on the host, in its agent.yaml. */
static bool is_database(const char *s)
{
    return strlen(s) <= 128 && s[0] != '-' && !has_control(s) && !strchr(s, '=') &&
           !strstr(s, "://");
}

static bool is_command(const char *s)
{
    return made_of(s, ALNUM "_./", ALNUM "_./+-", 255);
}

/* Quotes and percent signs mean something in the options of OpenSSH that paths are handed to. */
static bool is_path(const char *s)
{
    return strlen(s) < 4096 && s[0] != '-' && !has_control(s) && !strpbrk(s, "\"%");
}

/* Nothing, or a colon and a port. */
static bool is_port_part(const char *s, size_t len)
{
    int port = 0;
    for (size_t i = 1; i < len && i < 7; i++)
        port = port * 10 + s[i] - '0';
    return len == 0 || (s[0] == ':' && len > 1 && len < 7 && strspn(s + 1, DIGITS) >= len - 1 &&
                        port >= 1 && port <= 65535);
}

/* "host", "host:port", "[IPv6 address]", "[IPv6 address]:port" */
static bool is_authority(const char *s, size_t len)
{
    bool bracket = s[0] == '[';
    const char *from = bracket ? s + 1 : s;
    const char *end = bracket ? memchr(s, ']', len) : memchr(s, ':', len);
    size_t host = end ? (size_t)(end - from) : (size_t)(s + len - from);
    if ((bracket && !end) || host > 253)
        return false;
    char text[254];
    struct in6_addr address;
    memcpy(text, from, host);
    text[host] = '\0';
    bool good = bracket ? inet_pton(AF_INET6, text, &address) == 1
                        : is_dns_name(text) || inet_pton(AF_INET, text, &address) == 1;
    const char *port = bracket ? end + 1 : from + host;
    return good && is_port_part(port, (size_t)(s + len - port));
}

static bool is_url(const char *s)
{
    const char *rest = text_starts(s, "https://") ? s + 8 : text_starts(s, "http://") ? s + 7 : "";
    for (const char *p = rest; *p; p++)
        if (*p <= 0x20 || *p == 0x7F || strchr("\"<>\\^`{|}", *p))
            return false;
    return strlen(s) <= 2048 && is_authority(rest, strcspn(rest, "/?#"));
}

static bool is_variable(const char *s)
{
    return made_of(s, LOWER UPPER "_", ALNUM "_", 128);
}

static const struct {
    bool (*holds)(const char *s);
    const char *hint;
} grammars[] = {
    [GRAMMAR_NAME] = { is_name, "is no name, use up to 63 letters, digits, _ . - and start with a "
                                "letter, digit or _" },
    [GRAMMAR_SIGNER] = { is_signer, "is no signer, write the name as in allowed_signers, such as "
                                    "ana@example.org" },
    [GRAMMAR_HOST] = { is_host, "is no host, write a DNS name or an IP address" },
    [GRAMMAR_USER] = { is_user, "is no login name, use up to 32 letters, digits, _ . -" },
    [GRAMMAR_DATABASE] = { is_database, "is no database of an agent.yaml, write a key of its "
                                        "`databases`" },
    [GRAMMAR_COMMAND] = { is_command, "is no program, write a name or path without arguments" },
    [GRAMMAR_PATH] = { is_path, "is no path, write one without quotes, % and control characters" },
    [GRAMMAR_URL] = { is_url, "is no URL, write http://HOST/... or https://HOST:PORT/... without a "
                              "login in it" },
    [GRAMMAR_VARIABLE] = { is_variable, "is no environment variable, write the name of the one "
                                        "that holds the key, never the key" },
};

bool grammar_text(struct yaml_problems *problems, const struct yaml_node *node, enum grammar form,
                  const char **out)
{
    const char *s = NULL;
    if (!yaml_text(problems, node, &s))
        return false;
    if (!grammars[form].holds(s)) {
        SCOPE(tmp);
        /* What may be a pasted key or hold a password is not repeated. */
        bool secret = form == GRAMMAR_VARIABLE || form == GRAMMAR_URL;
        const char *what = secret ? "this" : yaml_what(tmp, node);
        yaml_complain(problems, node, "%s: %s %s", text_printable(tmp, node->name), what,
                      grammars[form].hint);
        return false;
    }
    *out = s;
    return true;
}

bool grammar_key(struct yaml_problems *problems, const struct yaml_node *key, enum grammar form)
{
    if (grammars[form].holds(key->text))
        return true;
    SCOPE(tmp);
    yaml_complain(problems, key, "\"%s\" %s", text_printable(tmp, key->text), grammars[form].hint);
    return false;
}
