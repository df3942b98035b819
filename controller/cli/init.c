#include <stdio.h>
#include <string.h>

#include "agents/base/embed.h"
#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/cli/command.h"
#include "controller/cli/commands.h"

EMBED(sample_fleet, "deploy/samples/fleet.yaml");
EMBED(sample_change, "deploy/samples/change.yaml");
EMBED(sample_signers, "deploy/samples/allowed_signers");

static const char doc[] = "Write a manifest, a change and a list of signers to start from.\v"
                          "Nothing that is there is overwritten.\n\n"
                          "Examples:\n"
                          "  flotilla init\n"
                          "  flotilla init fleets/shop\n";

static error_t parse(int key, char *arg, struct argp_state *state)
{
    const char **folder = state->input;
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    if (*folder)
        argp_error(state, "one folder at a time");
    *folder = arg;
    return 0;
}

static const struct {
    const char *name;
    const char *content;
} samples[] = {
    { "fleet.yaml", sample_fleet },
    { "change.yaml", sample_change },
    { "allowed_signers", sample_signers },
};

enum { SAMPLE_COUNT = sizeof(samples) / sizeof(samples[0]) };

/* All or nothing is looked at before the first is written. */
static bool write_samples(const char *folder, struct error *err)
{
    SCOPE(tmp);
    const char *paths[SAMPLE_COUNT];
    if (!file_make_dir(folder, 0755, err))
        return false;
    for (int i = 0; i < SAMPLE_COUNT; i++) {
        bool here = text_eq(folder, ".");
        paths[i] = here ? samples[i].name : mem_printf(tmp, "%s/%s", folder, samples[i].name);
        if (file_exists(paths[i]))
            return fail(err, ERROR_EXISTS, "%s is there already; nothing was written", paths[i]) ||
                   fail_hint(err, "choose another folder: `flotilla init DIR`");
    }
    for (int i = 0; i < SAMPLE_COUNT; i++) {
        if (!file_write(paths[i], samples[i].content, strlen(samples[i].content), 0644, err))
            return false;
        printf("wrote %s\n", paths[i]);
    }
    return true;
}

int command_init(int argc, char **argv)
{
    const char *folder = NULL;
    const struct argp argp = { NULL, parse, "[DIR]", doc, NULL, NULL, NULL };
    if (argp_parse(&argp, argc, argv, 0, NULL, &folder) != 0)
        return EXIT_FAILED;
    struct error err;
    if (!write_samples(folder ? folder : ".", &err))
        return command_failed(argv[0], &err);
    puts("Next: put your services and hosts into fleet.yaml, then `flotilla validate`.");
    return EXIT_DONE;
}
