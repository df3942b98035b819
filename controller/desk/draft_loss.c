#include "controller/desk/draft_loss.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"
#include "controller/desk/lint_grammar.h"
#include "controller/judge/judge.h"
#include "controller/sql/loss.h"
#include "controller/sql/script.h"

struct looking {
    const void *ctx;
    const struct service_catalog *item;
    struct compiled *compiled;
    struct judge *judge; /* of its own: it takes the statements of a step one by one */
    const struct part *part;
};

/* Null: not SQL as written in a wish. A file of DDL is taken at its word. */
static const struct intent *wish_of(const struct compiled *compiled, const struct step *step)
{
    if (step->intent <= 0 || (size_t)step->intent > compiled->intents->count) {
        return NULL;
    }
    const struct intent *intent = &compiled->intents->items[step->intent - 1];
    return intent->operation == INTENT_SQL && !intent->written ? intent : NULL;
}

static bool keeps(const struct step *step, const char *relation, const char *column)
{
    if (step->kind != STEP_SNAPSHOT || !text_eq(step->snapshot.of, relation)) {
        return false;
    }
    for (size_t i = 0; i < step->snapshot.columns.count; i++) {
        if (column && text_eq(step->snapshot.columns.items[i], column)) {
            return true;
        }
    }
    return step->snapshot.columns.count == 0;
}

/* By a step of the same intent before this one. */
static bool is_kept(const struct looking *l, size_t at, const struct sql_loss *loss)
{
    SCOPE(tmp);
    const struct relation *relation =
        catalog_relation(l->item->catalog, loss->relation.schema, loss->relation.name);
    if (!relation) {
        return false;
    }
    const char *key = object_name_join(tmp, relation->schema, relation->name);
    for (size_t i = 0; i < at; i++) {
        if (l->part->steps[i].intent == l->part->steps[at].intent &&
            keeps(&l->part->steps[i], key, loss->column)) {
            return true;
        }
    }
    return false;
}

static bool all_kept(const struct looking *l, size_t at, const char *sql, struct error *err)
{
    SCOPE(tmp);
    struct script *script;
    if (!sql_parse(tmp, sql, strlen(sql), &script, err)) {
        return false;
    }
    size_t named = 0;
    for (size_t i = 0; i < script->count; i++) {
        struct sql_losses losses = sql_losses_of(tmp, &script->statements[i]);
        if (!losses.complete) {
            return false;
        }
        for (size_t k = 0; k < losses.count; k++, named++) {
            if (!is_kept(l, at, &losses.items[k])) {
                return false;
            }
        }
    }
    return named > 0;
}

static void refuse(struct looking *l, const struct step *step, const struct intent *intent,
                   const char *sql)
{
    struct compiled *compiled = l->compiled;
    compiled->findings =
        mem_room(l->ctx, compiled->findings, struct compile_finding, compiled->finding_count + 1);
    compiled->findings[compiled->finding_count++] = (struct compile_finding){
        .severity = "error",
        .rule = "no-snapshot",
        .service = l->part->service,
        .place = intent->place,
        .message = mem_printf(l->ctx,
                              "it destroys what no snapshot can keep, so that nothing could bring "
                              "it back: %.200s",
                              text_printable(l->ctx, sql)),
        .hint = "write it as an intent of its own kind (drop_table, drop_column, change_type), or "
                "drop, truncate and delete by name in tables with a primary key, without CASCADE; "
                "or say that it may be lost: accept_loss: true, with the reason in note:",
        .intent = step->intent,
    };
    compiled->refusals++;
}

static bool look_at(struct looking *l, size_t at, struct error *err)
{
    const struct step *step = &l->part->steps[at];
    const struct intent *wish = wish_of(l->compiled, step);
    bool silent = !wish || step->kind != STEP_STATEMENT || wish->accept_loss;
    for (size_t i = 0; i < step->up.count; i++) {
        struct step one = { .id = step->id, .kind = step->kind };
        struct error ignored;
        step_texts_add(l->ctx, &one.up, step->up.items[i]);
        if (!step_judge(l->ctx, l->judge, &one, err)) {
            return fail_in(err, "%s: %s", l->part->service, step->what);
        }
        if (!silent && (one.tags & TAG_DESTRUCTIVE) &&
            !all_kept(l, at, step->up.items[i], &ignored)) {
            refuse(l, step, wish, step->up.items[i]);
        }
    }
    return true;
}

static bool look_at_service(struct looking *l, struct error *err)
{
    struct compiled *compiled = l->compiled;
    for (enum phase phase = 0; phase < PHASE_COUNT; phase++) {
        for (size_t i = 0; i < compiled->part_count; i++) {
            l->part = compiled->parts[i];
            if (l->part->phase != phase || !text_eq(l->part->service, l->item->service)) {
                continue;
            }
            for (size_t k = 0; k < l->part->step_count; k++) {
                if ((l->part->steps[k].kind == STEP_STATEMENT ||
                     l->part->steps[k].kind == STEP_CONCURRENTLY) &&
                    !look_at(l, k, err)) {
                    return false;
                }
            }
        }
        judge_settle(l->judge);
    }
    return true;
}

static bool has_wish(const struct compiled *compiled, const char *service)
{
    for (size_t i = 0; i < compiled->part_count; i++) {
        const struct part *part = compiled->parts[i];
        for (size_t k = 0; k < part->step_count && text_eq(part->service, service); k++) {
            if (wish_of(compiled, &part->steps[k])) {
                return true;
            }
        }
    }
    return false;
}

bool draft_loss(const void *ctx, const struct catalogs *catalogs, struct compiled *compiled,
                struct error *err)
{
    size_t before = compiled->refusals;
    for (size_t i = 0; i < catalogs->count && !before; i++) {
        struct looking l = { .ctx = ctx, .item = &catalogs->items[i], .compiled = compiled };
        if (!has_wish(compiled, l.item->service)) {
            continue;
        }
        struct lint_options asking = { 0 };
        l.judge = judge_new(ctx, l.item->catalog, 0);
        lint_grammar_of_catalog(ctx, catalogs, l.item, &asking);
        judge_ask(l.judge, asking.ask, asking.ask_data);
        if (!look_at_service(&l, err)) {
            return false;
        }
    }
    return true;
}
