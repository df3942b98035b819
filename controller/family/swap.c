#include "controller/family/swap.h"

#include "agents/base/text.h"

/* An action and its opposite; either may be null. */
void swap_act(struct swap *s, const char *up, const char *down)
{
    if (up) {
        step_texts_add(s->work->ctx, &s->ups, up);
    }
    if (down) {
        step_texts_add(s->work->ctx, &s->downs, down);
    }
}

const char *swap_alter(const struct swap *s, const struct relation *relation, const char *what)
{
    return say(s->work, "ALTER TABLE %s %s", relation_sql(s->work, relation), what);
}

const char *swap_column(const struct swap *s, const struct relation *relation, const char *column,
                        const char *what)
{
    return swap_alter(s, relation,
                      say(s->work, "ALTER COLUMN %s %s", ident(s->work, column), what));
}

const char *swap_rename_column(const struct swap *s, const struct relation *relation,
                               const char *from, const char *to)
{
    return swap_alter(
        s, relation,
        say(s->work, "RENAME COLUMN %s TO %s", ident(s->work, from), ident(s->work, to)));
}

const char *swap_rename_constraint(const struct swap *s, const struct relation *relation,
                                   const char *from, const char *to)
{
    return swap_alter(
        s, relation,
        say(s->work, "RENAME CONSTRAINT %s TO %s", ident(s->work, from), ident(s->work, to)));
}

const char *swap_add_constraint(const struct swap *s, const struct relation *relation,
                                const char *name, const char *definition)
{
    return swap_alter(s, relation,
                      say(s->work, "ADD CONSTRAINT %s %s", ident(s->work, name), definition));
}

const char *swap_drop_constraint(const struct swap *s, const struct relation *relation,
                                 const char *name)
{
    return swap_alter(s, relation, say(s->work, "DROP CONSTRAINT %s", ident(s->work, name)));
}
