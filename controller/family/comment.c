/* Comments on tables and columns: nothing that a client could notice. */
#include "agents/base/text.h"
#include "controller/family/families.h"

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
