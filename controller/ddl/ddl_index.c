/* CREATE INDEX. */
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/ddl/ddl.h"

static void index_key(const struct ddl *d, const struct sql_index_key *key, struct text *t)
{
    if (key->column) {
        text_add(t, ident(d->work, key->column));
    } else {
        text_addf(t, "(%s)", key->expression->text);
    }
    text_add(t, collate(d->work, key->collation));
    if (key->opclass) {
        text_addf(t, " %s", key->opclass);
    }
    text_add(t, key->descending ? " DESC" : "");
    text_add(t, key->nulls == 'f' ? " NULLS FIRST" : key->nulls == 'l' ? " NULLS LAST" : "");
}

/* "USING btree (…) INCLUDE (…) WITH (…) WHERE …": what stands behind the table. */
static const char *index_tail(const struct ddl *d, const struct sql_index *index)
{
    struct text t = text_init(d->work->ctx, TEXT_SQL);
    text_addf(&t, "USING %s (", index->method);
    for (size_t i = 0; i < index->key_count; i++) {
        text_add(&t, i ? ", " : "");
        index_key(d, &index->keys[i], &t);
    }
    text_addc(&t, ')');
    for (size_t i = 0; i < index->include.count; i++) {
        text_addf(&t, "%s%s", i ? ", " : " INCLUDE (", ident(d->work, index->include.items[i]));
    }
    text_add(&t, index->include.count ? ")" : "");
    text_add(&t, index->nulls_not_distinct ? " NULLS NOT DISTINCT" : "");
    if (index->with) {
        text_addf(&t, " WITH (%s)", index->with);
    }
    if (index->where) {
        text_addf(&t, " WHERE (%s)", index->where->text);
    }
    return t.data;
}

static bool name_is_there(const struct ddl *d, const struct relation *relation, const char *name)
{
    const struct catalog *catalog = d->work->home->catalog;
    for (size_t i = 0; i < catalog->relation_count; i++) {
        const struct relation *other = &catalog->relations[i];
        if (text_eq(other->schema, relation->schema) &&
            (text_eq(other->name, name) || relation_index(other, name))) {
            return true;
        }
    }
    return false;
}

static void stays(struct ddl *d, const struct relation *relation)
{
    const struct statement *s = d->s;
    const struct sql_index *index = s->create_index;
    /* a view that is made has its rows at once */
    bool apart = s->concurrently || relation->kind == 'm';
    struct ddl_back back = { .phase = PHASE_EXPAND, .alone = apart };
    if (ddl_made(d, relation)) {
        ddl_down(d, &back, "SELECT 'nothing to undo: the index goes away with its table'");
    } else if (index->name) {
        ddl_down(d, &back, "DROP INDEX %s%s", s->concurrently ? "CONCURRENTLY " : "",
                 name_sql(d->work, relation->schema, index->name));
    }
    ddl_raw(d, apart ? ddl_concurrently(d, " index ") : s->sql, &back);
    ddl_follow(d, NULL);
}

static void typed(struct ddl *d, const struct sql_index *index)
{
    json_t *fields = json_object(), *columns = json_array(), *expressions = json_array();
    json_set_text(fields, "table", ddl_table_text(d, &index->table));
    for (size_t i = 0; i < index->key_count; i++) {
        const struct sql_index_key *key = &index->keys[i];
        json_array_append_new(key->column ? columns : expressions,
                              json_string(key->column ? key->column : key->expression->text));
    }
    json_set_text(fields, "name", index->name);
    json_set_text(fields, "definition", index_tail(d, index));
    if (json_array_size(columns) > 0) {
        json_object_set(fields, "columns", columns);
    }
    if (json_array_size(expressions) > 0) {
        json_object_set(fields, "expressions", expressions);
    }
    json_decref(columns);
    json_decref(expressions);
    if (index->include.count) {
        json_object_set_new(fields, "include", ddl_texts(&index->include));
    }
    json_set_text(fields, "where", index->where ? index->where->text : NULL);
    json_set_text(fields, "method", index->method);
    if (index->unique) {
        json_set_bool(fields, "unique", true);
    }
    ddl_intent(d, "add_index", fields);
}

void ddl_index(struct ddl *d)
{
    const struct sql_index *index = d->s->create_index;
    const struct relation *relation = ddl_relation(d, &index->table);
    if (!relation) {
        (void)ddl_refuse(d, "look at `flotilla inspect` for the tables there are",
                         say(d->work, "there is no table %s", index->table.name));
        return;
    }
    if (index->name && index->if_not_exists && name_is_there(d, relation, index->name)) {
        return;
    }
    if (ddl_young(d, relation) || (ddl_made(d, relation) && relation->kind == 'm') || index->only) {
        stays(d, relation);
    } else {
        typed(d, index);
    }
}
