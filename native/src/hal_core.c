/* The checked front of hal.h: arguments, state, ranges of answers, counters. Backends behind it
 * only move values. What moves something is in hal_actuators.c, frames and the terminal's map in
 * hal_terminal.c. */
#include "framer.h"
#include "hal_backend.h"
#include "hal_board.h"
#include "hal_front.h"
#include "term_link.h"

#include <string.h>

#define ARENA_ALIGN 16u

_Static_assert(sizeof(struct hal_frame) == 152, "the frame's layout is the ABI");
_Static_assert(offsetof(struct hal_frame, crc32c) == 148, "the check value is the tail");
_Static_assert(sizeof(struct hal_board) == 1832, "the board's layout is the ABI");

/* Backends by name; a new one is one line. */
static const struct hal_api *const BACKENDS[] = {
    &hal_sim_api,
    &hal_link_api,
    &hal_linux_api,
};
#define BACKEND_COUNT (sizeof BACKENDS / sizeof BACKENDS[0])

const char *hal_strerror(int32_t code)
{
    static const char *const NAMES[] = {
        "HAL_OK",        "HAL_E_NODEV",     "HAL_E_PERM",  "HAL_E_BUSY",        "HAL_E_TIMEOUT",
        "HAL_E_IO",      "HAL_E_RANGE",     "HAL_E_STALE", "HAL_E_UNSUPPORTED", "HAL_E_STATE",
        "HAL_E_CORRUPT", "HAL_E_INHIBITED",
    };

    if (code > 0 || code < HAL_E_INHIBITED) {
        return "HAL_E_UNKNOWN";
    }
    return NAMES[-code];
}

const char *hal_backend_name(uint32_t index)
{
    return index < BACKEND_COUNT ? BACKENDS[index]->name : NULL;
}

int32_t hal_config_init(struct hal_config *config, const char *backend)
{
    if (config == NULL) {
        return HAL_E_RANGE;
    }
    *config = (struct hal_config){
        .abi_version = HAL_ABI_VERSION,
        .backend = backend,
        .tx_fifo_frames = 32,
        .rx_fifo_frames = 32,
        .max_frame_bytes = HAL_FRAME_BYTES_MAX,
        .payload_level_max = 15,
    };
    return HAL_OK;
}

static int within(uint32_t value, uint32_t last)
{
    return value >= 1 && value <= last;
}

/* Finds the backend of a configuration; *api is written on success only. */
static int32_t choose(const struct hal_config *config, const struct hal_api **api)
{
    if (config == NULL || config->backend == NULL || config->abi_version != HAL_ABI_VERSION) {
        return HAL_E_RANGE;
    }
    if (!within(config->tx_fifo_frames, HAL_FIFO_FRAMES_MAX) ||
        !within(config->rx_fifo_frames, HAL_FIFO_FRAMES_MAX) ||
        !within(config->max_frame_bytes, HAL_FRAME_BYTES_MAX) ||
        !within(config->payload_level_max, HAL_PAYLOAD_LEVEL_MAX) ||
        hal_terminal_bytes(config) < 0) {
        return HAL_E_RANGE;
    }
    for (size_t i = 0; i < BACKEND_COUNT; i++) {
        if (strcmp(BACKENDS[i]->name, config->backend) == 0) {
            *api = BACKENDS[i];
            return HAL_OK;
        }
    }
    return HAL_E_NODEV;
}

int64_t hal_arena_bytes(const struct hal_config *config)
{
    const struct hal_api *api = NULL;
    int32_t chosen = choose(config, &api);

    if (chosen < 0) {
        return chosen;
    }
    /* Room to align whatever address the caller has. */
    return (int64_t)(hal_data_bytes(api, config) + ARENA_ALIGN - 1);
}

int32_t hal_open(struct hal *dev, const struct hal_config *config, void *arena,
                 uint64_t arena_bytes)
{
    const struct hal_api *api = NULL;

    if (dev == NULL || arena == NULL) {
        return HAL_E_RANGE;
    }
    if (dev->api != NULL) {
        return HAL_E_STATE;
    }
    int32_t chosen = choose(config, &api);

    if (chosen < 0) {
        return chosen;
    }
    if (arena_bytes < hal_data_bytes(api, config) + ARENA_ALIGN - 1) {
        return HAL_E_RANGE;
    }
    size_t skew = (size_t)((uintptr_t)arena % ARENA_ALIGN);

    *dev = (struct hal){
        .config = config,
        .data = (uint8_t *)arena + (skew == 0 ? 0 : ARENA_ALIGN - skew),
    };
    int32_t opened = api->open(dev);

    if (opened >= 0) {
        opened = hal_terminal_open(dev, api);
        if (opened < 0) {
            api->close(dev);
        }
    }
    if (opened < 0) {
        *dev = (struct hal){0};
        return opened;
    }
    dev->api = api;
    return HAL_OK;
}

