#include "controller/desk/lint_live.h"

#include "agents/base/clock.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/pg/connection.h"

/* How long one count may take, and all of a process: enough for some million rows, short for a
 * person. */
enum { COUNT_MS = 3000, ALL_MS = 10000 };

bool lint_outside_find(const void *ctx, const struct catalogs *catalogs, const char *service,
                       struct lint_options *options, struct error *err)
{
    struct graph *graph = NULL;
    struct lint_outside *list = NULL;
    size_t count = 0;
    struct service_catalog *items = mem_array(ctx, struct service_catalog, catalogs->count);
    size_t services = 0;
    for (size_t i = 0; i < catalogs->count; i++) { /* a graph wants one catalog a service */
        bool seen = i > 0 && text_eq(catalogs->items[i].service, catalogs->items[i - 1].service);
        items[services] = catalogs->items[i];
        services += !seen;
    }
    if (!graph_build(ctx, catalogs->fleet, items, services, false, &graph, err)) {
        return false;
    }
    for (size_t i = 0; i < graph->edge_count; i++) {
        const struct graph_edge *e = &graph->edges[i];
        if (!text_eq(e->to.service, service) || text_eq(e->from.service, service) || !e->to.name) {
            continue;
        }
        list = mem_room(ctx, list, struct lint_outside, count + 1);
        list[count++] = (struct lint_outside){
            .schema = e->to.schema,
            .name = e->to.name,
            .column = e->to.column,
            .reader = mem_printf(ctx, "%s (%s)", graph_object_text(ctx, graph, &e->from),
                                 edge_kind_name(e->kind)),
        };
    }
    options->outside = list;
    options->outside_count = count;
    return true;
}

struct asked {
    const char *dsn;
    struct connection *connection;
    bool failed;   /* no connection to be had: not tried again */
    int64_t spent; /* milliseconds */
};

static bool connected(struct asked *a)
{
    struct connection_options options = { .conninfo = a->dsn, .tag = "lint" };
    struct error err;
    if (!a->connection && !a->failed) {
        a->failed =
            !connection_open(a, &options, &a->connection, &err) ||
            !connection_exec(a->connection, "SET default_transaction_read_only = on", &err) ||
            !connection_exec(a->connection, "SET lock_timeout = '200ms'", &err);
    }
    return !a->failed;
}

static bool tick(void *data, int64_t elapsed_ms)
{
    (void)data;
    (void)elapsed_ms;
    return true;
}

static int64_t count(void *data, const char *sql)
{
    SCOPE(tmp);
    struct asked *a = data;
    struct error err;
    struct rows *rows = NULL;
    const struct connection_watch watch = { .every_ms = 50, .timeout_ms = COUNT_MS, .tick = tick };
    if (a->spent > ALL_MS || !connected(a)) {
        return -1;
    }
    int64_t begun = clock_mono_ms();
    bool good = connection_query_watched(tmp, a->connection, sql, &watch, &rows, &err);
    a->spent += clock_mono_ms() - begun;
    return good && rows_count(rows) == 1 ? rows_int(rows, 0, 0) : -1;
}

void lint_rows_from(const void *ctx, const char *dsn, struct lint_options *options)
{
    struct asked *a = mem_new(ctx, struct asked);
    a->dsn = dsn;
    options->count = count;
    options->count_data = a;
}
