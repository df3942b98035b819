#include "agents/agent/sweep_range.h"

#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"

bool sweep_leaves(struct sweep_state *state, struct error *err)
{
    SCOPE(tmp);
    const struct sweep *s = state->sweep;
    struct rows *rows = NULL;
    const char *params[] = { object_name_sql(tmp, s->schema, s->name) };
    if (!connection_query(
            tmp, s->work->db,
            "WITH RECURSIVE below AS (SELECT pg_catalog.to_regclass($1)::oid AS oid UNION"
            " SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN below b ON i.inhparent = b.oid)"
            " SELECT n.nspname, c.relname, c.relkind, c.relpersistence, c.reltuples::bigint,"
            " CASE WHEN c.relkind = 'r' THEN pg_catalog.pg_relation_size(c.oid) /"
            " pg_catalog.current_setting('block_size')::bigint END,"
            " pg_catalog.current_setting('block_size')::bigint / (28 + coalesce((SELECT"
            " sum(s.avg_width) FROM pg_catalog.pg_stats s WHERE s.schemaname = n.nspname"
            " AND s.tablename = c.relname AND NOT s.inherited), 36))"
            " FROM below b JOIN pg_catalog.pg_class c ON c.oid = b.oid"
            " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind <> 'p' ORDER BY 1, 2",
            params, 1, &rows, err))
        return false;
    state->leaves = mem_array(state, struct sweep_leaf, rows_count(rows));
    state->leaf_count = rows_count(rows);
    for (size_t i = 0; i < state->leaf_count; i++) {
        struct sweep_leaf *leaf = &state->leaves[i];
        leaf->schema = mem_text(state, rows_text(rows, i, 0));
        leaf->name = mem_text(state, rows_text(rows, i, 1));
        leaf->sql = object_name_sql(state, leaf->schema, leaf->name);
        leaf->rows = rows_int(rows, i, 4);
        leaf->blocks = rows_int(rows, i, 5);
        leaf->dense = rows_int(rows, i, 6) > 0 ? rows_int(rows, i, 6) : 1;
        state->blocks += leaf->blocks;
        state->rows += leaf->rows > 0 ? leaf->rows : 0;
        if (!text_eq(rows_text(rows, i, 2), "r"))
            return fail(err, ERROR_UNSUPPORTED, "%s.%s is no table of this database", leaf->schema,
                        leaf->name);
        /* A crash empties it, but not the journal. */
        if (text_eq(rows_text(rows, i, 3), "u"))
            return fail(err, ERROR_UNSUPPORTED, "%s.%s is unlogged", leaf->schema, leaf->name);
    }
    state->many = state->leaf_count > 1;
    if (state->leaf_count == 0)
        return fail(err, ERROR_NOT_FOUND, "table %s.%s is not there", s->schema, s->name);
    return true;
}

/* --- by ctid -------------------------------------------------------------------------------- */

static bool blocks_now(struct sweep_state *state, const struct sweep_leaf *leaf, int64_t *out,
                       struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    const char *params[] = { leaf->sql };
    if (!connection_query(tmp, state->sweep->work->db,
                          "SELECT pg_catalog.pg_relation_size(pg_catalog.to_regclass($1)) /"
                          " pg_catalog.current_setting('block_size')::bigint",
                          params, 1, &rows, err))
        return false;
    *out = rows_int(rows, 0, 0);
    return true;
}

bool sweep_ends(struct sweep_state *state, struct error *err)
{
    for (size_t i = 0; i < state->leaf_count; i++)
        if (!blocks_now(state, &state->leaves[i], &state->leaves[i].blocks, err))
            return false;
    return true;
}

static bool next_blocks(const void *ctx, struct sweep_state *state, struct sweep_range *out,
                        struct error *err)
{
    const struct sweep_leaf *leaf = &state->leaves[state->at.leaf];
    int64_t from = state->at.block;
    int64_t to = from + state->size;
    int64_t end = leaf->blocks;
    /* The first pass stops where the table ended when it began: what is appended since is new or
     * done, and by then as much as the table itself, far too much to lock in one batch. Later
     * passes look at everything; they lock only rows that still need work. Where triggers may
     * change what is written, every row that is tried again is appended: a pass would chase its
     * own rows for ever. */
    bool first = state->at.pass == 1 || state->sweep->settles;
    if (!first && !blocks_now(state, leaf, &end, err))
        return false;
    bool last = to >= end;
    if (first && last)
        to = end;
    const char *range = last && !first
                            ? mem_printf(ctx, "ctid >= '(%lld,0)'::tid", (long long)from)
                            : mem_printf(ctx, "ctid >= '(%lld,0)'::tid AND ctid < '(%lld,0)'::tid",
                                         (long long)from, (long long)to);
    const char *where = state->many ? mem_printf(ctx, "tableoid = %s::regclass AND ",
                                                 text_quote_literal(ctx, leaf->sql))
                                    : "";
    out->condition = mem_printf(ctx, "%s%s", where, range);
    out->locked = mem_printf(ctx,
                             "%sctid = ANY (ARRAY(SELECT ctid FROM ONLY %s WHERE %s"
                             " FOR UPDATE SKIP LOCKED))",
                             where, leaf->sql, range);
    out->then = state->at;
    out->then.block = last ? 0 : to;
    out->then.leaf += last ? 1 : 0;
    out->then.pass_over = out->then.leaf == state->leaf_count;
    return true;
}

