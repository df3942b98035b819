/*
 * change_type: the exchange. One transaction a service, all tables locked first by one LOCK in the
 * order of their names, then only changes of the catalog: names, keys by indexes that are ready,
 * defaults, sequences, views. Every action is written together with its opposite; the way back is
 * the opposites in exact reverse, so that what one relies on is there for the other.
 */
#include <stdlib.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/compile/recall.h"
#include "controller/compile/retype.h"

struct swap {
    struct retype *r;
    struct work *work;
    struct step *step;
    struct step_texts ups, downs; /* downs in order of the ups: reversed at the end */
};

/* An action and its opposite; either may be null. */
static void act(struct swap *s, const char *up, const char *down)
{
    if (up) {
        step_texts_add(s->work->ctx, &s->ups, up);
    }
    if (down) {
        step_texts_add(s->work->ctx, &s->downs, down);
    }
}

static const char *alter(const struct swap *s, const struct relation *relation, const char *what)
{
    return say(s->work, "ALTER TABLE %s %s", relation_sql(s->work, relation), what);
}

static const char *column_sql(const struct swap *s, const struct relation *relation,
                              const char *column, const char *what)
{
    return alter(s, relation, say(s->work, "ALTER COLUMN %s %s", ident(s->work, column), what));
}

static const char *rename_column(const struct swap *s, const struct relation *relation,
                                 const char *from, const char *to)
{
    return alter(s, relation,
                 say(s->work, "RENAME COLUMN %s TO %s", ident(s->work, from), ident(s->work, to)));
}

static const char *rename_constraint(const struct swap *s, const struct relation *relation,
                                     const char *from, const char *to)
{
    return alter(
        s, relation,
        say(s->work, "RENAME CONSTRAINT %s TO %s", ident(s->work, from), ident(s->work, to)));
}

static const char *not_valid(const struct swap *s, const char *definition)
{
    return text_ends(definition, " NOT VALID") ? definition
                                               : say(s->work, "%s NOT VALID", definition);
}

static const char *add_constraint(const struct swap *s, const struct relation *relation,
                                  const char *name, const char *definition)
{
    return alter(s, relation,
                 say(s->work, "ADD CONSTRAINT %s %s", ident(s->work, name), definition));
}

static const char *drop_constraint(const struct swap *s, const struct relation *relation,
                                   const char *name)
{
    return alter(s, relation, say(s->work, "DROP CONSTRAINT %s", ident(s->work, name)));
}

/* --- before the names change ---------------------------------------------------------------- */

typedef void (*key_action)(struct swap *s, struct relation *relation, const struct constraint *key);

static void each_key_in(struct swap *s, key_action action)
{
    const struct catalog *catalog = s->r->state->catalog;
    for (size_t i = 0; i < catalog->relation_count; i++) {
        struct relation *relation = &catalog->relations[i];
        for (size_t k = 0; k < relation->constraint_count && !relation->partition_bound; k++) {
            if (key_points_here(s->r, &relation->constraints[k])) {
                action(s, relation, &relation->constraints[k]);
            }
        }
    }
}

/* The old key rests on the old unique index; going back it is made again without a scan. */
static void old_key_goes(struct swap *s, struct relation *relation, const struct constraint *key)
{
    act(s, drop_constraint(s, relation, key->name),
        add_constraint(s, relation, key->name, not_valid(s, key->definition)));
}

static void new_key_comes(struct swap *s, struct relation *relation, const struct constraint *key)
{
    act(s, rename_constraint(s, relation, twin_name(s->r, relation, key->name, "_new"), key->name),
        drop_constraint(s, relation, key->name));
}

static bool owns_index(const struct constraint *c)
{
    return c->kind == 'p' || c->kind == 'u';
}

static const char *by_index(const struct swap *s, const struct constraint *c, const char *index)
{
    return say(s->work, "%s USING INDEX %s%s", c->kind == 'p' ? "PRIMARY KEY" : "UNIQUE",
               ident(s->work, index), "");
}

static void old_constraints_go(struct swap *s, struct relation *relation)
{
    for (size_t i = 0; i < relation->constraint_count; i++) {
        const struct constraint *c = &relation->constraints[i];
        if (!constraint_concerned(s->r, relation, c)) {
            continue;
        }
        if (owns_index(c)) {
            act(s, drop_constraint(s, relation, c->name),
                add_constraint(s, relation, c->name,
                               by_index(s, c, twin_name(s->r, relation, c->index, "_back"))));
        } else if (c->kind == 'c') {
            act(s, drop_constraint(s, relation, c->name),
                add_constraint(s, relation, c->name, not_valid(s, c->definition)));
        }
    }
}

