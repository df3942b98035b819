#include "controller/rules/lint.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"
#include "controller/rules/linting.h"
#include "controller/world/names.h"

enum { SMALL_ROWS = 10000 };

/* UPDATE and DELETE do harm by the rows that they write, whatever is read for it; INSERT … SELECT
 * by those that it reads, whatever is there already. */
static bool is_beside(const struct statement *s, const struct verdict_lock *lock)
{
    const struct sql_query *q = s->query;
    bool data = s->kind >= SQL_STMT_SELECT && s->kind <= SQL_STMT_COPY;
    size_t inserts = 0;
    for (size_t i = 0; q && i < q->write_count; i++) {
        inserts += q->writes[i].kind == SQL_INSERT;
    }
    if (!data || !q || q->write_count == 0 || (inserts > 0 && inserts < q->write_count)) {
        return false;
    }
    return inserts > 0 ? lock->mode >= LOCK_ROW_EXCLUSIVE : lock->mode < LOCK_ROW_EXCLUSIVE;
}

static void sizes_look(struct linter *l)
{
    int64_t most = l->options->small ? l->options->small : SMALL_ROWS;
    bool any = false, told = true;
    l->small = l->told = false;
    for (size_t i = 0; i < l->v->lock_count; i++) {
        const struct verdict_lock *lock = &l->v->locks[i];
        if (lock->fresh || is_beside(l->s, lock)) {
            continue;
        }
        SCOPE(tmp);
        const char *dot = strchr(lock->relation, '.');
        struct sql_name name = { mem_textn(tmp, lock->relation, (size_t)(dot - lock->relation)),
                                 dot + 1 };
        const struct world_table *t = world_find(l->world, name);
        if (!t || t->rows < 0 || t->rows >= most) {
            return;
        }
        any = true;
        told = told && t->rows_told;
    }
    l->small = any;
    l->told = any && told;
}

static void rules_run(struct linter *l)
{
    lint_opaque(l);
    if (l->s->kind != SQL_STMT_UNPARSED && l->s->kind != SQL_STMT_PSQL) {
        lint_alter(l);
        lint_index(l);
        lint_create(l);
        lint_drop(l);
        lint_compat(l);
        lint_data(l);
        lint_session(l);
        lint_style(l);
        lint_catalog(l);
    }
}

/* Statements inside of a block or a called function get the same rules; their findings stand at
 * the statement of the script. */
static bool lint_body(struct linter *l, const struct script *body, struct error *err)
{
    const struct statement *outer = l->s;
    const struct verdict *outer_verdict = l->v;
    bool was = l->nested;
    l->nested = true;
    for (size_t i = 0; i < body->count; i++) {
        struct verdict *v;
        l->s = &body->statements[i];
        if (!statement_foresee(l->ctx, l->judge, l->s, &v, err)) {
            return false;
        }
        l->v = v;
        sizes_look(l);
        rules_run(l);
    }
    l->s = outer;
    l->v = outer_verdict;
    l->nested = was;
    return true;
}

static bool statement_lint(struct linter *l, struct error *err)
{
    struct verdict *v;
    l->s = &l->script->statements[l->index];
    lint_unit_enter(l);
    l->result->statements[l->index].statement = l->s;
    if (!statement_foresee(l->ctx, l->judge, l->s, &v, err)) {
        return false;
    }
    l->v = v;
    l->result->statements[l->index].verdict = v;
    sizes_look(l);
    rules_run(l);
    if (l->s->kind == SQL_STMT_DO && l->s->body->script && !lint_body(l, l->s->body->script, err)) {
        return false;
    }
    lint_session_step(l);
    judge_follow(l->judge, l->s);
    return true;
}

/* squawk's word for a file that its runner does not wrap. */
static bool stands_outside(const struct script *script)
{
    for (size_t i = 0; i < script->comment_count; i++) {
        if (text_starts(script->comments[i].text, "squawk-disable-assume-in-transaction")) {
            return true;
        }
    }
    return false;
}

bool lint_with(const void *ctx, struct judge *judge, const char *text, size_t length,
               const struct lint_options *options, struct lint_result **out, struct error *err)
{
    struct lint_result *result = mem_new(ctx, struct lint_result);
    result->version = judge->version;
    struct script *script;
    if (!sql_parse(result, text, length, &script, err)) {
        return false;
    }
    result->count = script->count;
    result->statements = mem_array(result, struct lint_statement, script->count);
    struct linter l = {
        .ctx = result,
        .options = options,
        .judge = judge,
        .world = judge->world,
        .script = script,
        .result = result,
        .suppressions = suppressions_read(result, script),
    };
    if (stands_outside(script)) {
        judge_assume_transaction(judge, false);
    }
    for (l.index = 0; l.index < script->count; l.index++) {
        if (!statement_lint(&l, err)) {
            return false;
        }
    }
    lint_script_end(&l);
    if (options->count && options->catalog) {
        lint_rows_asked(&l);
    }
    if (options->disorder && script->count > 0) {
        l.index = 0;
        l.small = l.told = false;
        found(&l, "history-nonlinear", NULL, "%s", options->disorder);
    }
    suppressions_check(&l);
    *out = result;
    return true;
}

struct judge *lint_judge(const void *ctx, const struct lint_options *options)
{
    struct judge *judge = judge_new(ctx, options->catalog, options->version);
    judge_assume_transaction(judge, options->transaction);
    judge_ask(judge, options->ask, options->ask_data);
    for (size_t i = 0; i < options->row_count; i++) {
        judge_assume_rows(judge, options->rows[i].table, options->rows[i].rows);
    }
    return judge;
}

bool lint_script(const void *ctx, const char *text, size_t length,
                 const struct lint_options *options, struct lint_result **out, struct error *err)
{
    return lint_with(ctx, lint_judge(ctx, options), text, length, options, out, err);
}
