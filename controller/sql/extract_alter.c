#include "controller/sql/extract_alter.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"

#define AT(name) PG_QUERY__ALTER_TABLE_TYPE__AT_##name

/* What a sub-command is, and for switches the state that it sets. */
static const struct {
    enum sql_alter_kind kind;
    char state;
    bool all;
} known[] = {
    [AT(AddColumn)] = { SQL_ALTER_ADD_COLUMN, 0, false },
    [AT(ColumnDefault)] = { SQL_ALTER_SET_DEFAULT, 0, false },
    [AT(DropNotNull)] = { SQL_ALTER_DROP_NOT_NULL, 0, false },
    [AT(SetNotNull)] = { SQL_ALTER_SET_NOT_NULL, 0, false },
    [AT(DropExpression)] = { SQL_ALTER_DROP_EXPRESSION, 0, false },
    [AT(SetStatistics)] = { SQL_ALTER_SET_STATISTICS, 0, false },
    [AT(SetOptions)] = { SQL_ALTER_SET_COLUMN_OPTIONS, 0, false },
    [AT(ResetOptions)] = { SQL_ALTER_SET_COLUMN_OPTIONS, 0, false },
    [AT(SetStorage)] = { SQL_ALTER_SET_STORAGE, 0, false },
    [AT(SetCompression)] = { SQL_ALTER_SET_COMPRESSION, 0, false },
    [AT(DropColumn)] = { SQL_ALTER_DROP_COLUMN, 0, false },
    [AT(AddConstraint)] = { SQL_ALTER_ADD_CONSTRAINT, 0, false },
    [AT(AddIndexConstraint)] = { SQL_ALTER_ADD_CONSTRAINT, 0, false },
    [AT(AlterConstraint)] = { SQL_ALTER_ALTER_CONSTRAINT, 0, false },
    [AT(ValidateConstraint)] = { SQL_ALTER_VALIDATE_CONSTRAINT, 0, false },
    [AT(DropConstraint)] = { SQL_ALTER_DROP_CONSTRAINT, 0, false },
    [AT(AlterColumnType)] = { SQL_ALTER_SET_TYPE, 0, false },
    [AT(AlterColumnGenericOptions)] = { SQL_ALTER_FOREIGN_OPTIONS, 0, false },
    [AT(ChangeOwner)] = { SQL_ALTER_OWNER, 0, false },
    [AT(ClusterOn)] = { SQL_ALTER_CLUSTER_ON, 0, false },
    [AT(DropCluster)] = { SQL_ALTER_CLUSTER_ON, 0, false },
    [AT(SetLogged)] = { SQL_ALTER_SET_LOGGED, 0, false },
    [AT(SetUnLogged)] = { SQL_ALTER_SET_UNLOGGED, 0, false },
    [AT(SetAccessMethod)] = { SQL_ALTER_SET_ACCESS_METHOD, 0, false },
    [AT(SetTableSpace)] = { SQL_ALTER_SET_TABLESPACE, 0, false },
    [AT(SetRelOptions)] = { SQL_ALTER_SET_OPTIONS, 0, false },
    [AT(ResetRelOptions)] = { SQL_ALTER_SET_OPTIONS, 0, false },
    [AT(ReplaceRelOptions)] = { SQL_ALTER_SET_OPTIONS, 0, false },
    [AT(EnableTrig)] = { SQL_ALTER_ENABLE_TRIGGER, 'e', false },
    [AT(EnableAlwaysTrig)] = { SQL_ALTER_ENABLE_TRIGGER, 'a', false },
    [AT(EnableReplicaTrig)] = { SQL_ALTER_ENABLE_TRIGGER, 'r', false },
    [AT(DisableTrig)] = { SQL_ALTER_DISABLE_TRIGGER, 'd', false },
    [AT(EnableTrigAll)] = { SQL_ALTER_ENABLE_TRIGGER, 'e', true },
    [AT(DisableTrigAll)] = { SQL_ALTER_DISABLE_TRIGGER, 'd', true },
    [AT(EnableTrigUser)] = { SQL_ALTER_ENABLE_TRIGGER, 'e', true },
    [AT(DisableTrigUser)] = { SQL_ALTER_DISABLE_TRIGGER, 'd', true },
    [AT(EnableRule)] = { SQL_ALTER_RULE_STATE, 'e', false },
    [AT(EnableAlwaysRule)] = { SQL_ALTER_RULE_STATE, 'a', false },
    [AT(EnableReplicaRule)] = { SQL_ALTER_RULE_STATE, 'r', false },
    [AT(DisableRule)] = { SQL_ALTER_RULE_STATE, 'd', false },
    [AT(AddInherit)] = { SQL_ALTER_INHERIT, 0, false },
    [AT(DropInherit)] = { SQL_ALTER_NO_INHERIT, 0, false },
    [AT(AddOf)] = { SQL_ALTER_OF_TYPE, 0, false },
    [AT(DropOf)] = { SQL_ALTER_OF_TYPE, 0, false },
    [AT(ReplicaIdentity)] = { SQL_ALTER_REPLICA_IDENTITY, 0, false },
    [AT(EnableRowSecurity)] = { SQL_ALTER_ROW_SECURITY, 'e', false },
    [AT(DisableRowSecurity)] = { SQL_ALTER_ROW_SECURITY, 'd', false },
    [AT(ForceRowSecurity)] = { SQL_ALTER_ROW_SECURITY, 'f', false },
    [AT(NoForceRowSecurity)] = { SQL_ALTER_ROW_SECURITY, 'n', false },
    [AT(GenericOptions)] = { SQL_ALTER_FOREIGN_OPTIONS, 0, false },
    [AT(AttachPartition)] = { SQL_ALTER_ATTACH_PARTITION, 0, false },
    [AT(DetachPartition)] = { SQL_ALTER_DETACH_PARTITION, 0, false },
    [AT(DetachPartitionFinalize)] = { SQL_ALTER_DETACH_PARTITION, 0, false },
    [AT(AddIdentity)] = { SQL_ALTER_ADD_IDENTITY, 0, false },
    [AT(SetIdentity)] = { SQL_ALTER_SET_IDENTITY, 0, false },
    [AT(DropIdentity)] = { SQL_ALTER_DROP_IDENTITY, 0, false },
};

