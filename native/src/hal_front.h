/*
 * hal_front.h - what the files of the checked front share: hal_core.c and hal_actuators.c.
 */
#ifndef LUMENODE_HAL_FRONT_H
#define LUMENODE_HAL_FRONT_H

#include "hal.h"

/* HAL_OK, HAL_E_RANGE for NULL, HAL_E_STATE for a closed device. */
int32_t hal_test_open(const struct hal *dev);

#endif
