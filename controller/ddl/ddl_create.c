/* CREATE of what has no users yet, and of what replaces. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/ddl/ddl.h"
#include "controller/work/around.h"
#include "controller/work/order.h"
#include "controller/work/owner.h"

static bool named(const char *const *name, const char *wanted)
{
    return text_eq(*name, wanted);
}

/* IF NOT EXISTS of something that is there says nothing. */
static bool is_there(const struct ddl *d)
{
    const struct statement *s = d->s;
    const struct catalog *catalog = d->work->home->catalog;
    switch (s->kind) {
    case SQL_STMT_CREATE_EXTENSION:
        for (size_t i = 0; i < catalog->extension_count; i++) {
            if (named(&catalog->extensions[i].name, s->name.name)) {
                return true;
            }
        }
        return false;
    case SQL_STMT_CREATE_SCHEMA:
        for (size_t i = 0; i < catalog->schema_count; i++) {
            if (named(&catalog->schemas[i].name, s->name.name)) {
                return true;
            }
        }
        return false;
    case SQL_STMT_CREATE_SEQUENCE:
        for (size_t i = 0; i < catalog->sequence_count; i++) {
            if (named(&catalog->sequences[i].name, s->name.name) &&
                text_eq(catalog->sequences[i].schema, ddl_schema(d, &s->name))) {
                return true;
            }
        }
        return false;
    default: return ddl_relation(d, &s->name) != NULL;
    }
}

/* The view as it was, and the views that read it. */
static void view_back(struct ddl *d, struct relation *view, struct ddl_back *back)
{
    struct around around = { 0 };
    struct work *work = d->work;
    size_t findings = work->result->finding_count, refusals = work->result->refusals;
    if (!view->definition || !around_view(work, work->home, view, &around)) {
        back->why =
            say(work, "view %s, or one that reads it, cannot be made again as it was", view->name);
        work->result->finding_count = findings;
        work->result->refusals = refusals;
        return;
    }
    around_close(work, work->home, &around);
    for (size_t i = 0; i < around.drop.count; i++) {
        ddl_down(d, back, "%s", around.drop.items[i]);
    }
    for (size_t i = 0; i < around.make.count; i++) {
        ddl_down(d, back, "%s", around.make.items[i]);
    }
}

static void trigger_back(struct ddl *d, struct ddl_back *back)
{
    const struct statement *s = d->s;
    const struct relation *relation = ddl_relation(d, &s->name);
    ddl_down(d, back, "DROP TRIGGER IF EXISTS %s ON %s", ident(d->work, s->sub_name),
             ddl_name(d, &s->name));
    for (size_t i = 0; relation && s->or_replace && i < relation->trigger_count; i++) {
        if (text_eq(relation->triggers[i].name, s->sub_name)) {
            trigger_made(d->work, relation, &relation->triggers[i], &back->down);
        }
    }
}

static struct ddl_back back_of(struct ddl *d)
{
    const struct statement *s = d->s;
    struct ddl_back back = { .phase = PHASE_EXPAND };
    struct relation *there = ddl_relation(d, &s->name);
    if (s->kind == SQL_STMT_CREATE_TRIGGER) {
        trigger_back(d, &back);
    } else if (s->temporary) {
        back.why = "a temporary object goes away with its session";
    } else if (s->kind == SQL_STMT_CREATE_VIEW && s->or_replace && there) {
        if (ddl_made(d, there)) {
            ddl_down(d, &back, "SELECT 'nothing to undo: the view goes away with its own step'");
        } else {
            view_back(d, there, &back);
        }
    } else if (s->kind == SQL_STMT_CREATE_SCHEMA) {
        ddl_down(d, &back, "DROP SCHEMA %s", ident(d->work, s->name.name));
    } else if (s->kind == SQL_STMT_CREATE_EXTENSION) {
        ddl_down(d, &back, "DROP EXTENSION %s", ident(d->work, s->name.name));
    } else if (created_keyword(s)) {
        ddl_down(d, &back, "DROP %s %s", created_keyword(s), ddl_name(d, &s->name));
    }
    return back;
}

void ddl_create(struct ddl *d)
{
    const struct statement *s = d->s;
    if (s->if_not_exists && s->name.name && is_there(d)) {
        return;
    }
    if (s->temporary) {
        (void)ddl_refuse(d,
                         "use a plain table in a schema of your own, and drop it at the end of the "
                         "file",
                         "a temporary table lives in one session, and each step of a plan has its "
                         "own");
        return;
    }
    struct ddl_back back = back_of(d);
    ddl_raw(d, s->sql, &back);
    order_made(d->work, s->name.name);
    ddl_follow(d, NULL);
}
