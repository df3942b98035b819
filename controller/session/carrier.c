#include "controller/session/carrier.h"

#include <ctype.h>
#include <string.h>

#include "agents/base/text.h"

bool plain_path(const char *s)
{
    bool good = isalnum((unsigned char)s[0]) || s[0] == '/' || s[0] == '.';
    for (const char *p = s; *p; p++)
        good = good && (isalnum((unsigned char)*p) || strchr("/._-+", *p));
    return good;
}

bool carrier_command(const void *ctx, const struct instance *target, const char **out,
                     struct error *err)
{
    const char *s = target->agent_command ? target->agent_command : "flotilla-agent";
    if (!plain_path(s)) {
        fail(err, ERROR_INVALID, "agent_command \"%s\" is not a plain path",
             text_printable(ctx, s));
        return fail_hint(err, "use letters, digits and / . _ - +, without options or spaces");
    }
    *out = s;
    return true;
}
