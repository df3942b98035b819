/* The mode `serve`: one conversation over standard input and output. */
#include <stdlib.h>
#include <unistd.h>

#include "agents/agent/handlers.h"
#include "agents/agent/modes.h"
#include "agents/base/log.h"
#include "agents/base/mem.h"

static const char *own_program(const void *ctx)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path));
    return n > 0 && (size_t)n < sizeof(path) ? mem_textn(ctx, path, (size_t)n) : "flotilla-agent";
}

static int failed(const struct error *err)
{
    log_error("flotilla-agent", err);
    return EXIT_FAILURE;
}

int mode_serve(const struct mode_start *start)
{
    SCOPE(tmp);
    struct error err;
    struct error ignored;
    bool can[OP_COUNT_OF];
    struct agent_config *config = NULL;
    struct stream *stream = stream_from_fds(tmp, STDIN_FILENO, STDOUT_FILENO);
    /* A controller cannot repair this host, but its user should read why. */
    if (!agent_config_load(tmp, start->config_path, &config, NULL, &err)) {
        (void)!message_write_failure(stream, 0, &err, &ignored);
        return failed(&err);
    }
    struct agent agent = { .config = config, .program = own_program(tmp) };
    agent_capabilities(can);
    struct server server = { .hello = hello_own(tmp, "flotilla-agent", can),
                             .self = &agent,
                             .handle = agent_handle };
    return server_run(stream, &server, &err) ? EXIT_SUCCESS : failed(&err);
}
