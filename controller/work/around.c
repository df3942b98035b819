#include "controller/work/around.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/work/column_map.h"
#include "controller/work/model.h"
#include "controller/work/sync.h"
#include "controller/work/types.h"

static void add(const struct work *work, struct step_texts *list, const char *sql)
{
    step_texts_add(work->ctx, list, sql);
}

static void remember(const struct work *work, struct around *around, const char *name)
{
    around->names = mem_room(work->ctx, around->names, const char *, around->name_count + 1);
    around->names[around->name_count++] = name;
}

/* --- views ---------------------------------------------------------------------------------- */

static bool known_view(const struct around *around, const struct relation *view)
{
    for (size_t i = 0; i < around->view_count; i++) {
        if (around->views[i] == view) {
            return true;
        }
    }
    return false;
}

static bool reads(const struct relation *view, const char *prefix, bool whole)
{
    size_t length = strlen(prefix);
    for (size_t i = 0; i < view->reads.count; i++) {
        const char *read = view->reads.items[i];
        if (strncmp(read, prefix, length) == 0 && (whole ? read[length] == 0 : true)) {
            return true;
        }
    }
    return false;
}

static bool collect_views(struct work *work, const struct state *state, const char *prefix,
                          bool whole, struct around *around)
{
    for (size_t i = 0; i < state->catalog->relation_count; i++) {
        struct relation *view = &state->catalog->relations[i];
        if ((view->kind != 'v' && view->kind != 'm') || known_view(around, view) ||
            !reads(view, prefix, whole)) {
            continue;
        }
        if (view->kind == 'm' && whole && around->exchange) {
            continue; /* it goes on reading the column by its number */
        }
        if (view->kind == 'm') {
            return work_refuse(work,
                               "drop it and create it again by hand around this change, or let it "
                               "read the table itself",
                               "materialized view %s depends on what changes: making it again "
                               "inside of the exchange would lock for as long as it takes to fill",
                               relation_key(work, view));
        }
        if (!view->definition) {
            return work_refuse(work, "make the rename a change of its own, and this another",
                               "view %s was changed by an earlier intent of this change",
                               relation_key(work, view));
        }
        around->views =
            mem_room(work->ctx, around->views, const struct relation *, around->view_count + 1);
        around->views[around->view_count++] = view;
        if (!collect_views(work, state, say(work, "%s.", relation_key(work, view)), false,
                           around)) {
            return false;
        }
    }
    return true;
}

bool around_readers(struct work *work, const struct state *state, struct relation *view,
                    struct around *around)
{
    return collect_views(work, state, say(work, "%s.", relation_key(work, view)), false, around);
}

bool around_view(struct work *work, const struct state *state, struct relation *view,
                 struct around *around)
{
    around->views =
        mem_room(work->ctx, around->views, const struct relation *, around->view_count + 1);
    around->views[around->view_count++] = view;
    return collect_views(work, state, say(work, "%s.", relation_key(work, view)), false, around);
}

/* Default privileges may have given somebody a right that the old view did not. */
static const char *reset_grants(const struct work *work, const char *view)
{
    return say(work,
               "DO $flotilla$ DECLARE r record; BEGIN FOR r IN SELECT DISTINCT a.grantee FROM "
               "pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a WHERE c.oid = "
               "pg_catalog.to_regclass(%s) LOOP EXECUTE pg_catalog.format('REVOKE ALL ON TABLE %%s "
               "FROM %%s', %s, CASE r.grantee WHEN 0 THEN 'PUBLIC' ELSE "
               "pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(r.grantee)) END); END LOOP; END "
               "$flotilla$",
               literal(work, view), literal(work, view));
}

void trigger_made(const struct work *work, const struct relation *relation,
                  const struct trigger *trigger, struct step_texts *out)
{
    const char *table = relation_sql(work, relation);
    add(work, out, trigger->definition);
    const char *how = trigger->enabled == 'D'   ? "DISABLE"
                      : trigger->enabled == 'R' ? "ENABLE REPLICA"
                      : trigger->enabled == 'A' ? "ENABLE ALWAYS"
                                                : NULL;
    if (how) {
        add(work, out,
            say(work, "ALTER TABLE %s %s TRIGGER %s", table, how, ident(work, trigger->name)));
    }
    extras_made(work, relation, say(work, "trigger %s", trigger->name), out);
}

