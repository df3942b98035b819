/* ADD CONSTRAINT on tables in use, with the online way as SQL. */
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/judge/judge_constraint.h"
#include "controller/rules/linting.h"
#include "controller/rules/rewrite.h"

static const char *name_of(struct linter *l, const struct sql_constraint *k, const char *suffix)
{
    const struct sql_texts none = { NULL, 0 };
    const struct sql_texts *columns = k->kind == 'p'  ? &none
                                      : k->expression ? &k->expression->columns
                                                      : &k->columns;
    return quoted(l->ctx,
                  k->name ? k->name : derived_name(l->ctx, l->s->name.name, columns, suffix));
}

/* ADD … NOT VALID, then VALIDATE: the definition as written, with the words behind it. */
static const char *not_valid_rewrite(struct linter *l, const struct sql_constraint *k,
                                     const char *suffix)
{
    const char *t = sql_of(l->ctx, l->s->name), *n = name_of(l, k, suffix);
    return k->definition ? mem_printf(l->ctx,
                                      "ALTER TABLE %s ADD CONSTRAINT %s %s NOT VALID;\n"
                                      "ALTER TABLE %s VALIDATE CONSTRAINT %s;",
                                      t, n, k->definition, t, n)
                         : NULL;
}

static const char *using_rewrite(struct linter *l, const struct sql_constraint *k,
                                 const char *suffix)
{
    const char *t = sql_of(l->ctx, l->s->name), *n = name_of(l, k, suffix);
    struct text columns = text_init(l->ctx, TEXT_LINE);
    text_addf(&columns, "(%s)", quoted_list(l->ctx, &k->columns));
    if (k->include.count > 0) {
        text_addf(&columns, " INCLUDE (%s)", quoted_list(l->ctx, &k->include));
    }
    text_add(&columns, k->nulls_not_distinct ? " NULLS NOT DISTINCT" : "");
    return mem_printf(l->ctx,
                      "CREATE UNIQUE INDEX CONCURRENTLY %s ON %s %s;\n"
                      "ALTER TABLE %s ADD CONSTRAINT %s %s USING INDEX %s%s%s;",
                      n, t, columns.data, t, n, k->kind == 'p' ? "PRIMARY KEY" : "UNIQUE", n,
                      k->deferrable ? " DEFERRABLE" : "",
                      k->initially_deferred ? " INITIALLY DEFERRED" : "");
}

static bool has_index(const struct world_table *t, const struct sql_texts *columns)
{
    for (size_t i = 0; i < t->index_count; i++) {
        const struct world_index *x = &t->indexes[i];
        bool leads = x->columns.count >= columns->count && x->valid && !x->partial;
        for (size_t j = 0; leads && j < columns->count; j++) { /* in any order */
            bool in = false;
            for (size_t c = 0; c < columns->count; c++) {
                in = in || text_eq(x->columns.items[c], columns->items[j]);
            }
            leads = in;
        }
        if (leads) {
            return true;
        }
    }
    return false;
}

static void foreign_key(struct linter *l, const struct world_table *t,
                        const struct sql_constraint *k)
{
    struct world_table *ref = old_table(l, k->ref);
    if (!k->not_valid) {
        bool partitioned = t->kind == 'p' && l->judge->version < 18;
        found(l, "fk-validating", partitioned ? NULL : not_valid_rewrite(l, k, "fkey"),
              "all rows of \"%s\" are looked up in \"%s\" while nobody can write to either",
              t->name, k->ref.name);
    }
    if (ref && !l->lock_timeout && !l->local_lock_timeout) {
        found(l, "fk-parent-lock", rewrite_limited(l, "lock_timeout", "2s"),
              "\"%s\" is locked against writers too", ref->name);
    }
}

/* Its columns are made NOT NULL by checks first. */
static const char *proven_first(struct linter *l, const struct world_table *t,
                                const struct sql_constraint *k)
{
    struct judging g = { .ctx = l->ctx, .judge = l->judge, .world = l->world, .s = l->s };
    struct text out = text_init(l->ctx, TEXT_SQL);
    for (size_t i = 0; i < t->index_count; i++) {
        const struct world_index *x = &t->indexes[i];
        for (size_t c = 0; text_eq(x->name, k->using_index) && c < x->columns.count; c++) {
            if (!column_proven(&g, t, x->columns.items[c])) {
                text_addf(&out, "%s\n", rewrite_not_null(l, x->columns.items[c]));
            }
        }
    }
    text_addf(&out, "%s;", l->s->sql);
    return out.data;
}

static void primary_key(struct linter *l, const struct world_table *t,
                        const struct sql_constraint *k)
{
    if (!k->using_index) {
        found(l, "pk-blocking", using_rewrite(l, k, "pkey"),
              "the primary key's index is built while nobody can use \"%s\"", t->name);
    } else if (t->known && l->v->full_scan) {
        found(l, "pk-index-nullable-scan", proven_first(l, t, k),
              "a column of \"%s\" may be null: all rows are checked under ACCESS EXCLUSIVE",
              k->using_index);
    }
}

