/*
 * linux_pmic.h - the board power of a Raspberry Pi 5, estimated from its power management chip.
 *
 * The chip measures voltage and current of twelve rails behind its converters; the current into
 * the board it does not measure. The estimate is a straight line through the sum:
 *     P = 1.1451 x sum(U x I) + 0.5879 W
 * (published by the author of the tool pi-top's power guide from measurements at the plug). It is
 * handed on as estimated, never as measured.
 *
 * Two texts are in use, "VDD_CORE_A current(7)=0.91850000A" and "VDD_CORE_V=0.8750V"; both are read.
 * Pure.
 */
#ifndef LUMENODE_LINUX_PMIC_H
#define LUMENODE_LINUX_PMIC_H

#include <stdint.h>

#define LINUX_PMIC_RAILS_MAX 24

/* The estimate from the answer to `pmic_read_adc`. HAL_E_CORRUPT: not one rail with voltage and
 * current; HAL_E_RANGE: more than 1 kW, which no such board takes. */
int32_t linux_pmic_estimate(const char *text, int32_t *mw);

#endif
