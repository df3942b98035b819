/* Plain DDL, cut into statements: each an intent of its own, with the line that it stands in. */
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/change/change.h"
#include "controller/change/check_sql.h"
#include "controller/sql/script.h"

/* What comments from the statement before on say about rules: "ignore RULE reason". */
static const char *ignored(const void *ctx, const struct script *script, size_t at)
{
    struct text note = text_init(ctx, TEXT_LINE);
    static const char mark[] = "flotilla: ";
    const struct statement *s = &script->statements[at];
    int after = at > 0 ? script->statements[at - 1].end_line : 0;
    for (size_t i = 0; i < script->comment_count; i++) {
        const struct sql_comment *c = &script->comments[i];
        bool near =
            c->line > after && c->line <= s->end_line && text_starts(c->text, "flotilla: ignore ");
        if (near || text_starts(c->text, "flotilla: ignore-file ")) {
            text_addf(&note, "%s%s", note.len ? "; " : "", c->text + strlen(mark));
        }
    }
    return note.len ? note.data : NULL;
}

static bool add_statement(const void *ctx, struct change *change, const struct change_text *text,
                          const struct script *script, size_t at, struct error *err)
{
    const struct statement *s = &script->statements[at];
    struct intent intent;
    struct intent_problems problems = { .ctx = ctx };
    const char *place = mem_printf(ctx, "%s:%d", text->name, text->above + s->line);
    if (!change_psql_is_idle(s)) {
        (void)fail(err, ERROR_UNSUPPORTED, "%s: %.200s is for psql, not for the server", place,
                   s->sql);
        return fail_hint(err, "write the SQL that it stands for");
    }
    if (s->kind == SQL_STMT_COPY && s->data_lines) {
        (void)fail(err, ERROR_UNSUPPORTED, "%s: COPY with %zu rows behind it", place,
                   s->data_lines);
        return fail_hint(err, "write the rows as INSERT");
    }
    json_t *json = json_own(ctx, json_object()), *fields = json_object(), *up = json_array();
    json_array_append_new(up, json_string(s->sql));
    json_set_text(fields, "service", text->service);
    json_object_set_new(fields, "up", up);
    json_set_text(fields, "irreversible", "not looked at yet");
    json_set_text(fields, "note", ignored(ctx, script, at));
    json_object_set_new(json, "sql", fields);
    if (!intent_from_json(ctx, json, &intent, &problems)) {
        *err = problems.items[0].error;
        return fail_in(err, "%s", place);
    }
    struct intents *intents = change->intents;
    intent.exact = true;
    intent.place = place;
    intents->items = mem_room(ctx, intents->items, struct intent, intents->count + 1);
    intents->items[intents->count++] = intent;
    return true;
}

bool change_add_texts(const void *ctx, struct change *change, bool asks, struct error *err)
{
    for (size_t i = 0; i < change->text_count; i++) {
        const struct change_text *text = &change->texts[i];
        struct script *script;
        if (!sql_parse(ctx, text->sql, strlen(text->sql), &script, err)) {
            return fail_in(err, "%s", text->name);
        }
        for (size_t k = 0; k < script->count; k++) {
            const struct statement *s = &script->statements[k];
            bool idle = s->kind == SQL_STMT_PSQL && change_psql_is_idle(s);
            if (s->problem && !asks) {
                (void)fail(err, ERROR_INVALID, "%s:%d: %s", text->name,
                           text->above + s->problem->line, s->problem->message);
                return fail_hint(err, "correct the statement, then draft again");
            }
            if (!idle && !add_statement(ctx, change, text, script, k, err)) {
                return false;
            }
        }
    }
    return true;
}