/* --- names, defaults, sequences ------------------------------------------------------------- */

static void exchange_column(struct swap *s, const struct target *t)
{
    const char *name = t->column->name;
    act(s, rename_column(s, t->relation, name, t->stale),
        rename_column(s, t->relation, t->stale, name));
    act(s, rename_column(s, t->relation, t->fresh, name),
        rename_column(s, t->relation, name, t->fresh));
}

/* The largest value of the sequence's type. */
static bool is_type_limit(const char *type, int64_t max)
{
    return (text_eq(type, "smallint") && max == INT16_MAX) ||
           (text_eq(type, "integer") && max == INT32_MAX) ||
           (text_eq(type, "bigint") && max == INT64_MAX);
}

/* DROP IDENTITY takes the sequence along: its position is carried over under the lock. */
static const char *move_identity(const struct swap *s, const struct target *t,
                                 const struct sequence *q, const char *from, const char *to)
{
    struct work *work = s->work;
    const char *table = relation_sql(work, t->relation);
    const char *name = name_sql(work, q->schema, q->name);
    struct text options = text_init(work->ctx, TEXT_LINE);
    text_addf(&options, "SEQUENCE NAME %s START WITH %lld INCREMENT BY %lld MINVALUE %lld", name,
              (long long)q->start, (long long)q->increment, (long long)q->min);
    if (!is_type_limit(q->type, q->max)) {
        text_addf(&options, " MAXVALUE %lld", (long long)q->max);
    }
    text_addf(&options, " CACHE %lld%s", (long long)q->cache, q->cycle ? " CYCLE" : "");
    return say(work,
               "DO $flotilla$ DECLARE v bigint; c boolean; BEGIN SELECT last_value, is_called INTO "
               "v, c FROM %s; ALTER TABLE %s ALTER COLUMN %s DROP IDENTITY; ALTER TABLE %s ALTER "
               "COLUMN %s ADD GENERATED %s AS IDENTITY (%s); PERFORM pg_catalog.setval(%s, v, c); "
               "END $flotilla$",
               name, table, ident(work, from), table, ident(work, to),
               t->column->identity == 'a' ? "ALWAYS" : "BY DEFAULT", options.data,
               literal(work, name));
}

static void sequence_grants(struct swap *s, const struct sequence *q)
{
    struct step_texts grants = { 0 };
    grants_sql(s->work, &q->acl,
               say(s->work, "ON SEQUENCE %s", name_sql(s->work, q->schema, q->name)), NULL,
               &grants);
    for (size_t i = 0; i < grants.count; i++) {
        act(s, grants.items[i], NULL);
    }
}

static void exchange_values(struct swap *s, const struct target *t)
{
    const char *name = t->column->name;
    const struct sequence *q = retype_sequence(t);
    struct step_texts grants = { 0 };
    if (t->column->identity && q) {
        grants_sql(s->work, &q->acl,
                   say(s->work, "ON SEQUENCE %s", name_sql(s->work, q->schema, q->name)), NULL,
                   &grants);
        for (size_t i = grants.count; i-- > 0;) {
            act(s, NULL, grants.items[i]);
        }
        act(s, move_identity(s, t, q, t->stale, name), move_identity(s, t, q, name, t->stale));
        sequence_grants(s, q);
        return;
    }
    if (t->column->default_expr) {
        act(s, column_sql(s, t->relation, t->stale, "DROP DEFAULT"),
            column_sql(s, t->relation, t->stale,
                       say(s->work, "SET DEFAULT %s", t->column->default_expr)));
        act(s,
            column_sql(s, t->relation, name,
                       say(s->work, "SET DEFAULT %s", t->column->default_expr)),
            column_sql(s, t->relation, name, "DROP DEFAULT"));
    }
    if (q) {
        const char *table = relation_sql(s->work, t->relation);
        const char *owned = say(s->work, "ALTER SEQUENCE %s OWNED BY %s.",
                                name_sql(s->work, q->schema, q->name), table);
        act(s, say(s->work, "%s%s", owned, ident(s->work, name)),
            say(s->work, "%s%s", owned, ident(s->work, t->stale)));
    }
}

