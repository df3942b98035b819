/*
 * The way back of statements that stay SQL and have no file of their own, as far as the statement
 * and the catalog before it tell.
 */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/ddl/ddl.h"
#include "controller/work/around.h"

static void on_relation(const struct ddl *d, const char *keyword, struct ddl_back *back)
{
    ddl_down(d, back, "DROP %s %s ON %s", keyword, ident(d->work, d->s->sub_name),
             ddl_name(d, &d->s->name));
}

static void policy(const struct ddl *d, struct ddl_back *back)
{
    const struct relation *relation = ddl_relation(d, &d->s->name);
    for (size_t i = 0; relation && i < relation->policy_count; i++) {
        struct around around = { 0 };
        if (text_eq(relation->policies[i].name, d->s->sub_name)) {
            around_policy(d->work, relation, &relation->policies[i], &around);
            ddl_down(d, back, "%s", around.drop.items[0]);
            ddl_down(d, back, "%s", around.make.items[0]);
        }
    }
}

static void comment(const struct ddl *d, struct ddl_back *back)
{
    const struct statement *s = d->s;
    struct relation *relation = ddl_relation(d, &s->name);
    const struct column *column =
        relation && s->sub_name ? relation_column(relation, s->sub_name) : NULL;
    if (s->object == SQL_OBJECT_COLUMN && column) {
        ddl_down(d, back, "COMMENT ON COLUMN %s.%s IS %s", relation_sql(d->work, relation),
                 ident(d->work, s->sub_name),
                 column->comment ? literal(d->work, column->comment) : "NULL");
    } else if (relation && !s->sub_name) {
        ddl_down(d, back, "COMMENT ON %s %s IS %s",
                 relation->kind == 'v'   ? "VIEW"
                 : relation->kind == 'm' ? "MATERIALIZED VIEW"
                 : relation->kind == 'f' ? "FOREIGN TABLE"
                                         : "TABLE",
                 relation_sql(d->work, relation),
                 relation->comment ? literal(d->work, relation->comment) : "NULL");
    } else {
        back->why = "the comment that was there before is not kept";
    }
}

static const struct sequence *sequence_of(const struct ddl *d)
{
    const struct catalog *catalog = d->work->home->catalog;
    for (size_t i = 0; i < catalog->sequence_count; i++) {
        if (text_eq(catalog->sequences[i].name, d->s->name.name) &&
            text_eq(catalog->sequences[i].schema, ddl_schema(d, &d->s->name))) {
            return &catalog->sequences[i];
        }
    }
    return NULL;
}

static void sequence(const struct ddl *d, struct ddl_back *back)
{
    const struct sequence *q = sequence_of(d);
    if (!q) {
        return;
    }
    const char *name = name_sql(d->work, q->schema, q->name);
    ddl_down(d, back,
             "ALTER SEQUENCE %s AS %s START WITH %lld INCREMENT BY %lld MINVALUE %lld MAXVALUE "
             "%lld CACHE %lld %sCYCLE",
             name, q->type, (long long)q->start, (long long)q->increment, (long long)q->min,
             (long long)q->max, (long long)q->cache, q->cycle ? "" : "NO ");
    if (!q->identity) {
        struct object_name table;
        struct error ignored;
        bool owned =
            q->owned_table && object_name_parse(d->work->ctx, q->owned_table, &table, &ignored);
        ddl_down(d, back, "ALTER SEQUENCE %s OWNED BY %s", name,
                 owned ? say(d->work, "%s.%s", name_sql(d->work, table.schema, table.name),
                             ident(d->work, q->owned_column))
                       : "NONE");
    }
}

static void set_schema(const struct ddl *d, struct ddl_back *back)
{
    const struct statement *s = d->s;
    const struct sql_name moved = { s->new_name, s->name.name };
    struct text kind = text_init(d->work->ctx, TEXT_LINE);
    for (const char *c = sql_object_kind_name(s->object); *c; c++) {
        text_addc(&kind, (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c));
    }
    back->phase = PHASE_CONTRACT;
    ddl_down(d, back, "ALTER %s %s SET SCHEMA %s", kind.data,
             name_sql(d->work, moved.schema, moved.name), ident(d->work, ddl_schema(d, &s->name)));
}

/* The same words the other way round: right unless part of it was there before. */
static void grants(const struct ddl *d, struct ddl_back *back)
{
    struct text t = text_init(d->work->ctx, TEXT_SQL);
    bool grant = d->s->kind == SQL_STMT_GRANT;
    struct sql_piece p = sql_piece_next(d->work->ctx, d->s->sql);
    text_add(&t, grant ? "REVOKE" : "GRANT");
    for (p = sql_piece_next(d->work->ctx, p.start + p.length); p.length > 0;
         p = sql_piece_next(d->work->ctx, p.start + p.length)) {
        const char *word = p.word && !p.quoted ? p.name : "";
        if (text_eq(word, "cascade") || text_eq(word, "with")) {
            break;
        }
        if (text_eq(word, grant ? "to" : "from")) {
            text_add(&t, grant ? " FROM" : " TO");
        } else {
            text_addf(&t, " %.*s", (int)p.length, p.start);
        }
    }
    ddl_down(d, back, "%s", t.data);
}

