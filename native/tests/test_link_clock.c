/* The peer's clock from four timestamps, against clocks whose truth is known. */
#include "check.h"
#include "link_clock.h"

/* A peer whose clock is ours plus an offset, plus a rate; ways of different length. */
struct peer {
    int64_t offset_ns;
    double rate;
};

static uint64_t shows(const struct peer *peer, uint64_t t_ns)
{
    return t_ns + (uint64_t)peer->offset_ns + (uint64_t)((double)t_ns * peer->rate);
}

static int exchange(struct link_clock *clock, const struct peer *peer, uint64_t t_ns,
                    uint64_t there_ns, uint64_t back_ns)
{
    const uint64_t held_ns = 5000;
    uint64_t t2 = t_ns + there_ns;

    return link_clock_take(clock, t_ns, shows(peer, t2), shows(peer, t2 + held_ns),
                           t2 + held_ns + back_ns);
}

static void equal_ways_give_the_offset_exactly(void)
{
    static const int64_t OFFSETS[] = {0, 1, -1, 123456789, -987654321, INT64_MAX / 4};

    for (size_t i = 0; i < COUNT_OF(OFFSETS); i++) {
        struct link_clock clock = {0};
        struct link_clock_estimate estimate;
        struct peer peer = {.offset_ns = OFFSETS[i]};

        CHECK(exchange(&clock, &peer, 1000000, 300, 300));
        link_clock_read(&clock, &estimate);
        CHECK(estimate.offset_ns == OFFSETS[i]);
        CHECK(estimate.delay_ns == 600 && estimate.uncertainty_ns == 300);
    }
}

static void the_error_is_never_more_than_the_uncertainty(void)
{
    struct link_clock clock = {0};
    struct peer peer = {.offset_ns = -5000000};
    uint32_t noise = 1;

    for (uint64_t i = 0; i < 1000; i++) {
        struct link_clock_estimate estimate;

        noise = noise * 1664525u + 1013904223u;
        CHECK(exchange(&clock, &peer, i * 500000000, noise % 40000, (noise >> 16) % 2000));
        link_clock_read(&clock, &estimate);
        int64_t error_ns = estimate.offset_ns - peer.offset_ns;

        CHECK(error_ns <= estimate.uncertainty_ns && -error_ns <= estimate.uncertainty_ns);
    }
}

static void the_shortest_exchange_of_the_window_is_believed_and_ages_out(void)
{
    struct link_clock clock = {0};
    struct link_clock_estimate estimate;
    struct peer peer = {.offset_ns = 77};

    CHECK(exchange(&clock, &peer, 1000, 10, 10));
    for (uint64_t i = 1; i < LINK_CLOCK_WINDOW; i++) {
        CHECK(exchange(&clock, &peer, 1000 + i * 1000000, 9000, 500));
        link_clock_read(&clock, &estimate);
        CHECK(estimate.delay_ns == 20 && estimate.offset_ns == 77);
    }
    CHECK(exchange(&clock, &peer, 99000000, 9000, 500));
    link_clock_read(&clock, &estimate);
    CHECK(estimate.delay_ns == 9500);
}

static void a_clock_that_runs_faster_is_told_after_ten_seconds(void)
{
    struct link_clock clock = {0};
    struct link_clock_estimate estimate;
    struct peer peer = {.offset_ns = 1000, .rate = 25e-6};

    for (uint64_t i = 0; i < 20; i++) {
        CHECK(exchange(&clock, &peer, i * 500000000, 100, 100));
        link_clock_read(&clock, &estimate);
        CHECK(estimate.skew_ppb == 0);
    }
    for (uint64_t i = 20; i < 400; i++) {
        CHECK(exchange(&clock, &peer, i * 500000000, 100, 100));
    }
    link_clock_read(&clock, &estimate);
    CHECK(estimate.skew_ppb > 24900 && estimate.skew_ppb < 25100);
}

static void times_that_contradict_each_other_are_refused(void)
{
    struct link_clock clock = {0};
    struct link_clock_estimate estimate;

    CHECK(!link_clock_take(&clock, 100, 5, 6, 99));           /* back before it went */
    CHECK(!link_clock_take(&clock, 100, 6, 5, 110));          /* answered before it came */
    CHECK(!link_clock_take(&clock, 100, 5, 50, 110));         /* held longer than it was away */
    CHECK(!link_clock_take(&clock, 0, 5, 6, UINT64_MAX / 2)); /* away for centuries */
    link_clock_read(&clock, &estimate);
    CHECK(estimate.delay_ns == -1 && estimate.offset_ns == 0);
    CHECK(link_clock_take(&clock, 100, 5, 15, 110));
    link_clock_restart(&clock);
    link_clock_read(&clock, &estimate);
    CHECK(estimate.delay_ns == -1);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(equal_ways_give_the_offset_exactly),
        PROMISE(the_error_is_never_more_than_the_uncertainty),
        PROMISE(the_shortest_exchange_of_the_window_is_believed_and_ages_out),
        PROMISE(a_clock_that_runs_faster_is_told_after_ten_seconds),
        PROMISE(times_that_contradict_each_other_are_refused),
    };

    KEEP(PROMISES);
    return 0;
}
