#include "agents/agent/handlers.h"

#include "agents/base/version.h"

/* One line an operation. */
/* clang-format off */
const struct handler agent_handlers[] = {
    { OP_HELLO, handle_hello },
    { OP_DOCTOR, handle_doctor },
    { OP_INSPECT, handle_inspect },
    { OP_RUN, handle_run },
    { OP_ATTACH, handle_attach },
    { OP_CONTROL, handle_control },
    { OP_STATE, handle_state },
    { OP_REHEARSE, handle_rehearse },
    { OP_COUNT, handle_count },
    { OP_SNAPSHOT, handle_snapshot },
    { OP_CLEAN, handle_clean },
    { OP_LOGS, handle_logs },
    { OP_SYNTAX, handle_syntax },
};
/* clang-format on */

const size_t agent_handler_count = sizeof(agent_handlers) / sizeof(agent_handlers[0]);

void agent_capabilities(bool can[OP_COUNT_OF])
{
    for (unsigned op = 0; op < OP_COUNT_OF; op++)
        can[op] = op == OP_BYE; /* the server's own */
    for (size_t i = 0; i < agent_handler_count; i++)
        can[agent_handlers[i].op] = true;
}

bool agent_handle(void *self, enum operation op, const json_t *args, struct reply *reply,
                  json_t **result, struct error *err)
{
    for (size_t i = 0; i < agent_handler_count; i++)
        if (agent_handlers[i].op == op)
            return agent_handlers[i].function(self, args, reply, result, err);
    fail(err, ERROR_UNSUPPORTED, "flotilla-agent %s cannot do %s", FLOTILLA_VERSION,
         operation_name(op));
    return fail_hint(err, "install the same version on both sides: `flotilla agent push`");
}
