#include "controller/session/ssh_library.h"

#include <pthread.h>

struct libssh2 libssh2;

static const struct library_symbol symbols[] = { LIBSSH2_FUNCTIONS(LIBRARY_SYMBOL) };

/* Once, and before there are sessions: it prepares its cryptography for all threads. */
static void prepare(void)
{
    libssh2_init(0);
}

bool ssh_library(struct error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static struct library library = {
        .file = "libssh2.so.1",
        .package = "libssh2-1",
        .symbols = symbols,
        .count = sizeof(symbols) / sizeof(*symbols),
    };
    if (!library_load(&library, err)) {
        return false;
    }
    pthread_once(&once, prepare);
    return true;
}
