/*
 * hal_backend.h - what a backend must provide. Only hal_core.c and backends include it.
 *
 * The front in hal_core.c has already tested every pointer, the state of the device and the range
 * of every argument, and it counts; a backend only moves values. A backend must not allocate, must
 * not keep state outside its `data`, and must meet the worst-case times of hal.h.
 */
#ifndef LUMENODE_HAL_BACKEND_H
#define LUMENODE_HAL_BACKEND_H

#include "guard_plan.h"
#include "hal.h"

struct hal_api {
    const char *name; /* as in hal_config.backend */
    /* enum hal_sensor_bit: what it measures of a terminal on a line (hal_config.terminal), which then
     * stands where the terminal itself does not tell. */
    uint32_t beside_terminal;

    /* Bytes of `data` for a checked configuration; cannot fail. */
    uint64_t (*data_bytes)(const struct hal_config *config);
    /* dev->config is set and dev->data points to data_bytes() of memory, 16-byte aligned, content
     * undefined. HAL_OK or a negative code. */
    int32_t (*open)(struct hal *dev);
    /* Gives back whatever the operating system lent; the device cannot be used any more. */
    void (*close)(struct hal *dev);

    /* Fills everything of the frame but abi_version, size_bytes, seq and crc32c. */
    int32_t (*snapshot)(struct hal *dev, struct hal_frame *frame);

    /* Each returns the value read back, or a negative code. */
    int32_t (*set_payload_level)(struct hal *dev, uint32_t level);
    int32_t (*set_heater)(struct hal *dev, uint32_t on);
    int32_t (*point_terminal)(struct hal *dev, uint32_t target_id);
    /* With a terminal on a line: the board's inhibit line beside it, HAL_E_UNSUPPORTED without. */
    int32_t (*set_laser)(struct hal *dev, uint32_t on);

    /* Credits left, HAL_E_BUSY without one. */
    int32_t (*submit_frame)(struct hal *dev, const uint8_t *frame, uint32_t frame_bytes);
    /* Length taken, 0 when none waits, HAL_E_RANGE when the buffer is too small. */
    int32_t (*receive_frame)(struct hal *dev, uint8_t *buffer, uint32_t buffer_bytes);
    /* The eventfd of hal_receive_fd() (hal_wake.h); NULL: not supported. */
    int32_t (*receive_fd)(struct hal *dev);
    /* HAL_OK, HAL_E_IO when the watchdog did not take it. */
    int32_t (*kick_watchdog)(struct hal *dev);
    /* The value taken; it stands in the next snapshot. */
    int32_t (*set_payload_busy)(struct hal *dev, uint32_t permille);

    /* `first` and `count` lie inside the map. */
    int32_t (*term_read)(struct hal *dev, uint32_t first, uint32_t count, uint32_t *values);
    /* `reg` is one that may be written. */
    int32_t (*term_write)(struct hal *dev, uint32_t reg, uint32_t value);

    /* Fills everything of the board but abi_version and size_bytes; NULL: not supported. */
    int32_t (*read_board)(struct hal *dev, struct hal_board *board);
    /* NULL: not supported. */
    int32_t (*clear_throttle)(struct hal *dev);

    /* Fills a plan of zeroes with what makes this device safe from another thread or process:
     * payload level 0, laser off, terminal inhibited (guard_plan.h). An empty plan: the far end does
     * it when it hears nothing. HAL_OK or a negative code. NULL: not supported. */
    int32_t (*safe_plan)(struct hal *dev, struct guard_plan *plan);
};

/* The table hal_open() chooses from: one line a backend in hal_core.c. */
extern const struct hal_api hal_sim_api;
extern const struct hal_api hal_link_api;
extern const struct hal_api hal_linux_api;

#endif
