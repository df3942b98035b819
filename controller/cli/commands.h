/*
 * Commands: one file each in this folder, `int command_NAME(int argc, char **argv)`, and one line
 * in commands.c. argv[0] is "flotilla NAME". A command declares what it takes (terminal/usage.h)
 * and has its command line read, does its work through the stages' functions and what desk/ joins
 * of them, prints results on standard output and errors on standard error, and returns an exit code
 * (terminal/command.h).
 */
#ifndef CONTROLLER_CLI_COMMANDS_H
#define CONTROLLER_CLI_COMMANDS_H

#include "controller/terminal/command.h"

int command_abort(int argc, char **argv);
int command_ack(int argc, char **argv);
int command_agent(int argc, char **argv);
int command_approve(int argc, char **argv);
int command_diff(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_draft(int argc, char **argv);
int command_graph(int argc, char **argv);
int command_init(int argc, char **argv);
int command_lint(int argc, char **argv);
int command_inspect(int argc, char **argv);
int command_logs(int argc, char **argv);
int command_pause(int argc, char **argv);
int command_promote(int argc, char **argv);
int command_recover(int argc, char **argv);
int command_rehearse(int argc, char **argv);
int command_reject(int argc, char **argv);
int command_resume(int argc, char **argv);
int command_retry(int argc, char **argv);
int command_rollback(int argc, char **argv);
int command_show(int argc, char **argv);
int command_snapshot(int argc, char **argv);
int command_start(int argc, char **argv);
int command_status(int argc, char **argv);
int command_validate(int argc, char **argv);
int command_version(int argc, char **argv);
int command_watch(int argc, char **argv);

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary; /* one line for `flotilla help` */
};

extern const struct command commands[]; /* ends with a null name; in the order of use */

#endif
