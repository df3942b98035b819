/*
 * The last station of the compiler: what the families put on the bench becomes parts, with
 * instances, approvals, health and the fingerprints of what they touch.
 */
#ifndef CONTROLLER_COMPILE_PARTS_H
#define CONTROLLER_COMPILE_PARTS_H

#include "controller/work/work.h"

void parts_join(struct work *work);

#endif
