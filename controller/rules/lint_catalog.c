/* What only the catalog knows: names taken, publications, rights, readers in other services. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"
#include "controller/rules/linting.h"
#include "controller/rules/rewrite.h"
#include "controller/world/schemas.h"

static bool is_relation(enum sql_object_kind kind)
{
    return kind >= SQL_OBJECT_TABLE && kind <= SQL_OBJECT_SEQUENCE;
}

/* An extension of the catalog; -1: it cannot be installed there, 0: it could, 1: it is. */
static int extension_state(const struct catalog *c, const char *name)
{
    for (size_t i = 0; i < c->extension_count; i++) {
        if (text_eq(c->extensions[i].name, name)) {
            return 1;
        }
    }
    for (size_t i = 0; i < c->available_extensions.count; i++) {
        if (text_eq(c->available_extensions.items[i], name)) {
            return 0;
        }
    }
    return c->available_extensions.count > 0 ? -1 : 0;
}

/* Something of that name, in the schema where the statement makes it, that is known to be there. */
static bool taken(struct linter *l, enum sql_object_kind kind, struct sql_name name)
{
    struct world_index *index;
    struct sql_name at = { name.schema ? name.schema : world_schema(l->world), name.name };
    const struct world_type *type;
    if (is_relation(kind)) {
        const struct world_table *t = world_find(l->world, at);
        return (t && (t->known || t->fresh)) || world_index(l->world, at, &index) != NULL;
    }
    switch (kind) {
    case SQL_OBJECT_TYPE:
    case SQL_OBJECT_DOMAIN:
        type = world_type(l->world, at);
        return type && text_eq(type->schema, at.schema);
    case SQL_OBJECT_SCHEMA: return world_schema_taken(l->world, name.name);
    default: return false;
    }
}

static void created(struct linter *l)
{
    const struct statement *s = l->s;
    if (s->if_not_exists || s->or_replace || s->temporary || l->nested) {
        return;
    }
    for (size_t i = 0; i < s->object_count; i++) {
        const struct sql_object *o = &s->objects[i];
        struct sql_name name = { o->schema, o->name };
        if (o->role == SQL_CREATED && !o->column && name.name && taken(l, o->kind, name)) {
            found(l, "name-collision", NULL, "there is a \"%s\" already", name.name);
        }
    }
}

static void renamed(struct linter *l)
{
    const struct statement *s = l->s;
    struct sql_name to = { s->name.schema, s->new_name };
    const struct world_table *t = world_find(l->world, s->name);
    if (s->object == SQL_OBJECT_COLUMN) {
        if (t && s->new_name && table_column(t, s->new_name)) {
            found(l, "name-collision", NULL, "\"%s\" has a column \"%s\" already", t->name,
                  s->new_name);
        }
    } else if (s->kind == SQL_STMT_RENAME && to.name && taken(l, s->object, to)) {
        found(l, "name-collision", NULL, "there is a \"%s\" already", to.name);
    }
}

static void altered(struct linter *l)
{
    const struct world_table *t = world_find(l->world, l->s->name);
    bool frees = false; /* a constraint of the statement makes room for one of the same name */
    for (size_t i = 0; t && i < l->s->alter_count; i++) {
        const struct sql_alter *a = &l->s->alters[i];
        frees = frees || a->kind == SQL_ALTER_DROP_CONSTRAINT || a->kind == SQL_ALTER_DROP_COLUMN;
        if (a->kind == SQL_ALTER_ADD_COLUMN && !a->if_not_exists && !l->nested && !frees &&
            table_column(t, a->definition->name)) {
            found(l, "name-collision", NULL, "\"%s\" has a column \"%s\" already", t->name,
                  a->definition->name);
        } else if (a->kind == SQL_ALTER_ADD_CONSTRAINT && a->constraint->name && !l->nested &&
                   !frees && table_constraint(t, a->constraint->name)) {
            found(l, "name-collision", NULL, "\"%s\" has a constraint \"%s\" already", t->name,
                  a->constraint->name);
        }
    }
}

