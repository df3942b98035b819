/* The mode `runner`: what handle_run() starts, detached, for one run. */
#include <fcntl.h>
#include <stdlib.h>

#include "agents/agent/modes.h"
#include "agents/agent/runner.h"
#include "agents/agent/spool.h"
#include "agents/base/log.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

/* Started by hand there is no inherited lock: the runner then takes it itself. */
static bool lock_have(const struct agent_config *config, const char *run, struct error *err)
{
    SCOPE(tmp);
    char path[4096];
    const char *link = mem_printf(tmp, "/proc/self/fd/%d", RUNNER_LOCK_FD);
    const char *want = mem_printf(tmp, "%s/lock", spool_run_path(tmp, config->spool, run));
    char full[4096];
    int fd = -1;
    if (realpath(link, path) && realpath(want, full) && text_eq(path, full))
        return fcntl(RUNNER_LOCK_FD, F_SETFD, FD_CLOEXEC) == 0 || fail_errno(err, "lock");
    if (!spool_lock(config->spool, run, &fd, err))
        return false;
    return fd >= 0 || fail(err, ERROR_BUSY, "run %s has a runner", run);
}

int mode_runner(const struct mode_start *start)
{
    SCOPE(tmp);
    struct error err;
    struct agent_config *config = NULL;
    if (start->argc != 2) {
        fail(&err, ERROR_USAGE, "the mode runner takes the id of a run");
    } else if (agent_config_load(tmp, start->config_path, &config, NULL, &err) &&
               lock_have(config, start->argv[1], &err) &&
               runner_run(config, start->argv[1], &err)) {
        return EXIT_SUCCESS;
    }
    log_error("flotilla-agent", &err);
    return EXIT_FAILURE;
}
