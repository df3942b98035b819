/*
 * What SQL as written destroys by name is kept aside first, like what a family drops: the snapshot
 * is restored elsewhere and compared before the statements run, and the way back merges it.
 */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/family/families.h"
#include "controller/sql/loss.h"
#include "controller/sql/script.h"
#include "controller/work/row_step.h"

struct keeping {
    struct relation *relation;
    bool whole;
    struct step_texts columns;
};

struct keepings {
    struct keeping *items;
    size_t count;
};

static struct keeping *keeping_of(const struct work *work, struct keepings *list,
                                  struct relation *relation)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].relation == relation) {
            return &list->items[i];
        }
    }
    list->items = mem_room(work->ctx, list->items, struct keeping, list->count + 1);
    list->items[list->count] = (struct keeping){ .relation = relation };
    return &list->items[list->count++];
}

static bool has(const struct step_texts *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (text_eq(list->items[i], name)) {
            return true;
        }
    }
    return false;
}

static void keep_one(const struct work *work, struct keepings *list, const struct sql_loss *loss)
{
    struct relation *relation =
        catalog_relation(work->home->catalog, loss->relation.schema, loss->relation.name);
    if (!relation || (relation->kind != 'r' && relation->kind != 'p')) {
        return;
    }
    struct step_texts key = snapshot_key(work, relation);
    if (!loss->column && (key.count > 0 || !loss->deletes)) {
        keeping_of(work, list, relation)->whole = true;
        return;
    }
    const struct column *column = loss->column ? relation_column(relation, loss->column) : NULL;
    if (!column || column->generated || key.count == 0 || has(&key, loss->column)) {
        return;
    }
    struct keeping *k = keeping_of(work, list, relation);
    if (!has(&k->columns, loss->column)) {
        step_texts_add(work->ctx, &k->columns, loss->column);
    }
}

static void keep_step(struct work *work, enum phase phase, const struct keeping *k)
{
    struct relation *relation = k->relation;
    struct text what = text_init(work->ctx, TEXT_LINE);
    for (size_t i = 0; i < k->columns.count && !k->whole; i++) {
        text_addf(&what, "%s%s", i ? ", " : "", k->columns.items[i]);
    }
    const struct place place = { work->home, relation, phase };
    struct step_texts key = snapshot_key(work, relation);
    struct step *step =
        step_aside(work, &place, &key,
                   say(work, "Keep %s%s%s aside (by hand: \\copy %s to a file)", what.data,
                       what.len ? " of " : "the rows of ", relation->name,
                       what.len ? "the key and the columns" : "the table"),
                   "The SQL that follows destroys them; going back puts them back");
    for (size_t i = 0; i < k->columns.count && !k->whole; i++) {
        step_aside_column(work, step, k->columns.items[i], "", "");
    }
    step_risk(work, step, "what is written between it and the SQL that follows is not in it");
    work_touch(work, work->home, relation_key(work, relation));
}

void raw_keep(struct work *work, enum phase phase)
{
    struct keepings list = { 0 };
    for (size_t i = 0; i < work->intent->up.count; i++) {
        struct script *script;
        struct error ignored; /* what does not parse is refused when it is judged */
        const char *sql = work->intent->up.items[i];
        if (!sql_parse(work->ctx, sql, strlen(sql), &script, &ignored)) {
            continue;
        }
        for (size_t k = 0; k < script->count; k++) {
            struct sql_losses losses = sql_losses_of(work->ctx, &script->statements[k]);
            for (size_t l = 0; l < losses.count; l++) {
                keep_one(work, &list, &losses.items[l]);
            }
        }
    }
    for (size_t i = 0; i < list.count; i++) {
        keep_step(work, phase, &list.items[i]);
    }
}