static bool names_column(enum sql_alter_kind kind)
{
    switch (kind) {
    case SQL_ALTER_DROP_COLUMN:
    case SQL_ALTER_SET_DEFAULT:
    case SQL_ALTER_SET_NOT_NULL:
    case SQL_ALTER_DROP_NOT_NULL:
    case SQL_ALTER_SET_TYPE:
    case SQL_ALTER_DROP_EXPRESSION:
    case SQL_ALTER_ADD_IDENTITY:
    case SQL_ALTER_SET_IDENTITY:
    case SQL_ALTER_DROP_IDENTITY:
    case SQL_ALTER_SET_STATISTICS:
    case SQL_ALTER_SET_STORAGE:
    case SQL_ALTER_SET_COMPRESSION:
    case SQL_ALTER_SET_COLUMN_OPTIONS: return true;
    default: return false;
    }
}

static void set_type(struct extract *x, const PgQuery__ColumnDef *def, struct sql_alter *a,
                     size_t first, size_t last)
{
    const struct tokens *t = extract_tokens(x);
    struct sql_column column = { .name = a->column };
    size_t using = extract_find(t, first, last, "USING");
    extract_column(x, def, &column, first, using);
    a->type = column.type;
    a->type_text = column.type_text;
    a->collation = column.collation;
    if (def->raw_default) {
        a->expression = extract_expression_at(x, def->raw_default, using + 1, last);
    }
}

static void set_default(struct extract *x, const PgQuery__AlterTableCmd *cmd, struct sql_alter *a,
                        size_t first, size_t last)
{
    const struct tokens *t = extract_tokens(x);
    if (!cmd->def) {
        a->kind = SQL_ALTER_DROP_DEFAULT;
        return;
    }
    size_t at = extract_find(t, first, last, "SET DEFAULT") + 2;
    a->expression = extract_expression_at(x, cmd->def, at, last);
    if (at <= t->count &&
        sugar_find(x->sugar, SUGAR_EXPRESSION, t->items[first].start, t->items[at - 1].end)) {
        a->kind = SQL_ALTER_SET_EXPRESSION;
    }
}

