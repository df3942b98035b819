/* ALTER TABLE: columns and the table as a whole. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/judge/judge_constraint.h"
#include "controller/rules/linting.h"
#include "controller/rules/rewrite.h"

static const char *column_rewrite(struct linter *l, const struct sql_column *c)
{
    const char *t = sql_of(l->ctx, l->s->name), *n = quoted(l->ctx, c->name);
    return mem_printf(l->ctx,
                      "ALTER TABLE %s ADD COLUMN %s %s;\n"
                      "ALTER TABLE %s ALTER COLUMN %s SET DEFAULT %s;\n"
                      "-- the rows that are there, again and again until it finds none:\n"
                      "UPDATE %s SET %s = DEFAULT WHERE ctid = ANY (ARRAY (SELECT ctid FROM %s "
                      "WHERE %s IS NULL LIMIT 1000));%s%s",
                      t, n, c->type_text, t, n, c->default_expr->text, t, n, t, n,
                      c->not_null ? "\n" : "", c->not_null ? rewrite_not_null(l, c->name) : "");
}

static bool domain_rewrites(struct linter *l, const char *type)
{
    const char *dot = type ? strchr(type, '.') : NULL;
    struct sql_name name = { dot ? mem_textn(l->ctx, type, (size_t)(dot - type)) : NULL,
                             dot ? dot + 1 : type };
    const struct world_type *d = type ? world_type(l->world, name) : NULL;
    return world_type_constrained(l->world, d);
}

static void added_values(struct linter *l, const struct sql_column *c)
{
    struct judging g = { .ctx = l->ctx, .judge = l->judge, .world = l->world, .s = l->s };
    if (c->default_expr && default_rewrites(&g, c->default_expr)) {
        bool known = c->default_expr->volatility == SQL_VOLATILE;
        found(l, "add-column-volatile-default", column_rewrite(l, c),
              known ? "the default of \"%s\" is volatile: every row of the table is rewritten"
                    : "the default of \"%s\" calls a function that may be volatile: then every row "
                      "of the table is rewritten",
              c->name);
    }
    if (c->serial || c->identity) {
        found(l, "add-column-autoincrement", rewrite_column_numbered(l, c),
              "\"%s\" numbers all existing rows: the table is rewritten", c->name);
    }
    if (c->generated == 's') {
        found(l, "add-column-stored-generated", rewrite_column_computed(l, c),
              "\"%s\" is computed for all existing rows: the table is rewritten", c->name);
    }
    if (domain_rewrites(l, c->type)) {
        found(l, "add-column-constrained-domain", NULL,
              "the type of \"%s\" is a domain with a constraint: the table is rewritten", c->name);
    }
}

static void inline_check(struct linter *l, const struct sql_column *c,
                         const struct sql_constraint *k)
{
    const char *table = sql_of(l->ctx, l->s->name), *column = quoted(l->ctx, c->name);
    const char *name = quoted(
        l->ctx, k->name ? k->name : derived_name(l->ctx, l->s->name.name, &k->columns, "check"));
    bool filled = c->default_expr && !c->default_expr->null;
    found(l, "add-column-inline-check-scan",
          mem_printf(l->ctx,
                     "ALTER TABLE %s ADD COLUMN %s %s%s%s%s;\nALTER TABLE %s ADD CONSTRAINT %s "
                     "CHECK (%s) NOT VALID;\nALTER TABLE %s VALIDATE CONSTRAINT %s;",
                     table, column, c->type_text, c->default_expr ? " DEFAULT " : "",
                     c->default_expr ? c->default_expr->text : "", c->not_null ? " NOT NULL" : "",
                     table, name, k->expression->text, table, name),
          "the CHECK on \"%s\" reads the whole table although %s", c->name,
          filled ? "only its default is there to be checked" : "its values are all null");
}

static void inline_constraint(struct linter *l, const struct sql_column *c,
                              const struct sql_constraint *k)
{
    bool filled = c->default_expr && !c->default_expr->null;
    switch (k->kind) {
    case 'c': inline_check(l, c, k); break;
    case 'u':
        found(l, "unique-blocking", rewrite_column_unique(l, c),
              "the unique index on \"%s\" is built while nobody can use the table", c->name);
        break;
    case 'p':
        found(l, "pk-blocking", NULL,
              "the primary key's index is built while nobody can use the table");
        break;
    default:
        if (filled) {
            found(l, "fk-validating", rewrite_column_references(l, c, k),
                  "the default of \"%s\" is looked up in \"%s\" for every row under the lock",
                  c->name, k->ref.name);
        }
        if (!l->lock_timeout && !l->local_lock_timeout && old_table(l, k->ref)) {
            found(l, "fk-parent-lock", rewrite_limited(l, "lock_timeout", "2s"),
                  "\"%s\" is locked against writers too", k->ref.name);
        }
        break;
    }
}

/* The same ALTER TABLE drops a column of that name first. */
static bool dropped_here(const struct linter *l, const char *column)
{
    for (size_t i = 0; i < l->s->alter_count; i++) {
        const struct sql_alter *a = &l->s->alters[i];
        if (a->kind == SQL_ALTER_DROP_COLUMN && text_eq(a->column, column)) {
            return true;
        }
    }
    return false;
}

