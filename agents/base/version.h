/*
 * The version of both programs, in one place. The wire has a number of its own (wire/ops.h).
 */
#ifndef AGENTS_BASE_VERSION_H
#define AGENTS_BASE_VERSION_H

#define FLOTILLA_VERSION "0.1.0"

#endif