static void add_column(struct extract *x, const PgQuery__ColumnDef *def, struct sql_alter *a,
                       size_t first, size_t last)
{
    a->definition = mem_new(x->ctx, struct sql_column);
    extract_column(x, def, a->definition, first, last);
    a->column = a->definition->name;
}

static void identity(struct extract *x, const PgQuery__AlterTableCmd *cmd, struct sql_alter *a)
{
    const PgQuery__Constraint *c = AST_CAST(Constraint, constraint, ast_of(cmd->def));
    const PgQuery__List *options = AST_CAST(List, list, ast_of(cmd->def));
    if (c && !text_empty(c->generated_when)) {
        a->identity = c->generated_when[0];
    }
    if (options) {
        const PgQuery__DefElem *always = ast_option(options->n_items, options->items, "generated");
        a->restart = ast_option(options->n_items, options->items, "restart") != NULL;
        const char *when = ast_option_text(x->tmp, always);
        a->identity = text_eq(when, "97") ? 'a' : text_eq(when, "100") ? 'd' : 0;
    }
}

static void partition(struct extract *x, const PgQuery__PartitionCmd *cmd, struct sql_alter *a)
{
    a->other = ast_range(x->ctx, cmd->name);
    a->concurrently = cmd->concurrent;
    extract_bound(x, cmd->bound, &a->bound, &a->is_default);
    extract_object(x, SQL_OBJECT_TABLE, SQL_REFERENCED, a->other, NULL);
}

static void replica_identity(struct extract *x, const PgQuery__Node *def, struct sql_alter *a)
{
    /* ReplicaIdentityStmt { identity_type, name } */
    if (def && def->node_case == PG_QUERY__NODE__NODE_REPLICA_IDENTITY_STMT) {
        const PgQuery__ReplicaIdentityStmt *s = def->replica_identity_stmt;
        a->state = text_empty(s->identity_type) ? 'd' : s->identity_type[0];
        a->name = ast_text(x->ctx, s->name);
    }
}

static void definition(struct extract *x, const PgQuery__AlterTableCmd *cmd, struct sql_alter *a,
                       size_t first, size_t last)
{
    const ast_message *def = ast_of(cmd->def);
    const PgQuery__ColumnDef *column = AST_CAST(ColumnDef, column_def, def);
    const PgQuery__Constraint *c = AST_CAST(Constraint, constraint, def);
    const PgQuery__PartitionCmd *part = AST_CAST(PartitionCmd, partition_cmd, def);
    switch (a->kind) {
    case SQL_ALTER_ADD_COLUMN: add_column(x, column, a, first, last); break;
    case SQL_ALTER_SET_TYPE: set_type(x, column, a, first, last); break;
    case SQL_ALTER_SET_DEFAULT: set_default(x, cmd, a, first, last); break;
    case SQL_ALTER_ADD_IDENTITY:
    case SQL_ALTER_SET_IDENTITY: identity(x, cmd, a); break;
    case SQL_ALTER_REPLICA_IDENTITY: replica_identity(x, cmd->def, a); break;
    case SQL_ALTER_OWNER: a->name = extract_role(x->ctx, cmd->newowner); break;
    case SQL_ALTER_INHERIT:
    case SQL_ALTER_NO_INHERIT:
        a->other = ast_name(x->ctx, cmd->def);
        extract_object(x, SQL_OBJECT_TABLE, SQL_REFERENCED, a->other, NULL);
        break;
    case SQL_ALTER_ADD_CONSTRAINT:
    case SQL_ALTER_ALTER_CONSTRAINT:
        a->constraint = mem_new(x->ctx, struct sql_constraint);
        extract_constraint(x, c, a->constraint, last);
        a->name = a->constraint->name;
        break;
    case SQL_ALTER_ATTACH_PARTITION:
    case SQL_ALTER_DETACH_PARTITION: partition(x, part, a); break;
    default: break;
    }
}