void lint_column_added(struct linter *l, const struct world_table *t, const struct sql_alter *a)
{
    const struct sql_column *c = a->definition;
    bool made =
        c->serial || c->identity || c->generated || (c->default_expr && !c->default_expr->null);
    if (table_column(t, c->name) && !dropped_here(l, c->name)) {
        return;
    }
    added_values(l, c);
    if (c->not_null && !made && t->rows != 0) {
        found(l, "add-column-required", rewrite_column_filled(l, c),
              "\"%s\" is NOT NULL without a default: it fails on a table that has rows", c->name);
    }
    for (size_t i = 0; i < c->constraint_count; i++) {
        inline_constraint(l, c, &c->constraints[i]);
    }
}

/* varchar(n): the limit as a check, which can be validated while everybody works. */
static const char *fits_first(struct linter *l, const struct sql_alter *a)
{
    const char *t = sql_of(l->ctx, l->s->name), *c = quoted(l->ctx, a->column);
    const char *items[] = { a->column };
    const struct sql_texts one = { items, 1 };
    const char *k = quoted(l->ctx, derived_name(l->ctx, l->s->name.name, &one, "fits"));
    const char *limit = strchr(a->type, '(');
    return text_starts(a->type, "character varying(") && !text_ends(a->type, "[]")
               ? mem_printf(l->ctx,
                            "ALTER TABLE %s ADD CONSTRAINT %s CHECK (char_length(%s) <= %.*s) NOT "
                            "VALID;\nALTER TABLE %s VALIDATE CONSTRAINT %s;",
                            t, k, c, (int)strcspn(limit + 1, ")"), limit + 1, t, k)
               : NULL;
}

static void type_changed(struct linter *l, const struct world_table *t, const struct sql_alter *a)
{
    struct judging g = { .ctx = l->ctx, .judge = l->judge, .world = l->world, .s = l->s };
    const struct world_column *c = table_column(t, a->column);
    struct type_change change = alter_type_change(&g, t, a);
    if (c && c->fresh) {
        return;
    }
    if (change.effect == TYPE_NEW_VALUES) {
        found(l, "column-type-rewrite", NULL,
              change.guessed ? "\"%s\" becomes %s: unless the old type is stored alike, the table "
                               "and its indexes are rewritten"
                             : "\"%s\" becomes %s: the table and its indexes are rewritten",
              a->column, a->type);
    } else if (alter_rechecks(&g, t, a)) {
        found(l, "column-type-recheck", NULL,
              "\"%s\" becomes %s: a check or an index on it is made anew under the lock", a->column,
              a->type);
    }
    if (change.narrowing && change.kin && !change.guessed) {
        found(l, "type-narrowing", fits_first(l, a), "values of \"%s\" (%s) may not fit into %s",
              a->column, c && c->type ? c->type : "?", a->type);
    }
}

static void attached(struct linter *l, const struct world_table *t, const struct sql_alter *a)
{
    for (size_t i = 0; i < l->v->lock_count; i++) {
        const struct verdict_lock *lock = &l->v->locks[i];
        if (lock->scan && !lock->fresh) {
            found(l, "partition-attach-scan",
                  text_ends(lock->relation, a->other.name) ? rewrite_attach(l, t, a) : NULL,
                  "\"%s\" is read under ACCESS EXCLUSIVE: no validated check proves that its rows "
                  "belong where they are put",
                  lock->relation);
        }
    }
}

