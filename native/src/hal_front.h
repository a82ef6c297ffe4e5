/*
 * hal_front.h - what the files of the checked front share: hal_core.c, hal_actuators.c and
 * hal_terminal.c.
 */
#ifndef LUMENODE_HAL_FRONT_H
#define LUMENODE_HAL_FRONT_H

#include "hal.h"

struct guard_plan; /* guard_plan.h */

/* HAL_OK, HAL_E_RANGE for NULL, HAL_E_STATE for a closed device. */
int32_t hal_test_open(const struct hal *dev);

/* Bytes that a terminal on a line needs behind the backend's data, 0 without one. HAL_E_RANGE: not a
 * line's configuration. */
int64_t hal_terminal_bytes(const struct hal_config *config);

/* Bytes of dev->data for a checked configuration: the backend's, and the terminal's. */
uint64_t hal_data_bytes(const struct hal_api *api, const struct hal_config *config);

/* Opens the terminal on a line, if there shall be one: the backend is open. term_link_open(). */
int32_t hal_terminal_open(struct hal *dev, const struct hal_api *api);

/* What a terminal on a line shows takes the place of what the backend put there. */
void hal_terminal_fill(struct hal *dev, struct hal_frame *frame);

/* What moves something, as in hal_backend.h, goes to the terminal, wherever it is. */
int32_t hal_terminal_write(struct hal *dev, uint32_t reg, uint32_t value);
int32_t hal_terminal_point(struct hal *dev, uint32_t target_id);
int32_t hal_terminal_set_laser(struct hal *dev, uint32_t on);

/* Adds what inhibits a terminal on a line to the backend's plan. */
void hal_terminal_plan(struct hal *dev, struct guard_plan *plan);

#endif
