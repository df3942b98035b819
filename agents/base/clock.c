#include "agents/base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_wall_ms(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_mono_ms(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

void clock_sleep_ms(int64_t ms)
{
    if (ms <= 0)
        return;
    struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000 };
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

const char *clock_rfc3339(const void *ctx, int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    char date[32];
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
    if (wall_ms % 1000 == 0)
        return mem_printf(ctx, "%sZ", date);
    return mem_printf(ctx, "%s.%03dZ", date, (int)(wall_ms % 1000));
}

/* Reads exactly `digits` digits; -1 when there are fewer. */
static int number(const char **s, int digits)
{
    int n = 0;
    for (int i = 0; i < digits; i++, (*s)++) {
        if (!isdigit((unsigned char)**s))
            return -1;
        n = n * 10 + (**s - '0');
    }
    return n;
}

static int days_of(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static bool date_and_time(const char **s, struct tm *tm)
{
    static const struct {
        int digits;
        char after;
    } shape[] = { { 4, '-' }, { 2, '-' }, { 2, 'T' }, { 2, ':' }, { 2, ':' }, { 2, 0 } };
    int v[6];
    for (int i = 0; i < 6; i++) {
        v[i] = number(s, shape[i].digits);
        if (v[i] < 0)
            return false;
        if (shape[i].after && toupper((unsigned char)*(*s)++) != shape[i].after)
            return false;
    }
    *tm = (struct tm){ .tm_year = v[0] - 1900, .tm_mon = v[1] - 1, .tm_mday = v[2] };
    tm->tm_hour = v[3];
    tm->tm_min = v[4];
    tm->tm_sec = v[5];
    return v[1] >= 1 && v[1] <= 12 && v[2] >= 1 && v[2] <= days_of(v[0], v[1]) && v[3] < 24 &&
           v[4] < 60 && v[5] <= 60;
}

/* -1 when the point has no digit behind it. */
static int fraction_ms(const char **s)
{
    if (**s != '.')
        return 0;
    if (!isdigit((unsigned char)(*s)[1]))
        return -1;
    int ms = 0;
    int scale = 100;
    for ((*s)++; isdigit((unsigned char)**s); (*s)++, scale /= 10)
        ms += (**s - '0') * scale;
    return ms;
}

static bool zone_seconds(const char *s, int *offset)
{
    *offset = 0;
    if (toupper((unsigned char)*s) == 'Z')
        return s[1] == '\0';
    int sign = *s == '-' ? -1 : *s == '+' ? 1 : 0;
    if (!sign)
        return false;
    s++;
    int hours = number(&s, 2);
    if (hours < 0 || hours > 23 || *s++ != ':')
        return false;
    int minutes = number(&s, 2);
    *offset = sign * (hours * 3600 + minutes * 60);
    return minutes >= 0 && minutes < 60 && *s == '\0';
}

bool clock_parse_rfc3339(const char *s, int64_t *wall_ms, struct error *err)
{
    const char *p = s;
    struct tm tm;
    int offset = 0;
    if (!date_and_time(&p, &tm))
        return fail(err, ERROR_INVALID, "\"%s\" is no RFC 3339 time", s);
    int ms = fraction_ms(&p);
    if (ms < 0 || !zone_seconds(p, &offset))
        return fail(err, ERROR_INVALID, "\"%s\" is no RFC 3339 time: its end is wrong", s);
    *wall_ms = ((int64_t)timegm(&tm) - offset) * 1000 + ms;
    return true;
}

bool clock_parse_duration(const char *s, int64_t *ms, struct error *err)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } };
    char *end = NULL;
    errno = 0;
    long long n = isdigit((unsigned char)*s) ? strtoll(s, &end, 10) : -1;
    /* Ten years, so that sums of durations cannot overflow. */
    for (size_t i = 0; n >= 0 && errno == 0 && i < sizeof(units) / sizeof(units[0]); i++)
        if (text_eq(end, units[i].name) && n <= 3650LL * 86400000 / units[i].ms) {
            *ms = n * units[i].ms;
            return true;
        }
    return fail(err, ERROR_INVALID, "\"%s\" is no duration; write 200ms, 3s, 5m, 2h or 14d", s);
}
