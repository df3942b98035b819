#include "controller/ddl/ddl.h"
#include "controller/work/order.h"

#include <stdarg.h>
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

/* --- names ----------------------------------------------------------------------------------- */

struct relation *ddl_relation(const struct ddl *d, const struct sql_name *name)
{
    return name->name ? catalog_relation(d->work->home->catalog, name->schema, name->name) : NULL;
}

bool ddl_made(const struct ddl *d, const struct relation *relation)
{
    return relation && work_is_made(d->work, relation_key(d->work, relation));
}

const char *ddl_concurrently(const struct ddl *d, const char *words)
{
    const struct statement *s = d->s;
    const void *ctx = d->work->ctx;
    struct sql_piece p = sql_piece_next(ctx, s->sql);
    while (p.length && !(p.word && strstr(words, say(d->work, " %s ", p.name)))) {
        p = sql_piece_next(ctx, p.start + p.length);
    }
    const char *rest = p.start + p.length;
    return s->concurrently || !p.length
               ? s->sql
               : say(d->work, "%.*s CONCURRENTLY%s", (int)(rest - s->sql), s->sql, rest);
}

bool ddl_young(const struct ddl *d, const struct relation *relation)
{
    struct work *work = d->work;
    /* where one of that name was before, its users come to this one */
    return ddl_made(d, relation) &&
           (relation->kind == 'm' ||
            !catalog_relation(work->home->before, relation->schema, relation->name)) &&
           !work_is_made(work, say(work, "filled %s", relation_key(work, relation))) &&
           !order_is_later(work, d->s->sql, relation->name);
}

const char *ddl_schema(const struct ddl *d, const struct sql_name *name)
{
    const struct relation *relation = ddl_relation(d, name);
    return name->schema ? name->schema
           : relation   ? relation->schema
                        : catalog_default_schema(d->work->ctx, d->work->home->catalog);
}

const char *ddl_name(const struct ddl *d, const struct sql_name *name)
{
    return name_sql(d->work, ddl_schema(d, name), name->name);
}

const char *ddl_table_text(const struct ddl *d, const struct sql_name *name)
{
    return object_name_join(d->work->ctx, name->schema, name->name);
}

struct type *ddl_type(const struct ddl *d, const struct sql_name *name)
{
    const struct catalog *catalog = d->work->home->catalog;
    for (size_t i = 0; i < catalog->type_count && name->name; i++) {
        struct type *type = &catalog->types[i];
        if (text_eq(type->name, name->name) &&
            (!name->schema || text_eq(type->schema, name->schema))) {
            return type;
        }
    }
    return NULL;
}

json_t *ddl_texts(const struct sql_texts *texts)
{
    return json_from_texts(texts->items, texts->count);
}

/* --- intents --------------------------------------------------------------------------------- */

bool ddl_refuse(struct ddl *d, const char *hint, const char *message)
{
    struct work *work = d->work;
    work->intent = d->source;
    return work_refuse(work, hint, "%s", message);
}

void ddl_intent(struct ddl *d, const char *operation, json_t *fields)
{
    struct work *work = d->work;
    struct intent intent;
    struct intent_problems problems = { .ctx = work->ctx };
    json_t *json = json_own(work->ctx, json_object());
    const char *slash = strrchr(d->source->place, '/');
    json_set_text(fields, "service", d->source->service);
    json_set_text(fields, "written", slash ? slash + 1 : d->source->place);
    if (d->source->note) {
        json_set_text(fields, "note", d->source->note);
    }
    json_object_set_new(json, operation, fields);
    if (!intent_from_json(work->ctx, json, &intent, &problems)) {
        const struct error *err = &problems.items[0].error;
        (void)ddl_refuse(d, mem_text(work->ctx, err->hint), mem_text(work->ctx, err->message));
        return;
    }
    intent.exact = true;
    intent.place = d->source->place;
    work_take(work, &intent);
}

bool ddl_try(struct ddl *d, const char *operation, json_t *fields)
{
    struct compiled *result = d->work->result;
    size_t findings = result->finding_count, refusals = result->refusals;
    size_t intents = result->taken->count;
    ddl_intent(d, operation, fields);
    if (result->refusals == refusals) {
        return true;
    }
    result->finding_count = findings;
    result->refusals = refusals;
    result->taken->count = intents;
    return false;
}

void ddl_down(const struct ddl *d, struct ddl_back *back, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct text t = text_init(d->work->ctx, TEXT_SQL);
    text_addv(&t, fmt, ap);
    va_end(ap);
    step_texts_add(d->work->ctx, &back->down, t.data);
}

static json_t *listed(const struct step_texts *texts)
{
    return json_from_texts(texts->items, texts->count);
}

void ddl_raw(struct ddl *d, const char *sql, const struct ddl_back *back)
{
    json_t *fields = json_object(), *up = listed(&back->before);
    json_array_append_new(up, json_string(sql));
    json_object_set_new(fields, "up", up);
    if (back->down.count) {
        json_object_set_new(fields, "down", listed(&back->down));
    } else {
        json_set_text(fields, "irreversible",
                      back->why ? back->why
                                : say(d->work, "the way back of \"%s\" cannot be told from it",
                                      sql_statement_name(d->s->kind)));
    }
    json_set_text(fields, "phase",
                  phase_name(back->down.count || back->why ? back->phase : PHASE_CONTRACT));
    if (back->alone) {
        json_set_bool(fields, "transaction", false);
    }
    ddl_intent(d, "sql", fields);
}

/* --- settings -------------------------------------------------------------------------------- */
