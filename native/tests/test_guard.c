/* The dead-man's decisions, under time that the test makes up. */
#include "check.h"
#include "guard.h"
#include "hal.h"

#include <string.h>

#define LIMIT  3u
#define PERIOD 100000000u

static struct guard guard;
static uint64_t now_ns;

static struct guard_status status(void)
{
    struct guard_status told;

    CHECK(guard_read_status(&guard, &told) == HAL_OK);
    return told;
}

static void make_guard(uint32_t limit_ticks)
{
    struct guard_config config = {.period_ns = PERIOD, .limit_ticks = limit_ticks};

    memset(&guard, 0xA5, sizeof guard); /* its old content does not matter */
    now_ns = 0;
    CHECK(guard_init(&guard, &config) == HAL_OK);
}

static void make_armed(uint32_t limit_ticks)
{
    make_guard(limit_ticks);
    CHECK(guard_arm(&guard) == HAL_OK);
}

static int32_t tick(uint32_t watcher)
{
    now_ns += PERIOD;
    return guard_step(&guard, watcher, 0, now_ns);
}

/* Ticks of one watcher until it has to act. */
static uint32_t ticks_to_act(uint32_t watcher)
{
    uint32_t ticks = 1;

    while (tick(watcher) == 0) {
        ticks++;
        CHECK(ticks < 1000);
    }
    return ticks;
}

static void a_guard_that_is_not_armed_never_trips(void)
{
    make_guard(1);
    for (int i = 0; i < 1000; i++) {
        CHECK(tick(GUARD_THREAD) == 0);
        CHECK(tick(GUARD_PROCESS) == 0);
    }
    CHECK(guard_step(&guard, GUARD_PROCESS, 1, now_ns) == 0);
    CHECK(status().state == GUARD_DISARMED && status().trips == 0);
    CHECK(status().thread_ticks == 1000 && status().process_ticks == 1001);
    CHECK(guard_holds(&guard) == 0);
}

static void silence_of_so_many_whole_ticks_trips_and_no_less(void)
{
    for (uint32_t limit = 1; limit <= 7; limit++) {
        make_armed(limit);
        CHECK(tick(GUARD_THREAD) == 0); /* the tick that is cut by the arming does not count */
        for (uint32_t i = 1; i < limit; i++) {
            CHECK(tick(GUARD_THREAD) == 0);
            CHECK(guard_holds(&guard) == 0);
        }
        CHECK(tick(GUARD_THREAD) == 1);
        CHECK(guard_holds(&guard) == 1);
        CHECK(status().silent_ticks == limit && status().trip_tick == limit + 1);
    }
}

static void who_checks_in_is_left_alone(void)
{
    make_armed(1);
    for (int i = 0; i < 10000; i++) {
        CHECK(guard_check_in(&guard) == HAL_OK);
        CHECK(tick(GUARD_THREAD) == 0 && guard_step(&guard, GUARD_PROCESS, 0, now_ns) == 0);
    }
    CHECK(status().check_ins == 10000 && status().state == GUARD_ARMED);
}

static void a_check_in_at_the_last_moment_starts_the_count_anew(void)
{
    make_armed(LIMIT);
    for (int round = 0; round < 50; round++) {
        for (uint32_t i = 0; i < LIMIT; i++) {
            CHECK(tick(GUARD_THREAD) == 0);
        }
        CHECK(guard_check_in(&guard) == HAL_OK);
    }
    CHECK(ticks_to_act(GUARD_THREAD) == LIMIT + 1);
}

static void the_record_says_what_when_and_who(void)
{
    make_armed(LIMIT);
    CHECK(status().cause == GUARD_CAUSE_NONE && status().watcher == GUARD_NO_WATCHER);
    (void)ticks_to_act(GUARD_PROCESS);
    CHECK(status().cause == GUARD_CAUSE_SILENCE && status().watcher == GUARD_PROCESS);
    CHECK(status().trip_t_ns == now_ns && status().trips == 1);
    CHECK(status().acts == 0 && status().safe == 0);
    CHECK(guard_acted(&guard, GUARD_PROCESS, 0, HAL_OK) == HAL_OK);
    CHECK(status().acts == 1 && status().safe == 1);
}

