/*
 * add_column of a serial or an identity. Said in one statement it would number the rows under a
 * strong lock; here the sequence and an empty column come first, the rows are numbered in batches,
 * and the column becomes what was asked for at the end.
 */
#include <string.h>
#include <strings.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/family/families.h"
#include "controller/family/fill.h"
#include "controller/work/owner.h"

const char *serial_base(const char *type)
{
    static const char *const serials[][2] = {
        { "serial", "integer" },  { "bigserial", "bigint" }, { "smallserial", "smallint" },
        { "serial4", "integer" }, { "serial8", "bigint" },   { "serial2", "smallint" },
    };
    for (size_t i = 0; i < sizeof serials / sizeof *serials; i++) {
        if (strcasecmp(type, serials[i][0]) == 0) {
            return serials[i][1];
        }
    }
    return NULL;
}

/* The sequence and the default that stand for the numbering, until it is an identity. */
static void number_by(const struct work *work, const struct relation *relation,
                      const char *sequence, const char *type, struct step_texts *out)
{
    const char *table = relation_sql(work, relation), *column = ident(work, work->intent->column);
    const char *options = work->intent->identity_options;
    step_texts_add(
        work->ctx, out,
        say(work, "CREATE SEQUENCE %s AS %s %s", sequence, type, options ? options : ""));
    const char *owner = owner_statement(work, "SEQUENCE", sequence, relation->owner);
    if (owner) {
        step_texts_add(work->ctx, out, owner);
    }
    step_texts_add(work->ctx, out,
                   say(work, "ALTER SEQUENCE %s OWNED BY %s.%s", sequence, table, column));
    step_texts_add(work->ctx, out,
                   say(work, "ALTER TABLE %s ALTER COLUMN %s SET DEFAULT nextval(%s::regclass)",
                       table, column, literal(work, sequence)));
}

static void become_identity(struct work *work, const struct relation *relation,
                            const char *sequence, const char *type)
{
    const char *column = work->intent->column;
    const char *table = relation_sql(work, relation), *quoted = ident(work, column);
    const char *how = work->intent->identity[0] == 'a' ? "ALWAYS" : "BY DEFAULT";
    const char *options = work->intent->identity_options;
    struct step *step =
        work_step(work, work->home, PHASE_MIGRATE,
                  say(work, "Make %s an identity", column_words(work, relation, column)),
                  "Every row has its number; the position of the sequence is carried over");
    step_up(work, step, "LOCK TABLE %s IN ACCESS EXCLUSIVE MODE", table);
    step_up(work, step,
            "DO $flotilla$ DECLARE v bigint; c boolean; BEGIN SELECT last_value, is_called INTO v, "
            "c FROM %s; ALTER TABLE %s ALTER COLUMN %s DROP DEFAULT; DROP SEQUENCE %s; ALTER TABLE "
            "%s ALTER COLUMN %s ADD GENERATED %s AS IDENTITY%s; PERFORM "
            "pg_catalog.setval(pg_catalog.pg_get_serial_sequence(%s, %s), v, c); END $flotilla$",
            sequence, table, quoted, sequence, table, quoted, how,
            options ? say(work, " (%s)", options) : "", literal(work, table),
            literal(work, column));
    step_down(work, step, "ALTER TABLE %s ALTER COLUMN %s DROP IDENTITY", table, quoted);
    number_by(work, relation, sequence, type, &step->down);
    step_down(work, step, "SELECT pg_catalog.setval(%s, COALESCE(pg_catalog.max(%s), 1)) FROM %s",
              literal(work, sequence), quoted, table);
    step_lock(work, step, relation, "ACCESS EXCLUSIVE");
}

void add_numbered(struct work *work, struct relation *relation, const char *type)
{
    const struct intent *it = work->intent;
    const char *table = relation_sql(work, relation), *column = ident(work, it->column);
    const char *name =
        free_name(work, work->home, relation, say(work, "%s_%s_seq", relation->name, it->column));
    const char *sequence = name_sql(work, relation->schema, name);
    const char *next = say(work, "nextval(%s::regclass)", literal(work, sequence));
    struct step *step =
        work_step(work, work->home, PHASE_EXPAND,
                  say(work, "Add %s to %s, numbered by %s", it->column, relation->name, name),
                  "Only the catalog changes: rows that are there stay empty for "
                  "now, new ones get a number");
    step_up(work, step, "ALTER TABLE %s ADD COLUMN %s %s", table, column, type);
    number_by(work, relation, sequence, type, &step->up);
    step_down(work, step, "ALTER TABLE %s DROP COLUMN %s", table, column);
    step_probe(work, step, "SELECT %s", probe_column(work, relation, it->column));
    step_lock(work, step, relation, "ACCESS EXCLUSIVE");
    struct column *added = model_add_column(
        work, relation, &(struct column){ .name = it->column, .type = type, .default_expr = next });
    fill_column(work, relation, next, false);
    not_null_proven(work, work->home, relation, it->column, PHASE_MIGRATE);
    added->not_null = true;
    if (it->identity) {
        become_identity(work, relation, sequence, type);
        added->default_expr = NULL;
        added->identity = it->identity[0] == 'a' ? 'a' : 'd';
    }
}
