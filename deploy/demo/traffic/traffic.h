/*
 * The demo's traffic: clients of a shop that write, read back what they wrote, and keep a ledger of
 * every row that is theirs, while flotilla changes the schema under them.
 *
 *     demo-traffic CONFIG.json
 *
 * CONFIG.json: {"clients": 8, "think_ms": 20, "rows": 200000, "phase": FILE, "status": FILE,
 * "report": FILE, "services": {"users": "conninfo", …},
 * "books": [{"service", "table", "number", "rows"}, …]}. A book is a table with the columns id,
 * user_id and a bigint whose name is "number"; row n of its seed has user_id 1 + n % rows and the
 * number n % 1000. Clients touch only seeded rows whose id ends with 3, and rows of their own: what
 * lies under the other nine tenths must stay as it was loaded, and others can checksum it.
 *
 * The phase file tells the clients what is deployed: {"number", "label", "action", "shape",
 * "wide"}. action: run, verify (check the whole ledger, then wait), stop (the same, then end).
 * shape of the users table that they know: old (email), new (email_address), mix (every second
 * client is new). wide: they sign up users whose ids do not fit an integer. When every client has
 * taken the phase over (verify: has verified), its number is in the status file. The report is
 * written at the end.
 *
 * Failed: any SQL error, except serialization failures, deadlocks and lock timeouts of the client's
 * own, which a client tries again as an application would (counted as retries). Wrong: a value that
 * is not what the client wrote last, a row that is missing, a deleted row that is back.
 */
#ifndef DEPLOY_DEMO_TRAFFIC_TRAFFIC_H
#define DEPLOY_DEMO_TRAFFIC_TRAFFIC_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <libpq-fe.h>

enum { MAX_BOOKS = 8, MAX_SERVICES = 16, MAX_WINDOWS = 64, BUCKETS = 420 };

struct book {
    const char *table;
    const char *number; /* the name of its bigint column */
    int service;        /* index of setup.services */
    long long rows;     /* seeded */
};

struct service {
    const char *name;
    const char *conninfo;
};

struct setup {
    int clients;
    int think_ms;
    long long rows; /* seeded users */
    const char *phase_path;
    const char *status_path;
    const char *report_path;
    struct service services[MAX_SERVICES]; /* the first is users */
    int service_count;
    struct book books[MAX_BOOKS]; /* the first is orders */
    int book_count;
};

enum action { ACTION_RUN, ACTION_VERIFY, ACTION_STOP };
enum shape { SHAPE_OLD, SHAPE_NEW, SHAPE_MIX };

struct phase {
    int number;
    char label[48];
    enum action action;
    enum shape shape;
    bool wide;
};

/* Latencies of one client in one window: exact maximum, and buckets 5 % wide for percentiles. */
struct window {
    long long transactions;
    long long failed;
    long long wrong;
    long long retries;
    unsigned buckets[BUCKETS];
    double max_ms;
    char slowest[40]; /* which kind of transaction it was */
};

/* A row that belongs to one client. For users: key makes name and email, version counts changes of
 * them. For a book: key is user_id, version the number. */
struct row {
    long long id;
    long long key;
    long long version;
};

struct ledger {
    struct row *rows;
    size_t count;
    size_t room;
    long long *gone; /* ids that were deleted */
    size_t gone_count;
    size_t gone_room;
};

/* How a transaction ends. */
enum outcome { OUTCOME_DONE, OUTCOME_RETRY, OUTCOME_FAILED };

struct client {
    int number;
    const struct setup *setup;
    PGconn *links[MAX_SERVICES];
    struct ledger users;
    struct ledger books[MAX_BOOKS];
    struct phase phase;
    struct window *windows; /* MAX_WINDOWS of them, by phase.number */
    struct window *window;  /* the one of the phase */
    const char *doing;      /* the kind of transaction */
    enum outcome outcome;   /* how it went so far */
    unsigned random;
    long long serial; /* makes keys of new users */
    atomic_int seen;  /* the number of the phase that it has taken over */
    pthread_t thread;
};

/* setup.c: reads CONFIG.json; says on stderr what is wrong with it. */
bool setup_read(const char *path, struct setup *out);

/* phase.c: the phase that all clients should be in; phase_read is for the main thread, which
 * publishes what it finds; false when nothing is new. */
bool phase_read(const char *path);
void phase_current(struct phase *out);
int phase_number(void);
const char *phase_label(int number);
double phase_started(int number); /* seconds, monotonic clock; of phase_number() + 1: now */
double seconds_now(void);

/* ledger.c: what belongs to whom. ledger_pick gives NULL when there is none. */
void ledger_seed(struct client *client);
struct row *ledger_add(struct ledger *ledger, struct row row);
struct row *ledger_pick(struct client *client, struct ledger *ledger);
void ledger_remove(struct ledger *ledger, struct row *row);
void user_email(const struct row *user, char *out, size_t size);
void user_name(const struct row *user, char *out, size_t size);
long long client_random(struct client *client, long long below);

/* link.c: one statement. NULL after an error, which is in client->outcome. `rows` is the count that
 * must come back or be touched (-1: any); another count is recorded as wrong. */
PGresult *link_ask(struct client *client, int service, int rows, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
bool link_do(struct client *client, int service, int rows, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void link_reset(struct client *client);

/* measure.c */
void measure_latency(struct window *window, const char *doing, double ms);
void measure_wrong(struct client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void measure_failed(struct client *client, const char *sqlstate, const char *message);
bool measure_status(const struct setup *setup, struct client *clients, int seen);
bool measure_report(const struct setup *setup, struct client *clients, int last);

/* users.c, books.c: one transaction each; verify.c: the whole ledger against the databases. */
bool client_is_new(const struct client *client);
enum outcome user_change(struct client *client);
enum outcome user_read(struct client *client);
enum outcome user_lookup(struct client *client);
enum outcome user_sign_up(struct client *client);
enum outcome user_leave(struct client *client);
enum outcome order_place(struct client *client);
enum outcome order_contact(struct client *client);
enum outcome book_write(struct client *client);
enum outcome book_change(struct client *client);
enum outcome book_read(struct client *client);
void client_verify(struct client *client);

#endif
