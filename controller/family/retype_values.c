/* The exchange of a column's name, and what moves with the name: default, identity, sequence. */
#include "agents/base/text.h"
#include "controller/family/retype.h"
#include "controller/family/swap.h"

void swap_exchange_column(struct swap *s, const struct target *t)
{
    const char *name = t->column->name;
    swap_act(s, swap_rename_column(s, t->relation, name, t->stale),
             swap_rename_column(s, t->relation, t->stale, name));
    swap_act(s, swap_rename_column(s, t->relation, t->fresh, name),
             swap_rename_column(s, t->relation, name, t->fresh));
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

/* A sequence that is made anew has neither. */
static struct step_texts sequence_dress(const struct swap *s, const struct sequence *q)
{
    struct step_texts dress = { 0 };
    const char *name = name_sql(s->work, q->schema, q->name);
    grants_sql(s->work, &q->acl, say(s->work, "ON SEQUENCE %s", name), NULL, &dress);
    if (q->comment) {
        step_texts_add(
            s->work->ctx, &dress,
            say(s->work, "COMMENT ON SEQUENCE %s IS %s", name, literal(s->work, q->comment)));
    }
    return dress;
}

void swap_exchange_values(struct swap *s, const struct target *t)
{
    const char *name = t->column->name;
    const struct sequence *q = retype_sequence(t);
    if (t->column->identity && q) {
        const struct step_texts dress = sequence_dress(s, q);
        for (size_t i = dress.count; i-- > 0;) {
            swap_act(s, NULL, dress.items[i]);
        }
        swap_act(s, move_identity(s, t, q, t->stale, name), move_identity(s, t, q, name, t->stale));
        for (size_t i = 0; i < dress.count; i++) {
            swap_act(s, dress.items[i], NULL);
        }
        return;
    }
    if (t->column->default_expr) {
        swap_act(s, swap_column(s, t->relation, t->stale, "DROP DEFAULT"),
                 swap_column(s, t->relation, t->stale,
                             say(s->work, "SET DEFAULT %s", t->column->default_expr)));
        swap_act(s,
                 swap_column(s, t->relation, name,
                             say(s->work, "SET DEFAULT %s", t->column->default_expr)),
                 swap_column(s, t->relation, name, "DROP DEFAULT"));
    }
    if (q) {
        const char *table = relation_sql(s->work, t->relation);
        const char *owned = say(s->work, "ALTER SEQUENCE %s OWNED BY %s.",
                                name_sql(s->work, q->schema, q->name), table);
        swap_act(s, say(s->work, "%s%s", owned, ident(s->work, name)),
                 say(s->work, "%s%s", owned, ident(s->work, t->stale)));
    }
}

void swap_relax(struct swap *s, const struct target *t)
{
    if (!t->column->not_null) {
        return;
    }
    const char *check =
        twin_name(s->r, t->relation, say(s->work, "%s_back", t->column->name), "_not_null");
    swap_act(s, NULL,
             swap_alter(s, t->relation,
                        say(s->work, "DROP CONSTRAINT IF EXISTS %s", ident(s->work, check))));
    swap_act(s, swap_column(s, t->relation, t->stale, "DROP NOT NULL"),
             swap_column(s, t->relation, t->stale, "SET NOT NULL"));
}
