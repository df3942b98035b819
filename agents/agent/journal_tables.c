#include "agents/agent/journal.h"

#include "agents/base/mem.h"

/* schemas/agent-journal.sql without its comments; tests/unit/test_journal.c compares them. */
const char *const journal_tables = "CREATE SCHEMA IF NOT EXISTS flotilla; "
                                   "CREATE TABLE IF NOT EXISTS flotilla.fence ( "
                                   "one boolean PRIMARY KEY DEFAULT true CHECK (one), "
                                   "token bigint NOT NULL, "
                                   "run text NOT NULL, "
                                   "since timestamptz NOT NULL DEFAULT now() "
                                   "); "
                                   "CREATE TABLE IF NOT EXISTS flotilla.part ( "
                                   "rollout text NOT NULL, "
                                   "phase text NOT NULL, "
                                   "plan text NOT NULL, "
                                   "service text NOT NULL, "
                                   "instance text NOT NULL, "
                                   "digest text NOT NULL, "
                                   "state text NOT NULL, "
                                   "direction text NOT NULL, "
                                   "run text NOT NULL, "
                                   "fence bigint NOT NULL, "
                                   "part text NOT NULL, "
                                   "approvals text NOT NULL, "
                                   "started timestamptz NOT NULL DEFAULT now(), "
                                   "finished timestamptz, "
                                   "error text, "
                                   "PRIMARY KEY (rollout, phase) "
                                   "); "
                                   "CREATE TABLE IF NOT EXISTS flotilla.step ( "
                                   "rollout text NOT NULL, "
                                   "step text NOT NULL, "
                                   "kind text NOT NULL, "
                                   "state text NOT NULL, "
                                   "digest text NOT NULL, "
                                   "run text NOT NULL, "
                                   "attempts integer NOT NULL DEFAULT 1, "
                                   "started timestamptz NOT NULL DEFAULT clock_timestamp(), "
                                   "finished timestamptz, "
                                   "measured text, "
                                   "moved bigint NOT NULL, "
                                   "PRIMARY KEY (rollout, step) "
                                   "); "
                                   "CREATE SEQUENCE IF NOT EXISTS flotilla.moved; "
                                   "CREATE TABLE IF NOT EXISTS flotilla.cursor ( "
                                   "rollout text NOT NULL, "
                                   "step text NOT NULL, "
                                   "direction text NOT NULL, "
                                   "target text NOT NULL, "
                                   "position text NOT NULL, "
                                   "done bigint NOT NULL, "
                                   "batches bigint NOT NULL, "
                                   "PRIMARY KEY (rollout, step, direction, target) "
                                   ") WITH (fillfactor = 50); "
                                   "CREATE TABLE IF NOT EXISTS flotilla.object ( "
                                   "rollout text NOT NULL, "
                                   "object text NOT NULL, "
                                   "fingerprint text NOT NULL, "
                                   "after text NOT NULL, "
                                   "PRIMARY KEY (rollout, object) "
                                   "); ";

/* Two agents could install at once: the second waits for the first and finds everything there. */
bool journal_install(struct connection *db, struct error *err)
{
    SCOPE(tmp);
    const char *sql = mem_printf(tmp,
                                 "BEGIN; SET LOCAL lock_timeout = '5s';"
                                 "SET LOCAL client_min_messages = warning;"
                                 "SELECT pg_catalog.pg_advisory_xact_lock(%d, 0);"
                                 "%s; COMMIT",
                                 JOURNAL_LOCK, journal_tables);
    struct error ignored;
    bool present = false;
    if (!journal_present(db, &present, err))
        return false;
    if (present || connection_script(db, sql, err))
        return true;
    if (!connection_exec(db, "ROLLBACK", &ignored))
        return fail_in(err, "journal");
    fail_in(err, "journal");
    return fail_hint(err, "the agent's role needs CREATE on the database: `flotilla-agent init` "
                          "prints the script");
}

bool journal_present(struct connection *db, bool *out, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    if (!connection_query(tmp, db,
                          "SELECT count(pg_catalog.to_regclass('flotilla.' || t)) = 6"
                          " FROM pg_catalog.unnest(ARRAY['fence', 'part', 'step', 'moved',"
                          " 'cursor', 'object']) t",
                          NULL, 0, &rows, err))
        return fail_in(err, "journal");
    *out = rows_bool(rows, 0, 0);
    return true;
}
