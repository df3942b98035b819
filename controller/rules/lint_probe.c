#include "controller/rules/lint_probe.h"

#include <stdlib.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/rules/linting.h"

struct asking {
    const void *ctx;
    const struct catalog *catalog;
    struct lint_probe *probes;
    size_t count;
    size_t statement;
    struct sql_texts touched; /* tables that the script has changed: their rows are not those now */
};

static const struct relation *table_now(struct asking *a, struct sql_name name)
{
    const struct relation *r =
        name.name ? catalog_relation(a->catalog, name.schema, name.name) : NULL;
    bool rows = r && (r->kind == 'r' || r->kind == 'p');
    return rows && !sql_texts_have(&a->touched, r->name) ? r : NULL;
}

static const char *sql_name(const void *ctx, const struct relation *r)
{
    return mem_printf(ctx, "%s.%s", text_quote_ident(ctx, r->schema),
                      text_quote_ident(ctx, r->name));
}

static void ask(struct asking *a, const char *sql, const char *what)
{
    a->probes = mem_room(a->ctx, a->probes, struct lint_probe, a->count + 1);
    a->probes[a->count++] = (struct lint_probe){ a->statement, sql, what };
}

static void ask_where(struct asking *a, const struct relation *r, const char *where,
                      const char *what)
{
    ask(a, mem_printf(a->ctx, "SELECT count(*) FROM %s WHERE %s", sql_name(a->ctx, r), where),
        what);
}

static bool has_columns(const struct relation *r, const struct sql_texts *columns)
{
    for (size_t i = 0; i < columns->count; i++) {
        if (!relation_column(r, columns->items[i])) {
            return false;
        }
    }
    return columns->count > 0;
}

/* Nothing in it acts or depends on more than the row. */
static bool is_plain(const struct relation *r, const struct sql_expression *e)
{
    return e && e->volatility <= SQL_STABLE && !e->subselect && e->unknown.count == 0 &&
           has_columns(r, &e->columns);
}

static void nulls(struct asking *a, const struct relation *r, const char *column)
{
    if (column && relation_column(r, column)) {
        ask_where(a, r, mem_printf(a->ctx, "%s IS NULL", text_quote_ident(a->ctx, column)),
                  mem_printf(a->ctx, "of \"%s\" have no \"%s\"", r->name, column));
    }
}

/* "a IS NOT NULL AND b IS NOT NULL", each with `t.` in front. */
static const char *all_given(const void *ctx, const struct sql_texts *columns)
{
    struct text t = text_init(ctx, TEXT_LINE);
    for (size_t i = 0; i < columns->count; i++) {
        text_addf(&t, "%st.%s IS NOT NULL", i > 0 ? " AND " : "",
                  text_quote_ident(ctx, columns->items[i]));
    }
    return t.data;
}

static const char *column_list(const void *ctx, const struct sql_texts *columns)
{
    struct text t = text_init(ctx, TEXT_LINE);
    for (size_t i = 0; i < columns->count; i++) {
        text_addf(&t, "%st.%s", i > 0 ? ", " : "", text_quote_ident(ctx, columns->items[i]));
    }
    return t.data;
}

static void duplicates(struct asking *a, const struct relation *r, const struct sql_texts *columns,
                       bool nulls_too, const char *where)
{
    if (!has_columns(r, columns)) {
        return;
    }
    ask(a,
        mem_printf(a->ctx,
                   "SELECT count(*) FROM (SELECT 1 FROM %s t WHERE %s%s%s GROUP BY %s"
                   " HAVING count(*) > 1) d",
                   sql_name(a->ctx, r), nulls_too ? "true" : all_given(a->ctx, columns),
                   where ? " AND " : "", where ? mem_printf(a->ctx, "(%s)", where) : "",
                   column_list(a->ctx, columns)),
        mem_printf(a->ctx, "values of \"%s\" (%s) are there more than once", r->name,
                   quoted_list(a->ctx, columns)));
}

