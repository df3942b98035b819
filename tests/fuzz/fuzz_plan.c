/* A plan file as anyone may hand it over: reading never crashes, a refusal has its errors with
 * places, and a plan that was read is written and read back as the same plan. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/plan/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPE(tmp);
    struct error err;
    struct plan *plan = NULL;
    struct plan *again = NULL;
    const char *problems = NULL;
    struct plan_diff diff = { 0 };
    if (!plan_parse(tmp, "fuzz.yaml", (const char *)data, size, &plan, &problems, &err))
        return text_is_utf8(err.message, strlen(err.message)) ? 0 : (abort(), 0);
    const char *text = plan_to_yaml(tmp, plan);
    if (!plan_parse(tmp, "again.yaml", text, strlen(text), &again, &problems, &err) ||
        !text_eq(plan->digest, again->digest) || !text_eq(text, plan_to_yaml(tmp, again)))
        abort();
    plan_diff(tmp, plan, again, &diff);
    return diff.count == 0 ? 0 : (abort(), 0);
}
