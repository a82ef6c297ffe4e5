/*
 * linux_roles.h - which of a board's sensors is what to the node, and what it says now.
 *
 * A role is played by the source that the configuration names, or by the board's own default:
 *   die       the zone "tj-thermal" (the hottest of a Jetson's), else the processor's own
 *   payload   the rail of the whole module ("VDD_IN", "POM_5V_IN"); on a board whose monitor has no
 *             such rail the sum of those that together feed it; the estimate of a power chip; else,
 *             from the level and how busy the payload was, the watts that the level says it draws
 * All other roles have no default: a board cannot know what hangs on it.
 */
#ifndef LUMENODE_LINUX_ROLES_H
#define LUMENODE_LINUX_ROLES_H

#include "linux_inventory.h"

/* A board at one moment, seen by one thread. */
struct linux_view {
    const struct hal_linux_config *config;
    const struct linux_inventory *inventory;
    uint64_t now_ns;
    uint64_t period_ns;
    uint64_t stale_ns;
};

#define LINUX_SUM_MAX 4

/* Who plays what, as indices into the inventory, -1: nobody. */
struct linux_roles {
    uint32_t known; /* sources of the inventory that were looked at; 0 before the first look */
    int32_t player[HAL_LINUX_ROLES];
    int32_t sum[LINUX_SUM_MAX]; /* rails that add up to the payload's power */
};

/* Looks again if the inventory grew since. */
void linux_roles_update(struct linux_roles *roles, const struct linux_view *view);

/* What a source says, its state judged at the view's time. An index of -1 is UNSUPPORTED. */
struct linux_value linux_view_value(const struct linux_view *view, int32_t index);

/* A source's value as the quantity of the role it plays: a temperature, a power. */
int32_t linux_view_quantity(const struct linux_view *view, int32_t index,
                            const struct linux_value *value);

/*
 * The payload's power in mW now, at `level` (or LINUX_LEVEL_NONE, unknown) and `busy_permille`.
 * @return its state; `*mw` is written when that is measured or estimated.
 */
uint32_t linux_roles_payload(const struct linux_roles *roles, const struct linux_view *view,
                             uint32_t level, uint32_t busy_permille, int32_t *mw);

#define LINUX_LEVEL_NONE 0xFFFFFFFF

/* The draw of a level between rest and work; 0: not known. Pure. */
int32_t linux_level_draw(const struct hal_linux_config *config, uint32_t level,
                         uint32_t busy_permille);

#endif
