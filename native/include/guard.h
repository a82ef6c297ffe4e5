/*
 * guard.h - the dead-man: when the flight software no longer says that it is alive, the payload
 * goes off and the laser is inhibited, at C speed and without it.
 *
 * Two watchers look at one guard. The tick's thread (tick.h) lives in the flight process and acts
 * when its loop is blocked, whoever holds the interpreter's lock. The supervisor (guard_supervisor.h)
 * is a process of its own and acts when the flight process is stopped or dead, its threads with it.
 * For both to see the same guard it lies in shared memory (memfd_create), one page.
 *
 * States.   DISARMED -> guard_arm() -> ARMED -> silence or death -> TRIPPED -> guard_rearm() ->
 *           ARMED. guard_disarm() ends the watch, whatever the state.
 * Silence.  Each watcher counts its own ticks since guard_check_in() was last called, and trips when
 *           it has counted `limit_ticks` whole ones. Ticks are counted, not time: a machine that
 *           stood still as a whole starves the watchers as well, and does not trip.
 * Once.     Of two watchers that find the same silence one trips and acts; the other looks on. If
 *           what it did failed in part, or it was itself stopped half-way, whichever watcher still
 *           runs does all of it again at its next tick but one, until it has been done in full.
 * Held.     While the guard is TRIPPED the setters of hal.h refuse whatever would switch payload or
 *           laser on (HAL_E_INHIBITED). Only guard_rearm() ends that, and only the flight software
 *           calls it, after it is back and has read the hardware again.
 * Locks.    There are none. A lock would be held by the very process that was stopped inside it, and
 *           the supervisor could wait for it for ever. Instead the order of two writes decides: the
 *           watcher writes TRIPPED, then the safe values; a setter writes its value, then looks for
 *           TRIPPED, and takes its value back when it finds it. Whichever comes second wins, and
 *           both are safe. So a snapshot costs nothing, a setter one read, and "one thread at a
 *           time per device" (hal.h) still holds: the watchers never call the device, they carry
 *           out its plan (guard_plan.h), whose steps may run beside anything.
 * Watchdog. The guard kicks no hardware watchdog: it ticks on when the software is dead.
 *
 * Errors are negative values of enum hal_err (hal.h). No function blocks; the worst case is 2 us
 * each where none is given.
 */
#ifndef LUMENODE_GUARD_H
#define LUMENODE_GUARD_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GUARD_VERSION    1
#define GUARD_TICKS_MAX  100000
#define GUARD_WATCHERS   2
#define GUARD_BYTES      4096 /* of struct guard: one page, to be shared */
#define GUARD_PERIOD_MIN 1000000
#define GUARD_PERIOD_MAX 1000000000
#define GUARD_NO_WATCHER 0xFFFFFFFF

enum guard_state { GUARD_DISARMED = 0, GUARD_ARMED = 1, GUARD_TRIPPED = 2 };

enum guard_watcher { GUARD_THREAD = 0, GUARD_PROCESS = 1 };

enum guard_cause {
    GUARD_CAUSE_NONE = 0,    /* never tripped */
    GUARD_CAUSE_SILENCE = 1, /* no check-in for limit_ticks */
    GUARD_CAUSE_DEATH = 2    /* the flight process ended without disarming */
};

struct guard_config {
    uint64_t period_ns;   /* of a watcher's tick, GUARD_PERIOD_MIN to GUARD_PERIOD_MAX */
    uint32_t limit_ticks; /* 1 to GUARD_TICKS_MAX */
    int32_t priority;     /* SCHED_FIFO the supervisor asks for, 1 to 99; 0: none */
};

/* The caller's memory, aligned to 8; laid out in guard_block.h, which only the guard includes. */
struct guard {
    uint64_t reserved[512];
};

/* Each value is of one instant, all of them together are not: the watchers write on. */
struct guard_status {
    uint32_t state;           /* enum guard_state */
    uint32_t safe;            /* 1: what the trip asks for has been done in full */
    uint32_t cause;           /* enum guard_cause, of the last trip */
    uint32_t watcher;         /* enum guard_watcher that tripped last, or GUARD_NO_WATCHER */
    uint32_t silent_ticks;    /* of that watcher, from the last check-in to the last trip */
    int32_t error;            /* enum hal_err, of the last step of a plan that failed; 0: none */
    uint64_t trip_t_ns;       /* monotonic time of the last trip */
    uint64_t trip_tick;       /* tick of that watcher in which it tripped */
    uint64_t trips;           /* since guard_init() */
    uint64_t acts;            /* times a plan was carried out in full; one a trip */
    uint64_t steps_failed;    /* steps of plans that failed */
    uint64_t check_ins;       /* since guard_init() */
    uint64_t thread_ticks;    /* steps of the watcher GUARD_THREAD */
    uint64_t process_ticks;   /* steps of the watcher GUARD_PROCESS */
    int32_t process_priority; /* SCHED_FIFO that the supervisor got; 0: none */
    uint32_t plan_steps;      /* of the device's plan; 0: none attached */
};

/* Makes a guard, DISARMED, of memory whose content does not matter. HAL_E_RANGE: NULL, or a field
 * of the configuration out of bounds. */
int32_t guard_init(struct guard *guard, const struct guard_config *config);

/* HAL_OK when `guard` was made by guard_init() of this version; HAL_E_RANGE: NULL; HAL_E_CORRUPT. */
int32_t guard_check(const struct guard *guard);

/* Begins the watch; armed already: nothing changes. HAL_E_STATE: TRIPPED. */
int32_t guard_arm(struct guard *guard);

/* Ends the watch: an orderly end, or an end of the protection. */
int32_t guard_disarm(struct guard *guard);

/* The flight software says that it is alive. One process and thread calls it. Worst case 0.1 us. */
int32_t guard_check_in(struct guard *guard);

/* From TRIPPED back to ARMED. HAL_E_STATE: not TRIPPED. HAL_E_BUSY: the plan has not yet been
 * carried out in full. Use hal_rearm_guard(), which also lifts the terminal's INHIBIT. */
int32_t guard_rearm(struct guard *guard);

/* 1 while TRIPPED, else 0; NULL is never tripped. Orders a write before it, against the watchers'.
 * Worst case 0.1 us. */
int32_t guard_holds(const struct guard *guard);

/* HAL_E_RANGE: NULL. */
int32_t guard_read_status(const struct guard *guard, struct guard_status *status);

/*
 * One tick of a watcher: the whole of the guard's decision, without a clock and without a device.
 * `dead` is 1 when the flight process is known to have ended.
 * @return 1: the caller carries the plan out now and says so by guard_acted(); 0: nothing to do.
 * HAL_E_RANGE: NULL or no such watcher.
 */
int32_t guard_step(struct guard *guard, uint32_t watcher, uint32_t dead, uint64_t now_ns);

/* What became of the plan that guard_step() asked of this watcher: steps that failed, and the code
 * of the last one. HAL_E_RANGE: NULL or no such watcher. */
int32_t guard_acted(struct guard *guard, uint32_t watcher, uint32_t failed, int32_t error);

#ifdef __cplusplus
}
#endif

#endif
