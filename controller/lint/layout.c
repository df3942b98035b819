/* Marks that tools read in the text of a migration. Sources: docs/LINT.md, layout by layout. */
#include "controller/lint/layout.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"

enum act {
    ACT_UP,       /* what follows goes up */
    ACT_DOWN,     /* what follows goes down */
    ACT_OUTSIDE,  /* the whole file runs outside of a transaction */
    ACT_TOOL,     /* only says whose file it is */
    ACT_BACK,     /* the whole file goes down */
    ACT_ROLLBACK, /* the rest of the line goes down */
};

/* Marks, as they begin behind "--" and blanks; upper and lower case are the same. */
static const struct mark {
    const char *tool, *text;
    enum act act;
} marks[] = {
    { "goose", "+goose up", ACT_UP },
    { "goose", "+goose down", ACT_DOWN },
    { "goose", "+goose no transaction", ACT_OUTSIDE },
    { "sql-migrate", "+migrate up", ACT_UP },
    { "sql-migrate", "+migrate down", ACT_DOWN },
    { "dbmate", "migrate:up", ACT_UP },
    { "dbmate", "migrate:down", ACT_DOWN },
    { "node-pg-migrate", "up migration", ACT_UP },
    { "node-pg-migrate", "down migration", ACT_DOWN },
    { "alembic", "running upgrade ", ACT_TOOL },
    { "alembic", "running downgrade ", ACT_BACK },
    { "liquibase", "liquibase formatted sql", ACT_TOOL },
    { "liquibase", "changeset ", ACT_UP },
    { "liquibase", "rollback", ACT_ROLLBACK },
    { "graphile-migrate", "! no-transaction", ACT_OUTSIDE },
    { "graphile-migrate", "!no-transaction", ACT_OUTSIDE },
    { "graphile-migrate", "! previous:", ACT_TOOL },
    { "graphile-migrate", "! hash:", ACT_TOOL },
    { "postgres-migrations", "postgres-migrations disable-transaction", ACT_OUTSIDE },
    { "atlas", "atlas:txmode none", ACT_OUTSIDE },
    { "drizzle", "> statement-breakpoint", ACT_TOOL },
    { "tern", "-- tern: disable-tx ----", ACT_OUTSIDE },
    { "tern", "-- create above / drop below ----", ACT_DOWN },
};

struct walk {
    const void *ctx;
    const char *text;
    size_t length;
    const char *tool;
    char *up, *down;
    struct lint_part parts[LINT_PARTS_MAX]; /* up, down */
    bool divided, outside, foreign, block;
    bool going_down, started;
};

/* The text of a comment that the line begins with, null when it begins with none. */
static const char *comment_text(const char *line, const char *end, const char *opening)
{
    while (line < end && isspace((unsigned char)*line)) {
        line++;
    }
    if (end - line < 2 || memcmp(line, opening, 2) != 0) {
        return NULL;
    }
    line += 2;
    while (line < end && isspace((unsigned char)*line)) {
        line++;
    }
    return line;
}

static const char *comment_of(const char *line, const char *end)
{
    return comment_text(line, end, "--");
}

static bool begins(const char *s, const char *end, const char *with)
{
    size_t n = strlen(with);
    return (size_t)(end - s) >= n && strncasecmp(s, with, n) == 0;
}

static bool has(const char *from, const char *end, const char *word)
{
    for (const char *p = from; p < end; p++) {
        if (begins(p, end, word)) {
            return true;
        }
    }
    return false;
}

/* node-pg-migrate's own pattern lets any number of dashes and blanks come first. */
static const char *dashes(const char *s, const char *end)
{
    while (s < end && (*s == '-' || isspace((unsigned char)*s))) {
        s++;
    }
    return s;
}

static const struct mark *mark_of(const char *comment, const char *end, const char *tool)
{
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        const struct mark *m = &marks[i];
        bool ours = !tool || text_eq(tool, m->tool);
        const char *at = text_eq(m->tool, "node-pg-migrate") ? dashes(comment, end) : comment;
        if (ours && begins(at, end, m->text)) {
            return m;
        }
    }
    return NULL;
}

static void blank(char *from, const char *end)
{
    /* What a comment says of the whole file holds for all of its parts. */
    if (comment_of(from, end) && has(from, end, "ignore-file")) {
        return;
    }
    memset(from, ' ', (size_t)(end - from));
}

