/* The way back of actions of ALTER TABLE that no typed intent says. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/ddl/ddl.h"
#include "controller/family/retype.h"
#include "controller/work/around.h"

struct back_alter {
    const struct ddl *d;
    const struct sql_alter *alter;
    struct relation *relation; /* null: not known */
    struct column *column;     /* null: none, or not known */
    const struct constraint *constraint;
    const char *table;
    struct ddl_back *back;
};

static void column_down(const struct back_alter *b, const char *what)
{
    ddl_down(b->d, b->back, "ALTER TABLE %s ALTER COLUMN %s %s", b->table,
             ident(b->d->work, b->alter->column), what);
}

static void table_down(const struct back_alter *b, const char *what)
{
    ddl_down(b->d, b->back, "ALTER TABLE %s %s", b->table, what);
}

/* --- constraints ----------------------------------------------------------------------------- */

static void constraint_back(const struct back_alter *b)
{
    struct work *work = b->d->work;
    const struct constraint *c = b->constraint;
    const char *name = b->alter->name ? ident(work, b->alter->name) : NULL;
    switch (b->alter->kind) {
    case SQL_ALTER_ADD_CONSTRAINT:
        if (!name && b->relation) {
            name = ident(work, constraint_server_name(work, b->relation, b->alter->constraint->kind,
                                                      b->alter->constraint->columns.items,
                                                      b->alter->constraint->columns.count));
        }
        if (name) {
            table_down(b, say(work, "DROP CONSTRAINT %s", name));
        }
        break;
    case SQL_ALTER_DROP_CONSTRAINT:
        b->back->phase = PHASE_CONTRACT;
        if (c) {
            table_down(b, say(work, "ADD CONSTRAINT %s %s", name, c->definition));
        }
        break;
    case SQL_ALTER_VALIDATE_CONSTRAINT:
        if (c && !c->validated) {
            table_down(b, say(work, "DROP CONSTRAINT %s", name));
            table_down(b, say(work, "ADD CONSTRAINT %s %s", name, c->definition));
        } else if (c) {
            ddl_down(b->d, b->back, "SELECT 'nothing to undo: it was proven before'");
        }
        break;
    default:
        if (c) {
            table_down(b,
                       say(work, "ALTER CONSTRAINT %s %sDEFERRABLE%s", name,
                           c->deferrable ? "" : "NOT ", c->deferred ? " INITIALLY DEFERRED" : ""));
        }
        break;
    }
}

/* --- columns --------------------------------------------------------------------------------- */

/* What the type itself says; 15 has no word for it. */
static const char *usual_storage(const char *type)
{
    static const char *const plain[] = { "integer", "bigint",  "smallint",
                                         "boolean", "real",    "double precision",
                                         "date",    "uuid",    "timestamp",
                                         "time",    "interval" };
    for (size_t i = 0; i < sizeof plain / sizeof *plain && !strchr(type, '['); i++) {
        if (text_starts(type, plain[i])) {
            return "PLAIN";
        }
    }
    return text_starts(type, "numeric") && !strchr(type, '[') ? "MAIN" : "EXTENDED";
}

static const char *identity_sql(const struct back_alter *b)
{
    const struct target target = { .state = b->d->work->home,
                                   .relation = b->relation,
                                   .column = b->column };
    const struct sequence *q = retype_sequence(&target);
    return say(b->d->work, "ADD GENERATED %s AS IDENTITY%s",
               b->column->identity == 'a' ? "ALWAYS" : "BY DEFAULT",
               q ? say(b->d->work,
                       " (SEQUENCE NAME %s START WITH %lld INCREMENT BY %lld MINVALUE %lld "
                       "MAXVALUE %lld CACHE %lld)",
                       name_sql(b->d->work, q->schema, q->name), (long long)q->start,
                       (long long)q->increment, (long long)q->min, (long long)q->max,
                       (long long)q->cache)
                 : "");
}

static void generation_back(const struct back_alter *b)
{
    struct work *work = b->d->work;
    table_down(b, say(work, "DROP COLUMN %s", ident(work, b->column->name)));
    table_down(b, say(work, "ADD COLUMN %s %s GENERATED ALWAYS AS (%s) STORED%s",
                      ident(work, b->column->name), b->column->type, b->column->default_expr,
                      b->column->not_null ? " NOT NULL" : ""));
}

