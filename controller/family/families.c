#include "controller/family/families.h"

#include "agents/base/mem.h"
#include "controller/work/order.h"

static const struct {
    enum intent_operation operation;
    family_function function;
} families[] = {
    { INTENT_ADD_COLUMN, compile_add_column },
    { INTENT_RENAME_COLUMN, compile_rename_column },
    { INTENT_CHANGE_TYPE, compile_change_type },
    { INTENT_SET_NOT_NULL, compile_set_not_null },
    { INTENT_DROP_NOT_NULL, compile_drop_not_null },
    { INTENT_ADD_CHECK, compile_add_check },
    { INTENT_ADD_FOREIGN_KEY, compile_add_foreign_key },
    { INTENT_ADD_INDEX, compile_add_index },
    { INTENT_DROP_INDEX, compile_drop_index },
    { INTENT_DROP_COLUMN, compile_drop_column },
    { INTENT_DROP_CONSTRAINT, compile_drop_constraint },
    { INTENT_ADD_UNIQUE, compile_add_unique },
    { INTENT_ADD_PRIMARY_KEY, compile_add_primary_key },
    { INTENT_SET_DEFAULT, compile_set_default },
    { INTENT_DROP_DEFAULT, compile_drop_default },
    { INTENT_COMMENT, compile_comment },
    { INTENT_CREATE_TABLE, compile_create_table },
    { INTENT_DROP_TABLE, compile_drop_table },
    { INTENT_DROP_VIEW, compile_drop_view },
    { INTENT_DROP_MATERIALIZED_VIEW, compile_drop_materialized_view },
    { INTENT_DROP_FUNCTION, compile_drop_function },
    { INTENT_DROP_TRIGGER, compile_drop_trigger },
    { INTENT_DROP_POLICY, compile_drop_policy },
    { INTENT_DATA_BACKFILL, compile_data_backfill },
    { INTENT_SQL, compile_sql },
};

family_function family_of(enum intent_operation operation)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        if (families[i].operation == operation) {
            return families[i].function;
        }
    }
    return NULL;
}

static void compile_one(struct work *work)
{
    const struct intent *it = work->intent;
    work->home = work_state(work, it->service);
    if (!work->home) {
        (void)work_refuse(work, "name a service of the manifest",
                          "there is no service %s with a catalog", it->service);
        return;
    }
    family_function family = family_of(it->operation);
    if (!family) {
        (void)work_refuse(work, "write it as sql: { up: […], down: […] }, or split the change",
                          "this version cannot plan %s yet", intent_name(it->operation));
        return;
    }
    if (!wish_fits(work)) {
        return;
    }
    order_before(work);
    size_t refusals = work->result->refusals;
    if (!family(work) && work->result->refusals == refusals) {
        (void)work_refuse(work, "please report this", "%s failed without saying why",
                          intent_name(it->operation));
    }
    order_after(work);
}

void work_take(struct work *work, const struct intent *intent)
{
    struct intents *taken = work->result->taken;
    struct intent *copy = mem_new(work->ctx, struct intent);
    *copy = *intent;
    taken->items = mem_room(work->ctx, taken->items, struct intent, taken->count + 1);
    taken->items[taken->count++] = *copy;
    work->intent = copy;
    work->number = (int)taken->count;
    compile_one(work);
}
