/*
 * tick_book.h - the arithmetic of a tick: when the next one is due, what was missed, how late it
 * was. No clock: whoever keeps the book says what time it is.
 *
 * One thread writes; others may read each value at any time.
 */
#ifndef LUMENODE_TICK_BOOK_H
#define LUMENODE_TICK_BOOK_H

#include "tick.h"

#include <stdatomic.h>

struct tick_book {
    uint64_t period_ns;
    uint64_t first_ns; /* when the first tick was due */
    uint64_t due_ns;   /* when the next one is */
    _Atomic uint64_t ticks;
    _Atomic uint64_t missed;
    _Atomic uint64_t late_max_ns;
    _Atomic uint64_t late[TICK_LATE_BUCKETS];
};

/* An empty book whose first tick is due at the next whole multiple of the period. */
void tick_book_open(struct tick_book *book, uint64_t period_ns, uint64_t now_ns);

/* Ticks that are due at `now_ns`, 0 when it is too early; all but the last of them were missed. The
 * next one is in the future. */
uint64_t tick_book_wake(struct tick_book *book, uint64_t now_ns);

#endif
