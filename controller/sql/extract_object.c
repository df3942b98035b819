/* DROP, RENAME, SET SCHEMA, OWNER, COMMENT, GRANT: statements that take any kind of object. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/sql/extract.h"
#include "controller/sql/extract_type.h"

#define NODE(name) PG_QUERY__NODE__NODE_##name

static bool hangs_on_table(enum sql_object_kind kind)
{
    return kind == SQL_OBJECT_TRIGGER || kind == SQL_OBJECT_POLICY || kind == SQL_OBJECT_RULE ||
           kind == SQL_OBJECT_CONSTRAINT || kind == SQL_OBJECT_COLUMN;
}

/* A list [schema, table, name]: the table in the result, the name in *sub. */
static struct sql_name on_table(struct extract *x, const PgQuery__Node *node, const char **sub)
{
    const PgQuery__List *list = AST_CAST(List, list, ast_of(node));
    if (!list || list->n_items < 2) {
        return (struct sql_name){ NULL, NULL };
    }
    *sub = ast_text(x->ctx, ast_string(list->items[list->n_items - 1]));
    return ast_names(x->ctx, list->n_items - 1, list->items);
}

static void drop(struct extract *x, const ast_message *m)
{
    const PgQuery__DropStmt *s = (const void *)m;
    struct statement *out = x->out;
    out->object = extract_kind(s->remove_type);
    out->drops = true;
    out->cascade = s->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
    out->if_exists = s->missing_ok;
    out->concurrently = s->concurrent;
    for (size_t i = 0; i < s->n_objects; i++) {
        const char *sub = NULL;
        struct sql_name name = hangs_on_table(out->object) ? on_table(x, s->objects[i], &sub)
                                                           : ast_name(x->ctx, s->objects[i]);
        extract_object(x, out->object, SQL_TARGET, name, sub);
        if (s->n_objects == 1) {
            out->name = name;
            out->sub_name = sub;
        }
    }
}

static void rename_object(struct extract *x, const ast_message *m)
{
    const PgQuery__RenameStmt *s = (const void *)m;
    enum sql_object_kind kind = extract_kind(s->rename_type);
    struct sql_name name =
        s->relation ? ast_range(x->ctx, s->relation) : ast_name(x->ctx, s->object);
    const char *sub = ast_text(x->ctx, s->subname);
    bool part = hangs_on_table(kind) || kind == SQL_OBJECT_ATTRIBUTE ||
                kind == SQL_OBJECT_DOMAIN_CONSTRAINT;
    if (!name.name && sub) { /* roles, databases, schemas carry it there */
        name.name = sub;
        sub = NULL;
    }
    extract_main(x, kind, SQL_TARGET, name);
    x->out->objects[0].column = part ? sub : NULL;
    x->out->sub_name = part ? sub : NULL;
    x->out->new_name = ast_text(x->ctx, s->newname);
    x->out->if_exists = s->missing_ok;
    x->out->cascade = s->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
}

static void set_schema(struct extract *x, const ast_message *m)
{
    const PgQuery__AlterObjectSchemaStmt *s = (const void *)m;
    extract_main(x, extract_kind(s->object_type), SQL_TARGET,
                 s->relation ? ast_range(x->ctx, s->relation) : ast_name(x->ctx, s->object));
    x->out->new_name = ast_text(x->ctx, s->newschema);
    x->out->if_exists = s->missing_ok;
}

static void owner(struct extract *x, const ast_message *m)
{
    const PgQuery__AlterOwnerStmt *s = (const void *)m;
    extract_main(x, extract_kind(s->object_type), SQL_TARGET,
                 s->relation ? ast_range(x->ctx, s->relation) : ast_name(x->ctx, s->object));
    x->out->new_name = extract_role(x->ctx, s->newowner);
}

static void comment(struct extract *x, const ast_message *m)
{
    const PgQuery__CommentStmt *s = (const void *)m;
    enum sql_object_kind kind = extract_kind(s->objtype);
    const char *sub = NULL;
    struct sql_name name =
        hangs_on_table(kind) ? on_table(x, s->object, &sub) : ast_name(x->ctx, s->object);
    extract_main(x, kind, SQL_TARGET, name);
    x->out->objects[0].column = sub;
    x->out->sub_name = sub;
    x->out->text = ast_text(x->ctx, s->comment);
}

