/*
 * Rows that a script writes. An UPDATE that can be cut into batches becomes a data_backfill; other
 * statements run as they stand, and in the same transaction what they change is kept in the schema
 * flotilla for the way back: keys of new rows, old values, deleted rows.
 */
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/ddl/ddl.h"
#include "controller/ddl/write_text.h"
#include "controller/work/row_step.h"

struct rows {
    struct ddl *d;
    struct relation *relation;
    const struct sql_write *write;
    struct write_text text;
    struct step_texts key;
    const char *table, *side; /* quoted */
    struct ddl_back back;
};

/* --- nothing to undo ------------------------------------------------------------------------- */

static void run_plain(struct ddl *d, const char *why, enum phase phase)
{
    struct ddl_back back = { .phase = phase };
    ddl_down(d, &back, "SELECT %s", literal(d->work, say(d->work, "nothing to undo: %s", why)));
    ddl_raw(d, d->s->sql, &back);
}

/* A called function that may change something; null: none. */
static const char *acting(const struct ddl *d)
{
    static const char *const harmless[] = {
        "setval",           "set_config",         "pg_notify", "nextval", "pg_advisory_xact_lock",
        "pg_advisory_lock", "pg_advisory_unlock", "pg_sleep"
    };
    const struct sql_query *q = d->s->query;
    for (size_t i = 0; q && i < q->functions.count; i++) {
        const char *name = q->functions.items[i], *dot = strrchr(name, '.');
        const char *last = dot ? dot + 1 : name;
        enum sql_volatility how = sql_function_volatility(last);
        size_t count;
        const struct function *f = model_function(d->work->home, NULL, last, &count);
        bool fine = how == SQL_IMMUTABLE || how == SQL_STABLE || (f && f->volatility != 'v');
        for (size_t k = 0; k < sizeof harmless / sizeof *harmless; k++) {
            fine = fine || text_eq(harmless[k], last);
        }
        if (!fine && (f || how == SQL_UNKNOWN)) {
            return last;
        }
    }
    return NULL;
}

static void select_or_call(struct ddl *d)
{
    const char *name = acting(d);
    if (d->s->kind == SQL_STMT_SELECT && !name) {
        run_plain(d, "it only reads", PHASE_EXPAND);
        return;
    }
    struct ddl_back back = { .phase = PHASE_CONTRACT };
    back.why = say(d->work, "what %s%s changes is not known here", name ? "function " : "the call",
                   name ? name : "");
    ddl_raw(d, d->s->sql, &back);
}

/* --- an UPDATE in batches -------------------------------------------------------------------- */

static bool column_is_new(const struct rows *r, const char *column)
{
    return work_is_made(r->d->work, say(r->d->work, "empty column %s",
                                        column_key(r->d->work, r->relation, column)));
}

/* Done twice, in parts, and after a crash it has to give the same. */
static bool can_batch(const struct rows *r, bool *only_nulls)
{
    SCOPE(tmp);
    struct error ignored;
    *only_nulls = false;
    if (r->write->kind != SQL_UPDATE || !r->text.simple || r->relation->kind == 'f') {
        return false;
    }
    for (size_t i = 0; i < r->text.assignment_count; i++) {
        struct sql_expression *e;
        const struct assignment *a = &r->text.assignments[i];
        if (!sql_expression_check(tmp, a->expression, &e, &ignored) || e->subselect) {
            return false;
        }
        if (e->volatility == SQL_IMMUTABLE) {
            continue;
        }
        bool fresh = column_is_new(r, a->column);
        if (!fresh && !sql_texts_have(&r->write->is_null, a->column)) {
            return false;
        }
        *only_nulls = *only_nulls || fresh;
    }
    return true;
}

