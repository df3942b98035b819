#include "agents/wire/ops.h"

#include "agents/base/text.h"

static const char *const names[] = {
#define X(id, name) name,
    OPERATIONS(X)
#undef X
};

const char *operation_name(enum operation op)
{
    return (unsigned)op < OP_COUNT_OF ? names[op] : "unknown";
}

bool operation_from_name(const char *name, enum operation *out)
{
    for (unsigned i = 0; i < OP_COUNT_OF; i++) {
        if (text_eq(names[i], name)) {
            *out = (enum operation)i;
            return true;
        }
    }
    return false;
}
