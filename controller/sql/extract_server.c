/* Statements about things outside of one schema: publications, roles, databases, servers. */
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/sql/extract_type.h"

static void plain(struct extract *x, enum sql_object_kind kind, enum sql_role role,
                  const char *name)
{
    extract_main(x, kind, role, (struct sql_name){ NULL, ast_text(x->ctx, name) });
}

static void published(struct extract *x, size_t n, PgQuery__Node *const *objects)
{
    for (size_t i = 0; i < n; i++) {
        const PgQuery__PublicationObjSpec *o =
            AST_CAST(PublicationObjSpec, publication_obj_spec, ast_of(objects[i]));
        if (o && o->pubtable && o->pubtable->relation) {
            extract_object(x, SQL_OBJECT_TABLE, SQL_REFERENCED,
                           ast_range(x->ctx, o->pubtable->relation), NULL);
        } else if (o && !text_empty(o->name)) {
            extract_object(x, SQL_OBJECT_SCHEMA, SQL_REFERENCED,
                           (struct sql_name){ NULL, ast_text(x->ctx, o->name) }, NULL);
        }
    }
}

void server_publication(struct extract *x, const ast_message *m)
{
    const PgQuery__CreatePublicationStmt *s = (const void *)m;
    plain(x, SQL_OBJECT_PUBLICATION, SQL_CREATED, s->pubname);
    published(x, s->n_pubobjects, s->pubobjects);
}

void server_alter_publication(struct extract *x, const ast_message *m)
{
    const PgQuery__AlterPublicationStmt *s = (const void *)m;
    plain(x, SQL_OBJECT_PUBLICATION, SQL_TARGET, s->pubname);
    published(x, s->n_pubobjects, s->pubobjects);
    x->out->drops = s->action == PG_QUERY__ALTER_PUBLICATION_ACTION__AP_DropObjects;
    x->out->full =
        s->n_pubobjects > 0 && s->action == PG_QUERY__ALTER_PUBLICATION_ACTION__AP_SetObjects;
}

void server_subscription(struct extract *x, const ast_message *m)
{
    const PgQuery__CreateSubscriptionStmt *s = (const void *)m;
    plain(x, SQL_OBJECT_SUBSCRIPTION, SQL_CREATED, s->subname);
    const PgQuery__DefElem *connect = ast_option(s->n_options, s->options, "connect");
    const PgQuery__DefElem *slot = ast_option(s->n_options, s->options, "create_slot");
    const char *connects = ast_option_text(x->tmp, connect);
    const char *creates = ast_option_text(x->tmp, slot);
    x->out->from = !text_eq(connects, "false") && !text_eq(creates, "false");
}

void server_alter_subscription(struct extract *x, const ast_message *m)
{
    const PgQuery__AlterSubscriptionStmt *s = (const void *)m;
    plain(x, SQL_OBJECT_SUBSCRIPTION, SQL_TARGET, s->subname);
}

void server_drop_subscription(struct extract *x, const ast_message *m)
{
    const PgQuery__DropSubscriptionStmt *s = (const void *)m;
    plain(x, SQL_OBJECT_SUBSCRIPTION, SQL_TARGET, s->subname);
    x->out->kind = SQL_STMT_DROP;
    x->out->drops = true;
    x->out->if_exists = s->missing_ok;
}

void server_role(struct extract *x, const ast_message *m)
{
    const PgQuery__CreateRoleStmt *s = (const void *)m;
    plain(x, SQL_OBJECT_ROLE, SQL_CREATED, s->role);
    x->out->full = ast_option_on(s->n_options, s->options, "superuser");
}

void server_alter_role(struct extract *x, const ast_message *m)
{
    const PgQuery__AlterRoleStmt *a = AST_CAST(AlterRoleStmt, alter_role_stmt, m);
    const PgQuery__AlterRoleSetStmt *b = AST_CAST(AlterRoleSetStmt, alter_role_set_stmt, m);
    const char *name = extract_role(x->ctx, a ? a->role : b ? b->role : NULL);
    plain(x, SQL_OBJECT_ROLE, SQL_TARGET, name ? name : "all");
    x->out->full = a && ast_option_on(a->n_options, a->options, "superuser");
}

void server_drop_role(struct extract *x, const ast_message *m)
{
    const PgQuery__DropRoleStmt *s = (const void *)m;
    x->out->drops = true;
    x->out->object = SQL_OBJECT_ROLE;
    x->out->if_exists = s->missing_ok;
    for (size_t i = 0; i < s->n_roles; i++) {
        const PgQuery__RoleSpec *role = AST_CAST(RoleSpec, role_spec, ast_of(s->roles[i]));
        extract_object(x, SQL_OBJECT_ROLE, SQL_TARGET,
                       (struct sql_name){ NULL, extract_role(x->ctx, role) }, NULL);
    }
}

