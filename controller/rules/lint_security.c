/* What cannot be seen, and what should not be in a migration: files, programs, other servers, the
 * whole cluster, the session's guards. */
#include <string.h>
#include <strings.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/rules/linting.h"
#include "controller/rules/rewrite.h"
#include "controller/sql/token.h"

static bool runs(const struct statement *s)
{
    return s->kind != SQL_STMT_PREPARE && s->kind != SQL_STMT_CREATE_FUNCTION &&
           (s->kind != SQL_STMT_EXPLAIN || s->analyze);
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

static bool reaches_out(const char *function)
{
    static const char *const names[] = { "pg_read_file", "pg_read_binary_file", "pg_stat_file",
                                         "lo_import",    "lo_export",           "pg_file_write",
                                         "pg_file_read", "pg_file_unlink",      "pg_file_rename",
                                         "pg_logdir_ls", "pg_file_sync" };
    return IN(names, function) || text_starts(function, "pg_ls_") ||
           text_starts(function, "dblink");
}

static bool leaves_session(const char *function)
{
    static const char *const names[] = { "pg_terminate_backend", "pg_cancel_backend",
                                         "pg_reload_conf",       "pg_rotate_logfile",
                                         "pg_switch_wal",        "pg_promote",
                                         "pg_wal_replay_pause",  "pg_create_restore_point" };
    return IN(names, function) || text_starts(function, "pg_advisory_lock") ||
           text_starts(function, "pg_try_advisory_") ||
           text_starts(function, "pg_advisory_xact_lock");
}

static void called(struct linter *l, const char *name)
{
    const char *dot = strrchr(name, '.'), *function = dot ? dot + 1 : name;
    if (reaches_out(function)) {
        found(l, "os-access", NULL, "%s() reaches files or other servers", function);
    } else if (leaves_session(function)) {
        found(l, "session-escape", NULL,
              strstr(function, "_xact_") ? "%s() waits for other sessions, without limit"
                                         : "%s() acts beyond this transaction",
              function);
    }
}

/* The settings that switch a guard off, and the value with which it is on. */
static const struct guard {
    const char *name, *normal;
} guards[] = {
    { "session_replication_role", "origin" }, { "role", "none" },
    { "session_authorization", NULL },        { "row_security", "on" },
    { "zero_damaged_pages", "off" },          { "ignore_checksum_failure", "off" },
    { "allow_system_table_mods", "off" },
};

static bool disarms(const char *name, const char *value)
{
    for (size_t i = 0; i < sizeof guards / sizeof *guards; i++) {
        const struct guard *g = &guards[i];
        if (strcasecmp(g->name, name) == 0) {
            bool on = value && g->normal && text_eq(g->normal, "on") &&
                      (text_eq(value, "true") || text_eq(value, "1"));
            return !(on || (value && g->normal && strcasecmp(value, g->normal) == 0));
        }
    }
    return false;
}

/* SELECT set_config('role', 'x', …) */
static void configured(struct linter *l)
{
    SCOPE(tmp);
    const char *sql = l->s->sql;
    for (size_t i = 0; i < sizeof guards / sizeof *guards; i++) {
        const char *at = strstr(sql, mem_printf(tmp, "'%s'", guards[i].name));
        const char *value = at ? at + strlen(guards[i].name) + 2 : NULL;
        value = value ? value + strspn(value, " ,\t\r\n") : NULL;
        size_t n = value && *value == '\'' ? strcspn(value + 1, "'") : 0;
        if (value && disarms(guards[i].name, n > 0 ? mem_textn(tmp, value + 1, n) : NULL)) {
            found(l, "session-escape", NULL, "set_config of %s", guards[i].name);
        }
    }
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
        if (text_eq(name, "set_config")) {
            configured(l);
        }
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
    for (size_t i = 0; l->s->kind == SQL_STMT_CREATE_FUNCTION && b->script && i < b->script->count;
         i++) {
        const struct statement *inner = &b->script->statements[i];
        for (size_t k = 0; inner->query && k < inner->query->functions.count; k++) {
            if (reaches_out(inner->query->functions.items[k])) {
                called(l, inner->query->functions.items[k]);
            }
        }
        if (inner->kind == SQL_STMT_COPY && (inner->program || inner->file)) {
            found(l, "os-access", NULL, "its body reaches files or programs of the server");
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
    } else if (s->problem && l->v->fails) {
        found(l, "syntax-error", NULL, "%s", l->v->fails);
    } else if (s->problem && l->v->known_there) {
        found(l, "not-analysed", NULL, "%s", l->v->unknown);
    } else if (s->problem) {
        found(l, "syntax-error", NULL, "%s", s->problem->message);
    } else if (l->v->fails && strstr(l->v->fails, "refuses the block")) {
        found(l, "syntax-error", NULL, "%s", l->v->fails);
    } else if (!l->v->version_ok) {
        found(l, "version-unsupported", NULL, "it needs PostgreSQL %d; linted for %d",
              l->v->min_version, l->judge->version);
    }
}

/* One of the phrases at token `at`. */
static bool said_at(const struct tokens *t, size_t at, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (tokens_are(t, at, words[i])) {
            return true;
        }
    }
    return false;
}

static bool said_anywhere(const struct tokens *t, const char *const *words, size_t n)
{
    for (size_t i = 0; i < t->count; i++) {
        if (said_at(t, i, words, n) && !(i > 0 && tokens_are(t, i - 1, "NOT"))) {
            return true;
        }
    }
    return false;
}

/* Statements that are refused to anybody but a superuser (or a role that comes near one). */
static bool needs_superuser(const struct statement *s)
{
    static const char *const first[] = { "CREATE CAST",
                                         "CREATE OPERATOR CLASS",
                                         "CREATE OPERATOR FAMILY",
                                         "CREATE ACCESS METHOD",
                                         "CREATE FOREIGN DATA WRAPPER",
                                         "CREATE TEXT SEARCH PARSER",
                                         "CREATE TEXT SEARCH TEMPLATE",
                                         "CREATE TRANSFORM",
                                         "CREATE EVENT TRIGGER",
                                         "ALTER EVENT TRIGGER",
                                         "CREATE SUBSCRIPTION" };
    static const char *const all[] = { "FOR ALL TABLES", "TABLES IN SCHEMA" };
    static const char *const leakproof[] = { "LEAKPROOF" };
    SCOPE(tmp);
    struct tokens t;
    switch (s->kind) {
    case SQL_STMT_OTHER:
    case SQL_STMT_CREATE_EVENT_TRIGGER:
    case SQL_STMT_CREATE_SUBSCRIPTION:
    case SQL_STMT_FOREIGN_DATA:
        t = tokens_of(tmp, s->sql, 0, strlen(s->sql));
        return said_at(&t, 0, first, sizeof first / sizeof *first);
    case SQL_STMT_CREATE_PUBLICATION:
        t = tokens_of(tmp, s->sql, 0, strlen(s->sql));
        return said_anywhere(&t, all, sizeof all / sizeof *all);
    case SQL_STMT_CREATE_FUNCTION:
        t = tokens_of(tmp, s->sql, 0, strlen(s->sql));
        return said_anywhere(&t, leakproof, 1);
    default: return false;
    }
}

static void privileged(struct linter *l)
{
    if (l->s->kind == SQL_STMT_OTHER && strncasecmp(l->s->sql, "load ", 5) == 0) {
        found(l, "os-access", NULL, "it loads a library into the server");
    }
    if (needs_superuser(l->s)) {
        found(l, "superuser-only", NULL, "only a superuser may run it");
    }
}

static void sessions(struct linter *l)
{
    static const char *const outward[] = { "dblink", "file_fdw", "adminpack", "pg_execute" };
    const struct statement *s = l->s;
    switch (s->kind) {
    case SQL_STMT_SET:
        if (disarms(s->setting, s->values.count > 0 ? s->values.items[0] : NULL)) {
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
    case SQL_STMT_OWNER:
        if (s->object == SQL_OBJECT_DATABASE || s->object == SQL_OBJECT_TABLESPACE) {
            found(l, "global-object", NULL, "it changes a database or tablespace as a whole");
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
        if (IN(outward, s->name.name) || untrusted(s->name.name)) {
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
    privileged(l);
    functions_called(l);
    if (l->s->body) {
        bodies(l);
    }
    if (l->v->fails && strstr(l->v->fails, "cannot be used before COMMIT")) {
        found(l, "enum-value-used-same-txn", rewrite_apart(l), "%s", l->v->fails);
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
