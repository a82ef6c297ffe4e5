/*
 * linux_ina.h - current and power monitors INA219 and INA226 on an I2C bus, without a kernel
 * driver. Where the kernel's ina2xx driver is bound its hwmon files are used instead (open answers
 * HAL_E_BUSY).
 *
 * The chip multiplies by itself: current register = shunt register x calibration, scaled. The
 * calibration is computed here in integers from the shunt and the largest current; the currents
 * handed out use the step that the rounded calibration really makes. A supply that dipped puts the
 * chip back to its reset state, in which the calibration is 0 and every current reads 0: the
 * calibration is therefore read after the values of every sample, and a chip that lost it is set up
 * again and the sample refused as stale.
 *
 * Memory.   `struct linux_ina` is the caller's; nothing is allocated.
 * Time.     A sample is 4 or 5 register transfers, 2 ms at 100 kHz; 4 more when it is set up again.
 *           A new conversion is there every 1 ms (INA219) or 2.2 ms (INA226) times `averages`.
 * Source.   Texas Instruments data sheets SBOS448 (INA219), 8.5 and 8.6, and SBOS547 (INA226),
 *           7.5 and 7.6.
 */
#ifndef LUMENODE_LINUX_INA_H
#define LUMENODE_LINUX_INA_H

#include "linux_i2c.h"

#ifdef __cplusplus
extern "C" {
#endif

enum linux_ina_chip { LINUX_INA219 = 0, LINUX_INA226 = 1 };

#define LINUX_INA_SHUNT_UOHM_MAX 10000000
#define LINUX_INA_MAX_MA_MAX     200000

struct linux_ina_config {
    struct linux_i2c_config i2c; /* address 0x40 to 0x4F */
    uint32_t chip;               /* enum linux_ina_chip */
    uint32_t shunt_uohm;         /* 1 to LINUX_INA_SHUNT_UOHM_MAX; breakout boards have 100,000 */
    uint32_t max_ma;             /* largest current to be measured, 1 to LINUX_INA_MAX_MA_MAX; a
                                    smaller one gives finer steps, 32,768 of them */
    uint32_t averages;           /* conversions a value: 1, 4, 16, 64 or 128 */
};

/* What the chip is set to: linux_ina_plan() of a configuration. */
struct linux_ina_setup {
    uint16_t configuration; /* register 0 */
    uint16_t calibration;   /* register 5 */
    int64_t step_pa; /* current of one count, picoampere, as the calibration really makes it */
};

struct linux_ina {
    struct linux_i2c i2c;
    uint32_t chip;
    struct linux_ina_setup setup;
    uint64_t samples;   /* good ones */
    uint64_t not_ready; /* no conversion since the last sample */
    uint64_t overflows; /* current or power past the chip's range */
    uint64_t resets;    /* the chip had lost its calibration */
};

struct linux_ina_sample {
    int32_t mv; /* bus voltage */
    int32_t ma; /* positive from IN+ to IN- */
    int32_t mw; /* with the sign of the current */
};

/* The registers for a configuration. HAL_OK, or HAL_E_RANGE: NULL, a field out of bounds, or a
 * largest current that the shunt turns into more than the chip's range (320 mV INA219, 81.92 mV
 * INA226). Pure. */
int32_t linux_ina_plan(const struct linux_ina_config *config, struct linux_ina_setup *setup);

/*
 * Opens the bus, checks the identity (INA226: 0x5449 and 0x226x; an INA219 has none) and sets the
 * chip up, reading back what was written. HAL_E_NODEV: nobody answers, or it is another chip.
 * HAL_E_IO: it does not keep what is written. The rest as linux_i2c_open() and linux_ina_plan().
 * On error it stays closed.
 */
int32_t linux_ina_open(struct linux_ina *ina, const struct linux_syscalls *sys,
                       const struct linux_ina_config *config);

/* Closes; closed or NULL: nothing happens. The chip goes on converting. */
void linux_ina_close(struct linux_ina *ina);

/*
 * Reads one sample into `*sample` (the caller's), untouched on error. HAL_E_BUSY: no new conversion
 * yet; the last sample still stands. HAL_E_STALE: the chip had been reset and was set up again; the
 * next conversion counts. HAL_E_IO: out of the chip's range. HAL_E_RANGE: NULL. The rest as
 * linux_i2c_transfer().
 */
int32_t linux_ina_read(struct linux_ina *ina, struct linux_ina_sample *sample);

#ifdef __cplusplus
}
#endif

#endif
