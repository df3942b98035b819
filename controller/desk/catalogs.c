#include "controller/desk/catalogs.h"
#include "controller/desk/document.h"

#include <string.h>

#include "agents/base/file.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/pg/catalog_read.h"

static const char default_manifest[] = "fleet.yaml";

error_t catalogs_option(const void *ctx, struct catalogs_wanted *wanted, int key, char *arg)
{
    if (key == CATALOGS_DSN)
        wanted->dsn = arg;
    else if (key == CATALOGS_FILE) {
        wanted->files = mem_room(ctx, wanted->files, const char *, wanted->file_count + 1);
        wanted->files[wanted->file_count++] = arg;
    } else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

static void add(const void *ctx, struct catalogs *out, struct service_catalog item)
{
    out->items = mem_room(ctx, out->items, struct service_catalog, out->count + 1);
    out->items[out->count++] = item;
}

static const char *service_of(const struct catalogs_wanted *wanted, const char *said,
                              const struct catalog *catalog)
{
    if (said)
        return said;
    if (wanted->flags->service)
        return wanted->flags->service;
    return catalog->database ? catalog->database : "database";
}

static bool add_json(const void *ctx, const struct catalogs_wanted *wanted, const json_t *json,
                     const char *service, struct catalogs *out, struct error *err)
{
    struct catalog *catalog = NULL;

    if (!catalog_from_json(ctx, json, &catalog, err))
        return false;
    if (!service)
        service = mem_text(ctx, json_text_of(json, "service"));
    add(ctx, out,
        (struct service_catalog){ .service = service_of(wanted, service, catalog),
                                  .instance = mem_text(ctx, json_text_of(json, "instance")),
                                  .catalog = catalog });
    return true;
}

/* "SERVICE=FILE" where a file of that whole name does not exist. */
static const char *split_service(const void *ctx, const char *value, const char **service)
{
    const char *equal = strchr(value, '=');

    if (!equal || file_exists(value))
        return value;
    *service = mem_textn(ctx, value, (size_t)(equal - value));
    return equal + 1;
}

static bool add_file(const void *ctx, const struct catalogs_wanted *wanted, const char *value,
                     struct catalogs *out, struct error *err)
{
    SCOPE(tmp);
    const char *service = NULL, *data = NULL;
    const char *path = split_service(ctx, value, &service);
    json_t *json = NULL;
    size_t len = 0, i;
    json_t *item;

    if (!file_read(tmp, path, TEXT_FILE, &data, &len, err))
        return fail_in(err, "--catalog") ||
               fail_hint(err, "save one with `flotilla inspect --format json`");
    if (!json_parse(tmp, data, len, &json, err))
        return fail_in(err, "%s", path);
    json_t *list = json_object_get(json, "catalogs");
    if (!json_is_array(list))
        return add_json(ctx, wanted, json, service, out, err) || fail_in(err, "%s", path);
    json_array_foreach(list, i, item)
        if (!add_json(ctx, wanted, item, NULL, out, err))
            return fail_in(err, "%s: catalogs: %zu", path, i);
    return true;
}

static bool add_dsn(const void *ctx, const struct catalogs_wanted *wanted, struct catalogs *out,
                    struct error *err)
{
    SCOPE(tmp);
    struct connection_options options = { .conninfo = wanted->dsn, .tag = "inspect" };
    struct connection *connection = NULL;
    struct catalog *catalog = NULL;

    if (!connection_open(tmp, &options, &connection, err) ||
        !catalog_read(ctx, connection, &catalog, err))
        return fail_in(err, "--dsn");
    add(ctx, out,
        (struct service_catalog){ .service = service_of(wanted, NULL, catalog),
                                  .catalog = catalog });
    return true;
}

static bool twice(const struct catalogs *catalogs, struct error *err)
{
    for (size_t i = 0; i < catalogs->count; i++)
        for (size_t j = 0; j < i; j++)
            if (text_eq(catalogs->items[i].service, catalogs->items[j].service) &&
                text_eq(catalogs->items[i].instance, catalogs->items[j].instance)) {
                fail(err, ERROR_USAGE, "--catalog: there are two catalogs of service \"%s\"",
                     catalogs->items[i].service);
                return !fail_hint(err, "name the service of each: --catalog SERVICE=FILE");
            }
    return false;
}

bool catalogs_gather(const void *ctx, const struct catalogs_wanted *wanted, struct catalogs *out,
                     struct error *err)
{
    struct catalogs all = { 0 };
    bool offline = wanted->file_count > 0 || wanted->dsn;
    const char *manifest = wanted->flags->manifest;

    if (!offline || !text_eq(manifest, default_manifest) || file_exists(manifest))
        if (!document_manifest(ctx, manifest, &all.fleet, err))
            return false;
    for (size_t i = 0; i < wanted->file_count; i++)
        if (!add_file(ctx, wanted, wanted->files[i], &all, err))
            return false;
    if (wanted->dsn && !add_dsn(ctx, wanted, &all, err))
        return false;
    if (!offline && !catalogs_from_fleet(ctx, wanted, &all, err))
        return false;
    if (twice(&all, err))
        return false;
    all.dsn = wanted->file_count == 0 ? wanted->dsn : NULL;
    all.live = !offline;
    *out = all;
    return true;
}
