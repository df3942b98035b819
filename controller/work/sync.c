#include "controller/work/sync.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/work/column_map.h"
#include "controller/work/row_step.h"

const char pair_schema[] = "CREATE SCHEMA IF NOT EXISTS flotilla";

/* Triggers fire in the byte order of their names: ours has to be the last. U+10FFFD is the last
 * character that a name can begin with. */
static const char *const prefixes[] = { "zz_flotilla_sync_", "~flotilla_sync_",
                                        "\xF4\x8F\xBF\xBD_flotilla_sync_" };

void pair_name(struct work *work, struct pair *pair)
{
    const struct relation *relation = pair->relation;
    pair->function = object_name_fit(
        work->ctx, say(work, "sync %s.%s.%s", relation->schema, relation->name, pair->copy));
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        bool last = true;
        pair->trigger = object_name_fit(work->ctx, say(work, "%s%s", prefixes[i], pair->copy));
        for (size_t k = 0; k < relation->trigger_count; k++) {
            last = last && strcmp(relation->triggers[k].name, pair->trigger) < 0;
        }
        if (last) {
            return;
        }
    }
}

/* The expression with NEW. before every column of the relation. */
static const char *over_new(const struct work *work, const struct relation *relation,
                            const char *expression, const struct pair *pair)
{
    SCOPE(tmp);
    size_t count = relation->column_count;
    struct column_map *map = mem_array(tmp, struct column_map, count + 2);
    struct column_maps maps;
    for (size_t i = 0; i < count; i++) {
        map[i].column = relation->columns[i].name;
    }
    map[count++].column = pair->source;
    map[count++].column = pair->copy;
    for (size_t i = 0; i < count; i++) {
        map[i].sql = mem_printf(tmp, "NEW.%s", text_quote_ident(tmp, map[i].column));
    }
    maps = (struct column_maps){ map, count };
    return columns_mapped(work->ctx, expression, &maps);
}

static const char *two_way_body(const struct work *work, const struct pair *pair)
{
    const char *copy = ident(work, pair->copy), *source = ident(work, pair->source);
    const char *forward = over_new(work, pair->relation, pair->forward, pair);
    const char *backward = over_new(work, pair->relation, pair->backward, pair);
    return say(work,
               "BEGIN\n"
               "    IF TG_OP = 'INSERT' THEN\n"
               "        IF NEW.%s IS NULL THEN\n"
               "            NEW.%s := %s;\n"
               "        ELSE\n"
               "            NEW.%s := %s;\n"
               "        END IF;\n"
               "    ELSIF pg_catalog.record_image_ne(ROW(NEW.%s), ROW(%s)) THEN\n"
               "        IF pg_catalog.record_image_ne(ROW(NEW.%s), ROW(OLD.%s)) THEN\n"
               "            NEW.%s := %s;\n"
               "        ELSE\n"
               "            NEW.%s := %s;\n"
               "        END IF;\n"
               "    END IF;\n"
               "    RETURN NEW;\n"
               "END",
               copy, copy, forward, source, backward, copy, forward, copy, copy, source, backward,
               copy, forward);
}

static const char *set_copy(const struct work *work, const struct pair *pair)
{
    const char *copy = ident(work, pair->copy);
    const char *value =
        over_new(work, pair->relation, pair->guarded ? pair->guarded : pair->forward, pair);
    if (!pair->guard_errors) {
        return say(work, "    NEW.%s := %s;\n", copy, value);
    }
    return say(work,
               "    BEGIN\n"
               "        NEW.%s := %s;\n"
               "    EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN\n"
               "        NEW.%s := NULL;\n"
               "    END;\n",
               copy, value, copy);
}

/* Every column that the copy's value is made of, as "ROW(NEW.a, NEW.b)". */
static const char *made_of(const struct work *work, const struct pair *pair, const char *image)
{
    struct text t = text_init(work->ctx, TEXT_SQL);
    text_addf(&t, "ROW(%s.%s", image, ident(work, pair->source));
    for (size_t i = 0; i < pair->relation->column_count; i++) {
        const char *name = pair->relation->columns[i].name;
        if (!text_eq(name, pair->source) && !text_eq(name, pair->copy) &&
            column_mentioned(pair->forward, name)) {
            text_addf(&t, ", %s.%s", image, ident(work, name));
        }
    }
    text_add(&t, ")");
    return t.data;
}

