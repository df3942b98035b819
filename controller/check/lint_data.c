/* Statements that move rows, and what cannot be seen or should not be there. */
#include <string.h>
#include <strings.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/check/linting.h"

static void written(struct linter *l, const struct sql_write *w)
{
    struct world_table *t = old_table(l, w->relation);
    if (w->duplicate) {
        found(l, "duplicate-assignment", NULL, "\"%s\" is set twice", w->duplicate);
    }
    if (!t) {
        return;
    }
    if (w->deletes && !w->bounded) {
        found(l, "delete-unbounded", NULL, "it may delete most of \"%s\" in one transaction",
              t->name);
    } else if (w->kind == SQL_UPDATE && !w->bounded) {
        found(l, "backfill-unbatched", NULL, "it may write most of \"%s\" in one transaction",
              t->name);
    } else if (w->kind == SQL_MERGE) {
        found(l, "backfill-unbatched", NULL, "it may write most of \"%s\" in one transaction",
              t->name);
    }
}

/* INSERT … SELECT counts by what it reads. */
static void copied(struct linter *l, const struct sql_query *q, const struct sql_write *w)
{
    if (w->kind != SQL_INSERT || !w->from_query || w->bounded) {
        return;
    }
    for (size_t i = 0; i < q->read_count; i++) {
        struct sql_name name = { q->reads[i].schema, q->reads[i].name };
        if (!q->reads[i].column && name.name && old_table(l, name)) {
            found(l, "backfill-unbatched", NULL, "it copies \"%s\" in one transaction", name.name);
        }
    }
}

static const struct sql_query *executed(const struct linter *l)
{
    const struct judge *j = l->judge;
    for (size_t i = j->prepared.count; i > 0; i--) {
        if (text_eq(j->prepared.items[i - 1], l->s->sub_name)) {
            return j->prepared_statements[i - 1]->query;
        }
    }
    return NULL;
}

static bool runs(const struct statement *s)
{
    return s->kind != SQL_STMT_PREPARE && s->kind != SQL_STMT_CREATE_FUNCTION &&
           (s->kind != SQL_STMT_EXPLAIN || s->analyze);
}

/* A change of rows beside DDL that holds a strong lock, in one transaction. */
static void beside_ddl(struct linter *l, const struct sql_query *q)
{
    bool rows = false;
    for (size_t i = 0; i < q->write_count; i++) {
        const struct sql_write *w = &q->writes[i];
        rows = rows || (old_table(l, w->relation) &&
                        (w->kind != SQL_INSERT || (w->from_query && !w->bounded)));
    }
    if (rows && in_transaction(l) && l->strong.count > 0) {
        found(l, "backfill-with-ddl-same-txn", NULL,
              "\"%s\" is locked by this transaction until the last row is written",
              l->strong.items[0]);
    }
}

void lint_data(struct linter *l)
{
    const struct sql_query *q = l->s->kind == SQL_STMT_EXECUTE ? executed(l) : l->s->query;
    if (!q || !runs(l->s)) {
        return;
    }
    for (size_t i = 0; i < q->write_count; i++) {
        written(l, &q->writes[i]);
        copied(l, q, &q->writes[i]);
    }
    beside_ddl(l, q);
}

static bool in_list(const char *const *list, size_t n, const char *s)
{
    for (size_t i = 0; i < n; i++) {
        if (text_eq(list[i], s)) {
            return true;
        }
    }
    return false;
}
#define IN(list, s) in_list(list, sizeof(list) / sizeof *(list), s)

static void called(struct linter *l, const char *function)
{
    static const char *const os[] = {
        "pg_read_file",   "pg_read_binary_file", "pg_ls_dir",     "pg_stat_file",
        "lo_import",      "lo_export",           "dblink",        "dblink_exec",
        "dblink_connect", "dblink_send_query",   "pg_file_write", "pg_logdir_ls"
    };
    static const char *const session[] = { "pg_terminate_backend", "pg_cancel_backend",
                                           "pg_advisory_lock",     "pg_advisory_lock_shared",
                                           "pg_try_advisory_lock", "pg_reload_conf",
                                           "pg_rotate_logfile",    "pg_switch_wal" };
    if (IN(os, function)) {
        found(l, "os-access", NULL, "%s() reaches files or other servers", function);
    } else if (IN(session, function)) {
        found(l, "session-escape", NULL, "%s() acts beyond this transaction", function);
    }
}

static bool forbidden_setting(const char *name)
{
    static const char *const names[] = { "session_replication_role", "role",
                                         "session_authorization",    "row_security",
                                         "zero_damaged_pages",       "ignore_checksum_failure",
                                         "allow_system_table_mods" };
    return name && IN(names, name);
}

static bool untrusted(const char *language)
{
    static const char *const names[] = { "c",      "internal",   "plperlu",    "plpythonu",
                                         "pltclu", "plpython2u", "plpython3u", "plsh" };
    return language && IN(names, language);
}

