#include "deploy/demo/traffic/traffic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first book is orders: its rows have items, and are read with the user's email beside. */
enum { ORDERS = 0, TEXT = 96 };

static PGresult *insert_row(struct client *client, const struct book *book, const struct row *row)
{
    bool review = strcmp(book->table, "reviews") == 0;
    return link_ask(client, book->service, 1,
                    "INSERT INTO %s (user_id, %s%s) VALUES (%lld, %lld%s) RETURNING id",
                    book->table, book->number, review ? ", product_id" : "", row->key, row->version,
                    review ? ", 1" : "");
}

static void check_row(struct client *client, const struct book *book, const struct row *row,
                      PGresult *result)
{
    long long user = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    long long number = strtoll(PQgetvalue(result, 0, 1), NULL, 10);
    if (user != row->key || number != row->version) {
        measure_wrong(client, "row %lld of %s is (%lld, %lld), expected (%lld, %lld)", row->id,
                      book->table, user, number, row->key, row->version);
    }
}

static bool read_back(struct client *client, const struct book *book, const struct row *row)
{
    PGresult *result =
        link_ask(client, book->service, 1, "SELECT user_id, %s FROM %s WHERE id = %lld",
                 book->number, book->table, row->id);
    if (result == NULL) {
        return false;
    }
    check_row(client, book, row, result);
    PQclear(result);
    return true;
}

static bool add_items(struct client *client, const struct book *book, const struct row *row)
{
    return link_do(client, book->service, 2,
                   "INSERT INTO order_items (order_id, line, product_id, price_cents) "
                   "VALUES (%lld, 1, 7, %lld), (%lld, 2, 8, 0)",
                   row->id, row->version, row->id) &&
           link_do(client, book->service, 1,
                   "INSERT INTO order_events (order_id, kind, created_at) "
                   "VALUES (%lld, 'placed', now())",
                   row->id) &&
           link_do(client, book->service, 1, "SELECT 1 WHERE order_total(%lld) = %lld", row->id,
                   row->version);
}

static enum outcome write_row(struct client *client, int which)
{
    const struct book *book = &client->setup->books[which];
    struct row *user = ledger_pick(client, &client->users);
    struct row row = { 0, user->id, client_random(client, 100000) };
    if (!link_do(client, book->service, -1, "BEGIN")) {
        return client->outcome;
    }
    PGresult *result = insert_row(client, book, &row);
    if (result == NULL) {
        return client->outcome;
    }
    row.id = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    if (which == ORDERS && !add_items(client, book, &row)) {
        return client->outcome;
    }
    if (read_back(client, book, &row) && link_do(client, book->service, -1, "COMMIT")) {
        ledger_add(&client->books[which], row);
    }
    return client->outcome;
}

static int any_book(struct client *client)
{
    return (int)client_random(client, client->setup->book_count);
}

enum outcome order_place(struct client *client)
{
    return write_row(client, ORDERS);
}

enum outcome book_write(struct client *client)
{
    return write_row(client, any_book(client));
}

/* A changed row sometimes changes hands too: user_id is what the migration copies. */
enum outcome book_change(struct client *client)
{
    int which = any_book(client);
    const struct book *book = &client->setup->books[which];
    struct row *row = ledger_pick(client, &client->books[which]);
    struct row next;
    if (row == NULL) {
        return client->outcome;
    }
    next = (struct row){ row->id, row->key, client_random(client, 100000) };
    if (client_random(client, 3) == 0) {
        next.key = ledger_pick(client, &client->users)->id;
    }
    if (link_do(client, book->service, -1, "BEGIN") &&
        link_do(client, book->service, 1, "UPDATE %s SET user_id = %lld, %s = %lld WHERE id = %lld",
                book->table, next.key, book->number, next.version, row->id) &&
        read_back(client, book, &next) && link_do(client, book->service, -1, "COMMIT")) {
        *row = next;
    }
    return client->outcome;
}

enum outcome book_read(struct client *client)
{
    int which = any_book(client);
    struct row *row = ledger_pick(client, &client->books[which]);
    if (row != NULL) {
        read_back(client, &client->setup->books[which], row);
    }
    return client->outcome;
}

/* orders asks the users database for the email through its foreign table. */
enum outcome order_contact(struct client *client)
{
    struct row *user = ledger_pick(client, &client->users);
    char email[TEXT];
    user_email(user, email, sizeof email);
    PGresult *result =
        link_ask(client, client->setup->books[ORDERS].service, -1,
                 "SELECT order_id, email FROM order_contacts WHERE user_id = %lld", user->id);
    for (int i = 0; result != NULL && i < PQntuples(result); i++) {
        if (strcmp(PQgetvalue(result, i, 1), email) != 0) {
            measure_wrong(client, "contact of order %s is %.80s, expected %.80s",
                          PQgetvalue(result, i, 0), PQgetvalue(result, i, 1), email);
        }
    }
    PQclear(result);
    return client->outcome;
}
