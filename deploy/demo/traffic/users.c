#include "deploy/demo/traffic/traffic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { USERS = 0, TEXT = 96 };

bool client_is_new(const struct client *client)
{
    return client->phase.shape == SHAPE_NEW ||
           (client->phase.shape == SHAPE_MIX && client->number % 2 == 1);
}

static const char *email_column(const struct client *client)
{
    return client_is_new(client) ? "email_address" : "email";
}

static bool same(struct client *client, const char *what, long long id, const char *found,
                 const char *expected)
{
    if (strcmp(found, expected) == 0) {
        return true;
    }
    measure_wrong(client, "%s of user %lld is %.80s, expected %.80s", what, id, found, expected);
    return false;
}

static void compare(struct client *client, const struct row *user, PGresult *result)
{
    char email[TEXT], name[TEXT];
    user_email(user, email, sizeof email);
    user_name(user, name, sizeof name);
    if (same(client, "email", user->id, PQgetvalue(result, 0, 0), email)) {
        same(client, "name", user->id, PQgetvalue(result, 0, 1), name);
    }
}

enum outcome user_change(struct client *client)
{
    struct row *user = ledger_pick(client, &client->users);
    struct row next = { user->id, user->key, user->version + 1 };
    char email[TEXT], name[TEXT];
    const char *column = email_column(client);
    user_email(&next, email, sizeof email);
    user_name(&next, name, sizeof name);
    if (!link_do(client, USERS, -1, "BEGIN") ||
        !link_do(client, USERS, 1, "UPDATE users SET %s = '%s', full_name = '%s' WHERE id = %lld",
                 column, email, name, user->id)) {
        return client->outcome;
    }
    PGresult *result = link_ask(client, USERS, 1, "SELECT %s, full_name FROM users WHERE id = %lld",
                                column, user->id);
    if (result == NULL) {
        return client->outcome;
    }
    compare(client, &next, result);
    PQclear(result);
    if (link_do(client, USERS, -1, "COMMIT")) {
        user->version = next.version;
    }
    return client->outcome;
}

/* While both shapes live, the two columns must say the same. */
enum outcome user_read(struct client *client)
{
    struct row *user = ledger_pick(client, &client->users);
    bool both = client->phase.shape == SHAPE_MIX;
    PGresult *result =
        link_ask(client, USERS, 1, "SELECT %s, full_name%s FROM users WHERE id = %lld",
                 email_column(client), both ? ", email, email_address" : "", user->id);
    if (result == NULL) {
        return client->outcome;
    }
    compare(client, user, result);
    if (both) {
        same(client, "new column", user->id, PQgetvalue(result, 0, 3), PQgetvalue(result, 0, 2));
    }
    PQclear(result);
    return client->outcome;
}

/* Through the view and the functions, whose names stay. */
enum outcome user_lookup(struct client *client)
{
    struct row *user = ledger_pick(client, &client->users);
    char email[TEXT];
    user_email(user, email, sizeof email);
    PGresult *result = link_ask(client, USERS, 1,
                                "SELECT user_email(%lld), name_of('%s'), "
                                "(SELECT email FROM active_users WHERE id = %lld)",
                                user->id, email, user->id);
    if (result == NULL) {
        return client->outcome;
    }
    compare(client, user, result);
    if (!PQgetisnull(result, 0, 2)) {
        same(client, "email in the view", user->id, PQgetvalue(result, 0, 2), email);
    }
    PQclear(result);
    return client->outcome;
}

static PGresult *insert_user(struct client *client, const struct row *user, bool wide)
{
    char email[TEXT], name[TEXT], id[32] = "";
    user_email(user, email, sizeof email);
    user_name(user, name, sizeof name);
    if (wide) {
        snprintf(id, sizeof id, "%lld, ", user->key);
    }
    return link_ask(client, USERS, 1,
                    "INSERT INTO users (%s%s, full_name, country) VALUES (%s'%s', '%s', 'PL') "
                    "RETURNING id",
                    wide ? "id, " : "", email_column(client), id, email, name);
}

enum outcome user_sign_up(struct client *client)
{
    bool wide = client->phase.wide && client->serial % 3 == 0;
    /* above 2^31 for those who give their own id */
    struct row user = { 0, 3000000000 + client->number * 10000000LL + ++client->serial, 0 };
    if (!link_do(client, USERS, -1, "BEGIN")) {
        return client->outcome;
    }
    PGresult *result = insert_user(client, &user, wide);
    if (result == NULL) {
        return client->outcome;
    }
    user.id = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    if (!link_do(client, USERS, 1,
                 "INSERT INTO addresses (user_id, street, city) VALUES (%lld, 'Main', 'Town')",
                 user.id) ||
        !link_do(client, USERS, 1, "INSERT INTO sessions (user_id) VALUES (%lld)", user.id)) {
        return client->outcome;
    }
    result = link_ask(client, USERS, 1,
                      "SELECT u.%s, u.full_name FROM users u JOIN addresses a ON a.user_id = u.id "
                      "JOIN sessions s ON s.user_id = u.id WHERE u.id = %lld",
                      email_column(client), user.id);
    if (result == NULL) {
        return client->outcome;
    }
    compare(client, &user, result);
    PQclear(result);
    if (link_do(client, USERS, -1, "COMMIT")) {
        ledger_add(&client->users, user);
    }
    return client->outcome;
}

/* Only users who signed up here leave; their addresses and sessions go along by the foreign key. */
enum outcome user_leave(struct client *client)
{
    struct row *user = ledger_pick(client, &client->users);
    if (user->key < 3000000000) {
        return user_read(client);
    }
    if (link_do(client, USERS, 1, "DELETE FROM users WHERE id = %lld", user->id)) {
        ledger_remove(&client->users, user);
    }
    return client->outcome;
}