static bool touches_old(struct linter *l, const struct statement *s)
{
    for (size_t i = 0; s->query && i < s->query->write_count; i++) {
        if (old_table(l, s->query->writes[i].relation)) {
            return true;
        }
    }
    switch (s->kind) {
    case SQL_STMT_SELECT:
    case SQL_STMT_INSERT:
    case SQL_STMT_UPDATE:
    case SQL_STMT_DELETE:
    case SQL_STMT_MERGE:
    case SQL_STMT_SET:
    case SQL_STMT_RESET:
    case SQL_STMT_SHOW:
    case SQL_STMT_UNPARSED:
    case SQL_STMT_EXPLAIN:
    case SQL_STMT_EXECUTE: return false;
    default: return true;
    }
}

/* DDL or DML in the body that runs now. */
static void hidden(struct linter *l, const struct script *body, const char *where)
{
    for (size_t i = 0; body && i < body->count; i++) {
        if (touches_old(l, &body->statements[i])) {
            found(l, "hidden-ddl", NULL, "%s holds: %.80s", where, body->statements[i].sql);
        }
    }
}

static void functions_called(struct linter *l)
{
    const struct sql_query *q = l->s->query;
    for (size_t i = 0; q && runs(l->s) && i < q->functions.count; i++) {
        SCOPE(tmp);
        const char *name = q->functions.items[i], *dot = strchr(name, '.');
        struct sql_name of = { dot ? mem_textn(tmp, name, (size_t)(dot - name)) : NULL,
                               dot ? dot + 1 : name };
        const struct world_function *f = world_function(l->world, of);
        called(l, name);
        if (f && f->body) {
            hidden(l, f->body, name);
        }
    }
}

static void bodies(struct linter *l)
{
    const struct sql_body *b = l->s->body;
    if (l->s->kind == SQL_STMT_DO) {
        hidden(l, b->script, "the block");
        for (size_t i = 0; i < b->dynamic.count; i++) {
            found(l, "dynamic-sql", NULL, "it executes computed text: %.80s", b->dynamic.items[i]);
        }
        if (b->opaque) {
            found(l, "dynamic-sql", NULL, "the block cannot be read: %s", b->opaque);
        }
    }
    if (untrusted(b->language)) {
        found(l, "os-access", NULL, "language %s runs with the server's rights", b->language);
    }
}

static void unreadable(struct linter *l)
{
    const struct statement *s = l->s;
    if (s->kind == SQL_STMT_PSQL) {
        found(l, "syntax-error", NULL, "a command of psql: the server does not know %.20s", s->sql);
    } else if (s->problem) {
        found(l, "syntax-error", NULL, "%s", s->problem->message);
    } else if (!l->v->version_ok) {
        found(l, "version-unsupported", NULL, "it needs PostgreSQL %d; linted for %d",
              l->v->min_version, l->judge->version);
    }
}

static void sessions(struct linter *l)
{
    const struct statement *s = l->s;
    switch (s->kind) {
    case SQL_STMT_SET:
        if (forbidden_setting(s->setting)) {
            found(l, "session-escape", NULL, "SET %s", s->setting);
        }
        break;
    case SQL_STMT_COPY:
        if (s->program || s->file) {
            found(l, "os-access", NULL,
                  s->program ? "it runs a program on the server"
                             : "it reads or writes a file of the server");
        }
        break;
    case SQL_STMT_ALTER_SYSTEM:
    case SQL_STMT_ROLE:
    case SQL_STMT_TABLESPACE:
        found(l, "global-object", NULL, "it changes the whole cluster");
        break;
    case SQL_STMT_DATABASE:
        if (!s->drops) {
            found(l, "global-object", NULL, "it changes a database as a whole");
        }
        break;
    case SQL_STMT_CREATE_EXTENSION:
        if (text_eq(s->name.name, "dblink") || text_eq(s->name.name, "file_fdw") ||
            text_eq(s->name.name, "adminpack")) {
            found(l, "os-access", NULL, "\"%s\" reaches files or other servers", s->name.name);
        }
        break;
    default: break;
    }
}

void lint_opaque(struct linter *l)
{
    unreadable(l);
    if (l->s->kind == SQL_STMT_UNPARSED || l->s->kind == SQL_STMT_PSQL) {
        return;
    }
    sessions(l);
    functions_called(l);
    if (l->s->body) {
        bodies(l);
    }
    if (l->v->fails && strstr(l->v->fails, "cannot be used before COMMIT")) {
        found(l, "enum-value-used-same-txn", NULL, "%s", l->v->fails);
    } else if (l->v->fails &&
               (strstr(l->v->fails, "cannot drop") || strstr(l->v->fails, "cannot alter") ||
                strstr(l->v->fails, "depends on it"))) {
        found(l, "dependent-object-error", NULL, "%s", l->v->fails);
    } else if (l->v->fails && strstr(l->v->fails, "before PostgreSQL")) {
        found(l, "version-unsupported", NULL, "%s", l->v->fails);
    } else if (l->v->fails && strstr(l->v->fails, "CONCURRENTLY")) {
        found(l, "txn-forbidden", NULL, "%s", l->v->fails);
    }
}
