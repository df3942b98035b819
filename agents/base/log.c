#include "agents/base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"

static enum log_level most = LOG_LEVEL_WARN;

void log_level_set(enum log_level level)
{
    most = level;
}

void log_line(enum log_level level, const char *module, const char *fmt, ...)
{
    static const char *const names[] = { "ERROR", "WARN", "INFO", "DEBUG" };
    if (level > most)
        return;
    SCOPE(tmp);
    struct text t = text_init(tmp, TEXT_LINE);
    va_list ap;
    va_start(ap, fmt);
    text_addv(&t, fmt, ap);
    va_end(ap);
    fprintf(stderr, "%s %s: %s\n", names[level], module, text_printable(tmp, t.data));
}

void log_error(const char *program, const struct error *err)
{
    SCOPE(tmp);
    fprintf(stderr, "%s: %s\n", program, text_printable(tmp, err->message));
    if (err->sqlstate[0])
        fprintf(stderr, "  SQLSTATE: %s\n", err->sqlstate);
    if (err->detail[0])
        fprintf(stderr, "  detail: %s\n", text_printable(tmp, err->detail));
    if (err->hint[0])
        fprintf(stderr, "  hint: %s\n", text_printable(tmp, err->hint));
}
