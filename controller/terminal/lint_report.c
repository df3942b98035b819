#include "controller/terminal/lint_report.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <uthash.h>

#include "agents/base/digest.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/base/version.h"

/* Fingerprints of one file, so that equal findings in it can be told apart. */
struct seen {
    const char *key;
    int count;
    UT_hash_handle hh;
};

struct rendering {
    const void *ctx;
    const struct lint_view *view;
    const char *uri;
    struct seen *seen;
    struct text out;
};

/* A path as a URI reference: RFC 3986, relative when the path is. */
static const char *uri_of(const void *ctx, const char *path)
{
    struct text t = text_init(ctx, TEXT_LINE);
    text_add(&t, *path == '/' ? "file://" : "");
    for (; *path != '\0'; path++) {
        unsigned char c = (unsigned char)*path;
        if (c < 0x80 && (isalnum(c) || strchr("-._~/", c))) {
            text_addc(&t, *path);
        } else {
            text_addf(&t, "%%%02X", c);
        }
    }
    return t.data;
}

/* The same finding has the same fingerprint as long as its statement is the same; the second of
 * two that are the same gets another. */
static const char *fingerprint(struct rendering *r, const struct lint_statement *s,
                               const struct finding *f)
{
    struct seen *seen;
    const char *key =
        mem_printf(r->ctx, "%s\n%s\n%s", r->view->path, f->rule->id, s->statement->sql);
    HASH_FIND_STR(r->seen, key, seen);
    if (!seen) {
        seen = mem_new(r->ctx, struct seen);
        seen->key = key;
        HASH_ADD_KEYPTR(hh, r->seen, seen->key, strlen(seen->key), seen);
    }
    return ++seen->count == 1 ? digest_text(r->ctx, key)
                              : digest_text(r->ctx, mem_printf(r->ctx, "%s\n%d", key, seen->count));
}

static const char *const sarif_levels[] = { "note", "warning", "error" };

static json_t *sarif_result(struct rendering *r, const struct lint_statement *s,
                            const struct finding *f)
{
    json_t *message =
        json_sprintf("%s. Instead: %s%s%s", f->message, f->hint, f->rewrite_sql ? "\n\n" : "",
                     f->rewrite_sql ? f->rewrite_sql : "");
    int end = s->statement->end_line > f->line ? s->statement->end_line : f->line;
    return json_pack("{s:s, s:s, s:{s:o}, s:[{s:{s:{s:s}, s:{s:i, s:i}}}], s:{s:s}}", "ruleId",
                     f->rule->id, "level", sarif_levels[f->severity], "message", "text", message,
                     "locations", "physicalLocation", "artifactLocation", "uri", r->uri, "region",
                     "startLine", f->line, "endLine", end, "partialFingerprints", "statement/v1",
                     fingerprint(r, s, f));
}

static const char *fingerprint_unread(const struct rendering *r)
{
    return digest_text(r->ctx, mem_printf(r->ctx, "%s\nunread", r->view->path));
}

struct issue {
    const char *what, *check, *key, *severity;
    int line;
};

static json_t *gitlab_issue(const char *path, const struct issue *i)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:{s:i}}}", "description", i->what, "check_name",
                     i->check, "fingerprint", i->key, "severity", i->severity, "location", "path",
                     path, "lines", "begin", i->line);
}