/* The same statement adds the column. */
static bool added_here(const struct linter *l, const char *column)
{
    for (size_t i = 0; column && i < l->s->alter_count; i++) {
        const struct sql_column *c = l->s->alters[i].definition;
        if (c && text_eq(c->name, column)) {
            return true;
        }
    }
    return false;
}

static void columns(struct linter *l, const struct world_table *t, const struct sql_alter *a)
{
    struct judging g = { .ctx = l->ctx, .judge = l->judge, .world = l->world, .s = l->s };
    const struct world_column *c = a->column ? table_column(t, a->column) : NULL;
    bool fresh = (c && c->fresh) || added_here(l, a->column);
    switch (a->kind) {
    case SQL_ALTER_ADD_COLUMN: lint_column_added(l, t, a); break;
    case SQL_ALTER_SET_TYPE: type_changed(l, t, a); break;
    case SQL_ALTER_SET_NOT_NULL:
        if (!column_proven(&g, t, a->column)) {
            found(l, "not-null-scan", rewrite_not_null(l, a->column),
                  "every row is checked for nulls in \"%s\" while nobody can use the table",
                  a->column);
        }
        break;
    case SQL_ALTER_SET_EXPRESSION:
        if (!c || c->generated != 'v') {
            found(l, "set-expression-rewrite", NULL,
                  "\"%s\" is computed anew for every row under ACCESS EXCLUSIVE", a->column);
        }
        break;
    case SQL_ALTER_DROP_NOT_NULL:
        if (!fresh && !(c && !c->not_null && world_has_catalog(l->world))) {
            found(l, "drop-not-null", NULL, "\"%s\" may now be null for code that never saw one",
                  a->column);
        }
        break;
    case SQL_ALTER_SET_DEFAULT:
    case SQL_ALTER_DROP_DEFAULT:
        if (!fresh) {
            found(l, "default-change", NULL, "the default of \"%s\" changes", a->column);
        }
        break;
    default: break;
    }
}

static void tables(struct linter *l, const struct world_table *t, const struct sql_alter *a)
{
    switch (a->kind) {
    case SQL_ALTER_SET_LOGGED:
    case SQL_ALTER_SET_UNLOGGED:
    case SQL_ALTER_SET_ACCESS_METHOD:
    case SQL_ALTER_SET_TABLESPACE:
        if (l->v->rewrite) {
            found(l, "table-rewrite-other", NULL,
                  "\"%s\" is copied as a whole while nobody can use it", t->name);
        }
        break;
    case SQL_ALTER_DISABLE_TRIGGER:
        found(l, "trigger-disabled", NULL,
              a->all ? "all triggers of \"%s\" are switched off"
                     : "a trigger of \"%s\" is switched off",
              t->name);
        break;
    case SQL_ALTER_REPLICA_IDENTITY:
        found(l, "replica-identity-change", NULL, "what is replicated of \"%s\" changes", t->name);
        break;
    case SQL_ALTER_ROW_SECURITY:
        found(l, "policy-change", NULL, "row security of \"%s\" changes", t->name);
        break;
    case SQL_ALTER_ATTACH_PARTITION: attached(l, t, a); break;
    case SQL_ALTER_DETACH_PARTITION:
        if (!a->concurrently && !a->finalize) {
            found(l, "partition-detach-blocking",
                  mem_printf(l->ctx, "ALTER TABLE %s DETACH PARTITION %s CONCURRENTLY;",
                             sql_of(l->ctx, l->s->name), sql_of(l->ctx, a->other)),
                  "\"%s\" is locked for everybody while its partition is detached", t->name);
        }
        break;
    default: break;
    }
}

/* It has a statement of its own for a reason; `second`: as the later of two. */
static bool stands_apart(const struct statement *s, bool second)
{
    for (size_t i = 0; i < s->alter_count; i++) {
        const struct sql_alter *a = &s->alters[i];
        switch (a->kind) {
        case SQL_ALTER_VALIDATE_CONSTRAINT:
        case SQL_ALTER_DETACH_PARTITION:
        case SQL_ALTER_ATTACH_PARTITION:
        case SQL_ALTER_DISABLE_TRIGGER:
        case SQL_ALTER_ENABLE_TRIGGER:
        case SQL_ALTER_SET_OPTIONS:
        case SQL_ALTER_SET_COLUMN_OPTIONS:
        case SQL_ALTER_SET_STATISTICS: return true;
        case SQL_ALTER_DROP_CONSTRAINT:
        case SQL_ALTER_SET_DEFAULT:
            if (second) {
                return true;
            }
            break;
        default:
            if (a->constraint && a->constraint->not_valid) {
                return true;
            }
            break;
        }
    }
    return false;
}

