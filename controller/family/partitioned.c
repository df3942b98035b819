#include "controller/family/partitioned.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"

static const char *tail_of(const struct index *index)
{
    const char *using = text_from_keyword(index->definition, "USING");
    return using ? using : "";
}

/* Of several equal ones the nth belongs to the nth. */
static size_t rank_of(const struct relation *relation, const struct index *index)
{
    size_t rank = 0;
    for (size_t i = 0; i < relation->index_count; i++) {
        const struct index *other = &relation->indexes[i];
        if (other == index) {
            return rank;
        }
        rank += text_eq(tail_of(other), tail_of(index)) && other->unique == index->unique;
    }
    return rank;
}

const struct index *spread_child(const struct spread *s, const struct relation *child)
{
    size_t wanted = rank_of(s->place.relation, s->index), rank = 0;
    for (size_t i = 0; i < child->index_count; i++) {
        const struct index *other = &child->indexes[i];
        if (text_eq(tail_of(other), tail_of(s->index)) && other->unique == s->index->unique &&
            !other->constraint == !s->index->constraint && rank++ == wanted) {
            return other;
        }
    }
    return NULL;
}

static const char *name_with(const struct spread *s, const struct relation *relation,
                             const char *name, const char *suffix)
{
    return *suffix
               ? free_name(s->work, s->place.state, relation, say(s->work, "%s%s", name, suffix))
               : name;
}

static const char *server_choice(const struct spread *s, const struct relation *relation)
{
    bool primary = s->index->primary || text_ends(s->index->name, "_pkey");
    return s->index->constraint ? constraint_server_name(s->work, relation, primary ? 'p' : 'u',
                                                         s->work->intent->columns.items,
                                                         s->work->intent->columns.count)
                                : say(s->work, "%s_%s", relation->name, s->index->name);
}

/* The name of the index on the relation; `suffix` behind it. */
const char *spread_name(const struct spread *s, const struct relation *relation, const char *suffix)
{
    const struct index *own = relation == s->place.relation ? s->index : spread_child(s, relation);
    const char *name = own ? own->name : server_choice(s, relation);
    return name_with(s, relation, name, suffix);
}

static const char *create(const struct spread *s, const struct relation *relation, const char *name,
                          const char *how)
{
    return say(s->work, "CREATE %sINDEX %s%s ON %s%s %s", s->index->unique ? "UNIQUE " : "",
               how[0] == 'c' ? "CONCURRENTLY " : "", ident(s->work, name),
               how[0] == 'o' ? "ONLY " : "", relation_sql(s->work, relation),
               columns_mapped(s->work->ctx, tail_of(s->index), s->maps));
}

static void build_part(const struct spread *s, const struct relation *leaf)
{
    const struct place place = { s->place.state, leaf, s->place.phase };
    const char *name = spread_name(s, leaf, s->suffix);
    (void)index_build(s->work, &place, name, create(s, leaf, name, "concurrently"));
}

static void build_whole(const struct spread *s, const struct relation *parent)
{
    struct work *work = s->work;
    struct relation **children;
    const char *name = spread_name(s, parent, s->suffix);
    const char *quoted = name_sql(work, parent->schema, name);
    size_t count = relation_children(work, s->place.state, parent, &children);
    struct step *shell =
        work_step(work, s->place.state, s->place.phase,
                  say(work, "Make index %s of %s, without its partitions", name, parent->name),
                  "ON ONLY builds nothing and is instant; the partitions' indexes are attached to "
                  "it");
    step_up(work, shell, "%s", create(s, parent, name, "only"));
    step_down(work, shell, "DROP INDEX IF EXISTS %s", quoted);
    step_lock(work, shell, parent, "SHARE");
    for (size_t i = 0; i < count; i++) {
        if (children[i]->kind == 'p') {
            build_whole(s, children[i]);
        } else {
            build_part(s, children[i]);
        }
        const char *child = spread_name(s, children[i], s->suffix);
        struct step *attach = work_step(work, s->place.state, s->place.phase,
                                        say(work, "Attach %s to %s", child, name),
                                        "The index of the whole is valid when every partition has "
                                        "its own");
        step_up(work, attach, "ALTER INDEX %s ATTACH PARTITION %s", quoted,
                name_sql(work, children[i]->schema, child));
        step_down(work, attach, "DROP INDEX IF EXISTS %s", quoted);
        step_lock(work, attach, children[i], "ACCESS SHARE");
    }
}

void spread_build(const struct spread *s)
{
    build_whole(s, s->place.relation);
}

/* --- the way back of a drop ------------------------------------------------------------------ */

static const char *if_missing(const struct work *work, const char *sql)
{
    const char *at = strstr(sql, "CONCURRENTLY ");
    at = at ? at + strlen("CONCURRENTLY ") : strstr(sql, "INDEX ") + strlen("INDEX ");
    return text_starts(sql, "CREATE ") ? say(work, "%.*sIF NOT EXISTS %s", (int)(at - sql), sql, at)
                                       : sql;
}

