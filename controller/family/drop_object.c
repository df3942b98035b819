/*
 * Views, functions, triggers and policies that go. Their way back is their definition, with all
 * that is said about them; what rests on them is named and refused.
 */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/family/families.h"
#include "controller/work/around.h"

static struct step *drop_step(struct work *work, const char *kind, const char *name)
{
    struct step *step =
        work_step(work, work->home, PHASE_CONTRACT, say(work, "Drop %s %s", kind, name),
                  "Its definition is kept for the way back");
    step->tags = TAG_CONTRACT;
    return step;
}

static bool parsed_name(struct work *work, struct object_name *out)
{
    struct error why;
    return object_name_parse(work->ctx, work->intent->name, out, &why) ||
           work_refuse(work, why.hint, "%s", why.message);
}

static bool not_there(struct work *work, const char *kind)
{
    work_note(work, "info", "nothing-to-do", "there is no %s %s", kind, work->intent->name);
    return true;
}

/* --- views ----------------------------------------------------------------------------------- */

static bool nobody_reads(struct work *work, const struct relation *view)
{
    const struct catalog *catalog = work->home->catalog;
    const char *prefix = say(work, "%s.", relation_key(work, view));
    for (size_t i = 0; i < catalog->relation_count; i++) {
        for (size_t k = 0; k < catalog->relations[i].reads.count; k++) {
            if (text_starts(catalog->relations[i].reads.items[k], prefix)) {
                return work_refuse(work, "drop or replace that one first", "view %s reads %s",
                                   relation_key(work, &catalog->relations[i]),
                                   relation_key(work, view));
            }
        }
    }
    return true;
}

static void make_matview(const struct work *work, const struct relation *view,
                         struct step_texts *out)
{
    const char *name = relation_sql(work, view), *body = view->definition;
    size_t length = strlen(body);
    while (length && strchr("; \n", body[length - 1])) {
        length--;
    }
    step_texts_add(work->ctx, out,
                   say(work, "CREATE MATERIALIZED VIEW %s AS %.*s", name, (int)length, body));
    if (view->owner) {
        step_texts_add(
            work->ctx, out,
            say(work, "ALTER MATERIALIZED VIEW %s OWNER TO %s", name, ident(work, view->owner)));
    }
    grants_sql(work, &view->acl, say(work, "ON TABLE %s", name), NULL, out);
    for (size_t i = 0; i < view->index_count; i++) {
        step_texts_add(work->ctx, out, view->indexes[i].definition);
    }
    if (view->comment) {
        step_texts_add(
            work->ctx, out,
            say(work, "COMMENT ON MATERIALIZED VIEW %s IS %s", name, literal(work, view->comment)));
    }
}

static bool drop_view(struct work *work, char kind, const char *words, const char *keyword)
{
    struct object_name name;
    if (!parsed_name(work, &name)) {
        return false;
    }
    struct relation *view = catalog_relation(work->home->catalog, name.schema, name.name);
    if (!view || view->kind != kind) {
        return not_there(work, words);
    }
    if (!nobody_reads(work, view)) {
        return false;
    }
    if (!view->definition) {
        return work_refuse(work, "make it a change of its own",
                           "view %s was changed by an earlier intent of this change", view->name);
    }
    acknowledge(work, work->home, view, "*");
    struct step *step = drop_step(work, words, view->name);
    step_up(work, step, "DROP %s %s", keyword, relation_sql(work, view));
    if (kind == 'v') {
        view_made(work, view, &step->down);
    } else {
        make_matview(work, view, &step->down);
    }
    step_lock(work, step, view, "ACCESS EXCLUSIVE");
    work_touch(work, work->home, relation_key(work, view));
    model_drop_relation(work, work->home, view);
    return true;
}

bool compile_drop_view(struct work *work)
{
    return drop_view(work, 'v', "view", "VIEW");
}

bool compile_drop_materialized_view(struct work *work)
{
    return drop_view(work, 'm', "materialized view", "MATERIALIZED VIEW");
}

/* --- functions ------------------------------------------------------------------------------- */

static struct function *the_function(struct work *work, const struct object_name *name,
                                     size_t *count)
{
    struct function *found = NULL;
    *count = 0;
    for (size_t i = 0; i < work->home->catalog->function_count; i++) {
        struct function *f = &work->home->catalog->functions[i];
        if (text_eq(f->name, name->name) && (!name->schema || text_eq(f->schema, name->schema))) {
            found = f;
            (*count)++;
        }
    }
    return found;
}

bool compile_drop_function(struct work *work)
{
    struct object_name name;
    size_t count;
    if (!parsed_name(work, &name)) {
        return false;
    }
    struct function *f = the_function(work, &name, &count);
    if (count == 0) {
        return not_there(work, "function");
    }
    if (count > 1 || !f->definition || f->kind == 'a') {
        return work_refuse(work, "write it as sql: with its arguments, and the way back",
                           "%zu functions have the name %s, or its definition cannot be read",
                           count, name.name);
    }
    const char *kind = f->kind == 'p' ? "PROCEDURE" : "FUNCTION";
    const char *signature =
        say(work, "%s(%s)", name_sql(work, f->schema, f->name), f->arguments ? f->arguments : "");
    struct step *step = drop_step(work, "function", f->name);
    step_up(work, step, "DROP %s %s", kind, signature);
    step_down(work, step, "%s", f->definition);
    if (f->owner) {
        step_down(work, step, "ALTER %s %s OWNER TO %s", kind, signature, ident(work, f->owner));
    }
    grants_sql(work, &f->acl, say(work, "ON %s %s", kind, signature), NULL, &step->down);
    work_touch(
        work, work->home,
        say(work, "function %s.%s(%s)", f->schema, f->name, f->arguments ? f->arguments : ""));
    f->name = ""; /* gone, as far as later intents look */
    return true;
}

/* --- on tables ------------------------------------------------------------------------------- */

bool compile_drop_trigger(struct work *work)
{
    struct relation *relation;
    if (!find_table(work, &relation)) {
        return false;
    }
    for (size_t i = 0; i < relation->trigger_count; i++) {
        struct trigger *trigger = &relation->triggers[i];
        if (!text_eq(trigger->name, work->intent->name)) {
            continue;
        }
        struct step *step = drop_step(work, "trigger", trigger->name);
        step_up(work, step, "DROP TRIGGER %s ON %s", ident(work, trigger->name),
                relation_sql(work, relation));
        trigger_made(work, relation, trigger, &step->down);
        step_lock(work, step, relation, "ACCESS EXCLUSIVE");
        work_touch(work, work->home, relation_key(work, relation));
        work_busy(work, work->home, relation, NULL);
        model_drop_trigger(relation, trigger);
        return true;
    }
    return not_there(work, "trigger");
}

bool compile_drop_policy(struct work *work)
{
    struct relation *relation;
    if (!find_table(work, &relation)) {
        return false;
    }
    for (size_t i = 0; i < relation->policy_count; i++) {
        const struct policy *policy = &relation->policies[i];
        if (!text_eq(policy->name, work->intent->name)) {
            continue;
        }
        struct around around = { 0 };
        around_policy(work, relation, policy, &around);
        struct step *step = drop_step(work, "policy", policy->name);
        step_up(work, step, "%s", around.drop.items[0]);
        step_down(work, step, "%s", around.make.items[0]);
        step_lock(work, step, relation, "ACCESS EXCLUSIVE");
        work_touch(work, work->home, relation_key(work, relation));
        work_busy(work, work->home, relation, NULL);
        model_drop_policy(relation, policy);
        return true;
    }
    return not_there(work, "policy");
}