static void of_two_watchers_one_acts_and_the_other_looks_on(void)
{
    make_armed(LIMIT);
    for (uint32_t i = 0; i < LIMIT; i++) {
        CHECK(tick(GUARD_THREAD) == 0 && tick(GUARD_PROCESS) == 0);
    }
    CHECK(tick(GUARD_THREAD) == 1);
    CHECK(tick(GUARD_PROCESS) == 0); /* between decision and deed of the first */
    CHECK(guard_acted(&guard, GUARD_THREAD, 0, HAL_OK) == HAL_OK);
    for (int i = 0; i < 100; i++) {
        CHECK(tick(GUARD_THREAD) == 0 && tick(GUARD_PROCESS) == 0);
    }
    CHECK(status().trips == 1 && status().acts == 1 && status().watcher == GUARD_THREAD);
}

static void a_watcher_that_was_stopped_half_way_is_replaced_two_ticks_later(void)
{
    make_armed(LIMIT);
    CHECK(tick(GUARD_PROCESS) == 0);
    (void)ticks_to_act(GUARD_THREAD); /* and no guard_acted(): stopped before the deed */
    CHECK(tick(GUARD_PROCESS) == 0);
    CHECK(tick(GUARD_PROCESS) == 1);
    CHECK(guard_acted(&guard, GUARD_PROCESS, 0, HAL_OK) == HAL_OK);
    /* The first wakes up and does it again: no harm, and no second act. */
    CHECK(guard_acted(&guard, GUARD_THREAD, 0, HAL_OK) == HAL_OK);
    CHECK(status().trips == 1 && status().acts == 1);
}

static void what_failed_is_done_again_every_tick_until_it_is_done(void)
{
    make_armed(1);
    (void)ticks_to_act(GUARD_THREAD);
    for (uint64_t i = 1; i <= 20; i++) {
        CHECK(guard_acted(&guard, GUARD_THREAD, 2, HAL_E_IO) == HAL_OK);
        CHECK(status().steps_failed == 2 * i && status().error == HAL_E_IO);
        CHECK(guard_rearm(&guard) == HAL_E_BUSY);
        CHECK(tick(GUARD_THREAD) == 1);
    }
    CHECK(guard_acted(&guard, GUARD_THREAD, 0, HAL_OK) == HAL_OK);
    CHECK(tick(GUARD_THREAD) == 0);
    CHECK(status().trips == 1 && status().acts == 1);
}

static void a_trip_outlasts_any_number_of_check_ins(void)
{
    make_armed(1);
    (void)ticks_to_act(GUARD_THREAD);
    CHECK(guard_acted(&guard, GUARD_THREAD, 0, HAL_OK) == HAL_OK);
    for (int i = 0; i < 100; i++) {
        CHECK(guard_check_in(&guard) == HAL_OK);
        CHECK(tick(GUARD_THREAD) == 0);
        CHECK(guard_holds(&guard) == 1);
        CHECK(guard_arm(&guard) == HAL_E_STATE);
    }
}

static void after_arming_again_the_next_silence_trips_again_and_acts_once_more(void)
{
    make_armed(LIMIT);
    CHECK(guard_rearm(&guard) == HAL_E_STATE);
    for (uint64_t episode = 1; episode <= 5; episode++) {
        uint32_t watcher = episode % 2 == 0 ? GUARD_THREAD : GUARD_PROCESS;

        CHECK(ticks_to_act(watcher) == LIMIT + 1);
        CHECK(guard_acted(&guard, watcher, 0, HAL_OK) == HAL_OK);
        CHECK(tick(GUARD_THREAD) == 0 && tick(GUARD_PROCESS) == 0);
        CHECK(status().trips == episode && status().acts == episode);
        CHECK(guard_rearm(&guard) == HAL_OK);
        CHECK(guard_holds(&guard) == 0 && status().safe == 0);
        CHECK(guard_rearm(&guard) == HAL_E_STATE);
    }
}

