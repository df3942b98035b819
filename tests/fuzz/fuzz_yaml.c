/* YAML of strangers: reading ends within the limits, walking the tree is safe, every problem has a
 * place and a text that can be printed. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/base/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t walked(const struct yaml_node *node)
{
    size_t visits = 1;
    if (node->line < 1 || node->column < 1 ||
        (!node->text && node->type >= YAML_BOOL && node->type <= YAML_TEXT))
        abort();
    for (size_t i = 0; i < node->count; i++)
        visits += walked(node->items[i]);
    return visits;
}

static void ask(void *ctx, struct yaml_problems *problems, const struct yaml_node *root)
{
    static const char *const keys[] = { "version", "services", "intents" };
    const char *text = NULL;
    int64_t n = 0;
    if (walked(root) > YAML_VISIT_LIMIT)
        abort();
    yaml_known(problems, root, keys, 3);
    yaml_text(problems, yaml_must(problems, root, "services"), &text);
    yaml_duration(problems, yaml_key(root, "version"), &n);
    yaml_at(root, "/services/0/a~1b");
    json_t *value = yaml_to_json(ctx, problems, root);
    if (value)
        json_compact(ctx, value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPE(tmp);
    struct yaml_problems problems = yaml_problems_for(tmp, "fuzz.yaml");
    struct yaml_node *root = yaml_parse(tmp, (const char *)data, size, &problems);
    if (root)
        ask(tmp, &problems, root);
    else if (problems.count == 0)
        abort();
    const char *all = yaml_problems_text(tmp, &problems);
    if (!text_is_utf8(all, strlen(all)))
        abort();
    for (size_t i = 0; i < problems.count; i++)
        if (problems.items[i].line < 1 || problems.items[i].column < 1)
            abort();
    return 0;
}
