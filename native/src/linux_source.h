/*
 * linux_source.h - one thing of a board that can be read: a temperature, a rail, a clock.
 *
 * A source knows where it reads and what its numbers mean; it is read by one thread at a time. What
 * it told last lies in a cell beside it (linux_inventory.h) that any thread may look into.
 */
#ifndef LUMENODE_LINUX_SOURCE_H
#define LUMENODE_LINUX_SOURCE_H

#include "backend_linux.h"
#include "linux_cell.h"
#include "linux_ina.h"
#include "linux_nvpmodel.h"
#include "linux_spi.h"
#include "linux_tree.h"

/* What a source is; behind each the meaning of its value's v[0], v[1], v[2]. */
enum linux_kind {
    LINUX_ZONE = 0,    /* mdegc */
    LINUX_RAIL,        /* mv, ma, mw */
    LINUX_CPU,         /* kHz: now, lower cap, upper cap */
    LINUX_GPU,         /* likewise */
    LINUX_THROTTLE,    /* enum hal_throttle_bit that hold now */
    LINUX_OVERCURRENT, /* events of kind 1, 2 and 3 since the sampler began */
    LINUX_FAN,         /* rpm, permille */
    LINUX_PRESSURE,    /* permille: processor, memory, input and output */
    LINUX_MODE,        /* index of the power mode */
    LINUX_INPUT,       /* in the unit of its role */
    LINUX_KINDS
};

/* How it is read. */
enum linux_way {
    LINUX_BY_FILES = 0, /* numbers in files */
    LINUX_BY_ALARM,     /* a file that holds not 0 while `bit` holds */
    LINUX_BY_WORD,      /* a Raspberry Pi's throttle word in a file */
    LINUX_BY_FIRMWARE,  /* the same, or its power chip's answer, through /dev/vcio */
    LINUX_BY_INA,
    LINUX_BY_CONVERTER
};

/* Sources of one group are never read at the same time: they share a bus, and when it hangs it
 * shall hold one thread. I2C bus N is group LINUX_GROUP_I2C + N. */
enum linux_group {
    LINUX_GROUP_NONE = 0,
    LINUX_GROUP_FIRMWARE = 1,
    LINUX_GROUP_SPI = 2,
    LINUX_GROUP_I2C = 16
};

#define LINUX_NODES_MAX 3
#define LINUX_STEPS_MAX 32

struct linux_source {
    uint32_t kind;    /* enum linux_kind */
    uint32_t way;     /* enum linux_way */
    uint32_t group;   /* enum linux_group */
    uint32_t periods; /* of the sampler, from one reading to the next */
    char name[HAL_NAME_BYTES];
    uint32_t ordinal; /* among those of the same kind and name */
    uint32_t device;  /* INA and input: index in the configuration */
    uint32_t bit;     /* alarm: enum hal_throttle_bit */

    char folder[LINUX_PATH_BYTES]; /* clocks: where their caps are written */
    struct linux_node node[LINUX_NODES_MAX];
    int32_t divide[LINUX_NODES_MAX]; /* from the file's unit to ours */

    /* Clocks: the hardware's bounds and steps in rising order; no steps: any value between. Caps as
     * they were found. */
    uint32_t lowest_khz;
    uint32_t highest_khz;
    uint32_t found_min_khz;
    uint32_t found_max_khz;
    uint32_t step_count;
    uint32_t step_khz[LINUX_STEPS_MAX];

    /* What the last reading left for the next: sticky bits, counters at the beginning. */
    uint32_t primed;
    uint32_t before[LINUX_NODES_MAX];
    uint64_t not_before_ns; /* a device that would not open is tried again then */
};

/* What reading needs beside the source itself; shared by all threads of the sampler. */
struct linux_reader {
    const struct linux_syscalls *sys;
    const struct hal_linux_config *config;
    const struct linux_modes *modes;
    _Atomic uint32_t *latched; /* enum hal_throttle_bit seen so far */
    struct linux_ina *inas;    /* HAL_LINUX_INAS_MAX */
    struct linux_spi *spi;
};

/*
 * Reads the source once; as slow as the device is. `*value` comes in with what it told last.
 * HAL_OK: its numbers and state are new. HAL_E_BUSY: the device has nothing new, what it told last
 * still stands. Else it failed, and `*value` means nothing.
 */
int32_t linux_source_read(const struct linux_reader *reader, struct linux_source *source,
                          struct linux_value *value);

/* Closes what the source holds open. */
void linux_source_close(const struct linux_reader *reader, struct linux_source *source);

/*
 * What is known after a reading that answered `code`: a good one is taken with its time, a failed
 * one leaves the last good one to grow old. @return 1 when a good one was taken. Pure.
 */
int linux_value_take(struct linux_value *held, const struct linux_value *fresh, int32_t code,
                     uint64_t now_ns);

/* The state of a value at a time: STALE when it is older than `stale_ns`. Pure. */
uint32_t linux_value_state(const struct linux_value *value, uint64_t now_ns, uint64_t stale_ns);

/* Whether a state lets the value be used: measured or estimated. Pure. */
int linux_state_usable(uint32_t state);

/* The highest step of a clock that is not above `khz`, within its bounds. Pure. */
uint32_t linux_clock_step(const struct linux_source *clock, uint32_t khz);

#endif
