/* A catalog as an agent or a file may send it: reading never crashes, and what was read is written
 * and read back with the same fingerprint and no difference. */
#include <stdint.h>
#include <stdlib.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/pg/catalog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPE(tmp);
    struct error err;
    json_t *value = NULL;
    struct catalog *catalog = NULL;
    struct catalog *again = NULL;
    if (!json_parse(tmp, (const char *)data, size, &value, &err) ||
        !catalog_from_json(tmp, value, &catalog, &err))
        return 0;
    if (!catalog_from_json(tmp, json_own(tmp, catalog_to_json(catalog)), &again, &err) ||
        !text_eq(catalog_fingerprint(tmp, catalog), catalog_fingerprint(tmp, again)) ||
        catalog_diff(tmp, catalog, again).count != 0)
        abort();
    return 0;
}
