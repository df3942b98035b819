/* What the catalog keeps as text is parsed when it is first asked for. */
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/world/world.h"

void constraint_prepare(struct world *w, struct world_constraint *c)
{
    struct error err;
    struct statement *s;
    if (c->prepared || c->kind != 'c' || !c->text) {
        return;
    }
    c->prepared = true;
    const char *sql = mem_printf(w, "ALTER TABLE t ADD %s", c->text);
    if (sql_parse_one(w, sql, &s, &err) && s->alter_count == 1 && s->alters[0].constraint &&
        s->alters[0].constraint->expression) {
        c->columns = s->alters[0].constraint->expression->columns;
        c->not_null = s->alters[0].constraint->expression->not_null;
    }
}

void index_prepare(struct world *w, struct world_index *index)
{
    struct error err;
    struct statement *s;
    if (index->prepared || !index->text) {
        return;
    }
    index->prepared = true;
    if (!sql_parse_one(w, index->text, &s, &err) || !s->create_index) {
        return;
    }
    const struct sql_index *parsed = s->create_index;
    for (size_t i = 0; i <= parsed->key_count; i++) {
        const struct sql_expression *e =
            i < parsed->key_count ? parsed->keys[i].expression : parsed->where;
        for (size_t j = 0; e && j < e->columns.count; j++) {
            sql_texts_add(w, &index->uses, e->columns.items[j]);
        }
    }
}

void function_prepare(struct world *w, struct world_function *f)
{
    struct error err;
    struct statement *s;
    const char *definition = f->definition;
    f->definition = NULL;
    if (f->body || !definition || !sql_parse_one(w, definition, &s, &err) || !s->body) {
        return;
    }
    f->body = s->body->script ? s->body->script : mem_new(w, struct script);
    f->commits = s->body->commits;
    f->opaque = s->body->opaque              ? s->body->opaque
                : s->body->dynamic.count > 0 ? s->body->dynamic.items[0]
                                             : NULL;
}
