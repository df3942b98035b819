#include "controller/desk/plan_recheck.h"

#include <stdarg.h>
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"
#include "controller/check/plan_check.h"
#include "controller/desk/draft_rules.h"
#include "controller/desk/plan_line.h"
#include "controller/judge/judge.h"

/* The newest that is known: what a server may be too old for is not this check's matter. */
enum { NEWEST = 18 };

struct recheck {
    const void *ctx;
    const struct plan *plan;
    struct intents intents;
    struct text problems;
    size_t count;
};

static void problem(struct recheck *r, const struct step *step, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

static void problem(struct recheck *r, const struct step *step, const char *fmt, ...)
{
    SCOPE(tmp);
    va_list ap;
    va_start(ap, fmt);
    const char *message = talloc_vasprintf(tmp, fmt, ap);
    va_end(ap);
    text_addf(&r->problems, "%s: %s\n", step->id, text_printable(tmp, message));
    r->count++;
}

/* Where names without a schema are: where the plan's first lock is; null: public. */
static const char *schema_of(const struct recheck *r, const struct plan_line *line)
{
    for (size_t i = 0; i < line->count; i++) {
        for (size_t k = 0; k < line->steps[i].lock_count; k++) {
            struct object_name name = { 0 };
            struct error ignored;
            if (object_name_parse(r->ctx, line->steps[i].locks[k].relation, &name, &ignored) &&
                name.schema) {
                return name.schema;
            }
        }
    }
    return NULL;
}

/* --- what a step says of itself --------------------------------------------------------------- */

static enum lock_mode mode_of(const char *name)
{
    enum lock_mode mode = LOCK_ACCESS_EXCLUSIVE;
    while (mode > LOCK_NONE && !text_eq(lock_mode_name(mode), name)) {
        mode--;
    }
    return mode;
}

static bool says_lock(const struct step *step, const struct step_lock *lock)
{
    for (size_t i = 0; i < step->lock_count; i++) {
        if (text_eq(step->locks[i].relation, lock->relation) &&
            mode_of(step->locks[i].mode) >= mode_of(lock->mode)) {
            return true;
        }
    }
    return false;
}

static void locks_compare(struct recheck *r, const struct step *said, const struct step *judged)
{
    for (size_t i = 0; i < judged->lock_count; i++) {
        const struct step_lock *lock = &judged->locks[i];
        /* whether a helper is there already only the catalog knows; no application waits for one */
        if (lock_blocks_writes(mode_of(lock->mode)) && !text_starts(lock->relation, "flotilla.") &&
            !says_lock(said, lock)) {
            problem(r, said, "its statements take %s on %s, which its locks do not say", lock->mode,
                    lock->relation);
        }
    }
}

static void tags_compare(struct recheck *r, const struct step *said, const struct step *judged)
{
    SCOPE(tmp);
    unsigned heavy = TAG_DESTRUCTIVE | TAG_UNKNOWN | TAG_CONTRACT;
    unsigned missing = judged->tags & heavy & ~said->tags;
    if (missing) {
        problem(r, said, "its statements are %s, which its tags (%s) do not say",
                step_tags_text(tmp, missing), step_tags_text(tmp, said->tags));
    }
}

/* Whether a change of type narrows depends on the type before. */
static bool changes_type(const struct script *script)
{
    for (size_t k = 0; script && k < script->count; k++) {
        const struct statement *s = &script->statements[k];
        for (size_t n = 0; n < s->alter_count; n++) {
            if (s->alters[n].kind == SQL_ALTER_SET_TYPE) {
                return true;
            }
        }
        if (s->kind == SQL_STMT_DO && changes_type(s->body->script)) {
            return true;
        }
    }
    return false;
}

/* What a block makes for itself it locks as well; without a catalog that looks like anything. */
static bool has_block(const struct script *script)
{
    for (size_t k = 0; k < script->count; k++) {
        if (script->statements[k].kind == SQL_STMT_DO) {
            return true;
        }
    }
    return false;
}

typedef bool look_fn(const struct script *script);

/* What waits in the schema flotilla was made there a step before: no query says its name. */
static bool moves_users(const struct script *script)
{
    for (size_t k = 0; script && k < script->count; k++) {
        const struct statement *s = &script->statements[k];
        if (s->kind == SQL_STMT_SET_SCHEMA && !text_eq(s->name.schema, "flotilla")) {
            return true;
        }
    }
    return false;
}

static bool any_of(struct recheck *r, const struct step_texts *list, look_fn *look)
{
    struct script *script;
    struct error ignored;
    for (size_t i = 0; i < list->count; i++) {
        const char *sql = list->items[i];
        if (sql_parse(r->ctx, sql, strlen(sql), &script, &ignored) && look(script)) {
            return true;
        }
    }
    return false;
}

/* What nobody here can read, and the step says so: when it was drafted, its server was asked. */
static bool word_taken(void *data, const struct syntax_question *question,
                       struct syntax_answer *answer)
{
    (void)data;
    *answer = (struct syntax_answer){ .verdict = question->language ? SYNTAX_UNSAID : SYNTAX_KNOWN,
                                      .version = NEWEST * 10000 };
    return true;
}

static bool says_unknown(const struct plan_line *line)
{
    for (size_t i = 0; i < line->count; i++) {
        if (line->steps[i].tags & TAG_UNKNOWN) {
            return true;
        }
    }
    return false;
}

static bool any_statement(struct recheck *r, const struct step *step, look_fn *look)
{
    return any_of(r, &step->up, look);
}

static bool step_recheck(struct recheck *r, struct judge *judge, const struct step *said,
                         struct error *err)
{
    struct step judged = *said;
    bool statements = said->kind == STEP_STATEMENT || said->kind == STEP_CONCURRENTLY;
    judged.tags = 0;
    judged.risks = (struct step_texts){ NULL, 0 };
    if (said->up.count == 0 || (!statements && said->kind != STEP_BACKFILL)) {
        return true;
    }
    judge_ask(judge, said->tags & TAG_UNKNOWN ? word_taken : NULL, NULL);
    if (!step_judge(r->ctx, judge, &judged, err)) {
        return false;
    }
    if (statements) {
        judged.tags &= ~(unsigned)(any_statement(r, said, changes_type) ? TAG_CONTRACT : 0);
        tags_compare(r, said, &judged);
        if (!any_statement(r, said, has_block)) {
            locks_compare(r, said, &judged);
        }
    }
    return true;
}

static bool line_judge(struct recheck *r, const struct plan_line *line, struct error *err)
{
    struct judge *judge = judge_new(r->ctx, NULL, NEWEST);
    judge_assume_schema(judge, schema_of(r, line));
    for (size_t i = 0; i < line->count; i++) {
        if (i > 0 && !steps_same_phase(&line->steps[i - 1], &line->steps[i])) {
            judge_settle(judge);
        }
        if (!step_recheck(r, judge, &line->steps[i], err)) {
            return false;
        }
    }
    return true;
}

/* --- rules ------------------------------------------------------------------------------------ */

/* Rules that a statement breaks whatever the catalog holds. */
static bool is_plain(const struct rule *rule)
{
    return (text_eq(rule->group, "destructive") || text_eq(rule->group, "opaque") ||
            text_eq(rule->id, "txn-forbidden") || text_starts(rule->id, "rename-")) &&
           !text_eq(rule->id, "version-unsupported");
}

static bool is_accepted(const struct recheck *r, const struct step *step, const struct rule *rule)
{
    return step->intent > 0 && (size_t)step->intent <= r->intents.count &&
           draft_accepts(&r->intents.items[step->intent - 1], step, rule);
}

static bool moves_helpers(struct recheck *r, const struct step *step, const struct step_met *met)
{
    return text_eq(met->rule->id, "rename-schema") &&
           !any_of(r, met->back ? &step->down : &step->up, moves_users);
}

static bool line_check(struct recheck *r, const struct plan_line *line, struct error *err)
{
    struct steps_met *met;
    const struct steps_options options = { .version = NEWEST,
                                           .schema = schema_of(r, line),
                                           .ask = says_unknown(line) ? word_taken : NULL };
    if (!steps_check(r->ctx, line->steps, line->count, &options, &met, err)) {
        return false;
    }
    for (size_t i = 0; i < met->count; i++) {
        const struct step_met *m = &met->items[i];
        const struct step *step = &line->steps[m->step];
        if (!m->by && m->severity == SEVERITY_ERROR && is_plain(m->rule) &&
            !is_accepted(r, step, m->rule) && !moves_helpers(r, step, m)) {
            problem(r, step, "%s: %s%s; nothing in the plan discharges it", m->rule->id,
                    m->back ? "on the way back: " : "", m->message);
        }
    }
    return true;
}

/* --- the whole -------------------------------------------------------------------------------- */

static void intents_read(struct recheck *r)
{
    struct error ignored;
    struct intent_problems problems = { .ctx = r->ctx };
    json_t *json, *item;
    size_t i;
    if (!r->plan->change ||
        !json_parse(r->ctx, r->plan->change, strlen(r->plan->change), &json, &ignored)) {
        return;
    }
    json_t *list = json_object_get(json, "intents");
    r->intents.items = mem_array(r->ctx, struct intent, json_array_size(list));
    json_array_foreach(list, i, item) {
        struct intent *intent = &r->intents.items[r->intents.count++];
        if (!intent_from_json(r->ctx, item, intent, &problems)) {
            *intent = (struct intent){ 0 };
        }
    }
}

static bool is_first(const struct plan *plan, int phase, const char *service)
{
    for (int p = 0; p < phase; p++) {
        if (plan_part(plan, (enum phase)p, service)) {
            return false;
        }
    }
    return true;
}

static bool all_recheck(struct recheck *r, struct error *err)
{
    struct part **parts = NULL;
    size_t count = 0;
    for (int p = 0; p < PHASE_COUNT; p++) {
        for (size_t i = 0; i < r->plan->phases[p].count; i++) {
            parts = mem_room(r->ctx, parts, struct part *, count + 1);
            parts[count++] = r->plan->phases[p].parts[i];
        }
    }
    for (size_t i = 0; i < count; i++) {
        const char *service = parts[i]->service;
        if (is_first(r->plan, (int)parts[i]->phase, service)) {
            struct plan_line line = plan_line(r->ctx, parts, count, service);
            if (!line_judge(r, &line, err) || !line_check(r, &line, err)) {
                return false;
            }
        }
    }
    return true;
}

bool plan_recheck(const void *ctx, const struct plan *plan, const char **problems,
                  struct error *err)
{
    SCOPE(tmp);
    struct recheck r = { .ctx = tmp, .plan = plan, .problems = text_init(ctx, TEXT_FILE) };
    *problems = "";
    intents_read(&r);
    if (!all_recheck(&r, err)) {
        return false;
    }
    if (r.count == 0) {
        return true;
    }
    *problems = r.problems.data;
    fail(err, ERROR_REFUSED, "the plan does what it does not say, or should not do: %zu reason%s",
         r.count, r.count == 1 ? "" : "s");
    return fail_hint(err, "draft it again with `flotilla draft`; edited steps must say what their "
                          "statements do");
}
