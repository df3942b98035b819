#include "agents/agent/clone.h"

#include "agents/agent/clone_list.h"
#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"

enum { ALL_UP_TO = 400 }; /* relations; above it only what hangs together is cloned */

/* --- what comes along ------------------------------------------------------------------------ */

static const char *joined(const void *ctx, const struct relation *r)
{
    return object_name_join(ctx, r->schema, r->name);
}

static bool reads(const void *ctx, const struct relation *view, const struct relation *r)
{
    const char *prefix = mem_printf(ctx, "%s.", joined(ctx, r));
    for (size_t i = 0; i < view->reads.count; i++)
        if (text_starts(view->reads.items[i], prefix))
            return true;
    return false;
}

static bool hang_together(const void *ctx, const struct relation *a, const struct relation *b)
{
    for (size_t i = 0; i < a->constraint_count; i++)
        if (text_eq(a->constraints[i].ref_schema, b->schema) &&
            text_eq(a->constraints[i].ref_table, b->name))
            return true;
    return (a->parent && text_eq(a->parent, joined(ctx, b))) || reads(ctx, a, b);
}

static bool is_named(const void *ctx, const struct relation *r, const struct clone_choice *choice)
{
    for (size_t i = 0; i < choice->relation_count; i++)
        if (text_eq(joined(ctx, r), choice->relations[i]))
            return true;
    return false;
}

static const bool *choose(const void *ctx, const struct catalog *c,
                          const struct clone_choice *choice)
{
    SCOPE(tmp);
    bool *chosen = mem_array(ctx, bool, c->relation_count);
    size_t *queue = mem_array(tmp, size_t, c->relation_count);
    size_t queued = 0;
    for (size_t i = 0; i < c->relation_count; i++)
        if (c->relation_count <= ALL_UP_TO || is_named(tmp, &c->relations[i], choice)) {
            chosen[i] = true;
            queue[queued++] = i;
        }
    for (size_t at = 0; at < queued && c->relation_count > ALL_UP_TO; at++)
        for (size_t i = 0; i < c->relation_count; i++) {
            SCOPE(each);
            const struct relation *a = &c->relations[queue[at]];
            const struct relation *b = &c->relations[i];
            if (!chosen[i] && (hang_together(each, a, b) || hang_together(each, b, a))) {
                chosen[i] = true;
                queue[queued++] = i;
            }
        }
    return chosen;
}

/* --- making it -------------------------------------------------------------------------------- */

static struct clone_list *statements(const void *ctx, const struct catalog *catalog,
                                     const struct clone_choice *choice)
{
    struct clone_list *list = mem_new(ctx, struct clone_list);
    list->catalog = catalog;
    list->chosen = choose(list, catalog, choice);
    clone_schemas(list);
    clone_sequences(list);
    clone_functions(list);
    clone_tables(list);
    clone_views(list);
    clone_references(list);
    clone_grants(list);
    return list;
}

/* There before, or made by another statement: the template's extensions, a partition's trigger. */
static bool is_there(const struct error *err)
{
    return text_eq(err->sqlstate, "42710") || text_eq(err->sqlstate, "42P07") ||
           text_eq(err->sqlstate, "42P06") || text_eq(err->sqlstate, "42723");
}

static bool round_run(struct connection *db, struct clone_list *list, bool *moved,
                      struct error *err)
{
    *moved = false;
    for (size_t i = 0; i < list->count; i++) {
        struct clone_statement *s = &list->items[i];
        if (s->done)
            continue;
        s->done = connection_exec(db, s->sql, &s->why) || is_there(&s->why);
        *moved = *moved || s->done;
        if (!s->done && connection_state(db) == CONNECTION_BROKEN) {
            *err = s->why;
            return false;
        }
    }
    return true;
}

static bool judge(const void *ctx, const struct clone_list *list, struct catalog_texts *notes,
                  struct error *err)
{
    const char **lines = mem_array(ctx, const char *, list->count);
    *notes = (struct catalog_texts){ lines, 0 };
    for (size_t i = 0; i < list->count; i++) {
        const struct clone_statement *s = &list->items[i];
        if (!s->done && s->needed) {
            *err = s->why;
            err->code = ERROR_UNSUPPORTED;
            fail_in(err, "cannot clone %s", s->object);
            return fail_hint(err, "make by hand in the scratch database what the scratch role may "
                                  "not (an extension, a language): it is the template of clones");
        }
        if (!s->done)
            lines[notes->count++] = mem_printf(ctx, "%s: %s", s->object, s->why.message);
    }
    return true;
}

bool clone_make(const void *ctx, struct connection *db, const struct catalog *catalog,
                const struct clone_choice *choice, struct catalog_texts *notes, struct error *err)
{
    SCOPE(tmp);
    struct clone_list *list = statements(tmp, catalog, choice);
    bool moved = true;
    if (!connection_script(db,
                           "SET check_function_bodies = off; SET synchronous_commit = off;"
                           "SET client_min_messages = warning",
                           err))
        return false;
    while (moved)
        if (!round_run(db, list, &moved, err))
            return fail_in(err, "clone");
    return judge(ctx, list, notes, err) &&
           connection_script(db, "RESET check_function_bodies; RESET client_min_messages", err);
}
