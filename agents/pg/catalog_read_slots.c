#include <uthash.h>

#include "agents/base/clock.h"
#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"
#include "agents/pg/catalog_reader.h"

enum {
    BATCH = 2000,       /* slots a query: the locks it takes are given back after it */
    LOCK_WAIT_MS = 50,  /* of one try; an application queues behind ours for no longer */
    PATIENCE_MS = 2000, /* for all waits of a read together */
};

static const struct {
    const char *label, *sql;
} kinds[] = {
#define X(id, label, sql) { label, sql },
    SLOT_KINDS(X)
#undef X
};

/* Somebody holds or wants ACCESS EXCLUSIVE on a relation; we would queue behind either. */
struct lock {
    uint32_t oid;
    const char *who;
    UT_hash_handle hh;
};

struct filler {
    struct reader *reader;
    struct lock *locks;
    int64_t until_ms; /* when patience ends */
};

static bool read_locks(struct filler *f, struct error *err)
{
    struct rows *rows = NULL;

    if (!reader_query(f->reader,
                      "SELECT l.relation, CASE WHEN l.pid IS NULL THEN 'a prepared transaction'"
                      " ELSE format('pid %s', l.pid) || coalesce(format(' (%s)',"
                      " nullif(a.application_name, '')), '') END"
                      " FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid"
                      " WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'"
                      " AND l.database = (SELECT oid FROM pg_database"
                      " WHERE datname = current_database())"
                      " AND l.pid IS DISTINCT FROM pg_backend_pid()"
                      " ORDER BY l.granted DESC",
                      &rows, err))
        return false;
    HASH_CLEAR(hh, f->locks);
    struct lock *locks = mem_array(f->reader->tmp, struct lock, rows_count(rows));
    for (size_t i = 0; i < rows_count(rows); i++) {
        struct lock *known = NULL;

        locks[i].oid = reader_oid(rows, i, 0);
        locks[i].who = rows_text(rows, i, 1);
        HASH_FIND(hh, f->locks, &locks[i].oid, sizeof locks[i].oid, known);
        if (!known)
            HASH_ADD(hh, f->locks, oid, sizeof locks[i].oid, &locks[i]);
    }
    return true;
}

static const struct lock *lock_on(const struct filler *f, uint32_t oid)
{
    struct lock *lock = NULL;

    HASH_FIND(hh, f->locks, &oid, sizeof oid, lock);
    return lock;
}

static const struct lock *lock_on_any(const struct filler *f, const struct oids *oids)
{
    const struct lock *lock = NULL;

    for (size_t i = 0; !lock && i < oids->count; i++)
        lock = lock_on(f, oids->items[i]);
    return lock;
}

/* The lock that a slot's format function would wait for. */
static const struct lock *lock_of(const struct filler *f, enum slot_kind kind,
                                  const struct slot *slot)
{
    const struct lock *lock = slot->place ? lock_on(f, slot->place->oid) : NULL;

    if (!f->locks)
        return NULL;
    if (!lock && (kind == SLOT_INDEX || kind == SLOT_PREDICATE))
        lock = lock_on(f, slot->oid);
    if (!lock && kind == SLOT_VIEW)
        lock = lock_on_any(f, &slot->place->reads);
    if (!lock)
        lock = lock_on_any(f, &slot->reads);
    return lock;
}

static void give_up(struct filler *f, enum slot_kind kind, const struct slot *slot, const char *who)
{
    SCOPE(tmp);
    const struct relation *r = slot->place ? slot->place->relation : NULL;
    const char *relation = r ? object_name_join(tmp, r->schema, r->name) : "";
    const char *object =
        slot->name && r
            ? mem_printf(tmp, "%s: %s %s", relation, kinds[kind].label, slot->name)
            : mem_printf(tmp, "%s %s", kinds[kind].label, slot->name ? slot->name : relation);

    if (r)
        slot->place->relation->incomplete = true;
    reader_unreadable(f->reader, object,
                      who ? mem_printf(tmp, "locked by %s", who)
                          : mem_printf(tmp, "locked: no answer within %d ms", LOCK_WAIT_MS));
}

