#include "controller/lint/config.h"

#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/base/yaml.h"

enum { VERSION_OLDEST = 8, VERSION_NEWEST = 99 };

static const char *const downs[] = { "note", "full", "skip" };
static const char *const fails[] = { "info", "warning", "error", "never" };

static bool word_find(const char *const *words, size_t count, const char *word, int *out)
{
    for (size_t i = 0; i < count; i++) {
        if (text_eq(words[i], word)) {
            *out = (int)i;
            return true;
        }
    }
    return false;
}

bool lint_down_from_name(const char *name, int *out)
{
    return word_find(downs, sizeof downs / sizeof *downs, name, out);
}

bool lint_fail_from_name(const char *name, int *out)
{
    return word_find(fails, sizeof fails / sizeof *fails, name, out);
}

static void rules_read(struct yaml_problems *problems, const struct yaml_node *node,
                       struct lint_config *c)
{
    static const char *const words[] = { "off", "on", "info", "warning", "error" };
    if (!node || !yaml_is_map(problems, node)) {
        return;
    }
    c->levels = mem_array(c, struct lint_rule_level, node->count);
    for (size_t i = 0; i < node->count; i++) {
        const char *id = node->keys[i]->text;
        const struct rule *rule = rule_find(id);
        int level;
        if (!rule) {
            const char *near = rule_nearest(id);
            yaml_complain(problems, node->keys[i], "there is no rule \"%s\", %s%s%s", id,
                          near ? "did you mean \"" : "see ",
                          near ? near : "`flotilla lint --list-rules`", near ? "\"?" : "");
        } else if (yaml_one_of(problems, node->items[i], words, sizeof words / sizeof *words,
                               &level)) {
            c->levels[c->level_count++] = (struct lint_rule_level){ rule, (enum lint_level)level };
        }
    }
}

static void rows_read(struct yaml_problems *problems, const struct yaml_node *node,
                      struct lint_config *c)
{
    if (!node || !yaml_is_map(problems, node)) {
        return;
    }
    c->rows = mem_array(c, struct lint_rows, node->count);
    for (size_t i = 0; i < node->count; i++) {
        int64_t rows;
        if (yaml_int(problems, node->items[i], 0, INT64_MAX, &rows)) {
            c->rows[c->row_count++] = (struct lint_rows){ node->keys[i]->text, rows };
        }
    }
}

static void placeholders_read(struct yaml_problems *problems, const struct yaml_node *node,
                              struct lint_config *c)
{
    if (!node || !yaml_is_map(problems, node)) {
        return;
    }
    c->placeholders = mem_array(c, struct lint_placeholder, node->count);
    for (size_t i = 0; i < node->count; i++) {
        const char *value;
        if (yaml_text(problems, node->items[i], &value)) {
            c->placeholders[c->placeholder_count++] =
                (struct lint_placeholder){ node->keys[i]->text, value };
        }
    }
}

static void numbers_read(struct yaml_problems *problems, const struct yaml_node *root,
                         struct lint_config *c)
{
    int64_t n;
    int word;
    static const char *const sets[] = { "default", "all" };
    if (yaml_int(problems, yaml_key(root, "pg-version"), VERSION_OLDEST, VERSION_NEWEST, &n)) {
        c->version = (int)n;
    }
    if (yaml_int(problems, yaml_key(root, "small-table"), 1, INT64_MAX, &n)) {
        c->small = n;
    }
    if (yaml_one_of(problems, yaml_key(root, "rule-set"), sets, 2, &word)) {
        c->all = word == 1;
    }
    c->transaction_said =
        yaml_bool(problems, yaml_key(root, "assume-transaction"), &c->transaction);
    if (yaml_one_of(problems, yaml_key(root, "fail-on"), fails, sizeof fails / sizeof *fails,
                    &word)) {
        c->fail_on = word;
    }
    if (yaml_one_of(problems, yaml_key(root, "down"), downs, sizeof downs / sizeof *downs, &word)) {
        c->down = word;
    }
}

/* An empty file, or one of comments alone, says nothing: that is fine here. */
static bool says_nothing(const void *ctx, const char *path)
{
    struct error ignored;
    const char *text;
    size_t length;
    if (!file_read(ctx, path, YAML_FILE_BYTES, &text, &length, &ignored)) {
        return false;
    }
    const char *p = text;
    while (*p != '\0') {
        p += strspn(p, " \t\r\n");
        if (*p != '#' && *p != '\0') {
            return false;
        }
        p += strcspn(p, "\n");
    }
    return p == text + length;
}

