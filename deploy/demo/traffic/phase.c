#include "deploy/demo/traffic/traffic.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct phase current;
static atomic_int number;
static char labels[MAX_WINDOWS][48];
static double starts[MAX_WINDOWS];

double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int choice(const char *word, const char *first, const char *second)
{
    return strcmp(word, first) == 0 ? 0 : strcmp(word, second) == 0 ? 1 : 2;
}

bool phase_read(const char *path)
{
    struct phase next = { 0 };
    const char *label = "", *action = "", *shape = "";
    int wide = 0;
    json_t *file = json_load_file(path, 0, NULL);
    if (json_unpack(file, "{s:i, s:s, s:s, s:s, s:b}", "number", &next.number, "label", &label,
                    "action", &action, "shape", &shape, "wide", &wide) != 0 ||
        next.number <= number || next.number >= MAX_WINDOWS) {
        json_decref(file);
        return false;
    }
    snprintf(next.label, sizeof next.label, "%s", label);
    next.action = (enum action)choice(action, "run", "verify");
    next.shape = (enum shape)choice(shape, "old", "new");
    next.wide = wide != 0;
    json_decref(file);
    pthread_mutex_lock(&lock);
    /* numbers that were left out ended when they began */
    for (int i = number + 1; i <= next.number; i++) {
        starts[i] = seconds_now();
        snprintf(labels[i], sizeof labels[i], "%s", i == next.number ? next.label : "");
    }
    current = next;
    number = next.number;
    pthread_mutex_unlock(&lock);
    return true;
}

void phase_current(struct phase *out)
{
    pthread_mutex_lock(&lock);
    *out = current;
    pthread_mutex_unlock(&lock);
}

int phase_number(void)
{
    return number;
}

const char *phase_label(int which)
{
    return labels[which];
}

double phase_started(int which)
{
    return which <= number ? starts[which] : seconds_now();
}