static struct sql_texts referenced(const void *ctx, const struct relation *ref,
                                   const struct sql_constraint *k)
{
    struct sql_texts out = { NULL, 0 };
    const struct constraint *key = k->ref_columns.count == 0 ? relation_primary_key(ref) : NULL;
    for (size_t i = 0; key && i < key->columns.count; i++) {
        sql_texts_add(ctx, &out, key->columns.items[i]);
    }
    return key ? out : k->ref_columns;
}

static void orphans(struct asking *a, const struct relation *r, const struct sql_constraint *k)
{
    const struct relation *ref = table_now(a, k->ref);
    struct sql_texts to = ref ? referenced(a->ctx, ref, k) : k->ref_columns;
    if (!ref || !has_columns(r, &k->columns) || !has_columns(ref, &to) ||
        to.count != k->columns.count) {
        return;
    }
    struct text match = text_init(a->ctx, TEXT_LINE);
    for (size_t i = 0; i < to.count; i++) {
        text_addf(&match, "%sr.%s = t.%s", i > 0 ? " AND " : "",
                  text_quote_ident(a->ctx, to.items[i]),
                  text_quote_ident(a->ctx, k->columns.items[i]));
    }
    ask(a,
        mem_printf(a->ctx,
                   "SELECT count(*) FROM %s t WHERE %s AND NOT EXISTS"
                   " (SELECT FROM %s r WHERE %s)",
                   sql_name(a->ctx, r), all_given(a->ctx, &k->columns), sql_name(a->ctx, ref),
                   match.data),
        mem_printf(a->ctx, "of \"%s\" refer to no row of \"%s\"", r->name, ref->name));
}

static void constraint(struct asking *a, const struct relation *r, const struct sql_constraint *k)
{
    if (k->not_enforced || k->using_index) {
        return;
    }
    switch (k->kind) {
    case 'c':
        if (is_plain(r, k->expression)) {
            ask_where(
                a, r, mem_printf(a->ctx, "NOT (%s)", k->expression->text),
                mem_printf(a->ctx, "of \"%s\" are not so: %.60s", r->name, k->expression->text));
        }
        break;
    case 'f': orphans(a, r, k); break;
    case 'n': nulls(a, r, k->columns.count > 0 ? k->columns.items[0] : NULL); break;
    case 'u': duplicates(a, r, &k->columns, k->nulls_not_distinct, NULL); break;
    case 'p':
        for (size_t i = 0; i < k->columns.count; i++) {
            nulls(a, r, k->columns.items[i]);
        }
        duplicates(a, r, &k->columns, false, NULL);
        break;
    default: break;
    }
}

/* varchar(n), smallint, integer: values that do not fit. */
static void narrowed(struct asking *a, const struct relation *r, const struct sql_alter *alter)
{
    const struct column *c = relation_column(r, alter->column);
    const char *name = text_quote_ident(a->ctx, alter->column), *limit = strchr(alter->type, '(');
    if (!c || alter->expression || text_ends(alter->type, "[]")) {
        return;
    }
    const char *what =
        mem_printf(a->ctx, "values of \"%s\".\"%s\" do not fit", r->name, alter->column);
    bool text = text_starts(c->type, "character varying") || text_eq(c->type, "text");
    if (text && text_starts(alter->type, "character varying(")) {
        ask_where(a, r,
                  mem_printf(a->ctx, "char_length(%s) > %ld", name, strtol(limit + 1, NULL, 10)),
                  what);
    } else if (text_eq(c->type, "bigint") && text_eq(alter->type, "integer")) {
        ask_where(a, r, mem_printf(a->ctx, "%s NOT BETWEEN -2147483648 AND 2147483647", name),
                  what);
    } else if ((text_eq(c->type, "bigint") || text_eq(c->type, "integer")) &&
               text_eq(alter->type, "smallint")) {
        ask_where(a, r, mem_printf(a->ctx, "%s NOT BETWEEN -32768 AND 32767", name), what);
    }
}