static void relax(struct swap *s, const struct target *t)
{
    if (!t->column->not_null) {
        return;
    }
    const char *check =
        twin_name(s->r, t->relation, say(s->work, "%s_back", t->column->name), "_not_null");
    act(s, NULL,
        alter(s, t->relation, say(s->work, "DROP CONSTRAINT IF EXISTS %s", ident(s->work, check))));
    act(s, column_sql(s, t->relation, t->stale, "DROP NOT NULL"),
        column_sql(s, t->relation, t->stale, "SET NOT NULL"));
}

/* --- what rests on the new columns ---------------------------------------------------------- */

static void new_constraints_come(struct swap *s, struct relation *relation)
{
    for (size_t i = 0; i < relation->constraint_count; i++) {
        const struct constraint *c = &relation->constraints[i];
        const char *twin = twin_name(s->r, relation, c->name, "_new");
        if (!constraint_concerned(s->r, relation, c)) {
            continue;
        }
        if (owns_index(c)) {
            act(s,
                add_constraint(s, relation, c->name,
                               by_index(s, c, twin_name(s->r, relation, c->index, "_new"))),
                drop_constraint(s, relation, c->name));
        } else if (c->kind == 'c') {
            act(s, rename_constraint(s, relation, twin, c->name),
                rename_constraint(s, relation, c->name, twin));
        } else if (c->kind == 'f' && !key_points_here(s->r, c)) {
            const char *old = twin_name(s->r, relation, c->name, "_old");
            act(s, rename_constraint(s, relation, c->name, old),
                rename_constraint(s, relation, old, c->name));
            act(s, rename_constraint(s, relation, twin, c->name),
                rename_constraint(s, relation, c->name, twin));
        }
    }
}

static const char *rename_index(const struct swap *s, const struct relation *relation,
                                const char *from, const char *to)
{
    return say(s->work, "ALTER INDEX %s RENAME TO %s", name_sql(s->work, relation->schema, from),
               ident(s->work, to));
}

static void indexes_exchange(struct swap *s, struct relation *relation)
{
    const struct column_maps maps = retype_map(s->r, relation, false);
    for (size_t i = 0; i < relation->index_count; i++) {
        const struct index *index = &relation->indexes[i];
        if (!index_has_mapped(index, &maps) || index->constraint || !index->valid) {
            continue;
        }
        const char *old = twin_name(s->r, relation, index->name, "_old");
        const char *twin = twin_name(s->r, relation, index->name, "_new");
        act(s, rename_index(s, relation, index->name, old),
            rename_index(s, relation, old, index->name));
        act(s, rename_index(s, relation, twin, index->name),
            rename_index(s, relation, index->name, twin));
    }
}

/* --- the step ------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return text_cmp(*(const char *const *)a, *(const char *const *)b);
}

static void lock_relation(struct swap *s, struct step_texts *names, struct relation *relation)
{
    const char *name = relation_sql(s->work, relation);
    for (size_t i = 0; i < names->count; i++) {
        if (text_eq(names->items[i], name)) {
            return;
        }
    }
    step_texts_add(s->work->ctx, names, name);
    step_lock(s->work, s->step, relation, "ACCESS EXCLUSIVE");
}

/* Every table of the exchange, and those with keys from or to it. */
static const char *lock_statement(struct swap *s)
{
    struct step_texts names = { 0 };
    struct relation **relations;
    const struct catalog *catalog = s->r->state->catalog;
    size_t count = retype_relations(s->r, &relations);
    for (size_t i = 0; i < count; i++) {
        lock_relation(s, &names, relations[i]);
    }
    for (size_t i = 0; i < catalog->relation_count; i++) {
        struct relation *relation = &catalog->relations[i];
        for (size_t k = 0; k < relation->constraint_count && !relation->partition_bound; k++) {
            if (key_points_here(s->r, &relation->constraints[k])) {
                lock_relation(s, &names, relation);
            }
        }
    }
    qsort(names.items, names.count, sizeof *names.items, by_name);
    struct text t = text_init(s->work->ctx, TEXT_SQL);
    for (size_t i = 0; i < names.count; i++) {
        text_addf(&t, "%s%s", i ? ", " : "LOCK TABLE ", names.items[i]);
    }
    text_add(&t, " IN ACCESS EXCLUSIVE MODE");
    return t.data;
}

static void each_target(struct swap *s, void (*action)(struct swap *, const struct target *))
{
    for (size_t i = 0; i < s->r->count; i++) {
        const struct target *t = &s->r->targets[i];
        if (t->state == s->r->state && !t->in_place) {
            action(s, t);
        }
    }
}

