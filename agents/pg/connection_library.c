#include "agents/pg/connection_library.h"

struct libpq libpq;

static const struct library_symbol symbols[] = { LIBPQ_FUNCTIONS(LIBRARY_SYMBOL) };

bool connection_library(struct error *err)
{
    /* The name that every version since PostgreSQL 8.2 has. */
    static struct library library = {
        .file = "libpq.so.5",
        .package = "libpq5",
        .symbols = symbols,
        .count = sizeof(symbols) / sizeof(*symbols),
    };
    return library_load(&library, err);
}
