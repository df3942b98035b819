#include "controller/change/check_sql.h"

#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/sql/expression.h"
#include "controller/sql/script.h"

enum meaning {
    MEANS_NOTHING,
    MEANS_EXPRESSION,
    MEANS_TYPE,
    MEANS_STATEMENTS,
    MEANS_WORD,
    MEANS_EACH
};

/* What the text under a key is, wherever in an intent it stands. MEANS_EACH: every value of the
 * object is an expression. */
static const struct {
    const char *key;
    enum meaning meaning;
} meanings[] = {
    { "default", MEANS_EXPRESSION },
    { "backfill", MEANS_EXPRESSION },
    { "fill", MEANS_EXPRESSION },
    { "using", MEANS_EXPRESSION },
    { "using_back", MEANS_EXPRESSION },
    { "expression", MEANS_EXPRESSION },
    { "expressions", MEANS_EXPRESSION },
    { "where", MEANS_EXPRESSION },
    { "merge_back", MEANS_EXPRESSION },
    { "check", MEANS_EXPRESSION },
    { "checks", MEANS_EXPRESSION },
    { "generated", MEANS_EXPRESSION },
    { "type", MEANS_TYPE },
    { "method", MEANS_WORD },
    { "opclass", MEANS_WORD },
    { "up", MEANS_STATEMENTS },
    { "down", MEANS_STATEMENTS },
    { "set", MEANS_EACH },
    { "undo", MEANS_EACH },
    { "split_back", MEANS_EACH },
};

/* The same word means something else in a few operations. */
static enum meaning meaning_of(const struct intent *it, const char *key)
{
    switch (it->operation) {
    case INTENT_CHANGE_TYPE:
        if (text_eq(key, "to"))
            return MEANS_TYPE;
        break;
    case INTENT_ADD_EXCLUSION:
        if (text_eq(key, "using"))
            return MEANS_WORD;
        break;
    case INTENT_SET_IDENTITY: return MEANS_NOTHING;
    case INTENT_CREATE_ENUM:
    case INTENT_ADD_ENUM_VALUE:
    case INTENT_RENAME_ENUM_VALUE:
    case INTENT_REMOVE_ENUM_VALUE:
        if (text_eq(key, "type"))
            return MEANS_NOTHING;
        break;
    default: break;
    }
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
        if (text_eq(meanings[i].key, key))
            return meanings[i].meaning;
    return MEANS_NOTHING;
}

static bool statements_check(const void *ctx, const char *sql, struct error *err)
{
    struct script *script;
    if (!sql_parse(ctx, sql, strlen(sql), &script, err))
        return false;
    for (size_t i = 0; i < script->count; i++) {
        const struct sql_problem *problem = script->statements[i].problem;
        if (problem) {
            fail(err, ERROR_INVALID, "line %d of the SQL: %s", problem->line, problem->message);
            return fail_hint(err, "correct the statement");
        }
    }
    return true;
}

/* "gin", "public.gin_trgm_ops", "gist_trgm_ops(siglen = 32)" */
static bool word_check(const char *text, struct error *err)
{
    static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";
    size_t n = strspn(text, word);
    const char *rest = text + n + strspn(text + n, " ");
    bool bracket =
        *rest == '(' &&
        strspn(rest + 1, " ,='abcdefghijklmnopqrstuvwxyz_0123456789") == strcspn(rest + 1, ")") &&
        text_eq(strchr(rest, ')'), ")");
    if (n > 0 && (*rest == '\0' || bracket))
        return true;
    fail(err, ERROR_INVALID, "\"%.60s\" is no name of an access method or operator class", text);
    return fail_hint(err, "write one such as gin or text_pattern_ops");
}

struct checking {
    const struct intent *intent;
    struct intent_problems *problems;
    bool asks;
};

static bool text_check(const void *ctx, enum meaning meaning, const char *text, bool asks,
                       struct error *err)
{
    const char *type;
    struct sql_expression *expression;
    switch (meaning) {
    case MEANS_EXPRESSION: return sql_expression_check(ctx, text, &expression, err);
    case MEANS_TYPE: return sql_type_normalise(ctx, text, &type, err);
    case MEANS_STATEMENTS: return asks || statements_check(ctx, text, err);
    case MEANS_WORD: return word_check(text, err);
    case MEANS_NOTHING:
    case MEANS_EACH: break;
    }
    return true;
}

static void check_text(const struct checking *c, const char *pointer, enum meaning meaning,
                       const char *text)
{
    SCOPE(tmp);
    struct error err;
    const char *operation = intent_name(c->intent->operation);
    if (text_check(tmp, meaning, text, c->asks, &err))
        return;
    fail_in(&err, "%s", pointer + strlen(operation) + 2);
    fail_in(&err, "%s", operation);
    intent_complain(c->problems, pointer, &err);
}

static void check_value(const struct checking *c, const char *pointer, enum meaning meaning,
                        const json_t *value)
{
    SCOPE(tmp);
    const char *key;
    size_t i;
    json_t *item;
    if (json_is_string(value))
        check_text(c, pointer, meaning, json_string_value(value));
    json_array_foreach(value, i, item) {
        check_value(c, mem_printf(tmp, "%s/%zu", pointer, i), meaning, item);
    }
    json_object_foreach((json_t *)(uintptr_t)value, key, item) {
        check_value(c, mem_printf(tmp, "%s/%s", pointer, key),
                    meaning == MEANS_EACH ? MEANS_EXPRESSION : meaning_of(c->intent, key), item);
    }
}

void change_check_sql(const struct intent *intent, bool asks, struct intent_problems *problems)
{
    struct checking c = { intent, problems, asks };
    check_value(&c, "", MEANS_NOTHING, intent->fields);
}

static bool has_problem(const struct script *script)
{
    for (size_t i = 0; i < script->count; i++)
        if (script->statements[i].problem)
            return true;
    return script->count == 0;
}

static void split(const void *ctx, struct intent_texts *list)
{
    struct intent_texts out = { 0 };
    for (size_t i = 0; i < list->count; i++) {
        SCOPE(tmp);
        struct script *script;
        struct error ignored;
        const char *sql = list->items[i];
        bool parsed = sql_parse(tmp, sql, strlen(sql), &script, &ignored) && !has_problem(script);
        size_t count = parsed ? script->count : 1;
        out.items = mem_room(ctx, out.items, const char *, out.count + count);
        for (size_t k = 0; k < count; k++)
            out.items[out.count++] =
                count > 1 ? mem_text(ctx, script->statements[k].sql) : list->items[i];
    }
    *list = out;
}

void change_split_sql(const void *ctx, struct intent *intent)
{
    if (intent->operation != INTENT_SQL)
        return;
    split(ctx, &intent->up);
    split(ctx, &intent->down);
}

bool change_psql_is_idle(const struct statement *s)
{
    static const char *const idle[] = { "restrict", "unrestrict", "echo",     "qecho", "warn",
                                        "timing",   "pset",       "encoding", "x",     "set" };
    if (s->kind != SQL_STMT_PSQL)
        return true;
    size_t n = strcspn(s->sql + 1, " \t\r\n");
    for (size_t i = 0; i < sizeof(idle) / sizeof(idle[0]); i++)
        if (strlen(idle[i]) == n && strncmp(idle[i], s->sql + 1, n) == 0)
            return true;
    return false;
}
