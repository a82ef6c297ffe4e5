/* Fans, counters, voltages and temperatures of hwmon devices; see linux_probe.h. */
#include "linux_probe.h"
#include "linux_text.h"

#include <stdio.h>
#include <string.h>

#define SLOW_PERIODS 5
#define VOLTAGES_MAX 5

static int one_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

static int is_fan(const char *name)
{
    static const char *const NAMES[] = {"pwmfan", "cooling_fan", "pwm_tach",
                                        "generic_pwm_tachometer"};

    return one_of(name, NAMES, sizeof NAMES / sizeof NAMES[0]);
}

/* Devices whose voltages are listed: they have no current beside them. */
static int has_voltages(const char *name)
{
    static const char *const NAMES[] = {"rpi_volt", "rp1_adc"};

    return one_of(name, NAMES, sizeof NAMES / sizeof NAMES[0]);
}

/* A fan may be two devices, one that drives it and one that counts its turns. */
static void take_fan(const struct linux_reader *reader, struct linux_source *fan,
                     const char *folder)
{
    static const char *const SPEEDS[] = {"fan1_input", "rpm"};

    for (size_t i = 0; i < sizeof SPEEDS / sizeof SPEEDS[0]; i++) {
        if (fan->node[0].path[0] == '\0' && linux_exists(reader->sys, folder, SPEEDS[i])) {
            linux_node_set(&fan->node[0], folder, SPEEDS[i]);
        }
    }
    if (fan->node[1].path[0] == '\0' && linux_exists(reader->sys, folder, "pwm1")) {
        linux_node_set(&fan->node[1], folder, "pwm1");
    }
}

static void add_voltages(const struct linux_reader *reader, struct linux_inventory *inventory,
                         const char *folder, const char *device)
{
    char file[LINUX_NAME_BYTES];
    char name[2 * HAL_NAME_BYTES];

    for (int i = 0; i < VOLTAGES_MAX; i++) {
        (void)snprintf(file, sizeof file, "in%d_input", i);
        if (!linux_exists(reader->sys, folder, file)) {
            continue;
        }
        (void)snprintf(name, sizeof name, "%s.in%d", device, i);
        struct linux_source source = linux_source_make(LINUX_RAIL, name);

        linux_node_set(&source.node[0], folder, file);
        source.periods = SLOW_PERIODS;
        linux_inventory_add(inventory, &source);
    }
}

/* Without the firmware's whole word, the kernel's alarm still tells under-voltage. */
static void add_voltage_alarm(const struct linux_reader *reader, struct linux_inventory *inventory,
                              const char *folder)
{
    struct linux_source source = linux_source_make(LINUX_THROTTLE, "rpi_volt");

    if (linux_inventory_find(inventory, LINUX_THROTTLE, "firmware", 0) < 0 &&
        linux_exists(reader->sys, folder, "in0_lcrit_alarm")) {
        source.way = LINUX_BY_ALARM;
        source.bit = HAL_THROTTLE_UNDER_VOLTAGE;
        linux_node_set(&source.node[0], folder, "in0_lcrit_alarm");
        linux_inventory_add(inventory, &source);
    }
}

static void add_overcurrent(const struct linux_reader *reader, struct linux_inventory *inventory,
                            const char *folder)
{
    char file[LINUX_NAME_BYTES];
    struct linux_source source = linux_source_make(LINUX_OVERCURRENT, "soctherm_oc");

    for (int i = 0; i < LINUX_NODES_MAX; i++) {
        (void)snprintf(file, sizeof file, "oc%d_event_cnt", i + 1);
        if (linux_exists(reader->sys, folder, file)) {
            linux_node_set(&source.node[i], folder, file);
        }
    }
    linux_inventory_add(inventory, &source);
}

/* Whether the thermal class lists it already: its hwmon twin is called alike, '-' become '_'. */
static int is_zone(const struct linux_inventory *inventory, const char *device)
{
    uint32_t count = atomic_load_explicit(&inventory->count, memory_order_relaxed);

    for (uint32_t i = 0; i < count; i++) {
        const struct linux_source *source = &inventory->source[i];
        char twin[HAL_NAME_BYTES];

        memcpy(twin, source->name, sizeof twin);
        for (char *at = twin; *at != '\0'; at++) {
            *at = *at == '-' ? '_' : *at;
        }
        if (source->kind == LINUX_ZONE && strcmp(twin, device) == 0) {
            return 1;
        }
    }
    return 0;
}

static void add_temperature(const struct linux_reader *reader, struct linux_inventory *inventory,
                            const char *folder, const char *device)
{
    struct linux_source source = linux_source_make(LINUX_ZONE, device);

    if (!is_zone(inventory, device) && linux_exists(reader->sys, folder, "temp1_input")) {
        linux_node_set(&source.node[0], folder, "temp1_input");
        linux_inventory_add(inventory, &source);
    }
}

void linux_probe_hwmon(const struct linux_reader *reader, struct linux_inventory *inventory)
{
    char class[LINUX_PATH_BYTES];
    char folder[LINUX_PATH_BYTES];
    char name[HAL_NAME_BYTES];
    char device[HAL_NAME_BYTES];
    struct linux_names names;
    struct linux_source fan = linux_source_make(LINUX_FAN, "fan");

    linux_probe_folder(class, reader->config->sysfs_root, "class", "hwmon");
    (void)linux_list(reader->sys, class, "hwmon", "", &names);
    for (uint32_t i = 0; i < names.count; i++) {
        (void)linux_path(folder, class, names.name[i]);
        if (linux_read_once(reader->sys, folder, "name", name, sizeof name) < 0) {
            continue;
        }
        linux_copy_name(device, name);
        if (is_fan(device)) {
            take_fan(reader, &fan, folder);
        } else if (strcmp(device, "soctherm_oc") == 0) {
            add_overcurrent(reader, inventory, folder);
        } else if (!linux_name_starts(device, "ina")) { /* those are rails: linux_probe_rails() */
            add_temperature(reader, inventory, folder, device);
        }
        if (has_voltages(device)) {
            add_voltages(reader, inventory, folder, device);
            add_voltage_alarm(reader, inventory, folder);
        }
    }
    if (fan.node[0].path[0] != '\0' || fan.node[1].path[0] != '\0') {
        fan.periods = SLOW_PERIODS;
        linux_inventory_add(inventory, &fan);
    }
}