static bool batched(struct rows *r)
{
    struct work *work = r->d->work;
    bool only_nulls;
    if (!can_batch(r, &only_nulls)) {
        return false;
    }
    struct text where = text_init(work->ctx, TEXT_SQL);
    json_t *fields = json_object(), *set = json_object();
    for (size_t i = 0; i < r->text.assignment_count; i++) {
        const struct assignment *a = &r->text.assignments[i];
        json_object_set_new(set, a->column, json_string(a->expression));
        if (only_nulls && column_is_new(r, a->column)) {
            text_addf(&where, "%s%s IS NULL", where.len ? " AND " : "", ident(work, a->column));
        }
    }
    if (r->text.where) {
        text_addf(&where, "%s(%s)", where.len ? " AND " : "", r->text.where);
    }
    json_set_text(fields, "table", relation_key(work, r->relation));
    json_object_set_new(fields, "set", set);
    json_set_text(fields, "where", where.len ? where.data : NULL);
    bool fine = ddl_try(r->d, "data_backfill", fields);
    for (size_t i = 0; i < r->write->columns.count; i++) {
        work_unmade(work, say(work, "empty column %s",
                              column_key(work, r->relation, r->write->columns.items[i])));
    }
    return fine;
}

/* --- kept beside ----------------------------------------------------------------------------- */

static const char *joined_keys(const struct rows *r, const char *prefix)
{
    struct text t = text_init(r->d->work->ctx, TEXT_LINE);
    for (size_t i = 0; i < r->key.count; i++) {
        text_addf(&t, "%s%s%s", i ? ", " : "", prefix, ident(r->d->work, r->key.items[i]));
    }
    return t.data;
}

static const char *same_keys(const struct rows *r)
{
    struct text t = text_init(r->d->work->ctx, TEXT_SQL);
    for (size_t i = 0; i < r->key.count; i++) {
        const char *column = ident(r->d->work, r->key.items[i]);
        text_addf(&t, "%st.%s = k.%s", i ? " AND " : "", column, column);
    }
    return t.data;
}

static void before(struct rows *r, const char *sql)
{
    step_texts_add(r->d->work->ctx, &r->back.before, sql);
}

static void side_goes(struct rows *r)
{
    ddl_down(r->d, &r->back, "DROP TABLE %s", r->side);
}

static const char *keep_inserted(struct rows *r)
{
    struct work *work = r->d->work;
    if (!r->key.count || r->text.returning) {
        r->back.why = say(work, "%s has no key by which its new rows could be found again",
                          relation_key(work, r->relation));
        return r->d->s->sql;
    }
    before(r, say(work, "CREATE TABLE %s AS SELECT %s FROM %s WITH NO DATA", r->side,
                  joined_keys(r, ""), r->table));
    ddl_down(r->d, &r->back, "DELETE FROM %s t USING %s k WHERE %s", r->table, r->side,
             same_keys(r));
    side_goes(r);
    return say(work,
               "WITH flotilla_new AS (%s RETURNING %s, xmax = 0 AS flotilla_fresh) INSERT INTO %s "
               "SELECT %s FROM flotilla_new WHERE flotilla_fresh",
               r->text.sql, joined_keys(r, ""), r->side, joined_keys(r, ""));
}

static const char *plain_columns(const struct rows *r)
{
    struct text t = text_init(r->d->work->ctx, TEXT_SQL);
    for (size_t i = 0; i < r->relation->column_count; i++) {
        if (!r->relation->columns[i].generated) {
            text_addf(&t, "%s%s", t.len ? ", " : "",
                      ident(r->d->work, r->relation->columns[i].name));
        }
    }
    return t.data;
}

static const char *keep_deleted(struct rows *r)
{
    struct work *work = r->d->work;
    if (r->text.returning || !r->text.target) {
        r->back.why = "the rows that it deletes cannot be kept beside it";
        return r->d->s->sql;
    }
    const char *columns = plain_columns(r);
    before(r, say(work, "CREATE TABLE %s AS SELECT * FROM %s WITH NO DATA", r->side, r->table));
    ddl_down(r->d, &r->back,
             "INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %s ON CONFLICT DO NOTHING",
             r->table, columns, columns, r->side);
    side_goes(r);
    return say(work,
               "WITH flotilla_gone AS (%s RETURNING %s.*) INSERT INTO %s SELECT * FROM "
               "flotilla_gone",
               r->text.sql, r->text.target, r->side);
}

