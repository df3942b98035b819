#include "controller/rollout/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"

enum { LETTERS_MOST = 256 }; /* the engine takes as many in one turn */

struct letter {
    struct report report; /* first: a report is its letter */
    struct letter *next;
};

struct mailbox {
    pthread_mutex_t lock;
    pthread_cond_t filled, drained;
    size_t count;
    struct letter *first, *last;
};

static int mailbox_close(struct mailbox *mailbox)
{
    for (struct letter *l = mailbox->first, *next; l; l = next) {
        next = l->next;
        talloc_free(l);
    }
    pthread_cond_destroy(&mailbox->filled);
    pthread_cond_destroy(&mailbox->drained);
    pthread_mutex_destroy(&mailbox->lock);
    return 0;
}

struct mailbox *mailbox_new(const void *ctx)
{
    struct mailbox *mailbox = mem_new(ctx, struct mailbox);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&mailbox->lock, NULL);
    pthread_cond_init(&mailbox->filled, &monotonic);
    pthread_cond_init(&mailbox->drained, &monotonic);
    pthread_condattr_destroy(&monotonic);
    talloc_set_destructor(mailbox, mailbox_close);
    return mailbox;
}

struct report *report_new(enum report_kind kind, size_t task, int attempt, json_t *body)
{
    struct letter *letter = mem_new(NULL, struct letter);
    letter->report = (struct report){ .kind = kind, .task = task, .attempt = attempt };
    if (body)
        letter->report.body = json_own(letter, body);
    return &letter->report;
}

void mailbox_send(struct mailbox *mailbox, struct report *report)
{
    struct letter *letter = (struct letter *)report;
    pthread_mutex_lock(&mailbox->lock);
    if (mailbox->last)
        mailbox->last->next = letter;
    else
        mailbox->first = letter;
    mailbox->last = letter;
    mailbox->count++;
    pthread_cond_signal(&mailbox->filled);
    pthread_mutex_unlock(&mailbox->lock);
}

static struct timespec deadline_in(int64_t ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += (ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

struct report *mailbox_receive(struct mailbox *mailbox, const void *ctx, int64_t timeout_ms)
{
    struct timespec until = deadline_in(timeout_ms);
    pthread_mutex_lock(&mailbox->lock);
    int waited = timeout_ms > 0 ? 0 : ETIMEDOUT;
    while (!mailbox->first && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&mailbox->filled, &mailbox->lock, &until);
    struct letter *letter = mailbox->first;
    if (letter) {
        mailbox->first = letter->next;
        if (!mailbox->first)
            mailbox->last = NULL;
        if (mailbox->count-- == LETTERS_MOST)
            pthread_cond_broadcast(&mailbox->drained);
    }
    pthread_mutex_unlock(&mailbox->lock);
    if (!letter)
        return NULL;
    letter->next = NULL;
    mem_give(ctx, letter);
    return &letter->report;
}

bool mailbox_room(struct mailbox *mailbox, int64_t timeout_ms)
{
    struct timespec until = deadline_in(timeout_ms);
    int waited = 0;
    pthread_mutex_lock(&mailbox->lock);
    while (mailbox->count >= LETTERS_MOST && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&mailbox->drained, &mailbox->lock, &until);
    bool room = mailbox->count < LETTERS_MOST;
    pthread_mutex_unlock(&mailbox->lock);
    return room;
}
