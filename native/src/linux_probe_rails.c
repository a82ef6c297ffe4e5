/* Current monitors on I2C buses; see linux_probe.h. */
#include "linux_probe.h"
#include "linux_text.h"

#include <stdio.h>
#include <string.h>

#define CHANNELS 3 /* of an INA3221 */

/* A rail of a chip: where it lies, and what its files are called. */
struct place {
    const struct linux_reader *reader;
    struct linux_inventory *inventory;
    const char *folder;
    const char *chip;   /* "ina3221" */
    const char *device; /* "1-0040" */
    uint32_t bus;
};

/* Labels of channels that the board does not use. */
static int is_unconnected(const char *label)
{
    return strcmp(label, "NC") == 0 || strncmp(label, "NC_", 3) == 0 ||
           strncmp(label, "NC ", 3) == 0;
}

/* The label in `file`, or chip@device.channel where the board gives none. */
static void name_rail(const struct place *place, const char *file, int channel, char *name)
{
    char label[HAL_NAME_BYTES];

    if (linux_read_once(place->reader->sys, place->folder, file, label, sizeof label) > 0) {
        linux_copy_name(name, label);
    } else {
        (void)snprintf(label, sizeof label, "%.8s@%.8s.%d", place->chip, place->device, channel);
        linux_copy_name(name, label);
    }
}

static void add_rail(const struct place *place, const char *name, const char *const files[3],
                     int32_t power_divide)
{
    struct linux_source source = linux_source_make(LINUX_RAIL, name);

    if (is_unconnected(name)) {
        return;
    }
    for (int i = 0; i < LINUX_NODES_MAX; i++) {
        if (files[i] != NULL && linux_exists(place->reader->sys, place->folder, files[i])) {
            linux_node_set(&source.node[i], place->folder, files[i]);
        }
    }
    source.group = LINUX_GROUP_I2C + place->bus;
    source.divide[2] = power_divide;
    if (source.node[0].path[0] != '\0') {
        linux_inventory_add(place->inventory, &source);
    }
}

/* hwmon of an INA3221: inN in mV, currN in mA; in4 to in6 are shunt voltages, in7 their sum. */
static void add_ina3221(const struct place *place)
{
    for (int n = 1; n <= CHANNELS; n++) {
        char label[LINUX_NAME_BYTES];
        char voltage[LINUX_NAME_BYTES];
        char current[LINUX_NAME_BYTES];
        char name[HAL_NAME_BYTES];
        const char *const files[3] = {voltage, current, NULL};

        (void)snprintf(label, sizeof label, "in%d_label", n);
        (void)snprintf(voltage, sizeof voltage, "in%d_input", n);
        (void)snprintf(current, sizeof current, "curr%d_input", n);
        name_rail(place, label, n, name);
        add_rail(place, name, files, 1);
    }
}

/* hwmon of an INA219, INA226 and their kin: power in uW. */
static void add_ina2xx(const struct place *place)
{
    static const char *const FILES[3] = {"in1_input", "curr1_input", "power1_input"};
    char name[HAL_NAME_BYTES];

    name_rail(place, "in1_label", 1, name);
    add_rail(place, name, FILES, 1000);
}

/* The same chip behind the industrial I/O driver of JetPack 4: mV, mA, mW, channels from 0. */
static void add_iio(const struct place *place)
{
    for (int n = 0; n < CHANNELS; n++) {
        char label[LINUX_NAME_BYTES];
        char voltage[LINUX_NAME_BYTES];
        char current[LINUX_NAME_BYTES];
        char power[LINUX_NAME_BYTES];
        char name[HAL_NAME_BYTES];
        const char *const files[3] = {voltage, current, power};

        (void)snprintf(label, sizeof label, "rail_name_%d", n);
        (void)snprintf(voltage, sizeof voltage, "in_voltage%d_input", n);
        (void)snprintf(current, sizeof current, "in_current%d_input", n);
        (void)snprintf(power, sizeof power, "in_power%d_input", n);
        name_rail(place, label, n, name);
        add_rail(place, name, files, 1);
    }
}

static void look_into(const struct place *found, const char *device_folder)
{
    char folder[LINUX_PATH_BYTES];
    char parent[LINUX_PATH_BYTES];
    struct linux_names names;
    struct place place = *found;

    place.folder = folder;
    (void)linux_path(parent, device_folder, "hwmon");
    (void)linux_list(place.reader->sys, parent, "hwmon", "", &names);
    for (uint32_t i = 0; i < names.count; i++) {
        (void)linux_path(folder, parent, names.name[i]);
        if (linux_name_starts(place.chip, "ina3221")) {
            add_ina3221(&place);
        } else {
            add_ina2xx(&place);
        }
    }
    (void)linux_list(place.reader->sys, device_folder, "iio:device", "", &names);
    for (uint32_t i = 0; i < names.count; i++) {
        (void)linux_path(folder, device_folder, names.name[i]);
        add_iio(&place);
    }
}

static void add_configured(const struct linux_reader *reader, struct linux_inventory *inventory)
{
    char file[LINUX_NAME_BYTES];

    for (uint32_t i = 0; i < HAL_LINUX_INAS_MAX; i++) {
        const struct hal_linux_ina *ina = &reader->config->inas[i];
        struct linux_source source = linux_source_make(LINUX_RAIL, ina->name);

        if (source.name[0] != '\0') {
            (void)snprintf(file, sizeof file, "i2c-%u", (unsigned)ina->bus);
            source.way = LINUX_BY_INA;
            source.group = LINUX_GROUP_I2C + ina->bus;
            source.device = i;
            linux_node_set(&source.node[0], reader->config->dev_root, file);
            linux_inventory_add(inventory, &source);
        }
    }
}

void linux_probe_rails(const struct linux_reader *reader, struct linux_inventory *inventory)
{
    char bus[LINUX_PATH_BYTES];
    char folder[LINUX_PATH_BYTES];
    char text[HAL_NAME_BYTES];
    char chip[HAL_NAME_BYTES];
    struct linux_names names;

    add_configured(reader, inventory);
    linux_probe_folder(bus, reader->config->sysfs_root, "bus/i2c", "devices");
    (void)linux_list(reader->sys, bus, "", "", &names);
    for (uint32_t i = 0; i < names.count; i++) {
        int64_t number = 0;
        char digits[LINUX_NAME_BYTES];
        size_t length = strcspn(names.name[i], "-");

        (void)linux_path(folder, bus, names.name[i]);
        memcpy(digits, names.name[i], length);
        digits[length] = '\0';
        if (linux_parse_decimal(digits, &number) < 0 || number < 0 || number > INT16_MAX ||
            linux_read_once(reader->sys, folder, "name", text, sizeof text) < 0) {
            continue; /* "i2c-1" is a bus, not a device */
        }
        linux_copy_name(chip, text);
        if (linux_name_starts(chip, "ina3221") || linux_name_starts(chip, "ina2")) {
            struct place place = {.reader = reader,
                                  .inventory = inventory,
                                  .chip = chip,
                                  .device = names.name[i],
                                  .bus = (uint32_t)number};

            look_into(&place, folder);
        }
    }
}