static void privileges(struct extract *x, const PgQuery__GrantStmt *s)
{
    struct sql_grant *g = mem_new(x->ctx, struct sql_grant);
    for (size_t i = 0; i < s->n_privileges; i++) {
        const PgQuery__AccessPriv *p = AST_CAST(AccessPriv, access_priv, ast_of(s->privileges[i]));
        if (p && !text_empty(p->priv_name)) {
            sql_texts_add(x->ctx, &g->privileges, p->priv_name);
        }
    }
    for (size_t i = 0; i < s->n_grantees; i++) {
        const PgQuery__RoleSpec *role = AST_CAST(RoleSpec, role_spec, ast_of(s->grantees[i]));
        sql_texts_add(x->ctx, &g->grantees, extract_role(x->ctx, role));
    }
    g->all_in_schema = s->targtype == PG_QUERY__GRANT_TARGET_TYPE__ACL_TARGET_ALL_IN_SCHEMA;
    g->with_option = s->grant_option;
    x->out->grant = g;
    x->out->object = extract_kind(s->objtype);
}

static void grant(struct extract *x, const ast_message *m)
{
    const PgQuery__GrantStmt *s = (const void *)m;
    privileges(x, s);
    x->out->kind = s->is_grant ? SQL_STMT_GRANT : SQL_STMT_REVOKE;
    x->out->cascade = !s->is_grant && s->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
    for (size_t i = 0; i < s->n_objects; i++) {
        extract_object(x, x->out->grant->all_in_schema ? SQL_OBJECT_SCHEMA : x->out->object,
                       SQL_TARGET, ast_name(x->ctx, s->objects[i]), NULL);
    }
}

static void grant_role(struct extract *x, const ast_message *m)
{
    const PgQuery__GrantRoleStmt *s = (const void *)m;
    struct sql_grant *g = mem_new(x->ctx, struct sql_grant);
    g->roles = true;
    g->with_option = s->admin_opt;
    for (size_t i = 0; i < s->n_grantee_roles; i++) {
        const PgQuery__RoleSpec *role = AST_CAST(RoleSpec, role_spec, ast_of(s->grantee_roles[i]));
        sql_texts_add(x->ctx, &g->grantees, extract_role(x->ctx, role));
    }
    x->out->grant = g;
    x->out->object = SQL_OBJECT_ROLE;
    x->out->kind = s->is_grant ? SQL_STMT_GRANT : SQL_STMT_REVOKE;
    for (size_t i = 0; i < s->n_granted_roles; i++) {
        const PgQuery__AccessPriv *p =
            AST_CAST(AccessPriv, access_priv, ast_of(s->granted_roles[i]));
        extract_object(x, SQL_OBJECT_ROLE, SQL_TARGET,
                       (struct sql_name){ NULL, p ? ast_text(x->ctx, p->priv_name) : NULL }, NULL);
    }
}

static void default_privileges(struct extract *x, const ast_message *m)
{
    const PgQuery__AlterDefaultPrivilegesStmt *s = (const void *)m;
    if (s->action) {
        privileges(x, s->action);
    }
}

