/* Carries out what makes a device safe, step by step; see guard_plan.h. */
#include "guard_plan.h"
#include "guard_block.h"
#include "hal.h"

#include <sys/ioctl.h>

/* As <linux/gpio.h> has them since kernel 5.10; older headers lack them. */
struct line_values {
    uint64_t bits;
    uint64_t mask;
};
#define LINE_SET_VALUES _IOWR(0xB4, 0x0F, struct line_values)

static int step_is_good(const struct guard_plan_step *step, uint64_t data_bytes)
{
    switch (step->kind) {
    case GUARD_STORE:
        return step->offset % sizeof(uint32_t) == 0 && step->value <= UINT32_MAX &&
               data_bytes >= sizeof(uint32_t) && step->offset <= data_bytes - sizeof(uint32_t);
    case GUARD_WRITE:
        return step->fd >= 0 && step->text_bytes >= 1 && step->text_bytes <= GUARD_TEXT_BYTES;
    case GUARD_LINES: return step->fd >= 0 && step->mask != 0;
    default: return 0;
    }
}

int32_t guard_plan_check(const struct guard_plan *plan, uint64_t data_bytes)
{
    if (plan == NULL || plan->count > GUARD_STEPS_MAX) {
        return HAL_E_RANGE;
    }
    for (uint32_t i = 0; i < plan->count; i++) {
        if (!step_is_good(&plan->steps[i], data_bytes)) {
            return HAL_E_RANGE;
        }
    }
    return HAL_OK;
}

static int32_t write_text(const struct guard_plan_step *step, const struct linux_syscalls *sys)
{
    int64_t written = sys->pwrite(sys->context, step->fd, step->text, step->text_bytes, 0);

    if (written < 0) {
        return linux_error(written);
    }
    return (uint64_t)written == step->text_bytes ? HAL_OK : HAL_E_IO;
}

static int32_t run_step(const struct guard_plan_step *step, void *data,
                        const struct linux_syscalls *sys)
{
    struct line_values lines = {.bits = step->value, .mask = step->mask};

    switch (step->kind) {
    case GUARD_STORE:
        if (data == NULL) {
            return HAL_E_STATE;
        }
        __atomic_store_n((uint32_t *)((uint8_t *)data + step->offset), (uint32_t)step->value,
                         __ATOMIC_SEQ_CST);
        return HAL_OK;
    case GUARD_WRITE: return write_text(step, sys);
    default: return linux_error(sys->ioctl(sys->context, step->fd, LINE_SET_VALUES, &lines));
    }
}

uint32_t guard_plan_run(const struct guard_plan *plan, void *data, const struct linux_syscalls *sys,
                        int32_t *error)
{
    uint32_t failed = 0;

    for (uint32_t i = 0; i < plan->count; i++) {
        int32_t code = run_step(&plan->steps[i], data, sys);

        /* A signal is no reason to leave an actuator on. */
        for (int again = 0; code == HAL_E_TIMEOUT && again < LINUX_RESTARTS_MAX; again++) {
            code = run_step(&plan->steps[i], data, sys);
        }
        if (code < 0) {
            failed++;
            *error = code;
        }
    }
    return failed;
}

int32_t guard_set_plan(struct guard *guard, const struct guard_plan *plan, uint64_t data_bytes)
{
    struct guard_block *block = guard_block_of(guard);

    if (block == NULL) {
        return guard_check(guard);
    }
    struct guard_status status;

    (void)guard_read_status(guard, &status);
    if (status.state != GUARD_DISARMED) {
        return HAL_E_STATE;
    }
    int32_t good = guard_plan_check(plan, data_bytes);

    if (good < 0) {
        return good;
    }
    block->data_bytes = data_bytes;
    block->plan = *plan;
    return HAL_OK;
}

int32_t guard_watch(struct guard *guard, uint32_t watcher, uint32_t dead, void *data,
                    const struct linux_syscalls *sys)
{
    int32_t due = guard_step(guard, watcher, dead, sys->now_ns(sys->context));

    if (due > 0) {
        int32_t error = HAL_OK;
        uint32_t failed = guard_plan_run(&((struct guard_block *)guard)->plan, data, sys, &error);

        (void)guard_acted(guard, watcher, failed, error);
    }
    return due;
}
