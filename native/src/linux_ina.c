/* INA219 and INA226 over I2C; see linux_ina.h. */
#include "hal.h"
#include "linux_ina_registers.h"

#include <stddef.h>

enum register_of_ina {
    REG_CONFIGURATION = 0x00,
    REG_BUS = 0x02,
    REG_POWER = 0x03,
    REG_CURRENT = 0x04,
    REG_CALIBRATION = 0x05,
    REG_MASK = 0x06,
    REG_MANUFACTURER = 0xFE,
    REG_DIE = 0xFF
};

enum bit_of_ina {
    INA219_BUS_OVERFLOW = 1 << 0,
    INA219_BUS_READY = 1 << 1,
    INA226_MASK_OVERFLOW = 1 << 2,
    INA226_MASK_READY = 1 << 3
};

static const int32_t INA226_MANUFACTURER = 0x5449;
static const int32_t INA226_DIE = 0x226; /* the last four bits are the revision */

/* Calibration first: writing the configuration starts a new conversion and clears "ready", so that
 * no value computed with another calibration is ever taken. */
static int32_t set_up(struct linux_ina *ina)
{
    int32_t code = linux_i2c_write_register(&ina->i2c, REG_CALIBRATION, ina->setup.calibration);

    if (code == HAL_OK) {
        code = linux_i2c_write_register(&ina->i2c, REG_CONFIGURATION, ina->setup.configuration);
    }
    if (code == HAL_OK) {
        code = linux_i2c_read_register(&ina->i2c, REG_CALIBRATION);
        code = code < 0 || code == ina->setup.calibration ? code : HAL_E_IO;
    }
    if (code >= 0) {
        code = linux_i2c_read_register(&ina->i2c, REG_CONFIGURATION);
        code = code < 0 || code == ina->setup.configuration ? code : HAL_E_IO;
    }
    return code < 0 ? code : HAL_OK;
}

static int32_t identify(struct linux_ina *ina)
{
    int32_t manufacturer;
    int32_t die;

    if (ina->chip != LINUX_INA226) {
        return HAL_OK; /* an INA219 cannot say who it is */
    }
    manufacturer = linux_i2c_read_register(&ina->i2c, REG_MANUFACTURER);
    if (manufacturer < 0) {
        return manufacturer;
    }
    die = linux_i2c_read_register(&ina->i2c, REG_DIE);
    if (die < 0) {
        return die;
    }
    return manufacturer == INA226_MANUFACTURER && die >> 4 == INA226_DIE ? HAL_OK : HAL_E_NODEV;
}

int32_t linux_ina_open(struct linux_ina *ina, const struct linux_syscalls *sys,
                       const struct linux_ina_config *config)
{
    int32_t code;

    if (ina == NULL) {
        return HAL_E_RANGE;
    }
    *ina = (struct linux_ina){.i2c = {.sys = sys, .fd = -1}};
    code = linux_ina_plan(config, &ina->setup);
    if (code != HAL_OK) {
        return code;
    }
    ina->chip = config->chip;
    code = linux_i2c_open(&ina->i2c, sys, &config->i2c);
    if (code == HAL_OK) {
        code = identify(ina);
    }
    if (code == HAL_OK) {
        code = set_up(ina);
    }
    if (code != HAL_OK) {
        linux_ina_close(ina);
    }
    return code;
}

void linux_ina_close(struct linux_ina *ina)
{
    if (ina != NULL) {
        linux_i2c_close(&ina->i2c);
    }
}

/* Reading the power register (INA219) or the mask register (INA226) clears "ready". */
static int32_t read_conversion(struct linux_ina *ina, struct linux_ina_conversion *c)
{
    int32_t mask = 0;

    if (ina->chip == LINUX_INA226) {
        mask = linux_i2c_read_register(&ina->i2c, REG_MASK);
        if (mask < 0) {
            return mask;
        }
    }
    c->bus = linux_i2c_read_register(&ina->i2c, REG_BUS);
    if (c->bus < 0) {
        return c->bus;
    }
    c->ready = ina->chip == LINUX_INA226 ? mask & INA226_MASK_READY : c->bus & INA219_BUS_READY;
    c->overflow =
        ina->chip == LINUX_INA226 ? mask & INA226_MASK_OVERFLOW : c->bus & INA219_BUS_OVERFLOW;
    if (!c->ready) {
        return HAL_OK;
    }
    c->current = linux_i2c_read_register(&ina->i2c, REG_CURRENT);
    if (c->current < 0) {
        return c->current;
    }
    c->power = linux_i2c_read_register(&ina->i2c, REG_POWER);
    return c->power < 0 ? c->power : HAL_OK;
}

int32_t linux_ina_read(struct linux_ina *ina, struct linux_ina_sample *sample)
{
    struct linux_ina_conversion conversion = {0};
    int32_t code;
    int32_t calibration;

    if (ina == NULL || sample == NULL) {
        return HAL_E_RANGE;
    }
    code = read_conversion(ina, &conversion);
    if (code != HAL_OK) {
        return code;
    }
    /* After the values: a chip that is still calibrated now was so when it made them. */
    calibration = linux_i2c_read_register(&ina->i2c, REG_CALIBRATION);
    if (calibration < 0) {
        return calibration;
    }
    if (calibration != ina->setup.calibration) {
        ina->resets++;
        code = set_up(ina);
        return code != HAL_OK ? code : HAL_E_STALE;
    }
    if (!conversion.ready) {
        ina->not_ready++;
        return HAL_E_BUSY;
    }
    if (conversion.overflow) {
        ina->overflows++;
        return HAL_E_IO;
    }
    *sample = linux_ina_sample_of(ina, &conversion);
    ina->samples++;
    return HAL_OK;
}
