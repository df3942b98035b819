/* The graph's questions: who depends on a column, how far a change reaches, in which order services
 * come, which of them go round in circles. The finding of edges has golden files. */
#include "tests/unit/check.h"

#include "agents/base/json.h"
#include "agents/base/text.h"
#include "controller/graph/graph.h"

static struct error err;

static const struct catalog *catalog_of(const void *ctx, const char *relations)
{
    const char *text = mem_printf(ctx, "{\"database\": \"d\", \"relations\": [%s]}", relations);
    json_t *json = NULL;
    struct catalog *catalog = NULL;

    assert_ok(json_parse(ctx, text, strlen(text), &json, &err), err);
    assert_ok(catalog_from_json(ctx, json, &catalog, &err), err);
    return catalog;
}

#define TABLE(name, columns, more)                                                                 \
    "{\"schema\": \"public\", \"name\": \"" name "\", \"kind\": \"table\", \"columns\": [" columns \
    "]" more "}"
#define COLUMN(name) "{\"name\": \"" name "\", \"type\": \"bigint\"}"
#define FOREIGN_KEY(column, table)                                                              \
    ", \"constraints\": [{\"name\": \"fk\", \"kind\": \"foreign key\", \"columns\": [\"" column \
    "\"], \"ref_schema\": \"public\", \"ref_table\": \"" table "\", \"ref_columns\": [\"id\"]}]"

static struct graph *graph_of(const void *ctx, const struct fleet *fleet,
                              const struct service_catalog *items, size_t count)
{
    struct graph *graph = NULL;

    assert_ok(graph_build(ctx, fleet, items, count, false, &graph, &err), err);
    return graph;
}

static struct graph *shop(const void *ctx)
{
    struct service_catalog item = {
        .service = "shop",
        .catalog = catalog_of(
            ctx,
            TABLE("users", COLUMN("id") "," COLUMN("age"), "") "," TABLE(
                "orders", COLUMN("id") "," COLUMN("user_id"),
                FOREIGN_KEY(
                    "user_id",
                    "users")) "," TABLE("items", COLUMN("order_id"),
                                        FOREIGN_KEY(
                                            "order_id",
                                            "orders")) ","
                                                       "{\"schema\": \"public\", \"name\": \"ages\", \"kind\": \"view\","
                                                       " \"reads\": [\"public.users.age\"]},"
                                                       "{\"schema\": \"public\", \"name\": \"counts\", \"kind\": \"view\","
                                                       " \"reads\": [\"public.users.*\"]}"),
    };

    return graph_of(ctx, NULL, &item, 1);
}

static void a_column_has_its_own_dependents(void **state)
{
    const struct graph *graph = shop(*state);
    const struct graph_edge **edges = NULL;
    struct graph_object age = {
        .service = "shop", .schema = "public", .name = "users", .column = "age"
    };
    struct graph_object users = { .service = "shop", .schema = "public", .name = "users" };

    assert_int_equal(graph_dependents(*state, graph, &age, &edges), 2);
    assert_string_equal(edges[0]->from.name, "counts"); /* reads the table as such */
    assert_string_equal(edges[1]->from.name, "ages");
    assert_int_equal(graph_dependents(*state, graph, &users, &edges), 3);
    users.name = "nobody";
    assert_int_equal(graph_dependents(*state, graph, &users, &edges), 0);
}

static void impact_is_nearest_first_and_ends(void **state)
{
    const struct graph *graph = shop(*state);
    const struct graph_edge **edges = NULL;
    struct graph_object id;

    assert_ok(graph_object_find(*state, graph, "users(id)", &id, &err), err);
    assert_int_equal(graph_impact(*state, graph, &id, &edges), 2);
    assert_string_equal(edges[0]->from.name, "counts");
    assert_string_equal(edges[1]->from.name, "orders"); /* user_id; items hang on orders.id */
    id.column = NULL;
    assert_int_equal(graph_impact(*state, graph, &id, &edges), 3);
}

static void wrong_names_get_near_matches(void **state)
{
    const struct graph *graph = shop(*state);
    struct graph_object object;

    assert_fails(graph_object_find(*state, graph, "shpo:users", &object, &err), err,
                 ERROR_NOT_FOUND, "no service \"shpo\"");
    assert_string_equal(err.hint, "did you mean \"shop\"?");
    assert_fails(graph_object_find(*state, graph, "shop:user", &object, &err), err, ERROR_NOT_FOUND,
                 "no table or view user");
    assert_string_equal(err.hint, "did you mean \"shop:users\"?");
    assert_fails(graph_object_find(*state, graph, "shop:users(aeg)", &object, &err), err,
                 ERROR_NOT_FOUND, "no column \"aeg\"");
    assert_string_equal(err.hint, "did you mean \"shop:users(age)\"?");
}