/* --- by key --------------------------------------------------------------------------------- */

static const char *key_columns(const void *ctx, const struct step_texts *key, const char *cast)
{
    struct text t = text_init(ctx, TEXT_SQL);
    for (size_t i = 0; i < key->count; i++)
        text_addf(&t, "%s%s%s", i ? ", " : "", text_quote_ident(ctx, key->items[i]), cast);
    return t.data;
}

static const char *key_values(const void *ctx, const json_t *values)
{
    struct text t = text_init(ctx, TEXT_SQL);
    for (size_t i = 0; i < json_array_size(values); i++)
        text_addf(&t, "%s%s", i ? ", " : "",
                  text_quote_literal(ctx, json_string_value(json_array_get(values, i))));
    return t.data;
}

/* The last key of the next range; null when the rest of the table is the range. */
static bool key_bound(struct sweep_state *state, const char *lower, json_t **out, struct error *err)
{
    SCOPE(tmp);
    const struct sweep *s = state->sweep;
    struct rows *rows = NULL;
    const char *sql =
        mem_printf(tmp, "SELECT %s FROM %s WHERE %s ORDER BY %s OFFSET %lld LIMIT 1",
                   key_columns(tmp, s->key, "::text"), object_name_sql(tmp, s->schema, s->name),
                   lower, key_columns(tmp, s->key, ""), (long long)state->size - 1);
    *out = NULL;
    if (!connection_query(tmp, s->work->db, sql, NULL, 0, &rows, err))
        return fail_in(err, "next range");
    if (rows_count(rows) == 0)
        return true;
    json_t *list = json_own(state, json_array());
    for (size_t i = 0; i < rows_columns(rows); i++)
        json_array_append_new(list, json_string(rows_text(rows, 0, i)));
    *out = list;
    return true;
}

static bool next_keys(const void *ctx, struct sweep_state *state, struct sweep_range *out,
                      struct error *err)
{
    const struct sweep *s = state->sweep;
    const char *columns = key_columns(ctx, s->key, "");
    const char *lower =
        state->at.key ? mem_printf(ctx, "(%s) > (%s)", columns, key_values(ctx, state->at.key))
                      : "true";
    json_t *bound = NULL;
    if (!key_bound(state, lower, &bound, err))
        return false;
    out->condition =
        bound ? mem_printf(ctx, "%s AND (%s) <= (%s)", lower, columns, key_values(ctx, bound))
              : lower;
    out->locked =
        mem_printf(ctx, "(%s) IN (SELECT %s FROM %s WHERE %s FOR UPDATE SKIP LOCKED)", columns,
                   columns, object_name_sql(ctx, s->schema, s->name), out->condition);
    out->then = state->at;
    out->then.key = bound;
    out->then.pass_over = bound == NULL;
    return true;
}

bool sweep_next(const void *ctx, struct sweep_state *state, struct sweep_range *out,
                struct error *err)
{
    return state->sweep->key ? next_keys(ctx, state, out, err) : next_blocks(ctx, state, out, err);
}

/* --- the cursor ----------------------------------------------------------------------------- */

const char *sweep_place_text(const void *ctx, const struct sweep_state *state,
                             const struct sweep_place *place)
{
    json_auto_t *o = json_object();
    json_set_int(o, "pass", place->pass);
    if (place->leaf < state->leaf_count)
        json_set_text(o, "leaf", state->leaves[place->leaf].sql);
    json_set_int(o, "block", place->block);
    if (place->key)
        json_object_set(o, "key", place->key);
    json_set_int(o, "changed", place->changed);
    json_set_int(o, "skipped", place->skipped);
    json_set_bool(o, "over", place->pass_over);
    json_set_bool(o, "proved", state->proved);
    return json_compact(ctx, o);
}

bool sweep_place_read(struct sweep_state *state, const char *text, struct error *err)
{
    json_t *o = NULL;
    if (!json_parse(state, text, strlen(text), &o, err))
        return fail_in(err, "journal: cursor");
    struct sweep_place *at = &state->at;
    *at = (struct sweep_place){ .pass = (int)json_int_of(o, "pass"),
                                .block = json_int_of(o, "block"),
                                .key = json_object_get(o, "key"),
                                .changed = json_int_of(o, "changed"),
                                .skipped = json_int_of(o, "skipped"),
                                .pass_over = json_true_of(o, "over") };
    state->proved = json_true_of(o, "proved");
    const char *leaf = json_text_of(o, "leaf");
    while (at->leaf < state->leaf_count && leaf && !text_eq(leaf, state->leaves[at->leaf].sql))
        at->leaf++;
    if (at->leaf == state->leaf_count && !at->pass_over)
        at->leaf = 0, at->block = 0;
    if (at->pass < 1)
        at->pass = 1;
    return true;
}

double sweep_share(const struct sweep_state *state)
{
    if (state->at.pass > 1)
        return 1;
    if (state->sweep->key) {
        int64_t rows = state->sweep->rows > 0 ? state->sweep->rows : state->rows;
        return rows > 0 ? (double)state->sum.rows / (double)rows : -1;
    }
    int64_t done = state->at.block;
    for (size_t i = 0; i < state->at.leaf && i < state->leaf_count; i++)
        done += state->leaves[i].blocks;
    return state->blocks > 0 ? (double)done / (double)state->blocks : 1;
}
