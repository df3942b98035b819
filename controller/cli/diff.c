#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/cli/commands.h"
#include "controller/desk/place.h"

struct options {
    struct flags flags;
    const char *plans[2];
    int count;
};

static const struct argument arguments[] = {
    { "PLAN", offsetof(struct options, plans[0]),
      "which two plans? flotilla diff OLD.yaml NEW.yaml" },
    { "PLAN", offsetof(struct options, plans[1]),
      "which two plans? flotilla diff OLD.yaml NEW.yaml" },
    { 0 },
};

static const struct usage usage = {
    .takes = "PLAN PLAN",
    .text =
        "Compare two plans part by part and step by step, and say whose signatures no longer hold.\v"
        "Exit codes: 0 equal, 2 different, 1 could not compare.\n\n"
        "Example:\n  flotilla diff widen.old.yaml widen.yaml\n",
    .arguments = arguments,
    .formats = FORMAT_BIT(JSON),
};

static const char *const kind_names[] = { "added", "removed", "changed" };

static void print_lines(char mark, const char *value, size_t len)
{
    for (const char *end = value + len; value < end;) {
        SCOPE(tmp);
        size_t n = strcspn(value, "\n");
        n = n > (size_t)(end - value) ? (size_t)(end - value) : n;
        printf("      %c %s\n", mark, text_printable(tmp, mem_textn(tmp, value, n)));
        value += n + 1;
    }
}

/* Lines that both have at their start and end are left out. */
static void print_values(const char *before, const char *after)
{
    const char *a = before ? before : "";
    const char *b = after ? after : "";
    size_t start = 0;
    for (size_t i = 0; a[i] && a[i] == b[i]; i++)
        if (a[i] == '\n')
            start = i + 1;
    a += start;
    b += start;
    size_t n = strlen(a);
    size_t m = strlen(b);
    size_t same = 0;
    for (size_t i = 1; i <= n && i <= m && a[n - i] == b[m - i]; i++)
        if (a[n - i] == '\n')
            same = i;
    print_lines('-', a, n - same);
    print_lines('+', b, m - same);
}

static void print_text(const struct plan_diff *diff)
{
    const struct plan_difference *last = NULL;
    for (size_t i = 0; i < diff->count; last = &diff->items[i++]) {
        SCOPE(tmp);
        const struct plan_difference *d = &diff->items[i];
        if (!last || last->phase != d->phase || !text_eq(last->service, d->service))
            printf("%s of %s%s\n", phase_name(d->phase), text_printable(tmp, d->service),
                   d->drops_approvals ? ": signatures no longer hold" : "");
        printf("    %s %s%s%s\n", d->step ? text_printable(tmp, d->step) : "the part",
               d->field ? d->field : "", d->field ? " " : "", kind_names[d->kind]);
        print_values(d->before, d->after);
    }
}

static void print_json(const struct plan_diff *diff)
{
    SCOPE(tmp);
    json_t *list = json_own(tmp, json_array());
    for (size_t i = 0; i < diff->count; i++) {
        const struct plan_difference *d = &diff->items[i];
        json_t *o = json_object();
        json_set_text(o, "change", kind_names[d->kind]);
        json_set_text(o, "phase", phase_name(d->phase));
        json_set_text(o, "service", d->service);
        json_set_text(o, "step", d->step);
        json_set_text(o, "field", d->field);
        json_set_text(o, "before", d->before);
        json_set_text(o, "after", d->after);
        json_set_bool(o, "drops_approvals", d->drops_approvals);
        json_array_append_new(list, o);
    }
    printf("%s\n", json_pretty(tmp, list));
}

int command_diff(int argc, char **argv)
{
    struct options o = { 0 };
    struct plan *plans[2] = { NULL };
    struct plan_diff diff;
    struct error err;
    usage_read(&usage, argc, argv, &o.flags, &o);
    SCOPE(tmp);
    for (int i = 0; i < 2; i++)
        if (!place_plan(tmp, o.plans[i], &plans[i], &err))
            return command_failed(argv[0], &err);
    plan_diff(tmp, plans[0], plans[1], &diff);
    if (o.flags.format == FORMAT_JSON)
        print_json(&diff);
    else if (diff.count == 0)
        puts("the plans do the same");
    else
        print_text(&diff);
    return diff.count ? EXIT_FOUND : EXIT_DONE;
}
