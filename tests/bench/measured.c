/*
 * Runs a command and says what it cost: measured COMMAND... prints "code wall cpu megabytes", with
 * its output thrown away. A program of its own, because a child counts the memory of who forked it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    int status = 0;
    struct rusage used;
    double began = now();
    pid_t child = argc > 1 ? vfork() : -1;
    if (child < 0) {
        return 1;
    }
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        execv(argv[1], argv + 1);
        _exit(127);
    }
    if (wait4(child, &status, 0, &used) != child) {
        return 1;
    }
    printf("%d %.6f %.6f %.1f\n", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status),
           now() - began, seconds(used.ru_utime) + seconds(used.ru_stime),
           (double)used.ru_maxrss / 1024);
    return 0;
}
