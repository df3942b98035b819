/*
 * The entry points of the commands, one file each in this folder; commands.c is the table.
 */
#ifndef CONTROLLER_CLI_COMMANDS_H
#define CONTROLLER_CLI_COMMANDS_H

int command_version(int argc, char **argv);

#endif
