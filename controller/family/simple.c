/*
 * What only touches the catalog and holds its lock for an instant: defaults, comments.
 */
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/family/families.h"

static bool the_column(struct work *work, struct relation **relation, struct column **column)
{
    return find_table(work, relation) && find_column(work, *relation, work->intent->column, column);
}

static void change_default(struct work *work, struct relation *relation, struct column *column,
                           const char *wanted)
{
    const char *alter =
        say(work, "ALTER %sTABLE %s ALTER COLUMN %s", relation->kind == 'f' ? "FOREIGN " : "",
            relation_sql(work, relation), ident(work, column->name));
    struct step *step =
        work_step(work, work->home, PHASE_EXPAND,
                  say(work, wanted ? "Set the default of %s" : "Drop the default of %s",
                      column_words(work, relation, column->name)),
                  "Only the catalog changes: rows that are there keep their values");
    step_up(work, step, "%s %s%s", alter, wanted ? "SET DEFAULT " : "DROP DEFAULT",
            wanted ? wanted : "");
    step_down(work, step, "%s %s%s", alter, column->default_expr ? "SET DEFAULT " : "DROP DEFAULT",
              column->default_expr ? column->default_expr : "");
    step_lock(work, step, relation, "ACCESS EXCLUSIVE");
    column->default_expr = wanted;
    work_touch(work, work->home, relation_key(work, relation));
}

bool compile_set_default(struct work *work)
{
    struct relation *relation;
    struct column *column;
    if (!the_column(work, &relation, &column)) {
        return false;
    }
    if (column->identity || column->generated) {
        return work_refuse(work, "drop the identity or the generation first",
                           "%s is %s: it has no default",
                           column_words(work, relation, column->name),
                           column->identity ? "an identity" : "generated");
    }
    if (text_eq(column->default_expr, work->intent->default_expr)) {
        work_note(work, "info", "nothing-to-do", "%s has this default already",
                  column_words(work, relation, column->name));
        return true;
    }
    change_default(work, relation, column, work->intent->default_expr);
    return true;
}

bool compile_drop_default(struct work *work)
{
    struct relation *relation;
    struct column *column;
    if (!the_column(work, &relation, &column)) {
        return false;
    }
    if (!column->default_expr) {
        work_note(work, "info", "nothing-to-do", "%s has no default",
                  column_words(work, relation, column->name));
        return true;
    }
    change_default(work, relation, column, NULL);
    return true;
}

bool compile_comment(struct work *work)
{
    struct relation *relation;
    struct column *column = NULL;
    const struct intent *it = work->intent;
    if (!find_table(work, &relation) ||
        (it->column && !find_column(work, relation, it->column, &column))) {
        return false;
    }
    const char *kind = column                  ? "COLUMN"
                       : relation->kind == 'v' ? "VIEW"
                       : relation->kind == 'm' ? "MATERIALIZED VIEW"
                       : relation->kind == 'f' ? "FOREIGN TABLE"
                                               : "TABLE";
    const char *on =
        column ? say(work, "%s.%s", relation_sql(work, relation), ident(work, column->name))
               : relation_sql(work, relation);
    const char *before = column ? column->comment : relation->comment;
    if (text_eq(before, it->text)) {
        work_note(work, "info", "nothing-to-do", "the comment is there already");
        return true;
    }
    struct step *step = work_step(work, work->home, PHASE_EXPAND, "Write a comment",
                                  "It changes nothing that a client could notice");
    step_up(work, step, "COMMENT ON %s %s IS %s", kind, on,
            *it->text ? literal(work, it->text) : "NULL");
    step_down(work, step, "COMMENT ON %s %s IS %s", kind, on,
              before ? literal(work, before) : "NULL");
    step_lock(work, step, relation, "SHARE UPDATE EXCLUSIVE");
    step->tags = TAG_NEUTRAL;
    *(column ? &column->comment : &relation->comment) = it->text;
    work_touch(work, work->home, relation_key(work, relation));
    return true;
}