static const char *keep_updated(struct rows *r)
{
    struct work *work = r->d->work;
    struct text kept = text_init(work->ctx, TEXT_SQL), set = text_init(work->ctx, TEXT_SQL);
    if (!r->key.count || !r->text.target || !r->write->columns.count) {
        r->back.why = say(work, "%s has no key by which the old values could be put back",
                          relation_key(work, r->relation));
        return r->d->s->sql;
    }
    text_add(&kept, joined_keys(r, say(work, "%s.", r->text.target)));
    for (size_t i = 0; i < r->write->columns.count; i++) {
        const char *column = ident(work, r->write->columns.items[i]);
        bool is_key = false;
        for (size_t k = 0; k < r->key.count; k++) {
            is_key = is_key || text_eq(r->key.items[k], r->write->columns.items[i]);
        }
        if (is_key) {
            r->back.why = "it changes the key by which the old values could be put back";
            return r->d->s->sql;
        }
        text_addf(&kept, ", %s.%s", r->text.target, column);
        text_addf(&set, "%s%s = k.%s", i ? ", " : "", column, column);
    }
    before(r, say(work, "CREATE TABLE %s AS %sSELECT %s FROM %s%s%s%s%s FOR UPDATE OF %s", r->side,
                  r->text.with, kept.data, r->text.target_sql, r->text.from ? ", " : "",
                  r->text.from ? r->text.from : "", r->text.where ? " WHERE " : "",
                  r->text.where ? r->text.where : "", r->text.target));
    ddl_down(r->d, &r->back, "UPDATE %s t SET %s FROM %s k WHERE %s", r->table, set.data, r->side,
             same_keys(r));
    side_goes(r);
    return r->d->s->sql;
}

static void run_kept(struct rows *r)
{
    struct work *work = r->d->work;
    const char *sql = r->d->s->sql;
    r->side =
        name_sql(work, "flotilla",
                 object_name_fit(work->ctx, say(work, "kept %s: %s", r->relation->name, sql)));
    if (r->write->kind == SQL_DELETE) {
        sql = r->text.sql;
    }
    r->table = relation_sql(work, r->relation);
    before(r, pair_schema);
    sql = r->write->kind == SQL_INSERT   ? keep_inserted(r)
          : r->write->kind == SQL_DELETE ? keep_deleted(r)
                                         : keep_updated(r);
    r->back.phase = r->back.down.count ? PHASE_MIGRATE : PHASE_CONTRACT;
    ddl_raw(r->d, sql, &r->back);
}

/* --- which of them --------------------------------------------------------------------------- */

static bool all_made(const struct ddl *d)
{
    const struct sql_query *q = d->s->query;
    for (size_t i = 0; q && i < q->write_count; i++) {
        if (!ddl_made(d, ddl_relation(d, &q->writes[i].relation))) {
            return false;
        }
    }
    return q && q->write_count > 0;
}

static bool references(const struct relation *relation, const struct relation *other)
{
    for (size_t i = 0; i < relation->constraint_count; i++) {
        const struct constraint *key = &relation->constraints[i];
        if (key->kind == 'f' && text_eq(key->ref_table, other->name) &&
            text_eq(key->ref_schema, other->schema)) {
            return true;
        }
    }
    return false;
}

/* Rows go by DELETE: nobody who reads is locked out or sees an empty table too early, and what goes
 * is kept. */
static void empty_table(struct ddl *d, struct relation *relation)
{
    struct rows r = { .d = d, .relation = relation };
    const struct sql_write write = { .kind = SQL_DELETE };
    r.write = &write;
    r.key = snapshot_key(d->work, relation);
    r.text =
        (struct write_text){ .sql = say(d->work, "DELETE FROM %s", relation_sql(d->work, relation)),
                             .with = "",
                             .target = relation_sql(d->work, relation) };
    run_kept(&r);
    if (d->s->restart_identity) {
        for (size_t i = 0; i < d->work->home->catalog->sequence_count; i++) {
            const struct sequence *q = &d->work->home->catalog->sequences[i];
            struct ddl_back back = { .phase = PHASE_MIGRATE };
            if (text_eq(q->owned_table, relation_key(d->work, relation))) {
                ddl_down(d, &back, "SELECT 'nothing to undo: positions of sequences may differ'");
                ddl_raw(d,
                        say(d->work, "ALTER SEQUENCE %s RESTART",
                            name_sql(d->work, q->schema, q->name)),
                        &back);
            }
        }
    }
}

