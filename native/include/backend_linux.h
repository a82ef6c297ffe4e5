/*
 * backend_linux.h - what the backend "linux" needs to know: a Raspberry Pi, a Jetson, a PC.
 *
 * The board's own sensors are found by name and type under `sysfs_root`, never by a number in a
 * path. What a board cannot measure is UNSUPPORTED in struct hal_board and a clear validity bit in
 * struct hal_frame; a power that is computed instead of measured has its bit in `estimated`.
 *
 * Sampler.  Everything that may be slow is read by threads of the backend, each device once a
 *           `period_ms`; hal_snapshot() hands out what they read last and waits for nobody. A value
 *           older than `stale_ms` loses its validity bit. A device that hangs holds one thread; the
 *           others go on (linux_sampler.h).
 * Setting.  A payload level caps clocks: cpufreq policies, the GPU. A write there may take
 *           milliseconds, so a thread does it: hal_set_payload_level() answers the level asked for,
 *           the snapshots show the level that the caps read back grant, and an attempt that failed
 *           is the answer to the next call for the same level. The switches (heater, payload,
 *           laser) are GPIO lines of the chip itself and are set and read back at once. One that was
 *           not there is tried again; the payload's, if it comes after a guard was attached, only
 *           switches off (HAL_E_NODEV) until the guard is attached anew and knows it.
 * Journal.  The value each setting had before is written to the journal, and to the medium, before
 *           it is changed; without that it is not changed. hal_close() puts everything back;
 *           hal_linux_restore() and the next hal_open() do it after a crash. A journal of an earlier
 *           start of the kernel is dropped: its settings ended with that kernel.
 * Memory.   What the threads touch lies in a mapping of its own, not in the caller's arena, because
 *           a thread that hangs in the kernel can outlive hal_close(), which waits 40 ms for it.
 */
#ifndef LUMENODE_BACKEND_LINUX_H
#define LUMENODE_BACKEND_LINUX_H

#include "hal.h"
#include "hal_board.h"

