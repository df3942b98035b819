/*
 * Values of an enum. A new one is instant; the way back makes the type anew without it, and every
 * column of the type with it: PostgreSQL cannot take a value out.
 */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/ddl/ddl.h"
#include "controller/work/around.h"

static bool has_label(const struct type *type, const char *label)
{
    return texts_have(&type->labels, label);
}

static void add_label(struct ddl *d, struct type *type)
{
    const struct statement *s = d->s;
    const char **labels = mem_array(d->work->ctx, const char *, type->labels.count + 1);
    size_t count = 0;
    bool placed = false;
    for (size_t i = 0; i < type->labels.count; i++) {
        bool here = text_eq(s->neighbour, type->labels.items[i]);
        if (here && !s->value_after) {
            labels[count++] = s->sub_name;
            placed = true;
        }
        labels[count++] = type->labels.items[i];
        if (here && s->value_after) {
            labels[count++] = s->sub_name;
            placed = true;
        }
    }
    if (!placed) {
        labels[count++] = s->sub_name;
    }
    type->labels = (struct catalog_texts){ labels, count };
}

static void rename_label(struct ddl *d, struct type *type)
{
    const char **labels = mem_array(d->work->ctx, const char *, type->labels.count);
    for (size_t i = 0; i < type->labels.count; i++) {
        labels[i] =
            text_eq(type->labels.items[i], d->s->sub_name) ? d->s->new_name : type->labels.items[i];
    }
    type->labels.items = labels;
}

static void rename_value(struct ddl *d, struct type *type)
{
    const struct statement *s = d->s;
    struct ddl_back back = { .phase = PHASE_CONTRACT };
    ddl_down(d, &back, "ALTER TYPE %s RENAME VALUE %s TO %s", ddl_name(d, &s->name),
             literal(d->work, s->new_name), literal(d->work, s->sub_name));
    ddl_raw(d, s->sql, &back);
    if (type) {
        rename_label(d, type);
    }
}

void ddl_enum(struct ddl *d)
{
    const struct statement *s = d->s;
    struct work *work = d->work;
    struct type *type = ddl_type(d, &s->name);
    struct ddl_back back = { .phase = PHASE_EXPAND, .alone = true };
    if (!type) {
        (void)ddl_refuse(d, "look at `flotilla inspect` for the types there are",
                         say(work, "there is no type %s", s->name.name));
        return;
    }
    if (!s->add_value) {
        rename_value(d, type);
        return;
    }
    if (has_label(type, s->sub_name)) {
        if (!s->if_not_exists) {
            (void)ddl_refuse(
                d, "leave it out",
                say(work, "type %s has the value %s already", type->name, s->sub_name));
        }
        return;
    }
    type_rebuild(work, work->home, type, &back.down, &back.why);
    ddl_raw(d,
            say(work, "ALTER TYPE %s ADD VALUE %s%s%s", name_sql(work, type->schema, type->name),
                literal(work, s->sub_name),
                !s->neighbour    ? ""
                : s->value_after ? " AFTER "
                                 : " BEFORE ",
                s->neighbour ? literal(work, s->neighbour) : ""),
            &back);
    add_label(d, type);
}
