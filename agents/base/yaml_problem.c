#include <stdlib.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/base/yaml.h"

/* Longest text of one problem: a file may repeat megabytes in a tag or a key. */
enum { PROBLEM_BYTES = 1000 };

struct yaml_problems yaml_problems_for(const void *ctx, const char *file)
{
    return (struct yaml_problems){ .ctx = ctx, .file = mem_text(ctx, file) };
}

static void add_problem(struct yaml_problems *p, int line, int column, const char *text)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->items[i].line == line && p->items[i].column == column &&
            text_eq(p->items[i].text, text))
            return;
    if (p->count == YAML_PROBLEM_LIMIT) {
        p->dropped++;
        return;
    }
    p->items = mem_room(p->ctx, p->items, struct yaml_problem, p->count + 1);
    p->items[p->count++] = (struct yaml_problem){ line, column, mem_text(p->ctx, text) };
}

static void complain(struct yaml_problems *problems, int line, int column, const char *fmt,
                     va_list ap)
{
    SCOPE(tmp);
    struct text t = text_init(tmp, PROBLEM_BYTES);
    text_addv(&t, fmt, ap);
    const char *cut =
        t.full ? mem_printf(tmp, "%.*s...", (int)text_utf8_prefix(t.data, t.len), t.data) : t.data;
    add_problem(problems, line, column, cut);
}

void yaml_complain(struct yaml_problems *problems, const struct yaml_node *node, const char *fmt,
                   ...)
{
    va_list ap;
    va_start(ap, fmt);
    complain(problems, node ? node->line : 1, node ? node->column : 1, fmt, ap);
    va_end(ap);
}

void yaml_complain_at(struct yaml_problems *problems, int line, int column, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    complain(problems, line, column, fmt, ap);
    va_end(ap);
}

size_t yaml_worth_searching(const struct yaml_problems *problems, size_t count)
{
    enum { NAMES_MOST = 500000 }; /* of all problems together: some 50 ms */
    return problems->dropped || (problems->count + 1) * count > NAMES_MOST ? 0 : count;
}

static int by_place(const void *a, const void *b)
{
    const struct yaml_problem *x = a;
    const struct yaml_problem *y = b;
    if (x->line != y->line)
        return x->line - y->line;
    return x->column != y->column ? x->column - y->column : strcmp(x->text, y->text);
}

static void sort_problems(struct yaml_problems *p)
{
    if (p->count > 1)
        qsort(p->items, p->count, sizeof(*p->items), by_place);
}

/* A file that cannot be read has no line. */
static const char *place_of(const void *ctx, const char *file, const struct yaml_problem *problem)
{
    return problem->line ? mem_printf(ctx, "%s:%d:%d", file, problem->line, problem->column) : file;
}

const char *yaml_problems_text(const void *ctx, struct yaml_problems *problems)
{
    sort_problems(problems);
    const char *file = text_printable(ctx, problems->file);
    struct text t = text_init(ctx, TEXT_FILE);
    for (size_t i = 0; i < problems->count; i++)
        text_addf(&t, "%s: %s\n", place_of(ctx, file, &problems->items[i]),
                  problems->items[i].text);
    if (problems->dropped)
        text_addf(&t, "%s: %zu more errors\n", file, problems->dropped);
    return t.data;
}

bool yaml_problems_none(struct yaml_problems *problems, struct error *err)
{
    if (problems->count == 0)
        return true;
    sort_problems(problems);
    const struct yaml_problem *first = &problems->items[0];
    SCOPE(tmp);
    fail(err, ERROR_INVALID, "%s: %s", place_of(tmp, problems->file, first), first->text);
    size_t others = problems->count - 1 + problems->dropped;
    if (others > 0)
        fail_hint(err, "%zu more errors in this file: `flotilla validate %s` lists them", others,
                  problems->file);
    return false;
}
