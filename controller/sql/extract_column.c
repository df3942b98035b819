/* Columns, constraints, index keys, bounds of partitions. */
#include <ctype.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/sql/extract.h"

struct sql_texts extract_column_names(const void *ctx, size_t n, PgQuery__Node *const *nodes)
{
    struct sql_texts out = { NULL, 0 };
    for (size_t i = 0; i < n; i++) {
        const PgQuery__IndexElem *e = AST_CAST(IndexElem, index_elem, ast_of(nodes[i]));
        const char *s = e ? e->name : ast_string(nodes[i]);
        if (!text_empty(s)) {
            sql_texts_add(ctx, &out, s);
        }
    }
    return out;
}

static const char *dotted(const void *ctx, size_t n, PgQuery__Node *const *names)
{
    return n > 0 ? sql_name_text(ctx, ast_names(ctx, n, names)) : NULL;
}

/* The text inside the bracket that opens first at or behind `at`. */
static struct sql_expression *bracketed(struct extract *x, const PgQuery__Node *node, size_t at,
                                        size_t last)
{
    const struct tokens *t = extract_tokens(x);
    while (at < last && !tokens_punct(t, at, '(')) {
        at++;
    }
    size_t close = at < last ? tokens_close(t, at) : last;
    return extract_expression_at(x, node, at + 1, close > at ? close - 1 : at);
}

static char first_char(const char *s, char otherwise)
{
    return text_empty(s) ? otherwise : s[0];
}

static char constraint_kind(PgQuery__ConstrType type)
{
    switch (type) {
    case PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL: return 'n';
    case PG_QUERY__CONSTR_TYPE__CONSTR_CHECK: return 'c';
    case PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY: return 'p';
    case PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE: return 'u';
    case PG_QUERY__CONSTR_TYPE__CONSTR_EXCLUSION: return 'x';
    case PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN: return 'f';
    default: return 0;
    }
}

static void foreign_key(struct extract *x, const PgQuery__Constraint *c, struct sql_constraint *out)
{
    out->columns = ast_texts(x->ctx, c->n_fk_attrs, c->fk_attrs);
    out->ref = ast_range(x->ctx, c->pktable);
    out->ref_columns = ast_texts(x->ctx, c->n_pk_attrs, c->pk_attrs);
    out->on_delete = first_char(c->fk_del_action, 'a');
    out->on_update = first_char(c->fk_upd_action, 'a');
    out->match = first_char(c->fk_matchtype, 's');
    extract_object(x, SQL_OBJECT_TABLE, SQL_REFERENCED, out->ref, NULL);
}

static void exclusion(struct extract *x, const PgQuery__Constraint *c, struct sql_constraint *out)
{
    for (size_t i = 0; i < c->n_exclusions; i++) { /* pairs of element and operator */
        const PgQuery__List *pair = AST_CAST(List, list, ast_of(c->exclusions[i]));
        if (pair && pair->n_items > 0) {
            struct sql_texts one = extract_column_names(x->ctx, 1, pair->items);
            for (size_t j = 0; j < one.count; j++) {
                sql_texts_add(x->ctx, &out->columns, one.items[j]);
            }
        }
    }
}

void extract_constraint(struct extract *x, const PgQuery__Constraint *c, struct sql_constraint *out,
                        size_t last)
{
    const struct tokens *t = extract_tokens(x);
    size_t first = tokens_at(t, c->location < 0 ? x->start : (size_t)c->location);
    first += tokens_are(t, first, "CONSTRAINT") ? 2 : 0;
    out->kind = constraint_kind(c->contype);
    out->name = ast_text(x->ctx, c->conname);
    out->definition = tokens_text(x->ctx, t, first, extract_item_end(t, first, last));
    out->columns = extract_column_names(x->ctx, c->n_keys, c->keys);
    out->include = extract_column_names(x->ctx, c->n_including, c->including);
    out->using_index = ast_text(x->ctx, c->indexname);
    out->method = ast_text(x->ctx, c->access_method);
    out->not_valid = c->skip_validation;
    out->deferrable = c->deferrable;
    out->initially_deferred = c->initdeferred;
    out->nulls_not_distinct = c->nulls_not_distinct;
    out->no_inherit = c->is_no_inherit;
    if (out->kind == 'f') {
        foreign_key(x, c, out);
    } else if (out->kind == 'c') {
        out->expression = bracketed(x, c->raw_expr, first, last);
    } else if (out->kind == 'x') {
        exclusion(x, c, out);
    }
    if (first < t->count) {
        size_t end = last < t->count ? t->items[last].start : x->end;
        out->not_enforced =
            sugar_find(x->sugar, SUGAR_NOT_ENFORCED, t->items[first].start, end + 1) != NULL;
        out->not_valid = out->not_valid || out->not_enforced;
    }
}