bool lint_config_load(const void *ctx, const char *path, struct lint_config **out,
                      struct error *err)
{
    static const char *const keys[] = { "rule-set",    "rules",       "exclude",
                                        "pg-version",  "assume-rows", "assume-transaction",
                                        "small-table", "fail-on",     "down",
                                        "placeholders" };
    struct lint_config *c = mem_new(ctx, struct lint_config);
    struct yaml_problems problems = yaml_problems_for(c, path);
    struct yaml_node *root =
        says_nothing(c, path) ? NULL : yaml_load(c, path, YAML_FILE_BYTES, &problems);
    c->path = mem_text(c, path);
    c->folder = file_folder(c, path);
    c->fail_on = c->down = -1;
    if (root && yaml_is_map(&problems, root)) {
        yaml_known(&problems, root, keys, sizeof keys / sizeof *keys);
        rules_read(&problems, yaml_key(root, "rules"), c);
        rows_read(&problems, yaml_key(root, "assume-rows"), c);
        placeholders_read(&problems, yaml_key(root, "placeholders"), c);
        (void)yaml_texts(c, &problems, yaml_key(root, "exclude"), &c->exclude, &c->exclude_count);
        numbers_read(&problems, root, c);
    }
    if (!yaml_problems_none(&problems, err)) {
        return false;
    }
    *out = c;
    return true;
}

static const struct lint_config *known(const struct lint_configs *all, const char *path)
{
    for (size_t i = 0; i < all->count; i++) {
        if (text_eq(all->items[i]->path, path)) {
            return all->items[i];
        }
    }
    return NULL;
}

static bool read_once(const void *ctx, struct lint_configs *all, const char *path,
                      const struct lint_config **out, struct error *err)
{
    struct lint_config *fresh;
    *out = known(all, path);
    if (*out) {
        return true;
    }
    if (!lint_config_load(ctx, path, &fresh, err)) {
        return false;
    }
    all->items = mem_room(ctx, all->items, struct lint_config *, all->count + 1);
    all->items[all->count++] = fresh;
    *out = fresh;
    return true;
}

/* From an absolute folder upward. */
static bool upward(const void *ctx, struct lint_configs *all, const char *folder,
                   const struct lint_config **out, struct error *err)
{
    char *at = talloc_strdup(ctx, folder);
    *out = NULL;
    for (;;) {
        const char *here = text_eq(at, "/") ? "" : at;
        const char *path = mem_printf(ctx, "%s/%s", here, LINT_CONFIG_NAME);
        if (file_exists(path)) {
            return read_once(ctx, all, path, out, err);
        }
        char *slash = strrchr(at, '/');
        if (file_exists(mem_printf(ctx, "%s/.git", here)) || text_eq(at, "/") || !slash) {
            return true;
        }
        slash[slash == at] = '\0';
    }
}

bool lint_config_for(const void *ctx, struct lint_configs *all, const char *path,
                     const struct lint_config **out, struct error *err)
{
    char absolute[PATH_MAX];
    const char *folder = file_folder(ctx, text_eq(path, "-") ? "./x" : path);
    if (text_eq(folder, all->folder)) {
        *out = all->found;
        return true;
    }
    if (!realpath(folder, absolute)) {
        *out = NULL; /* a name for standard input, in a folder that is not there */
        return true;
    }
    if (!upward(ctx, all, absolute, &all->found, err)) {
        return false;
    }
    all->folder = folder;
    *out = all->found;
    return true;
}

bool lint_config_excludes(const struct lint_config *config, const char *path)
{
    SCOPE(tmp);
    char absolute[PATH_MAX], top[PATH_MAX];
    if (!config || config->exclude_count == 0 || !realpath(file_folder(tmp, path), absolute) ||
        !realpath(config->folder, top)) {
        return false;
    }
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *whole = mem_printf(tmp, "%s/%s", absolute, name);
    size_t n = text_eq(top, "/") ? 0 : strlen(top);
    const char *inner = strncmp(whole, top, n) == 0 && whole[n] == '/' ? whole + n + 1 : whole;
    for (size_t i = 0; i < config->exclude_count; i++) {
        const char *pattern = config->exclude[i];
        if (fnmatch(pattern, inner, FNM_LEADING_DIR) == 0 ||
            (!strchr(pattern, '/') && fnmatch(pattern, name, 0) == 0)) {
            return true;
        }
    }
    return false;
}