#ifdef __cplusplus
extern "C" {
#endif

struct linux_syscalls; /* linux_syscalls.h */

#define HAL_LINUX_PATH_BYTES 256 /* NUL included */
#define HAL_LINUX_LEVELS_MAX 17  /* levels 0 to 16 */
#define HAL_LINUX_INAS_MAX   4
#define HAL_LINUX_INPUTS_MAX 8
#define HAL_LINUX_ROLES      11
#define HAL_LINUX_LINES      3

#define HAL_LINUX_PERIOD_MS_MIN 20
#define HAL_LINUX_PERIOD_MS_MAX 10000
#define HAL_LINUX_STALE_MS_MAX  60000

/* What a sensor of the board can be to the node; index of hal_linux_config.roles. */
enum hal_linux_role {
    HAL_LINUX_ARRAY = 0,        /* a rail: array_mw */
    HAL_LINUX_BUS = 1,          /* a rail: bus_mw */
    HAL_LINUX_BATTERY = 2,      /* a rail: battery_mv and battery_ma */
    HAL_LINUX_BATTERY_TEMP = 3, /* a zone */
    HAL_LINUX_PAYLOAD = 4,      /* a rail: payload_mw */
    HAL_LINUX_LASER = 5,        /* a rail: laser_mw */
    HAL_LINUX_DIE_TEMP = 6,     /* a zone */
    HAL_LINUX_SINK_TEMP = 7,    /* a zone */
    HAL_LINUX_RADIATOR_TEMP = 8,
    HAL_LINUX_TERM_TEMP = 9,
    HAL_LINUX_SUN = 10 /* an input */
};

/* Switches on GPIO lines; index of hal_linux_config.lines. */
enum hal_linux_line {
    HAL_LINUX_HEATER = 0,
    HAL_LINUX_PAYLOAD_ENABLE = 1, /* level 0 switches it off, every other level on */
    HAL_LINUX_LASER_INHIBIT = 2   /* 1 while the laser must not emit; set when opening */
};

/* How hal_kick_watchdog() reaches a watchdog; linux_watchdog.h. */
enum hal_linux_watchdog {
    HAL_LINUX_WATCHDOG_NONE = 0,
    HAL_LINUX_WATCHDOG_DEVICE = 1, /* the kernel's; opening arms it */
    HAL_LINUX_WATCHDOG_SYSTEMD = 2 /* the service manager's, at $NOTIFY_SOCKET */
};

enum hal_linux_ina_chip { HAL_LINUX_INA219 = 0, HAL_LINUX_INA226 = 1 };

/* A GPIO line; not used while `chip` and `line` are both empty. */
struct hal_linux_gpio {
    char chip
        [HAL_NAME_BYTES]; /* the controller's label, "pinctrl-rp1"; empty: any that has `line` */
    char line[HAL_NAME_BYTES]; /* the line's name, "GPIO17"; empty: by `offset` */
    uint32_t offset;
    uint32_t active_low; /* 1: on is low voltage */
};

/*
 * What a payload level does and costs. A cap of 0 is the cap the clock had when the device was
 * opened, in level 0 the clock's lowest; a clock that no level caps is left alone. No level raises a
 * cap above what it was then. With `power_mode` the caps that are 0 are taken from the vendor's
 * table of that name; the mode itself is not switched to (linux_nvpmodel.h).
 */
struct hal_linux_level {
    char power_mode[HAL_NAME_BYTES];
    uint32_t cpu_khz_max;
    uint32_t gpu_khz_max;
    uint32_t idle_mw;   /* drawn at rest and at work, for a board without a power sensor; both 0: */
    uint32_t active_mw; /* unknown, then there is no estimate; nothing in level 0 of known levels */
};

/* An INA219 or INA226 on an I2C bus that no kernel driver has; a rail of the name given. */
struct hal_linux_ina {
    char name[HAL_NAME_BYTES]; /* empty: not used */
    uint32_t bus;              /* N of /dev/i2c-N */
    uint32_t address;          /* 0x40 to 0x4F */
    uint32_t chip;             /* enum hal_linux_ina_chip */
    uint32_t shunt_uohm;
    uint32_t max_ma;   /* largest current to be measured */
    uint32_t averages; /* conversions a value: 1, 4, 16, 64 or 128 */
};

/* A channel of an MCP3008 converter: a straight line from counts to the unit of its role. */
struct hal_linux_input {
    char name[HAL_NAME_BYTES]; /* empty: not used */
    uint32_t channel;          /* 0 to 7 */
    int32_t at_zero;           /* value at 0 counts */
    int32_t at_full;           /* value at 1023 counts */
};

/* hal_config.backend_config of the backend "linux". All texts are NUL-terminated. */
struct hal_linux_config {
    uint32_t abi_version; /* HAL_ABI_VERSION */
    uint32_t size_bytes;  /* sizeof(struct hal_linux_config) */

    char sysfs_root[HAL_LINUX_PATH_BYTES];      /* "/sys" */
    char proc_root[HAL_LINUX_PATH_BYTES];       /* "/proc" */
    char dev_root[HAL_LINUX_PATH_BYTES];        /* "/dev" */
    char nvpmodel_conf[HAL_LINUX_PATH_BYTES];   /* "/etc/nvpmodel.conf" */
    char nvpmodel_status[HAL_LINUX_PATH_BYTES]; /* "/var/lib/nvpmodel/status" */
    char journal[HAL_LINUX_PATH_BYTES];  /* a file on a medium that keeps; empty: nothing is set */
    char spi[HAL_LINUX_PATH_BYTES];      /* the converter's device, "spidev0.0"; empty: none */
    char watchdog[HAL_LINUX_PATH_BYTES]; /* its device, "watchdog" */
    char notify_socket[HAL_LINUX_PATH_BYTES]; /* the value of $NOTIFY_SOCKET */

    /* HAL_LINUX_PERIOD_MS_MIN to _MAX. 0: nobody samples; each snapshot and each hal_read_board()
     * reads everything itself and setters answer what was read back, and they take as long as the
     * devices take. For tools and tests, never for flight. */
    uint32_t period_ms;
    uint32_t stale_ms; /* at least two periods, up to HAL_LINUX_STALE_MS_MAX */

    uint32_t watchdog_kind;      /* enum hal_linux_watchdog */
    uint32_t watchdog_timeout_s; /* 0: leave the driver's */
    uint32_t watchdog_stays;     /* 1: hal_close() leaves it armed, so that only a kick saves the
                                    board; 0: it is disarmed */
    uint32_t spi_hz;

    /* The sensor that plays a role, by the name hal_read_board() shows; empty: the board's own
     * default, if it has one (docs/hal.md); "-": none. */
    char roles[HAL_LINUX_ROLES][HAL_NAME_BYTES];
    struct hal_linux_gpio lines[HAL_LINUX_LINES];
    struct hal_linux_ina inas[HAL_LINUX_INAS_MAX];
    struct hal_linux_input inputs[HAL_LINUX_INPUTS_MAX];
    uint32_t level_count; /* rows of `levels` that count; 0: levels cap nothing */
    uint32_t reserved;    /* 0 */
    struct hal_linux_level levels[HAL_LINUX_LEVELS_MAX];

    const struct linux_syscalls *calls; /* NULL: the kernel's */
};

/* Fills a configuration with the paths above, 200 ms, 2 s and nothing else. NULL: HAL_E_RANGE. */
int32_t hal_linux_config_init(struct hal_linux_config *config);

/*
 * Puts back what an earlier process changed and did not put back; for a command, while no device is
 * open with this journal. @return settings put back, zero or more. HAL_E_RANGE: not a
 * configuration. HAL_E_CORRUPT: the journal is no journal; nothing was done. HAL_E_IO and others:
 * some setting could not be put back; the journal then stays. Time: some ms a setting.
 */
int32_t hal_linux_restore(const struct hal_linux_config *config);

#ifdef __cplusplus
}
#endif

#endif
