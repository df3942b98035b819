#include "agents/base/log.h"

#include <stdio.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"

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
