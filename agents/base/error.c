#include "agents/base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    const char *hint;
} codes[] = {
#define X(id, name, hint) { name, hint },
    ERROR_CODES(X)
#undef X
};

enum { CODE_COUNT = sizeof(codes) / sizeof(codes[0]) };

/* vsnprintf may cut a UTF-8 character in two; the tail would then not be valid JSON. */
static void cut_at_character(char *s)
{
    size_t n = strlen(s);
    size_t i = n;
    while (i > 0 && n - i < 4 && ((unsigned char)s[i - 1] & 0xC0) == 0x80)
        i--;
    if (i == 0)
        return;
    unsigned char lead = (unsigned char)s[i - 1];
    size_t need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (n - (i - 1) < need)
        s[i - 1] = '\0';
}

/* The arguments may point into the error that is replaced: it is written last. */
static void set_text(char *into, size_t size, const char *fmt, va_list ap)
{
    char fresh[sizeof(((struct error *)0)->message)];
    int n = vsnprintf(fresh, size, fmt, ap);
    if (n >= 0 && (size_t)n >= size)
        cut_at_character(fresh);
    memcpy(into, fresh, strlen(fresh) + 1);
}

static void set(struct error *err, enum error_code code, const char *fmt, va_list ap)
{
    struct error fresh = { .code = code };
    set_text(fresh.message, sizeof(fresh.message), fmt, ap);
    snprintf(fresh.hint, sizeof(fresh.hint), "%s", codes[code].hint);
    *err = fresh;
}

bool fail(struct error *err, enum error_code code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set(err, code, fmt, ap);
    va_end(ap);
    return false;
}

bool fail_in(struct error *err, const char *fmt, ...)
{
    char old[sizeof(err->message)];
    char context[sizeof(err->message)];
    memcpy(old, err->message, sizeof(old));
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(context, sizeof(context), fmt, ap);
    va_end(ap);
    int n = snprintf(err->message, sizeof(err->message), "%s: %s", context, old);
    if (n >= (int)sizeof(err->message))
        cut_at_character(err->message);
    return false;
}

bool fail_hint(struct error *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set_text(err->hint, sizeof(err->hint), fmt, ap);
    va_end(ap);
    return false;
}

bool fail_detail(struct error *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set_text(err->detail, sizeof(err->detail), fmt, ap);
    va_end(ap);
    return false;
}

static enum error_code errno_code(int number)
{
    if (number == ENOSPC || number == EDQUOT)
        return ERROR_NO_SPACE;
    return number == ENOENT ? ERROR_NOT_FOUND : ERROR_IO;
}

bool fail_errno(struct error *err, const char *fmt, ...)
{
    int number = errno;
    va_list ap;
    va_start(ap, fmt);
    set(err, errno_code(number), fmt, ap);
    va_end(ap);
    size_t n = strlen(err->message);
    snprintf(err->message + n, sizeof(err->message) - n, ": %s", strerror(number));
    return false;
}

const char *error_code_name(enum error_code code)
{
    return (unsigned)code < CODE_COUNT ? codes[code].name : "internal";
}

enum error_code error_code_from_name(const char *name)
{
    for (unsigned i = 0; name && i < CODE_COUNT; i++)
        if (strcmp(name, codes[i].name) == 0)
            return (enum error_code)i;
    return ERROR_INTERNAL;
}
