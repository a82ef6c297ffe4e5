/* The tick's thread: what it counts and what it leaves behind. How long anything takes is the
 * machine's business. */
#include "check.h"
#include "guard.h"
#include "hal.h"
#include "tick.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#define PERIOD_NS 1000000u

static const struct tick_config PLAIN = {.period_ns = PERIOD_NS};

static void wait_readable(const struct tick_source *source)
{
    struct pollfd waiting = {.fd = tick_source_descriptor(source), .events = POLLIN};

    CHECK(waiting.fd >= 0);
    CHECK(poll(&waiting, 1, -1) == 1);
}

static struct tick_status status_of(const struct tick_source *source)
{
    struct tick_status status;

    CHECK(tick_read_status(source, &status) == HAL_OK);
    return status;
}

static void ticks_come_on_the_grid_and_none_is_lost(void)
{
    struct tick_source source = {{0}};
    uint64_t due_ns = 0;
    uint64_t last_ns = 0;
    uint64_t taken = 0;

    CHECK(tick_source_start(&source, &PLAIN) == HAL_OK);
    while (taken < 20) {
        wait_readable(&source);
        int32_t come = tick_take(&source, &due_ns);

        CHECK(come >= 1);
        taken += (uint64_t)come;
        CHECK(due_ns % PERIOD_NS == 0 && due_ns <= tick_monotonic_ns());
        CHECK(last_ns == 0 || due_ns == last_ns + (uint64_t)come * PERIOD_NS);
        last_ns = due_ns;
    }
    struct tick_status status = status_of(&source);
    uint64_t woken = 0;

    for (size_t i = 0; i < TICK_LATE_BUCKETS; i++) {
        woken += status.late[i];
    }
    CHECK(status.taken == taken && status.ticks >= taken);
    CHECK(woken + status.missed <= status.ticks + 1 && woken > 0);
    tick_source_stop(&source);
}

static void who_comes_late_is_told_and_nobody_catches_up(void)
{
    struct tick_source source = {{0}};
    uint64_t due_ns = 0;

    CHECK(tick_source_start(&source, &PLAIN) == HAL_OK);
    while (status_of(&source).ticks < 5) {
        (void)poll(NULL, 0, 1);
    }
    int32_t come = tick_take(&source, &due_ns);

    CHECK(come >= 5);
    CHECK(status_of(&source).overruns == (uint64_t)come - 1);
    CHECK(status_of(&source).taken == (uint64_t)come);
    tick_source_stop(&source);
}

static void none_waits_right_after_they_were_taken(void)
{
    const struct tick_config slow = {.period_ns = TICK_PERIOD_NS_MAX};
    struct tick_source source = {{0}};
    uint64_t due_ns = 0;

    CHECK(tick_source_start(&source, &slow) == HAL_OK);
    wait_readable(&source);
    CHECK(tick_take(&source, &due_ns) == 1 && due_ns > 0);
    uint64_t taken_ns = due_ns;

    CHECK(tick_take(&source, &due_ns) == 0 && due_ns == taken_ns); /* a second apart */
    tick_source_stop(&source);
}

static int open_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 256; fd++) {
        struct pollfd probe = {.fd = fd};

        count += poll(&probe, 1, 0) >= 0 && (probe.revents & POLLNVAL) == 0;
    }
    return count;
}

static void a_stopped_source_leaves_nothing_and_starts_again(void)
{
    struct tick_source source = {{0}};
    struct tick_status status;
    uint64_t due_ns = 0;
    int before = open_descriptors();

    for (int i = 0; i < 5; i++) {
        CHECK(tick_source_start(&source, &PLAIN) == HAL_OK);
        CHECK(tick_source_start(&source, &PLAIN) == HAL_E_STATE);
        wait_readable(&source);
        tick_source_stop(&source);
        tick_source_stop(&source);
        CHECK(tick_source_descriptor(&source) == HAL_E_STATE);
        CHECK(tick_take(&source, &due_ns) == HAL_E_STATE);
        CHECK(tick_read_status(&source, &status) == HAL_E_STATE);
    }
    CHECK(open_descriptors() == before);
    tick_source_stop(NULL);
}