static void index_created(struct linter *l)
{
    const struct sql_index *x = l->s->create_index;
    const struct world_table *t = world_find(l->world, x->table);
    struct sql_name name = { t ? t->schema : x->table.schema, x->name };
    struct world_index *old = NULL;
    const struct world_table *r;
    if (!x->name || x->if_not_exists || l->nested || !name.schema) {
        return;
    }
    r = world_find(l->world, name);
    if (world_index(l->world, name, &old) || (r && r->known)) {
        found(l, "name-collision", NULL, "there is a \"%s\" already", x->name);
    }
}

static void extension(struct linter *l)
{
    const struct catalog *c = world_catalog(l->world);
    int state = c ? extension_state(c, l->s->name.name) : 0;
    if (state < 0) {
        found(l, "extension-unavailable", NULL, "\"%s\" is not installed on this server's host",
              l->s->name.name);
    } else if (state > 0 && !l->s->if_not_exists) {
        found(l, "name-collision", NULL, "the extension \"%s\" is there already", l->s->name.name);
    }
}

/* Never one made up: these rules speak of what is known. */
static const struct world_table *known_old(struct linter *l, struct sql_name name)
{
    const struct world_table *t = world_find(l->world, name);
    return t && t->known && !t->fresh && !t->temporary ? t : NULL;
}

/* The first publication that sends the table; null: none. */
static const struct publication *published(struct linter *l, const struct world_table *t)
{
    SCOPE(tmp);
    const struct catalog *c = world_catalog(l->world);
    const char *key = t ? object_name_join(tmp, t->schema, t->name) : NULL;
    for (size_t i = 0; c && t && i < c->publication_count; i++) {
        const struct publication *p = &c->publications[i];
        for (size_t k = 0; k < p->tables.count; k++) {
            size_t n = strlen(key);
            const char *item = p->tables.items[k];
            if (strncmp(item, key, n) == 0 && (item[n] == '\0' || item[n] == '(')) {
                return p;
            }
        }
        if (p->all_tables && (t->kind == 'r' || t->kind == 'p')) {
            return p;
        }
    }
    return NULL;
}

/* What a subscriber has to do before or after this change; null: nothing. */
static const char *subscriber_order(const struct sql_alter *a)
{
    switch (a->kind) {
    case SQL_ALTER_ADD_COLUMN: return "subscribers stop until they have the column too";
    case SQL_ALTER_SET_TYPE: return "subscribers stop at the first value that does not fit theirs";
    case SQL_ALTER_DROP_COLUMN: return "subscribers keep the column, without new values";
    default: return NULL;
    }
}

static void publication_changed(struct linter *l)
{
    const struct statement *s = l->s;
    const struct world_table *t = known_old(l, s->name);
    const struct publication *p = t ? published(l, t) : NULL;
    if (!p) {
        return;
    }
    for (size_t i = 0; s->kind == SQL_STMT_ALTER_TABLE && i < s->alter_count; i++) {
        const char *order = subscriber_order(&s->alters[i]);
        if (order) {
            found(l, "published-table-change", NULL, "\"%s\" is in publication \"%s\": %s", t->name,
                  p->name, order);
        }
    }
    if (s->kind == SQL_STMT_RENAME || s->kind == SQL_STMT_SET_SCHEMA) {
        found(l, "published-table-change", NULL,
              "\"%s\" is in publication \"%s\": subscribers find tables and columns by name",
              t->name, p->name);
    }
}

/* Rows of the table can be told apart by those who follow its changes. */
static bool has_identity(const struct world_table *t)
{
    return t->replica_identity == 'f' || t->replica_identity == 'i' ||
           (t->replica_identity != 'n' && table_primary(t));
}

static void identity_checked(struct linter *l, const struct world_table *t, const char *where)
{
    if (t && t->known && (t->kind == 'r' || t->kind == 'p') && !has_identity(t)) {
        found(l, "replica-identity-missing", NULL,
              "\"%s\" has no replica identity%s: UPDATE and DELETE on it are refused", t->name,
              where);
    }
}

/* Tables that the statement publishes. */
static void identities_published(struct linter *l)
{
    const struct statement *s = l->s;
    for (size_t i = 0; i < s->object_count && !s->drops; i++) {
        struct sql_name name = { s->objects[i].schema, s->objects[i].name };
        if (s->objects[i].kind == SQL_OBJECT_TABLE) {
            identity_checked(l, world_find(l->world, name), " and is published here");
        }
    }
}

