#include "controller/terminal/catalog_text.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/name.h"

enum {
    COLUMNS = 6,
    NAME_SHOWN = 48, /* cells are cut here */
};

struct row {
    const char *cells[COLUMNS];
};

struct table {
    const void *ctx;
    struct row *rows;
    size_t count;
};

static const struct row head = { { "NAME", "KIND", "COLUMNS", "ROWS", "SIZE", "" } };
static const bool right[COLUMNS] = { false, false, true, true, true, false };

/* Characters on a terminal, near enough: continuation bytes of UTF-8 take no place. */
static size_t width(const char *s)
{
    size_t n = 0;

    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static void pad(struct text *out, size_t n)
{
    for (; n > 0; n--)
        text_addc(out, ' ');
}

static void cell(struct text *out, const char *s, size_t wide, bool to_right)
{
    size_t n = width(s);

    if (to_right)
        pad(out, wide > n ? wide - n : 0);
    text_add(out, s);
    if (!to_right)
        pad(out, wide > n ? wide - n : 0);
}

static void table_print(struct text *out, const struct table *t)
{
    size_t wide[COLUMNS] = { 0 };

    for (size_t i = 0; i < t->count; i++)
        for (size_t c = 0; c < COLUMNS; c++)
            if (width(t->rows[i].cells[c]) > wide[c])
                wide[c] = width(t->rows[i].cells[c]);
    for (size_t i = 0; i < t->count; i++) {
        for (size_t c = 0; c < COLUMNS; c++) {
            text_add(out, c ? "  " : "  ");
            cell(out, t->rows[i].cells[c], c + 1 < COLUMNS ? wide[c] : 0, right[c]);
        }
        while (out->len && out->data[out->len - 1] == ' ')
            out->data[--out->len] = '\0';
        text_addc(out, '\n');
    }
}

static const char *cut(const void *ctx, const char *s)
{
    const char *safe = text_printable(ctx, s);
    size_t i = 0, n = 0;

    while (safe[i] && n < NAME_SHOWN) {
        i++;
        while (((unsigned char)safe[i] & 0xc0) == 0x80)
            i++;
        n++;
    }
    return safe[i] ? mem_printf(ctx, "%.*s…", (int)i, safe) : safe;
}

static const char *kind_text(char kind)
{
    switch (kind) {
    case 'p': return "partitioned";
    case 'v': return "view";
    case 'm': return "materialized";
    case 'f': return "foreign";
    default: return "table";
    }
}

static bool is_partition(const struct relation *r)
{
    return r->partition_bound || (r->parent && r->incomplete);
}

static size_t partitions_of(const struct catalog *c, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < c->relation_count; i++)
        n += is_partition(&c->relations[i]) && text_eq(c->relations[i].parent, name);
    return n;
}

static void note(struct text *notes, size_t n, const char *one, const char *many)
{
    if (n)
        text_addf(notes, "%s%zu %s", notes->len ? ", " : "", n, n == 1 ? one : many);
}

/* Bad news first: what a person should know about the relation. */
static const char *notes_of(const void *ctx, const struct catalog *c, const struct relation *r)
{
    struct text notes = text_init(ctx, TEXT_LINE);
    size_t foreign = 0, invalid = 0, unproven = 0;

    for (size_t i = 0; i < r->constraint_count; i++) {
        foreign += r->constraints[i].kind == 'f';
        unproven += !r->constraints[i].validated;
    }
    for (size_t i = 0; i < r->index_count; i++)
        invalid += !r->indexes[i].valid;
    if (r->incomplete)
        text_add(&notes, "not read in full");
    note(&notes, invalid, "INVALID index", "INVALID indexes");
    note(&notes, unproven, "NOT VALID constraint", "NOT VALID constraints");
    if (strchr("rp", r->kind) && !relation_primary_key(r))
        text_addf(&notes, "%sno primary key", notes.len ? ", " : "");
    if (r->kind == 'p')
        note(&notes, partitions_of(c, object_name_join(ctx, r->schema, r->name)), "partition",
             "partitions");
    note(&notes, foreign, "foreign key", "foreign keys");
    note(&notes, r->index_count, "index", "indexes");
    note(&notes, r->trigger_count, "trigger", "triggers");
    note(&notes, r->policy_count, "policy", "policies");
    if (r->persistence == 'u')
        text_addf(&notes, "%sunlogged", notes.len ? ", " : "");
    if (r->kind == 'f')
        text_addf(&notes, "%sreads %s of server %s", notes.len ? ", " : "",
                  object_name_join(ctx, r->foreign_schema, r->foreign_table), r->server);
    return text_printable(ctx, notes.data);
}

