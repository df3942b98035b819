/*
 * Functions whose bodies are plain text: PostgreSQL does not follow a rename in them. They are
 * re-created with the new name in the very transaction that exchanges the names, where every
 * mention of the column can be told from everything else; where it cannot, the change is refused
 * and the function named.
 */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/family/families.h"

struct look {
    struct work *work;
    const struct state *state;
    const struct relation *relation;
    const struct function *function;
    const char *column;
    const char **aliases; /* of the relation, its name included */
    size_t alias_count;
    const char **others; /* names and aliases of other relations in the body */
    size_t other_count;
    bool bare_is_ours; /* an unqualified mention can only be this column */
    const char *unsafe;
};

static const char *const no_alias[] = { "where",     "set",    "join",   "left",    "right",
                                        "inner",     "cross",  "full",   "natural", "on",
                                        "using",     "group",  "order",  "limit",   "union",
                                        "returning", "values", "select", "for",     "into",
                                        "loop",      "having", "then",   "end",     "default",
                                        "outer",     "except", "fetch",  "offset" };

static bool is_one_of(const char *word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (text_eq(list[i], word)) {
            return true;
        }
    }
    return false;
}

static const struct relation *relation_named(const struct catalog *catalog, const char *name)
{
    for (size_t i = 0; i < catalog->relation_count; i++) {
        if (text_eq(catalog->relations[i].name, name)) {
            return &catalog->relations[i];
        }
    }
    return NULL;
}

static void remember(struct look *look, bool ours, const char *name)
{
    const char ***list = ours ? &look->aliases : &look->others;
    size_t *count = ours ? &look->alias_count : &look->other_count;
    *list = mem_room(look->work->ctx, *list, const char *, *count + 1);
    (*list)[(*count)++] = mem_text(look->work->ctx, name);
}

/* INSERT INTO table (column, ...): the list is of that table's columns, whatever else is near. */
struct insert {
    enum { OUTSIDE, AFTER_INSERT, NAMED, IN_LIST } place;
    const char *table;
    bool listed; /* the piece just taken is in a list */
};

static void insert_take(struct insert *insert, const struct sql_piece *piece)
{
    insert->listed = insert->place == IN_LIST;
    if (insert->place == IN_LIST) {
        insert->place = *piece->start == ')' ? OUTSIDE : IN_LIST;
    } else if (piece->word && text_eq(piece->name, "insert")) {
        *insert = (struct insert){ .place = AFTER_INSERT };
    } else if (insert->place == AFTER_INSERT) {
        insert->place = piece->word && text_eq(piece->name, "into") ? NAMED : OUTSIDE;
    } else if (insert->place == NAMED && *piece->start == '(') {
        insert->place = insert->table ? IN_LIST : OUTSIDE;
    } else if (insert->place == NAMED && piece->word) {
        static const char *const ends[] = { "as", "values", "select" };
        insert->place = is_one_of(piece->name, ends, sizeof ends / sizeof *ends) ? OUTSIDE : NAMED;
        insert->table = piece->name; /* the last of schema.table */
    }
}

/* Which relations the body names, and under which aliases. */
static void find_relations(struct look *look)
{
    SCOPE(tmp);
    const struct catalog *catalog = look->state->catalog;
    struct insert insert = { .place = OUTSIDE };
    for (struct sql_piece piece = sql_piece_next(tmp, look->function->body); piece.length > 0;) {
        struct sql_piece after = sql_piece_next(tmp, piece.start + piece.length);
        const struct relation *found = piece.word ? relation_named(catalog, piece.name) : NULL;
        insert_take(&insert, &piece);
        bool call = *after.start == '(' && insert.place != NAMED;
        if (found && !call && *after.start != '.') {
            bool ours = text_eq(found->name, look->relation->name);
            remember(look, ours, piece.name);
            if (!ours && relation_column(found, look->column)) {
                look->bare_is_ours = false;
            }
            struct sql_piece alias = after;
            if (alias.word && text_eq(alias.name, "as")) {
                alias = sql_piece_next(tmp, alias.start + alias.length);
            }
            if (alias.word &&
                !is_one_of(alias.name, no_alias, sizeof no_alias / sizeof *no_alias)) {
                remember(look, ours, alias.name);
            }
        }
        piece = after;
    }
}

