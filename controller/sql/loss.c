#include "controller/sql/loss.h"

#include "agents/base/mem.h"

static void add(const void *ctx, struct sql_losses *list, struct sql_loss loss)
{
    list->items = mem_room(ctx, list->items, struct sql_loss, list->count + 1);
    list->items[list->count++] = loss;
}

/* What is left of an ALTER TABLE may narrow a type: that is not for a name to say. */
static void of_alter(const void *ctx, const struct statement *s, struct sql_losses *list)
{
    for (size_t i = 0; i < s->alter_count; i++) {
        const struct sql_alter *alter = &s->alters[i];
        if (alter->kind == SQL_ALTER_DROP_COLUMN) {
            add(ctx, list, (struct sql_loss){ .relation = s->name, .column = alter->column });
            list->complete = list->complete && !alter->cascade;
        }
        if (alter->kind == SQL_ALTER_SET_TYPE) {
            list->complete = false;
        }
    }
}

static void of_targets(const void *ctx, const struct statement *s, struct sql_losses *list)
{
    for (size_t i = 0; i < s->object_count; i++) {
        const struct sql_object *object = &s->objects[i];
        if (object->role == SQL_TARGET && object->kind == SQL_OBJECT_TABLE) {
            add(ctx, list,
                (struct sql_loss){ .relation = (struct sql_name){ object->schema, object->name } });
        }
    }
    list->complete = list->complete && !s->cascade;
}

struct sql_losses sql_losses_of(const void *ctx, const struct statement *s)
{
    struct sql_losses list = { .complete = !s->problem };
    if (s->kind == SQL_STMT_ALTER_TABLE) {
        of_alter(ctx, s, &list);
    }
    if ((s->kind == SQL_STMT_DROP && s->object == SQL_OBJECT_TABLE) ||
        s->kind == SQL_STMT_TRUNCATE) {
        of_targets(ctx, s, &list);
    }
    for (size_t i = 0; s->query && i < s->query->write_count; i++) {
        const struct sql_write *write = &s->query->writes[i];
        if (write->deletes) {
            add(ctx, &list, (struct sql_loss){ .relation = write->relation, .deletes = true });
        }
    }
    return list;
}
