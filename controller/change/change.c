#include "controller/change/change.h"

#include <string.h>

#include "agents/base/file.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/base/yaml.h"
#include "controller/change/check_sql.h"
#include "controller/sql/script.h"

struct loading {
    const void *ctx;
    struct yaml_problems *problems;
    struct change *change;
    const char *path;
    const struct change_reader *reader;
};

static void add_intent(const void *ctx, struct intents *intents, const struct intent *intent)
{
    intents->items = mem_room(ctx, intents->items, struct intent, intents->count + 1);
    intents->items[intents->count++] = *intent;
}

static void read_intent(struct loading *load, const struct yaml_node *node)
{
    struct intent intent;
    struct intent_problems problems = { .ctx = load->ctx };
    const json_t *json = yaml_to_json(load->ctx, load->problems, node);
    if (!json) {
        return;
    }
    bool good = intent_from_json(load->ctx, json, &intent, &problems);
    if (good) {
        change_check_sql(&intent, load->reader->asks, &problems);
        change_split_sql(load->ctx, &intent);
    }
    for (size_t i = 0; i < problems.count; i++) {
        const struct intent_problem *p = &problems.items[i];
        const struct error *e = &p->error;
        const struct yaml_node *at =
            p->key ? yaml_at_key(node, p->pointer) : yaml_at(node, p->pointer);
        yaml_complain(load->problems, at, "%s%s%s", e->message, *e->hint ? ", " : "", e->hint);
    }
    if (problems.count) {
        return;
    }
    intent.place = mem_printf(load->ctx, "%s:%d:%d", load->path, node->line, node->column);
    add_intent(load->ctx, load->change->intents, &intent);
}

static void read_intents(struct loading *load, const struct yaml_node *list)
{
    if (!yaml_is_list(load->problems, list)) {
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        read_intent(load, list->items[i]);
    }
    if (list->count == 0) {
        yaml_complain(load->problems, list, "no intents, write at least one");
    }
}

static void add_text(struct loading *load, const struct change_text *text)
{
    struct change *change = load->change;
    change->texts = mem_room(load->ctx, change->texts, struct change_text, change->text_count + 1);
    change->texts[change->text_count++] = *text;
}

/* Each statement that is none, at the value: lines within it are those of the SQL. */
static void check_text(struct loading *load, const struct yaml_node *value,
                       const struct change_text *text)
{
    SCOPE(tmp);
    struct script *script;
    struct error err;
    const char *file = text_eq(text->name, load->path) ? "" : mem_printf(tmp, "%s: ", text->name);
    if (!sql_parse(tmp, text->sql, strlen(text->sql), &script, &err)) {
        yaml_complain(load->problems, value, "%s%s", file, err.message);
        return;
    }
    if (script->count == 0) {
        yaml_complain(load->problems, value, "%sno statement is in it, write one", file);
    }
    for (size_t i = 0; i < script->count; i++) {
        const struct statement *s = &script->statements[i];
        if (s->problem && load->reader->asks) {
            continue;
        }
        if (s->problem) {
            yaml_complain(load->problems, value, "%sline %d of the SQL: %s", file, s->problem->line,
                          s->problem->message);
        } else if (!change_psql_is_idle(s)) {
            yaml_complain(load->problems, value,
                          "%sline %d of the SQL: %s is for psql, write the SQL that it stands for",
                          file, s->line, text_printable(tmp, s->sql));
        }
    }
}

/* { file: PATH }: the SQL lies beside the change. False when it cannot be read. */
static bool read_file(struct loading *load, const struct yaml_node *value, struct change_text *text)
{
    const char *file = NULL;
    struct error err;
    size_t length;
    const struct yaml_node *name = yaml_key(value, "file");
    yaml_known(load->problems, value, (const char *const[]){ "file" }, 1);
    if (value->count == 0) {
        (void)yaml_must(load->problems, value, "file");
    }
    if (!yaml_text(load->problems, name, &file)) {
        return false;
    }
    text->name = file_path_from(load->ctx, file_folder(load->ctx, load->path), file);
    if (!file_read(load->ctx, text->name, CHANGE_FILE_BYTES, &text->sql, &length, &err)) {
        yaml_complain(load->problems, name, "%s, name a file beside the change", err.message);
        return false;
    }
    if (strlen(text->sql) != length) {
        yaml_complain(load->problems, name, "%s: a NUL byte at offset %zu, this is no SQL",
                      text->name, strlen(text->sql));
        return false;
    }
    return true;
}

