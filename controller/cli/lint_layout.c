#include "controller/cli/lint_layout.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"

static const struct tool {
    const char *name, *up, *down, *outside; /* marks, as they begin behind "--" */
} tools[] = {
    { "goose", "+goose up", "+goose down", "+goose no transaction" },
    { "sql-migrate", "+migrate up", "+migrate down", "notransaction" },
    { "dbmate", "migrate:up", "migrate:down", "transaction:false" },
};

/* The comment's text when the line is nothing but a comment; null otherwise. */
static const char *comment_of(const char *line, size_t n)
{
    size_t i = 0;
    while (i < n && isspace((unsigned char)line[i])) {
        i++;
    }
    if (i + 1 >= n || line[i] != '-' || line[i + 1] != '-') {
        return NULL;
    }
    i += 2;
    while (i < n && isspace((unsigned char)line[i])) {
        i++;
    }
    return line + i;
}

static bool marks(const char *comment, const char *end, const char *mark)
{
    size_t n = strlen(mark);
    return comment && (size_t)(end - comment) >= n && strncasecmp(comment, mark, n) == 0;
}

static bool has(const char *from, const char *end, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = from; p && p + n <= end; p++) {
        if (strncasecmp(p, word, n) == 0) {
            return true;
        }
    }
    return false;
}

static const struct tool *tool_of(const char *text, size_t length)
{
    for (size_t t = 0; t < sizeof tools / sizeof *tools; t++) {
        for (const char *p = text; p < text + length;) {
            const char *nl = memchr(p, '\n', length - (size_t)(p - text));
            const char *end = nl ? nl : text + length;
            if (marks(comment_of(p, (size_t)(end - p)), end, tools[t].up)) {
                return &tools[t];
            }
            p = end + 1;
        }
    }
    return NULL;
}

struct lint_layout lint_layout_of(const void *ctx, const char *text, size_t length)
{
    struct lint_layout out = { NULL, false, text };
    const struct tool *tool = tool_of(text, length);
    if (!tool) {
        return out;
    }
    char *copy = talloc_strndup(ctx, text, length);
    bool down = false;
    out = (struct lint_layout){ tool->name, true, copy };
    for (char *p = copy; p < copy + length;) {
        char *nl = memchr(p, '\n', length - (size_t)(p - copy));
        char *end = nl ? nl : copy + length;
        const char *comment = comment_of(p, (size_t)(end - p));
        if (marks(comment, end, tool->up) || marks(comment, end, tool->down)) {
            down = marks(comment, end, tool->down);
        }
        if (!down && comment && has(comment, end, tool->outside)) {
            out.transaction = false;
        }
        if (down) {
            memset(p, ' ', (size_t)(end - p));
        }
        p = end + 1;
    }
    return out;
}

bool lint_layout_undoes(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    bool flyway = name[0] == 'U' && isdigit((unsigned char)name[1]) && strstr(name, "__");
    return text_ends(path, ".down.sql") || text_ends(path, "_down.sql") || flyway ||
           strstr(path, "/revert/") || text_eq(name, "down.sql");
}