/* A row that moves between partitions is inserted anew, with its copy: that one stands as well. */
static const char *one_way_body(const struct work *work, const struct pair *pair)
{
    const char *set = set_copy(work, pair);
    if (!pair->kept) {
        return say(work, "BEGIN\n%s    RETURN NEW;\nEND", set);
    }
    return say(work,
               "BEGIN\n"
               "    IF TG_OP = 'INSERT' THEN\n"
               "        IF NEW.%s IS NOT NULL THEN\n"
               "            RETURN NEW;\n"
               "        END IF;\n"
               "    ELSIF NOT pg_catalog.record_image_ne(%s, %s) THEN\n"
               "        RETURN NEW;\n"
               "    END IF;\n"
               "%s"
               "    RETURN NEW;\n"
               "END",
               ident(work, pair->copy), made_of(work, pair, "NEW"), made_of(work, pair, "OLD"),
               set);
}

/* What the user's own expressions (backfill, using) may name unqualified: the path that the change
 * was read with, without what differs between clients. PostgreSQL's own names always win. */
static const char *pinned_path(const struct work *work, const struct state *state)
{
    const char *path = state->catalog->search_path ? state->catalog->search_path : "public";
    struct text t = text_init(work->ctx, TEXT_LINE);
    text_add(&t, "pg_catalog");
    for (struct sql_piece piece = sql_piece_next(work->ctx, path); piece.length > 0;
         piece = sql_piece_next(work->ctx, piece.start + piece.length)) {
        if (piece.word && !text_eq(piece.name, "$user") && !text_eq(piece.name, "pg_catalog") &&
            !text_eq(piece.name, "pg_temp")) {
            text_addf(&t, ", %s", ident(work, piece.name));
        }
    }
    text_add(&t, ", pg_temp");
    return t.data;
}

const char *pair_create_function(const struct work *work, const struct pair *pair, bool replace)
{
    const char *body = pair->backward ? two_way_body(work, pair) : one_way_body(work, pair);
    const char *zone = pair->state->catalog->time_zone;
    return say(work,
               "CREATE %sFUNCTION %s() RETURNS trigger LANGUAGE plpgsql\n"
               "SET search_path = %s SET TimeZone = %s SET DateStyle = 'ISO, MDY' "
               "SET IntervalStyle = 'postgres' SET extra_float_digits = '1'\n"
               "AS %s",
               replace ? "OR REPLACE " : "", name_sql(work, "flotilla", pair->function),
               pinned_path(work, pair->state), literal(work, zone ? zone : "UTC"),
               strstr(body, "$flotilla$") ? literal(work, body)
                                          : say(work, "$flotilla$\n%s\n$flotilla$", body));
}

static bool replicated(const struct pair *pair)
{
    return pair->state->catalog->subscription_count > 0;
}

void pair_create(const struct work *work, const struct pair *pair, struct step_texts *out)
{
    const char *table = relation_sql(work, pair->relation);
    step_texts_add(work->ctx, out, pair_create_function(work, pair, false));
    step_texts_add(work->ctx, out,
                   say(work,
                       "CREATE TRIGGER %s BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE "
                       "FUNCTION %s()",
                       ident(work, pair->trigger), table,
                       name_sql(work, "flotilla", pair->function)));
    if (replicated(pair)) {
        step_texts_add(work->ctx, out,
                       say(work, "ALTER TABLE %s ENABLE ALWAYS TRIGGER %s", table,
                           ident(work, pair->trigger)));
    }
}

const char *pair_drop_trigger(const struct work *work, const struct pair *pair)
{
    return say(work, "DROP TRIGGER %s ON %s", ident(work, pair->trigger),
               relation_sql(work, pair->relation));
}

void pair_remove(const struct work *work, const struct pair *pair, struct step_texts *out)
{
    step_texts_add(work->ctx, out, pair_drop_trigger(work, pair));
    step_texts_add(work->ctx, out,
                   say(work, "DROP FUNCTION %s()", name_sql(work, "flotilla", pair->function)));
}

/* --- filling and proving -------------------------------------------------------------------- */

static const char *differs(const struct work *work, const struct pair *pair)
{
    return say(work, "pg_catalog.record_image_ne(ROW(%s), ROW(%s))", ident(work, pair->copy),
               pair->forward);
}

