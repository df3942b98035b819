#include "controller/terminal/usage.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/part/part.h"

struct reading {
    const struct usage *usage;
    struct flags *flags;
    void *options;
    size_t taken;
};

static const char **place_of(const struct reading *r, const struct argument *argument)
{
    return (const char **)(void *)((char *)r->options + argument->offset);
}

static size_t argument_count(const struct usage *usage)
{
    size_t n = 0;
    while (usage->arguments && usage->arguments[n].name)
        n++;
    return n;
}

static void too_many(const struct usage *usage, const char *arg, struct argp_state *state)
{
    SCOPE(tmp);
    const char *shown = text_printable(tmp, arg);
    char name[32] = "";
    if (argument_count(usage) == 0)
        argp_error(state, "it takes no argument (\"%s\")", shown);
    if (argument_count(usage) > 1)
        argp_error(state, "\"%s\" is one argument too many", shown);
    for (size_t i = 0; usage->arguments[0].name[i] && i + 1 < sizeof(name); i++)
        name[i] = (char)tolower((unsigned char)usage->arguments[0].name[i]);
    argp_error(state, "one %s at a time (\"%s\")", name, shown);
}

static void take(struct reading *r, char *arg, struct argp_state *state)
{
    if (r->taken == argument_count(r->usage))
        too_many(r->usage, arg, state);
    *place_of(r, &r->usage->arguments[r->taken++]) = arg;
}

static void check_missing(const struct reading *r, struct argp_state *state)
{
    for (size_t i = r->taken; i < argument_count(r->usage); i++)
        if (r->usage->arguments[i].missing)
            argp_error(state, "%s", r->usage->arguments[i].missing);
}

static error_t own(const struct reading *r, int key, char *arg, struct argp_state *state)
{
    if (!r->usage->parse)
        return ARGP_ERR_UNKNOWN;
    void *input = state->input;
    state->input = r->options;
    error_t result = r->usage->parse(key, arg, state);
    state->input = input;
    return result;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct reading *r = state->input;
    if (key == ARGP_KEY_INIT)
        state->child_inputs[0] = r->flags;
    if (key == ARGP_KEY_END)
        check_missing(r, state);
    error_t result = own(r, key, arg, state);
    if (key != ARGP_KEY_ARG || result != ARGP_ERR_UNKNOWN)
        return result;
    take(r, arg, state);
    return 0;
}

void usage_read(const struct usage *usage, int argc, char **argv, struct flags *flags,
                void *options)
{
    struct reading reading = { usage, flags, options, 0 };
    const char *title = usage->shows || usage->formats ? "Shared options:" : NULL;
    const struct argp_child children[] = {
        { flags_argp(usage->shows, usage->formats), 0, title, 9 },
        { 0 },
    };
    const struct argp argp = {
        usage->options, parse, usage->takes, usage->text, children, NULL, NULL,
    };
    flags->formats = usage->formats;
    if (argp_parse(&argp, argc, argv, 0, NULL, &reading) != 0)
        _exit(argp_err_exit_status);
}

int usage_phase(const char *option, const char *word, struct argp_state *state)
{
    enum phase phase;
    if (!phase_from_name(word, &phase))
        argp_error(state, "%s: there is no phase \"%s\"; there are: expand, migrate, contract",
                   option, word);
    return (int)phase;
}

void usage_one_document(const char *option, const struct flags *flags, struct argp_state *state)
{
    if (flags->format == FORMAT_NDJSON)
        argp_error(state, "%s is one document: --format json", option);
}