static void a_deed_that_ends_after_the_next_trip_does_not_count_for_it(void)
{
    make_armed(1);
    CHECK(tick(GUARD_PROCESS) == 0);
    (void)ticks_to_act(GUARD_THREAD); /* stopped before it could say so */
    (void)ticks_to_act(GUARD_PROCESS);
    CHECK(guard_acted(&guard, GUARD_PROCESS, 0, HAL_OK) == HAL_OK);
    CHECK(guard_rearm(&guard) == HAL_OK);
    (void)ticks_to_act(GUARD_PROCESS);
    CHECK(guard_acted(&guard, GUARD_THREAD, 0, HAL_OK) == HAL_OK);
    CHECK(status().safe == 0 && guard_rearm(&guard) == HAL_E_BUSY);
    CHECK(tick(GUARD_PROCESS) == 1);
}

static void a_dead_flight_process_trips_at_once_and_once(void)
{
    make_armed(1000);
    CHECK(guard_step(&guard, GUARD_PROCESS, 1, 7) == 1);
    CHECK(status().cause == GUARD_CAUSE_DEATH && status().trip_t_ns == 7);
    CHECK(guard_acted(&guard, GUARD_PROCESS, 0, HAL_OK) == HAL_OK);
    CHECK(guard_step(&guard, GUARD_PROCESS, 1, 8) == 0);
    CHECK(status().trips == 1);
}

static void disarming_ends_the_watch_and_a_trip(void)
{
    make_armed(1);
    CHECK(guard_disarm(&guard) == HAL_OK);
    for (int i = 0; i < 10; i++) {
        CHECK(tick(GUARD_THREAD) == 0);
    }
    CHECK(guard_arm(&guard) == HAL_OK && guard_arm(&guard) == HAL_OK);
    CHECK(ticks_to_act(GUARD_THREAD) == 2);
    CHECK(guard_disarm(&guard) == HAL_OK);
    CHECK(guard_holds(&guard) == 0 && tick(GUARD_THREAD) == 0);
    CHECK(status().state == GUARD_DISARMED && status().trips == 1);
}

static void a_configuration_out_of_bounds_makes_no_guard(void)
{
    const struct guard_config good = {.period_ns = PERIOD, .limit_ticks = LIMIT};
    struct guard_config bad[6];

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        bad[i] = good;
    }
    bad[0].limit_ticks = 0;
    bad[1].limit_ticks = GUARD_TICKS_MAX + 1;
    bad[2].period_ns = GUARD_PERIOD_MIN - 1;
    bad[3].period_ns = GUARD_PERIOD_MAX + 1;
    bad[4].priority = -1;
    bad[5].priority = 100;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CHECK(guard_init(&guard, &bad[i]) == HAL_E_RANGE);
    }
    CHECK(guard_init(&guard, NULL) == HAL_E_RANGE);
    CHECK(guard_init(NULL, &good) == HAL_E_RANGE);
    CHECK(guard_init(&guard, &good) == HAL_OK);
}

