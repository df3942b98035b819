/* The catalog as data: JSON there and back, fingerprints that see definitions and nothing else,
 * diffs that name what differs, lookups along the search path. */
#include "tests/unit/check.h"

#include "agents/base/json.h"
#include "agents/base/text.h"
#include "agents/pg/catalog.h"

static struct error err;

static const char sample[] =
    "{\"database\": \"shop\", \"server_version\": 150018, \"server_port\": \"5432\","
    " \"search_path\": \"\\\"$user\\\", app, public\", \"schemas\": [{\"name\": \"public\"}],"
    " \"relations\": ["
    "  {\"schema\": \"public\", \"name\": \"orders\", \"kind\": \"table\", \"rows\": 10,"
    "   \"columns\": [{\"name\": \"id\", \"number\": 1, \"type\": \"bigint\", \"not_null\": true},"
    "                {\"name\": \"note\", \"number\": 2, \"type\": \"text\"}],"
    "   \"constraints\": [{\"name\": \"orders_pkey\", \"kind\": \"primary key\","
    "     \"columns\": [\"id\"], \"validated\": true}],"
    "   \"indexes\": [{\"name\": \"orders_pkey\", \"columns\": [\"id\"], \"bytes\": 8192}]},"
    "  {\"schema\": \"app\", \"name\": \"users\", \"kind\": \"table\"},"
    "  {\"schema\": \"public\", \"name\": \"users\", \"kind\": \"view\"},"
    "  {\"schema\": \"other\", \"name\": \"alone\", \"kind\": \"table\"}],"
    " \"sequences\": [{\"schema\": \"public\", \"name\": \"s\", \"type\": \"bigint\","
    "   \"max\": 9223372036854775807}],"
    " \"types\": [{\"schema\": \"public\", \"name\": \"mood\", \"kind\": \"enum\","
    "   \"labels\": [\"sad\", \"ok\"]}],"
    " \"functions\": [{\"schema\": \"public\", \"name\": \"f\", \"arguments\": \"integer\","
    "   \"kind\": \"function\"}]}";

static struct catalog *catalog_of(const void *ctx, const char *text)
{
    json_t *json = NULL;
    struct catalog *catalog = NULL;

    assert_ok(json_parse(ctx, text, strlen(text), &json, &err), err);
    assert_ok(catalog_from_json(ctx, json, &catalog, &err), err);
    return catalog;
}

static void json_goes_there_and_back(void **state)
{
    struct catalog *catalog = catalog_of(*state, sample);
    json_t *json = json_own(*state, catalog_to_json(catalog));
    struct catalog *again = NULL;

    assert_ok(catalog_from_json(*state, json, &again, &err), err);
    assert_string_equal(json_compact(*state, json),
                        json_compact(*state, json_own(*state, catalog_to_json(again))));
    struct relation *orders = catalog_relation(again, "public", "orders");
    assert_int_equal(orders->kind, 'r');
    assert_int_equal(orders->rows, 10);
    assert_int_equal(relation_column(orders, "note")->statistics, -1);
    assert_int_equal(catalog_relation(again, "app", "users")->rows, -1);
    assert_true(again->sequences[0].max == INT64_MAX);
}

static void wrong_json_is_refused_with_its_path(void **state)
{
    static const struct {
        const char *json, *what;
    } wrong[] = {
        { "[]", "not a catalog" },
        { "{\"relations\": 1}", "not a catalog" },
        { "{\"relations\": [1]}", "relations: 0: expected an object, found a number" },
        { "{\"relations\": [{\"schema\": \"s\", \"kind\": \"table\"}]}",
          "relations: 0: name: is missing" },
        { "{\"relations\": [{\"schema\": \"s\", \"name\": \"t\", \"kind\": \"tabel\"}]}",
          "relations: 0: kind: unknown word \"tabel\"" },
        { "{\"relations\": [{\"schema\": \"s\", \"name\": \"t\", \"kind\": \"table\","
          " \"columns\": [{\"name\": \"c\", \"type\": \"text\", \"not_null\": 1}]}]}",
          "relations: 0: columns: 0: not_null: expected true or false, found a number" },
        { "{\"relations\": [{\"schema\": \"s\", \"name\": \"t\", \"kind\": \"table\","
          " \"rows\": \"many\"}]}",
          "relations: 0: rows: expected a whole number, found a string" },
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        json_t *json = NULL;
        struct catalog *catalog = NULL;

        assert_ok(json_parse(*state, wrong[i].json, strlen(wrong[i].json), &json, &err), err);
        assert_fails(catalog_from_json(*state, json, &catalog, &err), err, ERROR_INVALID,
                     wrong[i].what);
        assert_null(catalog);
    }
}