static void generated(struct extract *x, const PgQuery__Constraint *c, struct sql_column *out,
                      size_t last)
{
    const struct tokens *t = extract_tokens(x);
    size_t at = tokens_at(t, c->location < 0 ? x->start : (size_t)c->location);
    bool is_virtual = at < t->count && sugar_find(x->sugar, SUGAR_VIRTUAL, t->items[at].start,
                                                  t->items[last - 1].end + 1) != NULL;
    out->generated = is_virtual ? 'v' : 's';
    out->generate = bracketed(x, c->raw_expr, at, last);
}

static void inline_constraint(struct extract *x, const PgQuery__Constraint *c,
                              struct sql_column *out, size_t last)
{
    out->constraints =
        mem_room(x->ctx, out->constraints, struct sql_constraint, out->constraint_count + 1);
    struct sql_constraint *made = &out->constraints[out->constraint_count++];
    extract_constraint(x, c, made, last);
    made->is_inline = true;
    if (made->kind != 'c') {
        made->definition = NULL;
    } else if (made->definition) {
        made->definition = mem_printf(x->ctx, "CHECK (%s)%s", made->expression->text,
                                      made->no_inherit ? " NO INHERIT" : "");
    }
    if (made->columns.count == 0) {
        sql_texts_add(x->ctx, &made->columns, out->name);
    }
    out->not_null = out->not_null || made->kind == 'p';
}

static void column_constraint(struct extract *x, const PgQuery__Constraint *c,
                              struct sql_column *out, size_t last)
{
    const struct tokens *t = extract_tokens(x);
    struct sql_constraint *before =
        out->constraint_count > 0 ? &out->constraints[out->constraint_count - 1] : NULL;
    size_t at = tokens_at(t, c->location < 0 ? x->start : (size_t)c->location);
    switch (c->contype) {
    case PG_QUERY__CONSTR_TYPE__CONSTR_NULL: out->null = true; break;
    case PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL: out->not_null = true; break;
    case PG_QUERY__CONSTR_TYPE__CONSTR_DEFAULT:
        at = extract_find(t, at, last, "DEFAULT") + 1;
        out->default_expr =
            extract_expression_at(x, c->raw_expr, at, extract_default_end(t, at, last));
        break;
    case PG_QUERY__CONSTR_TYPE__CONSTR_IDENTITY:
        out->identity = first_char(c->generated_when, 'a');
        break;
    case PG_QUERY__CONSTR_TYPE__CONSTR_GENERATED: generated(x, c, out, last); break;
    case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_DEFERRABLE:
        if (before) {
            before->deferrable = true;
        }
        break;
    case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_DEFERRED:
        if (before) {
            before->deferrable = before->initially_deferred = true;
        }
        break;
    case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_NOT_DEFERRABLE:
    case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_IMMEDIATE: break;
    default: inline_constraint(x, c, out, last); break;
    }
}

/* Type names go on until a word that begins something else. */
static size_t type_end(const struct tokens *t, size_t first, size_t last)
{
    size_t at = extract_default_end(t, first, last);
    size_t options = extract_find(t, first, at, "OPTIONS");
    return options < at ? options : at;
}

static bool is_serial(const char *type)
{
    return text_eq(type, "serial") || text_eq(type, "bigserial") || text_eq(type, "smallserial");
}