static void not_null(struct linter *l, const struct world_table *t, const struct sql_constraint *k)
{
    struct judging g = { .ctx = l->ctx, .judge = l->judge, .world = l->world, .s = l->s };
    const char *column = k->columns.count > 0 ? k->columns.items[0] : "";
    if (!k->not_valid && !column_proven(&g, t, column)) {
        const char *n = name_of(l, k, "not_null"), *table = sql_of(l->ctx, l->s->name);
        found(l, "not-null-scan",
              mem_printf(l->ctx,
                         "ALTER TABLE %s ADD CONSTRAINT %s NOT NULL %s NOT VALID;\n"
                         "ALTER TABLE %s VALIDATE CONSTRAINT %s;",
                         table, n, quoted(l->ctx, column), table, n),
              "every row is checked for nulls in \"%s\" while nobody can use the table", column);
    }
}

void lint_constraint_added(struct linter *l, const struct world_table *t,
                           const struct sql_constraint *k)
{
    switch (k->kind) {
    case 'f': foreign_key(l, t, k); break;
    case 'p': primary_key(l, t, k); break;
    case 'x':
        found(l, "exclusion-blocking", NULL,
              "the constraint's index is built while nobody can use \"%s\"", t->name);
        break;
    case 'n': not_null(l, t, k); break;
    case 'c':
        if (!k->not_valid) {
            found(l, "check-validating", not_valid_rewrite(l, k, "check"),
                  "every row of \"%s\" is checked while nobody can use it", t->name);
        }
        break;
    default:
        if (!k->using_index) {
            found(l, "unique-blocking", using_rewrite(l, k, "key"),
                  "the unique index is built while nobody can use \"%s\"", t->name);
        }
        break;
    }
    if (!k->name) {
        found(l, "unnamed-object", NULL, "the constraint has no name");
    }
}

/* At the end: foreign keys of tables that the script made, without an index by then. */
static void keys_checked(struct linter *l, const struct statement *s)
{
    const struct world_table *t = world_find(l->world, s->name);
    for (size_t i = 0; t && i < t->constraint_count; i++) {
        const struct world_constraint *k = &t->constraints[i];
        if (k->kind == 'f' && !has_index(t, &k->columns)) {
            found(l, "fk-missing-index",
                  mem_printf(l->ctx, "CREATE INDEX %s ON %s (%s);",
                             quoted(l->ctx, derived_name(l->ctx, t->name, &k->columns, "idx")),
                             sql_of(l->ctx, s->name), quoted_list(l->ctx, &k->columns)),
                  "no index of \"%s\" begins with (%s)", t->name, quoted_list(l->ctx, &k->columns));
        }
    }
}

/* At the end: a foreign key that was added to a table that is known, without an index by then. */
static void key_checked(struct linter *l, const struct world_table *t, const char *column,
                        const struct sql_constraint *k)
{
    const char *items[] = { column };
    const struct sql_texts own = { items, 1 };
    const struct sql_texts *columns = column ? &own : &k->columns;
    bool gone = false;
    for (size_t i = 0; i < columns->count; i++) {
        gone = gone || !table_column(t, columns->items[i]);
    }
    if (k->kind == 'f' && !k->not_enforced && !gone && !has_index(t, columns)) {
        found(l, "fk-missing-index",
              mem_printf(l->ctx, "CREATE INDEX CONCURRENTLY %s ON %s (%s);",
                         quoted(l->ctx, derived_name(l->ctx, t->name, columns, "idx")),
                         sql_of(l->ctx, l->s->name), quoted_list(l->ctx, columns)),
              "no index of \"%s\" begins with (%s): deleting from \"%s\" will read all of it",
              t->name, quoted_list(l->ctx, columns), k->ref.name);
    }
}

static void added_keys_checked(struct linter *l, const struct statement *s)
{
    const struct world_table *t = world_find(l->world, s->name);
    for (size_t i = 0; t && t->known && !t->fresh && !t->temporary && i < s->alter_count; i++) {
        const struct sql_alter *a = &s->alters[i];
        if (a->constraint) {
            key_checked(l, t, NULL, a->constraint);
        }
        for (size_t k = 0; a->definition && k < a->definition->constraint_count; k++) {
            key_checked(l, t, a->definition->name, &a->definition->constraints[k]);
        }
    }
}

void lint_script_end(struct linter *l)
{
    lint_session_end(l);
    for (l->index = 0; l->index < l->script->count; l->index++) {
        const struct statement *s = &l->script->statements[l->index];
        l->s = s;
        lint_catalog_end(l, s);
        if (s->kind == SQL_STMT_CREATE_TABLE && !s->temporary &&
            s->table->partition_of.name == NULL) {
            l->small = l->told = false;
            keys_checked(l, s);
        } else if (s->kind == SQL_STMT_ALTER_TABLE) {
            l->small = l->told = false;
            added_keys_checked(l, s);
        }
    }
}