static void altered(struct asking *a, const struct statement *s)
{
    const struct relation *r = table_now(a, s->name);
    for (size_t i = 0; r && i < s->alter_count; i++) {
        const struct sql_alter *alter = &s->alters[i];
        switch (alter->kind) {
        case SQL_ALTER_SET_NOT_NULL: nulls(a, r, alter->column); break;
        case SQL_ALTER_ADD_CONSTRAINT: constraint(a, r, alter->constraint); break;
        case SQL_ALTER_SET_TYPE: narrowed(a, r, alter); break;
        default: break;
        }
    }
}

static void unique_index(struct asking *a, const struct sql_index *x)
{
    const struct relation *r = x->unique ? table_now(a, x->table) : NULL;
    struct sql_texts columns = { NULL, 0 };
    for (size_t i = 0; r && i < x->key_count; i++) {
        if (!x->keys[i].column) {
            return;
        }
        sql_texts_add(a->ctx, &columns, x->keys[i].column);
    }
    if (r && (!x->where || is_plain(r, x->where))) {
        duplicates(a, r, &columns, x->nulls_not_distinct, x->where ? x->where->text : NULL);
    }
}

/* Rows after this statement are not what the database has now. */
static void touch(struct asking *a, const struct statement *s)
{
    for (size_t i = 0; s->query && i < s->query->write_count; i++) {
        sql_texts_add(a->ctx, &a->touched, s->query->writes[i].relation.name);
    }
    bool alters = s->kind == SQL_STMT_ALTER_TABLE || s->kind == SQL_STMT_CREATE_INDEX;
    for (size_t i = 0; !alters && s->kind != SQL_STMT_SELECT && i < s->object_count; i++) {
        if (s->objects[i].name) {
            sql_texts_add(a->ctx, &a->touched, s->objects[i].name);
        }
    }
    if (s->kind == SQL_STMT_ALTER_TABLE) { /* its columns may not be what they were */
        for (size_t i = 0; i < s->alter_count; i++) {
            if (s->alters[i].kind == SQL_ALTER_SET_TYPE && s->name.name) {
                sql_texts_add(a->ctx, &a->touched, s->name.name);
            }
        }
    }
}

size_t lint_probes(const void *ctx, const struct script *script, const struct catalog *catalog,
                   struct lint_probe **out)
{
    struct asking a = { .ctx = ctx, .catalog = catalog };
    for (a.statement = 0; a.statement < script->count; a.statement++) {
        const struct statement *s = &script->statements[a.statement];
        if (s->kind == SQL_STMT_DO || s->kind == SQL_STMT_CALL || s->kind == SQL_STMT_UNPARSED ||
            (s->kind == SQL_STMT_SET && text_eq(s->setting, "search_path"))) {
            break; /* what it leaves is not known, or names mean something else */
        }
        if (s->kind == SQL_STMT_ALTER_TABLE && s->object != SQL_OBJECT_INDEX) {
            altered(&a, s);
        } else if (s->kind == SQL_STMT_CREATE_INDEX) {
            unique_index(&a, s->create_index);
        }
        touch(&a, s);
    }
    *out = a.probes;
    return a.count;
}

void lint_rows_asked(struct linter *l)
{
    SCOPE(tmp);
    struct lint_probe *probes = NULL;
    size_t count = lint_probes(tmp, l->script, l->options->catalog, &probes);
    for (size_t i = 0; i < count; i++) {
        int64_t rows = l->options->count(l->options->count_data, probes[i].sql);
        if (rows > 0) {
            l->index = probes[i].statement;
            l->s = &l->script->statements[l->index];
            l->small = false;
            found(l, "rows-violate", NULL, "%lld %s", (long long)rows, probes[i].what);
        }
    }
}
