#include "agents/agent/handlers.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/pg/catalog_read.h"

/* The hash is older than the catalog: a change in between is a false alarm later, never missed. */
static bool inspect(struct connection *connection, const char *known_hash, json_t **result,
                    struct error *err)
{
    SCOPE(tmp);
    const char *hash = NULL;
    struct catalog *catalog = NULL;

    if (!catalog_hash(tmp, connection, &hash, err))
        return false;
    bool same = text_eq(hash, known_hash);
    if (!same && !catalog_read(tmp, connection, &catalog, err))
        return false;
    *result = json_object();
    json_set_text(*result, "hash", hash);
    json_set_bool(*result, "unchanged", same);
    if (same)
        return true;
    json_set_text(*result, "fingerprint", catalog_fingerprint(tmp, catalog));
    json_object_set_new(*result, "catalog", catalog_to_json(catalog));
    return true;
}

bool handle_inspect(struct agent *agent, const json_t *args, struct reply *reply, json_t **result,
                    struct error *err)
{
    SCOPE(tmp);
    const struct agent_database *database = NULL;
    struct connection *connection = NULL;
    const char *known_hash = NULL;

    (void)reply;
    if (!agent_args_database(agent, args, &database, err) ||
        !json_may_text(args, "hash", &known_hash, err))
        return false;
    struct connection_options options = { .conninfo = database->conninfo, .tag = "inspect" };
    if (!connection_open(tmp, &options, &connection, err) ||
        !inspect(connection, known_hash, result, err))
        return fail_in(err, "database %s", database->name);
    return true;
}
