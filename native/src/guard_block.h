/*
 * guard_block.h - the layout behind struct guard, shared by processes of one build. Only guard*.c
 * include it.
 *
 * `phase` is the state in its two lowest bits and above them the epoch, one more each time the guard
 * is armed: one exchange moves both, so a watcher that was held up half-way acts for the epoch it
 * saw or for none.
 *
 * Who writes what: the flight software arms, disarms and checks in; a watcher writes its own row;
 * whoever wins the exchange to TRIPPED writes the record of that trip.
 */
#ifndef LUMENODE_GUARD_BLOCK_H
#define LUMENODE_GUARD_BLOCK_H

#include "guard.h"
#include "guard_plan.h"

#include <stdatomic.h>

#define GUARD_MAGIC 0x44524755u /* "UGRD" */

/* `seen`, `armed` and `tripped` are the watcher's memory; nobody else reads them. */
struct guard_row {
    _Atomic uint64_t ticks;
    uint64_t seen;    /* check-ins at its last tick */
    uint64_t armed;   /* epoch that `silent` counts in; 0: none yet */
    uint64_t tripped; /* epoch whose trip it has seen */
    uint32_t silent;  /* ticks without a check-in */
    _Atomic int32_t priority;
};

struct guard_block {
    uint32_t magic;
    uint32_t version;
    uint64_t period_ns;
    uint32_t limit_ticks;
    int32_t priority;
    _Atomic uint64_t phase;
    _Atomic uint64_t safe_epoch; /* the last one whose trip was carried out in full */
    _Atomic uint64_t check_ins;
    _Atomic uint64_t trips;
    _Atomic uint64_t acts;
    _Atomic uint64_t steps_failed;
    _Atomic uint64_t trip_t_ns;
    _Atomic uint64_t trip_tick;
    _Atomic uint32_t silent_ticks;
    _Atomic uint32_t cause;
    _Atomic uint32_t watcher;
    _Atomic int32_t error;
    struct guard_row rows[GUARD_WATCHERS];
    uint64_t data_bytes;
    struct guard_plan plan;
};

_Static_assert(sizeof(struct guard) == GUARD_BYTES, "one page");
_Static_assert(sizeof(struct guard_block) <= sizeof(struct guard), "it has to fit");
_Static_assert(sizeof(struct guard_plan_step) == 64, "processes of one build share it");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "a lock inside would be private to a process");

/* NULL for a guard that guard_check() refuses. */
struct guard_block *guard_block_of(struct guard *guard);

#endif
