/* The clocks: order and plausibility, no durations. */
#define _DEFAULT_SOURCE
#include "check.h"
#include "tick.h"

#include <sys/timex.h>

static void monotonic_time_never_goes_back(void)
{
    uint64_t last = tick_monotonic_ns();

    CHECK(last > 0);
    for (int i = 0; i < 100000; i++) {
        uint64_t now = tick_monotonic_ns();

        CHECK(now >= last);
        last = now;
    }
}

static void utc_counts_from_1970(void)
{
    const int64_t year_2020_ns = 1577836800000000000;

    CHECK(tick_utc_ns() > year_2020_ns);
}

static void the_kernel_says_whether_anybody_holds_the_wall_clock(void)
{
    struct timex told = {0};
    int32_t held = tick_utc_synchronised();

    CHECK(held == 0 || held == 1);
    if (adjtimex(&told) >= 0) {
        CHECK(held == ((told.status & STA_UNSYNC) == 0));
    }
}

static void a_wait_does_not_end_before_its_time(void)
{
    for (uint64_t step_ns = 0; step_ns < 3000000; step_ns += 777777) {
        uint64_t due_ns = tick_monotonic_ns() + step_ns;

        tick_sleep_until(due_ns);
        CHECK(tick_monotonic_ns() >= due_ns);
    }
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(monotonic_time_never_goes_back),
        PROMISE(utc_counts_from_1970),
        PROMISE(the_kernel_says_whether_anybody_holds_the_wall_clock),
        PROMISE(a_wait_does_not_end_before_its_time),
    };

    KEEP(PROMISES);
    return 0;
}
