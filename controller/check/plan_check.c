#include "controller/check/plan_check.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/check/checking.h"
#include "controller/rules/linting.h"

static enum answer evidence_ask(struct checking *c, const struct discharge *row,
                                const struct statement *s, const char **said)
{
    switch (row->by) {
#define X(id, name, word) \
    case EVIDENCE_##id: return evidence_##word(c, row->rule, s, said);
        EVIDENCE_KINDS(X)
#undef X
    case EVIDENCE_COUNT: break;
    }
    return ANSWER_NO;
}

/* Evidence about the step or the statement as a whole; the others look into a block. */
static bool is_of_whole(enum evidence by)
{
    return by == EVIDENCE_WAIT || by == EVIDENCE_BUDGET || by == EVIDENCE_BATCHES ||
           by == EVIDENCE_READ || by == EVIDENCE_KNOWN;
}

/* --- one rule at one statement --------------------------------------------------------------- */

static bool answered(struct checking *c, const struct discharge *row, const struct statement *s,
                     const char **said)
{
    const struct script *body = s->kind == SQL_STMT_DO && s->body ? s->body->script : NULL;
    bool any = false;
    if (!body || is_of_whole(row->by)) {
        return evidence_ask(c, row, s, said) == ANSWER_YES;
    }
    for (size_t i = 0; i < body->count; i++) {
        enum answer answer = evidence_ask(c, row, &body->statements[i], said);
        if (answer == ANSWER_NO) {
            return false;
        }
        any = any || answer == ANSWER_YES;
    }
    return any;
}

static const struct discharge *discharged(struct checking *c, const char *rule,
                                          const struct statement *s, const char **said)
{
    size_t count;
    const struct discharge *rows = discharges_all(&count);
    for (size_t i = 0; i < count; i++) {
        *said = NULL;
        if (text_eq(rows[i].rule, rule) && answered(c, &rows[i], s, said)) {
            return &rows[i];
        }
    }
    *said = NULL;
    return NULL;
}

static void met_add(struct checking *c, const struct step_met *met)
{
    c->out->items = mem_room(c->ctx, c->out->items, struct step_met, c->out->count + 1);
    c->out->items[c->out->count++] = *met;
}

static void findings_add(struct checking *c, const struct lint_statement *at)
{
    for (size_t i = 0; i < at->count; i++) {
        const struct finding *f = &at->findings[i];
        struct step_met met = {
            .step = c->step,
            .back = c->back,
            .rule = f->rule,
            .severity = f->severity,
            .message = f->message,
            .hint = f->hint,
            .rewrite_sql = f->rewrite_sql,
            .statement = at->statement->sql,
        };
        met.by = discharged(c, f->rule->id, at->statement, &met.proof);
        met_add(c, &met);
    }
}

/* The safe form of what a rule is about raises no finding; that it is the safe form is shown too.
 */
static void forms_add(struct checking *c, const struct lint_statement *at)
{
    static const enum evidence kinds[] = { EVIDENCE_CONCURRENT, EVIDENCE_PROVEN, EVIDENCE_LATER,
                                           EVIDENCE_EARLIER, EVIDENCE_BUILT };
    size_t count;
    const struct discharge *rows = discharges_all(&count);
    for (size_t i = 0; i < count; i++) {
        bool is_form = false;
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            is_form = is_form || rows[i].by == kinds[k];
        }
        struct step_met met = { .step = c->step,
                                .back = c->back,
                                .rule = rule_find(rows[i].rule),
                                .statement = at->statement->sql,
                                .by = &rows[i] };
        if (is_form && answered(c, &rows[i], at->statement, &met.proof)) {
            met.severity = met.rule->severity;
            met_add(c, &met);
        }
    }
}

/* --- one step -------------------------------------------------------------------------------- */

static const char *script_text(const void *ctx, const struct step_texts *list)
{
    struct text sql = text_init(ctx, TEXT_FILE);
    for (size_t i = 0; i < list->count; i++) {
        text_addf(&sql, "%s\n;\n", list->items[i]);
    }
    return sql.data;
}

static const struct step_texts *way(const struct step *step, bool back)
{
    return back ? &step->down : &step->up;
}

static const struct world_column *column_by_id(const struct world_table *t, unsigned id)
{
    for (size_t i = 0; i < t->column_count; i++) {
        if (t->columns[i].id == id) {
            return &t->columns[i];
        }
    }
    return NULL;
}

/* What a trigger reads of a column: a generated one has no value yet when it runs. */
static const char *source_of(const struct world_column *c)
{
    return c->generated && c->uses.count > 0 ? c->uses.items[0] : c->name;
}

static void pairs_begin(struct checking *c)
{
    for (size_t i = 0; i < c->pair_count; i++) {
        struct checked_pair *p = &c->pairs[i];
        const struct world_table *t = NULL;
        struct world_table *at;
        for (size_t k = 0; (at = world_at(c->mirror->world, k)); k++) {
            t = at->id == p->table && !at->gone ? at : t;
        }
        const struct world_column *a = t ? column_by_id(t, p->a) : NULL;
        const struct world_column *b = t ? column_by_id(t, p->b) : NULL;
        p->name_a = a ? a->name : NULL;
        p->name_b = b ? b->name : NULL;
        p->good = p->good && a && b && trail_synced(c->now, t, source_of(a), source_of(b));
    }
}

