/* Views, foreign keys, and what hangs on tables. */
#include <string.h>

#include "agents/agent/clone_list.h"
#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"

static const char *without_end(const void *ctx, const char *sql)
{
    size_t n = strlen(sql);
    while (n > 0 && (sql[n - 1] == ';' || sql[n - 1] == '\n' || sql[n - 1] == ' '))
        n--;
    return mem_textn(ctx, sql, n);
}

void clone_views(struct clone_list *list)
{
    const struct catalog *c = list->catalog;
    for (size_t i = 0; i < c->relation_count; i++) {
        const struct relation *r = &c->relations[i];
        if (!list->chosen[i] || (r->kind != 'v' && r->kind != 'm') || !r->definition)
            continue;
        const char *name = object_name_sql(list, r->schema, r->name);
        struct text with = text_init(list, TEXT_SQL);
        for (size_t k = 0; k < r->options.count; k++)
            text_addf(&with, "%s%s", k ? ", " : " WITH (", r->options.items[k]);
        text_add(&with, r->options.count ? ")" : "");
        clone_add(list, true, name, "CREATE %sVIEW %s%s AS %s",
                  r->kind == 'm' ? "MATERIALIZED " : "", name, with.data,
                  without_end(list, r->definition));
        for (size_t k = 0; k < r->index_count; k++)
            clone_add(list, true, r->indexes[k].name, "%s", r->indexes[k].definition);
    }
}

static const char *roles_sql(const void *ctx, const struct catalog_texts *roles)
{
    struct text t = text_init(ctx, TEXT_SQL);
    for (size_t i = 0; i < roles->count; i++) {
        bool everybody = text_eq(roles->items[i], "public") || text_eq(roles->items[i], "PUBLIC");
        text_addf(&t, "%s%s", i ? ", " : "",
                  everybody ? "PUBLIC" : text_quote_ident(ctx, roles->items[i]));
    }
    return t.len ? t.data : "PUBLIC";
}

static const char *command_sql(char command)
{
    switch (command) {
    case 'r': return "SELECT";
    case 'a': return "INSERT";
    case 'w': return "UPDATE";
    case 'd': return "DELETE";
    default: return "ALL";
    }
}

static void policies_add(struct clone_list *list, const struct relation *r, const char *name)
{
    for (size_t i = 0; i < r->policy_count; i++) {
        const struct policy *p = &r->policies[i];
        clone_add(list, true, mem_printf(list, "policy %s of %s", p->name, name),
                  "CREATE POLICY %s ON %s AS %s FOR %s TO %s%s%s%s%s%s%s",
                  text_quote_ident(list, p->name), name,
                  p->permissive ? "PERMISSIVE" : "RESTRICTIVE", command_sql(p->command),
                  roles_sql(list, &p->roles), p->using_expr ? " USING (" : "",
                  p->using_expr ? p->using_expr : "", p->using_expr ? ")" : "",
                  p->check_expr ? " WITH CHECK (" : "", p->check_expr ? p->check_expr : "",
                  p->check_expr ? ")" : "");
    }
    if (r->row_security)
        clone_add(list, true, name, "ALTER TABLE %s ENABLE ROW LEVEL SECURITY", name);
    if (r->force_row_security)
        clone_add(list, true, name, "ALTER TABLE %s FORCE ROW LEVEL SECURITY", name);
}

static void trigger_add(struct clone_list *list, const struct trigger *t, const char *name)
{
    const char *object = mem_printf(list, "trigger %s of %s", t->name, name);
    const char *state = t->enabled == 'D'   ? "DISABLE"
                        : t->enabled == 'R' ? "ENABLE REPLICA"
                        : t->enabled == 'A' ? "ENABLE ALWAYS"
                                            : NULL;
    clone_add(list, true, object, "%s", t->definition);
    if (state)
        clone_add(list, true, object, "ALTER TABLE %s %s TRIGGER %s", name, state,
                  text_quote_ident(list, t->name));
}

static void columns_tune(struct clone_list *list, const struct relation *r, const char *name)
{
    for (size_t i = 0; i < r->column_count; i++) {
        const struct column *c = &r->columns[i];
        const char *column = text_quote_ident(list, c->name);
        if (c->storage)
            clone_add(list, false, name, "ALTER TABLE %s ALTER COLUMN %s SET STORAGE %s", name,
                      column, c->storage);
        if (c->compression)
            clone_add(list, false, name, "ALTER TABLE %s ALTER COLUMN %s SET COMPRESSION %s", name,
                      column, c->compression);
        if (c->attributes)
            clone_add(list, false, name, "ALTER TABLE %s ALTER COLUMN %s SET (%s)", name, column,
                      c->attributes);
        if (c->statistics >= 0)
            clone_add(list, false, name, "ALTER TABLE %s ALTER COLUMN %s SET STATISTICS %d", name,
                      column, c->statistics);
    }
}

static void hangers_add(struct clone_list *list, const struct relation *r)
{
    const char *name = object_name_sql(list, r->schema, r->name);
    /* A rollout that is under way has triggers of its own there; its functions are not cloned. */
    for (size_t i = 0; i < r->trigger_count; i++)
        if (!text_starts(r->triggers[i].function, "flotilla."))
            trigger_add(list, &r->triggers[i], name);
    policies_add(list, r, name);
    for (size_t i = 0; i < r->rules.count; i++)
        clone_add(list, true, mem_printf(list, "rule of %s", name), "%s", r->rules.items[i]);
    for (size_t i = 0; i < r->statistics.count; i++)
        clone_add(list, false, mem_printf(list, "statistics of %s", name), "%s",
                  r->statistics.items[i]);
    if (strchr("rp", r->kind) && strchr("fn", r->replica_identity))
        clone_add(list, false, name, "ALTER TABLE %s REPLICA IDENTITY %s", name,
                  r->replica_identity == 'f' ? "FULL" : "NOTHING");
    if (r->kind == 'r' || r->kind == 'p')
        columns_tune(list, r, name);
}

/* A partition has its parent's keys after it was attached: those are there already. */
static void foreign_keys_add(struct clone_list *list, const struct relation *r)
{
    const char *name = object_name_sql(list, r->schema, r->name);
    for (size_t i = 0; i < r->constraint_count; i++) {
        const struct constraint *k = &r->constraints[i];
        if (k->kind == 'f' && !k->inherited)
            clone_add(list, true, mem_printf(list, "constraint %s of %s", k->name, name),
                      "ALTER TABLE %s ADD CONSTRAINT %s %s", name, text_quote_ident(list, k->name),
                      k->definition);
    }
}

void clone_references(struct clone_list *list)
{
    const struct catalog *c = list->catalog;
    for (size_t i = 0; i < c->relation_count; i++)
        if (list->chosen[i] && !text_eq(c->relations[i].schema, "flotilla"))
            foreign_keys_add(list, &c->relations[i]);
    for (size_t i = 0; i < c->relation_count; i++)
        if (list->chosen[i] && !text_eq(c->relations[i].schema, "flotilla"))
            hangers_add(list, &c->relations[i]);
}