/* Columns that the sub-command is about, as mentions. */
static void mention(struct extract *x, const struct sql_alter *a)
{
    const struct sql_name table = x->out->name;
    bool created = a->kind == SQL_ALTER_ADD_COLUMN;
    if (a->column) {
        extract_object(x, SQL_OBJECT_COLUMN, created ? SQL_CREATED : SQL_TARGET, table, a->column);
    } else if (a->name && a->kind >= SQL_ALTER_ADD_CONSTRAINT &&
               a->kind <= SQL_ALTER_DROP_CONSTRAINT) {
        extract_object(x, SQL_OBJECT_CONSTRAINT,
                       a->kind == SQL_ALTER_ADD_CONSTRAINT ? SQL_CREATED : SQL_TARGET, table,
                       a->name);
    }
    const struct sql_texts *columns = a->constraint ? &a->constraint->columns : NULL;
    for (size_t i = 0; columns && i < columns->count; i++) {
        extract_object(x, SQL_OBJECT_COLUMN, SQL_REFERENCED, table, columns->items[i]);
    }
}

/* ADD CONSTRAINT n NOT NULL c [NOT VALID], which stood there before the rewriting. */
static void named_not_null(struct extract *x, struct sql_alter *a, size_t first, size_t last)
{
    const struct tokens *t = extract_tokens(x);
    size_t from = t->items[first].start, to = t->items[last - 1].end + 1;
    const struct sugar_mark *mark = sugar_find(x->sugar, SUGAR_NOT_NULL, from, to);
    if (!mark) {
        return;
    }
    a->kind = SQL_ALTER_ADD_CONSTRAINT;
    a->name = mem_text(x->ctx, mark->name);
    a->constraint = mem_new(x->ctx, struct sql_constraint);
    a->constraint->kind = 'n';
    a->constraint->name = a->name;
    a->constraint->not_valid = sugar_find(x->sugar, SUGAR_NOT_VALID, from, to) != NULL;
    sql_texts_add(x->ctx, &a->constraint->columns, a->column);
}

static void newer_grammar(struct extract *x, struct sql_alter *a, size_t first, size_t last)
{
    named_not_null(x, a, first, last);
    if (sugar_find(x->sugar, SUGAR_SPLIT_PARTITION, x->start, x->end + 1)) {
        a->kind = SQL_ALTER_SPLIT_PARTITION;
    }
    if (a->kind == SQL_ALTER_ALTER_CONSTRAINT && a->constraint) {
        a->state = sugar_find(x->sugar, SUGAR_ENFORCED, x->start, x->end + 1)       ? 'e'
                   : sugar_find(x->sugar, SUGAR_NOT_ENFORCED, x->start, x->end + 1) ? 'd'
                                                                                    : 0;
    }
}

static void kind_set(const PgQuery__AlterTableCmd *cmd, struct sql_alter *a)
{
    size_t type = (size_t)cmd->subtype;
    bool in_table = type < sizeof known / sizeof *known;
    a->kind = in_table ? known[type].kind : SQL_ALTER_OTHER;
    a->state = in_table ? known[type].state : 0;
    a->all = in_table && known[type].all;
    a->cascade = cmd->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
    a->if_exists = cmd->missing_ok && a->kind != SQL_ALTER_ADD_COLUMN;
    a->if_not_exists = cmd->missing_ok && a->kind == SQL_ALTER_ADD_COLUMN;
    a->finalize = cmd->subtype == AT(DetachPartitionFinalize);
}

static void command(struct extract *x, const PgQuery__AlterTableCmd *cmd, struct sql_alter *a,
                    size_t first, size_t last)
{
    const struct tokens *t = extract_tokens(x);
    kind_set(cmd, a);
    a->sql = tokens_text(x->ctx, t, first, last);
    if (names_column(a->kind) || a->kind == SQL_ALTER_FOREIGN_OPTIONS) {
        a->column = ast_text(x->ctx, cmd->name);
    } else {
        a->name = ast_text(x->ctx, cmd->name);
    }
    if (a->kind == SQL_ALTER_SET_OPTIONS || a->kind == SQL_ALTER_SET_COLUMN_OPTIONS ||
        a->kind == SQL_ALTER_FOREIGN_OPTIONS) {
        a->options = tokens_text(x->ctx, t, first, last);
    }
    definition(x, cmd, a, first, last);
    if (x->sugar && first < last) {
        newer_grammar(x, a, first, last);
    }
    mention(x, a);
}

