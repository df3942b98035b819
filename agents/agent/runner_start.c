#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agents/agent/runner.h"
#include "agents/agent/spool.h"
#include "agents/base/file.h"
#include "agents/base/mem.h"

/* The runner's lock, as modes.c expects it. */
enum { LOCK_FD = RUNNER_LOCK_FD };

/* In the grandchild: no terminal, no pipe to anybody, nothing of ours but the lock. Only
 * async-signal-safe calls. */
static void become_runner(char *const argv[], const char *log, int lock)
{
    int in = open("/dev/null", O_RDONLY);
    int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
    int held =
        fcntl(lock, F_DUPFD, LOCK_FD + 1); /* dup2() onto itself would leave it to be closed */
    if (in < 0 || out < 0 || held < 0 || dup2(in, STDIN_FILENO) < 0 ||
        dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0 || dup2(held, LOCK_FD) < 0)
        _exit(126);
    close_range(LOCK_FD + 1, ~0U, 0);
    if (chdir("/") == 0)
        execv("/proc/self/exe", argv);
    _exit(127);
}

bool runner_start(const struct agent_config *config, const char *program, const char *run, int lock,
                  struct error *err)
{
    SCOPE(tmp);
    const char *log = mem_printf(tmp, "%s/log", spool_run_path(tmp, config->spool, run));
    char path[4096];
    if (!realpath(config->path, path))
        return fail_errno(err, "%s", config->path);
    const char *words[] = { program, "--config", path, "runner", run, NULL };
    char **argv = (char **)(uintptr_t)words;
    pid_t child = fork();
    if (child < 0)
        return fail_errno(err, "cannot start the runner");
    if (child == 0) {
        /* A session of its own, and no parent that could wait for it: sshd's end is not its end. */
        if (setsid() < 0)
            _exit(126);
        pid_t grandchild = fork();
        if (grandchild == 0)
            become_runner(argv, log, lock);
        _exit(grandchild < 0 ? 126 : 0);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return fail(err, ERROR_IO, "cannot start the runner");
    return true;
}
