/* Type names: the grammar's internal spelling to what format_type prints. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/sql/ast.h"

static const struct {
    const char *internal, *shown;
} type_names[] = {
    { "bool", "boolean" },
    { "bpchar", "character" },
    { "float4", "real" },
    { "float8", "double precision" },
    { "int2", "smallint" },
    { "int4", "integer" },
    { "int8", "bigint" },
    { "interval", "interval" },
    { "numeric", "numeric" },
    { "time", "time without time zone" },
    { "timestamp", "timestamp without time zone" },
    { "timestamptz", "timestamp with time zone" },
    { "timetz", "time with time zone" },
    { "varbit", "bit varying" },
    { "varchar", "character varying" },
    { "serial4", "serial" },
    { "serial2", "smallserial" },
    { "serial8", "bigserial" },
};

static const char *shown_name(const char *internal)
{
    for (size_t i = 0; i < sizeof type_names / sizeof *type_names; i++) {
        if (text_eq(type_names[i].internal, internal)) {
            return type_names[i].shown;
        }
    }
    return internal;
}

static void add_number(struct text *t, const PgQuery__Node *node)
{
    const PgQuery__AConst *c =
        node->node_case == PG_QUERY__NODE__NODE_A_CONST ? node->a_const : NULL;
    if (c && c->val_case == PG_QUERY__A__CONST__VAL_IVAL) {
        text_addf(t, "%d", c->ival->ival);
    } else if (c && c->val_case == PG_QUERY__A__CONST__VAL_SVAL) {
        text_add(t, c->sval->sval);
    } else if (node->node_case == PG_QUERY__NODE__NODE_COLUMN_REF) {
        text_add(t, ast_string(node->column_ref->fields[0]));
    } else {
        text_add(t, "?");
    }
}

/* interval's first typmod is a mask of fields (src/include/utils/timestamp.h); 32767 = all. */
static const char *interval_fields(int mask)
{
    static const struct {
        int mask;
        const char *fields;
    } fields[] = {
        { 1 << 2, " year" },
        { 1 << 1, " month" },
        { 1 << 3, " day" },
        { 1 << 10, " hour" },
        { 1 << 11, " minute" },
        { 1 << 12, " second" },
        { 1 << 2 | 1 << 1, " year to month" },
        { 1 << 3 | 1 << 10, " day to hour" },
        { 1 << 3 | 1 << 10 | 1 << 11, " day to minute" },
        { 1 << 3 | 1 << 10 | 1 << 11 | 1 << 12, " day to second" },
        { 1 << 10 | 1 << 11, " hour to minute" },
        { 1 << 10 | 1 << 11 | 1 << 12, " hour to second" },
        { 1 << 11 | 1 << 12, " minute to second" },
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (fields[i].mask == mask) {
            return fields[i].fields;
        }
    }
    return "";
}

static void add_typmods(struct text *t, const PgQuery__TypeName *type, size_t first)
{
    if (type->n_typmods <= first) {
        return;
    }
    text_addc(t, '(');
    for (size_t i = first; i < type->n_typmods; i++) {
        text_add(t, i > first ? "," : "");
        add_number(t, type->typmods[i]);
    }
    /* numeric(10) is shown with its scale. */
    if (type->n_typmods == 1 && text_eq(ast_string(type->names[type->n_names - 1]), "numeric")) {
        text_add(t, ",0");
    }
    text_addc(t, ')');
}

/* Names that would not be read back as they are get quotes, as format_type does. */
static void add_name(struct text *t, const char *name)
{
    bool plain = *name == '_' || (*name >= 'a' && *name <= 'z');
    for (const char *s = name; *s != '\0'; s++) {
        plain = plain && (*s == '_' || (*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9'));
    }
    SCOPE(tmp);
    text_add(t, plain ? name : text_quote_ident(tmp, name));
}

static void add_builtin(struct text *t, const PgQuery__TypeName *type, const char *name)
{
    const char *shown = shown_name(name);
    bool zoned = text_starts(name, "time") && strchr(shown, ' ');
    if (zoned) { /* "timestamp(3) without time zone" */
        size_t word = strcspn(shown, " ");
        text_addn(t, shown, word);
        add_typmods(t, type, 0);
        text_add(t, shown + word);
    } else if (text_eq(name, "interval")) {
        const PgQuery__Node *mask = type->n_typmods > 0 ? type->typmods[0] : NULL;
        bool known = mask && mask->node_case == PG_QUERY__NODE__NODE_A_CONST &&
                     mask->a_const->val_case == PG_QUERY__A__CONST__VAL_IVAL;
        text_add(t, shown);
        text_add(t, known ? interval_fields(mask->a_const->ival->ival) : "");
        add_typmods(t, type, 1);
    } else {
        text_add(t, shown);
        /* char is bpchar(1) in the grammar: "character(1)" */
        add_typmods(t, type, 0);
    }
}

const char *ast_type(const void *ctx, const PgQuery__TypeName *type)
{
    if (!type || type->n_names == 0) {
        return NULL;
    }
    struct text t = text_init(ctx, TEXT_LINE);
    const char *name = ast_string(type->names[type->n_names - 1]);
    const char *schema = type->n_names > 1 ? ast_string(type->names[type->n_names - 2]) : NULL;
    if (type->pct_type) {
        for (size_t i = 0; i < type->n_names; i++) {
            text_add(&t, i > 0 ? "." : "");
            add_name(&t, ast_string(type->names[i]));
        }
        text_add(&t, "%TYPE");
    } else if (text_eq(schema, "pg_catalog") || (!schema && !text_eq(shown_name(name), name))) {
        add_builtin(&t, type, name);
    } else {
        if (schema) {
            add_name(&t, schema);
            text_addc(&t, '.');
        }
        add_name(&t, name);
        add_typmods(&t, type, 0);
    }
    if (type->n_array_bounds > 0) { /* the number of dimensions is not kept by the server */
        text_add(&t, "[]");
    }
    return t.data;
}
