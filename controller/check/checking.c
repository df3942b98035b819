#include "controller/check/checking.h"

#include <string.h>

#include "agents/base/mem.h"
#include "controller/sql/token.h"

bool steps_same_phase(const struct step *a, const struct step *b)
{
    size_t n = a->id ? strcspn(a->id, "/") : 0;
    return a->id && b->id && strncmp(a->id, b->id, n + 1) == 0;
}

const struct step *checked_step(const struct checking *c)
{
    return &c->steps[c->step];
}

const char *checked_id(const struct checking *c, size_t step)
{
    return c->steps[step].id ? c->steps[step].id : "";
}

struct world_table *checked_table(const struct checking *c, struct sql_name name)
{
    return name.name ? world_find(c->mirror->world, name) : NULL;
}

const struct relation *checked_before(const struct checking *c, struct sql_name name)
{
    const struct catalog *catalog = c->options->catalog;
    return catalog && name.name ? catalog_relation(catalog, name.schema, name.name) : NULL;
}

const struct trail_fact *checked_word(const struct checking *c)
{
    const struct trail_fact *f = trail_find(c->now, TRAIL_WORD, 0, 0);
    return f && !c->back && steps_same_phase(&c->steps[f->step], checked_step(c)) ? f : NULL;
}

const struct checked_pair *checked_pair(const struct checking *c, unsigned column)
{
    for (size_t i = c->pair_count; i-- > 0;) {
        const struct checked_pair *p = &c->pairs[i];
        if (p->good && (p->a == column || p->b == column)) {
            return p;
        }
    }
    return NULL;
}

const struct trail_fact *checked_dropped_later(const struct checking *c, unsigned column)
{
    for (size_t i = 0; i < c->all->count && !c->back; i++) {
        const struct trail_fact *f = &c->all->items[i];
        if (f->kind == TRAIL_DROPPED && !f->back && f->column == column && f->step > c->step) {
            return f;
        }
    }
    return NULL;
}

bool checked_same_text(const char *a, const char *b)
{
    SCOPE(tmp);
    struct tokens x = tokens_of(tmp, a, 0, strlen(a)), y = tokens_of(tmp, b, 0, strlen(b));
    size_t n = x.count && tokens_punct(&x, x.count - 1, ';') ? x.count - 1 : x.count;
    size_t m = y.count && tokens_punct(&y, y.count - 1, ';') ? y.count - 1 : y.count;
    bool same = n == m;
    for (size_t i = 0; i < n && same; i++) {
        size_t length = x.items[i].end - x.items[i].start;
        same = length == y.items[i].end - y.items[i].start &&
               memcmp(a + x.items[i].start, b + y.items[i].start, length) == 0;
    }
    return same;
}
