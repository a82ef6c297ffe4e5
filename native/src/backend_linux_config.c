/* Defaults and bounds of the backend's configuration; see backend_linux.h. */
#include "backend_linux_state.h"

#include <stddef.h>
#include <string.h>

#define PERIOD_MS 200
#define STALE_MS  2000
#define SPI_HZ    1000000

int32_t hal_linux_config_init(struct hal_linux_config *config)
{
    if (config == NULL) {
        return HAL_E_RANGE;
    }
    *config = (struct hal_linux_config){
        .abi_version = HAL_ABI_VERSION,
        .size_bytes = sizeof *config,
        .sysfs_root = "/sys",
        .proc_root = "/proc",
        .dev_root = "/dev",
        .nvpmodel_conf = "/etc/nvpmodel.conf",
        .nvpmodel_status = "/var/lib/nvpmodel/status",
        .watchdog = "watchdog",
        .period_ms = PERIOD_MS,
        .stale_ms = STALE_MS,
        .spi_hz = SPI_HZ,
    };
    return HAL_OK;
}

static int ends(const char *text, size_t bytes)
{
    return memchr(text, '\0', bytes) != NULL;
}

static int texts_end(const struct hal_linux_config *config)
{
    const char *const paths[] = {config->sysfs_root,    config->proc_root, config->dev_root,
                                 config->nvpmodel_conf, config->journal,   config->nvpmodel_status,
                                 config->spi,           config->watchdog,  config->notify_socket};
    int good = 1;

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        good = good && ends(paths[i], HAL_LINUX_PATH_BYTES);
    }
    for (int i = 0; i < HAL_LINUX_ROLES; i++) {
        good = good && ends(config->roles[i], HAL_NAME_BYTES);
    }
    for (int i = 0; i < HAL_LINUX_LINES; i++) {
        good = good && ends(config->lines[i].chip, HAL_NAME_BYTES) &&
               ends(config->lines[i].line, HAL_NAME_BYTES) && config->lines[i].active_low <= 1;
    }
    for (int i = 0; i < HAL_LINUX_INAS_MAX; i++) {
        good = good && ends(config->inas[i].name, HAL_NAME_BYTES);
    }
    for (int i = 0; i < HAL_LINUX_INPUTS_MAX; i++) {
        good =
            good && ends(config->inputs[i].name, HAL_NAME_BYTES) && config->inputs[i].channel <= 7;
    }
    return good;
}

static int inas_fit(const struct hal_linux_config *config)
{
    for (int i = 0; i < HAL_LINUX_INAS_MAX; i++) {
        const struct hal_linux_ina *ina = &config->inas[i];
        struct linux_ina_setup setup;
        struct linux_ina_config wanted = {
            .i2c = {.path = "", .address = ina->address},
            .chip = ina->chip,
            .shunt_uohm = ina->shunt_uohm,
            .max_ma = ina->max_ma,
            .averages = ina->averages,
        };

        if (ina->name[0] != '\0' &&
            (ina->bus > INT16_MAX || ina->address < 0x40 || ina->address > 0x4F ||
             linux_ina_plan(&wanted, &setup) != HAL_OK)) {
            return 0;
        }
    }
    return 1;
}

static int levels_fit(const struct hal_linux_config *config, uint32_t payload_level_max)
{
    if (config->level_count == 0) {
        return 1;
    }
    if (config->level_count > HAL_LINUX_LEVELS_MAX || payload_level_max >= config->level_count) {
        return 0; /* a level that hal_set_payload_level() lets pass would have no row */
    }
    for (uint32_t i = 0; i < config->level_count; i++) {
        const struct hal_linux_level *row = &config->levels[i];

        if (!ends(row->power_mode, HAL_NAME_BYTES) || row->idle_mw > row->active_mw ||
            row->active_mw > INT32_MAX) {
            return 0;
        }
    }
    return 1;
}

int32_t linux_config_check(const struct hal_linux_config *config, uint32_t payload_level_max)
{
    int timed = config->period_ms == 0 || (config->period_ms >= HAL_LINUX_PERIOD_MS_MIN &&
                                           config->period_ms <= HAL_LINUX_PERIOD_MS_MAX &&
                                           config->stale_ms >= 2 * config->period_ms);

    if (config->abi_version != HAL_ABI_VERSION || config->size_bytes != sizeof *config || !timed ||
        config->stale_ms > HAL_LINUX_STALE_MS_MAX ||
        config->watchdog_kind > HAL_LINUX_WATCHDOG_SYSTEMD ||
        config->watchdog_timeout_s > LINUX_WATCHDOG_TIMEOUT_S_MAX || config->watchdog_stays > 1 ||
        (config->spi[0] != '\0' && config->spi_hz == 0) || !texts_end(config) ||
        !inas_fit(config) || !levels_fit(config, payload_level_max)) {
        return HAL_E_RANGE;
    }
    return HAL_OK;
}

int32_t hal_linux_restore(const struct hal_linux_config *config)
{
    if (config == NULL || linux_config_check(config, 0) < 0) {
        return HAL_E_RANGE;
    }
    return linux_journal_restore(config->calls != NULL ? config->calls : linux_syscalls_real(),
                                 config);
}
