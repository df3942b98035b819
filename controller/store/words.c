#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/text.h"
#include "controller/store/sqlite.h"

/* --- the lease ----------------------------------------------------------------------------- */

struct lease_row {
    const char *holder;
    int64_t token, expires_ms;
};

static bool lease_read(const void *ctx, struct store *store, const char *rollout,
                       struct lease_row *out, struct error *err)
{
    AUTO_QUERY q;
    bool row = false;
    *out = (struct lease_row){ 0 };
    if (!query_begin(store, "SELECT holder, token, expires_ms FROM lease WHERE rollout = ?", &q,
                     err))
        return false;
    query_text(&q, rollout);
    if (!query_next(&q, &row, err))
        return false;
    if (row)
        *out = (struct lease_row){ query_column(ctx, &q, 0), query_column_int(&q, 1),
                                   query_column_int(&q, 2) };
    return true;
}

static bool lease_write(struct store *store, const struct store_lease *lease, int64_t expires_ms,
                        struct error *err)
{
    AUTO_QUERY q;
    if (!query_begin(store,
                     "INSERT INTO lease (rollout, token, holder, expires_ms) VALUES (?,?,?,?) "
                     "ON CONFLICT (rollout) DO UPDATE SET token = excluded.token, "
                     "holder = excluded.holder, expires_ms = excluded.expires_ms",
                     &q, err))
        return false;
    query_text(&q, lease->rollout);
    query_int(&q, lease->token);
    query_text(&q, lease->holder);
    query_int(&q, expires_ms);
    return query_run(&q, err);
}

bool store_lease_take(const void *ctx, struct store *store, struct store_lease *lease,
                      int64_t now_ms, int64_t ttl_ms, struct error *err)
{
    AUTO_CHANGE change;
    struct lease_row row;
    if (!change_begin(store, &change, err) || !lease_read(ctx, store, lease->rollout, &row, err))
        return false;
    bool mine = row.token != 0 && row.token == lease->token;
    if (!mine && row.expires_ms > now_ms) {
        lease->token = 0;
        lease->other = row.holder;
        return true;
    }
    /* A driver that lost its lease while it slept must not take it back under the old token. */
    if (!mine)
        lease->token = row.token >= now_ms ? row.token + 1 : now_ms;
    lease->other = NULL;
    return lease_write(store, lease, now_ms + ttl_ms, err) && change_commit(&change, err);
}

bool store_lease_release(struct store *store, const char *rollout, int64_t token, struct error *err)
{
    AUTO_QUERY q;
    if (!query_begin(store, "UPDATE lease SET expires_ms = 0 WHERE rollout = ? AND token = ?", &q,
                     err))
        return false;
    query_text(&q, rollout);
    query_int(&q, token);
    return query_run(&q, err);
}

bool store_lease_break(struct store *store, const char *rollout, const char *holder,
                       struct error *err)
{
    AUTO_QUERY q;
    if (!query_begin(store, "UPDATE lease SET expires_ms = 0 WHERE rollout = ? AND holder = ?", &q,
                     err))
        return false;
    query_text(&q, rollout);
    query_text(&q, holder);
    return query_run(&q, err);
}

bool store_lease_holder(const void *ctx, struct store *store, const char *rollout, int64_t now_ms,
                        const char **out, struct error *err)
{
    struct lease_row row;
    if (!lease_read(ctx, store, rollout, &row, err))
        return false;
    *out = row.expires_ms > now_ms ? row.holder : NULL;
    return true;
}

/* --- controls ------------------------------------------------------------------------------ */

bool store_control_add(struct store *store, const char *rollout,
                       const struct store_control *control, int64_t now_ms, int64_t *id,
                       struct error *err)
{
    AUTO_QUERY q;
    if (!query_begin(store,
                     "INSERT INTO control (rollout, verb, argument, who, time_ms) "
                     "VALUES (?,?,?,?,?)",
                     &q, err))
        return false;
    query_text(&q, rollout);
    query_text(&q, control->verb);
    query_text(&q, control->argument);
    query_text(&q, control->who);
    query_int(&q, now_ms);
    if (!query_run(&q, err))
        return false;
    *id = sqlite3_last_insert_rowid(store->db);
    return true;
}

bool store_controls(const void *ctx, struct store *store, const char *rollout,
                    struct store_control **out, size_t *count, struct error *err)
{
    AUTO_QUERY q;
    if (!query_begin(store,
                     "SELECT id, verb, argument, who FROM control "
                     "WHERE rollout = ? AND answer IS NULL ORDER BY id",
                     &q, err))
        return false;
    query_text(&q, rollout);
    struct store_control *list = NULL;
    size_t n = 0;
    for (;;) {
        bool row = false;
        if (!query_next(&q, &row, err))
            return false;
        if (!row)
            break;
        list = mem_room(ctx, list, struct store_control, n + 1);
        list[n].id = query_column_int(&q, 0);
        list[n].verb = query_column(ctx, &q, 1);
        list[n].argument = query_column(ctx, &q, 2);
        list[n++].who = query_column(ctx, &q, 3);
    }
    *out = list;
    *count = n;
    return true;
}

bool store_control_answer(struct store *store, int64_t id, const char *answer, struct error *err)
{
    AUTO_QUERY q;
    if (!query_begin(store, "UPDATE control SET answer = ? WHERE id = ?", &q, err))
        return false;
    query_text(&q, answer);
    query_int(&q, id);
    return query_run(&q, err);
}