/* Steps of the bench from `from` on, turned around: nothing forward, backward what they did. */
static void turn(struct work *work, const struct state *state, enum phase phase, size_t from,
                 const char *last)
{
    struct step **steps;
    size_t count = work_steps(work, state, phase, &steps);
    for (size_t a = from, b = count; a + 1 < b; a++) {
        struct step *swapped = steps[a];
        steps[a] = steps[--b];
        steps[b] = swapped;
    }
    for (size_t i = from; i < count; i++) {
        struct step *step = steps[i];
        const char *sql = if_missing(work, step->up.items[0]);
        step->up = step->down = (struct step_texts){ 0 };
        step->what = say(work, "On the way back: %s", step->what);
        step->kind = STEP_STATEMENT;
        step->tags = TAG_NEUTRAL;
        step->probe = NULL;
        step->full_scan = false;
        step->estimate = (struct step_estimate){ .ms = 5, .confidence = "guessed" };
        step_down(work, step, "%s", sql);
        if (i + 1 < count) {
            step_up_nothing(work, step, "this step is for the way back");
        } else {
            step->what = last;
            step->tags = TAG_CONTRACT;
        }
    }
}

void spread_remove(const struct spread *s)
{
    struct work *work = s->work;
    const struct relation *parent = s->place.relation;
    enum phase phase = s->place.phase > work->floor ? s->place.phase : work->floor;
    struct step **steps;
    size_t from = work_steps(work, s->place.state, phase, &steps);
    const char *name = spread_name(s, parent, s->suffix);
    spread_build(s);
    turn(work, s->place.state, phase, from,
         say(work, "Drop index %s of %s and its partitions", name, parent->name));
    size_t count = work_steps(work, s->place.state, phase, &steps);
    step_up(work, steps[count - 1], "DROP INDEX %s", name_sql(work, parent->schema, name));
    step_lock(work, steps[count - 1], parent, "ACCESS EXCLUSIVE");
}

/* --- constraints ----------------------------------------------------------------------------- */

void spread_parts(const struct spread *s)
{
    struct relation **leaves;
    size_t count = relation_leaves(s->work, s->place.state,
                                   (struct relation *)(uintptr_t)s->place.relation, &leaves);
    for (size_t i = 0; i < count; i++) {
        build_part(s, leaves[i]);
    }
}

static const char *constraint_sql(const struct spread *s, const struct constraint *c)
{
    return columns_mapped(s->work->ctx, c->definition, s->maps);
}

static void join_under(const struct spread *s, const struct constraint *c,
                       const struct relation *parent, struct step_texts *out)
{
    struct work *work = s->work;
    struct relation **children;
    const char *mine = parent == s->place.relation ? c->name : spread_name(s, parent, "");
    size_t count = relation_children(work, s->place.state, parent, &children);
    step_texts_add(work->ctx, out,
                   say(work, "ALTER TABLE ONLY %s ADD CONSTRAINT %s %s", relation_sql(work, parent),
                       ident(work, mine), constraint_sql(s, c)));
    for (size_t i = 0; i < count; i++) {
        const char *child = spread_name(s, children[i], "");
        if (children[i]->kind == 'p') {
            join_under(s, c, children[i], out);
        } else {
            step_texts_add(work->ctx, out,
                           say(work, "ALTER TABLE %s ADD CONSTRAINT %s %s USING INDEX %s",
                               relation_sql(work, children[i]), ident(work, child),
                               c->kind == 'p' ? "PRIMARY KEY" : "UNIQUE",
                               ident(work, spread_name(s, children[i], s->suffix))));
        }
        step_texts_add(work->ctx, out,
                       say(work, "ALTER INDEX %s ATTACH PARTITION %s",
                           name_sql(work, parent->schema, mine),
                           name_sql(work, children[i]->schema, child)));
    }
}

void spread_join(const struct spread *s, const struct constraint *c, struct step_texts *out)
{
    join_under(s, c, s->place.relation, out);
}

static void rename_under(const struct spread *s, const struct relation *relation,
                         const char *const *suffixes, struct step_texts *out)
{
    struct work *work = s->work;
    struct relation **children;
    size_t count = relation_children(work, s->place.state, relation, &children);
    step_texts_add(work->ctx, out,
                   say(work, "ALTER INDEX %s RENAME TO %s",
                       name_sql(work, relation->schema, spread_name(s, relation, suffixes[0])),
                       ident(work, spread_name(s, relation, suffixes[1]))));
    for (size_t i = 0; i < count; i++) {
        rename_under(s, children[i], suffixes, out);
    }
}

void spread_rename(const struct spread *s, const char *from, const char *to, struct step_texts *out)
{
    const char *const suffixes[] = { from, to };
    rename_under(s, s->place.relation, suffixes, out);
}
