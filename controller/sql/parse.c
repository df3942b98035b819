#include <stdint.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/sql/extract.h"
#include "controller/sql/script.h"
#include "controller/sql/split.h"

/* One call of the parser reads this much of a script: calls are cheap then, an error costs little,
 * and the tree of a dump does not fill the memory. */
enum { CHUNK_BYTES = 32 * 1024, CHUNK_STATEMENTS = 256 };

struct reader {
    struct script *script;
    struct spans spans;
    int depth;
};

/* A tree and the text that its locations count in; `base` is where that text begins in the script.
 */
struct source {
    const struct ast *ast;
    const char *text;
    size_t base;
    const struct sugar *sugar; /* the text is rewritten: it holds this statement only */
};

static void read_tree(struct reader *r, size_t i, const struct source *from,
                      const PgQuery__RawStmt *raw)
{
    const struct span *span = &r->spans.items[i];
    struct extract x = {
        .ctx = r->script->statements,
        .tmp = from->ast,
        .out = &r->script->statements[i],
        .text = from->text,
        .start = from->sugar ? 0 : span->start - from->base,
        .end = from->sugar ? strlen(from->text) : span->end - from->base,
        .sugar = from->sugar,
        .depth = r->depth,
    };
    extract_statement(&x, raw->stmt);
    if (from->sugar && from->sugar->version > x.out->min_version) {
        x.out->min_version = from->sugar->version;
    }
}

static void problem_set(struct reader *r, size_t i, const char *message, size_t offset)
{
    struct statement *s = &r->script->statements[i];
    struct sql_problem *p = mem_new(r->script->statements, struct sql_problem);
    p->message = message;
    p->offset = offset > s->offset + s->length ? s->offset + s->length : offset;
    p->line = s->line;
    for (size_t at = s->offset; at < p->offset; at++) {
        p->line += r->script->text[at] == '\n';
    }
    s->kind = SQL_STMT_UNPARSED;
    s->problem = p;
}

/* One statement alone, and if the parser refuses it, what newer grammar makes of it. */
static void read_alone(struct reader *r, size_t i)
{
    SCOPE(tmp);
    const struct span *span = &r->spans.items[i];
    const char *text = mem_textn(tmp, r->script->text + span->start, span->end - span->start);
    struct ast *ast = NULL;
    struct ast_problem problem = { NULL, 0 }, ignored;
    if (ast_parse(tmp, text, &ast, &problem)) {
        if (ast->tree->n_stmts == 1) {
            read_tree(r, i, &(struct source){ ast, text, span->start, NULL }, ast->tree->stmts[0]);
        } else if (ast->tree->n_stmts > 1) {
            problem_set(r, i, "several statements where one was seen", span->start);
        }
        return;
    }
    struct sugar *sugar = sql_desugar(tmp, text, span->end - span->start);
    if (sugar->version > 0 && ast_parse(tmp, sugar->text, &ast, &ignored) &&
        ast->tree->n_stmts == 1) {
        read_tree(r, i, &(struct source){ ast, sugar->text, 0, sugar }, ast->tree->stmts[0]);
        return;
    }
    problem_set(r, i, mem_text(r->script->statements, problem.message),
                span->start + problem.offset);
}

static bool skipped(struct reader *r, size_t i)
{
    const struct span *span = &r->spans.items[i];
    struct statement *s = &r->script->statements[i];
    if (span->psql) {
        s->kind = SQL_STMT_PSQL;
    } else if (span->refused) {
        problem_set(r, i, mem_printf(r->script->statements, "not looked at: %s", span->refused),
                    span->start);
    } else if (span->broken) {
        problem_set(r, i, "a quote or comment is not closed", span->start);
    } else {
        return false;
    }
    return true;
}

