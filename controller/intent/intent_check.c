#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/intent/reading.h"

void intent_complain(struct intent_problems *problems, const char *pointer, const struct error *err)
{
    size_t n = problems->count;
    problems->items = mem_room(problems->ctx, problems->items, struct intent_problem, n + 1);
    problems->items[problems->count++] =
        (struct intent_problem){ .pointer = mem_text(problems->ctx, pointer), .error = *err };
}

bool intent_wrong_at(struct intent_reading *r, const char *key, bool there, const char *what,
                     const char *hint)
{
    SCOPE(tmp);
    struct error err;
    const char *operation = intent_name(r->intent->operation);
    (void)fail(&err, ERROR_INVALID, "%s: %s: %s", operation, key, what);
    (void)fail_hint(&err, "%s", hint);
    intent_complain(r->problems,
                    mem_printf(tmp, "/%s%s%s", operation, there ? "/" : "", there ? key : ""),
                    &err);
    return false;
}

bool intent_wrong(struct intent_reading *r, const char *key, const char *what, const char *hint)
{
    return intent_wrong_at(r, key, true, what, hint);
}

bool intent_word(struct intent_reading *r, const char *key, const char *value, const char *words)
{
    if (!value) {
        return true;
    }
    size_t length = strlen(value);
    for (const char *at = strstr(words, value); at; at = strstr(at + 1, value)) {
        if ((at == words || at[-1] == '|') && (at[length] == '|' || at[length] == 0)) {
            return true;
        }
    }
    SCOPE(tmp);
    return intent_wrong(r, key, mem_printf(tmp, "\"%s\" is not known", value),
                        mem_printf(tmp, "one of %s", words));
}

static const char actions[] = "no action|restrict|cascade|set null|set default";
static const char orders[] = "asc|desc|asc nulls first|asc nulls last|desc nulls first|"
                             "desc nulls last|ASC|DESC|ASC NULLS FIRST|ASC NULLS LAST|"
                             "DESC NULLS FIRST|DESC NULLS LAST";

static bool check_words(struct intent_reading *r)
{
    const struct intent *it = r->intent;
    bool good = intent_word(r, "on_failure", it->on_failure, "refuse|set_null");
    good = intent_word(r, "on_delete", it->on_delete, actions) && good;
    good = intent_word(r, "on_update", it->on_update, actions) && good;
    good = intent_word(r, "orphans", it->orphans, "refuse|delete|set_null") && good;
    good = intent_word(r, "duplicates", it->duplicates, "refuse|keep_first|keep_last") && good;
    good = intent_word(r, "identity", it->identity, "always|by_default") && good;
    good = intent_word(r, "order", it->order, orders) && good;
    return intent_word(r, "phase", it->phase, "expand|migrate|contract") && good;
}

/* A key, an index or a constraint has each column once. */
static bool check_columns(struct intent_reading *r)
{
    const struct intent_texts *columns = &r->intent->columns;
    for (size_t i = 1; i < columns->count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (text_eq(columns->items[i], columns->items[k])) {
                SCOPE(tmp);
                return intent_wrong(r, mem_printf(tmp, "columns/%zu", i),
                                    "the column is in the list twice", "remove one");
            }
        }
    }
    return true;
}

static bool check_target(struct intent_reading *r)
{
    const struct intent *it = r->intent;
    if (it->target.service && !text_eq(it->target.service, it->service)) {
        return intent_wrong(r, "references", "a foreign key stays within its database",
                            "for a table of another service write references: in the manifest");
    }
    if (it->target.column_count && it->columns.count &&
        it->target.column_count != it->columns.count) {
        return intent_wrong(r, "references", "it names another number of columns than columns:",
                            "write one for each");
    }
    return true;
}

/* A promise to lose, or to leave others behind, has a reason. */
static bool check_reasons(struct intent_reading *r)
{
    const struct intent *it = r->intent;
    bool good = true;
    if (!it->propagate && !it->note) {
        good = intent_wrong(r, "propagate", "false needs a reason", "say why in note:");
    }
    if (it->accept_loss && !it->note) {
        good = intent_wrong(r, "accept_loss", "true needs a reason", "say why in note:");
    }
    return good;
}

static bool check_way_back(struct intent_reading *r)
{
    const struct intent *it = r->intent;
    if (it->operation == INTENT_SQL && !it->down.count && !it->irreversible) {
        return intent_wrong_at(r, "down", false, "a way back is needed",
                               "write down:, or irreversible: with the reason (makes the step "
                               "destructive)");
    }
    if (it->operation == INTENT_SQL && it->down.count && it->irreversible) {
        return intent_wrong(r, "irreversible", "there is a way back",
                            "keep down: or irreversible:");
    }
    return true;
}

bool intent_check(struct intent_reading *r)
{
    const struct intent *it = r->intent;
    bool lists = it->operation == INTENT_ADD_INDEX || it->operation == INTENT_ADD_UNIQUE;
    bool good = check_words(r);
    good = check_columns(r) && good;
    good = check_target(r) && good;
    good = check_reasons(r) && good;
    if (it->operation == INTENT_RENAME_COLUMN && text_eq(it->column, it->to)) {
        good = intent_wrong(r, "to", "it has that name already", "write the new name");
    }
    if (lists && !it->columns.count && !it->expressions.count && !it->definition) {
        good = intent_wrong_at(r, "columns", false, "columns or expressions are needed",
                               "name at least one");
    }
    return check_way_back(r) && good;
}
