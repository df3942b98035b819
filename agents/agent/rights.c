#include "agents/agent/rights.h"

#include "agents/base/json.h"
#include "agents/base/mem.h"

enum { NEEDS_MOST = 20000 };

/* One branch a sort of need. A role inherits from what it is a member of: USAGE of a role is what
 * counts as being it; to give something away it must be able to become the other: MEMBER. */
static const char MISSING[] =
    "WITH n AS (SELECT DISTINCT ON (need, what, \"schema\", name, \"to\") *,"
    " CASE WHEN \"schema\" IS NULL THEN quote_ident(name) ELSE format('%I.%I', \"schema\", name)"
    " END AS spelt FROM jsonb_to_recordset($1::jsonb) AS"
    " j(step text, need text, what text, \"schema\" text, name text, \"to\" text)),"
    " place AS (SELECT n.*, s.oid AS at, s.nspname FROM n JOIN pg_namespace s"
    "  ON s.nspname = coalesce(n.name, current_schema()) WHERE n.what = 'schema'),"
    " rel AS (SELECT n.*, c.oid, c.relowner, c.relnamespace FROM n JOIN pg_class c"
    "  ON c.oid = to_regclass(n.spelt) WHERE n.what = 'relation'),"
    " owned AS ("
    "  SELECT step, need, oid::regclass::text AS said, relowner AS owner, relnamespace AS at FROM rel"
    "   WHERE need IN ('owner', 'drop')"
    "  UNION ALL SELECT step, need, 'type ' || t.oid::regtype, typowner, typnamespace FROM n"
    "   JOIN pg_type t ON t.oid = to_regtype(spelt) WHERE what = 'type'"
    "  UNION ALL SELECT step, need, 'function ' || p.oid::regprocedure, proowner, pronamespace FROM n"
    "   JOIN pg_proc p ON p.proname = n.name AND p.pronamespace = coalesce(n.\"schema\","
    "   current_schema())::regnamespace WHERE what = 'function' AND n.name IS NOT NULL"
    "   AND (n.\"schema\" IS NULL OR to_regnamespace(quote_ident(n.\"schema\")) IS NOT NULL)"
    "  UNION ALL SELECT step, need, format('schema %I', s.nspname), s.nspowner, at FROM place"
    "   JOIN pg_namespace s ON s.oid = at WHERE need IN ('owner', 'drop'))"
    " SELECT step, format('must own %s, which belongs to %I', said, r.rolname),"
    "  format('GRANT %I TO %I', r.rolname, current_user) FROM owned JOIN pg_roles r"
    "  ON r.oid = owner LEFT JOIN pg_namespace s ON s.oid = at"
    "  WHERE NOT pg_has_role(current_user, owner, 'USAGE')"
    "  AND NOT (need = 'drop' AND pg_has_role(current_user, s.nspowner, 'USAGE'))"
    " UNION ALL SELECT step, format('may not create objects in schema %I', nspname),"
    "  format('GRANT CREATE ON SCHEMA %I TO %I', nspname, current_user) FROM place"
    "  WHERE need = 'create' AND NOT has_schema_privilege(at, 'CREATE')"
    " UNION ALL SELECT step, format('role %I, which is to receive an object in schema %I, may not"
    " create any there', r.rolname, nspname), format('GRANT CREATE ON SCHEMA %I TO %I', nspname,"
    "  r.rolname) FROM place JOIN pg_roles r ON r.rolname = \"to\" WHERE need = 'receive'"
    "  AND NOT has_schema_privilege(r.oid, at, 'CREATE')"
    "  AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)"
    " UNION ALL SELECT step, 'may not create schemas in this database',"
    "  format('GRANT CREATE ON DATABASE %I TO %I', current_database(), current_user) FROM n"
    "  WHERE what = 'database' AND NOT has_database_privilege(current_database(), 'CREATE')"
    " UNION ALL SELECT step, format('there is no role %I', name), format('CREATE ROLE %I', name)"
    "  FROM n WHERE what = 'role' AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)"
    " UNION ALL SELECT step, format('is no member of %I, to whom it is to give an object', name),"
    "  format('GRANT %I TO %I', name, current_user) FROM n JOIN pg_roles r ON r.rolname = name"
    "  WHERE what = 'role' AND NOT pg_has_role(current_user, r.oid, 'MEMBER')"
    " UNION ALL SELECT step, format('has no right to %s %s', upper(need), oid::regclass),"
    "  format('GRANT %s ON %s TO %I', upper(need), oid::regclass, current_user) FROM rel"
    "  WHERE need NOT IN ('owner', 'drop') AND NOT has_table_privilege(oid, upper(need))"
    "  AND NOT (need IN ('select', 'insert', 'update', 'references')"
    "   AND has_any_column_privilege(oid, upper(need)))"
    " UNION ALL SELECT step, format('is kept from rows of %s by row security', oid::regclass),"
    "  format('ALTER ROLE %I BYPASSRLS, or make it a member of the owner of %s', current_user,"
    "  oid::regclass) FROM rel WHERE need IN ('select', 'insert', 'update', 'delete')"
    "  AND row_security_active(oid)";

bool rights_missing(struct connection *db, const json_t *needs, json_t **out, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    if (json_array_size(needs) > NEEDS_MOST)
        return fail(err, ERROR_INVALID, "more than %d rights are asked for", NEEDS_MOST);
    const char *params[] = { json_compact(tmp, needs) };
    if (!connection_query(tmp, db, MISSING, params, 1, &rows, err))
        return fail_in(err, "rights");
    json_t *list = json_array();
    for (size_t i = 0; i < rows_count(rows); i++) {
        json_t *o = json_object();
        json_set_text(o, "step", rows_text(rows, i, 0));
        json_set_text(o, "message", rows_text(rows, i, 1));
        json_set_text(o, "fix", rows_text(rows, i, 2));
        json_array_append_new(list, o);
    }
    *out = list;
    return true;
}
