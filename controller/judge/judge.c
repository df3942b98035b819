#include "controller/judge/judge.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/judge/judging.h"

enum { DEFAULT_VERSION = 15, BUDGET = 20000 };

struct judge *judge_new(const void *ctx, const struct catalog *catalog, int version)
{
    struct judge *judge = mem_new(ctx, struct judge);
    judge->world = world_new(judge, catalog);
    judge->version = version ? version : catalog ? catalog->server_version / 10000 : 0;
    judge->version = judge->version ? judge->version : DEFAULT_VERSION;
    const char *zone = catalog ? catalog->time_zone : NULL;
    judge->utc = zone && (strcasecmp(zone, "UTC") == 0 || text_ends(zone, "/UTC"));
    return judge;
}

void judge_assume_rows(struct judge *judge, const char *table, int64_t rows)
{
    world_assume_rows(judge->world, table, rows);
}

void judge_assume_schema(struct judge *judge, const char *schema)
{
    if (schema) {
        world_set_schema(judge->world, schema);
    }
}

void judge_assume_transaction(struct judge *judge, bool inside)
{
    judge->assumed = judge->runner = inside;
}

void judge_ask(struct judge *judge, judge_ask_fn *ask, void *data)
{
    judge->ask = ask;
    judge->ask_data = data;
}

void judge_take_hearsay(struct judge *judge)
{
    judge->hearsay = true;
}

void judge_settle(struct judge *judge)
{
    world_settle(judge->world);
    judge->transaction = false;
    judge->assumed = judge->runner;
}

/* A value added to an enum in a transaction cannot be used before it commits; since PostgreSQL 17
 * it can when the type itself is of the same transaction
 * (alter_type_add_value_before_in_new_type...). */
static void enum_values_used(struct judging *g)
{
    SCOPE(tmp);
    const struct world_type *t;
    for (size_t i = 0; (t = world_type_at(g->world, i)); i++) {
        for (size_t j = 0; j < t->added.count && !(t->made_here && g->judge->version >= 17); j++) {
            const char *literal = text_quote_literal(tmp, t->added.items[j]);
            if (g->s->kind != SQL_STMT_ALTER_ENUM && strstr(g->s->sql, literal)) {
                will_fail(g, "the new value %s of enum \"%s\" cannot be used before COMMIT",
                          literal, t->name);
            }
        }
    }
}

static void judge_nothing(struct judging *g)
{
    tag_add(g, TAG_NEUTRAL);
}

static void judge_additive(struct judging *g)
{
    tag_add(g, TAG_ADDITIVE);
}

static void judge_create_schema(struct judging *g)
{
    const struct statement *s = g->s;
    tag_add(g, TAG_ADDITIVE);
    for (size_t i = 0; i < s->object_count; i++) {
        if (s->objects[i].kind != SQL_OBJECT_SCHEMA && s->objects[i].role == SQL_CREATED) {
            fresh_take(g, s->objects[i].schema, s->objects[i].name);
        }
    }
}

static void judge_psql(struct judging *g)
{
    tag_add(g, TAG_UNKNOWN);
    not_seen(g, "psql runs it, not the server");
}

static void judge_global(struct judging *g)
{
    const struct statement *s = g->s;
    bool outside =
        text_eq(s->text, "create") || text_eq(s->text, "drop") || text_eq(s->text, "tablespace");
    tag_add(g, s->drops && s->object == SQL_OBJECT_DATABASE ? TAG_DESTRUCTIVE | TAG_CONTRACT
                                                            : TAG_NEUTRAL);
    if (s->kind == SQL_STMT_ALTER_SYSTEM || (s->kind == SQL_STMT_DISCARD && s->full) ||
        ((s->kind == SQL_STMT_DATABASE || s->kind == SQL_STMT_TABLESPACE) && outside) ||
        (s->kind == SQL_STMT_CREATE_SUBSCRIPTION && s->from)) {
        g->v->transaction = false;
    }
}

