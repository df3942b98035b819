#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/pg/catalog_reader.h"

/* The default names of the tools' tables, and a column that tells the table from one that only has
 * the same name. Where several tools share a table the first whose columns match is named. */
static const struct known {
    const char *tool, *table;
    const char *columns[2];
} known[] = {
    { "Flyway", "flyway_schema_history", { "installed_rank", "checksum" } },
    { "Flyway", "schema_version", { "installed_rank", "checksum" } },
    { "Liquibase", "databasechangelog", { "orderexecuted", "md5sum" } },
    { "Alembic", "alembic_version", { "version_num" } },
    { "golang-migrate", "schema_migrations", { "version", "dirty" } },
    { "Ecto", "schema_migrations", { "version", "inserted_at" } },
    { "Rails or dbmate", "schema_migrations", { "version" } },
    { "Django", "django_migrations", { "app", "applied" } },
    { "Prisma", "_prisma_migrations", { "migration_name", "checksum" } },
    { "Sqitch", "changes", { "change_id", "planner_name" } },
    { "goose", "goose_db_version", { "version_id", "is_applied" } },
    { "Diesel", "__diesel_schema_migrations", { "version", "run_on" } },
    { "Knex", "knex_migrations", { "migration_time", "batch" } },
    { "Sequelize", "SequelizeMeta", { "name" } },
    { "TypeORM", "migrations", { "timestamp", "name" } },
    { "Laravel", "migrations", { "migration", "batch" } },
    { "Entity Framework", "__EFMigrationsHistory", { "MigrationId" } },
    { "SQLx", "_sqlx_migrations", { "installed_on", "checksum" } },
    { "Drizzle", "__drizzle_migrations", { "hash", "created_at" } },
    { "Atlas", "atlas_schema_revisions", { "version", "executed_at" } },
    { "node-pg-migrate", "pgmigrations", { "run_on" } },
    { "MikroORM", "mikro_orm_migrations", { "executed_at" } },
    { "Phinx", "phinxlog", { "migration_name" } },
    { "Doctrine", "doctrine_migration_versions", { "executed_at" } },
    { "yoyo", "_yoyo_migration", { "migration_hash" } },
    { "Refinery", "refinery_schema_history", { "applied_on", "checksum" } },
    { "DbUp", "schemaversions", { "scriptname" } },
    { "tern", "schema_version", { "version" } },
    { "Evolve", "changelog", { "installed_by", "checksum" } },
    { "Kysely", "kysely_migration", { "timestamp" } },
    { "Supabase", "schema_migrations", { "version", "statements" } },
    { "pgroll", "migrations", { "migration", "resulting_schema" } },
};

static const char *tool_of(const struct catalog *catalog, const struct relation *r)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const struct known *k = &known[i];

        if (!text_eq(k->table, r->name) || !relation_column(r, k->columns[0]) ||
            (k->columns[1] && !relation_column(r, k->columns[1])))
            continue;
        if (!text_eq(k->tool, "Rails or dbmate"))
            return k->tool;
        return catalog_relation(catalog, r->schema, "ar_internal_metadata") ? "Rails" : "dbmate";
    }
    return NULL;
}

void catalog_find_histories(struct reader *reader)
{
    struct catalog *c = reader->catalog;

    for (size_t i = 0; i < c->relation_count; i++) {
        const struct relation *r = &c->relations[i];
        const char *tool = r->kind == 'r' ? tool_of(c, r) : NULL;

        if (!tool)
            continue;
        c->histories = mem_room(c, c->histories, struct migration_history, c->history_count + 1);
        c->histories[c->history_count++] = (struct migration_history){ tool, r->schema, r->name };
    }
}
