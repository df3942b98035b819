#include "controller/terminal/lint_rules.h"

#include <stdio.h>
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/check/discharge.h"
#include "controller/rules/rule.h"
#include "controller/terminal/lint_format.h"

static const struct {
    const char *group, *title;
} groups[] = {
    { "index", "Indexes" },
    { "txn", "Transactions" },
    { "constraint", "Constraints" },
    { "column", "Columns" },
    { "table", "Tables" },
    { "partition", "Partitions" },
    { "data", "Data" },
    { "destructive", "Destruction" },
    { "compat", "Compatibility with running applications" },
    { "session", "Sessions" },
    { "authz", "Authorisation" },
    { "opaque", "What cannot be seen, or reaches outside" },
    { "style", "Style" },
    { "suppress", "Suppressions" },
    { "catalog", "What only the catalog tells" },
};

/* Each kind of evidence on a line of its own. */
static void print_discharges(const struct rule *r, bool markdown)
{
    size_t count;
    const struct discharge *rows = discharges_all(&count);
    for (size_t i = 0; i < count; i++) {
        if (text_eq(rows[i].rule, r->id)) {
            if (markdown) {
                printf("- `%s`: %s\n", evidence_name(rows[i].by), rows[i].why);
            } else {
                printf("  %-12s %s\n", evidence_name(rows[i].by), rows[i].why);
            }
        }
    }
}

static bool has_discharge(const struct rule *r)
{
    size_t count;
    const struct discharge *rows = discharges_all(&count);
    for (size_t i = 0; i < count; i++) {
        if (text_eq(rows[i].rule, r->id)) {
            return true;
        }
    }
    return false;
}

bool lint_explain(const char *id)
{
    const struct rule *r = rule_find(id);
    if (!r) {
        return false;
    }
    printf("%s (%s, %s, %s by default)\n\n%s.\n\n%s\n\nInstead: %s\n\nFor example:\n  %s\n\n",
           r->id, r->group, severity_name(r->severity), r->on ? "on" : "off", r->what, r->why,
           r->instead, r->example);
    puts(has_discharge(r) ? "In a plan it is discharged by" : "In a plan nothing discharges it.");
    print_discharges(r, false);
    printf("\nAll rules: docs/RULES.md#%s\n", r->id);
    return true;
}

static void rule_markdown(const struct rule *r)
{
    printf("\n### %s\n\n*%s, %s by default.* %s.\n\n%s\n\n**Instead:** %s\n\n```sql\n%s\n```\n",
           r->id, severity_name(r->severity), r->on ? "on" : "off", r->what, r->why, r->instead,
           r->example);
    if (has_discharge(r)) {
        puts("\n**In a plan discharged by**\n");
        print_discharges(r, true);
    }
}

static const char *group_title(const char *group)
{
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (text_eq(groups[i].group, group)) {
            return groups[i].title;
        }
    }
    return group;
}

static bool group_is_new(const struct rule *const *all, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (text_eq(all[k]->group, all[i]->group)) {
            return false;
        }
    }
    return true;
}

static void as_markdown(const struct rule *const *all, size_t count)
{
    puts(
        "# Rules\n\n"
        "<!-- Made by: flotilla lint --list-rules --format markdown. Do not edit. -->\n\n"
        "What `flotilla lint` and every plan look for. A rule's severity is what it starts from: a "
        "table that is known to be small makes a note of it (nothing, where a person said so), and `.flotilla-lint.yaml` may say "
        "otherwise (see [LINT](LINT.md)). The examples are flagged as they stand, without a "
        "catalog, unless their text says what they need. In a plan, the steps around a statement may "
        "carry the evidence that discharges a rule: what does is said rule by rule, and a rule "
        "that does not say so is never discharged. `flotilla show` prints what discharged what.");
    for (size_t g = 0; g < count; g++) {
        if (!group_is_new(all, g)) {
            continue;
        }
        printf("\n## %s\n", group_title(all[g]->group));
        for (size_t i = g; i < count; i++) {
            if (text_eq(all[i]->group, all[g]->group)) {
                rule_markdown(all[i]);
            }
        }
    }
}

static json_t *rule_json(const struct rule *r)
{
    size_t count;
    const struct discharge *rows = discharges_all(&count);
    json_t *by = json_object();
    for (size_t i = 0; i < count; i++) {
        if (text_eq(rows[i].rule, r->id)) {
            json_set_text(by, evidence_name(rows[i].by), rows[i].why);
        }
    }
    return json_pack("{s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:s, s:o}", "id", r->id, "group",
                     r->group, "severity", severity_name(r->severity), "default", r->on, "what",
                     r->what, "why", r->why, "instead", r->instead, "example", r->example,
                     "discharged", by);
}

void lint_list_rules(enum format format)
{
    SCOPE(tmp);
    size_t count;
    const struct rule *const *all = rules_all(&count);
    if (format == FORMAT_MARKDOWN) {
        as_markdown(all, count);
        return;
    }
    json_auto_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct rule *r = all[i];
        if (format == FORMAT_JSON) {
            json_array_append_new(list, rule_json(r));
        } else {
            printf("%-28s %-11s %-8s %-4s %s\n", r->id, r->group, severity_name(r->severity),
                   r->on ? "on" : "off", r->what);
        }
    }
    if (format == FORMAT_JSON) {
        puts(json_pretty(tmp, list));
    }
}
