/* The arithmetic of a tick; see tick_book.h. */
#include "tick_book.h"

#include <string.h>

void tick_book_open(struct tick_book *book, uint64_t period_ns, uint64_t now_ns)
{
    memset(book, 0, sizeof *book);
    book->period_ns = period_ns;
    book->first_ns = (now_ns / period_ns + 1) * period_ns;
    book->due_ns = book->first_ns;
}

/* Bucket i holds [2^i, 2^(i+1)) us; what is below or above belongs to the outermost ones. */
static uint32_t bucket_of(uint64_t late_ns)
{
    uint64_t late_us = late_ns / 1000;
    uint32_t bucket = 0;

    while (late_us >= 2 && bucket < TICK_LATE_BUCKETS - 1) {
        late_us /= 2;
        bucket++;
    }
    return bucket;
}

static void add(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

uint64_t tick_book_wake(struct tick_book *book, uint64_t now_ns)
{
    if (now_ns < book->due_ns) {
        return 0;
    }
    uint64_t late_ns = now_ns - book->due_ns;
    uint64_t come = late_ns / book->period_ns + 1;

    book->due_ns += come * book->period_ns;
    add(&book->ticks, come);
    add(&book->missed, come - 1);
    add(&book->late[bucket_of(late_ns)], 1);
    if (late_ns > atomic_load_explicit(&book->late_max_ns, memory_order_relaxed)) {
        atomic_store_explicit(&book->late_max_ns, late_ns, memory_order_relaxed);
    }
    return come;
}
