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

int mode_serve(const struct mode_start *start)
{
    SCOPE(tmp);
    struct error err;
    bool can[OP_COUNT_OF];
    struct agent_config *config = mem_new(tmp, struct agent_config);
    config->path = start->config_path;
    struct agent agent = { .config = config, .program = own_program(tmp) };
    agent_capabilities(can);
    struct server server = { .hello = hello_own(tmp, "flotilla-agent", can),
                             .self = &agent,
                             .handle = agent_handle };
    struct stream *stream = stream_from_fds(tmp, STDIN_FILENO, STDOUT_FILENO);
    if (server_run(stream, &server, &err))
        return EXIT_SUCCESS;
    log_error("flotilla-agent", &err);
    return EXIT_FAILURE;
}
