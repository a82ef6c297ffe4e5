/* The backend "linux": a board's own sensors, clocks, switches and watchdog; see backend_linux.h. */
#define _GNU_SOURCE
#include "backend_linux_state.h"
#include "hal_backend.h"
#include "linux_tree.h"
#include "shared_word.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static uint64_t linux_data_bytes(const struct hal_config *config)
{
    (void)config; /* a board has no terminal of its own, whose frames would be kept here */
    return sizeof(struct linux_dev);
}

/* Why the board started last. The driver tells it through its device or, to everybody, in sysfs. */
static uint32_t read_reset_cause(const struct linux_dev *linux_dev)
{
    const struct linux_sampler *sampler = linux_dev->sampler;
    char folder[LINUX_PATH_BYTES];
    int64_t status = 0;

    if (linux_dev->watchdog_code == HAL_OK && linux_dev->watchdog.kind == LINUX_WATCHDOG_DEV) {
        return linux_dev->watchdog.reset_cause;
    }
    if (linux_path(folder, sampler->config.sysfs_root, "class/watchdog/watchdog0") < 0 ||
        linux_read_number(&sampler->sys, folder, "bootstatus", &status) < 0 || status < 0 ||
        status > UINT32_MAX) {
        return HAL_RESET_UNKNOWN;
    }
    return linux_watchdog_reset_cause((uint32_t)status);
}

static int32_t open_watchdog(struct linux_dev *linux_dev)
{
    const struct hal_linux_config *config = &linux_dev->sampler->config;
    char path[LINUX_PATH_BYTES];
    static const uint32_t KINDS[] = {[HAL_LINUX_WATCHDOG_NONE] = LINUX_WATCHDOG_NONE,
                                     [HAL_LINUX_WATCHDOG_DEVICE] = LINUX_WATCHDOG_DEV,
                                     [HAL_LINUX_WATCHDOG_SYSTEMD] = LINUX_WATCHDOG_SYSTEMD};
    struct linux_watchdog_config wanted = {
        .kind = KINDS[config->watchdog_kind],
        .path = path,
        .sysfs_root = config->sysfs_root,
        .timeout_s = config->watchdog_timeout_s,
        .notify_socket = config->notify_socket,
    };

    (void)linux_path(path, config->dev_root, config->watchdog);
    return linux_watchdog_open(&linux_dev->watchdog, &linux_dev->sampler->sys, &wanted);
}

static int32_t linux_dev_open(struct hal *dev)
{
    struct linux_dev *linux_dev = dev->data;
    struct hal_linux_config defaults;
    const struct hal_linux_config *config = dev->config->backend_config;

    if (config == NULL) {
        (void)hal_linux_config_init(&defaults);
        config = &defaults;
    }
    int32_t code = linux_config_check(config, dev->config->payload_level_max);

    if (code < 0) {
        return code;
    }
    memset(linux_dev, 0, sizeof *linux_dev);
    shared_word_store(&linux_dev->wanted, LINUX_LEVEL_NONE);
    for (size_t i = 0; i < sizeof linux_dev->plan_fds / sizeof linux_dev->plan_fds[0]; i++) {
        linux_dev->plan_fds[i] = -1;
    }
    code = linux_sampler_make(&linux_dev->sampler, config, &linux_dev->wanted);
    if (code < 0) {
        return code;
    }
    /* Whatever of the following is not there degrades itself alone, and answers why when asked. */
    linux_lines_open(linux_dev);
    linux_dev->caps_noted = linux_sampler_note(linux_dev->sampler) == HAL_OK;
    linux_dev->watchdog_code = open_watchdog(linux_dev);
    linux_dev->reset_cause = read_reset_cause(linux_dev);
    if (config->period_ms == 0) {
        linux_sampler_poll(linux_dev->sampler);
        return HAL_OK;
    }
    code = linux_sampler_start(linux_dev->sampler);
    if (code < 0) {
        linux_lines_close(linux_dev);
        (void)linux_watchdog_close(&linux_dev->watchdog, 1);
        linux_sampler_end(linux_dev->sampler);
    }
    return code;
}

static void linux_dev_close(struct hal *dev)
{
    struct linux_dev *linux_dev = dev->data;
    struct linux_sampler *sampler = linux_dev->sampler;

    linux_lines_close(linux_dev);
    if (linux_dev->watchdog_code == HAL_OK) {
        (void)linux_watchdog_close(&linux_dev->watchdog, sampler->config.watchdog_stays == 0);
    }
    for (size_t i = 0; i < sizeof linux_dev->plan_fds / sizeof linux_dev->plan_fds[0]; i++) {
        linux_close(&sampler->sys, &linux_dev->plan_fds[i]);
    }
    linux_sampler_end(sampler);
}

