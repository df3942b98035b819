#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/text.h"
#include "controller/store/sqlite.h"

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
    if (!query_of(store, "SELECT id FROM rollout WHERE plan = ? ORDER BY created_ms DESC LIMIT 1",
                  w->plan, &q, err) ||
        !query_next(&q, &row, err))
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

bool store_rejection_withdraw(struct store *store, const struct store_word *word, bool *was,
                              struct error *err)
{
    AUTO_CHANGE change;
    if (!change_begin(store, &change, err) ||
        !word_write(store,
                    "DELETE FROM rejection WHERE plan = ?1 AND phase = ?2 AND service = ?3 "
                    "AND digest = ?4 AND signer = ?5 AND time_ms <= ?8",
                    word, err))
        return false;
    *was = sqlite3_changes(store->db) > 0;
    return (!*was || word_tell(store, word, "rejection_withdrawn", err)) &&
           change_commit(&change, err);
}

bool store_ack_add(struct store *store, const struct store_word *word, struct error *err)
{
    return word_add(store,
                    "INSERT OR REPLACE INTO ack (plan, service, who, note, time_ms) "
                    "VALUES (?1,?3,?5,?7,?8)",
                    word, "acknowledged", err);
}

static bool word_row(const void *ctx, struct query *q, void *item, struct error *err)
{
    struct store_word *w = item;
    const char **const texts[] = { &w->plan, &w->phase,     &w->service, &w->digest,
                                   &w->who,  &w->signed_at, &w->text };
    (void)err;
    for (int i = 0; i < 7; i++)
        *texts[i] = query_column(ctx, q, i);
    w->time_ms = query_column_int(q, 7);
    return true;
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
    return query_of(store, sql[kind], plan, &q, err) &&
           query_all(ctx, &q, sizeof(**out), word_row, out, count, err);
}
