/* Looks what is there on a board; see linux_probe.h. */
#include "linux_probe.h"

#include "linux_text.h"

#include <stdio.h>
#include <string.h>

#define SLOW_PERIODS 5 /* what changes slowly or costs more is read every so many periods */
#define MODEL_BYTES  ((size_t)2 * HAL_NAME_BYTES)

void linux_probe_folder(char *path, const char *root, const char *rest, const char *name)
{
    int length = snprintf(path, LINUX_PATH_BYTES, "%s/%s/%s", root, rest, name);

    if (length < 0 || length >= LINUX_PATH_BYTES) {
        path[0] = '\0';
    }
}

static void add_alert(const struct linux_reader *reader, struct linux_inventory *inventory,
                      const char *folder)
{
    char type[HAL_NAME_BYTES];
    size_t length;

    if (linux_read_once(reader->sys, folder, "type", type, sizeof type) < 0) {
        return;
    }
    type[strcspn(type, "\n")] = '\0';
    length = strlen(type);
    if (length < 14 || strcmp(type + length - 14, "throttle-alert") != 0) {
        return;
    }
    struct linux_source source = linux_source_make(LINUX_THROTTLE, type);

    source.way = LINUX_BY_ALARM;
    source.bit = HAL_THROTTLE_THERMAL;
    linux_node_set(&source.node[0], folder, "cur_state");
    linux_inventory_add(inventory, &source);
}

void linux_probe_thermal(const struct linux_reader *reader, struct linux_inventory *inventory)
{
    char class[LINUX_PATH_BYTES];
    char folder[LINUX_PATH_BYTES];
    char type[HAL_NAME_BYTES];
    struct linux_names names;

    linux_probe_folder(class, reader->config->sysfs_root, "class", "thermal");
    (void)linux_list(reader->sys, class, "thermal_zone", "", &names);
    for (uint32_t i = 0; i < names.count; i++) {
        (void)linux_path(folder, class, names.name[i]);
        if (linux_read_once(reader->sys, folder, "type", type, sizeof type) < 0) {
            continue;
        }
        struct linux_source source = linux_source_make(LINUX_ZONE, type);

        linux_node_set(&source.node[0], folder, "temp");
        linux_inventory_add(inventory, &source);
    }
    (void)linux_list(reader->sys, class, "cooling_device", "", &names);
    for (uint32_t i = 0; i < names.count; i++) {
        (void)linux_path(folder, class, names.name[i]);
        add_alert(reader, inventory, folder);
    }
}

/* The firmware's throttle word: a file of a platform device whose name ends in "firmware" on the
 * vendor's kernel, /dev/vcio on any. */
static void add_throttle_word(const struct linux_reader *reader, struct linux_inventory *inventory)
{
    char bus[LINUX_PATH_BYTES];
    char folder[LINUX_PATH_BYTES];
    struct linux_names names;
    struct linux_source source = linux_source_make(LINUX_THROTTLE, "firmware");

    linux_probe_folder(bus, reader->config->sysfs_root, "bus/platform", "devices");
    (void)linux_list(reader->sys, bus, "", "firmware", &names);
    for (uint32_t i = 0; i < names.count; i++) {
        (void)linux_path(folder, bus, names.name[i]);
        if (linux_exists(reader->sys, folder, "get_throttled")) {
            source.way = LINUX_BY_WORD;
            linux_node_set(&source.node[0], folder, "get_throttled");
            linux_inventory_add(inventory, &source);
            return;
        }
    }
    if (linux_exists(reader->sys, reader->config->dev_root, "vcio")) {
        source.way = LINUX_BY_FIRMWARE;
        source.group = LINUX_GROUP_FIRMWARE;
        linux_node_set(&source.node[0], reader->config->dev_root, "vcio");
        linux_inventory_add(inventory, &source);
    }
}