/* Two texts from here on. */
static void divide(struct walk *w)
{
    if (w->divided) {
        return;
    }
    w->divided = true;
    /* Byte by byte: a NUL in it, which the parser will refuse, must not make them shorter. */
    w->up = mem_bytes(w->ctx, w->text, w->length);
    w->down = mem_bytes(w->ctx, w->text, w->length);
    for (char *p = w->down; p < w->down + w->length; p++) {
        char *nl = memchr(p, '\n', (size_t)(w->down + w->length - p));
        char *end = nl ? nl : w->down + w->length;
        blank(p, end);
        p = end;
    }
}

static void unit_add(struct walk *w, bool down, size_t start, enum lint_wrap wrap)
{
    struct lint_part *part = &w->parts[down];
    part->units = mem_room(w->ctx, part->units, struct lint_unit, part->unit_count + 1);
    part->units[part->unit_count++] = (struct lint_unit){ start, wrap };
}

/* The word behind "name:" in a line of attributes. */
static bool attribute(const char *line, const char *end, const char *name, const char **value)
{
    size_t n = strlen(name);
    for (const char *p = line + 1; p < end; p++) {
        if (isspace((unsigned char)p[-1]) && begins(p, end, name) && p + n < end && p[n] == ':') {
            *value = p + n + 1;
            return true;
        }
    }
    return false;
}

/* Liquibase: dbms:oracle,!postgresql says where a change set does not run. */
static bool elsewhere(const char *line, const char *end)
{
    const char *value;
    if (!attribute(line, end, "dbms", &value)) {
        return false;
    }
    const char *stop = value;
    while (stop < end && !isspace((unsigned char)*stop)) {
        stop++;
    }
    bool named = has(value, stop, "postgresql") || has(value, stop, "all");
    return has(value, stop, "!postgresql") || (!named && *value != '!');
}

static enum lint_wrap wrap_of(const struct walk *w, const char *line, const char *end)
{
    const char *value;
    if (text_eq(w->tool, "dbmate")) {
        return has(line, end, "transaction:false") ? WRAP_SEVERAL : WRAP_ALL;
    }
    if (text_eq(w->tool, "sql-migrate")) {
        return has(line, end, "notransaction") ? WRAP_NONE : WRAP_ALL;
    }
    if (text_eq(w->tool, "liquibase")) {
        bool whole = attribute(line, end, "splitStatements", &value) && begins(value, end, "false");
        bool outside =
            attribute(line, end, "runInTransaction", &value) && begins(value, end, "false");
        return !outside ? WRAP_ALL : whole ? WRAP_SEVERAL : WRAP_NONE;
    }
    return WRAP_ALL;
}

/* Moves a stretch of one line from the way up to the way down. */
static void move_down(struct walk *w, const char *from, const char *end)
{
    size_t at = (size_t)(from - w->text), n = (size_t)(end - from);
    memcpy(w->down + at, from, n);
    blank(w->up + at, w->up + at + n);
}

static void rollback(struct walk *w, const char *comment, const char *end)
{
    const char *sql = comment + strlen("rollback");
    while (sql < end && (*sql == ':' || isspace((unsigned char)*sql))) {
        sql++;
    }
    if (sql < end && !begins(sql, end, "empty") && !begins(sql, end, "not required") &&
        !begins(sql, end, "changesetid") && !w->foreign) {
        divide(w);
        move_down(w, sql, end);
    }
}

static void section(struct walk *w, bool down, const char *line, const char *end)
{
    size_t at = (size_t)(line - w->text);
    divide(w);
    w->started = true;
    w->going_down = down;
    w->foreign = text_eq(w->tool, "liquibase") && elsewhere(line, end);
    unit_add(w, down, at, wrap_of(w, line, end));
    if (text_eq(w->tool, "liquibase")) {
        unit_add(w, true, at, wrap_of(w, line, end));
        w->down[at] = ';'; /* whatever was undone before ends here */
    }
}

/* Liquibase: lines between "slash star liquibase rollback" and the end of that comment. */
static bool block_read(struct walk *w, const char *line, const char *end)
{
    if (!w->block) {
        const char *star = text_eq(w->tool, "liquibase") ? comment_text(line, end, "/*") : NULL;
        if (!star || !begins(star, end, "liquibase rollback")) {
            return false;
        }
        divide(w);
        blank(w->up + (line - w->text), w->up + (end - w->text));
        w->block = !has(star, end, "*/");
        return true;
    }
    w->block = !has(line, end, "*/");
    if (w->block) {
        move_down(w, line, end);
    } else {
        blank(w->up + (line - w->text), w->up + (end - w->text));
    }
    return true;
}

