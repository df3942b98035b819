/*
 * add_column. A constant default is stored once in the catalog (PostgreSQL 11+); a volatile one
 * would rewrite the table, so it is set on an empty column and existing rows are filled in batches.
 */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/family/families.h"
#include "controller/family/fill.h"

static bool constant_word(const char *word)
{
    static const char *const words[] = { "true", "false", "null", "array" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (text_eq(words[i], word)) {
            return true;
        }
    }
    return false;
}

/* A literal, perhaps signed and cast: the server keeps it as the missing value of old rows. */
static bool is_constant(const char *expression)
{
    SCOPE(tmp);
    bool cast = false;
    for (struct sql_piece piece = sql_piece_next(tmp, expression); piece.length > 0;
         piece = sql_piece_next(tmp, piece.start + piece.length)) {
        if (piece.length == 2 && *piece.start == ':') {
            cast = true;
        } else if (piece.word) {
            if (!cast && (piece.quoted || !constant_word(piece.name))) {
                return false;
            }
        } else if (!strchr("'0123456789-+().,[]E$", *piece.start)) {
            return false;
        }
    }
    return true;
}

/* Stable functions are evaluated once, at the time of ALTER TABLE, and do not rewrite. */
static bool is_stable(const char *expression)
{
    static const char *const known[] = {
        "now()",        "current_timestamp",       "current_date", "localtimestamp", "current_user",
        "session_user", "transaction_timestamp()", "current_time"
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcasecmp(expression, known[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool allowed(struct work *work, struct relation *relation)
{
    const struct intent *it = work->intent;
    if (relation->kind == 'v' || relation->kind == 'm') {
        return work_refuse(work, "use replace_view", "%s is a view", relation_key(work, relation));
    }
    if (relation->partition_bound) {
        return work_refuse(work, say(work, "name its parent %s", relation->parent),
                           "table %s is a partition", relation_key(work, relation));
    }
    if (!text_eq(object_name_fit(work->ctx, it->column), it->column)) {
        return work_refuse(work, "choose a shorter name",
                           "the name %s is longer than PostgreSQL's 63 bytes", it->column);
    }
    if (it->generated && relation->rows != 0) {
        return work_refuse(work,
                           "add a plain column, kept by a trigger and filled with data_backfill",
                           "a generated column is computed for all rows of %s under a strong lock",
                           relation_key(work, relation));
    }
    return true;
}

static const char *column_definition(const struct work *work, const char *type,
                                     const char *default_expr, bool not_null)
{
    const struct intent *it = work->intent;
    struct text t = text_init(work->ctx, TEXT_SQL);
    text_addf(&t, "%s %s", ident(work, it->column), type);
    text_add(&t, collate(work, it->collation));
    if (default_expr) {
        text_addf(&t, " DEFAULT %s", default_expr);
    }
    if (it->generated) {
        text_addf(&t, " GENERATED ALWAYS AS (%s) STORED", it->generated);
    }
    if (not_null) {
        text_add(&t, " NOT NULL");
    }
    return t.data;
}

static void add_it(struct work *work, const struct relation *relation, const char *type,
                   bool with_default, bool not_null)
{
    const struct intent *it = work->intent;
    const char *table = relation_sql(work, relation), *column = ident(work, it->column);
    struct step *step = work_step(work, work->home, PHASE_EXPAND,
                                  say(work, "Add %s to %s", it->column, relation->name),
                                  "Only the catalog changes: no row is touched");
    step_up(work, step, "ALTER %sTABLE %s ADD COLUMN %s", relation->kind == 'f' ? "FOREIGN " : "",
            table, column_definition(work, type, with_default ? it->default_expr : NULL, not_null));
    if (it->default_expr && !with_default) {
        step_up(work, step, "ALTER TABLE %s ALTER COLUMN %s SET DEFAULT %s", table, column,
                it->default_expr);
    }
    step_down(work, step, "ALTER %sTABLE %s DROP COLUMN %s",
              relation->kind == 'f' ? "FOREIGN " : "", table, column);
    step_probe(work, step, "SELECT %s", probe_column(work, relation, it->column));
    step_lock(work, step, relation, "ACCESS EXCLUSIVE");
    step_risk(work, step,
              "COPY and INSERT without a list of columns fail while the table has one "
              "more; prepared SELECT * must be prepared again");
}

static bool extras(struct work *work, struct relation *relation)
{
    const struct intent *it = work->intent;
    bool fine = true;
    if (it->check) {
        fine = add_check_constraint(work, relation,
                                    free_name(work, work->home, relation,
                                              say(work, "%s_%s_check", relation->name, it->column)),
                                    it->check);
    }
    if (fine && it->target.name) {
        struct intent key = *it;
        key.operation = INTENT_ADD_FOREIGN_KEY;
        key.name = NULL;
        const char **columns = mem_array(work->ctx, const char *, 1);
        columns[0] = it->column;
        key.columns = (struct intent_texts){ columns, 1 };
        const struct intent *mine = work->intent;
        work->intent = &key;
        fine = compile_add_foreign_key(work);
        work->intent = mine;
    }
    return fine;
}

/* How the column comes to its values. */
struct filling {
    const char *value; /* of the rows that are there; null: none */
    bool at_once;      /* by the DEFAULT of ADD COLUMN, without a rewrite */
    bool generates;    /* identity or generated */
    bool not_null_later;
};

static struct filling filling_of(const struct intent *it)
{
    const char *value = it->backfill ? it->backfill : it->default_expr;
    struct filling f = { .value = value, .generates = it->identity || it->generated };
    f.at_once = it->default_expr && !it->backfill &&
                (is_constant(it->default_expr) || is_stable(it->default_expr));
    f.not_null_later = !it->nullable && !f.at_once && !f.generates && value;
    return f;
}

static struct column *remember_column(struct work *work, struct relation *relation,
                                      const char *type, bool not_null)
{
    const struct intent *it = work->intent;
    struct column column = { .name = it->column, .type = type, .not_null = not_null };
    column.default_expr = it->default_expr ? it->default_expr : it->generated;
    column.identity = it->identity ? it->identity[0] == 'a' ? 'a' : 'd' : 0;
    column.generated = it->generated ? 's' : 0;
    if (!column.default_expr && !it->backfill && !column.identity) {
        work_made(work, say(work, "empty column %s", column_key(work, relation, it->column)));
    }
    return model_add_column(work, relation, &column);
}

static bool add_to_table(struct work *work, struct relation *relation, const char *type)
{
    const struct intent *it = work->intent;
    struct filling f = filling_of(it);
    if (!it->nullable && !f.value && !f.generates && it->exact) {
        work_note(work, "warning", "add-column-required",
                  "%s is NOT NULL without a default: the change stops, and is undone, if the table "
                  "has a row by then",
                  column_words(work, relation, it->column));
        f.not_null_later = true;
    } else if (!it->nullable && !f.value && !f.generates && relation->rows != 0) {
        return work_refuse(work, "give it a default, or a backfill expression",
                           "%s would be NOT NULL without a value for the rows that are there",
                           column_words(work, relation, it->column));
    }
    add_it(work, relation, type, f.at_once, !it->nullable && !f.not_null_later);
    struct column *added =
        remember_column(work, relation, type, !it->nullable && !f.not_null_later);
    if (f.value && !f.at_once && !f.generates) {
        fill_column(work, relation, f.value, it->nullable);
    }
    if (f.not_null_later) {
        not_null_proven(work, work->home, relation, it->column, PHASE_MIGRATE);
        added->not_null = true;
    }
    return extras(work, relation);
}

bool compile_add_column(struct work *work)
{
    struct relation *relation;
    const struct intent *it = work->intent;
    if (!find_table(work, &relation)) {
        return false;
    }
    const char *type = type_name(work, work->home, it->type);
    const struct column *there = relation_column(relation, it->column);
    if (there) {
        if (type_same(work, there->type, type) && there->not_null == !it->nullable) {
            work_note(work, "info", "nothing-to-do", "%s is there already",
                      column_words(work, relation, it->column));
            return true;
        }
        return work_refuse(work, "choose another name, or use change_type",
                           "table %s has a column %s already, of type %s",
                           relation_key(work, relation), it->column, there->type);
    }
    if (!allowed(work, relation) || !no_subscriber(work, work->home, relation)) {
        return false;
    }
    bool fine = true;
    if (it->identity || serial_base(type)) {
        add_numbered(work, relation, serial_base(type) ? serial_base(type) : type);
    } else {
        fine = add_to_table(work, relation, type);
    }
    work_touch(work, work->home, relation_key(work, relation));
    return fine;
}
