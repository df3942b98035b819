#include "agents/agent/drift.h"

#include "agents/agent/journal.h"
#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/pg/catalog_read.h"

enum {
    TRIES = 10, /* while somebody's lock keeps an object from being read */
    PAUSE_MS = 500,
    NAMED_MOST = 400, /* characters of the message that name objects */
};

static const char *print_of(const void *ctx, const struct catalog *catalog, const char *object)
{
    const char *print = catalog_object_fingerprint(ctx, catalog, object);
    return print ? print : "absent";
}

/* What the object should look like; null: it cannot be told. The plan tells it for before the
 * rollout's first step here; after that it is what was recorded when the last run ended, or nothing
 * when that could not be read. */
static bool expected_print(const void *ctx, struct work *work, const struct part_object *object,
                           const char **out, struct error *err)
{
    struct journal_object row;
    const char *last = NULL;
    if (!journal_object_read(ctx, work, object->object, &row, err) ||
        !journal_last_step(ctx, work, &last, err))
        return false;
    if (row.fingerprint)
        *out = text_eq(row.after, last) ? row.fingerprint : NULL;
    else
        *out = text_empty(last) ? object->fingerprint : NULL;
    return true;
}

static bool changed_now(const void *ctx, struct work *work, const struct catalog *catalog,
                        struct catalog_texts *out, struct error *err)
{
    const struct part *part = work->part;
    const char **list = mem_array(ctx, const char *, part->object_count);
    *out = (struct catalog_texts){ list, 0 };
    for (size_t i = 0; i < part->object_count; i++) {
        const char *expected = NULL;
        if (!expected_print(ctx, work, &part->objects[i], &expected, err))
            return false;
        if (expected && !text_eq(expected, print_of(ctx, catalog, part->objects[i].object)))
            list[out->count++] = part->objects[i].object;
    }
    return true;
}

static bool tell(struct work *work, const struct catalog_texts *changed, struct error *err)
{
    for (size_t i = 0; i < changed->count; i++)
        if (!work_event(work, "drift", json_pack("{s:s}", "object", changed->items[i]), err))
            return false;
    return true;
}

static bool refuse(const struct work *work, const struct catalog_texts *changed, struct error *err)
{
    SCOPE(tmp);
    struct text names = text_init(tmp, NAMED_MOST);
    for (size_t i = 0; i < changed->count; i++)
        text_addf(&names, "%s%s", i ? ", " : "", changed->items[i]);
    return fail(err, ERROR_DRIFT, "database %s: changed by somebody else since %s: %s%s",
                work->database, "the plan was drafted or the last phase ended", names.data,
                names.full ? " …" : "");
}

bool drift_check(struct work *work, struct error *err)
{
    SCOPE(tmp);
    struct catalog *catalog = NULL;
    struct catalog_texts changed = { 0 };
    if (work->part->object_count == 0)
        return true;
    for (int tries = 1;; tries++) {
        if (!catalog_read(tmp, work->watch, &catalog, err) ||
            !changed_now(tmp, work, catalog, &changed, err))
            return fail_in(err, "drift");
        if (changed.count == 0)
            return true;
        if (catalog->unreadable_count == 0 || tries == TRIES)
            break;
        work_sleep(work, PAUSE_MS);
    }
    if (catalog->unreadable_count > 0 && !work->back)
        return fail(err, ERROR_LOCK_TIMEOUT, "database %s: cannot read %s: %s", work->database,
                    catalog->unreadable[0].object, catalog->unreadable[0].reason);
    return tell(work, &changed, err) && (work->back || refuse(work, &changed, err));
}

static bool write_all(struct work *work, const struct catalog *catalog, struct error *err)
{
    SCOPE(tmp);
    for (size_t i = 0; i < work->part->object_count; i++) {
        const char *object = work->part->objects[i].object;
        if (!journal_object_write(work, object, print_of(tmp, catalog, object), err))
            return false;
    }
    return true;
}

bool drift_record(struct work *work, struct error *err)
{
    SCOPE(tmp);
    struct catalog *catalog = NULL;
    if (work->part->object_count == 0)
        return true;
    for (int tries = 1; !catalog || catalog->unreadable_count > 0; tries++) {
        if (tries > TRIES)
            return true; /* left open: the next run does not ask */
        if (tries > 1)
            work_sleep(work, PAUSE_MS);
        if (!catalog_read(tmp, work->watch, &catalog, err))
            return fail_in(err, "drift");
    }
    if (!work_begin(work, err))
        return false;
    if (write_all(work, catalog, err))
        return work_commit(work, err);
    work_rollback(work);
    return false;
}