void view_made(const struct work *work, const struct relation *view, struct step_texts *out)
{
    const char *name = relation_sql(work, view);
    struct text options = text_init(work->ctx, TEXT_LINE);
    for (size_t i = 0; i < view->options.count; i++) {
        text_addf(&options, "%s%s", i ? ", " : " WITH (", view->options.items[i]);
    }
    const char *body = view->definition;
    size_t length = strlen(body);
    while (length && strchr("; \n", body[length - 1])) {
        length--;
    }
    add(work, out,
        say(work, "CREATE VIEW %s%s%s AS %.*s", name, options.data, options.len ? ")" : "",
            (int)length, body));
    if (view->owner) {
        add(work, out, say(work, "ALTER VIEW %s OWNER TO %s", name, ident(work, view->owner)));
    }
    add(work, out, reset_grants(work, name));
    grants_sql(work, &view->acl, say(work, "ON TABLE %s", name), NULL, out);
    for (size_t i = 0; i < view->column_count; i++) {
        struct column plain = view->columns[i];
        plain.statistics = -1;
        plain.storage = plain.compression = plain.attributes = NULL;
        column_dress(work, view, &plain, plain.name, out);
        if (plain.default_expr) {
            add(work, out,
                say(work, "ALTER VIEW %s ALTER COLUMN %s SET DEFAULT %s", name,
                    ident(work, plain.name), plain.default_expr));
        }
    }
    for (size_t i = 0; i < view->rules.count; i++) {
        add(work, out, view->rules.items[i]);
    }
    extras_made(work, view, "rule ", out);
    for (size_t i = 0; i < view->trigger_count; i++) {
        trigger_made(work, view, &view->triggers[i], out);
    }
    if (view->comment) {
        add(work, out, say(work, "COMMENT ON VIEW %s IS %s", name, literal(work, view->comment)));
    }
}

/* Whether nothing of `left` is read by the view: it can be made now. */
static bool can_make(const struct work *work, const struct relation *view,
                     const struct relation *const *left, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (left[i] != view && reads(view, say(work, "%s.", relation_key(work, left[i])), false)) {
            return false;
        }
    }
    return true;
}

void around_close(const struct work *work, const struct state *state, struct around *around)
{
    (void)state;
    size_t count = around->view_count, made = 0;
    const struct relation **left = mem_array(work->ctx, const struct relation *, count);
    const struct relation **order = mem_array(work->ctx, const struct relation *, count);
    mem_copy(left, around->views, count * sizeof *left);
    while (made < around->view_count) {
        size_t before = made;
        for (size_t i = 0; i < count; i++) {
            if (can_make(work, left[i], left, count)) {
                order[made++] = left[i];
                memmove(&left[i], &left[i + 1], (count - i - 1) * sizeof *left);
                count--;
                i--;
            }
        }
        if (made == before) {
            break;
        }
    }
    struct step_texts drops = { 0 };
    for (size_t i = made; i-- > 0;) {
        add(work, &drops, say(work, "DROP VIEW %s", relation_sql(work, order[i])));
    }
    for (size_t i = 0; i < around->drop.count; i++) {
        add(work, &drops, around->drop.items[i]);
    }
    around->drop = drops;
    for (size_t i = 0; i < made; i++) {
        view_made(work, order[i], &around->make);
        remember(work, around, say(work, "view %s", order[i]->name));
    }
    for (size_t i = 0; i < around->again.count; i++) {
        add(work, &around->make, around->again.items[i]);
    }
}

/* --- on the table itself -------------------------------------------------------------------- */

void around_policy(const struct work *work, const struct relation *relation,
                   const struct policy *policy, struct around *around)
{
    const char *table = relation_sql(work, relation);
    const char *command = policy->command == 'r'   ? "SELECT"
                          : policy->command == 'a' ? "INSERT"
                          : policy->command == 'w' ? "UPDATE"
                          : policy->command == 'd' ? "DELETE"
                                                   : "ALL";
    struct text t = text_init(work->ctx, TEXT_SQL);
    text_addf(&t, "CREATE POLICY %s ON %s AS %s FOR %s TO ", ident(work, policy->name), table,
              policy->permissive ? "PERMISSIVE" : "RESTRICTIVE", command);
    for (size_t i = 0; i < policy->roles.count; i++) {
        const char *role = policy->roles.items[i];
        text_addf(&t, "%s%s", i ? ", " : "",
                  text_eq(role, "public") || text_eq(role, "PUBLIC") ? "PUBLIC"
                                                                     : ident(work, role));
    }
    text_add(&t, policy->roles.count ? "" : "PUBLIC");
    if (policy->using_expr) {
        text_addf(&t, " USING (%s)", policy->using_expr);
    }
    if (policy->check_expr) {
        text_addf(&t, " WITH CHECK (%s)", policy->check_expr);
    }
    add(work, &around->drop, say(work, "DROP POLICY %s ON %s", ident(work, policy->name), table));
    add(work, &around->make, t.data);
    extras_made(work, relation, say(work, "policy %s", policy->name), &around->make);
    remember(work, around, say(work, "policy %s", policy->name));
}

