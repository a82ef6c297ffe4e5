/* What makes a board safe from another thread or process, step by step; see guard_plan.h. */
#define _GNU_SOURCE
#include "backend_linux_state.h"
#include "hal_backend.h"
#include "linux_tree.h"

#include <fcntl.h>
#include <stdio.h>

static void add_step(struct guard_plan *plan, const struct guard_plan_step *step)
{
    if (plan->count < GUARD_STEPS_MAX) { /* 2 lines, a word, 2 caps of 9 clocks: there is room */
        plan->steps[plan->count++] = *step;
    }
}

static void add_line(struct linux_dev *linux_dev, struct guard_plan *plan, int line, uint64_t level)
{
    int fd = linux_dev->lines[line].gpio.fd;

    linux_dev->lines[line].unplanned = 0;
    if (fd >= 0) {
        add_step(plan, &(struct guard_plan_step){
                           .kind = GUARD_LINES, .fd = fd, .mask = 1, .value = level});
    }
}

/* One cap's file, kept open for the plan. What cannot be opened cannot be set by anybody. */
static void add_cap(struct linux_dev *linux_dev, struct guard_plan *plan, uint32_t slot,
                    const char *folder, const char *file, int64_t value)
{
    const struct linux_syscalls *sys = &linux_dev->sampler->sys;
    struct guard_plan_step step = {.kind = GUARD_WRITE};
    char path[LINUX_PATH_BYTES];
    int64_t opened;

    if (linux_path(path, folder, file) < 0) {
        return;
    }
    linux_close(sys, &linux_dev->plan_fds[slot]);
    opened = linux_open(sys, path, O_WRONLY | O_NONBLOCK);
    if (opened < 0) {
        return;
    }
    linux_dev->plan_fds[slot] = (int)opened;
    step.fd = (int)opened;
    step.text_bytes = (uint32_t)snprintf(step.text, sizeof step.text, "%lld\n", (long long)value);
    add_step(plan, &step);
}

/* Level 0 of every clock, the lower cap before the upper one: once they are in the journal. */
static void add_caps(struct linux_dev *linux_dev, struct guard_plan *plan)
{
    struct linux_sampler *sampler = linux_dev->sampler;

    linux_caps_update(&linux_dev->caps, &sampler->reader, &sampler->inventory);
    for (uint32_t i = 0; i < linux_dev->caps.clocks; i++) {
        const struct linux_source *clock = &sampler->inventory.source[linux_dev->caps.index[i]];
        uint32_t upper_khz = linux_dev->caps.khz[0][i];

        add_cap(linux_dev, plan, 2 * i, clock->folder, linux_clock_lower(clock),
                (int64_t)linux_clock_lower_khz(clock, upper_khz) * clock->divide[1]);
        add_cap(linux_dev, plan, 2 * i + 1, clock->folder, linux_clock_upper(clock),
                (int64_t)upper_khz * clock->divide[2]);
    }
}

int32_t linux_safe_plan(struct hal *dev, struct guard_plan *plan)
{
    struct linux_dev *linux_dev = dev->data;

    linux_dev->planned = 1;
    add_line(linux_dev, plan, HAL_LINUX_LASER_INHIBIT, 1);
    add_line(linux_dev, plan, HAL_LINUX_PAYLOAD_ENABLE, 0);
    /* The thread that carries levels out obeys this word. */
    add_step(plan, &(struct guard_plan_step){.kind = GUARD_STORE,
                                             .offset = offsetof(struct linux_dev, wanted)});
    if (linux_dev->caps_noted != 0) {
        add_caps(linux_dev, plan);
    }
    return HAL_OK;
}