static void add_relation(struct table *t, const struct catalog *c, const struct relation *r)
{
    bool stores = strchr("rpm", r->kind) != NULL;

    t->rows = mem_room(t->ctx, t->rows, struct row, t->count + 1);
    const char **row = t->rows[t->count++].cells;
    row[0] = cut(t->ctx, object_name_join(t->ctx, r->schema, r->name));
    row[1] = kind_text(r->kind);
    row[2] = mem_printf(t->ctx, "%zu", r->column_count);
    row[3] = !stores ? "" : r->rows < 0 ? "?" : text_count(t->ctx, r->rows);
    row[4] = stores ? text_bytes(t->ctx, r->bytes) : "";
    row[5] = notes_of(t->ctx, c, r);
}

static void count_of(struct text *out, size_t n, const char *one, const char *many)
{
    if (n)
        text_addf(out, ", %zu %s", n, n == 1 ? one : many);
}

static void title(struct text *out, const struct service_catalog *item)
{
    SCOPE(tmp);
    const struct catalog *c = item->catalog;

    text_addf(out, "%s", text_printable(tmp, item->service));
    if (item->instance)
        text_addf(out, " (%s)", text_printable(tmp, item->instance));
    text_addf(out, ": database %s, PostgreSQL %d.%d, %s relations",
              c->database ? text_printable(tmp, c->database) : "?", c->server_version / 10000,
              c->server_version % 10000, text_count(tmp, (long long)c->relation_count));
    count_of(out, c->function_count, "function", "functions");
    count_of(out, c->type_count, "type", "types");
    count_of(out, c->sequence_count, "sequence", "sequences");
    count_of(out, c->publication_count, "publication", "publications");
    count_of(out, c->subscription_count, "subscription", "subscriptions");
    text_addf(out, "\n  fingerprint %s\n", catalog_fingerprint(tmp, c));
}

static void print_rest(struct text *out, const struct catalog *c)
{
    SCOPE(tmp);

    for (size_t i = 0; i < c->history_count; i++)
        text_addf(out, "  migrations so far: %s, in %s\n", c->histories[i].tool,
                  text_printable(
                      tmp, object_name_join(tmp, c->histories[i].schema, c->histories[i].table)));
    for (size_t i = 0; i < c->server_count; i++)
        text_addf(out, "  foreign server %s: %s:%s, database %s\n",
                  text_printable(tmp, c->servers[i].name),
                  c->servers[i].host ? text_printable(tmp, c->servers[i].host) : "local",
                  c->servers[i].port ? text_printable(tmp, c->servers[i].port) : "5432",
                  c->servers[i].database ? text_printable(tmp, c->servers[i].database) : "?");
    if (c->unreadable_count)
        text_addf(out, "  could not be read: %zu\n", c->unreadable_count);
    for (size_t i = 0; i < c->unreadable_count; i++)
        text_addf(out, "    %s: %s\n", text_printable(tmp, c->unreadable[i].object),
                  text_printable(tmp, c->unreadable[i].reason));
}

void catalog_text(struct text *out, const struct service_catalog *item)
{
    SCOPE(tmp);
    const struct catalog *c = item->catalog;
    struct table t = { .ctx = tmp };

    title(out, item);
    t.rows = mem_room(tmp, t.rows, struct row, 1);
    t.rows[t.count++] = head;
    for (size_t i = 0; i < c->relation_count; i++)
        if (!is_partition(&c->relations[i]))
            add_relation(&t, c, &c->relations[i]);
    if (t.count > 1)
        table_print(out, &t);
    print_rest(out, c);
}