static bool trigger_of_relation(const struct look *look, bool *elsewhere)
{
    const struct catalog *catalog = look->state->catalog;
    const char *name = say(look->work, "%s.%s", look->function->schema, look->function->name);
    bool here = false;
    for (size_t i = 0; i < catalog->relation_count; i++) {
        const struct relation *relation = &catalog->relations[i];
        for (size_t k = 0; k < relation->trigger_count; k++) {
            if (text_eq(relation->triggers[k].function, name)) {
                bool same = text_eq(relation->name, look->relation->name) &&
                            text_eq(relation->schema, look->relation->schema);
                here = here || same;
                *elsewhere = *elsewhere || (!same && relation_column(relation, look->column));
            }
        }
    }
    return here;
}

/* What a mention of the column is; 1 ours, 0 somebody else's, -1 cannot be told. */
static int mention(struct look *look, const struct sql_piece *qualifier)
{
    if (!qualifier) {
        return look->alias_count == 0 ? 0 : look->bare_is_ours ? 1 : -1;
    }
    if (is_one_of(qualifier->name, look->aliases, look->alias_count)) {
        return 1;
    }
    return is_one_of(qualifier->name, look->others, look->other_count) ? 0 : -1;
}

/* Three tokens in a row, and the one before them. */
struct window {
    struct sql_piece earlier, before, piece, after;
};

static bool window_next(const void *ctx, struct window *w)
{
    w->earlier = w->before;
    w->before = w->piece;
    w->piece = w->after;
    if (w->piece.length > 0) {
        w->after = sql_piece_next(ctx, w->piece.start + w->piece.length);
    }
    return w->piece.length > 0;
}

static struct window window_on(const void *ctx, const char *text)
{
    const struct sql_piece nothing = { .start = "" };
    return (struct window){ nothing, nothing, nothing, sql_piece_next(ctx, text) };
}

/* As mention(), of the word in the window; 0 when it is another word. */
static int ours(struct look *look, const struct window *w, const struct insert *insert)
{
    bool dotted = w->before.length == 1 && *w->before.start == '.';
    if (!w->piece.word || !text_eq(w->piece.name, look->column) || *w->after.start == '(' ||
        *w->after.start == '.' || (w->before.word && text_eq(w->before.name, "as"))) {
        return 0;
    }
    if (insert->listed) {
        return text_eq(insert->table, look->relation->name);
    }
    int what = mention(look, dotted ? &w->earlier : NULL);
    if (what < 0) {
        look->unsafe =
            say(look->work, "what \"%s%s%s\" means there cannot be told",
                dotted && w->earlier.word ? w->earlier.name : "", dotted ? "." : "", look->column);
    }
    return what;
}

static const char *rewrite(struct look *look, const char *to)
{
    SCOPE(tmp);
    struct text out = text_init(look->work->ctx, TEXT_SQL);
    const char *copied = look->function->body;
    struct window w = window_on(tmp, copied);
    struct insert insert = { .place = OUTSIDE };
    bool changed = false;
    while (window_next(tmp, &w)) {
        insert_take(&insert, &w.piece);
        int what = ours(look, &w, &insert);
        if (what < 0) {
            return NULL;
        }
        if (what > 0) {
            text_addn(&out, copied, (size_t)(w.piece.start - copied));
            text_add(&out, ident(look->work, to));
            copied = w.piece.start + w.piece.length;
            changed = true;
        }
        if (w.piece.word && text_eq(w.piece.name, "execute")) {
            look->unsafe = "it runs dynamic SQL";
        }
    }
    text_add(&out, copied);
    return changed ? out.data : NULL;
}

static bool argument_named(const struct function *function, const char *column)
{
    return column_mentioned(function->arguments, column) ||
           (function->result && column_mentioned(function->result, column));
}

/* A DECLARE section that has the name makes every bare mention ambiguous. */
static bool declared(const struct function *function, const char *column)
{
    SCOPE(tmp);
    bool inside = false;
    struct sql_piece before = { .start = "" };
    for (struct sql_piece piece = sql_piece_next(tmp, function->body); piece.length > 0;
         piece = sql_piece_next(tmp, piece.start + piece.length)) {
        if (piece.word) {
            inside = text_eq(piece.name, "declare") ? true
                     : text_eq(piece.name, "begin") ? false
                                                    : inside;
            bool first = (before.word && text_eq(before.name, "declare")) || *before.start == ';';
            if (inside && first && text_eq(piece.name, column)) {
                return true;
            }
        }
        before = piece;
    }
    return false;
}

