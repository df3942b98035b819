#include "agents/agent/handlers.h"
#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/version.h"

bool handle_hello(struct agent *agent, const json_t *args, struct reply *reply, json_t **result,
                  struct error *err)
{
    (void)args;
    (void)reply;
    (void)err;
    const struct agent_config *config = agent->config;
    json_t *json = json_object();
    json_t *names = json_array();
    json_set_text(json, "version", FLOTILLA_VERSION);
    json_set_int(json, "time_ms", clock_wall_ms());
    for (size_t i = 0; i < config->database_count; i++)
        if (!config->databases[i].scratch)
            json_array_append_new(names, json_string(config->databases[i].name));
    json_object_set_new(json, "databases", names);
    json_set_bool(json, "release_signers", config->release_signers != NULL);
    *result = json;
    return true;
}