static void identities_written(struct linter *l)
{
    const struct sql_query *q = l->s->query;
    for (size_t i = 0; q && i < q->write_count; i++) {
        const struct sql_write *w = &q->writes[i];
        const struct world_table *t = w->kind != SQL_INSERT ? known_old(l, w->relation) : NULL;
        if (t && published(l, t)) {
            identity_checked(l, t, " and is published");
        }
    }
}

static void identity_lost(struct linter *l)
{
    const struct world_table *t = known_old(l, l->s->name);
    const struct world_constraint *k = t ? table_primary(t) : NULL;
    for (size_t i = 0; t && i < l->s->alter_count; i++) {
        const struct sql_alter *a = &l->s->alters[i];
        bool key = a->kind == SQL_ALTER_DROP_CONSTRAINT && k && text_eq(k->name, a->name) &&
                   t->replica_identity != 'f';
        bool none = a->kind == SQL_ALTER_REPLICA_IDENTITY && a->state == 'n';
        if ((key || none) && published(l, t)) {
            found(l, "replica-identity-missing", NULL,
                  "\"%s\" is published and loses its replica identity: UPDATE and DELETE on it are "
                  "refused",
                  t->name);
        }
    }
}

static void identities(struct linter *l)
{
    switch (l->s->kind) {
    case SQL_STMT_CREATE_PUBLICATION:
    case SQL_STMT_ALTER_PUBLICATION: identities_published(l); break;
    case SQL_STMT_ALTER_TABLE: identity_lost(l); break;
    default: identities_written(l); break;
    }
}

static const struct catalog_texts *rights_on(struct linter *l, const struct sql_object *o)
{
    const struct catalog *c = world_catalog(l->world);
    struct relation *r = c && is_relation(o->kind) ? catalog_relation(c, o->schema, o->name) : NULL;
    if (r) {
        return &r->acl;
    }
    for (size_t i = 0; c && i < c->function_count; i++) {
        const struct function *f = &c->functions[i];
        if (o->kind == SQL_OBJECT_FUNCTION && text_eq(f->name, o->name) &&
            (!o->schema || text_eq(f->schema, o->schema))) {
            return &f->acl;
        }
    }
    return NULL;
}

/* Dropped and made again: what was granted on the old one is gone. */
static void rights_lost(struct linter *l)
{
    for (size_t i = 0; l->s->kind == SQL_STMT_DROP && i < l->s->object_count; i++) {
        const struct sql_object *o = &l->s->objects[i];
        const struct catalog_texts *acl = rights_on(l, o);
        if (acl && acl->count > 1 &&
            made_later(l, o->kind, (struct sql_name){ o->schema, o->name })) {
            found(l, "privileges-lost", NULL,
                  "\"%s\" is made again further down, without what is granted on it now (%s%s)",
                  o->name, acl->items[1], acl->count > 2 ? ", …" : "");
        }
    }
}

static bool same_name(struct linter *l, const struct lint_outside *o, struct sql_name name)
{
    const struct world_table *t = world_find(l->world, name);
    const char *schema = t ? t->schema : name.schema ? name.schema : world_schema(l->world);
    return text_eq(o->name, name.name) && text_eq(o->schema, schema);
}

static void outside(struct linter *l, struct sql_name name, const char *column, const char *what)
{
    for (size_t i = 0; name.name && i < l->options->outside_count; i++) {
        const struct lint_outside *o = &l->options->outside[i];
        bool met = same_name(l, o, name) && (!column || !o->column || text_eq(o->column, column));
        if (met) {
            found(l, "dependents-elsewhere", NULL, "%s reads \"%s%s%s\", which %s here", o->reader,
                  name.name, o->column ? "." : "", o->column ? o->column : "", what);
        }
    }
}

