/* The dead-man's decisions; see guard.h. No clock, no device, no lock. */
#include "guard.h"
#include "guard_block.h"
#include "hal.h"

#include <string.h>

#define STATE_BITS 2u

int32_t guard_init(struct guard *guard, const struct guard_config *config)
{
    if (guard == NULL || config == NULL || config->limit_ticks < 1 ||
        config->limit_ticks > GUARD_TICKS_MAX || config->period_ns < GUARD_PERIOD_MIN ||
        config->period_ns > GUARD_PERIOD_MAX || config->priority < 0 || config->priority > 99) {
        return HAL_E_RANGE;
    }
    memset(guard, 0, sizeof *guard);
    struct guard_block *block = (struct guard_block *)guard;

    block->version = GUARD_VERSION;
    block->period_ns = config->period_ns;
    block->limit_ticks = config->limit_ticks;
    block->priority = config->priority;
    atomic_store(&block->watcher, GUARD_NO_WATCHER);
    block->magic = GUARD_MAGIC;
    return HAL_OK;
}

int32_t guard_check(const struct guard *guard)
{
    const struct guard_block *block = (const struct guard_block *)guard;

    if (guard == NULL) {
        return HAL_E_RANGE;
    }
    return block->magic == GUARD_MAGIC && block->version == GUARD_VERSION ? HAL_OK : HAL_E_CORRUPT;
}

struct guard_block *guard_block_of(struct guard *guard)
{
    return guard_check(guard) == HAL_OK ? (struct guard_block *)guard : NULL;
}

static uint64_t epoch_of(uint64_t phase)
{
    return phase >> STATE_BITS;
}

static uint32_t state_of(uint64_t phase)
{
    return (uint32_t)(phase & ((1u << STATE_BITS) - 1));
}

/* From `phase`, and from no other one, to another state. */
static int move(struct guard_block *block, uint64_t phase, uint64_t epoch, uint32_t state)
{
    return atomic_compare_exchange_strong(&block->phase, &phase, epoch << STATE_BITS | state);
}

int32_t guard_arm(struct guard *guard)
{
    struct guard_block *block = guard_block_of(guard);

    if (block == NULL) {
        return guard_check(guard);
    }
    uint64_t phase = atomic_load(&block->phase);

    switch (state_of(phase)) {
    case GUARD_DISARMED: (void)move(block, phase, epoch_of(phase) + 1, GUARD_ARMED); return HAL_OK;
    case GUARD_ARMED: return HAL_OK;
    default: return HAL_E_STATE;
    }
}

int32_t guard_disarm(struct guard *guard)
{
    struct guard_block *block = guard_block_of(guard);

    if (block == NULL) {
        return guard_check(guard);
    }
    uint64_t phase = atomic_load(&block->phase);

    /* Only a trip can come in between, and only one. */
    while (!move(block, phase, epoch_of(phase), GUARD_DISARMED)) {
        phase = atomic_load(&block->phase);
    }
    return HAL_OK;
}

int32_t guard_check_in(struct guard *guard)
{
    struct guard_block *block = guard_block_of(guard);

    if (block == NULL) {
        return guard_check(guard);
    }
    atomic_fetch_add_explicit(&block->check_ins, 1, memory_order_release);
    return HAL_OK;
}

int32_t guard_rearm(struct guard *guard)
{
    struct guard_block *block = guard_block_of(guard);

    if (block == NULL) {
        return guard_check(guard);
    }
    uint64_t phase = atomic_load(&block->phase);

    if (state_of(phase) != GUARD_TRIPPED) {
        return HAL_E_STATE;
    }
    if (atomic_load(&block->safe_epoch) != epoch_of(phase)) {
        return HAL_E_BUSY;
    }
    return move(block, phase, epoch_of(phase) + 1, GUARD_ARMED) ? HAL_OK : HAL_E_STATE;
}

int32_t guard_holds(const struct guard *guard)
{
    const struct guard_block *block = (const struct guard_block *)guard;

    if (guard == NULL) {
        return 0;
    }
    atomic_thread_fence(memory_order_seq_cst);
    return state_of(atomic_load(&block->phase)) == GUARD_TRIPPED;
}

