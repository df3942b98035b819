/* Defaults: only the catalog changes, for an instant. */
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
