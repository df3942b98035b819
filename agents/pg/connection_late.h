/*
 * libpq, loaded when the first connection is made instead of when the program starts: it brings
 * twenty libraries along (Kerberos, LDAP, two kinds of TLS), which are more than half of the start
 * of a program that most of the time connects to nothing. connection_late.c defines the functions
 * of libpq that connection*.c and rows.c call; each goes to the library's own.
 */
#ifndef AGENTS_PG_CONNECTION_LATE_H
#define AGENTS_PG_CONNECTION_LATE_H

#include "agents/base/error.h"

/* Before anything of libpq is called: false when it cannot be loaded. */
bool connection_library(struct error *err) MUSTCHECK;

#endif