/* Statements [first, last) in one call; false when their count is not what the splitter saw. */
static bool read_together(struct reader *r, size_t first, size_t last)
{
    SCOPE(tmp);
    const struct span *spans = r->spans.items;
    size_t base = spans[first].start;
    const char *text = mem_textn(tmp, r->script->text + base, spans[last - 1].end - base);
    struct ast *ast;
    struct ast_problem problem;
    if (!ast_parse(tmp, text, &ast, &problem) || ast->tree->n_stmts != last - first) {
        return false;
    }
    for (size_t i = first; i < last; i++) {
        const PgQuery__RawStmt *raw = ast->tree->stmts[i - first];
        size_t start = base + (size_t)raw->stmt_location;
        if (spans[i].start < start ||
            (raw->stmt_len > 0 && spans[i].start > start + (size_t)raw->stmt_len)) {
            return false;
        }
    }
    for (size_t i = first; i < last; i++) {
        read_tree(r, i, &(struct source){ ast, text, base, NULL }, ast->tree->stmts[i - first]);
    }
    return true;
}

/* Behind the last statement that can be read in one call with `first`: nothing between them but
 * white space and comments, and not too many. */
static size_t chunk_end(const struct reader *r, size_t first)
{
    const struct span *spans = r->spans.items;
    size_t last = first + 1;
    while (last < r->spans.count && last - first < CHUNK_STATEMENTS &&
           spans[last].end - spans[first].start <= CHUNK_BYTES && !spans[last].psql &&
           !spans[last].refused && !spans[last].broken && spans[last - 1].data_lines == 0) {
        last++;
    }
    return last;
}

static void read_all(void *arg)
{
    struct reader *r = arg;
    for (size_t i = 0; i < r->spans.count;) {
        if (skipped(r, i)) {
            i++;
            continue;
        }
        size_t last = chunk_end(r, i);
        if (last - i == 1 || !read_together(r, i, last)) {
            for (; i < last; i++) {
                read_alone(r, i);
            }
        }
        i = last;
    }
}

bool script_read(const void *ctx, const char *text, size_t length, int depth, struct script **out,
                 struct error *err)
{
    struct script *script = mem_new(ctx, struct script);
    struct reader r = { .script = script, .depth = depth };
    script->text = mem_textn(script, text, length);
    script->length = length;
    if (length >= 3 && memcmp(script->text, "\xEF\xBB\xBF", 3) == 0) {
        memset((char *)(uintptr_t)script->text, ' ', 3); /* a byte order mark says nothing */
    }
    r.spans = sql_split(script, script->text, length, depth == 0);
    script->comments = r.spans.comments;
    script->comment_count = r.spans.comment_count;
    script->count = r.spans.count;
    script->statements = mem_array(script, struct statement, script->count);
    for (size_t i = 0; i < script->count; i++) {
        const struct span *span = &r.spans.items[i];
        script->statements[i] = (struct statement){
            .index = i + 1,
            .line = span->line,
            .end_line = span->end_line,
            .offset = span->start,
            .length = span->end - span->start,
            .sql =
                mem_textn(script->statements, script->text + span->start, span->end - span->start),
            .data_lines = span->data_lines,
        };
    }
    if (!sql_deep(read_all, &r, err)) {
        talloc_free(script);
        return false;
    }
    *out = script;
    return true;
}

bool sql_parse(const void *ctx, const char *text, size_t length, struct script **out,
               struct error *err)
{
    if (length > TEXT_FILE) {
        return fail(err, ERROR_INVALID, "the script is larger than 64 MB");
    }
    if (!text_is_utf8(text, length)) {
        fail(err, ERROR_INVALID, "the script is not UTF-8 text");
        return fail_hint(err, "convert it, for instance with iconv -t UTF-8");
    }
    return script_read(ctx, text, length, 0, out, err);
}

bool sql_parse_one(const void *ctx, const char *sql, struct statement **out, struct error *err)
{
    struct script *script;
    if (!sql_parse(ctx, sql, strlen(sql), &script, err)) {
        return false;
    }
    if (script->count != 1) {
        size_t count = script->count;
        talloc_free(script);
        return fail(err, ERROR_INVALID, "%zu statements where one was expected", count);
    }
    const struct sql_problem *problem = script->statements[0].problem;
    if (problem) {
        fail(err, ERROR_INVALID, "%s (line %d)", problem->message, problem->line);
        talloc_free(script);
        return false;
    }
    *out = &script->statements[0];
    return true;
}
