#include "deploy/demo/traffic/traffic.h"

#include <stdio.h>
#include <stdlib.h>

static void *grown(void *items, size_t room, size_t size)
{
    void *more = reallocarray(items, room, size);
    if (more == NULL) {
        abort();
    }
    return more;
}

struct row *ledger_add(struct ledger *ledger, struct row row)
{
    if (ledger->count == ledger->room) {
        ledger->room = ledger->room == 0 ? 1024 : ledger->room * 2;
        ledger->rows = grown(ledger->rows, ledger->room, sizeof *ledger->rows);
    }
    ledger->rows[ledger->count] = row;
    return &ledger->rows[ledger->count++];
}

void ledger_remove(struct ledger *ledger, struct row *row)
{
    if (ledger->gone_count == ledger->gone_room) {
        ledger->gone_room = ledger->gone_room == 0 ? 1024 : ledger->gone_room * 2;
        ledger->gone = grown(ledger->gone, ledger->gone_room, sizeof *ledger->gone);
    }
    ledger->gone[ledger->gone_count++] = row->id;
    *row = ledger->rows[--ledger->count];
}

struct row *ledger_pick(struct client *client, struct ledger *ledger)
{
    if (ledger->count == 0) {
        return NULL;
    }
    return &ledger->rows[client_random(client, (long long)ledger->count)];
}

/* Seeded rows whose id ends with 3, dealt out among the clients. */
void ledger_seed(struct client *client)
{
    const struct setup *setup = client->setup;
    int step = 10 * setup->clients, first = 10 * client->number + 3;
    for (long long id = first; id <= setup->rows; id += step) {
        ledger_add(&client->users, (struct row){ id, id, 0 });
    }
    for (int i = 0; i < setup->book_count; i++) {
        for (long long id = first; id <= setup->books[i].rows; id += step) {
            ledger_add(&client->books[i], (struct row){ id, 1 + id % setup->rows, id % 1000 });
        }
    }
}

void user_email(const struct row *user, char *out, size_t size)
{
    if (user->version == 0) {
        snprintf(out, size, "user%lld@example.org", user->key);
    } else {
        snprintf(out, size, "user%lld.%lld@example.org", user->key, user->version);
    }
}

void user_name(const struct row *user, char *out, size_t size)
{
    if (user->version == 0) {
        snprintf(out, size, "User %lld", user->key);
    } else {
        snprintf(out, size, "User %lld the %lldth", user->key, user->version);
    }
}

/* xorshift32: repeatable, one state a client */
long long client_random(struct client *client, long long below)
{
    unsigned x = client->random;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    client->random = x;
    return (long long)(x % (unsigned long long)below);
}
