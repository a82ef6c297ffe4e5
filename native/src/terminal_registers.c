/* Which registers of a laser terminal may be written, and with what; see terminal_registers.h. */
#include "terminal_registers.h"

#include "hal.h"

struct writable {
    uint32_t reg;
    int32_t least; /* the register read as signed */
    int32_t most;
};

static const struct writable WRITABLE[] = {
    {TERM_REG_TARGET_ID, 0, HAL_TARGET_ID_MAX},
    {TERM_REG_LASER_ENABLE, 0, 1},
    {TERM_REG_INHIBIT, 0, 1},
    {TERM_REG_AZIMUTH_UDEG, -180000000, 180000000},
    {TERM_REG_ELEVATION_UDEG, -90000000, 90000000},
    {TERM_REG_SCAN_URAD, 0, 20000},
    {TERM_REG_TX_POWER_PERMILLE, 0, 1000},
    {TERM_REG_RESET, TERM_RESET_KEY, TERM_RESET_KEY},
};

int32_t terminal_register_check(uint32_t reg, uint32_t value)
{
    if (reg >= TERM_REG_COUNT) {
        return HAL_E_RANGE;
    }
    for (uint32_t i = 0; i < sizeof WRITABLE / sizeof WRITABLE[0]; i++) {
        if (WRITABLE[i].reg == reg) {
            /* Two's complement both ways; every bound fits. */
            int64_t signed_value = value > INT32_MAX ? (int64_t)value - ((int64_t)1 << 32) : value;

            return signed_value >= WRITABLE[i].least && signed_value <= WRITABLE[i].most
                       ? HAL_OK
                       : HAL_E_RANGE;
        }
    }
    return HAL_E_PERM;
}
