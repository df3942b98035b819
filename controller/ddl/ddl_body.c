/*
 * DO. A block that only runs statements one after the other is those statements. Others run as they
 * stand; which branch they take is not known, so their way back undoes whatever is found.
 */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/ddl/ddl.h"
#include "controller/ddl/ddl_guard.h"
#include "controller/work/around.h"

static bool is_word(const struct sql_piece *piece, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count && piece->word && !piece->quoted; i++) {
        if (text_eq(piece->name, words[i])) {
            return true;
        }
    }
    return false;
}

/* Words that begin what is no statement of SQL. */
static bool is_control(const struct sql_piece *piece, bool caught)
{
    static const char *const words[] = { "declare",  "if",    "loop",   "for",
                                         "foreach",  "while", "case",   "execute",
                                         "perform",  "raise", "return", "exit",
                                         "continue", "get",   "call",   "assert" };
    return is_word(piece, words, sizeof words / sizeof *words) &&
           !(caught && text_eq(piece->name, "raise"));
}

static bool starts_statement(const struct sql_piece *before)
{
    static const char *const words[] = { "begin", "then" };
    return *before->start == ';' || is_word(before, words, 2);
}

/* No branch, no loop, nothing but statements of SQL (and a handler that says nothing). */
static bool straight(const void *ctx, const char *body, bool *handler)
{
    bool start = true;
    *handler = false;
    for (struct sql_piece p = sql_piece_next(ctx, body); p.length > 0;
         p = sql_piece_next(ctx, p.start + p.length)) {
        if (start && is_control(&p, *handler)) {
            return false;
        }
        *handler = *handler || (start && p.word && text_eq(p.name, "exception"));
        start = starts_statement(&p);
    }
    return true;
}

static void each_alone(struct ddl *d, bool handler)
{
    const struct script *script = d->s->body->script;
    for (size_t i = 0; i < script->count; i++) {
        struct statement one = script->statements[i];
        struct ddl inner = *d;
        inner.s = &one;
        inner.guarded = handler;
        one.if_exists = one.if_exists || handler;
        one.if_not_exists = one.if_not_exists || handler;
        ddl_statement(&inner);
    }
}

/* --- what runs as it stands ------------------------------------------------------------------ */

static const char *if_possible(const struct work *work, const char *sql)
{
    return say(work, "DO %s",
               literal(work, say(work,
                                 "BEGIN EXECUTE %s; EXCEPTION WHEN undefined_table OR "
                                 "undefined_column OR undefined_object OR undefined_function OR "
                                 "invalid_schema_name OR duplicate_table OR duplicate_column OR "
                                 "duplicate_object OR duplicate_function OR duplicate_schema OR "
                                 "invalid_table_definition THEN NULL; END",
                                 literal(work, sql))));
}

/* Whether running the action would change nothing: then it cannot have run. */
static bool is_so(const struct sql_alter *alter, const struct relation *relation)
{
    switch (alter->kind) {
    case SQL_ALTER_ADD_COLUMN: return relation_column(relation, alter->definition->name) != NULL;
    case SQL_ALTER_DROP_COLUMN: return relation_column(relation, alter->column) == NULL;
    case SQL_ALTER_ADD_CONSTRAINT:
        return alter->constraint->name &&
               relation_constraint(relation, alter->constraint->name) != NULL;
    case SQL_ALTER_DROP_CONSTRAINT: return relation_constraint(relation, alter->name) == NULL;
    default: return false;
    }
}

static void dropped_column(struct ddl *d, const struct relation *relation, const char *name,
                           struct ddl_back *back)
{
    const struct column *c = relation_column(relation, name);
    ddl_down(d, back, "ALTER TABLE %s ADD COLUMN %s %s%s%s", relation_sql(d->work, relation),
             ident(d->work, name), c->type, c->default_expr ? " DEFAULT " : "",
             c->default_expr ? c->default_expr : "");
}

