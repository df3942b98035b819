#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/process.h"
#include "agents/base/text.h"
#include "controller/cli/commands.h"
#include "controller/desk/catalogs.h"
#include "controller/graph/graph_print.h"

enum {
    DOT_TIMEOUT_MS = 60 * 1000,
    DOT_MOST = 1024 * 1024 - 1, /* what process_run keeps of a program's output */
};

struct graph_command {
    struct flags flags;
    struct catalogs_wanted wanted;
    const char *impact;
    bool suggest;
    void *ctx;
};

enum { KEY_IMPACT = 0x2000, KEY_SUGGEST };

static const struct argp_option options[] = {
    { "impact", KEY_IMPACT, "SERVICE:TABLE(COLUMN)", 0, "only what depends on this, near and far",
      0 },
    { "suggest", KEY_SUGGEST, NULL, 0, "add guesses by name and type, with a confidence", 0 },
    CATALOGS_OPTIONS(0),
    { 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct graph_command *command = state->input;

    switch (key) {
    case KEY_IMPACT: command->impact = arg; return 0;
    case KEY_SUGGEST: command->suggest = true; return 0;
    default: return catalogs_option(command->ctx, &command->wanted, key, arg);
    }
}

static const struct usage usage = {
    .text =
        "Who depends on whose tables and columns, across the fleet. Every line says where it comes "
        "from.\v"
        "Examples:\n"
        "  flotilla graph\n"
        "  flotilla graph --impact 'users:users(email)'\n"
        "  flotilla graph --format svg > fleet.svg\n"
        "  flotilla graph --catalog users=users.json --catalog orders=orders.json --suggest\n",
    .options = options,
    .parse = parse,
    .shows = SHOW_FLEET,
    .formats = FORMAT_BIT(JSON) | FORMAT_BIT(DOT) | FORMAT_BIT(MERMAID) | FORMAT_BIT(SVG),
};

/* A terminal that was told nothing about UTF-8 gets plain characters. */
static bool wants_ascii(void)
{
    static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (!text_empty(value))
            return !strcasestr(value, "utf-8") && !strcasestr(value, "utf8");
    }
    return true;
}

static bool print_svg(const void *ctx, const struct graph_view *view, struct error *err)
{
    const char *const argv[] = { "dot", "-Tsvg", NULL };
    struct process_result result = { 0 };
    struct text dot = text_init(ctx, TEXT_FILE);

    graph_view_dot(&dot, view);
    if (!process_run(ctx, argv, dot.data, DOT_TIMEOUT_MS, &result, err) || result.status == 127) {
        fail(err, ERROR_UNSUPPORTED, "the program `dot` is needed for svg and cannot be run");
        return fail_hint(err, "install the package graphviz, or use --format mermaid or dot");
    }
    if (result.status != 0 || strlen(result.out) >= DOT_MOST) {
        fail(err, ERROR_UNSUPPORTED, "`dot` could not draw this graph: %s",
             result.status ? text_printable(ctx, result.err) : "the picture is too large");
        return fail_hint(err, "print --format dot into a file and draw a part of it, or use "
                              "--impact for less of it");
    }
    fputs(result.out, stdout);
    return true;
}

static bool print_view(const void *ctx, enum format format, struct graph_view view,
                       struct error *err)
{
    struct text text = text_init(ctx, TEXT_FILE);

    switch (format) {
    case FORMAT_JSON: puts(json_pretty(ctx, json_own(ctx, graph_view_json(&view)))); return true;
    case FORMAT_SVG: return print_svg(ctx, &view, err);
    case FORMAT_DOT: graph_view_dot(&text, &view); break;
    case FORMAT_MERMAID: graph_view_mermaid(&text, &view); break;
    default: view.ascii = wants_ascii(); graph_view_tree(&text, &view);
    }
    fputs(text.data, stdout);
    return true;
}

/* What was locked or moving may hold what depends on something else: an edge that is not shown is
 * then no proof that there is none. */
static void warn_of_unreadable(const struct catalogs *catalogs)
{
    for (size_t i = 0; i < catalogs->count; i++) {
        const struct catalog *c = catalogs->items[i].catalog;
        for (size_t k = 0; k < c->unreadable_count; k++) {
            SCOPE(tmp);
            fprintf(stderr, "flotilla: %s: %s could not be read (%s): edges of it may be missing\n",
                    catalogs->items[i].service, text_printable(tmp, c->unreadable[k].object),
                    text_printable(tmp, c->unreadable[k].reason));
        }
    }
}

/* The whole fleet is read even for one service: others may depend on it. */
static bool run(const void *ctx, struct graph_command *command, struct error *err)
{
    struct catalogs catalogs = { 0 };
    struct graph *graph = NULL;
    struct graph_object object;
    bool offline = command->wanted.dsn || command->wanted.file_count;

    if (command->flags.service && !offline) {
        fail(err, ERROR_USAGE, "a graph is of the whole fleet: --service does not go with it");
        return fail_hint(err, "to see what depends on a service's table: --impact %s:TABLE",
                         command->flags.service);
    }
    if (!catalogs_gather(ctx, &command->wanted, &catalogs, err) ||
        !graph_build(ctx, catalogs.fleet, catalogs.items, catalogs.count, command->suggest, &graph,
                     err))
        return false;
    warn_of_unreadable(&catalogs);
    if (!command->impact)
        return print_view(ctx, command->flags.format, graph_view_all(ctx, graph), err);
    if (!graph_object_find(ctx, graph, command->impact, &object, err))
        return fail_in(err, "--impact");
    return print_view(ctx, command->flags.format, graph_view_impact(ctx, graph, &object), err);
}

int command_graph(int argc, char **argv)
{
    SCOPE(tmp);
    struct graph_command command = { .ctx = tmp };
    struct error err;

    command.wanted.flags = &command.flags;
    usage_read(&usage, argc, argv, &command.flags, &command);
    return run(tmp, &command, &err) ? EXIT_DONE : command_failed(argv[0], &err);
}
