/* What of INA219 and INA226 is arithmetic: between linux_ina.c, which has the bus, and
 * linux_ina_plan.c, which has none. */
#ifndef LUMENODE_LINUX_INA_REGISTERS_H
#define LUMENODE_LINUX_INA_REGISTERS_H

#include "linux_ina.h"

/* What the registers of one conversion hold. */
struct linux_ina_conversion {
    int32_t bus;
    int32_t current; /* two's complement in 16 bits */
    int32_t power;
    int32_t ready;
    int32_t overflow;
};

/* The quantities that a conversion stands for. */
struct linux_ina_sample linux_ina_sample_of(const struct linux_ina *ina,
                                            const struct linux_ina_conversion *c);

#endif
