/*
 * The actions of `flotilla agent`. Each prints its results and errors, and says whether all went
 * well.
 */
#ifndef CONTROLLER_CLI_AGENT_H
#define CONTROLLER_CLI_AGENT_H

#include "agents/base/json.h"
#include "controller/desk/targets.h"

struct agent_options {
    struct flags flags;
    const char *program; /* "flotilla agent" */
    const char *action;
    const char *binary;       /* push */
    const char *signature;    /* push */
    const char *to;           /* push */
    const char *agent_config; /* push: path on the hosts */
    bool dry_run;             /* clean */
};

bool agent_push(const struct agent_options *options, struct targets *targets);
bool agent_version(const struct agent_options *options, struct targets *targets);
bool agent_logs(const struct agent_options *options, struct targets *targets);
bool agent_clean(const struct agent_options *options, struct targets *targets);

/* A rollout that has not ended needs the journals of its services. The agent cannot tell: between
 * two phases nothing runs there. *args gets what the agents have to know: {given_up: [rollouts that
 * their journals do not know the end of]}. */
bool agent_clean_allowed(const void *ctx, const struct agent_options *options,
                         const struct targets *targets, json_t **args, struct error *err) MUSTCHECK;

/* Prints [{instance, host, error?, hint?, ...}] as the flags say. */
void agent_print(const struct agent_options *options, const json_t *list);

#endif