/* One ALTER TABLE drops and changes types before it adds columns: it would not find this one. */
static bool needs_it_first(const struct statement *before, const struct sql_alter *a)
{
    switch (a->kind) {
    case SQL_ALTER_DROP_DEFAULT:
    case SQL_ALTER_DROP_NOT_NULL:
    case SQL_ALTER_DROP_COLUMN:
    case SQL_ALTER_SET_TYPE: break;
    default: return false;
    }
    for (size_t i = 0; a->column && i < before->alter_count; i++) {
        const struct sql_column *c = before->alters[i].definition;
        if (c && text_eq(c->name, a->column)) {
            return true;
        }
    }
    return false;
}

/* Sub-commands of adjacent statements that one ALTER TABLE could carry. */
static void merged(struct linter *l)
{
    const struct statement *before = l->last_alter, *now = l->s;
    if (!before || !sql_name_eq(before->name, now->name) || before->object != now->object) {
        return;
    }
    if (stands_apart(before, false) || stands_apart(now, true)) {
        return;
    }
    for (size_t i = 0; i < now->alter_count; i++) {
        if (needs_it_first(before, &now->alters[i])) {
            return;
        }
    }
    bool again = l->merge_said; /* once a run of them */
    l->merge_said = true;
    if (again) {
        return;
    }
    found(l, "multi-alter-same-table", rewrite_merged(l),
          "the statement before alters \"%s\" too: one ALTER TABLE waits for its lock once",
          now->name.name);
}

/* The same statement adds the constraint without looking at the rows. */
static bool unproven_here(const struct linter *l, const char *constraint)
{
    for (size_t i = 0; i < l->s->alter_count; i++) {
        const struct sql_constraint *k = l->s->alters[i].constraint;
        if (k && k->not_valid && text_eq(k->name, constraint)) {
            return true;
        }
    }
    return false;
}

static void validated(struct linter *l, const struct sql_alter *a)
{
    bool here = unproven_here(l, a->name);
    if (here || (in_transaction(l) && sql_texts_have(&l->not_valid, a->name))) {
        found(l, "not-valid-validate-same-txn", l->s->alter_count == 1 ? rewrite_apart(l) : NULL,
              "\"%s\" was added in this transaction: its strong lock is held while all rows are "
              "read",
              a->name);
    }
}

static void constraint_dropped(struct linter *l, const struct world_table *t,
                               const struct sql_alter *a)
{
    const struct world_constraint *k = table_constraint(t, a->name);
    bool absent = !k && a->if_exists && t->known && world_has_catalog(l->world);
    if (!absent && !(k && k->fresh)) {
        found(l, "drop-constraint", NULL, "\"%s\" guarantees nothing any more", a->name);
    }
}

void lint_alter(struct linter *l)
{
    if (l->s->kind == SQL_STMT_ALTER_DOMAIN) {
        const struct world_type *d = world_type(l->world, l->s->name);
        if (l->v->full_scan && !(d && d->fresh)) {
            found(l, "domain-constraint-scan",
                  l->s->alters[0].kind == SQL_ALTER_ADD_CONSTRAINT
                      ? mem_printf(l->ctx, "%s NOT VALID;", l->s->sql)
                      : NULL,
                  "every table with a column of \"%s\" is read while nobody can write to it",
                  l->s->name.name);
        }
        return;
    }
    struct world_table *t = l->s->kind == SQL_STMT_ALTER_TABLE && l->s->object != SQL_OBJECT_INDEX
                                ? old_table(l, l->s->name)
                                : NULL;
    if (!t) {
        return;
    }
    for (size_t i = 0; i < l->s->alter_count; i++) {
        const struct sql_alter *a = &l->s->alters[i];
        columns(l, t, a);
        tables(l, t, a);
        if (a->kind == SQL_ALTER_ADD_CONSTRAINT) {
            lint_constraint_added(l, t, a->constraint);
        } else if (a->kind == SQL_ALTER_VALIDATE_CONSTRAINT) {
            validated(l, a);
        } else if (a->kind == SQL_ALTER_DROP_CONSTRAINT && a->name) {
            constraint_dropped(l, t, a);
        }
    }
    merged(l);
}