void hal_close(struct hal *dev)
{
    if (dev == NULL || dev->api == NULL) {
        return;
    }
    term_link_close(dev->terminal);
    dev->api->close(dev);
    *dev = (struct hal){0};
}

int32_t hal_test_open(const struct hal *dev)
{
    if (dev == NULL) {
        return HAL_E_RANGE;
    }
    return dev->api == NULL ? HAL_E_STATE : HAL_OK;
}

static uint32_t frame_crc(const struct hal_frame *frame)
{
    return framer_crc32c(0, (const uint8_t *)frame, offsetof(struct hal_frame, crc32c));
}

/* Bits of what cannot be: a backend hands on what came over a line, or out of a driver. */
static uint32_t impossible(const struct hal *dev, const struct hal_frame *frame)
{
    uint32_t bits = ~(uint32_t)HAL_SENSOR_ALL;

    bits |= frame->payload_level > dev->config->payload_level_max ? HAL_SENSOR_PAYLOAD_LEVEL : 0u;
    bits |= frame->laser_on > 1 ? HAL_SENSOR_LASER_ON : 0u;
    bits |= frame->heater_on > 1 ? HAL_SENSOR_HEATER_ON : 0u;
    bits |= frame->target_id > HAL_TARGET_ID_MAX ? HAL_SENSOR_TARGET_ID : 0u;
    bits |= frame->reset_cause > HAL_RESET_UNKNOWN ? HAL_SENSOR_RESET_CAUSE : 0u;
    return bits;
}

int32_t hal_snapshot(struct hal *dev, struct hal_frame *frame)
{
    struct hal_frame fresh = {.abi_version = HAL_ABI_VERSION, .size_bytes = sizeof fresh};
    int32_t state = hal_test_open(dev);

    if (state < 0) {
        return state;
    }
    if (frame == NULL) {
        return HAL_E_RANGE;
    }
    int32_t taken = dev->api->snapshot(dev, &fresh);

    if (taken < 0) {
        dev->counters.snapshots_failed++;
        return taken;
    }
    hal_terminal_fill(dev, &fresh);
    fresh.valid &= ~impossible(dev, &fresh);
    fresh.estimated &= fresh.valid;
    fresh.seq = ++dev->seq;
    fresh.crc32c = frame_crc(&fresh);
    dev->counters.snapshots++;
    *frame = fresh;
    return HAL_OK;
}

int32_t hal_frame_check(const struct hal_frame *frame)
{
    if (frame == NULL) {
        return HAL_E_RANGE;
    }
    if (frame->abi_version != HAL_ABI_VERSION || frame->size_bytes != sizeof *frame ||
        frame->crc32c != frame_crc(frame)) {
        return HAL_E_CORRUPT;
    }
    return HAL_OK;
}

int32_t hal_kick_watchdog(struct hal *dev)
{
    int32_t state = hal_test_open(dev);

    if (state < 0) {
        return state;
    }
    int32_t kicked = dev->api->kick_watchdog(dev);

    if (kicked >= 0) {
        dev->counters.watchdog_kicks++;
    } else {
        dev->counters.watchdog_failed++;
    }
    return kicked;
}

int32_t hal_read_board(struct hal *dev, struct hal_board *board)
{
    int32_t state = hal_test_open(dev);

    if (state < 0) {
        return state;
    }
    if (board == NULL) {
        return HAL_E_RANGE;
    }
    if (dev->api->read_board == NULL) {
        return HAL_E_UNSUPPORTED;
    }
    *board = (struct hal_board){.abi_version = HAL_ABI_VERSION, .size_bytes = sizeof *board};
    return dev->api->read_board(dev, board);
}

int32_t hal_clear_throttle(struct hal *dev)
{
    int32_t state = hal_test_open(dev);

    if (state < 0) {
        return state;
    }
    return dev->api->clear_throttle == NULL ? HAL_E_UNSUPPORTED : dev->api->clear_throttle(dev);
}

int32_t hal_read_counters(const struct hal *dev, struct hal_counters *counters)
{
    int32_t state = hal_test_open(dev);

    if (state < 0) {
        return state;
    }
    if (counters == NULL) {
        return HAL_E_RANGE;
    }
    *counters = dev->counters;
    return HAL_OK;
}