static void domain(const struct ddl *d, struct ddl_back *back)
{
    const struct statement *s = d->s;
    const struct sql_alter *a = s->alter_count ? &s->alters[0] : NULL;
    const struct type *type = ddl_type(d, &s->name);
    const char *name = ddl_name(d, &s->name);
    if (!a || !type) {
        return;
    }
    switch (a->kind) {
    case SQL_ALTER_SET_DEFAULT:
    case SQL_ALTER_DROP_DEFAULT:
        ddl_down(d, back, "ALTER DOMAIN %s %s%s", name,
                 type->default_expr ? "SET DEFAULT " : "DROP DEFAULT",
                 type->default_expr ? type->default_expr : "");
        break;
    case SQL_ALTER_SET_NOT_NULL:
    case SQL_ALTER_DROP_NOT_NULL:
        ddl_down(d, back, "ALTER DOMAIN %s %s NOT NULL", name, type->not_null ? "SET" : "DROP");
        break;
    case SQL_ALTER_ADD_CONSTRAINT:
        if (a->name) {
            ddl_down(d, back, "ALTER DOMAIN %s DROP CONSTRAINT %s", name, ident(d->work, a->name));
        }
        break;
    case SQL_ALTER_DROP_CONSTRAINT:
        back->phase = PHASE_CONTRACT;
        for (size_t i = 0; i < type->constraints.count; i++) {
            const char *c = type->constraints.items[i];
            size_t length = strlen(a->name);
            if (strncmp(c, a->name, length) == 0 && c[length] == ' ') {
                ddl_down(d, back, "ALTER DOMAIN %s ADD CONSTRAINT %s%s", name,
                         ident(d->work, a->name), c + length);
            }
        }
        break;
    default: break;
    }
}

static void owner(const struct ddl *d, struct ddl_back *back)
{
    const struct relation *relation = ddl_relation(d, &d->s->name);
    const struct type *type = ddl_type(d, &d->s->name);
    if (relation && relation->owner) {
        ddl_down(d, back, "ALTER TABLE %s OWNER TO %s", relation_sql(d->work, relation),
                 ident(d->work, relation->owner));
    } else if (type && type->owner) {
        ddl_down(d, back, "ALTER TYPE %s OWNER TO %s", ddl_name(d, &d->s->name),
                 ident(d->work, type->owner));
    }
}

/* CREATE of what has no statement kind of its own: "DROP CAST (a AS b)". */
static void made_words(const struct ddl *d, struct ddl_back *back)
{
    static const struct {
        const char *words, *keyword;
        bool listed; /* what stands in brackets belongs to the name */
    } kinds[] = { { "cast ", "CAST", true },
                  { "aggregate ", "AGGREGATE", true },
                  { "collation ", "COLLATION", false },
                  { "server ", "SERVER", false },
                  { "event trigger ", "EVENT TRIGGER", false },
                  { "text search configuration ", "TEXT SEARCH CONFIGURATION", false },
                  { "text search dictionary ", "TEXT SEARCH DICTIONARY", false } };
    const void *ctx = d->work->ctx;
    struct text words = text_init(ctx, TEXT_LINE);
    struct sql_piece p = sql_piece_next(ctx, d->s->sql);
    if (!p.word || !text_eq(p.name, "create")) {
        return;
    }
    for (int i = 0; i < 3; i++) {
        p = sql_piece_next(ctx, p.start + p.length);
        text_addf(&words, "%s ", p.word ? p.name : "");
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            if (text_eq(words.data, kinds[k].words)) {
                const char *start = p.start + p.length + strspn(p.start + p.length, " \n\t");
                size_t length =
                    kinds[k].listed ? strcspn(start, ")") + 1 : strcspn(start, " \n\t(");
                ddl_down(d, back, "DROP %s %.*s", kinds[k].keyword, (int)length, start);
                return;
            }
        }
    }
}

struct ddl_back ddl_back_other(const struct ddl *d)
{
    struct ddl_back back = { .phase = PHASE_EXPAND };
    const struct statement *s = d->s;
    switch (s->kind) {
    case SQL_STMT_CREATE_POLICY: on_relation(d, "POLICY", &back); break;
    case SQL_STMT_CREATE_RULE:
        if (!s->or_replace) {
            on_relation(d, "RULE", &back);
        }
        break;
    case SQL_STMT_CREATE_STATISTICS:
        ddl_down(d, &back, "DROP STATISTICS %s", ddl_name(d, &s->name));
        break;
    case SQL_STMT_CREATE_PUBLICATION:
        ddl_down(d, &back, "DROP PUBLICATION %s", ident(d->work, s->name.name));
        break;
    case SQL_STMT_ALTER_POLICY: policy(d, &back); break;
    case SQL_STMT_COMMENT: comment(d, &back); break;
    case SQL_STMT_ALTER_SEQUENCE: sequence(d, &back); break;
    case SQL_STMT_ALTER_DOMAIN: domain(d, &back); break;
    case SQL_STMT_SET_SCHEMA: set_schema(d, &back); break;
    case SQL_STMT_OWNER: owner(d, &back); break;
    case SQL_STMT_GRANT:
    case SQL_STMT_REVOKE: grants(d, &back); break;
    case SQL_STMT_OTHER:
    case SQL_STMT_FOREIGN_DATA:
    case SQL_STMT_CREATE_EVENT_TRIGGER: made_words(d, &back); break;
    default: break;
    }
    return back;
}