static void memory_that_is_no_guard_is_refused_by_every_call(void)
{
    static struct guard noise;
    struct guard_status told;

    memset(&noise, 0x5A, sizeof noise);
    CHECK(guard_check(&noise) == HAL_E_CORRUPT && guard_check(NULL) == HAL_E_RANGE);
    CHECK(guard_arm(&noise) == HAL_E_CORRUPT && guard_arm(NULL) == HAL_E_RANGE);
    CHECK(guard_disarm(&noise) == HAL_E_CORRUPT && guard_disarm(NULL) == HAL_E_RANGE);
    CHECK(guard_check_in(&noise) == HAL_E_CORRUPT && guard_check_in(NULL) == HAL_E_RANGE);
    CHECK(guard_rearm(&noise) == HAL_E_CORRUPT && guard_rearm(NULL) == HAL_E_RANGE);
    CHECK(guard_step(&noise, 0, 0, 0) == HAL_E_CORRUPT && guard_step(NULL, 0, 0, 0) == HAL_E_RANGE);
    CHECK(guard_acted(&noise, 0, 0, 0) == HAL_E_CORRUPT);
    CHECK(guard_acted(NULL, 0, 0, 0) == HAL_E_RANGE);
    CHECK(guard_read_status(&noise, &told) == HAL_E_CORRUPT);
    CHECK(guard_read_status(NULL, &told) == HAL_E_RANGE);
    make_guard(1);
    CHECK(guard_read_status(&guard, NULL) == HAL_E_RANGE);
    CHECK(guard_step(&guard, GUARD_WATCHERS, 0, 0) == HAL_E_RANGE);
    CHECK(guard_acted(&guard, GUARD_WATCHERS, 0, 0) == HAL_E_RANGE);
    CHECK(guard_holds(NULL) == 0);
}

/* Any order of ticks, check-ins, deeds and re-arming: a trip needs a silence of the limit by the
 * watcher that made it, and is acted upon once in full. */
static void no_order_of_events_trips_without_silence_or_acts_twice(void)
{
    uint32_t lot = 1;
    uint32_t silent[GUARD_WATCHERS] = {0, 0};
    uint64_t trips = 0;

    make_armed(LIMIT);
    for (int i = 0; i < 200000; i++) {
        uint32_t watcher = (lot >> 20) & 1;

        lot = lot * 1664525u + 1013904223u;
        switch (lot >> 29) {
        case 0:
            CHECK(guard_check_in(&guard) == HAL_OK);
            silent[0] = silent[1] = 0;
            break;
        case 1:
            if (guard_rearm(&guard) == HAL_OK) {
                silent[0] = silent[1] = 0;
            }
            break;
        default: {
            uint32_t armed = status().state == GUARD_ARMED;
            int32_t due = guard_step(&guard, watcher, 0, (uint64_t)i);

            silent[watcher] += armed;
            if (due > 0 && status().trips > trips) {
                trips++;
                CHECK(armed && silent[watcher] >= LIMIT);
                CHECK(status().silent_ticks == LIMIT);
            }
            if (due > 0) {
                CHECK(guard_acted(&guard, watcher, (lot >> 10) & 1, HAL_E_IO) == HAL_OK);
            }
        }
        }
        CHECK(status().trips == trips);
        CHECK(status().acts <= trips && status().acts + 1 >= trips);
    }
    CHECK(trips > 1000);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(a_guard_that_is_not_armed_never_trips),
        PROMISE(silence_of_so_many_whole_ticks_trips_and_no_less),
        PROMISE(who_checks_in_is_left_alone),
        PROMISE(a_check_in_at_the_last_moment_starts_the_count_anew),
        PROMISE(the_record_says_what_when_and_who),
        PROMISE(of_two_watchers_one_acts_and_the_other_looks_on),
        PROMISE(a_watcher_that_was_stopped_half_way_is_replaced_two_ticks_later),
        PROMISE(what_failed_is_done_again_every_tick_until_it_is_done),
        PROMISE(a_trip_outlasts_any_number_of_check_ins),
        PROMISE(after_arming_again_the_next_silence_trips_again_and_acts_once_more),
        PROMISE(a_deed_that_ends_after_the_next_trip_does_not_count_for_it),
        PROMISE(a_dead_flight_process_trips_at_once_and_once),
        PROMISE(disarming_ends_the_watch_and_a_trip),
        PROMISE(a_configuration_out_of_bounds_makes_no_guard),
        PROMISE(memory_that_is_no_guard_is_refused_by_every_call),
        PROMISE(no_order_of_events_trips_without_silence_or_acts_twice),
    };

    KEEP(PROMISES);
    return 0;
}
