/*
 * The course of a run: which steps are left, in which order, and what goes with each of them
 * (events, health, the journal). Called by the runner once the guard let it in, and again after a
 * lost connection: it goes by the journal, not by memory.
 */
#ifndef AGENTS_AGENT_COURSE_H
#define AGENTS_AGENT_COURSE_H

#include "agents/agent/work.h"

/* Steps forward. */
bool course_forward(struct work *work, struct error *err) MUSTCHECK;
/* Back over what is recorded, in exact reverse. Refused before anything is touched when a step that
 * was done has no way back. */
bool course_back(struct work *work, struct error *err) MUSTCHECK;

#endif