/* sql: { service: "DDL" } or { service: { file: PATH } }. */
static void read_sql(struct loading *load, const struct yaml_node *map)
{
    if (!yaml_is_map(load->problems, map)) {
        return;
    }
    for (size_t i = 0; i < map->count; i++) {
        struct yaml_node *value = map->items[i];
        struct change_text text = { .service = map->keys[i]->text, .name = load->path };
        bool inside = value->type != YAML_MAP;
        if (!*text.service) {
            yaml_complain(load->problems, map->keys[i],
                          "sql: the name of a service is empty, write sql: { SERVICE: \"DDL\" }");
        }
        text.above = inside ? value->line - 1 + value->block : 0;
        if (inside ? yaml_text(load->problems, value, &text.sql) : read_file(load, value, &text)) {
            check_text(load, value, &text);
            add_text(load, &text);
        }
    }
}

static const char *const keys[] = { "title", "author",  "note",   "intents",
                                    "sql",   "desired", "request" };

/* Exactly one of the four forms. */
static void read_form(struct loading *load, const struct yaml_node *root)
{
    const struct yaml_node *found = NULL;
    for (size_t i = 3; i < sizeof keys / sizeof *keys; i++) {
        const struct yaml_node *node = yaml_key(root, keys[i]);
        if (node && found) {
            yaml_complain(load->problems, node,
                          "a change says one of intents, sql, desired, request, and this is the "
                          "second: put it into a file of its own");
        }
        found = found ? found : node;
    }
    if (!found) {
        yaml_complain(load->problems, root,
                      "the change says nothing to do, write one of intents, sql");
        return;
    }
    if (yaml_key(root, "intents")) {
        read_intents(load, yaml_key(root, "intents"));
    } else if (yaml_key(root, "sql")) {
        read_sql(load, yaml_key(root, "sql"));
    } else {
        yaml_complain(load->problems, found,
                      "this version cannot read desired: and request: yet, write intents: or sql:");
    }
}

bool change_read(const void *ctx, const char *path, const struct change_reader *reader,
                 struct change **out, const char **problems, struct error *err)
{
    SCOPE(tmp);
    struct yaml_problems list = yaml_problems_for(tmp, path);
    struct yaml_node *root = yaml_load(ctx, path, CHANGE_FILE_BYTES, &list);
    struct change *change = mem_new(ctx, struct change);
    struct loading load = { ctx, &list, change, path, reader };
    change->intents = mem_new(ctx, struct intents);
    change->intents->author = mem_text(ctx, reader->author);
    if (root && yaml_is_map(&list, root)) {
        yaml_known(&list, root, keys, sizeof keys / sizeof *keys);
        yaml_text(&list, yaml_key(root, "author"), &change->intents->author);
        yaml_text(&list, yaml_key(root, "note"), &change->intents->note);
        yaml_text(&list, yaml_must(&list, root, "title"), &change->intents->title);
        read_form(&load, root);
    }
    if (!yaml_problems_none(&list, err)) {
        if (problems) {
            *problems = yaml_problems_text(ctx, &list);
        }
        return false;
    }
    *out = change;
    return true;
}

bool change_of_sql(const void *ctx, const char *path, const char *service, const char *author,
                   struct change **out, struct error *err)
{
    const char *sql;
    size_t length;
    if (!file_read(ctx, path, CHANGE_FILE_BYTES, &sql, &length, err)) {
        return fail_hint(err, "name a file of SQL statements that can be read");
    }
    if (strlen(sql) != length) {
        return fail(err, ERROR_INVALID, "%s: a NUL byte at offset %zu", path, strlen(sql));
    }
    struct change *change = mem_new(ctx, struct change);
    const char *slash = strrchr(path, '/');
    change->intents = mem_new(ctx, struct intents);
    change->intents->author = mem_text(ctx, author);
    change->intents->title = mem_text(ctx, slash ? slash + 1 : path);
    change->texts = mem_new(ctx, struct change_text);
    change->texts[0] = (struct change_text){ .service = mem_text(ctx, service),
                                             .name = mem_text(ctx, path),
                                             .sql = sql };
    change->text_count = 1;
    *out = change;
    return true;
}