/* A proof counts from here on; one that was lost on the way does not come back without another. */
static void pair_add(struct checking *c, size_t facts)
{
    for (size_t i = facts; i < c->now->count; i++) {
        const struct trail_fact *f = &c->now->items[i];
        if (f->kind == TRAIL_EQUAL) {
            c->pairs = mem_room(c->ctx, c->pairs, struct checked_pair, c->pair_count + 1);
            c->pairs[c->pair_count++] = (struct checked_pair){
                .table = f->table, .a = f->column, .b = f->other, .step = c->step, .good = true
            };
        }
    }
}

static void hold_sum(struct checking *c)
{
    bool held = false;
    c->hold_ms = 0;
    c->sets_timeouts = false;
    for (size_t i = 0; i < c->script->count; i++) {
        const struct verdict *v = c->script->statements[i].verdict;
        const struct statement *s = c->script->statements[i].statement;
        for (size_t k = 0; k < v->lock_count; k++) {
            held = held || (!v->locks[k].fresh && v->locks[k].mode >= LOCK_SHARE);
        }
        bool unknown = v->ms < 0 || v->unknown;
        c->hold_ms = c->hold_ms < 0 || (held && unknown) ? -1 : c->hold_ms + (held ? v->ms : 0);
        c->sets_timeouts = c->sets_timeouts || (s->kind == SQL_STMT_SET && s->setting &&
                                                text_ends(s->setting, "_timeout"));
    }
}

static void mirrored(struct judge *judge, struct trail *trail, const struct statement *s)
{
    trail_before(trail, s);
    for (size_t i = 0; s->kind == SQL_STMT_DO && s->body->script && i < s->body->script->count;
         i++) {
        trail_before(trail, &s->body->script->statements[i]);
    }
    judge_follow(judge, s);
    trail_after(trail, s);
    for (size_t i = 0; s->kind == SQL_STMT_DO && s->body->script && i < s->body->script->count;
         i++) {
        trail_after(trail, &s->body->script->statements[i]);
    }
}

static bool step_check(struct checking *c, struct error *err)
{
    const struct step *step = checked_step(c);
    const struct lint_options options = { .catalog = c->options->catalog,
                                          .version = c->options->version };
    const char *sql = script_text(c->ctx, way(step, c->back));
    const char *back = script_text(c->ctx, way(step, !c->back));
    struct lint_result *result;
    struct script *other;
    judge_assume_transaction(c->judge, step->transaction);
    judge_assume_transaction(c->mirror, step->transaction);
    if (!lint_with(c->ctx, c->judge, sql, strlen(sql), &options, &result, err) ||
        !sql_parse(c->ctx, back, strlen(back), &other, err)) {
        return fail_in(err, "step %s", checked_id(c, c->step));
    }
    c->script = result;
    c->other = other;
    hold_sum(c);
    pairs_begin(c);
    for (c->index = 0; c->index < result->count; c->index++) {
        const struct lint_statement *at = &result->statements[c->index];
        trail_mention(c->now, at->statement);
        findings_add(c, at);
        forms_add(c, at);
        mirrored(c->mirror, c->now, at->statement);
    }
    size_t facts = c->now->count;
    if (!c->back) {
        trail_step(c->now, step);
        pair_add(c, facts);
    }
    return true;
}

/* --- the walk -------------------------------------------------------------------------------- */

typedef bool visit_fn(struct checking *c, struct error *err);

static void settle(struct checking *c)
{
    judge_settle(c->judge);
    judge_settle(c->mirror);
}

static bool walk(struct checking *c, visit_fn *visit, struct error *err)
{
    for (size_t i = 0; i < 2 * c->count; i++) {
        size_t before = c->step;
        c->back = i >= c->count;
        c->step = c->back ? 2 * c->count - 1 - i : i;
        c->now->step = c->step;
        c->now->back = c->back;
        if (i == c->count || (i > 0 && !steps_same_phase(&c->steps[before], &c->steps[c->step]))) {
            settle(c);
        }
        if (!visit(c, err)) {
            return false;
        }
        world_settle_remade(c->judge->world);
        world_settle_remade(c->mirror->world);
    }
    return true;
}

/* What will come: the same walk, without a look at the rules. */
static bool step_foresee(struct checking *c, struct error *err)
{
    const struct step *step = checked_step(c);
    const char *sql = script_text(c->ctx, way(step, c->back));
    struct script *script;
    if (!sql_parse(c->ctx, sql, strlen(sql), &script, err)) {
        return fail_in(err, "step %s", checked_id(c, c->step));
    }
    for (size_t i = 0; i < script->count; i++) {
        trail_mention(c->now, &script->statements[i]);
        mirrored(c->mirror, c->now, &script->statements[i]);
    }
    if (!c->back) {
        trail_step(c->now, step);
    }
    return true;
}

static void begin(struct checking *c)
{
    c->judge = judge_new(c->ctx, c->options->catalog, c->options->version);
    c->mirror = judge_new(c->ctx, c->options->catalog, c->options->version);
    judge_ask(c->judge, c->options->ask, c->options->ask_data);
    judge_ask(c->mirror, c->options->ask, c->options->ask_data);
    judge_assume_schema(c->judge, c->options->schema);
    judge_assume_schema(c->mirror, c->options->schema);
    c->now = trail_new(c->ctx, c->mirror->world);
}

bool steps_check(const void *ctx, const struct step *steps, size_t count,
                 const struct steps_options *options, struct steps_met **out, struct error *err)
{
    struct steps_met *met = mem_new(ctx, struct steps_met);
    struct checking c = {
        .ctx = met, .steps = steps, .count = count, .options = options, .out = met
    };
    begin(&c);
    if (!walk(&c, step_foresee, err)) {
        return false;
    }
    c.all = c.now;
    begin(&c);
    if (!walk(&c, step_check, err)) {
        return false;
    }
    *out = met;
    return true;
}
