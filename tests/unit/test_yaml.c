/* YAML: marks, types of plain scalars, every error of a file, and input made to hurt. */
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/base/yaml.h"
#include "agents/base/yaml_scalar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct yaml_node *parsed(const void *ctx, const char *s)
{
    struct yaml_problems problems = yaml_problems_for(ctx, "f.yaml");
    struct yaml_node *root = yaml_parse(ctx, s, strlen(s), &problems);
    if (!root || problems.count > 0)
        fail_msg("%s", yaml_problems_text(ctx, &problems));
    return root;
}

static void expect_refused(const char *data, size_t len, const char *message)
{
    SCOPE(tmp);
    struct yaml_problems problems = yaml_problems_for(tmp, "f");
    assert_null(yaml_parse(tmp, data, len, &problems));
    assert_string_equal(yaml_problems_text(tmp, &problems), message);
}

static void knows_places(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct yaml_node *root = parsed(tmp, "a: 1\nb:\n  - x\n  - {\xC3\xA4: y, c: z}\n");
    const struct yaml_node *node = yaml_at(root, "/b/1/c");
    assert_string_equal(node->text, "z");
    assert_int_equal(node->line, 4);
    assert_int_equal(node->column, 15);
    assert_string_equal(node->name, "c");
    assert_string_equal(yaml_at(root, "/b/0")->name, "item 1");
    /* What is not there: the last that is. */
    assert_ptr_equal(yaml_at(root, "/b/1/nothing/here"), yaml_at(root, "/b/1"));
    assert_ptr_equal(yaml_at(root, "/b/7"), yaml_at(root, "/b"));
    assert_ptr_equal(yaml_at(root, ""), root);
    root = parsed(tmp, "a/b: {m~n: 1}");
    assert_string_equal(yaml_at(root, "/a~1b/m~0n")->text, "1");
}

static void types_plain_scalars(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum yaml_type type;
    } cases[] = {
        { "~", YAML_NULL },     { "null", YAML_NULL },  { "nUll", YAML_TEXT },
        { "true", YAML_BOOL },  { "FALSE", YAML_BOOL }, { "yes", YAML_TEXT },
        { "off", YAML_TEXT },   { "12", YAML_INT },     { "-12", YAML_INT },
        { "+0", YAML_INT },     { "0o17", YAML_INT },   { "0x1F", YAML_INT },
        { "0o9", YAML_TEXT },   { "-", YAML_TEXT },     { "1_000", YAML_TEXT },
        { "1.5", YAML_FLOAT },  { "1.", YAML_FLOAT },   { ".5", YAML_FLOAT },
        { ".", YAML_TEXT },     { "1e3", YAML_FLOAT },  { "1e", YAML_TEXT },
        { ".inf", YAML_FLOAT }, { ".nan", YAML_FLOAT }, { "-.nan", YAML_TEXT },
        { "12:30", YAML_TEXT }, { "1.2.3", YAML_TEXT }, { "2026-03-01", YAML_TEXT },
        { "e5", YAML_TEXT },    { "0b11", YAML_TEXT },  { "", YAML_NULL },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (yaml_scalar_type(cases[i].text) != cases[i].type)
            fail_msg("\"%s\": %d", cases[i].text, (int)yaml_scalar_type(cases[i].text));
    SCOPE(tmp);
    struct yaml_node *root = parsed(tmp, "- 5\n- '5'\n- \"true\"\n- true\n- |-\n  5\n");
    assert_int_equal(root->items[0]->type, YAML_INT);
    assert_int_equal(root->items[1]->type, YAML_TEXT);
    assert_int_equal(root->items[2]->type, YAML_TEXT);
    assert_int_equal(root->items[3]->type, YAML_BOOL);
    assert_int_equal(root->items[4]->type, YAML_TEXT);
}

