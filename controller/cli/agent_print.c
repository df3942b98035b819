#include <stdio.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/cli/agent.h"

/* A run a paragraph; everything in it was written on the host. */
static void print_runs(const json_t *entry)
{
    SCOPE(tmp);
    size_t i, k;
    json_t *run, *line;
    json_array_foreach(json_object_get(entry, "runs"), i, run) {
        const char *const keys[] = { "run", "last", "rollout", "phase", "state" };
        printf(" ");
        for (k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
            if (json_text_of(run, keys[k]))
                printf("  %s", text_printable(tmp, json_text_of(run, keys[k])));
        putchar('\n');
        json_array_foreach(json_object_get(run, "events"), k, line) {
            printf("  %s\n", text_printable(tmp, json_string_value(line)));
        }
        json_array_foreach(json_object_get(run, "log"), k, line) {
            printf("  ! %s\n", text_printable(tmp, json_string_value(line)));
        }
    }
}

static const char *words_of(const void *ctx, const json_t *value)
{
    size_t i;
    json_t *item;
    if (json_is_string(value))
        return json_string_value(value);
    if (!json_is_array(value))
        return json_compact(ctx, value);
    struct text t = text_init(ctx, TEXT_LINE);
    json_array_foreach(value, i, item) {
        text_addf(&t, "%s%s", i ? ", " : "", words_of(ctx, item));
    }
    return json_array_size(value) ? t.data : "nothing";
}

/* Text: one line an instance, its fields after it. */
void agent_print(const struct agent_options *options, const json_t *list)
{
    SCOPE(tmp);
    size_t i;
    json_t *entry;
    if (options->flags.format == FORMAT_JSON) {
        json_t *all = json_own(tmp, json_object());
        json_object_set(all, "instances", (json_t *)(uintptr_t)list);
        puts(json_pretty(tmp, all));
        return;
    }
    json_array_foreach(list, i, entry) {
        const char *key;
        json_t *value;
        const char *error = json_text_of(entry, "error");
        FILE *to = error ? stderr : stdout;
        fprintf(to, "%-20s", json_text_of(entry, "instance"));
        json_object_foreach(entry, key, value) {
            if (text_eq(key, "instance") || text_eq(key, "hint") || text_eq(key, "runs"))
                continue;
            fprintf(to, "  %s %s", key, text_printable(tmp, words_of(tmp, value)));
        }
        fputc('\n', to);
        print_runs(entry);
        if (error && json_text_of(entry, "hint"))
            fprintf(to, "  hint: %s\n", text_printable(tmp, json_text_of(entry, "hint")));
    }
}