static void column_back(const struct back_alter *b)
{
    struct work *work = b->d->work;
    const struct column *c = b->column;
    switch (b->alter->kind) {
    case SQL_ALTER_SET_STATISTICS:
        column_down(b, say(work, "SET STATISTICS %d", c->statistics));
        break;
    case SQL_ALTER_SET_STORAGE:
        column_down(b,
                    say(work, "SET STORAGE %s", c->storage ? c->storage : usual_storage(c->type)));
        break;
    case SQL_ALTER_SET_COMPRESSION: column_down(b, "SET COMPRESSION default"); break;
    case SQL_ALTER_SET_DEFAULT:
    case SQL_ALTER_DROP_DEFAULT:
        column_down(b, c->default_expr ? say(work, "SET DEFAULT %s", c->default_expr)
                                       : "DROP DEFAULT");
        break;
    case SQL_ALTER_SET_NOT_NULL:
    case SQL_ALTER_DROP_NOT_NULL:
        column_down(b, c->not_null ? "SET NOT NULL" : "DROP NOT NULL");
        break;
    case SQL_ALTER_SET_TYPE:
        column_down(b, say(work, "TYPE %s%s USING %s::%s", c->type, collate(work, c->collation),
                           ident(work, c->name), c->type));
        break;
    case SQL_ALTER_ADD_IDENTITY: column_down(b, "DROP IDENTITY"); break;
    case SQL_ALTER_DROP_IDENTITY:
        b->back->phase = PHASE_CONTRACT;
        if (c->identity) {
            column_down(b, identity_sql(b));
        }
        break;
    case SQL_ALTER_SET_IDENTITY:
        column_down(b, c->identity == 'a' ? "SET GENERATED ALWAYS" : "SET GENERATED BY DEFAULT");
        break;
    case SQL_ALTER_DROP_EXPRESSION: generation_back(b); break;
    case SQL_ALTER_DROP_COLUMN: break; /* a family's matter; of a view there is none */
    default: break;
    }
}

/* --- tables ---------------------------------------------------------------------------------- */

static const char *value_before(const struct back_alter *b, const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; b->relation && i < b->relation->options.count; i++) {
        const char *option = b->relation->options.items[i];
        if (strncmp(option, name, length) == 0 && option[length] == '=') {
            return option + length + 1;
        }
    }
    return NULL;
}

/* "SET (a = 1, b = 2)", "RESET (a)": each name gets what it had. */
static void options_back(const struct back_alter *b, const char *head)
{
    struct work *work = b->d->work;
    const char *open = strchr(b->alter->options ? b->alter->options : "", '(');
    bool name_next = true;
    for (struct sql_piece p = sql_piece_next(work->ctx, open ? open + 1 : ""); p.length > 0;
         p = sql_piece_next(work->ctx, p.start + p.length)) {
        if (p.word && name_next) {
            const char *before = value_before(b, p.name);
            table_down(b, before ? say(work, "%sSET (%s = %s)", head, p.name, literal(work, before))
                                 : say(work, "%sRESET (%s)", head, p.name));
        }
        name_next = *p.start == ',' || (name_next && *p.start == '.');
    }
}

static void triggers_back(const struct back_alter *b)
{
    struct work *work = b->d->work;
    for (size_t i = 0; b->relation && i < b->relation->trigger_count; i++) {
        const struct trigger *t = &b->relation->triggers[i];
        if (b->alter->all || text_eq(t->name, b->alter->name)) {
            table_down(b, say(work, "%s TRIGGER %s",
                              t->enabled == 'D'   ? "DISABLE"
                              : t->enabled == 'R' ? "ENABLE REPLICA"
                              : t->enabled == 'A' ? "ENABLE ALWAYS"
                                                  : "ENABLE",
                              ident(work, t->name)));
        }
    }
    if (!b->back->down.count) {
        ddl_down(b->d, b->back, "SELECT 'nothing to undo: the table has no such trigger'");
    }
}