static const char *oid_list(const void *ctx, struct slot *const *slots, size_t count)
{
    struct text list = text_init(ctx, TEXT_SQL);

    text_addc(&list, '{');
    for (size_t i = 0; i < count; i++)
        text_addf(&list, "%s%u", i ? "," : "", slots[i]->oid);
    text_addc(&list, '}');
    return list.data;
}

/* One query; afterwards every lock that it took is gone. */
static bool fill_now(struct filler *f, enum slot_kind kind, struct slot *const *slots, size_t count,
                     struct error *err)
{
    SCOPE(tmp);
    struct reader *reader = f->reader;
    const char *oids = oid_list(tmp, slots, count);
    const char *sql = mem_printf(tmp,
                                 "WITH ids AS (SELECT o, i FROM unnest($1::oid[])"
                                 " WITH ORDINALITY u(o, i)) SELECT i, %s",
                                 kinds[kind].sql);
    struct rows *rows = NULL;
    struct error ignored;

    bool good = connection_query(tmp, reader->pg, sql, &oids, 1, &rows, err);
    if (!connection_exec(reader->pg, "ROLLBACK TO SAVEPOINT slots", good ? err : &ignored) || !good)
        return false;
    if (rows_count(rows) < count)
        reader->moved = true;
    for (size_t i = 0; i < rows_count(rows); i++) {
        const char *text = rows_text(rows, i, 1);
        struct slot *slot = slots[rows_int(rows, i, 0) - 1];

        if (text)
            *slot->target = mem_text(reader->catalog, text);
        else
            reader->moved = true;
    }
    return true;
}

/* Errors of format functions about objects that were dropped after our snapshot: cache lookup
 * failed (XX000), undefined objects (42P01, 42704, 42883). */
static bool is_gone(const struct error *err)
{
    return text_eq(err->sqlstate, "XX000") || text_eq(err->sqlstate, "42P01") ||
           text_eq(err->sqlstate, "42704") || text_eq(err->sqlstate, "42883");
}

/* Fills what is not locked; a batch that had to wait is halved until the one is found. */
static bool fill(struct filler *f, enum slot_kind kind, struct slot **slots, size_t count,
                 struct error *err)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        const struct lock *lock = lock_of(f, kind, slots[i]);

        if (lock)
            give_up(f, kind, slots[i], lock->who);
        else
            slots[kept++] = slots[i];
    }
    if (kept == 0 || fill_now(f, kind, slots, kept, err))
        return true;
    if (is_gone(err)) {
        f->reader->moved = true;
        return true;
    }
    if (err->code != ERROR_LOCK_TIMEOUT)
        return fail_in(err, "read definitions");
    if (kept == 1 || clock_mono_ms() > f->until_ms) {
        for (size_t i = 0; i < kept; i++)
            give_up(f, kind, slots[i], NULL);
        return true;
    }
    if (!read_locks(f, err))
        return false;
    return fill(f, kind, slots, kept / 2, err) &&
           fill(f, kind, slots + kept / 2, kept - kept / 2, err);
}

static bool fill_kind(struct filler *f, enum slot_kind kind, struct error *err)
{
    SCOPE(tmp);
    const struct slots *all = &f->reader->slots[kind];
    struct slot **batch = mem_array(tmp, struct slot *, BATCH);

    for (size_t i = 0; i < all->count; i += BATCH) {
        size_t count = 0;

        while (count < BATCH && i + count < all->count) {
            batch[count] = &all->items[i + count];
            count++;
        }
        if (!fill(f, kind, batch, count, err))
            return false;
    }
    return true;
}

bool catalog_read_slots(struct reader *reader, struct error *err)
{
    SCOPE(tmp);
    struct filler f = { .reader = reader, .until_ms = clock_mono_ms() + PATIENCE_MS };
    const char *begin =
        mem_printf(tmp, "SET LOCAL lock_timeout = %d; SAVEPOINT slots", LOCK_WAIT_MS);
    bool good = read_locks(&f, err) && connection_script(reader->pg, begin, err);

    for (int kind = 0; good && kind < SLOT_KIND_COUNT; kind++)
        good = fill_kind(&f, (enum slot_kind)kind, err);
    HASH_CLEAR(hh, f.locks);
    return good;
}
