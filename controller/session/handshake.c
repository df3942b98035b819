#include "controller/session/handshake.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <uthash.h>

#include "agents/base/clock.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

struct handshake_host {
    char name[320]; /* host name (at most 253 bytes), port */
    int running;
    UT_hash_handle hh;
};

/* One entry a host of the fleet, kept until the program ends. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_ended = PTHREAD_COND_INITIALIZER;
static struct handshake_host *hosts;

struct handshake_host *handshake_begin(const struct instance *target)
{
    if (target->transport == TRANSPORT_LOCAL)
        return NULL;
    char name[sizeof(((struct handshake_host *)NULL)->name)];
    snprintf(name, sizeof(name), "%s:%d", target->host, target->port);
    struct handshake_host *host = NULL;
    pthread_mutex_lock(&lock);
    HASH_FIND_STR(hosts, name, host);
    if (!host) {
        host = mem_new(NULL, struct handshake_host);
        memcpy(host->name, name, sizeof(name));
        HASH_ADD_STR(hosts, name, host);
    }
    while (host->running >= HANDSHAKES_PER_HOST)
        pthread_cond_wait(&turn_ended, &lock);
    host->running++;
    pthread_mutex_unlock(&lock);
    return host;
}

void handshake_end(struct handshake_host **turn)
{
    if (!*turn)
        return;
    pthread_mutex_lock(&lock);
    (*turn)->running--;
    pthread_cond_broadcast(&turn_ended);
    pthread_mutex_unlock(&lock);
}

/* What sshd's random drop looks like: the connection is closed during the handshake. */
bool handshake_worth_retry(const struct instance *target, const struct error *err, int attempt)
{
    if (attempt >= HANDSHAKE_ATTEMPTS || target->transport == TRANSPORT_LOCAL)
        return false;
    return err->code == ERROR_CONNECT &&
           (strstr(err->message, "closed the connection during the handshake") ||
            strstr(err->message, "kex_exchange_identification"));
}

void handshake_pause(int attempt)
{
    uint32_t random = 0;
    if (getrandom(&random, sizeof(random), 0) != sizeof(random))
        random = 50;
    clock_sleep_ms((int64_t)attempt * (50 + random % 100));
}
