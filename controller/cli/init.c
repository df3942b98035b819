#include <stdio.h>
#include <string.h>

#include "agents/base/embed.h"
#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/cli/commands.h"

EMBED(sample_fleet, "deploy/samples/fleet.yaml");
EMBED(sample_change, "deploy/samples/change.yaml");
EMBED(sample_signers, "deploy/samples/allowed_signers");

static const char doc[] = "Write a manifest, a change and a list of signers to start from.\v"
                          "Nothing that is there is overwritten.\n\n"
                          "Examples:\n"
                          "  flotilla init\n"
                          "  flotilla init fleets/shop\n";

struct options {
    struct flags flags;
    const char *folder;
};

static const struct argument arguments[] = {
    { "FOLDER", offsetof(struct options, folder), NULL },
    { 0 },
};

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
    struct options o = { 0 };
    static const struct usage usage = { .takes = "[DIR]", .text = doc, .arguments = arguments };
    usage_read(&usage, argc, argv, &o.flags, &o);
    struct error err;
    if (!write_samples(o.folder ? o.folder : ".", &err))
        return command_failed(argv[0], &err);
    puts("Next: put your services and hosts into fleet.yaml, then `flotilla validate`.");
    return EXIT_DONE;
}
