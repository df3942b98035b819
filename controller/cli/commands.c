#include "controller/cli/commands.h"

#include <stddef.h>

const struct command commands[] = {
    { "init", command_init, "write a manifest to start from" },
    { "validate", command_validate, "check manifests, changes and plans, without any connection" },
    { "doctor", command_doctor, "check the way to every host and database" },
    { "agent", command_agent, "install, list and tidy the agents on the hosts" },
    { "inspect", command_inspect, "show the catalog of a database: sizes, keys, fingerprints" },
    { "lint", command_lint, "say what SQL does to a live database, and the safe way" },
    { "show", command_show, "show a plan: what happens where, and what is signed" },
    { "diff", command_diff, "compare two plans, step by step" },
    { "draft", command_draft, "turn a change into a plan over the fleet" },
    { "rehearse", command_rehearse, "prove a plan on clones, measure its locks" },
    { "approve", command_approve, "sign your parts of a plan" },
    { "reject", command_reject, "keep a gate closed, with a reason" },
    { "start", command_start, "carry out a plan, up to its next gate" },
    { "status", command_status, "where a rollout stands" },
    { "watch", command_watch, "follow a rollout until it rests" },
    { "logs", command_logs, "the events of a rollout" },
    { "ack", command_ack, "give a dependent's word before contract" },
    { "promote", command_promote, "open the next gate and go on" },
    { "pause", command_pause, "wait at the next safe point" },
    { "resume", command_resume, "go on after a pause, a gate or a crash" },
    { "retry", command_retry, "try again what failed" },
    { "abort", command_abort, "stop without undoing" },
    { "rollback", command_rollback, "undo, data included" },
    { "snapshot", command_snapshot, "what the hosts keep aside for the way back" },
    { "recover", command_recover, "rebuild lost state from the journals" },
    { "graph", command_graph, "show who depends on whose tables and columns" },
    { "version", command_version, "print the version" },
    { NULL, NULL, NULL },
};
