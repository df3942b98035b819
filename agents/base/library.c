#include "agents/base/library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static bool missing(const struct library *library, const char *symbol, struct error *err)
{
    if (symbol) {
        fail(err, ERROR_UNSUPPORTED, "%s is too old: it has no %s", library->file, symbol);
    } else {
        fail(err, ERROR_UNSUPPORTED, "the library %s cannot be loaded", library->file);
    }
    return fail_hint(err, "install it: on Debian it is in the package %s", library->package);
}

static bool load(struct library *library, struct error *err)
{
    void *handle = dlopen(library->file, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        return missing(library, NULL, err);
    }
    for (size_t i = 0; i < library->count; i++) {
        void *function = dlsym(handle, library->symbols[i].name);
        if (!function) {
            return missing(library, library->symbols[i].name, err);
        }
        memcpy(library->symbols[i].at, &function, sizeof(function));
    }
    library->loaded = true;
    return true;
}

bool library_load(struct library *library, struct error *err)
{
    static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&one);
    bool loaded = library->loaded || load(library, err);
    pthread_mutex_unlock(&one);
    return loaded;
}