static bool refuse_function(struct look *look)
{
    const struct function *f = look->function;
    return work_refuse(look->work,
                       say(look->work,
                           "re-create %s.%s so that it does not name %s (or qualifies it by the "
                           "table), then draft again",
                           f->schema, f->name, look->column),
                       "function %s.%s(%s) names %s.%s and cannot be rewritten safely: %s",
                       f->schema, f->name, f->arguments ? f->arguments : "", look->relation->name,
                       look->column, look->unsafe);
}

static bool follow(struct look *look, const char *to, struct step *step)
{
    const struct function *f = look->function;
    bool elsewhere = false;
    look->bare_is_ours = !argument_named(f, look->column) && !declared(f, look->column);
    find_relations(look);
    if (trigger_of_relation(look, &elsewhere)) {
        remember(look, true, "new");
        remember(look, true, "old");
    }
    if (look->alias_count == 0) {
        return true;
    }
    const char *body = rewrite(look, to);
    const char *at = f->definition ? strstr(f->definition, f->body) : NULL;
    if (!look->unsafe && !body) {
        return true;
    }
    if (!look->unsafe && elsewhere) {
        look->unsafe = "it is the trigger of other tables as well";
    }
    if (!look->unsafe && !at) {
        look->unsafe = "its definition could not be read";
    }
    if (look->unsafe) {
        return refuse_function(look);
    }
    step_up(look->work, step, "%.*s%s%s", (int)(at - f->definition), f->definition, body,
            at + strlen(f->body));
    step_down(look->work, step, "%s", f->definition);
    step_risk(look->work, step, "function %s.%s is re-created with the new name", f->schema,
              f->name);
    work_touch(look->work, look->state,
               say(look->work, "function %s.%s(%s)", f->schema, f->name, f->arguments));
    return true;
}

static bool trigger_of(const struct relation *relation, const char *function)
{
    for (size_t i = 0; i < relation->trigger_count; i++) {
        if (text_eq(relation->triggers[i].function, function)) {
            return true;
        }
    }
    return false;
}

void functions_made_again(const struct work *work, const struct place *place, struct step *step)
{
    const struct catalog *catalog = place->state->catalog;
    for (size_t i = 0; i < catalog->function_count; i++) {
        const struct function *f = &catalog->functions[i];
        if (!text_eq(f->language, "plpgsql") || text_eq(f->schema, "flotilla") || !f->definition ||
            (!trigger_of(place->relation, say(work, "%s.%s", f->schema, f->name)) &&
             !strstr(f->body, place->relation->name))) {
            continue;
        }
        if (!text_eq(f->owner, place->relation->owner)) {
            step_risk(work, step,
                      "function %s.%s keeps the old type in sessions that have run it: let them "
                      "reconnect",
                      f->schema, f->name);
            continue;
        }
        bool known = false;
        for (size_t k = 0; k < step->up.count; k++) {
            known = known || text_eq(step->up.items[k], f->definition);
        }
        if (!known) {
            step_up(work, step, "%s", f->definition);
            step_down(work, step, "%s", f->definition);
        }
    }
}

bool functions_follow_rename(struct work *work, const struct new_name *rename, struct step *step)
{
    const struct catalog *catalog = rename->state->catalog;
    bool fine = true;
    for (size_t i = 0; i < catalog->function_count; i++) {
        const struct function *function = &catalog->functions[i];
        bool plain = text_eq(function->language, "sql") || text_eq(function->language, "plpgsql");
        bool atomic = function->definition && strstr(function->definition, "\nBEGIN ATOMIC");
        if (text_eq(function->schema, "flotilla") || !function->body || atomic || !plain ||
            !column_mentioned(function->body, rename->from)) {
            continue;
        }
        struct look look = { .work = work,
                             .state = rename->state,
                             .relation = rename->relation,
                             .function = function,
                             .column = rename->from };
        fine = follow(&look, rename->to, step) && fine;
    }
    return fine;
}