/* The power chip of a Raspberry Pi 5 and its kin answers through /dev/vcio; older boards have none. */
static void add_pmic(const struct linux_reader *reader, struct linux_inventory *inventory)
{
    static const char *const MODELS[] = {"Raspberry Pi 5", "Raspberry Pi Compute Module 5"};
    char model[MODEL_BYTES];
    struct linux_source source = linux_source_make(LINUX_RAIL, "pmic");

    linux_probe_model(reader, model);
    for (size_t i = 0; i < sizeof MODELS / sizeof MODELS[0]; i++) {
        /* Not every kernel has the vendor's way to the firmware. */
        if (linux_name_starts(model, MODELS[i]) &&
            linux_exists(reader->sys, reader->config->dev_root, "vcio")) {
            source.way = LINUX_BY_FIRMWARE;
            source.group = LINUX_GROUP_FIRMWARE;
            source.periods = SLOW_PERIODS;
            linux_node_set(&source.node[0], reader->config->dev_root, "vcio");
            linux_inventory_add(inventory, &source);
        }
    }
}

static void add_pressure(const struct linux_reader *reader, struct linux_inventory *inventory)
{
    static const char *const FILES[LINUX_NODES_MAX] = {"cpu", "memory", "io"};
    char folder[LINUX_PATH_BYTES];
    struct linux_source source = linux_source_make(LINUX_PRESSURE, "pressure");

    (void)linux_path(folder, reader->config->proc_root, "pressure");
    if (!linux_exists(reader->sys, folder, FILES[0])) {
        return;
    }
    for (int i = 0; i < LINUX_NODES_MAX; i++) {
        linux_node_set(&source.node[i], folder, FILES[i]);
    }
    source.periods = SLOW_PERIODS;
    linux_inventory_add(inventory, &source);
}

static void add_mode(const struct linux_reader *reader, struct linux_inventory *inventory)
{
    struct linux_source source = linux_source_make(LINUX_MODE, "nvpmodel");

    if (reader->modes->count > 0) {
        (void)snprintf(source.node[0].path, sizeof source.node[0].path, "%s",
                       reader->config->nvpmodel_status);
        source.periods = SLOW_PERIODS;
        linux_inventory_add(inventory, &source);
    }
}

static void add_inputs(const struct linux_reader *reader, struct linux_inventory *inventory)
{
    for (uint32_t i = 0; i < HAL_LINUX_INPUTS_MAX; i++) {
        struct linux_source source = linux_source_make(LINUX_INPUT, reader->config->inputs[i].name);

        if (reader->config->spi[0] != '\0' && source.name[0] != '\0') {
            source.way = LINUX_BY_CONVERTER;
            source.group = LINUX_GROUP_SPI;
            source.device = i;
            linux_node_set(&source.node[0], reader->config->dev_root, reader->config->spi);
            linux_inventory_add(inventory, &source);
        }
    }
}

void linux_probe_board(const struct linux_reader *reader, struct linux_inventory *inventory)
{
    add_throttle_word(reader, inventory);
    add_pmic(reader, inventory);
    add_pressure(reader, inventory);
    add_mode(reader, inventory);
    add_inputs(reader, inventory);
}

void linux_probe_model(const struct linux_reader *reader, char *model)
{
    char folder[LINUX_PATH_BYTES];
    int32_t got;

    memset(model, 0, MODEL_BYTES);
    (void)linux_path(folder, reader->config->proc_root, "device-tree");
    got = linux_read_once(reader->sys, folder, "model", model, MODEL_BYTES);
    if (got < 0) {
        linux_probe_folder(folder, reader->config->sysfs_root, "class/dmi", "id");
        got = linux_read_once(reader->sys, folder, "product_name", model, MODEL_BYTES);
    }
    if (got < 0) {
        model[0] = '\0';
    }
    model[strcspn(model, "\n")] = '\0';
}

void linux_probe(const struct linux_reader *reader, struct linux_inventory *inventory)
{
    linux_probe_board(reader, inventory); /* the throttle word comes before all alerts */
    linux_probe_thermal(reader, inventory);
    linux_probe_rails(reader, inventory);
    linux_probe_hwmon(reader, inventory);
    linux_probe_clocks(reader, inventory);
}