void pair_backfill(struct work *work, const struct pair *pair, enum phase phase)
{
    struct relation **leaves;
    size_t count = relation_leaves(work, pair->state, pair->relation, &leaves);
    for (size_t i = 0; i < count; i++) {
        const struct relation *leaf = leaves[i];
        struct step *step = step_batches(
            work, &(struct place){ pair->state, leaf, phase },
            say(work, "Fill %s of %s from %s", pair->copy, leaf->name, pair->source),
            "Rows written before the trigger have no copy yet; small batches keep locks short, and "
            "rows that are right already are skipped");
        step_up(work, step, "UPDATE ONLY %s SET %s = %s WHERE %s", relation_sql(work, leaf),
                ident(work, pair->copy), pair->forward, differs(work, pair));
        step_down_nothing(work, step, "the column goes away with its own step");
        step_risk(work, step,
                  "every row is written once more: replication, CDC and optimistic "
                  "locking by xmin see it");
    }
}

void pair_verify(struct work *work, const struct pair *pair, enum phase phase)
{
    const struct relation *relation = pair->relation;
    struct step *step =
        step_proof(work, &(struct place){ pair->state, relation, phase },
                   say(work, "Prove that %s and %s of %s say the same in every row", pair->source,
                       pair->copy, relation->name),
                   "Nobody may be sent to the new column before it is right everywhere, and the "
                   "trigger must not have been switched off meanwhile");
    step->check = say(work, "SELECT NOT EXISTS (SELECT FROM %s WHERE %s) AND %s",
                      relation_sql(work, relation), differs(work, pair),
                      probe_trigger(work, relation, pair->trigger));
}

void pair_analyze(struct work *work, const struct pair *pair, enum phase phase)
{
    struct step *step = work_step(
        work, pair->state, phase,
        say(work, "Gather statistics of %s", column_words(work, pair->relation, pair->copy)),
        "A column without statistics gets bad query plans");
    step->transaction = false;
    step->tags = TAG_NEUTRAL;
    step_up(work, step, "ANALYZE %s (%s)", relation_sql(work, pair->relation),
            ident(work, pair->copy));
    step_down_nothing(work, step, "statistics do no harm");
    step_lock(work, step, pair->relation, "SHARE UPDATE EXCLUSIVE");
    step->estimate.ms = 500;
}

/* In batches like the way forward: without a snapshot it writes every row. */
static void sweep_back(struct work *work, const struct pair *pair)
{
    const char *value = pair->guarded ? pair->guarded : pair->forward;
    struct relation **leaves;
    size_t count = relation_leaves(work, pair->state, pair->relation, &leaves);
    for (size_t i = 0; i < count; i++) {
        const struct relation *leaf = leaves[i];
        struct step *step = step_batches_back(
            work, &(struct place){ pair->state, leaf, PHASE_CONTRACT },
            say(work, "On the way back: fill what is still missing in %s of %s", pair->copy,
                leaf->name),
            "After the snapshot is restored this finds nothing to do; without it, it is the whole "
            "way back");
        step_up_nothing(work, step, "this step is for the way back");
        /* what the snapshot put back is not what the other column says: it stands */
        const char *missing = say(work,
                                  pair->kept ? "%s IS NULL AND (%s) IS NOT NULL"
                                             : "pg_catalog.record_image_ne(ROW(%s), ROW(%s))",
                                  ident(work, pair->copy), value);
        step_down(work, step, "UPDATE ONLY %s SET %s = %s WHERE %s", relation_sql(work, leaf),
                  ident(work, pair->copy), value, missing);
    }
}

void copy_way_back(struct work *work, const struct pair *pair)
{
    const struct relation *relation = pair->relation;
    struct step_texts key = snapshot_key(work, relation);
    /* without a key there is no snapshot: a sweep that may stop at a value is better than none */
    if (!pair->guard_errors || key.count == 0) {
        sweep_back(work, pair);
    }
    if (key.count == 0) {
        return;
    }
    struct step *step = step_aside(
        work, &(struct place){ pair->state, relation, PHASE_CONTRACT }, &key,
        say(work, "Keep %s of %s aside (by hand: \\copy the key and the column to a file)",
            pair->copy, relation->name),
        "What is dropped can be put back; rows written since get what their other column "
        "says");
    step_aside_column(work, step, pair->copy, ident(work, pair->source),
                      pair->guarded ? pair->guarded : pair->forward);
}
