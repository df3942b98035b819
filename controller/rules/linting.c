#include "controller/rules/linting.h"

#include <stdarg.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"
#include "controller/world/names.h"

static bool is_in(const char *const *list, size_t n, const char *rule)
{
    for (size_t i = 0; i < n; i++) {
        if (text_eq(list[i], rule)) {
            return true;
        }
    }
    return false;
}
#define IN(list, rule) is_in(list, sizeof(list) / sizeof *(list), rule)

/* Rules whose harm grows with the table. */
static bool is_sized(const char *rule)
{
    static const char *const sized[] = {
        "index-create-blocking",
        "reindex-blocking",
        "fk-validating",
        "check-validating",
        "unique-blocking",
        "pk-blocking",
        "exclusion-blocking",
        "not-null-scan",
        "column-type-rewrite",
        "column-type-recheck",
        "add-column-volatile-default",
        "add-column-autoincrement",
        "add-column-stored-generated",
        "add-column-constrained-domain",
        "add-column-inline-check-scan",
        "table-rewrite-other",
        "heap-compaction-blocking",
        "matview-refresh-blocking",
        "backfill-unbatched",
        "delete-unbounded",
        "create-table-as-large",
        "stmt-after-strong-lock",
        "partition-attach-scan",
        "set-expression-rewrite",
        "domain-constraint-scan",
        "not-valid-validate-same-txn",
        "backfill-with-ddl-same-txn",
        "pk-index-nullable-scan",
        "index-drop-blocking",
        "multi-alter-same-table",
    };
    return IN(sized, rule);
}

/* Rules of size that say something about a small table too. */
static bool is_habit(const char *rule)
{
    static const char *const habits[] = { "index-drop-blocking", "multi-alter-same-table" };
    return IN(habits, rule);
}

/* Somebody said that the table is small: then a finding of its size alone is none. And what earlier
 * files say is not enough to say that something is there, or not. */
static bool is_moot(const struct linter *l, const char *rule)
{
    static const char *const existence[] = { "name-collision", "dependent-object-error" };
    return (l->told && !l->options->all && is_sized(rule) && !is_habit(rule)) ||
           (l->judge->hearsay && IN(existence, rule));
}

static const struct lint_rule_level *level_of(const struct lint_options *o, const struct rule *rule)
{
    for (size_t i = 0; i < o->level_count; i++) {
        if (o->levels[i].rule == rule) {
            return &o->levels[i];
        }
    }
    return NULL;
}

bool rule_is_on(const struct lint_options *o, const struct rule *rule)
{
    const struct lint_rule_level *level = level_of(o, rule);
    if (o->only && o->only->count > 0) {
        return sql_texts_have(o->only, rule->id);
    }
    return level && !o->chosen ? level->level != LEVEL_OFF : o->all || rule->on;
}

static enum severity severity_of(const struct linter *l, const struct rule *rule)
{
    const struct lint_rule_level *level = level_of(l->options, rule);
    if (l->small && is_sized(rule->id)) {
        return SEVERITY_INFO;
    }
    return level && level->level >= LEVEL_INFO ? (enum severity)(level->level - LEVEL_INFO)
                                               : rule->severity;
}

void found(struct linter *l, const char *id, const char *rewrite, const char *fmt, ...)
{
    const struct rule *rule = rule_find(id);
    struct lint_statement *at = &l->result->statements[l->index];
    if (!rule || suppressed(l->suppressions, at->statement, rule) ||
        !rule_is_on(l->options, rule) || is_moot(l, id)) {
        return;
    }
    for (size_t i = 0; i < at->count; i++) {
        if (at->findings[i].rule == rule) {
            return;
        }
    }
    va_list ap;
    va_start(ap, fmt);
    const char *message = talloc_vasprintf(l->ctx, fmt, ap);
    va_end(ap);
    at->findings = mem_room(l->ctx, at->findings, struct finding, at->count + 1);
    at->findings[at->count++] = (struct finding){
        .rule = rule,
        .severity = severity_of(l, rule),
        .message = message,
        .hint = rule->instead,
        .rewrite_sql = rewrite,
        .line = at->statement->problem ? at->statement->problem->line : at->statement->line,
    };
}

struct world_table *old_table(struct linter *l, struct sql_name name)
{
    struct world_table *t = world_table(l->world, name);
    return t && !t->fresh && !t->temporary ? t : NULL;
}

bool in_transaction(const struct linter *l)
{
    return l->judge->transaction || l->judge->assumed || l->nested;
}

/* Names to the statements that make something of that name, in their order. */
static struct names *makers_of(struct linter *l)
{
    if (!l->makers) {
        l->makers = names_new(l->result);
        for (size_t i = 0; i < l->script->count; i++) {
            struct statement *s = &l->script->statements[i];
            for (size_t k = 0; k < s->object_count; k++) {
                if (s->objects[k].role == SQL_CREATED) {
                    names_add(l->makers, s->objects[k].name, s);
                }
            }
        }
    }
    return l->makers;
}

bool made_later(struct linter *l, enum sql_object_kind kind, struct sql_name name)
{
    size_t count;
    void *const *list = names_of(makers_of(l), name.name, &count);
    for (size_t i = count; i > 0; i--) {
        const struct statement *s = list[i - 1];
        if (s <= &l->script->statements[l->index]) {
            return false;
        }
        for (size_t k = 0; k < s->object_count; k++) {
            const struct sql_object *o = &s->objects[k];
            bool same = o->kind == kind || (kind == SQL_OBJECT_TABLE && o->kind == SQL_OBJECT_VIEW);
            if (o->role == SQL_CREATED && same &&
                sql_name_eq((struct sql_name){ o->schema, o->name }, name)) {
                return true;
            }
        }
    }
    return false;
}

const char *quoted(const void *ctx, const char *name)
{
    bool plain = name && (*name == '_' || (*name >= 'a' && *name <= 'z'));
    for (const char *p = name; plain && *p != '\0'; p++) {
        plain = *p == '_' || (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9');
    }
    return plain ? name : text_quote_ident(ctx, name ? name : "");
}

const char *sql_of(const void *ctx, struct sql_name name)
{
    return name.schema ? mem_printf(ctx, "%s.%s", quoted(ctx, name.schema), quoted(ctx, name.name))
                       : quoted(ctx, name.name);
}

const char *quoted_list(const void *ctx, const struct sql_texts *names)
{
    struct text t = text_init(ctx, TEXT_LINE);
    for (size_t i = 0; i < names->count; i++) {
        text_addf(&t, "%s%s", i > 0 ? ", " : "", quoted(ctx, names->items[i]));
    }
    return t.data;
}

const char *derived_name(const void *ctx, const char *table, const struct sql_texts *columns,
                         const char *suffix)
{
    struct text t = text_init(ctx, TEXT_LINE);
    text_add(&t, table);
    for (size_t i = 0; i < columns->count; i++) {
        text_addf(&t, "_%s", columns->items[i]);
    }
    text_addf(&t, "_%s", suffix);
    return object_name_fit(ctx, t.data);
}
