#include "agents/agent/handlers.h"
#include "agents/base/json.h"

bool agent_args_database(const struct agent *agent, const json_t *args,
                         const struct agent_database **out, struct error *err)
{
    const char *name = NULL;
    return json_need_text(args, "database", &name, err) &&
           agent_config_database(agent->config, name, out, err);
}
