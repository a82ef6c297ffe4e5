/* Which sensor is what to the node; see linux_roles.h. */
#include "linux_roles.h"

#include "linux_text.h"

#include <string.h>

#define NOBODY      "-"
#define STALE_TURNS 3 /* a source that is read rarely is not stale before so many of its turns */

/* What can play a role: rails for power, zones for temperatures, converter inputs for any. */
static uint32_t kind_of(int role)
{
    switch (role) {
    case HAL_LINUX_BATTERY_TEMP:
    case HAL_LINUX_DIE_TEMP:
    case HAL_LINUX_SINK_TEMP:
    case HAL_LINUX_RADIATOR_TEMP:
    case HAL_LINUX_TERM_TEMP: return LINUX_ZONE;
    case HAL_LINUX_SUN: return LINUX_INPUT;
    default: return LINUX_RAIL;
    }
}

static int32_t find_named(const struct linux_inventory *inventory, uint32_t kind, const char *name)
{
    int32_t at = linux_inventory_find(inventory, kind, name, 0);

    return at >= 0 ? at : linux_inventory_find(inventory, LINUX_INPUT, name, 0);
}

static int32_t find_starting(const struct linux_inventory *inventory, uint32_t kind,
                             const char *start)
{
    uint32_t count = atomic_load_explicit(&inventory->count, memory_order_acquire);

    for (uint32_t i = 0; i < count; i++) {
        if (inventory->source[i].kind == kind &&
            linux_name_starts(inventory->source[i].name, start)) {
            return (int32_t)i;
        }
    }
    return -1;
}

static int32_t default_die(const struct linux_inventory *inventory)
{
    static const char *const STARTS[] = {"tj-therm",     "cpu-therm", "cpu_therm", "soc-therm",
                                         "x86_pkg_temp", "k10temp",   "zenpower",  "coretemp"};
    int32_t at = -1;

    for (size_t i = 0; at < 0 && i < sizeof STARTS / sizeof STARTS[0]; i++) {
        at = find_starting(inventory, LINUX_ZONE, STARTS[i]);
    }
    return at;
}

/* A rail of the whole module, an estimate of it, or what adds up to it. */
static int32_t default_payload(const struct linux_inventory *inventory, int32_t sum[LINUX_SUM_MAX])
{
    static const char *const WHOLE[] = {"VDD_IN", "POM_5V_IN", "pmic"};
    static const char *const PARTS[] = {"VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"}; /* AGX Orin */
    size_t found = 0;

    for (size_t i = 0; i < sizeof WHOLE / sizeof WHOLE[0]; i++) {
        int32_t at = linux_inventory_find(inventory, LINUX_RAIL, WHOLE[i], 0);

        if (at >= 0) {
            return at;
        }
    }
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++) {
        sum[i] = linux_inventory_find(inventory, LINUX_RAIL, PARTS[i], 0);
        found += sum[i] >= 0;
    }
    if (found != sizeof PARTS / sizeof PARTS[0]) {
        sum[0] = -1;
    }
    return -1;
}

void linux_roles_update(struct linux_roles *roles, const struct linux_view *view)
{
    uint32_t count = atomic_load_explicit(&view->inventory->count, memory_order_acquire);

    if (count == roles->known && count != 0) {
        return;
    }
    roles->known = count;
    roles->sum[0] = -1;
    for (int role = 0; role < HAL_LINUX_ROLES; role++) {
        const char *name = view->config->roles[role];

        roles->player[role] = -1;
        if (name[0] != '\0' && strcmp(name, NOBODY) != 0) {
            roles->player[role] = find_named(view->inventory, kind_of(role), name);
        } else if (name[0] == '\0' && role == HAL_LINUX_DIE_TEMP) {
            roles->player[role] = default_die(view->inventory);
        } else if (name[0] == '\0' && role == HAL_LINUX_PAYLOAD) {
            roles->player[role] = default_payload(view->inventory, roles->sum);
        }
    }
}

struct linux_value linux_view_value(const struct linux_view *view, int32_t index)
{
    struct linux_value value = {.state = HAL_VALUE_UNSUPPORTED};

    if (index < 0) {
        return value;
    }
    uint64_t turns_ns = STALE_TURNS * view->period_ns * view->inventory->source[index].periods;

    /* Never published, or published faster than it could be copied: there is no good value. */
    value.state = HAL_VALUE_FAILED;
    if (linux_cell_read(&view->inventory->cell[index], &value)) {
        value.state = linux_value_state(&value, view->now_ns,
                                        turns_ns > view->stale_ns ? turns_ns : view->stale_ns);
    }
    return value;
}

int32_t linux_view_quantity(const struct linux_view *view, int32_t index,
                            const struct linux_value *value)
{
    return value->v[view->inventory->source[index].kind == LINUX_RAIL ? 2 : 0];
}

int32_t linux_level_draw(const struct hal_linux_config *config, uint32_t level,
                         uint32_t busy_permille)
{
    if (level >= config->level_count) {
        return 0;
    }
    const struct hal_linux_level *row = &config->levels[level];
    int64_t span = (int64_t)row->active_mw - row->idle_mw;
    int64_t mw = row->idle_mw + span * busy_permille / 1000;

    return mw > INT32_MAX ? INT32_MAX : (int32_t)mw;
}

/* Level 0 draws nothing where the others are known to draw something: it is switched off. */
static int is_known(const struct hal_linux_config *config, uint32_t level)
{
    return level < config->level_count &&
           (config->levels[level].active_mw > 0 ||
            (level == 0 && config->level_count > 1 && config->levels[1].active_mw > 0));
}

static uint32_t add_up(const struct linux_view *view, const int32_t *sum, int32_t *mw)
{
    int64_t total = 0;

    for (int i = 0; i < LINUX_SUM_MAX - 1; i++) {
        struct linux_value value = linux_view_value(view, sum[i]);

        if (!linux_state_usable(value.state)) {
            return value.state;
        }
        total += value.v[2];
    }
    *mw = (int32_t)total; /* three rails of some tens of watts */
    return HAL_VALUE_ESTIMATED;
}

uint32_t linux_roles_payload(const struct linux_roles *roles, const struct linux_view *view,
                             uint32_t level, uint32_t busy_permille, int32_t *mw)
{
    int32_t player = roles->player[HAL_LINUX_PAYLOAD];

    if (player >= 0) {
        struct linux_value value = linux_view_value(view, player);

        if (linux_state_usable(value.state)) {
            *mw = linux_view_quantity(view, player, &value);
        }
        return value.state;
    }
    if (roles->sum[0] >= 0) {
        return add_up(view, roles->sum, mw);
    }
    if (view->config->roles[HAL_LINUX_PAYLOAD][0] != '\0' || !is_known(view->config, level)) {
        return HAL_VALUE_UNSUPPORTED;
    }
    *mw = linux_level_draw(view->config, level, busy_permille);
    return HAL_VALUE_ESTIMATED;
}