static const struct extract_entry entries[] = {
    [NODE(DROP_STMT)] = { SQL_STMT_DROP, drop },
    [NODE(RENAME_STMT)] = { SQL_STMT_RENAME, rename_object },
    [NODE(ALTER_OBJECT_SCHEMA_STMT)] = { SQL_STMT_SET_SCHEMA, set_schema },
    [NODE(ALTER_OWNER_STMT)] = { SQL_STMT_OWNER, owner },
    [NODE(COMMENT_STMT)] = { SQL_STMT_COMMENT, comment },
    [NODE(GRANT_STMT)] = { SQL_STMT_GRANT, grant },
    [NODE(GRANT_ROLE_STMT)] = { SQL_STMT_GRANT, grant_role },
    [NODE(ALTER_DEFAULT_PRIVILEGES_STMT)] = { SQL_STMT_DEFAULT_PRIVILEGES, default_privileges },
    [NODE(CREATE_ENUM_STMT)] = { SQL_STMT_CREATE_ENUM, type_enum },
    [NODE(COMPOSITE_TYPE_STMT)] = { SQL_STMT_CREATE_TYPE, type_composite },
    [NODE(CREATE_RANGE_STMT)] = { SQL_STMT_CREATE_TYPE, type_range },
    [NODE(DEFINE_STMT)] = { SQL_STMT_OTHER, type_define },
    [NODE(ALTER_ENUM_STMT)] = { SQL_STMT_ALTER_ENUM, type_alter_enum },
    [NODE(ALTER_TYPE_STMT)] = { SQL_STMT_ALTER_TYPE, type_alter },
    [NODE(CREATE_DOMAIN_STMT)] = { SQL_STMT_CREATE_DOMAIN, type_domain },
    [NODE(CREATE_SEQ_STMT)] = { SQL_STMT_CREATE_SEQUENCE, type_sequence },
    [NODE(ALTER_SEQ_STMT)] = { SQL_STMT_ALTER_SEQUENCE, type_alter_sequence },
    [NODE(CREATE_SCHEMA_STMT)] = { SQL_STMT_CREATE_SCHEMA, type_schema },
    [NODE(CREATE_EXTENSION_STMT)] = { SQL_STMT_CREATE_EXTENSION, type_extension },
    [NODE(ALTER_EXTENSION_STMT)] = { SQL_STMT_ALTER_EXTENSION, type_alter_extension },
    [NODE(CREATE_STATS_STMT)] = { SQL_STMT_CREATE_STATISTICS, type_statistics },
    [NODE(CREATE_PUBLICATION_STMT)] = { SQL_STMT_CREATE_PUBLICATION, server_publication },
    [NODE(ALTER_PUBLICATION_STMT)] = { SQL_STMT_ALTER_PUBLICATION, server_alter_publication },
    [NODE(CREATE_SUBSCRIPTION_STMT)] = { SQL_STMT_CREATE_SUBSCRIPTION, server_subscription },
    [NODE(ALTER_SUBSCRIPTION_STMT)] = { SQL_STMT_ALTER_SUBSCRIPTION, server_alter_subscription },
    [NODE(DROP_SUBSCRIPTION_STMT)] = { SQL_STMT_DROP, server_drop_subscription },
    [NODE(CREATE_ROLE_STMT)] = { SQL_STMT_ROLE, server_role },
    [NODE(ALTER_ROLE_STMT)] = { SQL_STMT_ROLE, server_alter_role },
    [NODE(ALTER_ROLE_SET_STMT)] = { SQL_STMT_ROLE, server_alter_role },
    [NODE(DROP_ROLE_STMT)] = { SQL_STMT_ROLE, server_drop_role },
    [NODE(CREATEDB_STMT)] = { SQL_STMT_DATABASE, server_create_database },
    [NODE(ALTER_DATABASE_STMT)] = { SQL_STMT_DATABASE, server_alter_database },
    [NODE(ALTER_DATABASE_SET_STMT)] = { SQL_STMT_DATABASE, server_set_database },
    [NODE(DROPDB_STMT)] = { SQL_STMT_DATABASE, server_drop_database },
    [NODE(CREATE_TABLE_SPACE_STMT)] = { SQL_STMT_TABLESPACE, server_tablespace },
    [NODE(ALTER_TABLE_SPACE_OPTIONS_STMT)] = { SQL_STMT_TABLESPACE, server_tablespace },
    [NODE(DROP_TABLE_SPACE_STMT)] = { SQL_STMT_TABLESPACE, server_drop_tablespace },
    [NODE(CREATE_FOREIGN_SERVER_STMT)] = { SQL_STMT_FOREIGN_DATA, server_foreign },
    [NODE(ALTER_FOREIGN_SERVER_STMT)] = { SQL_STMT_FOREIGN_DATA, server_foreign },
    [NODE(IMPORT_FOREIGN_SCHEMA_STMT)] = { SQL_STMT_FOREIGN_DATA, server_foreign },
    [NODE(CREATE_FDW_STMT)] = { SQL_STMT_FOREIGN_DATA, server_foreign },
    [NODE(CREATE_USER_MAPPING_STMT)] = { SQL_STMT_FOREIGN_DATA, server_mapping },
    [NODE(ALTER_USER_MAPPING_STMT)] = { SQL_STMT_FOREIGN_DATA, server_mapping },
    [NODE(DROP_USER_MAPPING_STMT)] = { SQL_STMT_FOREIGN_DATA, server_mapping },
    [NODE(ALTER_SYSTEM_STMT)] = { SQL_STMT_ALTER_SYSTEM, server_system },
    [NODE(DROP_OWNED_STMT)] = { SQL_STMT_DROP_OWNED, server_drop_owned },
    [NODE(REASSIGN_OWNED_STMT)] = { SQL_STMT_REASSIGN_OWNED, server_reassign },
    [NODE(ALTER_TABLE_MOVE_ALL_STMT)] = { SQL_STMT_MOVE_ALL, server_move_all },
};

const struct extract_entry *extract_object_entry(PgQuery__Node__NodeCase node)
{
    const struct extract_entry *e =
        (size_t)node < sizeof entries / sizeof *entries ? &entries[node] : NULL;
    return e && e->read ? e : NULL;
}
