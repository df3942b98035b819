/* transport: local. The agent as a child process, with the agent.yaml that the manifest names. */
#include <stdlib.h>
#include <unistd.h>

#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/session/child.h"

/* The agent beside this very program, if there is one: a build folder, /usr/bin. */
static const char *beside_us(const void *ctx)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (n <= 0)
        return NULL;
    path[n] = '\0';
    const char *agent = mem_printf(ctx, "%s/flotilla-agent", file_folder(ctx, path));
    return access(agent, X_OK) == 0 ? agent : NULL;
}

bool carrier_local(const void *ctx, const struct instance *target, struct carrier **out,
                   struct error *err)
{
    SCOPE(tmp);
    const char *command = target->agent_command ? target->agent_command : "flotilla-agent";
    const char *near = text_eq(command, "flotilla-agent") ? beside_us(tmp) : NULL;
    const char *with[] = { near ? near : command, "--config", target->agent_config, "serve", NULL };
    const char *without[] = { near ? near : command, "serve", NULL };
    if (child_start(ctx, target->agent_config ? with : without, out, err))
        return true;
    err->code = ERROR_CONNECT;
    return fail_hint(err, "install flotilla-agent beside flotilla or in PATH, or set agent_command "
                          "in the manifest");
}
