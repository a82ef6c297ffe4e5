/* The arithmetic of a tick, under time that the test makes up. */
#include "check.h"
#include "tick_book.h"

#include <string.h>

#define PERIOD UINT64_C(100000000)

static void the_first_tick_is_the_next_whole_multiple(void)
{
    const uint64_t starts[] = {0, 1, PERIOD - 1, PERIOD, PERIOD + 1, 12345678901234567};

    for (size_t i = 0; i < COUNT_OF(starts); i++) {
        struct tick_book book;

        tick_book_open(&book, PERIOD, starts[i]);
        CHECK(book.due_ns % PERIOD == 0 && book.first_ns == book.due_ns);
        CHECK(book.due_ns > starts[i] && book.due_ns <= starts[i] + PERIOD);
    }
}

static void too_early_is_no_tick(void)
{
    struct tick_book book;

    tick_book_open(&book, PERIOD, 0);
    CHECK(tick_book_wake(&book, PERIOD - 1) == 0 && book.ticks == 0);
    CHECK(tick_book_wake(&book, PERIOD) == 1 && book.ticks == 1 && book.missed == 0);
    CHECK(book.due_ns == 2 * PERIOD && book.late_max_ns == 0);
}

static void what_was_slept_through_is_counted_and_the_grid_stays(void)
{
    struct tick_book book;

    tick_book_open(&book, PERIOD, 0);
    CHECK(tick_book_wake(&book, 4 * PERIOD - 1) == 3);
    CHECK(book.ticks == 3 && book.missed == 2 && book.due_ns == 4 * PERIOD);
    CHECK(tick_book_wake(&book, 4 * PERIOD + 7) == 1);
    CHECK(book.ticks == 4 && book.missed == 2 && book.due_ns == 5 * PERIOD);
    CHECK(book.late_max_ns == 3 * PERIOD - 1);
}

/* However late it wakes: as many ticks as multiples of the period have passed. */
static void nothing_drifts_over_a_million_ticks(void)
{
    struct tick_book book;
    uint64_t now_ns = 0;
    uint32_t lot = 7;

    tick_book_open(&book, PERIOD, now_ns);
    while (book.ticks < 1000000) {
        lot = lot * 1664525u + 1013904223u;
        now_ns = book.due_ns + (lot >> 4) % (lot % 97 == 0 ? 5 * PERIOD : PERIOD);
        (void)tick_book_wake(&book, now_ns);
        CHECK(book.due_ns == book.first_ns + book.ticks * PERIOD);
        CHECK(book.due_ns > now_ns && book.due_ns - now_ns <= PERIOD);
    }
    uint64_t woken = 0;

    for (size_t i = 0; i < TICK_LATE_BUCKETS; i++) {
        woken += book.late[i];
    }
    CHECK(woken == book.ticks - book.missed);
}

static void lateness_falls_into_buckets_by_powers_of_two(void)
{
    static const struct {
        uint64_t late_ns;
        size_t bucket;
    } CASES[] = {
        {0, 0},
        {1999, 0},
        {2000, 1},
        {3999, 1},
        {4000, 2},
        {999999, 9},
        {1024000, 10},
        {99999999, 16},
        {1048576000, 20},
        {2097151999, 20},
        {2097152000, TICK_LATE_BUCKETS - 1},
        {UINT64_C(1) << 62, TICK_LATE_BUCKETS - 1},
    };

    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct tick_book book;

        tick_book_open(&book, PERIOD, 0);
        (void)tick_book_wake(&book, book.due_ns + CASES[i].late_ns);
        CHECK(book.late[CASES[i].bucket] == 1);
    }
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(the_first_tick_is_the_next_whole_multiple),
        PROMISE(too_early_is_no_tick),
        PROMISE(what_was_slept_through_is_counted_and_the_grid_stays),
        PROMISE(nothing_drifts_over_a_million_ticks),
        PROMISE(lateness_falls_into_buckets_by_powers_of_two),
    };

    KEEP(PROMISES);
    return 0;
}