static void collects_every_error(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct yaml_problems p = yaml_problems_for(tmp, "f.yaml");
    static const char *const keys[] = { "port", "on", "wait", "mode", "list", "name", "map" };
    static const char *const modes[] = { "fast", "safe" };
    struct yaml_node *root = parsed(tmp, "prot: 1\nport: 70000\non: yes\nwait: 5\nmode: slow\n"
                                         "list: [a, '', 3]\nname: 5\nmap: x\nzzzzzzzzzz: 1\n");
    int64_t n = 7;
    bool on = false;
    int mode = 7;
    const char **list = NULL;
    size_t count = 7;
    const char *name = "untouched";
    yaml_known(&p, root, keys, 7);
    assert_false(yaml_int(&p, yaml_key(root, "port"), 1, 65535, &n));
    assert_false(yaml_bool(&p, yaml_key(root, "on"), &on));
    assert_false(yaml_duration(&p, yaml_key(root, "wait"), &n));
    assert_false(yaml_one_of(&p, yaml_key(root, "mode"), modes, 2, &mode));
    assert_false(yaml_texts(tmp, &p, yaml_key(root, "list"), &list, &count));
    assert_false(yaml_text(&p, yaml_key(root, "name"), &name));
    assert_false(yaml_is_map(&p, yaml_key(root, "map")));
    assert_null(yaml_must(&p, root, "needed"));
    assert_false(yaml_text(&p, yaml_key(root, "absent"), &name));
    assert_int_equal(n, 7);
    assert_int_equal(mode, 7);
    assert_int_equal(count, 7);
    assert_string_equal(name, "untouched");
    assert_string_equal(
        yaml_problems_text(tmp, &p),
        "f.yaml:1:1: the file: \"needed\" is missing, add it\n"
        "f.yaml:1:1: unknown key \"prot\", did you mean \"port\"?\n"
        "f.yaml:2:7: port: expected a whole number from 1 to 65535, not the number 70000\n"
        "f.yaml:3:5: on: \"yes\" is text and no boolean (YAML 1.2), write true or false\n"
        "f.yaml:4:7: wait: expected a duration with a unit, such as 200ms, 3s, 5m, 2h or 14d, "
        "not the number 5\n"
        "f.yaml:5:7: mode: expected fast or safe, not the text \"slow\"\n"
        "f.yaml:6:11: item 2 is empty, expected text\n"
        "f.yaml:6:15: item 3: expected text in quotes, not the number 3\n"
        "f.yaml:7:7: name: expected text in quotes, not the number 5\n"
        "f.yaml:8:6: map: expected a mapping (key: value), not the text \"x\"\n"
        "f.yaml:9:1: unknown key \"zzzzzzzzzz\", known here: port, on, wait, mode, list, name, map\n");
    struct error err;
    assert_false(yaml_problems_none(&p, &err));
    assert_string_equal(err.hint,
                        "10 more errors in this file: `flotilla validate f.yaml` lists them");
}

static void reads_good_values(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct yaml_problems p = yaml_problems_for(tmp, "f");
    struct yaml_node *root = parsed(tmp, "{n: 0x10, b: true, d: 3s, l: [a, b], e: ''}");
    int64_t n = 0;
    bool b = false;
    const char **l = NULL;
    size_t count = 0;
    const char *e = NULL;
    assert_true(yaml_int(&p, yaml_key(root, "n"), 0, 100, &n));
    assert_int_equal(n, 16);
    assert_true(yaml_bool(&p, yaml_key(root, "b"), &b));
    assert_true(b);
    assert_true(yaml_duration(&p, yaml_key(root, "d"), &n));
    assert_int_equal(n, 3000);
    assert_true(yaml_texts(tmp, &p, yaml_key(root, "l"), &l, &count));
    assert_int_equal(count, 2);
    assert_string_equal(l[1], "b");
    assert_true(yaml_text_any(&p, yaml_key(root, "e"), &e));
    struct error err;
    assert_true(yaml_problems_none(&p, &err));
}