static void fingerprint_sees_definitions_only(void **state)
{
    const struct catalog *catalog = catalog_of(*state, sample);
    struct catalog *other = catalog_copy(*state, catalog);
    struct relation *orders = catalog_relation(other, "public", "orders");
    const char *before = catalog_fingerprint(*state, catalog);

    orders->rows = 99;
    orders->bytes = 5;
    orders->indexes[0].bytes = 1;
    other->database = "clone";
    other->server_version = 180000;
    struct column first = orders->columns[0];
    orders->columns[0] = orders->columns[1];
    orders->columns[1] = first;
    orders->columns[1].number = 7;
    assert_string_equal(before, catalog_fingerprint(*state, other));
    assert_int_equal(catalog_diff(*state, catalog, other).count, 0);

    orders->columns[1].type = "integer";
    assert_string_not_equal(before, catalog_fingerprint(*state, other));
    assert_string_not_equal(catalog_object_fingerprint(*state, catalog, "public.orders"),
                            catalog_object_fingerprint(*state, other, "public.orders"));
    assert_string_equal(catalog_object_fingerprint(*state, catalog, "app.users"),
                        catalog_object_fingerprint(*state, other, "app.users"));
}

static void our_own_schema_does_not_count(void **state)
{
    const struct catalog *catalog = catalog_of(*state, sample);
    struct catalog *other = catalog_copy(*state, catalog);

    other->relations =
        mem_room(other, other->relations, struct relation, other->relation_count + 1);
    other->relations[other->relation_count++] =
        (struct relation){ .schema = "flotilla", .name = "journal", .kind = 'r' };
    catalog_sort(other);
    assert_string_equal(catalog_fingerprint(*state, catalog), catalog_fingerprint(*state, other));
    assert_int_equal(catalog_diff(*state, catalog, other).count, 0);
}

static void objects_have_keys(void **state)
{
    const struct catalog *catalog = catalog_of(*state, sample);
    static const char *const keys[] = { "public.orders", "type public.mood", "sequence public.s",
                                        "function public.f(integer)" };

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_non_null(catalog_object_fingerprint(*state, catalog, keys[i]));
    assert_null(catalog_object_fingerprint(*state, catalog, "public.nothing"));
    assert_null(catalog_object_fingerprint(*state, catalog, "function public.f(text)"));
}

static bool has_line(struct catalog_texts lines, const char *line)
{
    for (size_t i = 0; i < lines.count; i++)
        if (text_eq(lines.items[i], line))
            return true;
    return false;
}

static void diff_names_what_differs(void **state)
{
    const struct catalog *catalog = catalog_of(*state, sample);
    struct catalog *other = catalog_copy(*state, catalog);
    struct relation *orders = catalog_relation(other, "public", "orders");

    orders->columns = mem_room(other, orders->columns, struct column, 3);
    orders->columns[orders->column_count++] =
        (struct column){ .name = "status", .number = 3, .type = "text", .statistics = -1 };
    relation_column(orders, "id")->type = "integer";
    orders->index_count = 0;
    other->type_count = 0;
    struct catalog_texts lines = catalog_diff(*state, catalog, other);
    assert_true(has_line(lines, "public.orders: column status added"));
    assert_true(has_line(lines, "public.orders: column id type bigint -> integer"));
    assert_true(has_line(lines, "public.orders: index orders_pkey removed"));
    assert_true(has_line(lines, "type public.mood: removed"));
    assert_int_equal(lines.count, 4);
}

static void search_path_leads_to_relations(void **state)
{
    struct catalog *catalog = catalog_of(*state, sample);

    assert_string_equal(catalog_relation(catalog, NULL, "users")->schema, "app");
    assert_string_equal(catalog_relation(catalog, NULL, "orders")->schema, "public");
    assert_string_equal(catalog_relation(catalog, NULL, "alone")->schema, "other");
    assert_null(catalog_relation(catalog, "app", "orders"));
    catalog->search_path = "public, app";
    assert_string_equal(catalog_relation(catalog, NULL, "users")->schema, "public");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(json_goes_there_and_back),
        test_with_ctx(wrong_json_is_refused_with_its_path),
        test_with_ctx(fingerprint_sees_definitions_only),
        test_with_ctx(our_own_schema_does_not_count),
        test_with_ctx(objects_have_keys),
        test_with_ctx(diff_names_what_differs),
        test_with_ctx(search_path_leads_to_relations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
