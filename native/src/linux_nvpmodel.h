/*
 * linux_nvpmodel.h - the power modes of a Jetson by name, out of the vendor's own table.
 *
 * /etc/nvpmodel.conf lists modes ("< POWER_MODEL ID=0 NAME=15W >") and what each sets; the file
 * /var/lib/nvpmodel/status says which one is set ("pmode:0002"). The number of a mode differs from
 * module to module, so a mode is only ever named. Switching modes is the vendor tool's business
 * (some need a restart of the board); here a mode is resolved to the clock caps in it. What else a
 * mode does - switch cores off, cap the memory clock - is not reproduced, and its watts are
 * therefore an upper bound of nothing: measure them.
 *
 * Source: the vendor's file format as published with Jetson Linux 34 to 36.
 */
#ifndef LUMENODE_LINUX_NVPMODEL_H
#define LUMENODE_LINUX_NVPMODEL_H

#include "hal_board.h"
#include "linux_syscalls.h"

#define LINUX_MODES_MAX 16

struct linux_mode {
    char name[HAL_NAME_BYTES];
    uint32_t id;
    uint32_t cpu_khz_max; /* the lowest cap of any cluster; 0: none */
    uint32_t gpu_khz_max; /* 0: none */
};

struct linux_modes {
    uint32_t count;
    uint32_t left_out; /* modes beyond LINUX_MODES_MAX */
    uint32_t within;   /* while reading: 1 inside a mode */
    struct linux_mode mode[LINUX_MODES_MAX];
};

/* Takes one line of the table. Pure. */
void linux_modes_line(struct linux_modes *modes, const char *line);

/* Reads the table at `path`; a table that is not there has no modes. HAL_OK; by linux_error().
 * Lines of more than 255 octets are cut, what is behind the first 64 KiB is not read. */
int32_t linux_modes_load(const struct linux_syscalls *sys, const char *path,
                         struct linux_modes *modes);

/* The mode of that name, or NULL. */
const struct linux_mode *linux_mode_named(const struct linux_modes *modes, const char *name);

/* The index of the mode that a status text tells, or HAL_E_CORRUPT: no "pmode:", or an unknown
 * number. Pure. */
int32_t linux_mode_of_status(const struct linux_modes *modes, const char *status);

#endif