static void partition_back(const struct back_alter *b)
{
    struct work *work = b->d->work;
    const struct relation *other = ddl_relation(b->d, &b->alter->other);
    const char *name = ddl_name(b->d, &b->alter->other);
    if (b->alter->kind == SQL_ALTER_ATTACH_PARTITION) {
        table_down(b, say(work, "DETACH PARTITION %s", name));
    } else if (other && other->partition_bound) {
        b->back->phase = PHASE_CONTRACT;
        b->back->alone = b->alter->concurrently;
        table_down(b, say(work, "ATTACH PARTITION %s %s", name, other->partition_bound));
    }
}

static void security_back(const struct back_alter *b)
{
    bool force = strchr("fn", b->alter->state) != NULL;
    table_down(b, force ? (b->relation->force_row_security ? "FORCE ROW LEVEL SECURITY"
                                                           : "NO FORCE ROW LEVEL SECURITY")
                        : (b->relation->row_security ? "ENABLE ROW LEVEL SECURITY"
                                                     : "DISABLE ROW LEVEL SECURITY"));
}

static void table_back(const struct back_alter *b)
{
    struct work *work = b->d->work;
    const char *other = b->alter->other.name ? ddl_name(b->d, &b->alter->other) : "";
    switch (b->alter->kind) {
    case SQL_ALTER_ADD_COLUMN:
        table_down(b, say(work, "DROP COLUMN %s", ident(work, b->alter->definition->name)));
        break;
    case SQL_ALTER_OWNER:
        if (b->relation) {
            table_down(b, say(work, "OWNER TO %s", ident(work, b->relation->owner)));
        }
        break;
    case SQL_ALTER_CLUSTER_ON: table_down(b, "SET WITHOUT CLUSTER"); break;
    case SQL_ALTER_SET_LOGGED:
    case SQL_ALTER_SET_UNLOGGED:
        if (b->relation) {
            table_down(b, b->relation->persistence == 'u' ? "SET UNLOGGED" : "SET LOGGED");
        }
        break;
    case SQL_ALTER_SET_OPTIONS: options_back(b, ""); break;
    case SQL_ALTER_ENABLE_TRIGGER:
    case SQL_ALTER_DISABLE_TRIGGER: triggers_back(b); break;
    case SQL_ALTER_INHERIT: table_down(b, say(work, "NO INHERIT %s", other)); break;
    case SQL_ALTER_NO_INHERIT: table_down(b, say(work, "INHERIT %s", other)); break;
    case SQL_ALTER_REPLICA_IDENTITY:
        if (b->relation && b->relation->replica_identity != 'i') {
            table_down(b, b->relation->replica_identity == 'f'   ? "REPLICA IDENTITY FULL"
                          : b->relation->replica_identity == 'n' ? "REPLICA IDENTITY NOTHING"
                                                                 : "REPLICA IDENTITY DEFAULT");
        }
        break;
    case SQL_ALTER_ROW_SECURITY:
        if (b->relation) {
            security_back(b);
        }
        break;
    case SQL_ALTER_ATTACH_PARTITION:
    case SQL_ALTER_DETACH_PARTITION: partition_back(b); break;
    default: break;
    }
}

struct ddl_back ddl_back_alter(const struct ddl *d, const struct sql_alter *alter,
                               struct relation *relation)
{
    struct ddl_back back = { .phase = PHASE_EXPAND };
    struct back_alter b = { .d = d, .alter = alter, .relation = relation, .back = &back };
    b.table = ddl_name(d, &d->s->name);
    b.column = relation && alter->column ? relation_column(relation, alter->column) : NULL;
    b.constraint = relation && alter->name ? relation_constraint(relation, alter->name) : NULL;
    if (alter->kind >= SQL_ALTER_ADD_CONSTRAINT && alter->kind <= SQL_ALTER_DROP_CONSTRAINT) {
        constraint_back(&b);
    } else if (alter->kind == SQL_ALTER_SET_COLUMN_OPTIONS && alter->column) {
        options_back(&b, say(d->work, "ALTER COLUMN %s ", ident(d->work, alter->column)));
    } else if (b.column && alter->kind != SQL_ALTER_ADD_COLUMN) {
        column_back(&b);
    } else {
        table_back(&b);
    }
    return back;
}