static void alters_back(struct ddl *d, struct step_texts *down)
{
    struct relation *relation = ddl_relation(d, &d->s->name);
    for (size_t i = d->s->alter_count; i-- > 0 && relation;) {
        const struct sql_alter *alter = &d->s->alters[i];
        struct ddl_back back = { 0 };
        if (is_so(alter, relation)) {
            continue;
        }
        if (alter->kind == SQL_ALTER_ADD_CONSTRAINT && !alter->constraint->name) {
            continue;
        }
        if (alter->kind == SQL_ALTER_DROP_COLUMN) {
            dropped_column(d, relation, alter->column, &back);
        } else {
            back = ddl_back_alter(d, alter, relation);
        }
        for (size_t k = 0; k < back.down.count; k++) {
            step_texts_add(d->work->ctx, down, if_possible(d->work, back.down.items[k]));
        }
    }
}

static bool made_by(const struct ddl *d, struct ddl_back *back)
{
    const struct statement *s = d->s;
    const struct relation *there = ddl_relation(d, &s->name);
    switch (s->kind) {
    case SQL_STMT_CREATE_TABLE:
    case SQL_STMT_CREATE_TABLE_AS:
        if (!there) {
            ddl_down(d, back, "DROP TABLE %s", ddl_name(d, &s->name));
        }
        return true;
    case SQL_STMT_CREATE_ENUM:
    case SQL_STMT_CREATE_TYPE:
        if (!ddl_type(d, &s->name)) {
            ddl_down(d, back, "DROP TYPE %s", ddl_name(d, &s->name));
        }
        return true;
    case SQL_STMT_CREATE_INDEX:
        if (s->create_index->name) {
            ddl_down(
                d, back, "DROP INDEX %s",
                name_sql(d->work, ddl_schema(d, &s->create_index->table), s->create_index->name));
        }
        return true;
    case SQL_STMT_CREATE_FUNCTION: ddl_back_functions(d, &s->name, back); return true;
    case SQL_STMT_CREATE_TRIGGER:
        ddl_down(d, back, "DROP TRIGGER %s ON %s", ident(d->work, s->sub_name),
                 ddl_name(d, &s->name));
        return true;
    default: return false;
    }
}

static void dropped(struct ddl *d, struct ddl_back *back)
{
    const struct catalog *catalog = d->work->home->catalog;
    for (size_t i = 0; i < d->s->object_count; i++) {
        const struct sql_object *o = &d->s->objects[i];
        const struct sql_name name = { o->schema, o->name };
        const struct relation *relation = ddl_relation(d, &name);
        for (size_t k = 0;
             relation && d->s->object == SQL_OBJECT_TRIGGER && k < relation->trigger_count; k++) {
            if (text_eq(relation->triggers[k].name, o->column)) {
                trigger_made(d->work, relation, &relation->triggers[k], &back->down);
            }
        }
        for (size_t k = 0; d->s->object == SQL_OBJECT_INDEX && k < catalog->relation_count; k++) {
            const struct index *index = relation_index(&catalog->relations[k], o->name);
            if (index && !index->constraint) {
                ddl_down(d, back, "%s", index->definition);
            }
        }
        for (size_t k = 0; d->s->object == SQL_OBJECT_FUNCTION && k < catalog->function_count;
             k++) {
            const struct function *f = &catalog->functions[k];
            if (text_eq(f->name, o->name) && f->definition) {
                ddl_down(d, back, "%s", f->definition);
            }
        }
    }
}

static bool index_is_there(const struct ddl *d, const char *name)
{
    const struct catalog *catalog = d->work->home->catalog;
    for (size_t i = 0; i < catalog->relation_count; i++) {
        if (relation_index(&catalog->relations[i], name)) {
            return true;
        }
    }
    return false;
}