static json_t *gitlab_result(struct rendering *r, const struct lint_statement *s,
                             const struct finding *f)
{
    static const char *const severities[] = { "info", "minor", "major" };
    const struct issue issue = { f->message, f->rule->id, fingerprint(r, s, f),
                                 severities[f->severity], f->line };
    return gitlab_issue(r->view->path, &issue);
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

static void json_add(struct rendering *r, json_t *value)
{
    text_add(&r->out, r->out.len > 0 ? ",\n" : "");
    text_add(&r->out, json_compact(r->ctx, value));
    json_decref(value);
}

static void finding_add(struct rendering *r, const struct lint_statement *s,
                        const struct finding *f)
{
    switch (r->view->format) {
    case FORMAT_SARIF: json_add(r, sarif_result(r, s, f)); break;
    case FORMAT_GITLAB: json_add(r, gitlab_result(r, s, f)); break;
    case FORMAT_GITHUB: github_result(&r->out, r->view->path, f); break;
    default: junit_case(&r->out, r->view->path, f); break;
    }
}

/* A file that could not be looked at; SARIF has a place of its own for that, at the end. */
static void problem_add(struct rendering *r)
{
    const struct lint_view *v = r->view;
    switch (v->format) {
    case FORMAT_SARIF: break;
    case FORMAT_GITLAB:
        json_add(r, gitlab_issue(v->path, &(struct issue){ v->problem, "not-looked-at",
                                                           fingerprint_unread(r), "blocker", 1 }));
        break;
    case FORMAT_GITHUB:
        text_add(&r->out, "::error file=");
        github_add(&r->out, v->path, true);
        text_add(&r->out, ",title=not looked at::");
        github_add(&r->out, v->problem, false);
        text_addc(&r->out, '\n');
        break;
    default:
        text_add(&r->out, "  <testcase classname=\"");
        xml_add(&r->out, v->path);
        text_add(&r->out, "\" name=\"lint\"><error message=\"");
        xml_add(&r->out, v->problem);
        text_add(&r->out, "\"/></testcase>\n");
        break;
    }
}

static void clean_add(struct rendering *r)
{
    if (r->view->format == FORMAT_JUNIT) {
        text_add(&r->out, "  <testcase classname=\"");
        xml_add(&r->out, r->view->path);
        text_add(&r->out, "\" name=\"lint\"/>\n");
    }
}

const char *lint_report_file(const void *ctx, const struct lint_view *view)
{
    size_t all = 0;
    struct rendering r = { .ctx = ctx, .view = view, .uri = uri_of(ctx, view->path) };
    r.out = text_init(ctx, TEXT_FILE);
    if (view->problem) {
        problem_add(&r);
        return r.out.data;
    }
    for (size_t i = 0; i < view->result->count; i++) {
        const struct lint_statement *s = &view->result->statements[i];
        for (size_t k = 0; k < s->count; k++, all++) {
            finding_add(&r, s, &s->findings[k]);
        }
    }
    if (all == 0) {
        clean_add(&r);
    }
    HASH_CLEAR(hh, r.seen);
    return r.out.data;
}

static json_t *sarif_rule(const struct rule *r)
{
    return json_pack("{s:s, s:{s:s}, s:{s:s}, s:{s:o}, s:{s:b, s:s}, s:{s:[s]}}", "id", r->id,
                     "shortDescription", "text", r->what, "fullDescription", "text", r->why, "help",
                     "text", json_sprintf("%s More: " RULE_PAGE, r->instead, r->id, r->id),
                     "defaultConfiguration", "enabled", r->on, "level", sarif_levels[r->severity],
                     "properties", "tags", r->group);
}

static void sarif_begin(void)
{
    SCOPE(tmp);
    size_t count;
    const struct rule *const *all = rules_all(&count);
    json_auto_t *rules = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(rules, sarif_rule(all[i]));
    }
    printf("{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\","
           "\"runs\":[{\"tool\":{\"driver\":{\"name\":\"flotilla\",\"version\":\"%s\","
           "\"rules\":%s}},"
           "\"columnKind\":\"unicodeCodePoints\",\"results\":[\n",
           FLOTILLA_VERSION, json_compact(tmp, rules));
}

static void sarif_end(const struct lint_view *unread, size_t count)
{
    SCOPE(tmp);
    json_auto_t *notes = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(notes, json_pack("{s:s, s:{s:s}, s:[{s:{s:{s:s}}}]}", "level",
                                               "error", "message", "text", unread[i].problem,
                                               "locations", "physicalLocation", "artifactLocation",
                                               "uri", uri_of(tmp, unread[i].path)));
    }
    printf("\n],\"invocations\":[{\"executionSuccessful\":%s,\"toolExecutionNotifications\":%s}]}]}"
           "\n",
           count == 0 ? "true" : "false", json_compact(tmp, notes));
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

void lint_report_end(enum format format, const struct lint_view *unread, size_t count)
{
    switch (format) {
    case FORMAT_SARIF: sarif_end(unread, count); break;
    case FORMAT_GITLAB: fputs("\n]\n", stdout); break;
    case FORMAT_JUNIT: fputs("</testsuite>\n", stdout); break;
    default: break;
    }
}
