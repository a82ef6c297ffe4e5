/* The arithmetic of INA219 and INA226, without a bus; see linux_ina.h. */
#include "hal.h"
#include "linux_ina_registers.h"

#include <stddef.h>

/* INA219: bus range 32 V; both converters' averages, then continuous shunt and bus. INA226: the
 * reset state's 1.1 ms conversions, continuous. */
enum part_of_configuration {
    INA219_BUS_32_V = 1 << 13,
    INA219_GAIN_SHIFT = 11,
    INA219_BUS_SHIFT = 7,
    INA219_SHUNT_SHIFT = 3,
    INA226_ONES = 0x4000,
    INA226_AVERAGES_SHIFT = 9,
    INA226_CONVERSIONS = 0x0120,
    CONTINUOUS = 7
};

/* What makes one chip differ from the other. `scale` is the data sheet's 0.04096 V and 0.00512 V
 * in picoampere times microohm. */
struct family {
    int64_t scale_pa_uohm;
    int64_t shunt_nv_max;
    int64_t calibration_max;
    int64_t calibration_step; /* bit 0 of an INA219's register cannot be set */
    int64_t power_counts;     /* current steps a power count */
    int64_t bus_uv;           /* a count of the bus voltage */
    uint32_t bus_shift;
};

static const struct family FAMILIES[] = {
    [LINUX_INA219] = {.scale_pa_uohm = 40960000000000000,
                      .shunt_nv_max = 320000000,
                      .calibration_max = 0xFFFE,
                      .calibration_step = 2,
                      .power_counts = 20,
                      .bus_uv = 4000,
                      .bus_shift = 3},
    [LINUX_INA226] = {.scale_pa_uohm = 5120000000000000,
                      .shunt_nv_max = 81920000,
                      .calibration_max = 0x7FFF,
                      .calibration_step = 1,
                      .power_counts = 25,
                      .bus_uv = 1250,
                      .bus_shift = 0},
};

struct average {
    uint32_t conversions;
    uint16_t ina219; /* code of SADC and BADC at 12 bits */
    uint16_t ina226; /* code of AVG */
};

static const struct average AVERAGES[] = {
    {1, 0x3, 0}, {4, 0xA, 1}, {16, 0xC, 2}, {64, 0xE, 3}, {128, 0xF, 4},
};

static const struct average *average_of(uint32_t conversions)
{
    for (size_t i = 0; i < sizeof AVERAGES / sizeof AVERAGES[0]; i++) {
        if (AVERAGES[i].conversions == conversions) {
            return &AVERAGES[i];
        }
    }
    return NULL;
}

static uint16_t configuration_of(uint32_t chip, const struct average *average, int64_t shunt_nv)
{
    uint32_t gain = 0;

    if (chip == LINUX_INA226) {
        return (uint16_t)(INA226_ONES | average->ina226 << INA226_AVERAGES_SHIFT |
                          INA226_CONVERSIONS | CONTINUOUS);
    }
    /* The smallest of 40, 80, 160 and 320 mV that holds the largest shunt voltage. */
    for (int64_t range_nv = 40000000; range_nv < shunt_nv; range_nv *= 2) {
        gain++;
    }
    return (uint16_t)(INA219_BUS_32_V | gain << INA219_GAIN_SHIFT |
                      (uint32_t)average->ina219 << INA219_BUS_SHIFT |
                      (uint32_t)average->ina219 << INA219_SHUNT_SHIFT | CONTINUOUS);
}

int32_t linux_ina_plan(const struct linux_ina_config *config, struct linux_ina_setup *setup)
{
    const struct family *family;
    const struct average *average;
    int64_t step_pa;
    int64_t shunt_nv;
    int64_t calibration;

    if (config == NULL || setup == NULL || config->chip > LINUX_INA226 || config->max_ma == 0 ||
        config->shunt_uohm == 0 || config->shunt_uohm > LINUX_INA_SHUNT_UOHM_MAX ||
        config->max_ma > LINUX_INA_MAX_MA_MAX) {
        return HAL_E_RANGE;
    }
    family = &FAMILIES[config->chip];
    average = average_of(config->averages);
    shunt_nv = (int64_t)config->max_ma * config->shunt_uohm;
    if (average == NULL || shunt_nv > family->shunt_nv_max) {
        return HAL_E_RANGE;
    }
    /* 32,768 steps for the largest current, rounded up: a finer step would not reach it. */
    step_pa = ((int64_t)config->max_ma * 1000000000 + 32767) / 32768;
    calibration = family->scale_pa_uohm / (step_pa * config->shunt_uohm);
    calibration -= calibration % family->calibration_step;
    if (calibration > family->calibration_max) {
        calibration = family->calibration_max; /* steps finer than this the chip cannot make */
    }
    *setup = (struct linux_ina_setup){
        .configuration = configuration_of(config->chip, average, shunt_nv),
        .calibration = (uint16_t)calibration,
        .step_pa = family->scale_pa_uohm / (calibration * config->shunt_uohm),
    };
    return HAL_OK;
}

static int64_t rounded(int64_t value, int64_t divisor)
{
    return value >= 0 ? (value + divisor / 2) / divisor : -((-value + divisor / 2) / divisor);
}

/* The power register is a magnitude: the current's sign makes it power drawn or given back. */
struct linux_ina_sample linux_ina_sample_of(const struct linux_ina *ina,
                                            const struct linux_ina_conversion *c)
{
    const struct family *family = &FAMILIES[ina->chip];
    int64_t counts = c->current >= 0x8000 ? c->current - 0x10000 : c->current;
    int64_t power_uw = rounded(c->power * family->power_counts * ina->setup.step_pa, 1000000);

    return (struct linux_ina_sample){
        .mv = (int32_t)rounded((c->bus >> family->bus_shift) * family->bus_uv, 1000),
        .ma = (int32_t)rounded(counts * ina->setup.step_pa, 1000000000),
        .mw = (int32_t)rounded(counts < 0 ? -power_uw : power_uw, 1000),
    };
}
