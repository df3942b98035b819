#include "controller/cli/lint_report.h"

#include <stdio.h>

#include "agents/base/digest.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/base/version.h"

static json_t *sarif_result(const char *path, const struct finding *f)
{
    static const char *const levels[] = { "note", "warning", "error" };
    return json_pack("{s:s, s:s, s:{s:o}, s:[{s:{s:{s:s}, s:{s:i}}}]}", "ruleId", f->rule->id,
                     "level", levels[f->severity], "message", "text",
                     json_sprintf("%s. Instead: %s", f->message, f->hint), "locations",
                     "physicalLocation", "artifactLocation", "uri", path, "region", "startLine",
                     f->line);
}

/* The same finding has the same fingerprint as long as its statement is the same. */
static json_t *gitlab_result(const void *ctx, const char *path, const struct lint_statement *s,
                             const struct finding *f)
{
    static const char *const severities[] = { "info", "minor", "major" };
    const char *key = mem_printf(ctx, "%s\n%s\n%s", path, f->rule->id, s->statement->sql);
    return json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:{s:i}}}", "description", f->message,
                     "check_name", f->rule->id, "fingerprint", digest_text(ctx, key), "severity",
                     severities[f->severity], "location", "path", path, "lines", "begin", f->line);
}

/* GitHub's workflow commands: % and line ends are escaped, in properties , and : too. */
static void github_add(struct text *t, const char *s, bool property)
{
    for (; *s != '\0'; s++) {
        if (*s == '%' || *s == '\n' || *s == '\r' || (property && (*s == ',' || *s == ':'))) {
            text_addf(t, "%%%02X", (unsigned char)*s);
        } else {
            text_addc(t, *s);
        }
    }
}

static void github_result(struct text *t, const char *path, const struct finding *f)
{
    static const char *const levels[] = { "notice", "warning", "error" };
    text_addf(t, "::%s file=", levels[f->severity]);
    github_add(t, path, true);
    text_addf(t, ",line=%d,title=%s::", f->line, f->rule->id);
    github_add(t, f->message, false);
    text_add(t, ". Instead: ");
    github_add(t, f->hint, false);
    text_addc(t, '\n');
}

static void xml_add(struct text *t, const char *s)
{
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '<' || c == '&' || c == '>' || c == '"') {
            text_addf(t, "&#%d;", c);
        } else if (c >= ' ' || c == '\n' || c == '\t') {
            text_addc(t, *s);
        }
    }
}

static void junit_case(struct text *t, const char *path, const struct finding *f)
{
    text_add(t, "  <testcase classname=\"");
    xml_add(t, path);
    text_addf(t, "\" name=\"line %d: %s\">", f->line, f->rule->id);
    if (f->severity == SEVERITY_INFO) {
        text_add(t, "<system-out>");
    } else {
        text_addf(t, "<failure type=\"%s\" message=\"", severity_name(f->severity));
        xml_add(t, f->message);
        text_add(t, "\">");
    }
    xml_add(t, f->message);
    text_add(t, "\nInstead: ");
    xml_add(t, f->hint);
    text_addf(t, "</%s></testcase>\n", f->severity == SEVERITY_INFO ? "system-out" : "failure");
}

static void json_add(struct text *t, const void *ctx, json_t *value)
{
    text_add(t, t->len > 0 ? ",\n" : "");
    text_add(t, json_compact(ctx, value));
    json_decref(value);
}

const char *lint_report_file(const void *ctx, enum format format, const char *path,
                             const struct lint_result *r)
{
    struct text t = text_init(ctx, TEXT_FILE);
    size_t all = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct lint_statement *s = &r->statements[i];
        for (size_t k = 0; k < s->count; k++, all++) {
            const struct finding *f = &s->findings[k];
            switch (format) {
            case FORMAT_SARIF: json_add(&t, ctx, sarif_result(path, f)); break;
            case FORMAT_GITLAB: json_add(&t, ctx, gitlab_result(ctx, path, s, f)); break;
            case FORMAT_GITHUB: github_result(&t, path, f); break;
            default: junit_case(&t, path, f); break;
            }
        }
    }
    if (format == FORMAT_JUNIT && all == 0) {
        text_add(&t, "  <testcase classname=\"");
        xml_add(&t, path);
        text_add(&t, "\" name=\"lint\"/>\n");
    }
    return t.data;
}

static void sarif_begin(void)
{
    SCOPE(tmp);
    size_t count;
    const struct rule *const *all = rules_all(&count);
    json_auto_t *rules = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(rules, json_pack("{s:s, s:{s:s}, s:{s:s}}", "id", all[i]->id,
                                               "shortDescription", "text", all[i]->what,
                                               "fullDescription", "text", all[i]->why));
    }
    printf("{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\","
           "\"runs\":[{\"tool\":{\"driver\":{\"name\":\"flotilla\",\"version\":\"%s\",\"rules\":"
           "%s}},\"results\":[\n",
           FLOTILLA_VERSION, json_compact(tmp, rules));
}

void lint_report_begin(enum format format)
{
    switch (format) {
    case FORMAT_SARIF: sarif_begin(); break;
    case FORMAT_GITLAB: fputs("[\n", stdout); break;
    case FORMAT_JUNIT:
        fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"flotilla lint\">\n",
              stdout);
        break;
    default: break;
    }
}

void lint_report_end(enum format format)
{
    switch (format) {
    case FORMAT_SARIF: fputs("\n]}]}\n", stdout); break;
    case FORMAT_GITLAB: fputs("\n]\n", stdout); break;
    case FORMAT_JUNIT: fputs("</testsuite>\n", stdout); break;
    default: break;
    }
}