static void inner_back(struct ddl *d, struct step_texts *down)
{
    struct ddl_back back = { 0 };
    if (d->s->kind == SQL_STMT_ALTER_TABLE) {
        alters_back(d, down);
        return;
    }
    if (d->s->kind == SQL_STMT_CREATE_INDEX && d->s->create_index->name &&
        index_is_there(d, d->s->create_index->name)) {
        return;
    }
    if (d->s->kind == SQL_STMT_DROP) {
        dropped(d, &back);
    } else if (d->s->kind == SQL_STMT_RENAME) {
        back = ddl_back_rename(d);
    } else if (!made_by(d, &back)) {
        back = ddl_back_other(d);
    }
    for (size_t i = 0; i < back.down.count; i++) {
        step_texts_add(d->work->ctx, down, if_possible(d->work, back.down.items[i]));
    }
}

/* SQL that is put together and begins with GRANT or REVOKE changes rights and nothing else. */
static bool only_rights(const struct ddl *d, const struct sql_texts *dynamic)
{
    for (size_t i = 0; i < dynamic->count; i++) {
        const char *sql = strchr(dynamic->items[i], '\'');
        struct sql_piece first = sql_piece_next(d->work->ctx, sql ? sql + 1 : "");
        if (!first.word || (!text_eq(first.name, "grant") && !text_eq(first.name, "revoke"))) {
            return false;
        }
    }
    if (dynamic->count) {
        d->work->intent = d->source;
        work_note(
            d->work, "warning", "rights-stay",
            "rights that the block gives or takes by SQL that it puts together itself stay as "
            "they are after a rollback");
    }
    return true;
}

static void whole(struct ddl *d)
{
    const struct sql_body *body = d->s->body;
    struct ddl_back back = { .phase = PHASE_EXPAND };
    size_t count = body->script ? body->script->count : 0;
    for (size_t i = count; i-- > 0;) {
        struct ddl inner = *d;
        inner.s = &body->script->statements[i];
        inner_back(&inner, &back.down);
    }
    if (body->opaque || !only_rights(d, &body->dynamic)) {
        back.down.count = 0;
        back.phase = PHASE_CONTRACT;
        back.why = body->opaque ? body->opaque
                                : "it runs SQL that it puts together itself: what that changes is "
                                  "not known here";
    } else if (!back.down.count) {
        ddl_down(d, &back, "SELECT 'nothing to undo: no definition is changed'");
    }
    ddl_raw(d, d->s->sql, &back);
    for (size_t i = 0; i < count; i++) {
        struct ddl inner = *d;
        inner.s = &body->script->statements[i];
        inner.guarded = true;
        if (inner.s->kind == SQL_STMT_ALTER_TABLE) {
            for (size_t k = 0; k < inner.s->alter_count; k++) {
                ddl_follow(&inner, &inner.s->alters[k]);
            }
        } else {
            ddl_follow(&inner, NULL);
        }
    }
}

/* A question to the catalog that has its answer now: the plan is bound to that catalog. */
static bool answered(struct ddl *d)
{
    const char *asked;
    enum guard guard = ddl_guard(d, d->s->body->text, &asked);
    if (guard == GUARD_OPEN) {
        return false;
    }
    d->work->intent = d->source;
    work_note(d->work, "info", "guard-answered", "%s: the block %s", asked,
              guard == GUARD_RUNS ? "runs its statements" : "does nothing");
    if (guard == GUARD_RUNS) {
        each_alone(d, false);
    }
    return true;
}

void ddl_body(struct ddl *d)
{
    const struct sql_body *body = d->s->body;
    bool handler = false;
    bool seen = body->text && body->script && !body->opaque && !body->dynamic.count &&
                text_eq(body->language, "plpgsql");
    if (seen && answered(d)) {
        return;
    }
    bool plain = seen && straight(d->work->ctx, body->text, &handler);
    if (plain && body->script->count > 0 && (!handler || body->script->count == 1)) {
        each_alone(d, handler);
    } else {
        whole(d);
    }
}
