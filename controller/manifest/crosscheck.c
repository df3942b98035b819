#include <stdlib.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/manifest/reading.h"

void claim_add(struct reading *r, const struct yaml_node *node, const char *what)
{
    r->claims = mem_room(r->fleet, r->claims, struct claim, r->claim_count + 1);
    r->claims[r->claim_count++] = (struct claim){ node, what };
}

static void mention_check(struct reading *r, const struct mention *m)
{
    if (fleet_service(r->fleet, m->service))
        return;
    SCOPE(tmp);
    const struct fleet *fleet = r->fleet;
    size_t count = yaml_worth_searching(r->problems, fleet->service_count);
    const char **names = mem_array(tmp, const char *, count);
    for (size_t i = 0; i < count; i++)
        names[i] = fleet->services[i].name;
    const char *near = text_nearest(m->service, names, count);
    yaml_complain(r->problems, m->node, "there is no service \"%s\"%s%s%s",
                  text_printable(tmp, m->service), near ? ", did you mean \"" : " in this fleet",
                  near ? near : "", near ? "\"?" : "");
}

static int by_claim(const void *a, const void *b)
{
    const struct claim *x = a;
    const struct claim *y = b;
    int order = text_cmp(x->what, y->what);
    if (order)
        return order;
    return x->node->line != y->node->line ? x->node->line - y->node->line
                                          : x->node->column - y->node->column;
}

static void claims_check(struct reading *r)
{
    qsort(r->claims, r->claim_count, sizeof(*r->claims), by_claim);
    for (size_t i = 1; i < r->claim_count; i++) {
        const struct claim *a = &r->claims[i - 1];
        const struct claim *b = &r->claims[i];
        if (!text_eq(a->what, b->what))
            continue;
        SCOPE(tmp);
        yaml_complain(r->problems, b->node, "%s is already on line %d, correct one of them",
                      text_printable(tmp, b->what), a->node->line);
    }
}

void crosscheck(struct reading *r)
{
    /* Every miss searches the nearest name; past the limit nobody reads them anyway. */
    for (size_t i = 0; i < r->mention_count && r->problems->dropped == 0; i++)
        mention_check(r, &r->mentions[i]);
    if (r->claim_count > 1)
        claims_check(r);
}

static int by_text(const void *a, const void *b)
{
    const struct yaml_node *x = *(const struct yaml_node *const *)a;
    const struct yaml_node *y = *(const struct yaml_node *const *)b;
    int order = text_cmp(x->text, y->text);
    if (order)
        return order;
    return x->line != y->line ? x->line - y->line : x->column - y->column;
}

void words_unique(struct yaml_problems *problems, const struct yaml_node *list)
{
    if (!list || list->type != YAML_LIST || list->count < 2)
        return;
    SCOPE(tmp);
    const struct yaml_node **sorted = mem_array(tmp, const struct yaml_node *, list->count);
    size_t n = 0;
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i]->type == YAML_TEXT)
            sorted[n++] = list->items[i];
    qsort(sorted, n, sizeof(*sorted), by_text);
    for (size_t i = 1; i < n; i++)
        if (text_eq(sorted[i - 1]->text, sorted[i]->text))
            yaml_complain(problems, sorted[i], "\"%s\" is in the list twice, remove one",
                          text_printable(tmp, sorted[i]->text));
}
