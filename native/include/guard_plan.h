/*
 * guard_plan.h - what "payload off, laser off, inhibited" means on a device, as data: a list of
 * steps that another thread or another process can carry out beside whatever the device is doing.
 *
 * A backend fills it once, when a guard is attached (hal_backend.h, `safe_plan`). A step names what
 * it needs, a descriptor that is open already or a word of the device's `data`, because a watcher
 * may open, allocate and wait for nothing. Order is the backend's; every step is tried, whatever
 * became of the one before.
 *
 * What a step does must be idempotent and must last: nothing that the device does afterwards by
 * itself may undo it (a thread of the backend's own that writes actuators looks at its word first).
 * A step must not block: no bus behind which a device may hang. Where the actuator is at the far end
 * of a wire, the plan stores a word that the backend's own thread obeys, and the far end makes
 * itself safe when it hears nothing any more (bench_link.h, "Life"; terminal_registers.h, "Safety").
 */
#ifndef LUMENODE_GUARD_PLAN_H
#define LUMENODE_GUARD_PLAN_H

#include "linux_syscalls.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GUARD_STEPS_MAX  32
#define GUARD_TEXT_BYTES 28

enum guard_step_kind {
    GUARD_STORE = 1, /* the 32-bit word at `offset` of the device's data becomes `value` */
    GUARD_WRITE = 2, /* `text` is written to `fd` from its first octet on, as to a file of sysfs */
    GUARD_LINES = 3  /* GPIO lines of the request `fd`: those in `mask` take the bits of `value` */
};

/* 64 bytes without padding. */
struct guard_plan_step {
    uint32_t kind;       /* enum guard_step_kind */
    int32_t fd;          /* GUARD_WRITE, GUARD_LINES: open as long as the device is */
    uint64_t offset;     /* GUARD_STORE: bytes, a multiple of 4 */
    uint64_t mask;       /* GUARD_LINES */
    uint64_t value;      /* GUARD_STORE, GUARD_LINES */
    uint32_t text_bytes; /* GUARD_WRITE: 1 to GUARD_TEXT_BYTES */
    char text[GUARD_TEXT_BYTES];
};

struct guard_plan {
    uint32_t count; /* 0 to GUARD_STEPS_MAX */
    uint32_t reserved;
    struct guard_plan_step steps[GUARD_STEPS_MAX];
};

/* HAL_OK when every step can be carried out on `data_bytes` of data; HAL_E_RANGE. */
int32_t guard_plan_check(const struct guard_plan *plan, uint64_t data_bytes);

/*
 * Carries out every step of a checked plan on a device whose `data` is at that address in this
 * process.
 * @return steps that failed, 0 to GUARD_STEPS_MAX; `*error` is then the code of the last of them.
 * Worst case: two system calls a step.
 */
uint32_t guard_plan_run(const struct guard_plan *plan, void *data, const struct linux_syscalls *sys,
                        int32_t *error);

struct guard;

/* Puts a plan into a guard, whose watchers then find it. HAL_E_RANGE: NULL, or a plan that
 * guard_plan_check() refuses. HAL_E_STATE: the guard is not DISARMED. */
int32_t guard_set_plan(struct guard *guard, const struct guard_plan *plan, uint64_t data_bytes);

/*
 * One tick of a watcher, decision and deed: guard_step(), and the plan when it is due. `data` may be
 * NULL while no plan is set.
 * @return 1: acted; 0: nothing to do. HAL_E_RANGE: as guard_step().
 */
int32_t guard_watch(struct guard *guard, uint32_t watcher, uint32_t dead, void *data,
                    const struct linux_syscalls *sys);

#ifdef __cplusplus
}
#endif

#endif