/* The trigger keeps its name: what it does turns around. */
static void turn_trigger(struct swap *s, const struct target *t)
{
    act(s, pair_create_function(s->work, &t->after, true),
        pair_create_function(s->work, &t->before, true));
}

static void recall(struct swap *s, const struct target *t)
{
    recall_functions(s->work, s->r->state, t->relation, s->step);
}

static void actions(struct swap *s)
{
    struct relation **relations;
    size_t count = retype_relations(s->r, &relations);
    each_key_in(s, old_key_goes);
    for (size_t i = 0; i < count; i++) {
        old_constraints_go(s, relations[i]);
    }
    each_target(s, exchange_column);
    each_target(s, turn_trigger);
    each_target(s, exchange_values);
    each_target(s, relax);
    for (size_t i = 0; i < count; i++) {
        new_constraints_come(s, relations[i]);
        indexes_exchange(s, relations[i]);
    }
    each_key_in(s, new_key_comes);
}

static void swap_risks(struct swap *s)
{
    struct work *work = s->work;
    step_risk(work, s->step,
              "prepared statements and SELECT * fail once with \"cached plan must "
              "not change result type\"; a prepared parameter keeps its old type: "
              "let the connection pools reconnect right after this step");
    step_risk(work, s->step,
              "INSERT without a list of columns puts values into other columns "
              "from here on: the column moves to the end of its table");
    for (size_t i = 0; i < s->r->count; i++) {
        const struct target *t = &s->r->targets[i];
        if (t->state == s->r->state && !t->in_place && !t->after.backward &&
            !type_lossless(t->to, t->column->type)) {
            step_risk(work, s->step,
                      "going back closes with the first %s of %s that %s cannot hold",
                      t->column->name, t->relation->name, t->column->type);
        }
    }
}

static const char *swap_title(const struct retype *r)
{
    struct text t = text_init(r->work->ctx, TEXT_LINE);
    for (size_t i = 0; i < r->count; i++) {
        if (r->targets[i].state == r->state && !r->targets[i].in_place) {
            text_addf(&t, "%s%s", t.len ? ", " : "Exchange old and new: ",
                      column_words(r->work, r->targets[i].relation, r->targets[i].column->name));
        }
    }
    return t.data;
}

bool retype_swap(struct retype *r)
{
    struct work *work = r->work;
    struct around around = { 0 };
    struct swap s = { .r = r, .work = work };
    s.step = work_step(work, r->state, PHASE_CONTRACT, swap_title(r),
                       "Only names and other entries of the catalog change; everything was built "
                       "and proven before");
    for (size_t i = 0; i < r->count; i++) {
        const struct target *t = &r->targets[i];
        if (t->state == r->state && !t->in_place &&
            !around_column(work, r->state, t->relation, t->column->name, &around)) {
            return false;
        }
    }
    around_close(work, r->state, &around);
    actions(&s);
    const char *lock = lock_statement(&s);
    step_up(work, s.step, "%s", lock);
    step_down(work, s.step, "%s", lock);
    for (size_t i = 0; i < around.drop.count; i++) {
        step_up(work, s.step, "%s", around.drop.items[i]);
        step_down(work, s.step, "%s", around.drop.items[i]);
    }
    for (size_t i = 0; i < s.ups.count; i++) {
        step_up(work, s.step, "%s", s.ups.items[i]);
    }
    for (size_t i = s.downs.count; i-- > 0;) {
        step_down(work, s.step, "%s", s.downs.items[i]);
    }
    for (size_t i = 0; i < around.make.count; i++) {
        step_up(work, s.step, "%s", around.make.items[i]);
        step_down(work, s.step, "%s", around.make.items[i]);
    }
    each_target(&s, recall);
    for (size_t i = 0; i < r->count; i++) {
        const struct target *t = &r->targets[i];
        if (t->state == r->state && !t->in_place) {
            functions_made_again(work, &(struct place){ r->state, t->relation, PHASE_CONTRACT },
                                 s.step);
        }
        if (t->state == r->state && !t->in_place && !s.step->probe) {
            step_probe(work, s.step, "SELECT %s AND NOT %s",
                       probe_column(work, t->relation, t->stale),
                       probe_column(work, t->relation, t->fresh));
        }
    }
    s.step->tags = TAG_CONTRACT;
    s.step->estimate.ms = 20 + 5 * (int64_t)s.step->lock_count;
    swap_risks(&s);
    around_risk(work, &around, s.step);
    retype_widen_sequences(r);
    return true;
}