void extract_column(struct extract *x, const PgQuery__ColumnDef *def, struct sql_column *out,
                    size_t first, size_t last)
{
    const struct tokens *t = extract_tokens(x);
    out->name = ast_text(x->ctx, def->colname);
    out->type = ast_type(x->ctx, def->type_name);
    if (def->type_name && def->type_name->location >= 0) {
        size_t at = tokens_at(t, (size_t)def->type_name->location);
        out->type_text = tokens_text(x->ctx, t, at, type_end(t, at, last));
    }
    out->collation = def->coll_clause
                         ? dotted(x->ctx, def->coll_clause->n_collname, def->coll_clause->collname)
                         : NULL;
    out->serial = is_serial(out->type);
    out->not_null = out->serial;
    out->compression = ast_text(x->ctx, def->compression);
    out->storage = ast_text(x->ctx, def->storage);
    (void)first;
    for (size_t i = 0; i < def->n_constraints; i++) {
        const PgQuery__Constraint *c =
            AST_CAST(Constraint, constraint, ast_of(def->constraints[i]));
        if (c) {
            column_constraint(x, c, out, last);
        }
    }
}

static void index_key(struct extract *x, const PgQuery__IndexElem *e, struct sql_index_key *key,
                      size_t first, size_t last)
{
    key->column = ast_text(x->ctx, e->name);
    if (!key->column) {
        const struct tokens *t = extract_tokens(x);
        size_t open = first; /* "(expression)" or "function(…)" */
        while (open < last && !tokens_punct(t, open, '(')) {
            open++;
        }
        size_t end = open < last ? tokens_close(t, open) : last;
        bool wrapped = tokens_punct(t, first, '(');
        key->expression =
            extract_expression_at(x, e->expr, first + wrapped, end > last ? last : end - wrapped);
    }
    key->opclass = dotted(x->ctx, e->n_opclass, e->opclass);
    key->collation = dotted(x->ctx, e->n_collation, e->collation);
    key->descending = e->ordering == PG_QUERY__SORT_BY_DIR__SORTBY_DESC;
    key->nulls = e->nulls_ordering == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_FIRST  ? 'f'
                 : e->nulls_ordering == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_LAST ? 'l'
                                                                                   : 0;
}

void extract_index_keys(struct extract *x, const PgQuery__IndexStmt *stmt, struct sql_index *out)
{
    const struct tokens *t = extract_tokens(x);
    size_t at = tokens_at(t, stmt->relation ? (size_t)stmt->relation->location : x->start);
    while (at < t->count && !tokens_punct(t, at, '(')) {
        at++;
    }
    out->keys = mem_array(x->ctx, struct sql_index_key, stmt->n_index_params);
    out->key_count = stmt->n_index_params;
    at++;
    for (size_t i = 0; i < stmt->n_index_params; i++) {
        const PgQuery__IndexElem *e =
            AST_CAST(IndexElem, index_elem, ast_of(stmt->index_params[i]));
        size_t end = extract_item_end(t, at, t->count);
        if (e) {
            index_key(x, e, &out->keys[i], at, end);
        }
        at = end + 1;
    }
}

void extract_bound(struct extract *x, const PgQuery__PartitionBoundSpec *bound, const char **text,
                   bool *is_default)
{
    if (!bound) {
        return;
    }
    const struct tokens *t = extract_tokens(x);
    *is_default = bound->is_default;
    size_t at = extract_find(t, 0, t->count, "FOR VALUES");
    if (bound->is_default || at == t->count) {
        *text = "DEFAULT";
        return;
    }
    size_t end = at + 2;
    static const char *const behind[] = { "PARTITION", "USING", "TABLESPACE", "SERVER" };
    for (bool stop = false; end < t->count && !stop;) {
        for (size_t i = 0; i < sizeof behind / sizeof *behind; i++) {
            stop = stop || tokens_are(t, end, behind[i]);
        }
        if (!stop) {
            end = tokens_punct(t, end, '(') ? tokens_close(t, end) : end + 1;
        }
    }
    *text = tokens_text(x->ctx, t, at, end);
}
