/* A part as a stranger may send it to an agent: reading it never crashes, and what is read keeps
 * its digest when it is written and read again. */
#include <stdint.h>
#include <stdlib.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/part/part.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPE(tmp);
    struct error err;
    json_t *value = NULL;
    struct part *part = NULL;
    struct part *again = NULL;
    const char *before = NULL;
    const char *after = NULL;
    if (!json_parse(tmp, (const char *)data, size, &value, &err) ||
        !part_from_json(tmp, value, &part, &err) || !part_digest(tmp, part, &before, &err))
        return 0;
    if (!part_from_json(tmp, json_own(tmp, part_to_json(part, true)), &again, &err) ||
        !part_digest(tmp, again, &after, &err) || !text_eq(before, after))
        abort();
    return 0;
}
