/* The operation `logs`: what the runs on a database left in the spool, newest first. Errors in it
 * are redacted where they arise; no value of a row is in there. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agents/agent/handlers.h"
#include "agents/agent/spool.h"
#include "agents/base/clock.h"
#include "agents/base/file.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

enum {
    RUNS_MOST = 20,
    RUNS_SEEN = 10000, /* folders looked at */
    TAIL_BYTES = 16 * 1024,
    LINES_MOST = 50,
};

struct seen {
    const char *run;
    int64_t time_ms; /* its last event */
};

static void directory_end(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

static int newest_first(const void *a, const void *b)
{
    const struct seen *x = a;
    const struct seen *y = b;
    return (x->time_ms < y->time_ms) - (x->time_ms > y->time_ms);
}

static size_t list_runs(const void *ctx, const char *spool, struct seen **out)
{
    const char *folder = mem_printf(ctx, "%s/runs", spool);
    __attribute__((cleanup(directory_end))) DIR *dir = opendir(folder);
    size_t count = 0;
    struct dirent *entry = NULL;
    while (dir && count < RUNS_SEEN && (entry = readdir(dir))) {
        struct stat s;
        const char *events = mem_printf(ctx, "%s/%s/events", folder, entry->d_name);
        if (entry->d_name[0] == '.' || stat(events, &s) != 0)
            continue;
        *out = mem_room(ctx, *out, struct seen, count + 1);
        (*out)[count++] =
            (struct seen){ mem_text(ctx, entry->d_name), (int64_t)s.st_mtim.tv_sec * 1000 };
    }
    if (count > 1)
        qsort(*out, count, sizeof(**out), newest_first);
    return count;
}

/* The last lines of a file; none when it is not there. The first of them may be cut. */
static json_t *tail_lines(const char *path)
{
    SCOPE(tmp);
    json_t *lines = json_array();
    AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
    char *data = talloc_zero_size(tmp, TAIL_BYTES + 1);
    off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
    ssize_t n =
        size <= 0 ? 0 : pread(fd, data, TAIL_BYTES, size > TAIL_BYTES ? size - TAIL_BYTES : 0);
    data[n > 0 ? n : 0] = '\0';
    for (const char *at = data; *at;) {
        size_t length = strcspn(at, "\n");
        if (json_array_size(lines) == LINES_MOST)
            json_array_remove(lines, 0);
        json_array_append_new(lines, json_string(text_printable(tmp, mem_textn(tmp, at, length))));
        at += length + (at[length] == '\n');
    }
    return lines;
}

/* Null when the run is of another database. */
static json_t *describe(const char *spool, const struct seen *seen, const char *database)
{
    SCOPE(tmp);
    struct error ignored;
    json_t *request = NULL;
    json_t *end = NULL;
    if (!spool_read_request(tmp, spool, seen->run, &request, &ignored) ||
        !text_eq(json_text_of(request, "database"), database))
        return NULL;
    json_t *run = json_object();
    json_t *part = json_object_get(request, "part");
    json_set_text(run, "run", seen->run);
    json_set_text(run, "last", clock_rfc3339(tmp, seen->time_ms));
    json_set_text(run, "rollout", json_text_of(request, "rollout"));
    json_set_text(run, "phase", json_text_of(part, "phase"));
    if (spool_end(tmp, spool, seen->run, &end, &ignored))
        json_set_text(run, "state", end ? json_text_of(end, "state") : "not ended");
    const char *folder = spool_run_path(tmp, spool, seen->run);
    json_object_set_new(run, "log", tail_lines(mem_printf(tmp, "%s/log", folder)));
    json_object_set_new(run, "events", tail_lines(mem_printf(tmp, "%s/events", folder)));
    return run;
}

bool handle_logs(struct agent *agent, const json_t *args, struct reply *reply, json_t **result,
                 struct error *err)
{
    SCOPE(tmp);
    const struct agent_database *database = NULL;
    struct seen *seen = NULL;
    (void)reply;
    if (!agent_args_database(agent, args, &database, err))
        return false;
    const char *spool = agent->config->spool;
    size_t count = list_runs(tmp, spool, &seen);
    json_t *runs = json_array();
    for (size_t i = 0; i < count && json_array_size(runs) < RUNS_MOST; i++) {
        json_t *run = describe(spool, &seen[i], database->name);
        if (run)
            json_array_append_new(runs, run);
    }
    *result = json_pack("{s:o}", "runs", runs);
    return true;
}
