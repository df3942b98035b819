/* An approval file as anyone may drop it beside a plan: taking it apart never crashes, and what is
 * taken out stands in the file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/part/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPE(tmp);
    struct error err;
    struct approval_named named = { 0 };
    if (!approval_from_file(tmp, (const char *)data, size, &named, &err))
        return 0;
    const char *const taken[] = { named.fleet,           named.environment,       named.plan,
                                  named.phase,           named.service,           named.digest,
                                  named.approval.signer, named.approval.signed_at };
    const char *text = mem_textn(tmp, (const char *)data, size);
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
        if (!taken[i] || !strstr(text, taken[i]))
            abort();
    return approval_armour_is_sound(named.approval.signature) ? 0 : (abort(), 0);
}
