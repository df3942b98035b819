#include "agents/agent/doctor_checks.h"

#include <stddef.h>

/* The limits stand in the queries. Five minutes: CREATE INDEX CONCURRENTLY waits for every older
 * transaction. Ten connections: a rollout takes two a database, the rest is margin. 1.5e9: half a
 * billion transactions before the server refuses to go on (wraparound at 2^31). */
const struct doctor_check doctor_checks[] = {
    { "server", 0,
      "SELECT 'error',"
      " 'PostgreSQL ' || current_setting('server_version') || ' is no longer maintained',"
      " 'upgrade: 14 is the oldest version that is supported here'"
      " WHERE current_setting('server_version_num')::int < 140000",
      "SELECT 'PostgreSQL ' || current_setting('server_version')" },
    { "standby", 0,
      "SELECT 'error', 'this server is a standby', 'let the agent''s conninfo name the primary'"
      " WHERE pg_is_in_recovery()",
      NULL },
    { "role", 0,
      "SELECT 'note', format('role %s is a superuser', current_user),"
      " format('ALTER ROLE %I NOSUPERUSER; membership in the owners'' roles is enough', current_user)"
      " FROM pg_roles WHERE rolname = current_user AND rolsuper",
      "SELECT format('role %s, no superuser', current_user)" },
    { "read only", 0,
      "SELECT 'error', format('%s is on for role %s: nothing could be written', name,"
      " current_user),"
      " format('ALTER ROLE %I SET %I = off', current_user, name)"
      " FROM pg_settings WHERE name = 'default_transaction_read_only' AND reset_val = 'on'",
      NULL },
    { "owners", 0,
      "SELECT CASE WHEN o.rolsuper THEN 'warning' ELSE 'error' END,"
      " format('role %s is no member of %s, which owns %s relations', current_user, o.rolname,"
      " count(*)), CASE WHEN o.rolsuper THEN 'give them to an ordinary role: ALTER TABLE ... OWNER"
      " TO; a superuser''s role is not granted to anybody'"
      " ELSE format('GRANT %I TO %I', o.rolname, current_user) END"
      " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
      " JOIN pg_roles o ON o.oid = c.relowner"
      " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')"
      " AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'flotilla')"
      " AND NOT pg_has_role(current_user, o.oid, 'MEMBER')"
      " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass"
      " AND d.objid = c.oid AND d.deptype = 'e')"
      " GROUP BY o.rolname, o.rolsuper ORDER BY o.rolname",
      "SELECT 'member of every owner of relations here'" },
    { "monitor", 0,
      "SELECT 'warning', format('role %s is no member of pg_monitor, so blockers have no names',"
      " current_user), format('GRANT pg_monitor TO %I', current_user)"
      " WHERE NOT pg_has_role(current_user, 'pg_monitor', 'USAGE')",
      NULL },
    { "journal", 0,
      "SELECT 'error', format('role %s may not create the schema flotilla here', current_user),"
      " format('GRANT CREATE ON DATABASE %I TO %I', current_database(), current_user)"
      " WHERE NOT has_database_privilege(current_database(), 'CREATE')"
      " AND NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'flotilla'"
      " AND has_schema_privilege(oid, 'CREATE'))",
      NULL },
    { "deadlock_timeout", 150000,
      "SELECT 'note', format('role %s may not set deadlock_timeout, so lock waits are noticed"
      " later', current_user),"
      " format('GRANT SET ON PARAMETER deadlock_timeout TO %I', current_user)"
      " WHERE NOT has_parameter_privilege(current_user, 'deadlock_timeout', 'SET')",
      NULL },
    { "connections", 0,
      "SELECT 'warning', format('%s of %s connections are taken', used, most),"
      " 'raise max_connections or close idle sessions: a rollout needs two a database'"
      " FROM (SELECT count(*), current_setting('max_connections')::int"
      " - current_setting('superuser_reserved_connections')::int FROM pg_stat_activity"
      " WHERE backend_type = 'client backend') s(used, most) WHERE most - used < 10",
      NULL },
    { "autovacuum", 0,
      "SELECT 'warning', format('%s is off', name),"
      " format('ALTER SYSTEM SET %I = on: after a backfill dead rows stay otherwise', name)"
      " FROM pg_settings WHERE name IN ('autovacuum', 'track_counts') AND setting = 'off'",
      NULL },
    { "durability", 0,
      "SELECT 'note', format('%s is off: a crash of the server can lose what was done', name),"
      " format('ALTER SYSTEM SET %I = on, unless this is a test system', name)"
      " FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off'",
      NULL },
    { "wal", 0,
      "SELECT 'note', 'wal_level is minimal: no standby, no logical replication, no archive',"
      " 'set wal_level = replica or logical'"
      " WHERE current_setting('wal_level') = 'minimal'",
      "SELECT format('wal_level %s, %s of %s replication slots used', current_setting('wal_level'),"
      " count(*), current_setting('max_replication_slots')) FROM pg_replication_slots" },
    { "slots", 0,
      "SELECT 'warning', format('slot %s is inactive and keeps %s of WAL', slot_name,"
      " pg_size_pretty(kept)),"
      " format('start its consumer, or SELECT pg_drop_replication_slot(%L)', slot_name)"
      " FROM (SELECT slot_name, pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN"
      " pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END, restart_lsn)"
      " FROM pg_replication_slots WHERE NOT active) s(slot_name, kept) WHERE kept > 1073741824",
      NULL },
    { "standbys", 0,
      "SELECT 'warning', format('standby %s lags %s s', coalesce(nullif(application_name, ''),"
      " client_addr::text), extract(epoch FROM replay_lag)::int),"
      " 'wait until it has caught up: a backfill throttles itself on it'"
      " FROM pg_stat_replication WHERE replay_lag > interval '10 s'",
      NULL },
    { "transactions", 0,
      "SELECT 'warning', format('pid %s (%s, %s) is in a transaction for %s min', pid, usename,"
      " coalesce(nullif(application_name, ''), 'no name'),"
      " (extract(epoch FROM now() - xact_start) / 60)::int),"
      " format('end it, or SELECT pg_terminate_backend(%s): index builds wait for it', pid)"
      " FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
      " AND xact_start < now() - interval '5 min' ORDER BY xact_start LIMIT 10",
      NULL },
    { "prepared", 0,
      "SELECT 'warning', format('prepared transaction of %s holds its locks since %s', owner,"
      " to_char(prepared, 'YYYY-MM-DD HH24:MI')),"
      " format('COMMIT PREPARED %L or ROLLBACK PREPARED %L', gid, gid)"
      " FROM pg_prepared_xacts WHERE database = current_database() ORDER BY prepared LIMIT 10",
      NULL },
    { "indexes", 0,
      "SELECT 'note', format('index %s.%s is invalid', n.nspname, c.relname),"
      " format('DROP INDEX CONCURRENTLY %I.%I, or REINDEX it', n.nspname, c.relname)"
      " FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
      " JOIN pg_namespace n ON n.oid = c.relnamespace"
      " WHERE NOT i.indisvalid AND c.relkind = 'i' AND NOT EXISTS (SELECT FROM"
      " pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid) ORDER BY 2 LIMIT 10",
      NULL },
    { "event triggers", 0,
      "SELECT 'note', format('event trigger %s fires on DDL', evtname),"
      " 'make sure that it lets the steps of a plan through'"
      " FROM pg_event_trigger WHERE evtenabled <> 'D' ORDER BY evtname",
      NULL },
    { "wraparound", 0,
      "SELECT 'warning', format('the database is %s transactions old', age(datfrozenxid)),"
      " 'VACUUM FREEZE its oldest tables before a large backfill'"
      " FROM pg_database WHERE datname = current_database() AND age(datfrozenxid) > 1500000000",
      NULL },
    { "timeouts", 0,
      "SELECT 'note', format('%s is %s ms for this role', name, setting),"
      " format('ALTER ROLE %I SET %I = 0: steps set their own', current_user, name)"
      " FROM pg_settings WHERE name = 'transaction_timeout' AND setting::bigint > 0",
      "SELECT format('lock_timeout %s, statement_timeout %s by default; steps set their own',"
      " current_setting('lock_timeout'), current_setting('statement_timeout'))" },
    { NULL, 0, NULL, NULL },
};
