#include <stdio.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/cli/commands.h"
#include "controller/desk/catalogs.h"
#include "controller/terminal/catalog_text.h"

struct inspect {
    struct flags flags;
    struct catalogs_wanted wanted;
    void *ctx;
};

enum { KEY_ALL = 0x2000 };

static const struct argp_option options[] = {
    CATALOGS_OPTIONS(0),
    { "all-instances", KEY_ALL, NULL, 0, "every instance of a service, not only its first", 0 },
    { 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct inspect *inspect = state->input;

    switch (key) {
    case KEY_ALL: inspect->wanted.all_instances = true; return 0;
    default: return catalogs_option(inspect->ctx, &inspect->wanted, key, arg);
    }
}

static const struct usage usage = {
    .text =
        "Read the whole catalog of a service's database: tables, views, functions, sizes, fingerprints. "
        "Never waits for a lock; what could not be read is listed.\v"
        "Examples:\n"
        "  flotilla inspect --service users\n"
        "  flotilla inspect --dsn 'host=localhost dbname=users' --format json > users.json\n"
        "  flotilla inspect --catalog users.json\n",
    .options = options,
    .parse = parse,
    .shows = SHOW_FLEET | SHOW_SERVICE,
    .formats = FORMAT_BIT(JSON),
};

static json_t *item_json(const void *ctx, const struct service_catalog *item)
{
    json_t *json = json_object();
    json_t *catalog = catalog_to_json(item->catalog);

    json_set_text(json, "service", item->service);
    json_set_text(json, "instance", item->instance);
    json_set_text(json, "fingerprint", catalog_fingerprint(ctx, item->catalog));
    json_object_set_new(json, "fingerprints", catalog_fingerprints(item->catalog));
    json_object_update(json, catalog);
    json_decref(catalog);
    return json;
}

static void print_json(const void *ctx, const struct catalogs *catalogs)
{
    json_t *json = NULL;

    if (catalogs->count == 1) {
        json = json_own(ctx, item_json(ctx, &catalogs->items[0]));
    } else {
        json = json_own(ctx, json_object());
        json_t *list = json_array();

        json_set_text(json, "fleet", catalogs->fleet ? catalogs->fleet->name : NULL);
        json_set_text(json, "environment", catalogs->environment);
        for (size_t i = 0; i < catalogs->count; i++)
            json_array_append_new(list, item_json(ctx, &catalogs->items[i]));
        json_object_set_new(json, "catalogs", list);
    }
    puts(json_pretty(ctx, json));
}

int command_inspect(int argc, char **argv)
{
    SCOPE(tmp);
    struct inspect inspect = { .ctx = tmp };
    struct catalogs catalogs = { 0 };
    struct error err;

    inspect.wanted.flags = &inspect.flags;
    usage_read(&usage, argc, argv, &inspect.flags, &inspect);
    if (!catalogs_gather(tmp, &inspect.wanted, &catalogs, &err))
        return command_failed(argv[0], &err);
    if (inspect.flags.format == FORMAT_JSON) {
        print_json(tmp, &catalogs);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < catalogs.count; i++) {
        struct text text = text_init(tmp, TEXT_FILE);

        catalog_text(&text, &catalogs.items[i]);
        printf("%s%s", i ? "\n" : "", text.data);
    }
    return EXIT_DONE;
}