/* "CREATE STATISTICS public.s (…) ON …": the name is the third word, perhaps qualified. */
const char *statistics_name(const struct work *work, const char *definition)
{
    const char *at = definition + strlen("CREATE STATISTICS ");
    struct sql_piece piece = sql_piece_next(work->ctx, at);
    const char *end = piece.start + piece.length;
    while (*end == '.') {
        piece = sql_piece_next(work->ctx, end + 1);
        end = piece.start + piece.length;
    }
    return mem_textn(work->ctx, at, (size_t)(end - at));
}

const char *statistics_owner(const struct work *work, const struct relation *relation,
                             const char *definition)
{
    return relation->owner ? say(work, "ALTER STATISTICS %s OWNER TO %s",
                                 statistics_name(work, definition), ident(work, relation->owner))
                           : NULL;
}

static bool already(const struct step_texts *list, const char *sql)
{
    for (size_t i = 0; i < list->count; i++) {
        if (text_eq(list->items[i], sql)) {
            return true;
        }
    }
    return false;
}

static bool on_table(struct work *work, struct relation *relation, const char *column,
                     struct around *around)
{
    const char *table = relation_sql(work, relation);
    for (size_t i = 0; i < relation->policy_count; i++) {
        const struct policy *policy = &relation->policies[i];
        if (column_mentioned(policy->using_expr, column) ||
            column_mentioned(policy->check_expr, column)) {
            around_policy(work, relation, policy, around);
        }
    }
    for (size_t i = 0; i < relation->trigger_count; i++) {
        const struct trigger *trigger = &relation->triggers[i];
        if (!column_mentioned(trigger->definition, column) ||
            already(&around->make, trigger->definition)) {
            continue;
        }
        add(work, &around->drop,
            say(work, "DROP TRIGGER %s ON %s", ident(work, trigger->name), table));
        trigger_made(work, relation, trigger, &around->make);
        remember(work, around, say(work, "trigger %s", trigger->name));
    }
    for (size_t i = 0; i < relation->statistics.count; i++) {
        const char *definition = relation->statistics.items[i];
        if (!column_mentioned(definition, column) || already(&around->make, definition)) {
            continue;
        }
        add(work, &around->drop,
            say(work, "DROP STATISTICS %s", statistics_name(work, definition)));
        add(work, &around->make, definition);
        const char *owner = statistics_owner(work, relation, definition);
        if (owner) {
            add(work, &around->make, owner);
        }
        extras_made(work, relation, say(work, "statistics %s", statistics_name(work, definition)),
                    &around->make);
        remember(work, around, "extended statistics");
    }
    for (size_t i = 0; i < relation->rules.count; i++) {
        if (column_mentioned(relation->rules.items[i], column)) {
            return work_refuse(work, "drop the rule by hand first", "a rule of %s uses %s",
                               relation_key(work, relation), column);
        }
    }
    return true;
}

static bool has_body(const struct function *function, const struct relation *relation,
                     const char *column)
{
    const char *definition = function->definition;
    return definition && strstr(definition, "\nBEGIN ATOMIC") &&
           column_mentioned(definition, column) && strstr(definition, relation->name);
}

bool around_has_function(const struct state *state, const struct relation *relation,
                         const char *column)
{
    for (size_t i = 0; i < state->catalog->function_count; i++) {
        if (has_body(&state->catalog->functions[i], relation, column)) {
            return true;
        }
    }
    return false;
}

/* An SQL-standard body knows columns by number; said again it means those that have the names by
 * then. Where a column is altered and not exchanged it would have to go first. */
static bool functions_fine(struct work *work, const struct state *state,
                           const struct relation *relation, const char *column,
                           struct around *around)
{
    for (size_t i = 0; i < state->catalog->function_count; i++) {
        const struct function *function = &state->catalog->functions[i];
        if (!has_body(function, relation, column)) {
            continue;
        }
        if (!around->exchange) {
            return work_refuse(work, "re-create it with a text body (AS '…') first",
                               "function %s.%s has an SQL-standard body that uses %s",
                               function->schema, function->name,
                               column_words(work, relation, column));
        }
        if (!already(&around->again, function->definition)) {
            add(work, &around->again, function->definition);
            remember(work, around, say(work, "function %s", function->name));
        }
    }
    return true;
}

bool around_column(struct work *work, const struct state *state, struct relation *relation,
                   const char *column, struct around *around)
{
    published_around(work, state, relation, column, around);
    return functions_fine(work, state, relation, column, around) &&
           collect_views(work, state, column_key(work, relation, column), true, around) &&
           on_table(work, relation, column, around);
}

void around_risk(const struct work *work, const struct around *around, struct step *step)
{
    for (size_t i = 0; i < around->name_count; i++) {
        step_risk(work, step, "%s is dropped and made again in the same transaction",
                  around->names[i]);
    }
}