/* Readers in other services do not see this database's errors. */
static void elsewhere(struct linter *l)
{
    const struct statement *s = l->s;
    switch (s->kind) {
    case SQL_STMT_DROP:
        for (size_t i = 0; i < s->object_count; i++) {
            struct sql_name name = { s->objects[i].schema, s->objects[i].name };
            if (is_relation(s->objects[i].kind) || s->objects[i].kind == SQL_OBJECT_FUNCTION) {
                outside(l, name, NULL, "is dropped");
            }
        }
        break;
    case SQL_STMT_RENAME:
        outside(l, s->name, s->object == SQL_OBJECT_COLUMN ? s->sub_name : NULL, "is renamed");
        break;
    case SQL_STMT_SET_SCHEMA: outside(l, s->name, NULL, "moves"); break;
    case SQL_STMT_ALTER_TABLE:
        for (size_t i = 0; i < s->alter_count; i++) {
            const struct sql_alter *a = &s->alters[i];
            if (a->kind == SQL_ALTER_DROP_COLUMN || a->kind == SQL_ALTER_SET_TYPE) {
                outside(l, s->name, a->column,
                        a->kind == SQL_ALTER_SET_TYPE ? "changes its type" : "is dropped");
            }
        }
        break;
    default: break;
    }
}

/* A foreign key goes away, with its column or table or alone: the other table is locked for
 * everybody (drop_fk, drop_table_fk_child, drop_col_fk). Null: any key of the table. */
static void parent_locked(struct linter *l, const struct world_table *t, const char *constraint,
                          const char *column)
{
    for (size_t i = 0; t && i < t->constraint_count; i++) {
        const struct world_constraint *k = &t->constraints[i];
        bool meant = (!constraint || text_eq(k->name, constraint)) &&
                     (!column || sql_texts_have(&k->columns, column));
        const struct world_table *ref = k->kind == 'f' ? known_old(l, k->ref) : NULL;
        if (meant && ref && ref != t) {
            found(l, "fk-parent-lock", rewrite_limited(l, "lock_timeout", "2s"),
                  "\"%s\" is locked for everybody too: the key \"%s\" refers to it", ref->name,
                  k->name ? k->name : "");
        }
    }
}

static void keys_dropped(struct linter *l)
{
    const struct statement *s = l->s;
    if (l->lock_timeout || l->local_lock_timeout) {
        return;
    }
    for (size_t i = 0; s->kind == SQL_STMT_DROP && i < s->object_count; i++) {
        struct sql_name name = { s->objects[i].schema, s->objects[i].name };
        if (s->objects[i].kind == SQL_OBJECT_TABLE) {
            parent_locked(l, known_old(l, name), NULL, NULL);
        }
    }
    for (size_t i = 0; s->kind == SQL_STMT_ALTER_TABLE && i < s->alter_count; i++) {
        const struct sql_alter *a = &s->alters[i];
        if (a->kind == SQL_ALTER_DROP_CONSTRAINT) {
            parent_locked(l, known_old(l, s->name), a->name, NULL);
        } else if (a->kind == SQL_ALTER_DROP_COLUMN) {
            parent_locked(l, known_old(l, s->name), NULL, a->column);
        }
    }
}

void lint_catalog(struct linter *l)
{
    switch (l->s->kind) {
    case SQL_STMT_CREATE_INDEX: index_created(l); break;
    case SQL_STMT_CREATE_EXTENSION: extension(l); break;
    case SQL_STMT_ALTER_TABLE: altered(l); break;
    case SQL_STMT_RENAME: renamed(l); break;
    default: created(l); break;
    }
    identities(l);
    publication_changed(l);
    rights_lost(l);
    keys_dropped(l);
    if (l->options->outside_count > 0) {
        elsewhere(l);
    }
}

/* At the end: policies on tables whose row security nobody switched on; new tables without a key
 * where everything is published. */
void lint_catalog_end(struct linter *l, const struct statement *s)
{
    const struct world_table *t = world_find(l->world, s->name);
    if (s->kind == SQL_STMT_CREATE_POLICY && t && t->known && !t->row_security) {
        found(l, "policy-inert",
              mem_printf(l->ctx, "ALTER TABLE %s ENABLE ROW LEVEL SECURITY;\n%s;",
                         sql_of(l->ctx, s->name), s->sql),
              "row security of \"%s\" is off: the policy does nothing", t->name);
    } else if (s->kind == SQL_STMT_CREATE_TABLE && t && t->fresh && published(l, t)) {
        identity_checked(l, t, " and is published with all tables");
    }
}
