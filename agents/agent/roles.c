#include "agents/agent/roles.h"

#include "agents/base/mem.h"
#include "agents/base/text.h"

static const char HEAD[] =
    "-- flotilla: the two roles of an agent and their grants. Run it with psql as a superuser; it\n"
    "-- may be run again. No role here is a superuser. How they log in is yours to say: passwords in\n"
    "-- the .pgpass of the agent's account, or, without any, its account mapped to both roles:\n"
    "--   pg_ident.conf          flotilla  ACCOUNT  " ROLE_WORK "\n"
    "--                          flotilla  ACCOUNT  " ROLE_SCRATCH "\n"
    "--   pg_hba.conf, first     local  all  " ROLE_WORK "," ROLE_SCRATCH "  peer  map=flotilla\n"
    "-- and then SELECT pg_reload_conf();\n"
    "\\set ON_ERROR_STOP on\n"
    "SELECT format('CREATE ROLE %I LOGIN', r) FROM unnest(ARRAY['" ROLE_WORK "', '" ROLE_SCRATCH
    "']) r\n"
    "WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r) \\gexec\n"
    "ALTER ROLE " ROLE_WORK " NOSUPERUSER NOCREATEROLE NOREPLICATION INHERIT;\n"
    "ALTER ROLE " ROLE_SCRATCH " CREATEDB NOSUPERUSER NOCREATEROLE NOREPLICATION;\n"
    "GRANT pg_monitor TO " ROLE_WORK ";\n"
    "-- Server 15 and later: lock waits of ours are noticed after 50 ms instead of a second.\n"
    "SELECT 'GRANT SET ON PARAMETER deadlock_timeout TO " ROLE_WORK "'\n"
    "WHERE current_setting('server_version_num')::int >= 150000 \\gexec\n";

/* Every ordinary role that owns a relation, function or type of the users' schemas here. */
static const char FIND_OWNERS[] =
    "SELECT DISTINCT format('GRANT %I TO " ROLE_WORK "', r.rolname)\n"
    "FROM (SELECT relowner, relnamespace FROM pg_class\n"
    "      UNION SELECT proowner, pronamespace FROM pg_proc\n"
    "      UNION SELECT typowner, typnamespace FROM pg_type) o (owner, namespace)\n"
    "JOIN pg_roles r ON r.oid = o.owner JOIN pg_namespace n ON n.oid = o.namespace\n"
    "WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'flotilla')\n"
    "AND NOT r.rolsuper AND r.rolname NOT IN ('" ROLE_WORK "', '" ROLE_SCRATCH "') \\gexec\n";

static void add_database(const void *ctx, struct text *t, const char *name,
                         const struct step_texts *owners)
{
    const char *ident = text_quote_ident(ctx, name);
    const char *scratch = mem_printf(ctx, "%s_scratch", name);
    text_addf(t, "\n-- %s\n\\connect %s\n", text_printable(ctx, name), ident);
    for (size_t i = 0; i < owners->count; i++)
        text_addf(t, "GRANT %s TO " ROLE_WORK ";\n", text_quote_ident(ctx, owners->items[i]));
    if (owners->count == 0)
        text_add(t, FIND_OWNERS);
    text_addf(t, "GRANT CONNECT, CREATE, TEMPORARY ON DATABASE %s TO " ROLE_WORK ";\n", ident);
    text_addf(t,
              "SELECT format('CREATE DATABASE %%I OWNER " ROLE_SCRATCH "', d) FROM (VALUES (%s)) "
              "v(d)\n"
              "WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = d) \\gexec\n",
              text_quote_literal(ctx, scratch));
}

const char *roles_sql(const void *ctx, const struct step_texts *databases,
                      const struct step_texts *owners)
{
    SCOPE(tmp);
    struct text t = text_init(ctx, TEXT_SQL);
    text_add(&t, HEAD);
    for (size_t i = 0; i < databases->count; i++)
        add_database(tmp, &t, databases->items[i], owners);
    return t.data;
}