void server_create_database(struct extract *x, const ast_message *m)
{
    const PgQuery__CreatedbStmt *s = (const void *)m;
    plain(x, SQL_OBJECT_DATABASE, SQL_CREATED, s->dbname);
    x->out->text = "create";
}

void server_alter_database(struct extract *x, const ast_message *m)
{
    const PgQuery__AlterDatabaseStmt *s = (const void *)m;
    plain(x, SQL_OBJECT_DATABASE, SQL_TARGET, s->dbname);
    x->out->text = ast_option(s->n_options, s->options, "tablespace") ? "tablespace" : "alter";
}

void server_set_database(struct extract *x, const ast_message *m)
{
    const PgQuery__AlterDatabaseSetStmt *s = (const void *)m;
    plain(x, SQL_OBJECT_DATABASE, SQL_TARGET, s->dbname);
    x->out->text = "set";
    x->out->setting = s->setstmt ? ast_text(x->ctx, s->setstmt->name) : NULL;
}

void server_drop_database(struct extract *x, const ast_message *m)
{
    const PgQuery__DropdbStmt *s = (const void *)m;
    plain(x, SQL_OBJECT_DATABASE, SQL_TARGET, s->dbname);
    x->out->text = "drop";
    x->out->drops = true;
    x->out->if_exists = s->missing_ok;
}

void server_tablespace(struct extract *x, const ast_message *m)
{
    const PgQuery__CreateTableSpaceStmt *s =
        AST_CAST(CreateTableSpaceStmt, create_table_space_stmt, m);
    x->out->text = s ? "create" : "alter";
    plain(x, SQL_OBJECT_TABLESPACE, s ? SQL_CREATED : SQL_TARGET,
          s ? s->tablespacename
            : ((const PgQuery__AlterTableSpaceOptionsStmt *)(const void *)m)->tablespacename);
}

void server_drop_tablespace(struct extract *x, const ast_message *m)
{
    const PgQuery__DropTableSpaceStmt *s = (const void *)m;
    plain(x, SQL_OBJECT_TABLESPACE, SQL_TARGET, s->tablespacename);
    x->out->text = "drop";
    x->out->drops = true;
    x->out->if_exists = s->missing_ok;
}

void server_foreign(struct extract *x, const ast_message *m)
{
    const PgQuery__CreateForeignServerStmt *c =
        AST_CAST(CreateForeignServerStmt, create_foreign_server_stmt, m);
    const PgQuery__AlterForeignServerStmt *a =
        AST_CAST(AlterForeignServerStmt, alter_foreign_server_stmt, m);
    const PgQuery__ImportForeignSchemaStmt *i =
        AST_CAST(ImportForeignSchemaStmt, import_foreign_schema_stmt, m);
    plain(x, SQL_OBJECT_SERVER, c ? SQL_CREATED : SQL_TARGET,
          c   ? c->servername
          : a ? a->servername
          : i ? i->server_name
              : "");
    x->out->text = c ? "create server" : a ? "alter server" : i ? "import" : "wrapper";
}

void server_mapping(struct extract *x, const ast_message *m)
{
    const PgQuery__CreateUserMappingStmt *c =
        AST_CAST(CreateUserMappingStmt, create_user_mapping_stmt, m);
    plain(x, SQL_OBJECT_SERVER, SQL_TARGET, c ? c->servername : "");
    x->out->text = "user mapping";
}

void server_system(struct extract *x, const ast_message *m)
{
    const PgQuery__AlterSystemStmt *s = (const void *)m;
    x->out->setting = s->setstmt ? ast_text(x->ctx, s->setstmt->name) : NULL;
}

static void roles(struct extract *x, size_t n, PgQuery__Node *const *list)
{
    for (size_t i = 0; i < n; i++) {
        const PgQuery__RoleSpec *role = AST_CAST(RoleSpec, role_spec, ast_of(list[i]));
        extract_object(x, SQL_OBJECT_ROLE, SQL_TARGET,
                       (struct sql_name){ NULL, extract_role(x->ctx, role) }, NULL);
    }
}

void server_drop_owned(struct extract *x, const ast_message *m)
{
    const PgQuery__DropOwnedStmt *s = (const void *)m;
    roles(x, s->n_roles, s->roles);
    x->out->cascade = s->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
}

void server_reassign(struct extract *x, const ast_message *m)
{
    const PgQuery__ReassignOwnedStmt *s = (const void *)m;
    roles(x, s->n_roles, s->roles);
    x->out->new_name = extract_role(x->ctx, s->newrole);
}

void server_move_all(struct extract *x, const ast_message *m)
{
    const PgQuery__AlterTableMoveAllStmt *s = (const void *)m;
    plain(x, SQL_OBJECT_TABLESPACE, SQL_TARGET, s->orig_tablespacename);
    x->out->new_name = ast_text(x->ctx, s->new_tablespacename);
}
