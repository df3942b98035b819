#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <uthash.h>

#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"
#include "controller/graph/graph_build.h"

/* Bodies are text to PostgreSQL too: what they mention is a guess, and these say how good. */
enum {
    STATED = 100,   /* SQL-standard bodies: the catalog keeps what they depend on */
    ROW_FIELD = 90, /* NEW.column in a trigger function */
    NAMED = 60,     /* the words stand in the code */
    DOUBTED = 40,   /* in a string (dynamic SQL), or the column's name fits several tables */
};

struct word {
    const char *text;
    size_t count;  /* in code */
    size_t quoted; /* in string literals */
    bool field;    /* stands behind NEW. or OLD. */
    UT_hash_handle hh;
};

struct words {
    void *tmp;
    struct word *all;
    const char *before; /* the word before a dot, for NEW.column */
    bool star;
    bool strings; /* double quotes are strings, not names: languages other than SQL's */
};

static void add_word(struct words *w, const char *text, bool quoted, bool field)
{
    struct word *word = NULL;

    HASH_FIND_STR(w->all, text, word);
    if (!word) {
        word = mem_new(w->tmp, struct word);
        word->text = text;
        HASH_ADD_KEYPTR(hh, w->all, text, strlen(text), word);
    }
    word->count += !quoted;
    word->quoted += quoted;
    word->field = word->field || field;
}

static bool is_letter(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

/* An identifier as the parser folds it. */
static const char *read_word(struct words *w, const char *s, const char **text)
{
    struct text out = text_init(w->tmp, TEXT_LINE);

    if (*s == '"') {
        for (s++; *s && (*s != '"' || s[1] == '"'); s++) {
            text_addc(&out, *s);
            s += *s == '"';
        }
        s += *s == '"';
    } else {
        for (; is_letter(*s); s++)
            text_addc(&out, (char)((unsigned char)*s < 0x80 ? tolower((unsigned char)*s) : *s));
    }
    *text = out.data;
    return s;
}

static const char *skip_comment(const char *s)
{
    if (s[0] == '-' && s[1] == '-')
        return s + strcspn(s, "\n");
    const char *end = strstr(s + 2, "*/");
    return end ? end + 2 : s + strlen(s);
}

static bool is_row(const char *word)
{
    return word && (text_eq(word, "new") || text_eq(word, "old"));
}

/* Splits a body into words; strings are split too, for statements built as text. */
static void read_words(struct words *w, const char *s)
{
    bool quoted = false;

    while (*s) {
        if (!quoted && (text_starts(s, "--") || text_starts(s, "/*"))) {
            s = skip_comment(s);
        } else if (is_letter(*s) || (*s == '"' && !w->strings)) {
            const char *text = NULL;
            bool field = is_row(w->before);

            s = read_word(w, s, &text);
            add_word(w, text, quoted, field);
            w->before = *s == '.' ? text : NULL;
        } else {
            if (*s == '\'' || *s == '"')
                quoted = !quoted;
            w->star = w->star || *s == '*';
            s++;
        }
    }
}

static const struct word *word_of(const struct words *w, const char *name)
{
    struct word *word = NULL;

    HASH_FIND_STR(w->all, name, word);
    return word;
}

struct mentions {
    const struct body *body;
    struct words words;
    const struct relation **tables; /* whose names the body mentions */
    size_t table_count;
};

/* How many of the tables that the body mentions have a column of this name. */
static size_t owners_of(const struct mentions *m, const char *column)
{
    size_t n = 0;

    for (size_t i = 0; i < m->table_count; i++)
        n += relation_column(m->tables[i], column) != NULL;
    return n;
}

static void add_table(const struct mentions *m, const struct relation *r)
{
    const struct word *named = word_of(&m->words, r->name);
    struct body_edge edge = { r, NULL, "mentions it", named->count ? NAMED : DOUBTED };
    int best = edge.confidence;
    size_t found = 0;

    for (size_t i = 0; i < r->column_count; i++) {
        const struct word *word = word_of(&m->words, r->columns[i].name);

        if (!word)
            continue;
        edge.column = r->columns[i].name;
        edge.confidence = word->count && owners_of(m, edge.column) == 1 ? best : DOUBTED;
        graph_add_body(m->body, &edge);
        found++;
    }
    edge.column = NULL;
    edge.confidence = best;
    if (found == 0 || m->words.star)
        graph_add_body(m->body, &edge);
}

/* NEW and OLD are rows of every table with a trigger that calls the function. */
static void add_rows(const struct mentions *m)
{
    const struct body *body = m->body;
    const struct catalog *c = body->item->catalog;
    const char *name = object_name_join(body->b->tmp, body->function->schema, body->function->name);

    for (size_t i = 0; i < c->relation_count; i++) {
        const struct relation *r = &c->relations[i];
        bool calls = false;

        for (size_t j = 0; j < r->trigger_count; j++)
            calls = calls || text_eq(r->triggers[j].function, name);
        for (size_t j = 0; calls && j < r->column_count; j++) {
            const struct word *word = word_of(&m->words, r->columns[j].name);
            struct body_edge edge = { r, r->columns[j].name, "uses NEW or OLD", ROW_FIELD };

            if (word && word->field)
                graph_add_body(body, &edge);
        }
    }
}

static void find_mentioned(struct mentions *m)
{
    const struct catalog *c = m->body->item->catalog;

    for (size_t i = 0; i < c->relation_count; i++)
        if (word_of(&m->words, c->relations[i].name)) {
            m->tables =
                mem_room(m->words.tmp, m->tables, const struct relation *, m->table_count + 1);
            m->tables[m->table_count++] = &c->relations[i];
        }
    for (size_t i = 0; i < m->table_count; i++)
        add_table(m, m->tables[i]);
}

/* By the grammar where it can tell; by the words where it cannot, or cannot see everything. */
static void find_in_text(const struct body *body)
{
    SCOPE(tmp);
    struct mentions m = { .body = body, .words = { .tmp = tmp } };

    m.words.strings =
        !text_eq(body->function->language, "sql") && !text_eq(body->function->language, "plpgsql");
    read_words(&m.words, body->function->body);
    if (!graph_find_parsed(body))
        find_mentioned(&m);
    if (text_eq(body->function->result, "trigger"))
        add_rows(&m);
    HASH_CLEAR(hh, m.words.all);
}

static void find_stated(struct builder *b, const struct service_catalog *item,
                        const struct function *f)
{
    for (size_t i = 0; i < f->reads.count; i++)
        graph_add(b, (struct graph_edge){
                         .from = { .service = item->service,
                                   .schema = f->schema,
                                   .name = f->name,
                                   .function = true },
                         .to = graph_read_object(b, item->service, f->reads.items[i]),
                         .kind = EDGE_FUNCTION,
                         .evidence = mem_printf(b->tmp, "definition of function %s", f->name),
                         .confidence = STATED });
}

void graph_find_bodies(struct builder *b, const struct service_catalog *item)
{
    const struct catalog *c = item->catalog;

    for (size_t i = 0; i < c->function_count; i++) {
        const struct function *f = &c->functions[i];

        if (f->reads.count)
            find_stated(b, item, f);
        else if (f->body && f->kind != 'a' && !text_eq(f->language, "c") &&
                 !text_eq(f->language, "internal"))
            find_in_text(&(struct body){ b, item, f });
    }
}
