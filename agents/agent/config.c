#include "agents/agent/config.h"

#include "agents/base/mem.h"
#include "agents/base/text.h"

bool agent_config_database(const struct agent_config *config, const char *name,
                           const struct agent_database **out, struct error *err)
{
    SCOPE(tmp);
    struct text list = text_init(tmp, 512);
    for (size_t i = 0; i < config->database_count; i++) {
        const struct agent_database *database = &config->databases[i];
        if (database->scratch)
            continue;
        if (text_eq(database->name, name)) {
            *out = database;
            return true;
        }
        text_addf(&list, "%s%s", list.len ? ", " : "", database->name);
    }
    fail(err, ERROR_NOT_FOUND, "the agent serves no database \"%s\"; it serves: %s",
         text_printable(tmp, name), list.len ? list.data : "none");
    return fail_hint(err, "correct agent_database in the manifest, or add the database to %s there",
                     config->path);
}

const struct agent_database *agent_config_scratch(const struct agent_config *config,
                                                  const char *name)
{
    for (size_t i = 0; i < config->database_count; i++)
        if (config->databases[i].scratch && text_eq(config->databases[i].scratch_for, name))
            return &config->databases[i];
    return NULL;
}
