#include "controller/family/leftover.h"

#include "agents/base/text.h"
#include "agents/pg/connection.h"
#include "controller/family/families.h"

/* A table of so many rows is read in less than a lock budget: an index may be made under a lock. */
enum { SMALL_ROWS = 100000 };

static const char *warning(const struct work *work, const char *words)
{
    return words ? say(work,
                       "RAISE WARNING USING ERRCODE = '" CONNECTION_LEFT_STATE "', MESSAGE = %s;",
                       literal(work, words))
                 : "NULL;";
}

static const char *block(const struct work *work, const char *body)
{
    return say(work, "DO %s", literal(work, body));
}

const char *leftover_or(const struct work *work, const char *statement, const char *words)
{
    return block(work,
                 say(work, "BEGIN %s; EXCEPTION WHEN integrity_constraint_violation THEN %s END",
                     statement, warning(work, words)));
}

/* When the way back starts between the making of the constraint and its proof there is none yet. */
static const char *validated(const struct work *work, const struct relation *relation,
                             const char *constraint, const char *words)
{
    return block(work,
                 say(work,
                     "BEGIN IF %s THEN ALTER TABLE %s VALIDATE CONSTRAINT %s; END IF; EXCEPTION "
                     "WHEN integrity_constraint_violation THEN %s END",
                     probe_constraint(work, relation, constraint, false),
                     relation_sql(work, relation), ident(work, constraint), warning(work, words)));
}

const char *leftover_proof(const struct work *work, const struct relation *relation,
                           const char *constraint)
{
    return validated(work, relation, constraint,
                     say(work,
                         "%s: %s holds new rows only (NOT VALID), because rows written since do "
                         "not fit: put them right, then VALIDATE CONSTRAINT",
                         relation_key(work, relation), constraint));
}

const char *leftover_not_null_proof(const struct work *work, const struct relation *relation,
                                    const char *check)
{
    return validated(work, relation, check, NULL); /* leftover_not_null() will say it */
}

const char *leftover_not_null(const struct work *work, const struct relation *relation,
                              const char *column, const char *check)
{
    const char *table = relation_sql(work, relation);
    const char *words =
        say(work,
            "%s: %s may be null, because rows written since have no value; the check %s (NOT "
            "VALID) holds new and changed rows: give those a value, then VALIDATE CONSTRAINT, SET "
            "NOT NULL, DROP CONSTRAINT",
            relation_key(work, relation), column, check);
    return block(
        work,
        say(work,
            "BEGIN IF %s AND NOT %s THEN %s ELSE ALTER TABLE %s ALTER COLUMN %s SET NOT NULL; "
            "ALTER TABLE %s DROP CONSTRAINT IF EXISTS %s; END IF; EXCEPTION WHEN "
            "not_null_violation THEN ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s IS NOT NULL) NOT "
            "VALID; %s END",
            probe_constraint(work, relation, check, false),
            probe_constraint(work, relation, check, true), warning(work, words), table,
            ident(work, column), table, ident(work, check), table, ident(work, check),
            ident(work, column), warning(work, words)));
}

const char *leftover_by_index(const struct work *work, const struct relation *relation,
                              const char *index, const char *make, const char *add)
{
    const char *words = say(work,
                            "%s: not made again, because its index could not be (rows written "
                            "since): %s",
                            relation_key(work, relation), add);
    const char *name = literal(work, name_sql(work, relation->schema, index));
    const char *small = say(work,
                            "EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = "
                            "pg_catalog.to_regclass(%s) AND reltuples BETWEEN 0 AND %d)",
                            literal(work, relation_sql(work, relation)), SMALL_ROWS);
    return block(work,
                 say(work,
                     "BEGIN IF pg_catalog.to_regclass(%s) IS NULL AND %s THEN %s; END IF; IF "
                     "pg_catalog.to_regclass(%s) IS NULL THEN %s ELSE %s; END IF; EXCEPTION "
                     "WHEN integrity_constraint_violation THEN %s END",
                     name, small, make, name, warning(work, words), add, warning(work, words)));
}

const char *leftover_if_index(const struct work *work, const struct relation *relation,
                              const char *index, const char *statement)
{
    return block(work,
                 say(work, "BEGIN IF pg_catalog.to_regclass(%s) IS NOT NULL THEN %s; END IF; END",
                     literal(work, name_sql(work, relation->schema, index)), statement));
}
