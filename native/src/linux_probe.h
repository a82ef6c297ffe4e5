/*
 * linux_probe.h - looks what is there on a board, by names and types, and lists it.
 *
 * Looking touches no sensor: names, labels and bounds come out of the kernel's memory. Each look
 * makes a whole new list; the sampler merges it into the one in use.
 *
 * Source of every path: kernel documentation (ABI/testing/sysfs-class-thermal, hwmon/sysfs-interface,
 * hwmon/ina3221, hwmon/ina2xx, admin-guide/pm/cpufreq, ABI/testing/sysfs-class-devfreq,
 * accounting/psi), and for what vendors add, their published trees (docs/hal.md).
 */
#ifndef LUMENODE_LINUX_PROBE_H
#define LUMENODE_LINUX_PROBE_H

#include "linux_inventory.h"

/* Everything, into an empty inventory. */
void linux_probe(const struct linux_reader *reader, struct linux_inventory *inventory);

/* Its parts. Temperatures and throttle alerts of the thermal class. */
void linux_probe_thermal(const struct linux_reader *reader, struct linux_inventory *inventory);
/* Fans, over-current counters, voltages and temperatures of hwmon devices; after the zones, so that
 * the kernel's copies of them are told apart. */
void linux_probe_hwmon(const struct linux_reader *reader, struct linux_inventory *inventory);
/* Current monitors on I2C buses, and the configured ones without a driver. */
void linux_probe_rails(const struct linux_reader *reader, struct linux_inventory *inventory);
/* Processor and GPU clocks. */
void linux_probe_clocks(const struct linux_reader *reader, struct linux_inventory *inventory);
/* A Raspberry Pi's firmware, pressure, power mode, converter inputs. */
void linux_probe_board(const struct linux_reader *reader, struct linux_inventory *inventory);

/* The board's name out of device tree or DMI into `model` of 2 * HAL_NAME_BYTES; empty when it has
 * none. */
void linux_probe_model(const struct linux_reader *reader, char *model);

/* root/rest/name, or an empty path when it is too long. */
void linux_probe_folder(char *path, const char *root, const char *rest, const char *name);

#endif
