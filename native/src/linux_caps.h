/*
 * linux_caps.h - what a payload level means for the board's clocks, as a table. Pure but for
 * looking into the values that the sampler published.
 */
#ifndef LUMENODE_LINUX_CAPS_H
#define LUMENODE_LINUX_CAPS_H

#include "linux_roles.h"

#define LINUX_CLOCKS_MAX (HAL_POLICIES_MAX + 1)

/* Upper caps in kHz of every clock that any level caps, for every level. */
struct linux_caps {
    uint32_t known; /* sources of the inventory that were looked at; 0 before the first look */
    uint32_t clocks;
    uint32_t missing; /* 1: a level caps a kind of clock that the board does not have */
    uint32_t unnamed; /* bit of each level that names a power mode the board's table lacks */
    int32_t index[LINUX_CLOCKS_MAX]; /* into the inventory */
    uint32_t khz[HAL_LINUX_LEVELS_MAX][LINUX_CLOCKS_MAX];
};

/* Looks again if the inventory grew since. */
void linux_caps_update(struct linux_caps *caps, const struct linux_reader *reader,
                       const struct linux_inventory *inventory);

/*
 * Whether the level can be carried out at all. HAL_OK; HAL_E_RANGE: no such level;
 * HAL_E_UNSUPPORTED: it names an unknown power mode, a clock is to be capped that the board does not
 * have, or there is no journal to keep the old caps in.
 */
int32_t linux_caps_check(const struct linux_caps *caps, const struct hal_linux_config *config,
                         uint32_t level);

/*
 * The level that the caps grant now: `told` when each cap is what that level asks for; else the
 * highest whose caps are all within. Where no level caps anything: `told`, 0 before anything was.
 * @return the level; HAL_E_STALE: some cap is not known now.
 */
int32_t linux_caps_granted(const struct linux_caps *caps, const struct linux_view *view,
                           uint32_t told);

#endif
