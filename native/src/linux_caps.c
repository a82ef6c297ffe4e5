/* What a payload level means for the clocks; see linux_caps.h. */
#include "linux_caps.h"

#include <string.h>

/* The cap that a level gives to clocks of this kind, by number or by the mode it names; 0: none. */
static uint32_t given_cap(const struct linux_reader *reader, uint32_t kind, uint32_t level)
{
    const struct hal_linux_level *row = &reader->config->levels[level];
    const struct linux_mode *mode =
        row->power_mode[0] == '\0' ? NULL : linux_mode_named(reader->modes, row->power_mode);
    uint32_t khz = kind == LINUX_CPU ? row->cpu_khz_max : row->gpu_khz_max;

    if (khz == 0 && mode != NULL) {
        khz = kind == LINUX_CPU ? mode->cpu_khz_max : mode->gpu_khz_max;
    }
    return khz;
}

static int is_capped(const struct linux_reader *reader, uint32_t kind)
{
    for (uint32_t level = 0; level < reader->config->level_count; level++) {
        if (given_cap(reader, kind, level) != 0) {
            return 1;
        }
    }
    return 0;
}

static uint32_t cap_of(const struct linux_reader *reader, const struct linux_source *clock,
                       uint32_t level)
{
    uint32_t khz = given_cap(reader, clock->kind, level);

    if (khz == 0) {
        return level == 0 ? clock->lowest_khz : clock->found_max_khz;
    }
    khz = linux_clock_step(clock, khz);
    return khz < clock->found_max_khz ? khz : clock->found_max_khz;
}

static void add_clocks(struct linux_caps *caps, const struct linux_reader *reader,
                       const struct linux_inventory *inventory, uint32_t kind)
{
    uint32_t before = caps->clocks;

    for (uint32_t i = 0; i < caps->known && caps->clocks < LINUX_CLOCKS_MAX; i++) {
        if (inventory->source[i].kind != kind) {
            continue;
        }
        for (uint32_t level = 0; level < reader->config->level_count; level++) {
            caps->khz[level][caps->clocks] = cap_of(reader, &inventory->source[i], level);
        }
        caps->index[caps->clocks++] = (int32_t)i;
    }
    caps->missing |= caps->clocks == before;
}

void linux_caps_update(struct linux_caps *caps, const struct linux_reader *reader,
                       const struct linux_inventory *inventory)
{
    static const uint32_t KINDS[] = {LINUX_CPU, LINUX_GPU};
    uint32_t count = atomic_load_explicit(&inventory->count, memory_order_acquire);

    if (count == caps->known && count != 0) {
        return;
    }
    memset(caps, 0, sizeof *caps);
    caps->known = count;
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++) {
        if (is_capped(reader, KINDS[i])) {
            add_clocks(caps, reader, inventory, KINDS[i]);
        }
    }
    for (uint32_t level = 0; level < reader->config->level_count; level++) {
        const char *mode = reader->config->levels[level].power_mode;

        if (mode[0] != '\0' && linux_mode_named(reader->modes, mode) == NULL) {
            caps->unnamed |= 1u << level;
        }
    }
}

int32_t linux_caps_check(const struct linux_caps *caps, const struct hal_linux_config *config,
                         uint32_t level)
{
    if (config->level_count == 0) {
        return HAL_OK;
    }
    if (level >= config->level_count) {
        return HAL_E_RANGE;
    }
    if (caps->missing != 0 || (caps->unnamed >> level & 1) != 0 ||
        (caps->clocks > 0 && config->journal[0] == '\0')) {
        return HAL_E_UNSUPPORTED;
    }
    return HAL_OK;
}

static int grants(const struct linux_caps *caps, const uint32_t *now_khz, uint32_t level)
{
    for (uint32_t i = 0; i < caps->clocks; i++) {
        if (now_khz[i] < caps->khz[level][i]) {
            return 0;
        }
    }
    return 1;
}

int32_t linux_caps_granted(const struct linux_caps *caps, const struct linux_view *view,
                           uint32_t told)
{
    uint32_t now_khz[LINUX_CLOCKS_MAX];
    uint32_t level_count = view->config->level_count;
    int32_t granted = 0;

    if (caps->clocks == 0) {
        return told == LINUX_LEVEL_NONE ? 0 : (int32_t)told;
    }
    for (uint32_t i = 0; i < caps->clocks; i++) {
        struct linux_value value = linux_view_value(view, caps->index[i]);

        /* A GPU that is switched off has its caps all the same. */
        if (!linux_state_usable(value.state) && value.state != HAL_VALUE_OFF) {
            return HAL_E_STALE;
        }
        now_khz[i] = (uint32_t)value.v[2];
    }
    if (told < level_count &&
        memcmp(now_khz, caps->khz[told], caps->clocks * sizeof now_khz[0]) == 0) {
        return (int32_t)told;
    }
    for (uint32_t level = 0; level < level_count; level++) {
        granted = grants(caps, now_khz, level) ? (int32_t)level : granted;
    }
    return granted;
}
