/* After a statement was judged: the session and the transaction as it leaves them; what it makes of
 * the database's objects is the world's. */
#include <strings.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/judge/judging.h"
#include "controller/world/world_apply.h"

static void setting(struct judge *j, const struct statement *s)
{
    const char *value = s->values.count > 0 ? s->values.items[0] : "";
    if (strcasecmp(s->setting, "timezone") == 0) {
        j->utc = strcasecmp(value, "UTC") == 0 || text_eq(value, "0");
    } else if (text_eq(s->setting, "search_path")) {
        for (size_t i = 0; i < s->values.count; i++) {
            if (!text_eq(s->values.items[i], "$user") && *s->values.items[i] != '\0') {
                world_set_schema(j->world, s->values.items[i]);
                return;
            }
        }
        world_set_schema(j->world, "public");
    }
}

static void prepared(struct judge *j, const struct statement *s)
{
    j->prepared_statements =
        mem_room(j, j->prepared_statements, const struct statement *, j->prepared.count + 1);
    j->prepared_statements[j->prepared.count] = s;
    sql_texts_add(j, &j->prepared, s->sub_name);
}

static void transaction_end(struct world *w)
{
    struct world_type *t;
    for (size_t i = 0; (t = world_type_at(w, i)); i++) {
        t->made_here = false;
        t->added.count = 0;
    }
}

/* COMMIT in a runner's transaction ends that one; the next BEGIN opens one for the runner to end.
 */
static void transaction(struct judge *j, const struct statement *s)
{
    if (s->transaction == SQL_BEGIN) {
        bool reopens = j->runner && !j->assumed;
        j->assumed = j->assumed || reopens;
        j->transaction = j->transaction || !reopens;
    } else if (s->transaction != SQL_SAVEPOINT) {
        j->assumed = j->assumed && j->transaction;
        j->transaction = false;
        transaction_end(j->world);
    }
}

static void enum_value(struct judge *j, const struct statement *s)
{
    struct world_type *t = world_type(j->world, s->name);
    t = t ? t : world_make_type(j->world, s->name, 'e');
    if (s->add_value && (j->transaction || j->assumed)) {
        sql_texts_add(world_context(j->world), &t->added, s->sub_name);
    }
}

void judge_follow(struct judge *j, const struct statement *s)
{
    switch (s->kind) {
    case SQL_STMT_SET: setting(j, s); break;
    case SQL_STMT_ALTER_ENUM: enum_value(j, s); break;
    case SQL_STMT_PREPARE: prepared(j, s); break;
    case SQL_STMT_TRANSACTION: transaction(j, s); break;
    case SQL_STMT_DO:
        for (size_t i = 0; s->body->script && i < s->body->script->count; i++) {
            judge_follow(j, &s->body->script->statements[i]);
        }
        break;
    default: world_apply(j->world, s); break;
    }
}