static void becomes_json(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct yaml_problems p = yaml_problems_for(tmp, "f");
    struct yaml_node *root =
        parsed(tmp, "{a: [1, -2, 0x1f, 1.5, true, ~, yes, '7'], b: &x {c: d}, e: *x}");
    json_t *json = yaml_to_json(tmp, &p, root);
    assert_string_equal(json_compact(tmp, json), "{\"a\":[1,-2,31,1.5,true,null,\"yes\",\"7\"],"
                                                 "\"b\":{\"c\":\"d\"},\"e\":{\"c\":\"d\"}}");
    root = parsed(tmp, "[99999999999999999999, .inf, 1]");
    assert_null(yaml_to_json(tmp, &p, root));
    assert_int_equal(p.count, 2);
}

static void refuses_with_a_place(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *message;
    } cases[] = {
        { "", "f:1:1: the file is empty\n" },
        { "# nothing\n", "f:1:1: the file is empty\n" },
        { "a: 1\n---\nb: 1\n", "f:2:1: a second document starts here, one a file is allowed\n" },
        { "a: *b\n", "f:1:4: there is no anchor &b before the alias *b\n" },
        { "a: &b [1, *b]\n", "f:1:11: the alias *b stands inside of its own anchor\n" },
        { "a: !!str 5\n",
          "f:1:4: the tag tag:yaml.org,2002:str is not used here, quote a value to make it text\n" },
        { "? [a]\n: b\n", "f:1:3: a key must be text, quote it if it starts with [ or {\n" },
        { "~: b\n", "f:1:1: a key is empty, write its name before the colon\n" },
        { "a: \"x\\0y\"\n", "f:1:4: the text holds a NUL character, which nothing can use\n" },
        { "a: [1,\nb: 2\n",
          "f:3:1: not YAML: did not find expected ',' or ']' while parsing a flow "
          "sequence that starts on line 1, check its indentation and quotes\n" },
        { "a:\n\tb: 1\n", "f:2:1: not YAML: found character that cannot start any token while "
                          "scanning for the next token that starts on line 2, indent with "
                          "spaces, not tabs\n" },
        { "a: x\x01y\n",
          "f:1:5: not YAML: control characters are not allowed (0x01), a file holds UTF-8 text "
          "only\n" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_refused(cases[i].yaml, strlen(cases[i].yaml), cases[i].message);
    expect_refused("a: \xC3\xA4\xFF", 6, "f:1:5: the byte 0xff is not UTF-8 text here\n");
    expect_refused("a\0b", 3, "f:1:2: the byte 0x00 is not UTF-8 text here\n");
    expect_refused("\xFF\xFE"
                   "a\0",
                   4, "f:1:1: the byte 0xff is not UTF-8 text here\n");
}

/* The other errors of the file are found, and what stands under the second key is known. */
static void goes_on_after_a_key_twice(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct yaml_problems p = yaml_problems_for(tmp, "f");
    const char *yaml = "a: {x: 1}\nb: [2]\nc: 1\na: {y: 2}\nb: [3, 4]\nc: {}\nb: [5]\n";
    const struct yaml_node *root = yaml_parse(tmp, yaml, strlen(yaml), &p);
    assert_non_null(root);
    assert_string_equal(yaml_problems_text(tmp, &p),
                        "f:4:1: the key \"a\" is already on line 1 column 1, keep one of them\n"
                        "f:5:1: the key \"b\" is already on line 2 column 1, keep one of them\n"
                        "f:6:1: the key \"c\" is already on line 3 column 1, keep one of them\n"
                        "f:7:1: the key \"b\" is already on line 5 column 1, keep one of them\n");
    assert_string_equal(yaml_key(yaml_key(root, "a"), "y")->text, "2");
    assert_int_equal(yaml_key(root, "b")->count, 3);
    assert_int_equal(yaml_key(root, "c")->type, YAML_INT);
    /* The arrays of an anchor are not those that grow. */
    yaml = "o: &o [1]\na: *o\na: *o\nb: *o\n";
    struct yaml_problems q = yaml_problems_for(tmp, "f");
    root = yaml_parse(tmp, yaml, strlen(yaml), &q);
    assert_int_equal(yaml_key(root, "a")->count, 2);
    assert_int_equal(yaml_key(root, "o")->count, 1);
    assert_int_equal(yaml_key(root, "b")->count, 1);
}

static void is_not_exhausted(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct text laughs = text_init(tmp, TEXT_FILE);
    text_add(&laughs, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 30; i++) {
        text_addf(&laughs, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++)
            text_addf(&laughs, "*a%d%s", i - 1, k < 9 ? ", " : "]\n");
    }
    struct yaml_problems p = yaml_problems_for(tmp, "f");
    assert_null(yaml_parse(tmp, laughs.data, laughs.len, &p));
    assert_non_null(strstr(yaml_problems_text(tmp, &p), "aliases make the file more than"));

    static const char *const nests[] = { "[", "- ", "{a: ", "? " };
    for (size_t i = 0; i < 4; i++) {
        struct text deep = text_init(tmp, TEXT_FILE);
        for (int k = 0; k < 20000; k++)
            text_add(&deep, nests[i]);
        struct yaml_problems q = yaml_problems_for(tmp, "f");
        assert_null(yaml_parse(tmp, deep.data, deep.len, &q));
        assert_int_equal(q.count, 1);
    }
    /* Each alias adds one level: no text of its own shows the depth. */
    struct text chain = text_init(tmp, TEXT_FILE);
    text_add(&chain, "- &a0 [x]\n");
    for (int i = 1; i < 100; i++)
        text_addf(&chain, "- &a%d [*a%d]\n", i, i - 1);
    struct yaml_problems r = yaml_problems_for(tmp, "f");
    assert_null(yaml_parse(tmp, chain.data, chain.len, &r));
    assert_non_null(strstr(yaml_problems_text(tmp, &r), "nested deeper than 64 levels"));

    struct text many = text_init(tmp, TEXT_FILE);
    for (int i = 0; i < 600 * 1000; i++)
        text_add(&many, "- a\n");
    struct yaml_problems s = yaml_problems_for(tmp, "f");
    assert_null(yaml_parse(tmp, many.data, many.len, &s));
    assert_string_equal(yaml_problems_text(tmp, &s),
                        "f:500000:3: the file has more than 500000 values, split it\n");
}

static void takes_json(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct yaml_node *root = parsed(tmp, "{\"a\":[1,{\"b\":null}],\n  \"c\":\"x\\ny\"}");
    assert_string_equal(yaml_at(root, "/c")->text, "x\ny");
    assert_int_equal(yaml_at(root, "/a/1/b")->type, YAML_NULL);
}

static void tells_files_apart(void **state)
{
    (void)state;
    static const char *const keys[] = { "services", "intents" };
    static const struct {
        const char *yaml;
        size_t first;
    } cases[] = {
        { "a: 1\nintents: []\nservices: x\n", 1 },
        { "services: *x\n", 0 },
        { "a: intents\nb: [services]\nc: {services: 1}\n", 2 },
        { "a: &x\n  intents: 1\nb: *x\nservices: 1\n", 0 },
        { "{\"a\": [[1], {}], \"intents\": 1}", 1 },
        { "a: [\n", 2 },
        { "", 2 },
        { "intents\n", 2 },
        { "? [a, b]\n: services\nintents: 1\n", 1 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (yaml_first_of(cases[i].yaml, strlen(cases[i].yaml), keys, 2) != cases[i].first)
            fail_msg("%s", cases[i].yaml);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_places),         cmocka_unit_test(types_plain_scalars),
        cmocka_unit_test(collects_every_error), cmocka_unit_test(reads_good_values),
        cmocka_unit_test(becomes_json),         cmocka_unit_test(refuses_with_a_place),
        cmocka_unit_test(is_not_exhausted),     cmocka_unit_test(takes_json),
        cmocka_unit_test(tells_files_apart),    cmocka_unit_test(goes_on_after_a_key_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
