#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agents/base/clock.h"
#include "agents/base/log.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/terminal/command.h"

enum { KEY_ENV = 0x1000, KEY_FORMAT, KEY_NO_COLOR, KEY_TIMEOUT, KEY_STATE };

enum { SHOW_FORMAT = 0x100 }; /* beside the bits of usage.h */

static const struct {
    struct argp_option option;
    unsigned show;
} shared[] = {
    { { "manifest", 'm', "FILE", 0, "the fleet manifest (default: fleet.yaml)", 0 },
      SHOW_MANIFEST },
    { { "env", KEY_ENV, "NAME", 0, "the environment, when the manifest has several", 0 },
      SHOW_ENV },
    { { "service", 's', "NAME", 0, "only this service", 0 }, SHOW_SERVICE },
    { { "format", KEY_FORMAT, "FORMAT", 0, "how to print: text, json, ...", 0 }, SHOW_FORMAT },
    { { "no-color", KEY_NO_COLOR, NULL, 0, "no colours (NO_COLOR does the same)", 0 }, SHOW_COLOR },
    { { "timeout", KEY_TIMEOUT, "TIME", 0, "give up after, as 30s or 5m", 0 }, SHOW_TIMEOUT },
    { { "state", KEY_STATE, "DIR", 0,
        "the controller's state (default: .flotilla beside the manifest)", 0 },
      SHOW_STATE },
};

enum { SHARED_COUNT = sizeof(shared) / sizeof(shared[0]) };

static const char *const format_names[] = { "text",     "json",   "ndjson",  "yaml",
                                            "sarif",    "github", "gitlab",  "junit",
                                            "markdown", "dot",    "mermaid", "svg" };

enum { FORMAT_COUNT = sizeof(format_names) / sizeof(format_names[0]) };

static const char *format_list(const void *ctx, const struct flags *c)
{
    struct text list = text_init(ctx, TEXT_LINE);
    for (unsigned i = 0; i < FORMAT_COUNT; i++)
        if (i == FORMAT_TEXT || c->formats & 1u << i)
            text_addf(&list, "%s%s", list.len ? ", " : "", format_names[i]);
    return list.data;
}

static void format_set(struct flags *c, const char *arg, struct argp_state *state)
{
    unsigned offered = c->formats | 1u << FORMAT_TEXT;
    for (unsigned i = 0; i < FORMAT_COUNT; i++)
        if (text_eq(arg, format_names[i]) && (offered & 1u << i)) {
            c->format = (enum format)i;
            return;
        }
    SCOPE(tmp);
    argp_error(state, "--format %s is not known here; there are: %s", arg, format_list(tmp, c));
}

static void defaults_set(struct flags *c)
{
    c->manifest = c->manifest ? c->manifest : "fleet.yaml";
    c->color = isatty(STDOUT_FILENO) && text_empty(getenv("NO_COLOR"));
}

static void timeout_set(struct flags *c, const char *arg, struct argp_state *state)
{
    struct error err;
    if (!clock_parse_duration(arg, &c->timeout, &err))
        argp_error(state, "--timeout: %s", err.message);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct flags *c = state->input;
    switch (key) {
    case ARGP_KEY_INIT: defaults_set(c); return 0;
    case 'm': c->manifest = arg; return 0;
    case 's': c->service = arg; return 0;
    case KEY_ENV: c->env = arg; return 0;
    case KEY_FORMAT: format_set(c, arg, state); return 0;
    case KEY_NO_COLOR: c->color = false; return 0;
    case KEY_TIMEOUT: timeout_set(c, arg, state); return 0;
    case KEY_STATE: c->state = arg; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* The formats that this command prints; argp frees what it is given. */
static char *help(int key, const char *text, void *input)
{
    const struct flags *c = input;
    if (key != KEY_FORMAT || !c)
        return (char *)(uintptr_t)text;
    SCOPE(tmp);
    char *out = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&out, &len);
    if (!to)
        return (char *)(uintptr_t)text;
    fprintf(to, "how to print: %s", format_list(tmp, c));
    fclose(to);
    return out;
}

/* argp keeps what it is given until the program ends, and reads one command line. */
const struct argp *flags_argp(unsigned shows, unsigned formats)
{
    static struct argp_option options[SHARED_COUNT + 1];
    static const struct argp argp = { options, parse, NULL, NULL, NULL, help, NULL };
    shows |= formats ? SHOW_FORMAT : 0;
    for (size_t i = 0; i < SHARED_COUNT; i++) {
        options[i] = shared[i].option;
        options[i].flags = shows & shared[i].show ? 0 : OPTION_HIDDEN;
    }
    return &argp;
}

int command_failed(const char *argv0, const struct error *err)
{
    log_error(argv0, err);
    return EXIT_FAILED;
}