static void an_argument_out_of_bounds_starts_nothing(void)
{
    struct tick_source source = {{0}};
    struct tick_status status;
    uint64_t due_ns = 0;
    struct tick_config bad[4] = {PLAIN, PLAIN, PLAIN, PLAIN};

    bad[0].period_ns = TICK_PERIOD_NS_MIN - 1;
    bad[1].period_ns = TICK_PERIOD_NS_MAX + 1;
    bad[2].priority = -1;
    bad[3].priority = 100;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CHECK(tick_source_start(&source, &bad[i]) == HAL_E_RANGE);
    }
    CHECK(tick_source_start(NULL, &PLAIN) == HAL_E_RANGE);
    CHECK(tick_source_start(&source, NULL) == HAL_E_RANGE);
    CHECK(tick_source_descriptor(NULL) == HAL_E_RANGE);
    CHECK(tick_take(&source, NULL) == HAL_E_RANGE && tick_take(NULL, &due_ns) == HAL_E_RANGE);
    CHECK(tick_read_status(NULL, &status) == HAL_E_RANGE);
    CHECK(tick_read_status(&source, NULL) == HAL_E_RANGE);
}

static void a_wish_that_cannot_be_is_told_and_the_tick_comes_all_the_same(void)
{
    const struct tick_config nowhere = {.period_ns = PERIOD_NS, .cpu_mask = UINT64_C(1) << 63};
    struct tick_source source = {{0}};

    if (sysconf(_SC_NPROCESSORS_CONF) > 63) {
        return; /* here the wish can be */
    }
    CHECK(tick_source_start(&source, &nowhere) == HAL_OK);
    CHECK(status_of(&source).grant.cpu_errno != 0);
    wait_readable(&source);
    tick_source_stop(&source);
}

/* The loop behind the eventfd never runs; only this thread looks at what the tick's thread did. */
static void a_loop_that_does_not_check_in_is_made_safe_by_the_ticks_thread(void)
{
    static uint64_t arena[1 << 20];
    const struct guard_config watch = {.period_ns = PERIOD_NS, .limit_ticks = 3};
    struct tick_config ticking = PLAIN;
    struct tick_source source = {{0}};
    struct hal_config config;
    struct hal dev = {0};
    struct hal_frame frame;
    struct guard_status told;
    static struct guard guard;

    CHECK(hal_config_init(&config, "sim") == HAL_OK);
    CHECK(hal_open(&dev, &config, arena, sizeof arena) == HAL_OK);
    CHECK(guard_init(&guard, &watch) == HAL_OK && hal_attach_guard(&dev, &guard) == 3);
    CHECK(hal_set_payload_level(&dev, 5) == 5 && hal_set_laser(&dev, 1) == 1);
    ticking.device = &dev;
    CHECK(tick_source_start(&source, &ticking) == HAL_OK);
    CHECK(guard_arm(&guard) == HAL_OK);
    do {
        (void)poll(NULL, 0, 1);
        CHECK(guard_read_status(&guard, &told) == HAL_OK);
    } while (told.safe == 0);
    CHECK(told.watcher == GUARD_THREAD && told.silent_ticks == watch.limit_ticks);
    CHECK(told.trips == 1 && told.acts == 1 && told.trip_tick > watch.limit_ticks);
    CHECK(hal_snapshot(&dev, &frame) == HAL_OK);
    CHECK(frame.payload_level == 0 && frame.laser_on == 0);
    CHECK(hal_set_laser(&dev, 1) == HAL_E_INHIBITED);
    tick_source_stop(&source);
    hal_close(&dev);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(ticks_come_on_the_grid_and_none_is_lost),
        PROMISE(who_comes_late_is_told_and_nobody_catches_up),
        PROMISE(none_waits_right_after_they_were_taken),
        PROMISE(a_stopped_source_leaves_nothing_and_starts_again),
        PROMISE(an_argument_out_of_bounds_starts_nothing),
        PROMISE(a_wish_that_cannot_be_is_told_and_the_tick_comes_all_the_same),
        PROMISE(a_loop_that_does_not_check_in_is_made_safe_by_the_ticks_thread),
    };

    KEEP(PROMISES);
    return 0;
}
