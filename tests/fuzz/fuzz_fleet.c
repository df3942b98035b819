/* A manifest of strangers: loading ends, a refusal names at least one place, and a fleet that was
 * loaded has no host that a shell or ssh could take for something else. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/manifest/fleet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hosts_are_harmless(const struct service *service)
{
    for (size_t i = 0; i < service->instance_count; i++) {
        const char *host = service->instances[i].host;
        if (host && (host[0] == '-' || host[strcspn(host, " \t\n;|&$`'\"\\<>()*?~#%")]))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPE(tmp);
    struct error err;
    struct fleet *fleet = NULL;
    const char *problems = NULL;
    AUTO_FD fd = memfd_create("fleet", MFD_CLOEXEC);
    if (fd < 0 || !file_write_fd(fd, data, size, &err))
        return 0;
    const char *path = mem_printf(tmp, "/proc/self/fd/%d", fd);
    if (!fleet_load(tmp, path, &fleet, &problems, &err))
        return !text_empty(problems) && strchr(problems, ':') ? 0 : (abort(), 0);
    for (size_t i = 0; i < fleet->service_count; i++)
        hosts_are_harmless(&fleet->services[i]);
    return 0;
}