static enum sql_object_kind altered_kind(const PgQuery__AlterTableStmt *s)
{
    enum sql_object_kind kind = extract_kind(s->objtype);
    return kind == SQL_OBJECT_OTHER ? SQL_OBJECT_TABLE : kind;
}

void extract_alter_table(struct extract *x, const ast_message *m)
{
    const PgQuery__AlterTableStmt *s = (const void *)m;
    const struct tokens *t = extract_tokens(x);
    size_t at = tokens_at(t, s->relation ? (size_t)s->relation->location : x->start) + 1;
    while (tokens_punct(t, at, '.')) {
        at += 2;
    }
    extract_main(x, altered_kind(s), SQL_TARGET, ast_range(x->ctx, s->relation));
    x->out->if_exists = s->missing_ok;
    x->out->only = s->relation && !s->relation->inh;
    x->out->alters = mem_array(x->ctx, struct sql_alter, s->n_cmds);
    x->out->alter_count = s->n_cmds;
    for (size_t i = 0; i < s->n_cmds; i++) {
        const PgQuery__AlterTableCmd *cmd =
            AST_CAST(AlterTableCmd, alter_table_cmd, ast_of(s->cmds[i]));
        size_t end = at;
        while (end < t->count && !tokens_punct(t, end, ',')) {
            end = tokens_punct(t, end, '(') || tokens_punct(t, end, '[') ? tokens_close(t, end)
                                                                         : end + 1;
        }
        if (cmd) {
            command(x, cmd, &x->out->alters[i], at < end ? at : end, end);
        }
        at = end + 1;
    }
    if (s->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_TYPE) {
        x->out->kind = SQL_STMT_ALTER_TYPE;
        for (size_t i = 0; i < s->n_cmds; i++) {
            x->out->alters[i].kind = SQL_ALTER_ATTRIBUTE;
        }
    }
}

void extract_alter_domain(struct extract *x, const ast_message *m)
{
    const PgQuery__AlterDomainStmt *s = (const void *)m;
    const struct tokens *t = extract_tokens(x);
    extract_main(x, SQL_OBJECT_DOMAIN, SQL_TARGET, ast_names(x->ctx, s->n_type_name, s->type_name));
    struct sql_alter *a = mem_new(x->ctx, struct sql_alter);
    const PgQuery__Constraint *c = AST_CAST(Constraint, constraint, ast_of(s->def));
    x->out->alters = a;
    x->out->alter_count = 1;
    a->name = ast_text(x->ctx, s->name);
    a->cascade = s->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
    a->if_exists = s->missing_ok;
    switch (text_empty(s->subtype) ? 0 : s->subtype[0]) {
    case 'T': a->kind = s->def ? SQL_ALTER_SET_DEFAULT : SQL_ALTER_DROP_DEFAULT; break;
    case 'N': a->kind = SQL_ALTER_DROP_NOT_NULL; break;
    case 'O': a->kind = SQL_ALTER_SET_NOT_NULL; break;
    case 'C': a->kind = SQL_ALTER_ADD_CONSTRAINT; break;
    case 'X': a->kind = SQL_ALTER_DROP_CONSTRAINT; break;
    case 'V': a->kind = SQL_ALTER_VALIDATE_CONSTRAINT; break;
    default: break;
    }
    if (c) {
        a->constraint = mem_new(x->ctx, struct sql_constraint);
        extract_constraint(x, c, a->constraint, t->count);
        a->name = a->constraint->name;
    } else if (s->def) {
        size_t at = extract_find(t, 0, t->count, "DEFAULT") + 1;
        a->expression = extract_expression_at(x, s->def, at, t->count);
    }
}
