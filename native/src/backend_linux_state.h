/*
 * backend_linux_state.h - the state behind a "linux" device, in the caller's arena. Only the device's
 * own thread touches it, but for `wanted`.
 */
#ifndef LUMENODE_BACKEND_LINUX_STATE_H
#define LUMENODE_BACKEND_LINUX_STATE_H

#include "backend_linux.h"
#include "guard_plan.h"
#include "linux_gpio.h"
#include "linux_sampler.h"
#include "linux_watchdog.h"

/* A switch on a GPIO line. One that could not be had is tried again when it is next set. */
struct linux_line {
    struct linux_gpio gpio; /* fd -1: closed */
    int32_t code;           /* why it is closed; HAL_E_UNSUPPORTED: not configured */
    uint32_t noted;         /* 1: it is in the journal, so that it may be switched */
    uint32_t unplanned;     /* 1: opened since a guard got its plan, which does not know it */
};

struct linux_dev {
    uint32_t wanted; /* level; a guard's watcher may write 0 from another process (guard_plan.h) */
    uint32_t reset_cause; /* enum hal_reset_cause */
    struct linux_sampler *sampler;
    struct linux_roles roles;
    struct linux_caps caps;
    struct linux_line lines[HAL_LINUX_LINES];
    struct linux_watchdog watchdog;
    int32_t watchdog_code; /* HAL_OK, or why there is none */
    uint32_t caps_noted;   /* 1: since the device was opened, so that a guard may set them */
    uint32_t planned;      /* 1: a guard has a plan, which names the lines that were open then */
    int plan_fds[2 * LINUX_CLOCKS_MAX]; /* open for a guard's plan; -1: not */
};

/* HAL_OK, or HAL_E_RANGE: a field out of its bounds; backend_linux_config.c. */
int32_t linux_config_check(const struct hal_linux_config *config, uint32_t payload_level_max);

/* The switches; backend_linux_lines.c. */
void linux_lines_open(struct linux_dev *linux_dev);
void linux_lines_close(struct linux_dev *linux_dev);
/* @return the value read back, or why there is none. */
int32_t linux_line_set(struct linux_dev *linux_dev, int line, uint32_t on);
int32_t linux_line_get(const struct linux_dev *linux_dev, int line);

/* What hal.h asks for; backend_linux_frame.c, backend_linux_board.c. */
int32_t linux_snapshot(struct hal *dev, struct hal_frame *frame);
int32_t linux_read_board(struct hal *dev, struct hal_board *board);
/* backend_linux_plan.c */
int32_t linux_safe_plan(struct hal *dev, struct guard_plan *plan);

/* The level that holds now: what the caps grant and the payload's switch lets through, or
 * HAL_E_STALE. */
int32_t linux_level_now(struct linux_dev *linux_dev, const struct linux_view *view);

#endif
