/* Evidence that what was there is there again, or still, as it was. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/check/checking.h"
#include "controller/sql/token.h"

static const struct statement *statement_at(const struct checking *c, size_t i)
{
    return i < c->script->count ? c->script->statements[i].statement : NULL;
}

/* --- made again in the same transaction ------------------------------------------------------- */

/* The tokens of `part` stand in `whole` in one piece. */
static bool holds(const char *whole, const char *part)
{
    SCOPE(tmp);
    struct tokens w = tokens_of(tmp, whole, 0, strlen(whole));
    struct tokens p = tokens_of(tmp, part, 0, strlen(part));
    for (size_t at = 0; at + p.count <= w.count; at++) {
        size_t i = 0;
        while (i < p.count) {
            size_t n = p.items[i].end - p.items[i].start;
            if (n != w.items[at + i].end - w.items[at + i].start ||
                memcmp(whole + w.items[at + i].start, part + p.items[i].start, n) != 0) {
                break;
            }
            i++;
        }
        if (i == p.count) {
            return true;
        }
    }
    return false;
}

static bool view_again(const struct checking *c, struct sql_name name, const struct statement *s)
{
    const struct relation *r = checked_before(c, name);
    return s->kind == SQL_STMT_CREATE_VIEW && sql_name_eq(s->name, name) && r && r->definition &&
           s->query_text && checked_same_text(r->definition, s->query_text);
}

static bool trigger_again(const struct checking *c, struct sql_name table, const char *name,
                          const struct statement *s)
{
    const struct relation *r = checked_before(c, table);
    if (s->kind != SQL_STMT_CREATE_TRIGGER || !text_eq(s->sub_name, name)) {
        return false;
    }
    for (size_t i = 0; r && i < r->trigger_count; i++) {
        if (text_eq(r->triggers[i].name, name) && r->triggers[i].definition &&
            checked_same_text(r->triggers[i].definition, s->sql)) {
            return true;
        }
    }
    return false;
}

static bool policy_again(const struct checking *c, struct sql_name table, const char *name,
                         const struct statement *s)
{
    const struct relation *r = checked_before(c, table);
    if (s->kind != SQL_STMT_CREATE_POLICY || !text_eq(s->sub_name, name)) {
        return false;
    }
    for (size_t i = 0; r && i < r->policy_count; i++) {
        const struct policy *p = &r->policies[i];
        if (text_eq(p->name, name)) {
            return (!p->using_expr || holds(s->sql, p->using_expr)) &&
                   (!p->check_expr || holds(s->sql, p->check_expr));
        }
    }
    return false;
}

static bool object_again(const struct checking *c, const struct sql_object *o,
                         const struct statement *s)
{
    struct sql_name name = { o->schema, o->name };
    switch (o->kind) {
    case SQL_OBJECT_VIEW: return view_again(c, name, s);
    case SQL_OBJECT_TRIGGER: return trigger_again(c, name, o->column, s);
    case SQL_OBJECT_POLICY: return policy_again(c, name, o->column, s);
    case SQL_OBJECT_STATISTICS:
        return s->kind == SQL_STMT_CREATE_STATISTICS && text_eq(s->name.name, o->name);
    default: return false;
    }
}

static bool objects_again(const struct checking *c, const struct statement *s)
{
    for (size_t i = 0; i < s->object_count; i++) {
        bool again = false;
        for (size_t k = c->index + 1; k < c->script->count; k++) {
            again = again || object_again(c, &s->objects[i], statement_at(c, k));
        }
        if (!again) {
            return false;
        }
    }
    return s->object_count > 0;
}

/* The policy that is made was dropped before, in this transaction. */
static bool policy_was(const struct checking *c, const struct statement *s)
{
    for (size_t k = 0; k < c->index; k++) {
        const struct statement *o = statement_at(c, k);
        for (size_t i = 0; o->kind == SQL_STMT_DROP && i < o->object_count; i++) {
            if (o->objects[i].kind == SQL_OBJECT_POLICY && object_again(c, &o->objects[i], s)) {
                return true;
            }
        }
    }
    return false;
}