static judge_fn *const judges[] = {
    [SQL_STMT_UNPARSED] = judge_unparsed,
    [SQL_STMT_PSQL] = judge_psql,
    [SQL_STMT_ALTER_TABLE] = judge_alter_table,
    [SQL_STMT_CREATE_TABLE] = judge_create_table,
    [SQL_STMT_CREATE_TABLE_AS] = judge_create_as,
    [SQL_STMT_CREATE_MATVIEW] = judge_create_as,
    [SQL_STMT_CREATE_INDEX] = judge_create_index,
    [SQL_STMT_DROP] = judge_drop,
    [SQL_STMT_RENAME] = judge_rename,
    [SQL_STMT_SET_SCHEMA] = judge_rename,
    [SQL_STMT_OWNER] = judge_owner,
    [SQL_STMT_CREATE_VIEW] = judge_create_view,
    [SQL_STMT_REFRESH_MATVIEW] = judge_refresh,
    [SQL_STMT_CREATE_FUNCTION] = judge_body,
    [SQL_STMT_DO] = judge_body,
    [SQL_STMT_CREATE_TRIGGER] = judge_trigger,
    [SQL_STMT_CREATE_RULE] = judge_trigger,
    [SQL_STMT_CREATE_POLICY] = judge_trigger,
    [SQL_STMT_ALTER_POLICY] = judge_trigger,
    [SQL_STMT_CREATE_ENUM] = judge_additive,
    [SQL_STMT_CREATE_TYPE] = judge_additive,
    [SQL_STMT_ALTER_ENUM] = judge_enum,
    [SQL_STMT_ALTER_TYPE] = judge_alter_type,
    [SQL_STMT_CREATE_DOMAIN] = judge_additive,
    [SQL_STMT_ALTER_DOMAIN] = judge_alter_domain,
    [SQL_STMT_CREATE_SEQUENCE] = judge_sequence,
    [SQL_STMT_ALTER_SEQUENCE] = judge_sequence,
    [SQL_STMT_CREATE_SCHEMA] = judge_create_schema,
    [SQL_STMT_CREATE_EXTENSION] = judge_additive,
    [SQL_STMT_COMMENT] = judge_comment,
    [SQL_STMT_GRANT] = judge_grant,
    [SQL_STMT_REVOKE] = judge_grant,
    [SQL_STMT_TRUNCATE] = judge_truncate,
    [SQL_STMT_LOCK] = judge_lock,
    [SQL_STMT_VACUUM] = judge_maintenance,
    [SQL_STMT_ANALYZE] = judge_maintenance,
    [SQL_STMT_CLUSTER] = judge_maintenance,
    [SQL_STMT_REINDEX] = judge_maintenance,
    [SQL_STMT_SELECT] = judge_query,
    [SQL_STMT_INSERT] = judge_query,
    [SQL_STMT_UPDATE] = judge_query,
    [SQL_STMT_DELETE] = judge_query,
    [SQL_STMT_MERGE] = judge_query,
    [SQL_STMT_EXPLAIN] = judge_query,
    [SQL_STMT_PREPARE] = judge_query,
    [SQL_STMT_EXECUTE] = judge_execute,
    [SQL_STMT_COPY] = judge_copy,
    [SQL_STMT_CALL] = judge_call,
    [SQL_STMT_DISCARD] = judge_global,
    [SQL_STMT_CREATE_STATISTICS] = judge_published,
    [SQL_STMT_CREATE_PUBLICATION] = judge_published,
    [SQL_STMT_ALTER_PUBLICATION] = judge_published,
    [SQL_STMT_CREATE_SUBSCRIPTION] = judge_global,
    [SQL_STMT_DROP_OWNED] = judge_owned,
    [SQL_STMT_REASSIGN_OWNED] = judge_owned,
    [SQL_STMT_MOVE_ALL] = judge_schema_wide,
    [SQL_STMT_ROLE] = judge_global,
    [SQL_STMT_DATABASE] = judge_global,
    [SQL_STMT_TABLESPACE] = judge_global,
    [SQL_STMT_ALTER_SYSTEM] = judge_global,
};

bool statement_foresee(const void *ctx, struct judge *judge, const struct statement *s,
                       struct verdict **out, struct error *err)
{
    (void)err;
    struct verdict *v = mem_new(ctx, struct verdict);
    v->transaction = v->version_ok = true;
    struct judging g = { .ctx = v, .judge = judge, .world = judge->world, .s = s, .v = v };
    judge->budget = judge->nesting == 0 ? BUDGET : judge->budget;
    needs_version(&g, s->min_version);
    judge_fn *fn = (size_t)s->kind < sizeof judges / sizeof *judges ? judges[s->kind] : NULL;
    (fn ? fn : judge_nothing)(&g);
    enum_values_used(&g);
    if (world_has_catalog(judge->world)) {
        judge_refusal(&g);
    }
    judge_assumes(&g);
    if (v->unknown) {
        v->tags |= TAG_UNKNOWN;
    }
    if (v->tags == 0) {
        v->tags = TAG_NEUTRAL;
    }
    *out = v;
    return true;
}

bool statement_judge(const void *ctx, struct judge *judge, const struct statement *s,
                     struct verdict **out, struct error *err)
{
    if (!statement_foresee(ctx, judge, s, out, err)) {
        return false;
    }
    judge_follow(judge, s);
    return true;
}
