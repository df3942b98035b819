/* JSON of strangers: parsing never crashes, and what has a canonical form is a fixed point of it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPE(tmp);
    struct error err;
    json_t *value = NULL;
    json_t *again = NULL;
    const char *first = NULL;
    const char *second = NULL;
    if (!json_parse(tmp, (const char *)data, size, &value, &err))
        return text_is_utf8(err.message, strlen(err.message)) ? 0 : (abort(), 0);
    if (!json_canonical(tmp, value, &first, &err))
        return 0;
    if (!json_parse(tmp, first, strlen(first), &again, &err) || !json_equal(value, again) ||
        !json_canonical(tmp, again, &second, &err) || !text_eq(first, second))
        abort();
    return 0;
}
