/*
 * The operations a controller can ask of an agent: the one list, and the version of the protocol.
 *
 * docs/PROTOCOL.md says what each takes and gives. An operation is added at the end of the list and
 * needs no new protocol version: an agent that does not know it answers ERROR_UNSUPPORTED, and both
 * sides list what they can in `capabilities` of their hello. The version rises when frames or
 * messages change; both programs talk the versions WIRE_PROTOCOL_MIN to WIRE_PROTOCOL_MAX.
 */
#ifndef AGENTS_WIRE_OPS_H
#define AGENTS_WIRE_OPS_H

#include "agents/base/error.h"

#define OPERATIONS(X)       \
    X(INSPECT, "inspect")   \
    X(DOCTOR, "doctor")     \
    X(COUNT, "count")       \
    X(REHEARSE, "rehearse") \
    X(RUN, "run")           \
    X(ATTACH, "attach")     \
    X(CONTROL, "control")   \
    X(STATE, "state")       \
    X(SNAPSHOT, "snapshot") \
    X(CLEAN, "clean")       \
    X(HELLO, "hello")       \
    X(BYE, "bye")           \
    X(LOGS, "logs")         \
    X(SYNTAX, "syntax")

enum operation {
#define X(id, name) OP_##id,
    OPERATIONS(X)
#undef X
        OP_COUNT_OF
};

enum { WIRE_PROTOCOL_MIN = 1, WIRE_PROTOCOL_MAX = 1 };

/* "inspect"; never null. */
const char *operation_name(enum operation op);
/* False when there is no such operation. */
bool operation_from_name(const char *name, enum operation *out) MUSTCHECK;

#endif
