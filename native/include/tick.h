/*
 * tick.h - the only place in C that reads a clock.
 */
#ifndef LUMENODE_TICK_H
#define LUMENODE_TICK_H

#include <stdint.h>

/* CLOCK_MONOTONIC in nanoseconds; never goes back. Worst case 1 us. */
uint64_t tick_monotonic_ns(void);

/* The wall clock as Unix nanoseconds, without leap seconds. A label only: it may jump. */
int64_t tick_utc_ns(void);

#endif
