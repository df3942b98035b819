#include "deploy/demo/traffic/traffic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 400, IDS = CHUNK * 21, TEXT = 96 };

/* One table of the ledger as the databases should have it. */
struct view {
    const char *table;
    const char *columns; /* two of them, after id */
    int service;
    bool users;
};

static int by_id(const void *a, const void *b)
{
    const struct row *left = a, *right = b;
    return left->id < right->id ? -1 : left->id > right->id;
}

static void id_list(const struct row *rows, const long long *ids, size_t count, char *out)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        long long id = rows != NULL ? rows[i].id : ids[i];
        at += (size_t)snprintf(out + at, IDS - at, "%s%lld", i == 0 ? "" : ",", id);
    }
}

static bool as_written(const struct view *view, const struct row *row, PGresult *result, int line)
{
    char first[TEXT], second[TEXT];
    if (view->users) {
        user_email(row, first, sizeof first);
        user_name(row, second, sizeof second);
    } else {
        snprintf(first, sizeof first, "%lld", row->key);
        snprintf(second, sizeof second, "%lld", row->version);
    }
    return strcmp(PQgetvalue(result, line, 1), first) == 0 &&
           strcmp(PQgetvalue(result, line, 2), second) == 0;
}

static void verify_chunk(struct client *client, const struct view *view, const struct row *rows,
                         size_t count)
{
    char ids[IDS];
    id_list(rows, NULL, count, ids);
    PGresult *result =
        link_ask(client, view->service, -1, "SELECT id, %s FROM %s WHERE id IN (%s) ORDER BY id",
                 view->columns, view->table, ids);
    int line = 0, lines = result == NULL ? 0 : PQntuples(result);
    for (size_t i = 0; result != NULL && i < count; i++) {
        if (line == lines || strtoll(PQgetvalue(result, line, 0), NULL, 10) != rows[i].id) {
            measure_wrong(client, "row %lld of %s is lost", rows[i].id, view->table);
            continue;
        }
        if (!as_written(view, &rows[i], result, line)) {
            measure_wrong(client, "row %lld of %s is (%.80s, %.80s), not what was written",
                          rows[i].id, view->table, PQgetvalue(result, line, 1),
                          PQgetvalue(result, line, 2));
        }
        line++;
    }
    PQclear(result);
}

static void verify_gone(struct client *client, const struct view *view, const long long *gone,
                        size_t count)
{
    char ids[IDS];
    id_list(NULL, gone, count, ids);
    link_do(client, view->service, 0, "SELECT id FROM %s WHERE id IN (%.1600s)", view->table, ids);
}

static void verify_ledger(struct client *client, const struct view *view, struct ledger *ledger)
{
    qsort(ledger->rows, ledger->count, sizeof *ledger->rows, by_id);
    for (size_t i = 0; i < ledger->count; i += CHUNK) {
        size_t left = ledger->count - i;
        verify_chunk(client, view, ledger->rows + i, left < CHUNK ? left : CHUNK);
    }
    /* few at a time: link_do's statement is short */
    for (size_t i = 0; i < ledger->gone_count; i += 64) {
        size_t left = ledger->gone_count - i;
        verify_gone(client, view, ledger->gone + i, left < 64 ? left : 64);
    }
}

void client_verify(struct client *client)
{
    client->doing = "verify";
    struct view users = { "users",
                          client_is_new(client) ? "email_address, full_name" : "email, full_name",
                          0, true };
    verify_ledger(client, &users, &client->users);
    for (int i = 0; i < client->setup->book_count; i++) {
        const struct book *book = &client->setup->books[i];
        char columns[128];
        snprintf(columns, sizeof columns, "user_id, %s", book->number);
        struct view view = { book->table, columns, book->service, false };
        verify_ledger(client, &view, &client->books[i]);
    }
    link_reset(client);
}