static bool constraint_again(const struct checking *c, const struct world_table *t,
                             const struct world_constraint *k, const struct statement *s)
{
    if (!sql_name_eq(s->name, (struct sql_name){ t->schema, t->name })) {
        return false;
    }
    for (size_t i = 0; s->kind == SQL_STMT_ALTER_TABLE && i < s->alter_count; i++) {
        const struct sql_constraint *made = s->alters[i].constraint;
        if (s->alters[i].kind == SQL_ALTER_ADD_CONSTRAINT && made->kind == k->kind &&
            text_eq(made->name, k->name)) {
            return true;
        }
    }
    if (s->kind != SQL_STMT_RENAME || s->object != SQL_OBJECT_CONSTRAINT ||
        !text_eq(s->new_name, k->name)) {
        return false;
    }
    const struct world_constraint *old = table_constraint(t, s->sub_name);
    (void)c;
    return old && old->kind == k->kind && old->validated >= k->validated;
}

static enum answer constraints_again(const struct checking *c, const struct statement *s)
{
    const struct world_table *t =
        s->kind == SQL_STMT_ALTER_TABLE ? checked_table(c, s->name) : NULL;
    enum answer answer = ANSWER_NOT_MINE;
    for (size_t i = 0; t && i < s->alter_count; i++) {
        const struct world_constraint *k = s->alters[i].kind == SQL_ALTER_DROP_CONSTRAINT
                                               ? table_constraint(t, s->alters[i].name)
                                               : NULL;
        bool again = false;
        for (size_t n = c->index + 1; k && n < c->script->count; n++) {
            again = again || constraint_again(c, t, k, statement_at(c, n));
        }
        if (s->alters[i].kind == SQL_ALTER_DROP_CONSTRAINT) {
            if (!again) {
                return ANSWER_NO;
            }
            answer = ANSWER_YES;
        }
    }
    return answer;
}

enum answer evidence_remade(struct checking *c, const char *rule, const struct statement *s,
                            const char **said)
{
    (void)said;
    if (!checked_step(c)->transaction) {
        return ANSWER_NO;
    }
    if (text_eq(rule, "drop-constraint")) {
        return constraints_again(c, s);
    }
    if (s->kind == SQL_STMT_CREATE_POLICY) {
        return policy_was(c, s) ? ANSWER_YES : ANSWER_NO;
    }
    return s->kind != SQL_STMT_DROP ? ANSWER_NOT_MINE
           : objects_again(c, s)    ? ANSWER_YES
                                    : ANSWER_NO;
}

/* --- the way back makes it again -------------------------------------------------------------- */

static bool index_comes_back(const struct checking *c, const struct sql_object *o)
{
    for (size_t i = 0; i < c->other->count; i++) {
        const struct statement *s = &c->other->statements[i];
        if (s->kind == SQL_STMT_CREATE_INDEX && s->create_index->concurrently &&
            text_eq(s->create_index->name, o->name)) {
            return true;
        }
    }
    return false;
}

static bool constraint_comes_back(const struct checking *c, const char *name)
{
    for (size_t i = 0; i < c->other->count; i++) {
        const struct statement *s = &c->other->statements[i];
        for (size_t k = 0; s->kind == SQL_STMT_ALTER_TABLE && k < s->alter_count; k++) {
            const struct sql_constraint *made = s->alters[k].constraint;
            if (s->alters[k].kind == SQL_ALTER_ADD_CONSTRAINT && text_eq(made->name, name) &&
                (made->not_valid || made->using_index)) {
                return true;
            }
        }
    }
    return false;
}

enum answer evidence_rebuilt(struct checking *c, const char *rule, const struct statement *s,
                             const char **said)
{
    enum answer answer = ANSWER_NOT_MINE;
    bool index = text_eq(rule, "index-dropped-perf");
    (void)said;
    if (c->back) {
        return ANSWER_NO;
    }
    for (size_t i = 0; index && s->kind == SQL_STMT_DROP && i < s->object_count; i++) {
        if (!index_comes_back(c, &s->objects[i])) {
            return ANSWER_NO;
        }
        answer = ANSWER_YES;
    }
    for (size_t i = 0; !index && s->kind == SQL_STMT_ALTER_TABLE && i < s->alter_count; i++) {
        if (s->alters[i].kind == SQL_ALTER_DROP_CONSTRAINT) {
            if (!constraint_comes_back(c, s->alters[i].name)) {
                return ANSWER_NO;
            }
            answer = ANSWER_YES;
        }
    }
    return answer;
}

/* --- going back --------------------------------------------------------------------------------
 */

static const char *old_name(const struct checking *c, const struct statement *s)
{
    const char *schema = s->name.schema ? s->name.schema : world_schema(c->mirror->world);
    return s->sub_name ? s->sub_name : s->kind == SQL_STMT_SET_SCHEMA ? schema : s->name.name;
}