static void line_read(struct walk *w, const char *line, const char *end)
{
    if (block_read(w, line, end)) {
        return;
    }
    const char *comment = comment_of(line, end);
    const struct mark *m = comment ? mark_of(comment, end, w->tool) : NULL;
    switch (m ? m->act : ACT_TOOL) {
    case ACT_UP:
    case ACT_DOWN: section(w, m->act == ACT_DOWN, line, end); return;
    case ACT_ROLLBACK: rollback(w, comment, end); return;
    case ACT_OUTSIDE: w->outside = true; return;
    default: break;
    }
    if (w->going_down) {
        move_down(w, line, end);
    } else if (w->foreign || (w->divided && !w->started)) {
        blank(w->up + (line - w->text), w->up + (end - w->text));
    }
}

/* The first mark that says whose file this is: some are words that others use too. */
static const struct mark *telling_mark(const char *text, size_t length)
{
    for (const char *p = text; p < text + length;) {
        const char *nl = memchr(p, '\n', length - (size_t)(p - text));
        const char *end = nl ? nl : text + length;
        const char *comment = comment_of(p, end);
        const struct mark *m = comment ? mark_of(comment, end, NULL) : NULL;
        bool liquibase = m && text_eq(m->tool, "liquibase");
        bool tells =
            m && (liquibase ? m->act == ACT_TOOL : m->act != ACT_DOWN || text_eq(m->tool, "tern"));
        if (tells) {
            return m;
        }
        p = end + 1;
    }
    return NULL;
}

static void outside_all(struct walk *w)
{
    static const char *const message[] = { "graphile-migrate", "postgres-migrations", "sqlx" };
    enum lint_wrap wrap = WRAP_NONE;
    for (size_t i = 0; i < sizeof message / sizeof *message; i++) {
        wrap = text_eq(w->tool, message[i]) ? WRAP_SEVERAL : wrap;
    }
    for (size_t i = 0; i < LINT_PARTS_MAX; i++) {
        for (size_t k = 0; k < w->parts[i].unit_count; k++) {
            w->parts[i].units[k].wrap = wrap;
        }
    }
}

static bool sectioned(const char *tool)
{
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (text_eq(marks[i].tool, tool) && marks[i].act == ACT_UP) {
            return true;
        }
    }
    return false;
}

static void text_walk(struct walk *w)
{
    if (sectioned(w->tool)) { /* what comes before the first mark is no part of it */
        divide(w);
    } else {
        unit_add(w, false, 0, text_eq(w->tool, "alembic") ? WRAP_NONE : WRAP_ALL);
        w->started = true;
    }
    for (const char *p = w->text; p < w->text + w->length;) {
        const char *nl = memchr(p, '\n', w->length - (size_t)(p - w->text));
        const char *end = nl ? nl : w->text + w->length;
        line_read(w, p, end);
        p = end + 1;
    }
    if (w->outside || text_eq(w->tool, "sqlx")) {
        outside_all(w);
    }
}

static bool has_words(const char *text, size_t length)
{
    for (size_t i = 0; text && i < length; i++) {
        if (!isspace((unsigned char)text[i]) && text[i] != ';') {
            return true;
        }
    }
    return false;
}

static struct lint_layout by_path(struct walk *w, const struct lint_path *place)
{
    struct lint_layout out = { .tool = place->tool, .count = 1 };
    if (place->tool) {
        unit_add(w, false, 0, place->wrap);
    }
    out.parts[0] = w->parts[0];
    out.parts[0].way = place->way;
    out.parts[0].text = w->text;
    return out;
}

struct lint_layout lint_layout_of(const void *ctx, const struct lint_path *place, const char *text,
                                  size_t length)
{
    struct walk w = { .ctx = ctx, .text = text, .length = length };
    const struct mark *telling = telling_mark(text, length);
    /* sqlx looks at the very first bytes only. */
    bool sqlx = begins(text, text + length, "-- no-transaction");
    w.tool = sqlx ? "sqlx" : telling ? telling->tool : NULL;
    if (!w.tool) {
        return by_path(&w, place);
    }
    text_walk(&w);
    struct lint_layout out = { .tool = w.tool, .count = 1 };
    out.parts[0] = w.parts[0];
    out.parts[0].text = w.divided ? w.up : text;
    out.parts[0].way = w.divided ? LINT_UP : place->way;
    if (telling && telling->act == ACT_BACK) {
        out.parts[0].way = LINT_DOWN;
    }
    if (w.divided && has_words(w.down, length)) {
        out.parts[1] = w.parts[1];
        out.parts[1].text = w.down;
        out.parts[1].way = LINT_DOWN;
        out.count = 2;
    }
    return out;
}
