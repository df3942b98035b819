#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/base/version.h"
#include "controller/cli/commands.h"

static void print_usage(FILE *to)
{
    fputs("flotilla: one schema change, rolled out over a whole fleet of PostgreSQL databases\n\n"
          "usage: flotilla COMMAND [OPTIONS]\n\n",
          to);
    for (const struct command *c = commands; c->name; c++)
        fprintf(to, "  %-10s %s\n", c->name, c->summary);
    fputs("\n`flotilla COMMAND --help` explains one, with examples.\n", to);
}

static const struct command *command_find(const char *name)
{
    for (const struct command *c = commands; c->name; c++)
        if (text_eq(c->name, name))
            return c;
    return NULL;
}

static int unknown_command(const char *name)
{
    SCOPE(tmp);
    const char *names[64];
    size_t n = 0;
    for (const struct command *c = commands; c->name && n < 64; c++)
        names[n++] = c->name;
    const char *near = text_nearest(name, names, n);
    fprintf(stderr, "flotilla: there is no command \"%s\"", text_printable(tmp, name));
    if (near)
        fprintf(stderr, "; did you mean `flotilla %s`?", near);
    fputs("\n  hint: `flotilla help` lists the commands\n", stderr);
    return EXIT_FAILED;
}

/* Without a command: what a person in this folder would sensibly do next. */
static int next_command(void)
{
    if (file_exists("fleet.yaml"))
        puts("fleet.yaml is here. Next: `flotilla validate fleet.yaml`, then `flotilla doctor`.\n"
             "`flotilla help` lists all commands.");
    else
        puts("No fleet.yaml here. Next: `flotilla init` writes one to start from.\n"
             "`flotilla help` lists all commands.");
    return EXIT_DONE;
}

/* A result that did not arrive (a full disk behind standard output) is no success. */
static int finish(int code)
{
    bool lost = fflush(stdout) != 0 || ferror(stdout);
    if (!lost)
        return code;
    fputs("flotilla: standard output could not be written\n"
          "  hint: is the disk full that it goes to?\n",
          stderr);
    return code == EXIT_DONE ? EXIT_FAILED : code;
}

static int command_run(const struct command *command, int argc, char **argv)
{
    SCOPE(tmp);
    argp_err_exit_status = EXIT_FAILED;
    /* Examples are to be copied: argp's own margin would break their lines. */
    setenv("ARGP_HELP_FMT", "no-dup-args-note,rmargin=100", 0);
    argp_program_version = "flotilla " FLOTILLA_VERSION;
    /* Kept in sight: argp ends the program from within when usage is wrong. */
    static const char *called;
    called = argv[0] = talloc_asprintf(tmp, "flotilla %s", command->name);
    (void)called;
    return finish(command->run(argc, argv));
}

int main(int argc, char **argv)
{
    file_hold_standard();
    if (argc < 2)
        return next_command();
    const char *name = argv[1];
    if (text_eq(name, "--version"))
        name = "version";
    bool help = text_eq(name, "help") || text_eq(name, "--help") || text_eq(name, "-h");
    if (help && argc < 3) {
        print_usage(stdout);
        return finish(EXIT_DONE);
    }
    const struct command *command = command_find(help ? argv[2] : name);
    if (!command)
        return unknown_command(help ? argv[2] : name);
    /* A reader that closes our output (head, grep -q) ends us quietly; sockets and pipes of our
     * own are written with errors checked, by code that blocks the signal in its thread. */
    char *for_help[] = { argv[0], (char[]){ "--help" }, NULL };
    return help ? command_run(command, 2, for_help) : command_run(command, argc - 1, argv + 1);
}
