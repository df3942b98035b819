#include "deploy/demo/traffic/traffic.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROBLEMS = 20 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char problems[PROBLEMS][760];
static int problem_count;

static void problem(const struct client *client, const char *what, const char *message)
{
    pthread_mutex_lock(&lock);
    if (problem_count < PROBLEMS) {
        snprintf(problems[problem_count++], sizeof problems[0], "%s, client %d, %s: %s: %s",
                 client->phase.label, client->number, client->doing, what, message);
    }
    pthread_mutex_unlock(&lock);
}

void measure_wrong(struct client *client, const char *format, ...)
{
    char message[600];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    client->window->wrong++;
    problem(client, "wrong", message);
}

void measure_failed(struct client *client, const char *sqlstate, const char *message)
{
    client->window->failed++;
    problem(client, sqlstate, message);
}

/* Bucket n holds latencies from 0.01 * 1.05^n ms; the last ones reach two hours. */
void measure_latency(struct window *window, const char *doing, double ms)
{
    int bucket = ms <= 0.01 ? 0 : (int)(log(ms / 0.01) / log(1.05));
    window->buckets[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    window->transactions++;
    if (ms > window->max_ms) {
        window->max_ms = ms;
        snprintf(window->slowest, sizeof window->slowest, "%s", doing);
    }
}

static double percentile(const struct window *window, double share)
{
    double wanted = (double)window->transactions * share, sum = 0;
    for (int i = 0; i < BUCKETS; i++) {
        sum += window->buckets[i];
        if (sum >= wanted && sum > 0) {
            return 0.01 * pow(1.05, i + 1);
        }
    }
    return 0;
}

static void add_up(struct window *to, const struct window *from)
{
    to->transactions += from->transactions;
    to->failed += from->failed;
    to->wrong += from->wrong;
    to->retries += from->retries;
    for (int i = 0; i < BUCKETS; i++) {
        to->buckets[i] += from->buckets[i];
    }
    if (from->max_ms > to->max_ms) {
        to->max_ms = from->max_ms;
        memcpy(to->slowest, from->slowest, sizeof to->slowest);
    }
}

static json_t *window_json(const struct window *window, const char *label, double seconds)
{
    return json_pack("{s:s, s:f, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:s}", "window", label,
                     "seconds", seconds, "transactions", (json_int_t)window->transactions, "failed",
                     (json_int_t)window->failed, "wrong", (json_int_t)window->wrong, "retries",
                     (json_int_t)window->retries, "p50_ms", percentile(window, 0.50), "p99_ms",
                     percentile(window, 0.99), "max_ms", window->max_ms, "slowest",
                     window->slowest);
}

/* Whole or not at all: readers never see half a file. */
static bool write_json(const char *path, json_t *value)
{
    char fresh[4096];
    snprintf(fresh, sizeof fresh, "%s.new", path);
    bool good = json_dump_file(value, fresh, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) == 0 &&
                rename(fresh, path) == 0;
    json_decref(value);
    return good;
}

/* The counters are read while clients count: what a reader sees may be a moment old. */
bool measure_status(const struct setup *setup, struct client *clients, int seen)
{
    long long transactions = 0, failed = 0, wrong = 0;
    for (int i = 0; i < setup->clients; i++) {
        for (int w = 0; w < MAX_WINDOWS; w++) {
            transactions += clients[i].windows[w].transactions;
            failed += clients[i].windows[w].failed;
            wrong += clients[i].windows[w].wrong;
        }
    }
    return write_json(setup->status_path,
                      json_pack("{s:i, s:I, s:I, s:I}", "phase", seen, "transactions",
                                (json_int_t)transactions, "failed", (json_int_t)failed, "wrong",
                                (json_int_t)wrong));
}

static long long rows_held(const struct setup *setup, const struct client *clients)
{
    long long rows = 0;
    for (int i = 0; i < setup->clients; i++) {
        rows += (long long)clients[i].users.count;
        for (int b = 0; b < setup->book_count; b++) {
            rows += (long long)clients[i].books[b].count;
        }
    }
    return rows;
}

bool measure_report(const struct setup *setup, struct client *clients, int last)
{
    json_t *windows = json_array(), *texts = json_array();
    struct window *all = calloc(2, sizeof *all);
    if (all == NULL) {
        return false;
    }
    for (int w = 1; w <= last; w++) {
        struct window *sum = &all[1];
        memset(sum, 0, sizeof *sum);
        for (int i = 0; i < setup->clients; i++) {
            add_up(sum, &clients[i].windows[w]);
        }
        add_up(&all[0], sum);
        if (phase_label(w)[0] != '\0') {
            json_array_append_new(
                windows, window_json(sum, phase_label(w), phase_started(w + 1) - phase_started(w)));
        }
    }
    for (int i = 0; i < problem_count; i++) {
        json_array_append_new(texts, json_string_nocheck(problems[i]));
    }
    json_t *report = json_pack("{s:i, s:I, s:o, s:o, s:o}", "clients", setup->clients,
                               "rows_checked", (json_int_t)rows_held(setup, clients), "all",
                               window_json(&all[0], "all", seconds_now() - phase_started(1)),
                               "windows", windows, "problems", texts);
    free(all);
    return report != NULL && write_json(setup->report_path, report);
}