/* The tables of the list, and with CASCADE those that reference them. */
static size_t tables_of(struct ddl *d, struct relation **all, size_t most)
{
    const struct catalog *catalog = d->work->home->catalog;
    size_t count = 0;
    for (size_t i = 0; i < d->s->object_count && count < most; i++) {
        const struct sql_name name = { d->s->objects[i].schema, d->s->objects[i].name };
        struct relation *relation = ddl_relation(d, &name);
        if (relation) {
            all[count++] = relation;
        }
    }
    for (size_t i = 0; i < count && d->s->cascade; i++) {
        for (size_t k = 0; k < catalog->relation_count; k++) {
            bool known = !references(&catalog->relations[k], all[i]);
            for (size_t n = 0; n < count; n++) {
                known = known || all[n] == &catalog->relations[k];
            }
            if (!known && count < most) {
                all[count++] = &catalog->relations[k];
            }
        }
    }
    return count;
}

static void truncate(struct ddl *d)
{
    size_t most = d->work->home->catalog->relation_count;
    struct relation **all = mem_array(d->work->ctx, struct relation *, most);
    size_t count = tables_of(d, all, most);
    /* those that nobody left references go first */
    for (size_t rounds = count; rounds > 0 && count > 0; rounds--) {
        for (size_t i = 0; i < count; i++) {
            bool wanted = false;
            for (size_t k = 0; k < count && rounds > 1; k++) {
                wanted = wanted || (k != i && references(all[k], all[i]));
            }
            if (wanted) {
                continue;
            }
            if (ddl_made(d, all[i])) {
                run_plain(d, "the table is new", PHASE_EXPAND);
            } else {
                empty_table(d, all[i]);
            }
            all[i--] = all[--count];
        }
    }
}

/* Rows of a table that this change makes. Where they come in later than the table, they also go
 * earlier: what they reference may be rows that came in between. */
static void run_on_made(struct ddl *d)
{
    struct work *work = d->work;
    const struct sql_query *q = d->s->query;
    struct ddl_back back = { .phase = PHASE_EXPAND };
    for (size_t i = 0; i < q->write_count; i++) {
        const struct relation *relation = ddl_relation(d, &q->writes[i].relation);
        if (q->writes[i].from_query && q->from) {
            work_made(work, say(work, "filled %s", relation_key(work, relation)));
        }
    }
    for (size_t i = q->write_count; work->written > PHASE_EXPAND && i-- > 0;) {
        if (q->writes[i].kind == SQL_INSERT) {
            ddl_down(d, &back, "DELETE FROM %s", ddl_name(d, &q->writes[i].relation));
        }
    }
    if (!back.down.count) {
        run_plain(d, "the rows go away with their new table", PHASE_EXPAND);
        return;
    }
    ddl_raw(d, d->s->sql, &back);
}

void ddl_rows(struct ddl *d)
{
    const struct sql_query *q = d->s->query;
    struct rows r = { .d = d };
    if (d->s->kind == SQL_STMT_TRUNCATE) {
        truncate(d);
        return;
    }
    if (all_made(d)) {
        run_on_made(d);
        return;
    }
    if (!q || q->write_count == 0) {
        select_or_call(d);
        return;
    }
    r.write = &q->writes[0];
    r.relation = ddl_relation(d, &r.write->relation);
    if (q->write_count > 1 || !r.relation || r.write->kind == SQL_MERGE ||
        d->s->kind == SQL_STMT_SELECT) {
        struct ddl_back back = { .phase = PHASE_CONTRACT };
        back.why = "it writes in more than one way: what was there before cannot be kept beside it";
        ddl_raw(d, d->s->sql, &back);
        return;
    }
    r.key = snapshot_key(d->work, r.relation);
    write_text_of(d->work->ctx, d->s->sql, &r.text);
    if (!batched(&r)) {
        run_kept(&r);
    }
}
