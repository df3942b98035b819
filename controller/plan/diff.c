#include <stdlib.h>
#include <string.h>

#include "agents/base/digest.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/plan/private.h"

struct comparing {
    const void *ctx;
    struct plan_diff *out;
    enum phase phase;
    const char *service;
    bool drops_approvals;
};

/* Adds a difference with what all of the part's have in common. */
static void add(struct comparing *c, struct plan_difference difference)
{
    struct plan_diff *d = c->out;
    difference.phase = c->phase;
    difference.service = c->service;
    difference.drops_approvals = c->drops_approvals;
    difference.step = mem_text(c->ctx, difference.step);
    difference.field = mem_text(c->ctx, difference.field);
    d->items = mem_room(c->ctx, d->items, struct plan_difference, d->count + 1);
    d->items[d->count++] = difference;
}

static void add_changed(struct comparing *c, const char *step, const char *field,
                        const char *before, const char *after)
{
    add(c,
        (struct plan_difference){
            .kind = PLAN_CHANGED, .step = step, .field = field, .before = before, .after = after });
}

static void add_new(struct comparing *c, const char *step, const char *what)
{
    add(c, (struct plan_difference){
               .kind = PLAN_ADDED, .step = step, .after = mem_text(c->ctx, what ? what : "") });
}

static void add_gone(struct comparing *c, const char *step, const char *what)
{
    add(c, (struct plan_difference){
               .kind = PLAN_REMOVED, .step = step, .before = mem_text(c->ctx, what ? what : "") });
}

/* A value as people compare it: texts as they are, lists of texts line by line. */
static const char *shown(const void *ctx, const json_t *value)
{
    if (!value)
        return NULL;
    if (json_is_string(value))
        return mem_text(ctx, json_string_value(value));
    if (!json_is_array(value))
        return json_compact(ctx, value);
    struct text t = text_init(ctx, TEXT_FILE);
    size_t i;
    json_t *item;
    json_array_foreach(value, i, item) {
        SCOPE(tmp);
        text_addf(&t, "%s%s", i ? "\n" : "", shown(tmp, item));
    }
    return t.data;
}

static void fields_compare(struct comparing *c, const char *step, json_t *a, json_t *b)
{
    const char *key;
    json_t *value;
    json_object_foreach(a, key, value) {
        json_t *other = json_object_get(b, key);
        if (!other || !json_equal(value, other))
            add_changed(c, step, key, shown(c->ctx, value), shown(c->ctx, other));
    }
    json_object_foreach(b, key, value)
        if (!json_object_get(a, key))
            add_changed(c, step, key, NULL, shown(c->ctx, value));
}

/* --- steps ----------------------------------------------------------------------------------- */

struct side {
    const struct part *part;
    const char **prints; /* what each step does, without its id */
};

static struct side side_of(const void *ctx, const struct part *part)
{
    struct side side = { part, mem_array(ctx, const char *, part->step_count) };
    for (size_t i = 0; i < part->step_count; i++) {
        json_auto_t *json = step_signed_json(&part->steps[i]);
        json_object_del(json, "id");
        side.prints[i] = digest_text(ctx, json_compact(ctx, json));
    }
    return side;
}

static json_t *step_json(const void *ctx, const struct step *step)
{
    json_t *json = json_own(ctx, step_to_json(step));
    json_object_del(json, "id");
    return json;
}

/* Longest common subsequence of the prints: length[i][j] for the steps from i and j on. Parts have
 * tens of steps; beyond the cap steps are compared by position. */
enum { LCS_MOST = 2000 };

static bool pairs(const struct side *a, const struct side *b, size_t i, size_t j)
{
    return i < a->part->step_count && j < b->part->step_count &&
           text_eq(a->prints[i], b->prints[j]);
}

static unsigned *lengths_of(const void *ctx, const struct side *a, const struct side *b)
{
    size_t n = a->part->step_count;
    size_t m = b->part->step_count;
    if (n > LCS_MOST || m > LCS_MOST)
        return NULL;
    unsigned *length = mem_array(ctx, unsigned, (n + 1) * (m + 1));
    for (size_t i = n; i-- > 0;)
        for (size_t j = m; j-- > 0;) {
            unsigned down = length[(i + 1) * (m + 1) + j];
            unsigned right = length[i * (m + 1) + j + 1];
            unsigned both = length[(i + 1) * (m + 1) + j + 1] + 1;
            length[i * (m + 1) + j] = pairs(a, b, i, j) ? both : down > right ? down : right;
        }
    return length;
}

