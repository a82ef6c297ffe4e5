/*
 * hal_board.h - everything a board can tell about itself, name by name: the answer of
 * hal_read_board(), for a person, a report or a profile. A control cycle reads struct hal_frame.
 */
#ifndef LUMENODE_HAL_BOARD_H
#define LUMENODE_HAL_BOARD_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What a value of struct hal_board is worth. A board that has no such sensor says UNSUPPORTED, for
 * ever; nothing is ever invented.
 */
enum hal_value_state {
    HAL_VALUE_UNSUPPORTED = 0, /* this board cannot measure it */
    HAL_VALUE_MEASURED = 1,
    HAL_VALUE_ESTIMATED = 2, /* computed from other quantities */
    HAL_VALUE_OFF = 3,       /* its block is switched off now (a gated GPU, say) */
    HAL_VALUE_STALE = 4,     /* the last good reading has become too old; it stands here */
    HAL_VALUE_FAILED = 5,    /* the last reading failed, and there is no good one */
    HAL_VALUE_DENIED = 6     /* the operating system forbids it */
};

#define HAL_NAME_BYTES   24 /* NUL-terminated, cut if longer */
#define HAL_ZONES_MAX    16
#define HAL_RAILS_MAX    16
#define HAL_POLICIES_MAX 8
#define HAL_OC_EVENTS    3

struct hal_zone {
    char name[HAL_NAME_BYTES]; /* as the kernel calls its type */
    int32_t mdegc;
    uint32_t state; /* enum hal_value_state */
    uint64_t t_ns;  /* of the last good reading */
};

struct hal_rail {
    char name[HAL_NAME_BYTES]; /* the board's label */
    int32_t mv;
    int32_t ma;
    int32_t mw;
    uint32_t state; /* enum hal_value_state, of mw */
    uint64_t t_ns;  /* of the last good reading */
};

/* A clock with its caps: a cpufreq policy or the GPU. Zero where the kernel does not tell. */
struct hal_clock {
    uint32_t now_khz;
    uint32_t min_khz;     /* lower cap */
    uint32_t max_khz;     /* upper cap */
    uint32_t lowest_khz;  /* of the hardware */
    uint32_t highest_khz; /* of the hardware */
    uint32_t state;       /* enum hal_value_state */
};

/*
 * 1,832 bytes without padding; unused rows are zero.
 */
struct hal_board {
    uint32_t abi_version; /* HAL_ABI_VERSION */
    uint32_t size_bytes;  /* sizeof(struct hal_board) */
    uint64_t t_ns;
    char model[2 * HAL_NAME_BYTES];  /* device tree's model or DMI's product; empty: unknown */
    char power_mode[HAL_NAME_BYTES]; /* of the vendor's power model, by name; empty: none */
    uint32_t zone_count;
    uint32_t rail_count;
    uint32_t policy_count;
    uint32_t fan_rpm;
    uint32_t fan_permille;
    uint32_t fan_state;                /* enum hal_value_state */
    uint32_t psi_cpu_permille;         /* pressure stall, 10 s average, "some" */
    uint32_t psi_memory_permille;      /* likewise */
    uint32_t psi_io_permille;          /* likewise */
    uint32_t psi_state;                /* enum hal_value_state */
    uint32_t throttle_live;            /* enum hal_throttle_bit */
    uint32_t throttle_latched;         /* enum hal_throttle_bit */
    uint32_t throttle_state;           /* enum hal_value_state */
    uint32_t oc_events[HAL_OC_EVENTS]; /* over-current events since opening */
    struct hal_clock gpu;
    struct hal_zone zones[HAL_ZONES_MAX];
    struct hal_rail rails[HAL_RAILS_MAX];
    struct hal_clock policies[HAL_POLICIES_MAX];
    uint64_t energy_uj;       /* integral of the payload's power since opening */
    uint64_t energy_gaps;     /* intervals left out of it: no valid power at an end */
    uint64_t samples;         /* readings of a source: a zone, a rail, a clock */
    uint64_t samples_late;    /* readings that were missed: the one before took too long */
    uint64_t reads_failed;    /* single readings that failed */
    uint64_t journal_entries; /* settings changed and not yet put back */
    uint64_t journal_failed;  /* journal writes that failed: the setting was then not changed */
};

#ifdef __cplusplus
}
#endif

#endif