bool store_control_answered(const void *ctx, struct store *store, int64_t id, const char **out,
                            struct error *err)
{
    AUTO_QUERY q;
    bool row = false;
    if (!query_begin(store, "SELECT answer FROM control WHERE id = ?", &q, err))
        return false;
    query_int(&q, id);
    if (!query_next(&q, &row, err))
        return false;
    *out = row ? query_column(ctx, &q, 0) : NULL;
    return true;
}

/* --- approvals, rejections, acknowledgements ----------------------------------------------- */

static json_t *word_event(const void *ctx, const struct store_word *w, const char *event,
                          const char *rollout)
{
    json_t *o = json_own(ctx, json_object());
    int64_t now = clock_wall_ms();
    json_set_text(o, "event", event);
    json_set_text(o, "rollout", rollout);
    json_set_int(o, "time_ms", now);
    json_set_text(o, "time", clock_rfc3339(ctx, now));
    json_set_text(o, "phase", w->phase);
    json_set_text(o, "service", w->service);
    json_set_text(o, "digest", w->digest);
    json_set_text(o, "by", w->who);
    if (!w->signed_at && !text_empty(w->text)) /* a signature is no reason */
        json_set_text(o, "reason", w->text);
    return o;
}

/* What is said before there is a rollout stands in the tables alone. */
static bool word_tell(struct store *store, const struct store_word *w, const char *event,
                      struct error *err)
{
    SCOPE(tmp);
    AUTO_QUERY q;
    bool row = false;
    if (!query_begin(store,
                     "SELECT id FROM rollout WHERE plan = ? ORDER BY created_ms DESC LIMIT 1", &q,
                     err))
        return false;
    query_text(&q, w->plan);
    if (!query_next(&q, &row, err))
        return false;
    if (!row)
        return true;
    const char *rollout = query_column(tmp, &q, 0);
    json_t *body = word_event(tmp, w, event, rollout);
    return store_append(store, rollout, &body, 1, err);
}

static bool word_write(struct store *store, const char *sql, const struct store_word *w,
                       struct error *err)
{
    AUTO_QUERY q;
    if (!query_begin(store, sql, &q, err))
        return false;
    const char *const texts[] = { w->plan, w->phase,     w->service, w->digest,
                                  w->who,  w->signed_at, w->text };
    for (int i = 0; i < 7 && i < sqlite3_bind_parameter_count(q.stmt); i++)
        query_text(&q, texts[i]);
    if (sqlite3_bind_parameter_count(q.stmt) > 7)
        query_int(&q, w->time_ms);
    return query_run(&q, err);
}

static bool word_add(struct store *store, const char *sql, const struct store_word *w,
                     const char *event, struct error *err)
{
    AUTO_CHANGE change;
    return change_begin(store, &change, err) && word_write(store, sql, w, err) &&
           word_tell(store, w, event, err) && change_commit(&change, err);
}

bool store_approval_add(struct store *store, const struct store_word *word, struct error *err)
{
    return word_add(store,
                    "INSERT OR REPLACE INTO approval (plan, phase, service, digest, signer, "
                    "signed_at, signature) VALUES (?1,?2,?3,?4,?5,?6,?7)",
                    word, "approved", err);
}

bool store_rejection_add(struct store *store, const struct store_word *word, struct error *err)
{
    return word_add(store,
                    "INSERT OR REPLACE INTO rejection (plan, phase, service, digest, signer, "
                    "reason, time_ms) VALUES (?1,?2,?3,?4,?5,?7,?8)",
                    word, "rejected", err);
}

bool store_rejection_withdraw(struct store *store, const struct store_word *word, struct error *err)
{
    return word_add(store,
                    "DELETE FROM rejection WHERE plan = ?1 AND phase = ?2 AND service = ?3 "
                    "AND digest = ?4 AND signer = ?5",
                    word, "rejection_withdrawn", err);
}

bool store_ack_add(struct store *store, const struct store_word *word, struct error *err)
{
    return word_add(store,
                    "INSERT OR REPLACE INTO ack (plan, service, who, note, time_ms) "
                    "VALUES (?1,?3,?5,?7,?8)",
                    word, "acknowledged", err);
}

bool store_words(const void *ctx, struct store *store, enum store_words kind, const char *plan,
                 struct store_word **out, size_t *count, struct error *err)
{
    static const char *const sql[] = {
        "SELECT plan, phase, service, digest, signer, signed_at, signature, 0 FROM approval "
        "WHERE plan = ? ORDER BY 2, 3, 5",
        "SELECT plan, phase, service, digest, signer, '', reason, time_ms FROM rejection "
        "WHERE plan = ? ORDER BY 2, 3, 5",
        "SELECT plan, '', service, '', who, '', note, time_ms FROM ack "
        "WHERE plan = ? ORDER BY 3",
    };
    AUTO_QUERY q;
    if (!query_begin(store, sql[kind], &q, err))
        return false;
    query_text(&q, plan);
    struct store_word *list = NULL;
    size_t n = 0;
    for (;;) {
        bool row = false;
        if (!query_next(&q, &row, err))
            return false;
        if (!row)
            break;
        list = mem_room(ctx, list, struct store_word, n + 1);
        struct store_word *w = &list[n++];
        const char **const texts[] = { &w->plan, &w->phase,     &w->service, &w->digest,
                                       &w->who,  &w->signed_at, &w->text };
        for (int i = 0; i < 7; i++)
            *texts[i] = query_column(ctx, &q, i);
        w->time_ms = query_column_int(&q, 7);
    }
    *out = list;
    *count = n;
    return true;
}
