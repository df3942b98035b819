/* The operation `rehearse`: the same code that works on users' databases, on a clone. */
#include <stdio.h>
#include <unistd.h>

#include "agents/agent/clone.h"
#include "agents/agent/course.h"
#include "agents/agent/handlers.h"
#include "agents/agent/inside.h"
#include "agents/agent/journal.h"
#include "agents/agent/rehearsal.h"
#include "agents/agent/rights.h"
#include "agents/agent/scratch.h"
#include "agents/agent/work.h"
#include "agents/base/clock.h"
#include "agents/base/digest.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/pg/catalog_read.h"

static bool parts_read(struct rehearsal *r, const json_t *args, struct error *err)
{
    size_t i;
    json_t *item;
    json_t *list = NULL;
    if (!json_need_array(args, "parts", &list, err))
        return false;
    r->parts = mem_array(r, struct part *, json_array_size(list));
    json_array_foreach(list, i, item) {
        if (!part_from_json(r, item, &r->parts[i], err) ||
            !part_stays_inside(r->parts[i], true, err))
            return fail_in(err, "parts[%zu]", i);
        if (i > 0 && r->parts[i]->phase <= r->parts[i - 1]->phase)
            return fail(err, ERROR_INVALID, "parts[%zu]: phases are in order, each once", i);
        r->part_count++;
    }
    return true;
}

/* What the role lacks that is to do it: before anything is cloned, and told whatever comes of it.
 */
static bool read_rights(struct rehearsal *r, struct connection *db, struct error *err)
{
    if (!json_array_size(r->needs))
        return true;
    json_t *missing = NULL;
    if (!connection_names(db, NULL, err) || !rights_missing(db, r->needs, &missing, err))
        return false;
    r->missing = json_own(r, missing);
    r->role = mem_text(r, connection_facts(db)->user);
    return true;
}

static bool read_target(struct rehearsal *r, struct error *err)
{
    SCOPE(tmp);
    struct connection *db = NULL;
    struct connection_options options = { .conninfo = r->database->conninfo, .tag = "rehearse" };
    if (!connection_open(tmp, &options, &db, err) || !catalog_read(r, db, &r->target, err) ||
        !read_rights(r, db, err))
        return fail_in(err, "database %s", r->database->name);
    return true;
}

static void add_relation(struct rehearsal *r, struct clone_choice *choice, const char *relation)
{
    const char **list = (const char **)(uintptr_t)choice->relations;
    if (!relation)
        return;
    list = mem_room(r, list, const char *, choice->relation_count + 1);
    list[choice->relation_count++] = relation;
    choice->relations = list;
}

static void note_add(const void *ctx, struct catalog_texts *notes, const char *note)
{
    const char **list = mem_array(ctx, const char *, notes->count + 1);
    for (size_t i = 0; i < notes->count; i++)
        list[i] = notes->items[i];
    list[notes->count] = note;
    *notes = (struct catalog_texts){ list, notes->count + 1 };
}

static bool make_clone(struct rehearsal *r, struct error *err)
{
    struct clone_choice choice = { 0 };
    struct catalog_texts notes = { 0 };
    for (size_t p = 0; p < r->part_count; p++) {
        const struct part *part = r->parts[p];
        for (size_t i = 0; i < part->object_count; i++)
            add_relation(r, &choice, part->objects[i].object);
        for (size_t i = 0; i < part->step_count; i++) {
            const struct step *step = &part->steps[i];
            add_relation(r, &choice, step->batch.relation);
            add_relation(r, &choice, step->snapshot.of);
            for (size_t k = 0; k < step->lock_count; k++)
                add_relation(r, &choice, step->locks[k].relation);
        }
    }
    if (!clone_make(r, r->db, r->target, &choice, &notes, err) ||
        (!r->misfit && !clone_sample(r->db, r->target, err)) ||
        !connection_exec(r->db, "ANALYZE", err))
        return false;
    if (r->misfit)
        note_add(r, &notes,
                 mem_printf(r, "on empty tables, because rows that were made up do not fit: %s",
                            r->misfit));
    r->notes = notes;
    return true;
}

/* One runner at a time is a rule of real databases; here the fence only has to be there. */
static bool make_journal(struct rehearsal *r, struct error *err)
{
    return journal_install(r->db, err) &&
           connection_exec(r->db, "INSERT INTO flotilla.fence (token, run) VALUES (1, 'rehearsal')",
                           err);
}

static bool prepare(struct rehearsal *r, struct error *err)
{
    return read_target(r, err) && scratch_open(r, r->config, r->database, &r->scratch, err) &&
           scratch_connect(r, r->scratch, &r->db, err) &&
           scratch_connect(r, r->scratch, &r->watch, err) && make_clone(r, err) &&
           connection_names(r->db, r->target->search_path, err) &&
           connection_names(r->watch, r->target->search_path, err) && make_journal(r, err);
}

static int rehearsal_end(struct rehearsal *r)
{
    /* Sessions first, or the database cannot be dropped without force. */
    talloc_free(r->db);
    talloc_free(r->watch);
    talloc_free(r->scratch);
    if (r->run)
        spool_remove(r->config->spool, r->run);
    if (r->lock >= 0)
        close(r->lock);
    return 0;
}

static bool begin(const void *ctx, struct agent *agent, const json_t *args, struct rehearsal **out,
                  struct error *err)
{
    struct rehearsal *r = mem_new(ctx, struct rehearsal);
    r->config = agent->config;
    r->lock = -1;
    r->needs = json_object_get(args, "needs");
    r->began_ms = clock_mono_ms();
    if (!agent_args_database(agent, args, &r->database, err) || !parts_read(r, args, err))
        return false;
    spool_sweep(r->config->spool, "rehearsal-");
    const char *run = mem_printf(r, "rehearsal-%s", digest_random_id(r, 8));
    if (!spool_make(r->config->spool, run, err))
        return false;
    r->run = run;
    talloc_set_destructor(r, rehearsal_end);
    *out = r;
    return spool_lock(r->config->spool, run, &r->lock, err) &&
           spool_open(r, r->config->spool, run, &r->spool, err);
}

static bool rehearse(void *ctx, struct agent *agent, const json_t *args, struct reply *reply,
                     struct error *why, json_t **result, struct error *err)
{
    struct rehearsal *r = NULL;
    if (!begin(ctx, agent, args, &r, err))
        return false;
    r->reply = reply;
    r->misfit = why->code ? why->message : NULL;
    struct error now;
    bool good = prepare(r, err) && rehearsal_play(r, result, &now, err);
    talloc_free(r);
    *why = good ? now : *why;
    return good;
}

/* A proof about the users' own rows, before anything is made, proves nothing on rows that were made
 * up; later ones are about what the plan made of them. */
static bool rows_at_fault(const json_t *result)
{
    size_t i;
    const json_t *step;
    json_array_foreach(json_object_get(result, "steps"), i, step) {
        if (text_starts(json_text_of(step, "id"), "expand/") &&
            text_eq(json_text_of(json_object_get(step, "error"), "code"), "verify"))
            return true;
    }
    return false;
}

bool handle_rehearse(struct agent *agent, const json_t *args, struct reply *reply, json_t **result,
                     struct error *err)
{
    SCOPE(tmp);
    struct error why = { 0 };
    json_t *first = NULL;
    if (!rehearse(tmp, agent, args, reply, &why, &first, err))
        return false;
    if (!rehearsal_is_misfit(why.sqlstate) && !rows_at_fault(first)) {
        *result = first;
        return true;
    }
    json_decref(first);
    return rehearse(tmp, agent, args, reply, &why, result, err);
}
