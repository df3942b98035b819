#include "deploy/demo/traffic/traffic.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/prctl.h>

static const struct kind {
    const char *name;
    int weight; /* percent */
    enum outcome (*run)(struct client *client);
} KINDS[] = {
    { "change a user", 18, user_change },
    { "read a user", 14, user_read },
    { "look a user up", 6, user_lookup },
    { "sign up", 8, user_sign_up },
    { "leave", 2, user_leave },
    { "place an order", 12, order_place },
    { "order's contact", 12, order_contact },
    { "write", 10, book_write },
    { "change", 10, book_change },
    { "read", 8, book_read },
};

static void pause_ms(long ms)
{
    usleep((useconds_t)(ms * 1000));
}

/* The latency of a transaction is what its user waits: from the first try to the last. */
static void client_transact(struct client *client)
{
    const struct kind *kind = KINDS;
    long long dice = client_random(client, 100);
    while (dice >= kind->weight) {
        dice -= kind->weight;
        kind++;
    }
    client->doing = kind->name;
    double start = seconds_now();
    for (int try = 0;; try++) {
        client->outcome = OUTCOME_DONE;
        enum outcome outcome = kind->run(client);
        if (outcome == OUTCOME_DONE) {
            break;
        }
        link_reset(client);
        if (outcome == OUTCOME_FAILED) {
            break;
        }
        if (try == 20) {
            measure_failed(client, "retry", "given up after 20 tries");
            break;
        }
        client->window->retries++;
        pause_ms(1 + client_random(client, 10));
    }
    measure_latency(client->window, kind->name, (seconds_now() - start) * 1000);
}

static bool client_enter(struct client *client)
{
    phase_current(&client->phase);
    client->window = &client->windows[client->phase.number];
    if (client->phase.action != ACTION_RUN) {
        client_verify(client);
    }
    client->seen = client->phase.number;
    return client->phase.action != ACTION_STOP;
}

static void *client_run(void *argument)
{
    struct client *client = argument;
    ledger_seed(client);
    for (;;) {
        if (client->seen != phase_number() && !client_enter(client)) {
            return NULL;
        }
        if (client->seen == 0 || client->phase.action != ACTION_RUN) {
            pause_ms(5);
            continue;
        }
        client_transact(client);
        pause_ms(client_random(client, 2 * client->setup->think_ms + 1));
    }
}

static int seen_by_all(const struct setup *setup, struct client *clients)
{
    int least = phase_number();
    for (int i = 0; i < setup->clients; i++) {
        int seen = clients[i].seen;
        least = seen < least ? seen : least;
    }
    return least;
}

static void watch(const struct setup *setup, struct client *clients)
{
    struct phase phase = { 0 };
    for (int beat = 0;; beat++) {
        if (phase_read(setup->phase_path)) {
            phase_current(&phase);
        }
        int seen = seen_by_all(setup, clients);
        if (beat % 10 == 0 || seen == phase_number()) {
            if (!measure_status(setup, clients, seen)) {
                fprintf(stderr, "%s cannot be written\n", setup->status_path);
            }
        }
        if (phase.action == ACTION_STOP && seen == phase.number) {
            return;
        }
        pause_ms(20);
    }
}

int main(int argc, char **argv)
{
    static struct setup setup;
    if (argc != 2 || !setup_read(argv[1], &setup)) {
        fprintf(stderr, "usage: demo-traffic CONFIG.json\n");
        return 1;
    }
    /* it ends with whoever started it */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct client *clients = calloc((size_t)setup.clients, sizeof *clients);
    if (clients == NULL) {
        return 1;
    }
    for (int i = 0; i < setup.clients; i++) {
        clients[i].number = i;
        clients[i].setup = &setup;
        clients[i].random = 2463534242U + (unsigned)i * 7919U;
        clients[i].windows = calloc(MAX_WINDOWS, sizeof *clients[i].windows);
        if (clients[i].windows == NULL) {
            return 1;
        }
    }
    for (int i = 0; i < setup.clients; i++) {
        if (pthread_create(&clients[i].thread, NULL, client_run, &clients[i]) != 0) {
            return 1;
        }
    }
    watch(&setup, clients);
    for (int i = 0; i < setup.clients; i++) {
        pthread_join(clients[i].thread, NULL);
    }
    if (!measure_report(&setup, clients, phase_number())) {
        fprintf(stderr, "%s cannot be written\n", setup.report_path);
        return 1;
    }
    return 0;
}