static bool undoes_rename(const struct checking *c, const struct statement *s,
                          const struct statement *forward)
{
    return forward->kind == s->kind && forward->object == s->object &&
           text_eq(forward->new_name, old_name(c, s)) && text_eq(s->new_name, old_name(c, forward));
}

static bool has_alter(const struct statement *s, enum sql_alter_kind kind, const char *column)
{
    for (size_t i = 0; i < s->alter_count; i++) {
        if (s->alters[i].kind == kind && text_eq(s->alters[i].column, column)) {
            return true;
        }
    }
    return false;
}

/* The type that a foreign table said before. A table's own values would have to fit. */
static bool says_as_before(const struct checking *c, const struct statement *s,
                           const struct statement *forward, const struct sql_alter *a)
{
    const struct relation *r = checked_before(c, s->name);
    const struct column *column = r ? relation_column(r, a->column) : NULL;
    return a->kind == SQL_ALTER_SET_TYPE && column && r->kind == 'f' &&
           text_eq(column->type, a->type) && has_alter(forward, SQL_ALTER_SET_TYPE, a->column);
}

static bool undoes_alter(const struct checking *c, const struct statement *s,
                         const struct statement *forward)
{
    bool all = forward->kind == SQL_STMT_ALTER_TABLE && sql_name_eq(s->name, forward->name);
    for (size_t i = 0; all && i < s->alter_count; i++) {
        const struct sql_alter *a = &s->alters[i];
        if (a->kind == SQL_ALTER_ADD_COLUMN) {
            all = has_alter(forward, SQL_ALTER_DROP_COLUMN, a->column);
            continue;
        }
        if (a->kind == SQL_ALTER_SET_TYPE) {
            all = says_as_before(c, s, forward, a);
            continue;
        }
        bool is_default = a->kind == SQL_ALTER_SET_DEFAULT || a->kind == SQL_ALTER_DROP_DEFAULT;
        all = is_default ? has_alter(forward, SQL_ALTER_SET_DEFAULT, a->column) ||
                               has_alter(forward, SQL_ALTER_DROP_DEFAULT, a->column)
                         : a->kind == SQL_ALTER_DROP_NOT_NULL &&
                               has_alter(forward, SQL_ALTER_SET_NOT_NULL, a->column);
    }
    return all;
}

static bool about_policy(const struct statement *s, const char *name)
{
    bool found = text_eq(s->sub_name, name);
    for (size_t i = 0; i < s->object_count; i++) {
        found = found ||
                (s->objects[i].kind == SQL_OBJECT_POLICY && text_eq(s->objects[i].column, name));
    }
    return found;
}

static bool undoes_policy(const struct statement *s, const struct statement *forward)
{
    const char *name = s->sub_name;
    for (size_t i = 0; !name && i < s->object_count; i++) {
        name = s->objects[i].column;
    }
    bool opposite = (s->kind == SQL_STMT_DROP && forward->kind == SQL_STMT_CREATE_POLICY) ||
                    (s->kind == SQL_STMT_CREATE_POLICY && forward->kind == SQL_STMT_DROP) ||
                    (s->kind == SQL_STMT_ALTER_POLICY && forward->kind == SQL_STMT_ALTER_POLICY);
    return opposite && name && about_policy(forward, name);
}

static bool undoes(const struct checking *c, const struct statement *s,
                   const struct statement *forward)
{
    switch (s->kind) {
    case SQL_STMT_RENAME:
    case SQL_STMT_SET_SCHEMA: return undoes_rename(c, s, forward);
    case SQL_STMT_ALTER_TABLE: return undoes_alter(c, s, forward);
    case SQL_STMT_ALTER_ENUM:
        return forward->kind == s->kind && text_eq(s->sub_name, forward->new_name) &&
               text_eq(s->new_name, forward->sub_name);
    case SQL_STMT_GRANT: return forward->kind == SQL_STMT_REVOKE;
    case SQL_STMT_REVOKE: return forward->kind == SQL_STMT_GRANT;
    case SQL_STMT_CREATE_VIEW:
        return forward->kind == s->kind && sql_name_eq(s->name, forward->name);
    default: return undoes_policy(s, forward);
    }
}

enum answer evidence_undo(struct checking *c, const char *rule, const struct statement *s,
                          const char **said)
{
    (void)rule;
    (void)said;
    for (size_t i = 0; c->back && i < c->other->count; i++) {
        if (undoes(c, s, &c->other->statements[i])) {
            return ANSWER_YES;
        }
    }
    return ANSWER_NO;
}