static void step_compare(struct comparing *c, const struct step *a, const struct step *b)
{
    SCOPE(tmp);
    fields_compare(c, b->id, step_json(tmp, a), step_json(tmp, b));
}

/* Steps between two that are the same on both sides: pairwise changed, the rest added or removed.
 */
static void run_compare(struct comparing *c, const struct side *a, size_t n, const struct side *b,
                        size_t m)
{
    for (size_t k = 0; k < n || k < m; k++) {
        const struct step *x = k < n ? a->part->steps + k : NULL;
        const struct step *y = k < m ? b->part->steps + k : NULL;
        if (x && y)
            step_compare(c, x, y);
        else if (x)
            add_gone(c, x->id, x->what);
        else
            add_new(c, y->id, y->what);
    }
}

static void steps_compare(struct comparing *c, const struct part *x, const struct part *y)
{
    SCOPE(tmp);
    struct side a = side_of(tmp, x);
    struct side b = side_of(tmp, y);
    const unsigned *length = lengths_of(tmp, &a, &b);
    size_t m = y->step_count;
    size_t i = 0, j = 0;
    while (i < x->step_count || j < m) {
        size_t from_i = i, from_j = j;
        while ((i < x->step_count || j < m) && !pairs(&a, &b, i, j)) {
            bool skip_a =
                j >= m || (i < x->step_count && (!length || length[(i + 1) * (m + 1) + j] >=
                                                                length[i * (m + 1) + j + 1]));
            bool both = !length && i < x->step_count && j < m;
            i += skip_a;
            j += !skip_a || both;
        }
        struct part left = { .steps = x->steps + from_i };
        struct part right = { .steps = y->steps + from_j };
        run_compare(c, &(struct side){ &left, NULL }, i - from_i, &(struct side){ &right, NULL },
                    j - from_j);
        for (; pairs(&a, &b, i, j); i++, j++)
            step_compare(c, &x->steps[i], &y->steps[j]);
    }
}

/* --- parts ----------------------------------------------------------------------------------- */

static json_t *frame_json(const void *ctx, const struct part *part)
{
    json_t *json = json_own(ctx, part_to_json(part, false));
    json_object_del(json, "steps");
    json_object_del(json, "digest");
    json_object_del(json, "service");
    return json;
}

static const char *step_count_text(const void *ctx, const struct part *part)
{
    return mem_printf(ctx, "%zu step%s", part->step_count, part->step_count == 1 ? "" : "s");
}

static void part_compare(struct comparing *c, const struct part *a, const struct part *b)
{
    SCOPE(tmp);
    c->drops_approvals = !a || !b || !text_eq(a->digest, b->digest);
    if (!a)
        add_new(c, NULL, step_count_text(c->ctx, b));
    else if (!b)
        add_gone(c, NULL, step_count_text(c->ctx, a));
    if (!a || !b)
        return;
    fields_compare(c, NULL, frame_json(tmp, a), frame_json(tmp, b));
    steps_compare(c, a, b);
}

static int by_text(const void *a, const void *b)
{
    return text_cmp(*(const char *const *)a, *(const char *const *)b);
}

void plan_diff(const void *ctx, const struct plan *a, const struct plan *b, struct plan_diff *out)
{
    *out = (struct plan_diff){ 0 };
    for (int p = 0; p < PHASE_COUNT; p++) {
        SCOPE(tmp);
        size_t count = 0;
        const char **names = mem_array(tmp, const char *, a->phases[p].count + b->phases[p].count);
        for (size_t i = 0; i < a->phases[p].count; i++)
            names[count++] = a->phases[p].parts[i]->service;
        for (size_t i = 0; i < b->phases[p].count; i++)
            if (!plan_part(a, (enum phase)p, b->phases[p].parts[i]->service))
                names[count++] = b->phases[p].parts[i]->service;
        qsort(names, count, sizeof(*names), by_text);
        for (size_t i = 0; i < count; i++) {
            struct comparing c = { .ctx = ctx, .out = out, .phase = (enum phase)p };
            c.service = mem_text(ctx, names[i]);
            part_compare(&c, plan_part(a, (enum phase)p, names[i]),
                         plan_part(b, (enum phase)p, names[i]));
        }
    }
}
