/*
 * tick.h - time: the clocks, the tick that everything periodic goes by, and how a thread becomes one
 * that the operating system runs in time.
 *
 * A tick source is a thread that wakes at absolute times of CLOCK_MONOTONIC, the whole multiples of
 * its period, so nothing drifts and several periods fall together. At each it adds one to an eventfd,
 * on which a selector waits, and looks at the guard (guard.h), which thereby goes on when the loop
 * behind the eventfd is stuck.
 *
 * clock_nanosleep() was taken over timerfd and over a condition variable: at 1 kHz on a loaded
 * two-core machine all three woke within 30 to 45 us in the median (SCHED_FIFO, or a timer slack of
 * 1 us; the usual 50 us of slack make 80 to 100), and it needs neither a second descriptor nor a
 * lock. benchmarks/hal.py measures the one that was built.
 *
 * Errors are negative values of enum hal_err (hal.h).
 */
#ifndef LUMENODE_TICK_H
#define LUMENODE_TICK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hal; /* hal.h */

#define TICK_PERIOD_NS_MIN 1000000
#define TICK_PERIOD_NS_MAX 1000000000
#define TICK_LATE_BUCKETS  22

/* CLOCK_MONOTONIC in nanoseconds; never goes back. Worst case 1 us. */
uint64_t tick_monotonic_ns(void);

/* The wall clock as Unix nanoseconds, without leap seconds. A label only: it may jump. */
int64_t tick_utc_ns(void);

/* 1 when a time source holds the wall clock, by the kernel's own word (adjtimex(2), STA_UNSYNC);
 * 0 when none does or the kernel does not say. Worst case 5 us. */
int32_t tick_utc_synchronised(void);

/* Waits for a time of CLOCK_MONOTONIC; a signal may end the wait early, so look at the clock. */
void tick_sleep_until(uint64_t due_ns);

/* What a thread asks of the scheduler. Zeroes ask for nothing. */
struct rt_wish {
    int32_t priority;  /* SCHED_FIFO, 1 to 99 */
    uint32_t reserved; /* 0 */
    uint64_t cpu_mask; /* bit n: processor n, 0 to 63 */
    void *lock;        /* memory that must not be paged out, */
    uint64_t lock_bytes;
};

/* What it got. An errno is 0 when the wish was granted or there was none. */
struct rt_grant {
    int32_t priority; /* SCHED_FIFO in force; 0: an ordinary thread */
    int32_t priority_errno;
    int32_t cpu_errno;
    int32_t lock_errno;
    uint64_t locked_bytes;
};

/*
 * Makes the calling thread one that runs in time: SCHED_FIFO (needs CAP_SYS_NICE or RLIMIT_RTPRIO),
 * its processors, a timer slack of 1 us, and the given memory locked (RLIMIT_MEMLOCK). Only what is
 * given is locked, the arena of a device, never the whole process (MCL_FUTURE): a heap with a
 * network's weights in it would not fit. Threads and processes that this one starts are ordinary
 * again (SCHED_RESET_ON_FORK). Each wish is tried whatever became of the others.
 * HAL_OK: all granted. HAL_E_PERM: `*grant` says what was not. HAL_E_RANGE: NULL, or a priority out
 * of bounds; nothing was tried. Worst case 5 ms: locking makes every page present.
 */
int32_t rt_enter(const struct rt_wish *wish, struct rt_grant *grant);

struct tick_config {
    uint64_t period_ns; /* TICK_PERIOD_NS_MIN to TICK_PERIOD_NS_MAX */
    int32_t priority;   /* SCHED_FIFO of the thread, 1 to 99; 0: ordinary */
    uint32_t reserved;  /* 0 */
    uint64_t cpu_mask;  /* as in struct rt_wish */
    struct hal *device; /* whose guard is looked at, open as long as the source runs; NULL: none */
};

/* Everything since tick_source_start(). Each value is of one instant, all together are not. */
struct tick_status {
    uint64_t ticks;       /* periods that have passed */
    uint64_t missed;      /* of them, those the thread itself slept through; they count as ticks */
    uint64_t taken;       /* ticks that tick_take() handed out */
    uint64_t overruns;    /* of them, those that came with a newer one: not taken in time */
    uint64_t late_max_ns; /* latest wake-up of the thread after its time */
    uint64_t
        late[TICK_LATE_BUCKETS]; /* wake-ups by lateness: below 2 us, 4 us, 8 us ... and above */
    struct rt_grant grant;       /* of the thread */
};

/* The caller's memory, set to zero before its first use; laid out in tick_source.c. */
struct tick_source {
    uint64_t reserved[96];
};

/*
 * Starts the thread; its first tick is the next whole multiple of the period. What the scheduler
 * refused stands in the status and is no error.
 * HAL_E_RANGE: NULL, or a field out of bounds. HAL_E_STATE: running. HAL_E_BUSY: no descriptor or
 * no thread left. Worst case 10 ms.
 */
int32_t tick_source_start(struct tick_source *source, const struct tick_config *config);

/* Ends the thread and closes the descriptor; stopped or NULL: nothing happens. Worst case one
 * period and 1 ms. */
void tick_source_stop(struct tick_source *source);

/* The eventfd, readable while a tick waits to be taken; the source's, closed with it.
 * HAL_E_STATE: not running. */
int32_t tick_source_descriptor(const struct tick_source *source);

/*
 * Takes all ticks that wait. One thread does, always the same.
 * @return how many, 0 for none; more than one: all but the newest are overruns, and nobody catches
 * up on them. `*due_ns` is then the time at which the newest was due, a multiple of the period.
 * HAL_E_RANGE: NULL. HAL_E_STATE: not running. Worst case 5 us.
 */
int32_t tick_take(struct tick_source *source, uint64_t *due_ns);

/* HAL_E_RANGE: NULL. HAL_E_STATE: not running. */
int32_t tick_read_status(const struct tick_source *source, struct tick_status *status);

#ifdef __cplusplus
}
#endif

#endif
