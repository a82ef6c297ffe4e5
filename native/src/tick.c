/* The only place in C that reads a clock; see tick.h. */
#define _DEFAULT_SOURCE
#include "tick.h"

#include <sys/timex.h>
#include <time.h>

static const int64_t NS_PER_S = 1000000000;

static int64_t read_clock(clockid_t clock)
{
    struct timespec now = {0};

    /* Both clocks exist on every system this runs on, so the call cannot fail; were it to, zero is
     * returned and the snapshot's time visibly stands still. */
    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * NS_PER_S + (int64_t)now.tv_nsec;
}

uint64_t tick_monotonic_ns(void)
{
    return (uint64_t)read_clock(CLOCK_MONOTONIC);
}

int64_t tick_utc_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

int32_t tick_utc_synchronised(void)
{
    struct timex told = {0}; /* no mode: nothing is adjusted */

    return adjtimex(&told) >= 0 && (told.status & STA_UNSYNC) == 0;
}

void tick_sleep_until(uint64_t due_ns)
{
    struct timespec due = {.tv_sec = (time_t)(due_ns / (uint64_t)NS_PER_S),
                           .tv_nsec = (long)(due_ns % (uint64_t)NS_PER_S)};

    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}
