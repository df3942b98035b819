/* A catalog from a lying agent or a stranger's file: reading ends, what was read survives a trip
 * through JSON with its fingerprint, differs in nothing from its copy, and makes a graph. */
#include <stdint.h>
#include <stdlib.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/pg/catalog.h"
#include "controller/graph/graph_print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libpg_query 15-4.0.0 forgets its empty text of messages, as in fuzz_sql.c. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
    return "leak:pg_query_raw_parse\n";
}

static void make_graph(const struct catalog *catalog)
{
    SCOPE(tmp);
    struct service_catalog item = { .service = "s", .catalog = catalog };
    struct text text = text_init(tmp, TEXT_SQL);
    struct graph *graph = NULL;
    struct error err;

    if (!graph_build(tmp, NULL, &item, 1, true, &graph, &err))
        abort();
    struct graph_view view = graph_view_all(tmp, graph);
    graph_view_tree(&text, &view);
    graph_view_dot(&text, &view);
    graph_view_mermaid(&text, &view);
    json_decref(graph_view_json(&view));
    for (size_t i = 0; i < graph->node_count && i < 10; i++) {
        struct graph_view impact = graph_view_impact(tmp, graph, &graph->nodes[i]);
        graph_view_tree(&text, &impact);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPE(tmp);
    struct error err;
    json_t *json = NULL;
    struct catalog *catalog = NULL, *again = NULL;

    if (!json_parse(tmp, (const char *)data, size, &json, &err) ||
        !catalog_from_json(tmp, json, &catalog, &err))
        return 0;
    json_t *written = json_own(tmp, catalog_to_json(catalog));
    if (!catalog_from_json(tmp, written, &again, &err))
        abort();
    if (!text_eq(catalog_fingerprint(tmp, catalog), catalog_fingerprint(tmp, again)))
        abort();
    if (catalog_diff(tmp, catalog, again).count != 0 ||
        catalog_diff(tmp, catalog, catalog_copy(tmp, catalog)).count != 0)
        abort();
    make_graph(catalog);
    return 0;
}
