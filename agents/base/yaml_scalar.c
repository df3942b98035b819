#include "agents/base/yaml_scalar.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agents/base/text.h"

static bool among(const char *s, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (text_eq(s, words[i]))
            return true;
    return false;
}

#define AMONG(s, ...)                                \
    among((s), (const char *const[]){ __VA_ARGS__ }, \
          sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

static bool all_of(const char *s, const char *set)
{
    return *s && strspn(s, set) == strlen(s);
}

static bool is_int(const char *s)
{
    if (text_starts(s, "0o"))
        return all_of(s + 2, "01234567");
    if (text_starts(s, "0x"))
        return all_of(s + 2, "0123456789abcdefABCDEF");
    return all_of(*s == '-' || *s == '+' ? s + 1 : s, "0123456789");
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool is_float(const char *s)
{
    if (*s == '-' || *s == '+')
        s++;
    if (AMONG(s, ".inf", ".Inf", ".INF"))
        return true;
    size_t before = strspn(s, "0123456789");
    s += before;
    size_t after = 0;
    if (*s == '.') {
        after = strspn(++s, "0123456789");
        s += after;
    }
    if (before + after == 0)
        return false;
    if (*s == 'e' || *s == 'E') {
        s++;
        if (*s == '-' || *s == '+')
            s++;
        return all_of(s, "0123456789");
    }
    return *s == '\0';
}

enum yaml_type yaml_scalar_type(const char *s)
{
    if (AMONG(s, "", "~", "null", "Null", "NULL"))
        return YAML_NULL;
    if (AMONG(s, "true", "True", "TRUE", "false", "False", "FALSE"))
        return YAML_BOOL;
    if (is_int(s))
        return YAML_INT;
    if (is_float(s) || AMONG(s, ".nan", ".NaN", ".NAN"))
        return YAML_FLOAT;
    return YAML_TEXT;
}

bool yaml_scalar_is_old_boolean(const char *s)
{
    return AMONG(s, "yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF",
                 "y", "Y", "n", "N");
}

bool yaml_scalar_int(const char *s, int64_t *out)
{
    /* Octal to YAML 1.1, decimal to 1.2: what a signer reads must be what is done. */
    const char *digits = s + strspn(s, "-+");
    if (digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9')
        return false;
    int base = text_starts(s, "0o") ? 8 : text_starts(s, "0x") ? 16 : 10;
    errno = 0;
    long long n = strtoll(base == 10 ? s : s + 2, NULL, base);
    if (errno)
        return false;
    *out = n;
    return true;
}