static int32_t linux_set_payload_level(struct hal *dev, uint32_t level)
{
    struct linux_dev *linux_dev = dev->data;
    int32_t switched = linux_line_set(linux_dev, HAL_LINUX_PAYLOAD_ENABLE, level > 0);

    if (switched < 0 && switched != HAL_E_UNSUPPORTED) {
        return switched;
    }
    shared_word_store(&linux_dev->wanted, level);
    int32_t code = linux_sampler_request(linux_dev->sampler, level);

    if (code < 0) {
        return code;
    }
    if (linux_dev->sampler->config.period_ms != 0) {
        return (int32_t)level; /* on its way; the snapshots show what became of it */
    }
    linux_sampler_poll(linux_dev->sampler);
    struct linux_view view = linux_sampler_view(linux_dev->sampler);

    return linux_level_now(linux_dev, &view);
}

/* What is not there is off, and cannot be anything else. */
static int32_t linux_set_heater(struct hal *dev, uint32_t on)
{
    int32_t set = linux_line_set(dev->data, HAL_LINUX_HEATER, on);

    return set == HAL_E_UNSUPPORTED && on == 0 ? 0 : set;
}

static int32_t linux_point_terminal(struct hal *dev, uint32_t target_id)
{
    (void)dev;
    return target_id == 0 ? 0 : HAL_E_UNSUPPORTED;
}

/* The inhibit line: it can keep a laser dark, and light none; that is for a terminal on a line. */
static int32_t linux_set_laser(struct hal *dev, uint32_t on)
{
    if (on != 0 && dev->config->terminal == NULL) {
        return HAL_E_UNSUPPORTED;
    }
    int32_t inhibited = linux_line_set(dev->data, HAL_LINUX_LASER_INHIBIT, on == 0);

    if (inhibited == HAL_E_UNSUPPORTED) {
        return on == 0 ? 0 : HAL_E_UNSUPPORTED;
    }
    return inhibited < 0 ? inhibited : inhibited == 0;
}

static int32_t linux_submit_frame(struct hal *dev, const uint8_t *frame, uint32_t frame_bytes)
{
    (void)dev;
    (void)frame;
    (void)frame_bytes;
    return HAL_E_UNSUPPORTED;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the table's type */
static int32_t linux_receive_frame(struct hal *dev, uint8_t *buffer, uint32_t buffer_bytes)
{
    (void)dev;
    (void)buffer;
    (void)buffer_bytes;
    return 0; /* none waits */
}

static int32_t linux_kick(struct hal *dev)
{
    struct linux_dev *linux_dev = dev->data;

    return linux_dev->watchdog_code < 0 ? linux_dev->watchdog_code
                                        : linux_watchdog_kick(&linux_dev->watchdog);
}

static int32_t linux_set_payload_busy(struct hal *dev, uint32_t permille)
{
    struct linux_dev *linux_dev = dev->data;

    atomic_store(&linux_dev->sampler->busy_permille, permille);
    return (int32_t)permille;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the table's type */
static int32_t linux_term_read(struct hal *dev, uint32_t first, uint32_t count, uint32_t *values)
{
    (void)dev;
    (void)first;
    (void)count;
    (void)values;
    return HAL_E_UNSUPPORTED;
}

static int32_t linux_term_write(struct hal *dev, uint32_t reg, uint32_t value)
{
    (void)dev;
    (void)reg;
    (void)value;
    return HAL_E_UNSUPPORTED;
}

static int32_t linux_clear_throttle(struct hal *dev)
{
    struct linux_dev *linux_dev = dev->data;

    atomic_store(&linux_dev->sampler->latched, 0);
    return HAL_OK;
}

const struct hal_api hal_linux_api = {
    .name = "linux",
    .beside_terminal = HAL_SENSOR_LASER | HAL_SENSOR_TERM_TEMP, /* roles of its rails and zones */
    .data_bytes = linux_data_bytes,
    .open = linux_dev_open,
    .close = linux_dev_close,
    .snapshot = linux_snapshot,
    .set_payload_level = linux_set_payload_level,
    .set_heater = linux_set_heater,
    .point_terminal = linux_point_terminal,
    .set_laser = linux_set_laser,
    .submit_frame = linux_submit_frame,
    .receive_frame = linux_receive_frame,
    .kick_watchdog = linux_kick,
    .set_payload_busy = linux_set_payload_busy,
    .term_read = linux_term_read,
    .term_write = linux_term_write,
    .read_board = linux_read_board,
    .clear_throttle = linux_clear_throttle,
    .safe_plan = linux_safe_plan,
};