/* Services a, b, ... that refer to each other as the pairs say ("ab": a depends on b). */
static struct graph *services(const void *ctx, const char *const *pairs, size_t pair_count,
                              size_t count)
{
    struct fleet *fleet = mem_new(ctx, struct fleet);

    fleet->path = "fleet.yaml";
    fleet->services = mem_array(ctx, struct service, count);
    fleet->service_count = count;
    for (size_t i = 0; i < count; i++) {
        fleet->services[i].name = mem_printf(ctx, "%c", (char)('a' + i));
        fleet->services[i].references = mem_array(ctx, struct reference, pair_count);
    }
    for (size_t i = 0; i < pair_count; i++) {
        struct service *service = &fleet->services[pairs[i][0] - 'a'];
        struct reference *r = &service->references[service->reference_count++];

        r->from = (struct object_name){ .service = service->name, .name = "t" };
        r->to =
            (struct object_name){ .service = fleet->services[pairs[i][1] - 'a'].name, .name = "t" };
    }
    return graph_of(ctx, fleet, NULL, 0);
}

static void what_others_depend_on_comes_first(void **state)
{
    static const char *const pairs[] = { "ab", "bc", "dc" };
    const struct graph *graph = services(*state, pairs, 3, 5);
    struct graph_waves waves;

    graph_waves(*state, graph, &waves);
    assert_int_equal(waves.count, 3);
    assert_int_equal(waves.cycle_count, 0);
    assert_int_equal(waves.sizes[0], 2);
    assert_string_equal(waves.waves[0][0], "c");
    assert_string_equal(waves.waves[0][1], "e");
    assert_int_equal(waves.sizes[1], 2);
    assert_string_equal(waves.waves[1][0], "b");
    assert_string_equal(waves.waves[1][1], "d");
    assert_string_equal(waves.waves[2][0], "a");
}

static void cycles_are_named_and_share_a_wave(void **state)
{
    static const char *const pairs[] = { "ab", "bc", "ca", "da", "ef", "fe", "ae" };
    const struct graph *graph = services(*state, pairs, 7, 6);
    struct graph_waves waves;

    graph_waves(*state, graph, &waves);
    assert_int_equal(waves.cycle_count, 2);
    assert_string_equal(waves.cycles[0], "a -> b -> c -> a");
    assert_string_equal(waves.cycles[1], "e -> f -> e");
    assert_int_equal(waves.count, 3);
    assert_int_equal(waves.sizes[0], 2); /* e f */
    assert_int_equal(waves.sizes[1], 3); /* a b c */
    assert_string_equal(waves.waves[2][0], "d");
}

static void a_long_chain_needs_no_stack(void **state)
{
    enum { LONG = 3000 };
    struct fleet *fleet = mem_new(*state, struct fleet);

    fleet->path = "fleet.yaml";
    fleet->services = mem_array(*state, struct service, LONG);
    fleet->service_count = LONG;
    for (size_t i = 0; i < LONG; i++) {
        struct service *service = &fleet->services[i];

        service->name = mem_printf(*state, "s%04zu", i);
        service->references = mem_array(*state, struct reference, 1);
        service->reference_count = i > 0;
        service->references[0].from = (struct object_name){ .service = service->name, .name = "t" };
        service->references[0].to =
            (struct object_name){ .service = i ? fleet->services[i - 1].name : "", .name = "t" };
    }
    const struct graph *graph = graph_of(*state, fleet, NULL, 0);
    const struct graph_edge **edges = NULL;
    struct graph_object first = { .service = "s0000", .schema = "public", .name = "t" };
    struct graph_waves waves;

    graph_waves(*state, graph, &waves);
    assert_int_equal(waves.count, LONG);
    assert_int_equal(graph_impact(*state, graph, &first, &edges), LONG - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(a_column_has_its_own_dependents),
        test_with_ctx(impact_is_nearest_first_and_ends),
        test_with_ctx(wrong_names_get_near_matches),
        test_with_ctx(what_others_depend_on_comes_first),
        test_with_ctx(cycles_are_named_and_share_a_wave),
        test_with_ctx(a_long_chain_needs_no_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
