/* Which kind of statement goes where; what is no DDL (SET, transactions) is settled here. */
#include <ctype.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/ddl/ddl.h"

static const char *set_text(const struct ddl *d)
{
    struct text t = text_init(d->work->ctx, TEXT_LINE);
    for (size_t i = 0; i < d->s->values.count; i++) {
        text_addf(&t, "%s%s", i ? ", " : "", literal(d->work, d->s->values.items[i]));
    }
    return t.data;
}

/* What changes the meaning of statements behind it goes along with them; waiting times and
 * messages are the agent's own matter. */
static void set_session(struct ddl *d)
{
    static const char *const known[] = { "search_path",        "timezone",
                                         "datestyle",          "intervalstyle",
                                         "row_security",       "role",
                                         "xmloption",          "bytea_output",
                                         "extra_float_digits", "check_function_bodies",
                                         "default_tablespace" };
    struct work *work = d->work;
    struct catalog *catalog = work->home->catalog;
    const char *values = set_text(d);
    if (!d->s->values.count) {
        return;
    }
    if (strcasecmp(d->s->setting, "search_path") == 0) {
        struct text path = text_init(work->ctx, TEXT_LINE);
        for (size_t i = 0; i < d->s->values.count; i++) {
            text_addf(&path, "%s%s", i ? ", " : "", ident(work, d->s->values.items[i]));
        }
        catalog->search_path = path.data;
    }
    if (strcasecmp(d->s->setting, "timezone") == 0) {
        catalog->time_zone = mem_text(work->ctx, d->s->values.items[0]);
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcasecmp(known[i], d->s->setting) == 0) {
            step_texts_add(work->ctx, &work->settings,
                           say(work, "SET LOCAL %s = %s", d->s->setting, values));
        }
    }
}

/* --- statements ------------------------------------------------------------------------------ */

/* What the server does to its own storage or statistics: nothing that could be undone. */
static void neutral(struct ddl *d, const char *sql, bool alone)
{
    struct ddl_back back = { .phase = PHASE_EXPAND, .alone = alone };
    ddl_down(d, &back, "SELECT 'nothing to undo: no definition and no row is changed'");
    ddl_raw(d, sql, &back);
}

static bool says_nothing(enum sql_statement_kind kind)
{
    switch (kind) {
    case SQL_STMT_TRANSACTION:
    case SQL_STMT_SHOW:
    case SQL_STMT_RESET:
    case SQL_STMT_PSQL:
    case SQL_STMT_LOCK:
    case SQL_STMT_EXPLAIN:
    case SQL_STMT_CHECKPOINT:
    case SQL_STMT_DISCARD: return true;
    default: return false;
    }
}

static void rest(struct ddl *d)
{
    struct ddl_back back = ddl_back_other(d);
    ddl_raw(d, d->s->sql, &back);
    ddl_follow(d, NULL);
}

static bool changes_nothing(struct ddl *d)
{
    switch (d->s->kind) {
    case SQL_STMT_SET: set_session(d); return true;
    case SQL_STMT_VACUUM: neutral(d, d->s->sql, true); return true;
    case SQL_STMT_ANALYZE:
    case SQL_STMT_REFRESH_MATVIEW:
    case SQL_STMT_CLUSTER: neutral(d, d->s->sql, d->s->concurrently); return true;
    case SQL_STMT_REINDEX:
        neutral(d, ddl_concurrently(d, " table index schema database "), true);
        return true;
    default: return says_nothing(d->s->kind);
    }
}

void ddl_statement(struct ddl *d)
{
    if (changes_nothing(d)) {
        return;
    }
    switch (d->s->kind) {
    case SQL_STMT_ALTER_TABLE: ddl_alter(d); break;
    case SQL_STMT_CREATE_INDEX: ddl_index(d); break;
    case SQL_STMT_DROP: ddl_drop(d); break;
    case SQL_STMT_RENAME: ddl_rename(d); break;
    case SQL_STMT_CREATE_FUNCTION:
    case SQL_STMT_ALTER_FUNCTION: ddl_function(d); break;
    case SQL_STMT_ALTER_ENUM: ddl_enum(d); break;
    case SQL_STMT_DO: ddl_body(d); break;
    case SQL_STMT_SELECT:
    case SQL_STMT_INSERT:
    case SQL_STMT_UPDATE:
    case SQL_STMT_DELETE:
    case SQL_STMT_MERGE:
    case SQL_STMT_TRUNCATE:
    case SQL_STMT_CALL:
        d->work->writes = true;
        ddl_rows(d);
        d->work->writes = false;
        break;
    case SQL_STMT_CREATE_TABLE:
    case SQL_STMT_CREATE_TABLE_AS:
    case SQL_STMT_CREATE_VIEW:
    case SQL_STMT_CREATE_MATVIEW:
    case SQL_STMT_CREATE_ENUM:
    case SQL_STMT_CREATE_TYPE:
    case SQL_STMT_CREATE_DOMAIN:
    case SQL_STMT_CREATE_SEQUENCE:
    case SQL_STMT_CREATE_SCHEMA:
    case SQL_STMT_CREATE_EXTENSION:
    case SQL_STMT_CREATE_TRIGGER: ddl_create(d); break;
    default: rest(d); break;
    }
}

/* What a session would have for itself alone has to be there for each step, which is a session of
 * its own: it is made in the schema of the helpers. */
static const char *shared(const struct work *work, const char *sql)
{
    static const char own[] = "pg_temp.";
    struct text t = text_init(work->ctx, TEXT_SQL);
    const char *done = sql;
    for (const char *at = strcasestr(sql, own); at; at = strcasestr(at + 1, own)) {
        if (at == sql || !(isalnum((unsigned char)at[-1]) || at[-1] == '_')) {
            text_addn(&t, done, (size_t)(at - done));
            text_add(&t, "flotilla.");
            done = at + strlen(own);
        }
    }
    text_add(&t, done);
    return t.data;
}

void compile_ddl(struct work *work, const struct intent *source)
{
    struct script *script;
    struct error err;
    struct ddl d = { .work = work, .source = source };
    work->intent = source;
    work->home = work_state(work, source->service);
    if (!work->home) {
        (void)work_refuse(work, "name a service of the manifest",
                          "there is no service %s with a catalog", source->service);
        return;
    }
    const char *sql = shared(work, source->up.items[0]);
    if (!sql_parse(work->ctx, sql, strlen(sql), &script, &err)) {
        (void)ddl_refuse(&d, mem_text(work->ctx, err.hint), mem_text(work->ctx, err.message));
        return;
    }
    for (size_t i = 0; i < script->count; i++) {
        d.s = &script->statements[i];
        if (d.s->problem) { /* somebody will be asked whether it is newer, or wrong */
            rest(&d);
        } else {
            ddl_statement(&d);
        }
    }
}