/* Whether the silence has lasted too long, by this watcher's own count. */
static int overdue(struct guard_block *block, struct guard_row *row, uint64_t epoch)
{
    uint64_t check_ins = atomic_load_explicit(&block->check_ins, memory_order_acquire);

    if (row->armed != epoch || row->seen != check_ins) {
        row->armed = epoch;
        row->seen = check_ins;
        row->silent = 0;
        return 0;
    }
    row->silent++;
    return row->silent >= block->limit_ticks;
}

/* One of the watchers gets the trip; it writes the record. */
static int32_t trip(struct guard_block *block, uint32_t watcher, uint64_t phase, uint32_t cause,
                    uint64_t now_ns)
{
    struct guard_row *row = &block->rows[watcher];

    if (!move(block, phase, epoch_of(phase), GUARD_TRIPPED)) {
        return 0;
    }
    row->tripped = epoch_of(phase);
    atomic_store(&block->cause, cause);
    atomic_store(&block->watcher, watcher);
    atomic_store(&block->silent_ticks, row->silent);
    atomic_store(&block->trip_t_ns, now_ns);
    atomic_store(&block->trip_tick, atomic_load(&row->ticks));
    atomic_fetch_add(&block->trips, 1);
    return 1;
}

int32_t guard_step(struct guard *guard, uint32_t watcher, uint32_t dead, uint64_t now_ns)
{
    struct guard_block *block = guard_block_of(guard);

    if (block == NULL || watcher >= GUARD_WATCHERS) {
        return block == NULL ? guard_check(guard) : HAL_E_RANGE;
    }
    struct guard_row *row = &block->rows[watcher];

    atomic_fetch_add(&row->ticks, 1);
    uint64_t phase = atomic_load(&block->phase);

    switch (state_of(phase)) {
    case GUARD_ARMED:
        if (overdue(block, row, epoch_of(phase)) || dead != 0) {
            uint32_t cause = dead != 0 ? GUARD_CAUSE_DEATH : GUARD_CAUSE_SILENCE;

            return trip(block, watcher, phase, cause, now_ns);
        }
        return 0;
    case GUARD_TRIPPED:
        if (row->tripped != epoch_of(phase)) {
            row->tripped = epoch_of(phase); /* the other's trip: it acts just now */
            return 0;
        }
        return atomic_load(&block->safe_epoch) != epoch_of(phase);
    default: return 0;
    }
}

int32_t guard_acted(struct guard *guard, uint32_t watcher, uint32_t failed, int32_t error)
{
    struct guard_block *block = guard_block_of(guard);

    if (block == NULL || watcher >= GUARD_WATCHERS) {
        return block == NULL ? guard_check(guard) : HAL_E_RANGE;
    }
    if (failed != 0) {
        atomic_fetch_add(&block->steps_failed, failed);
        atomic_store(&block->error, error);
        return HAL_OK;
    }
    uint64_t done = block->rows[watcher].tripped;
    uint64_t safe = atomic_load(&block->safe_epoch);

    /* The other may have done the same meanwhile: then it was counted. */
    if (safe < done && atomic_compare_exchange_strong(&block->safe_epoch, &safe, done)) {
        atomic_fetch_add(&block->acts, 1);
    }
    return HAL_OK;
}

int32_t guard_read_status(const struct guard *guard, struct guard_status *status)
{
    const struct guard_block *block = (const struct guard_block *)guard;

    if (status == NULL || guard_check(guard) != HAL_OK) {
        return status == NULL ? HAL_E_RANGE : guard_check(guard);
    }
    uint64_t phase = atomic_load(&block->phase);

    *status = (struct guard_status){
        .state = state_of(phase),
        .safe = phase != 0 && atomic_load(&block->safe_epoch) == epoch_of(phase),
        .cause = atomic_load(&block->cause),
        .watcher = atomic_load(&block->watcher),
        .silent_ticks = atomic_load(&block->silent_ticks),
        .error = atomic_load(&block->error),
        .trip_t_ns = atomic_load(&block->trip_t_ns),
        .trip_tick = atomic_load(&block->trip_tick),
        .trips = atomic_load(&block->trips),
        .acts = atomic_load(&block->acts),
        .steps_failed = atomic_load(&block->steps_failed),
        .check_ins = atomic_load(&block->check_ins),
        .thread_ticks = atomic_load(&block->rows[GUARD_THREAD].ticks),
        .process_ticks = atomic_load(&block->rows[GUARD_PROCESS].ticks),
        .process_priority = atomic_load(&block->rows[GUARD_PROCESS].priority),
        .plan_steps = block->plan.count,
    };
    return HAL_OK;
}
