/*
 * hal.h - what the flight software sees of the node's hardware.
 *
 * This is the first hop of the flow "sensor to actuator" and the last one of "image to ground":
 * everything below is a backend (a bench, a board, a serial link), everything above does not know
 * which. The Python face is built from this very text, so a declaration here is written once.
 *
 * Model.    A device is the caller's `struct hal`. hal_open() ties it to a table of operations
 *           (`api`), the caller's constant `config`, and the backend's mutable `data`, which lies
 *           in memory the caller gave. There are no globals and nothing is allocated, before or
 *           after opening. (A backend that samples on threads keeps what they touch in a mapping of
 *           its own: a thread that hangs in the kernel may outlive the device.) Any number of
 *           devices can be open at once.
 * Checked.  The functions here test every argument, the state of the device, and every answer's
 *           range; a backend behind them only moves values. They count what they refuse.
 * Units.    Integers of fixed width; the last part of the name is the unit: mw, mv, ma (discharge
 *           positive), mdegc (thousandth of a degree Celsius), permille, mdbm (thousandth of a dB
 *           above 1 mW), ns, bytes, frames. No floating point.
 * Errors.   A negative value of `enum hal_err`; zero or more is success, and often a value.
 * Threads.  One thread at a time per device; the caller serialises. Different devices are
 *           independent.
 * Time.     No call blocks on a device. A backend whose sensor is slow samples it on its own
 *           thread and hands out the latest value with an honest validity bit. The worst cases
 *           below are what every backend must meet on a 1.5 GHz Cortex-A72; "sim" takes under
 *           1 us a call, frames aside, on a desktop machine.
 */
#ifndef LUMENODE_HAL_H
#define LUMENODE_HAL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Layout and meaning of all that follows. Any change of a structure raises it by one; hal_open()
 * refuses a configuration made for another version. */
#define HAL_ABI_VERSION 4

/* A laser terminal's frame, sync marker included, is never longer: 65,536 octets of transfer frame
 * (CCSDS 732.1-B, frame length field of 16 bits) and 6 of the terminal's own framing. */
#define HAL_FRAME_BYTES_MAX 65542

/* Bounds of the configuration; each is also what makes the arena's size bounded. */
#define HAL_FIFO_FRAMES_MAX   4096
#define HAL_PAYLOAD_LEVEL_MAX 255
#define HAL_TARGET_ID_MAX     65535

/* Negative codes; the Python enum HalErrorKind has the same names and the positive numbers. */
enum hal_err {
    HAL_OK = 0,
    HAL_E_NODEV = -1,       /* no such backend, or the device has gone away */
    HAL_E_PERM = -2,        /* the operating system forbids it */
    HAL_E_BUSY = -3,        /* no room now: no credit in a FIFO; try again later */
    HAL_E_TIMEOUT = -4,     /* the device did not answer in its bounded time */
    HAL_E_IO = -5,          /* the device answered with an error */
    HAL_E_RANGE = -6,       /* an argument is NULL, too large or too small: caller's mistake */
    HAL_E_STALE = -7,       /* the only value there is has become too old */
    HAL_E_UNSUPPORTED = -8, /* this backend cannot do that */
    HAL_E_STATE = -9,       /* not open, or open already: caller's mistake */
    HAL_E_CORRUPT = -10,    /* a check value does not match */
    HAL_E_INHIBITED =
        -11 /* the guard has tripped: nothing is switched on until it is armed again */
};

/* What a bit of hal_frame.valid vouches for. Validity is per field: a sensor that is switched off
 * clears one bit and harms no other field. t_ns and seq are always valid. */
enum hal_sensor_bit {
    HAL_SENSOR_UTC = 1 << 0,
    HAL_SENSOR_ARRAY = 1 << 1,
    HAL_SENSOR_BUS = 1 << 2,
    HAL_SENSOR_BATTERY_V = 1 << 3,
    HAL_SENSOR_BATTERY_I = 1 << 4,
    HAL_SENSOR_BATTERY_TEMP = 1 << 5,
    HAL_SENSOR_PAYLOAD = 1 << 6,
    HAL_SENSOR_LASER = 1 << 7,
    HAL_SENSOR_DIE_TEMP = 1 << 8,
    HAL_SENSOR_SINK_TEMP = 1 << 9,
    HAL_SENSOR_RADIATOR_TEMP = 1 << 10,
    HAL_SENSOR_SUN = 1 << 11,
    HAL_SENSOR_TERM_FLAGS = 1 << 12,
    HAL_SENSOR_RX_POWER = 1 << 13,
    HAL_SENSOR_TERM_TEMP = 1 << 14,
    HAL_SENSOR_TX_FIFO = 1 << 15,
    HAL_SENSOR_TX_TOTAL = 1 << 16,
    HAL_SENSOR_RX_PENDING = 1 << 17,
    HAL_SENSOR_PAYLOAD_LEVEL = 1 << 18,
    HAL_SENSOR_LASER_ON = 1 << 19,
    HAL_SENSOR_TARGET_ID = 1 << 20,
    HAL_SENSOR_HEATER_ON = 1 << 21,
    HAL_SENSOR_RESET_CAUSE = 1 << 22,
    HAL_SENSOR_BOOT_COUNT = 1 << 23,
    HAL_SENSOR_THROTTLE = 1 << 24
};
#define HAL_SENSOR_ALL 0x1FFFFFF

/* Bits of hal_frame.term_flags: how far the terminal's acquisition has come. */
enum hal_term_flag {
    HAL_TERM_BEACON = 1 << 0, /* the peer's beacon is seen */
    HAL_TERM_COARSE = 1 << 1, /* coarse pointing is locked */
    HAL_TERM_FINE = 1 << 2,   /* fine pointing is locked */
    HAL_TERM_SYNC = 1 << 3,   /* modem and frame synchronisation: frames get through */
    HAL_TERM_TX = 1 << 4,     /* the transmitter emits now */
    HAL_TERM_FAULT = 1 << 5   /* the terminal reports a fault of its own */
};

/* Why the node started last; hal_frame.reset_cause. */
enum hal_reset_cause {
    HAL_RESET_POWER_CUT = 0,
    HAL_RESET_COMMANDED = 1,
    HAL_RESET_WATCHDOG = 2,
    HAL_RESET_SOFTWARE = 3,
    HAL_RESET_INJECTED = 4,
    HAL_RESET_OVERHEAT = 5,      /* the hardware watchdog or the firmware says so */
    HAL_RESET_UNDER_VOLTAGE = 6, /* likewise */
    HAL_RESET_UNKNOWN = 7        /* this board cannot tell */
};

/* Why the board slows itself down; bits of hal_frame.throttle_live and throttle_latched. */
enum hal_throttle_bit {
    HAL_THROTTLE_UNDER_VOLTAGE = 1 << 0, /* supply below its limit */
    HAL_THROTTLE_FREQ_CAPPED = 1 << 1,   /* processor clock capped by the firmware */
    HAL_THROTTLE_THERMAL = 1 << 2,       /* slowed down because of heat */
    HAL_THROTTLE_SOFT_TEMP = 1 << 3,     /* soft temperature limit active */
    HAL_THROTTLE_OC_VOLTAGE = 1 << 4,    /* over-current event 1: under-voltage */
    HAL_THROTTLE_OC_AVERAGE = 1 << 5,    /* over-current event 2: average current */
    HAL_THROTTLE_OC_PEAK = 1 << 6        /* over-current event 3: instantaneous current */
};

/*
 * Everything the node senses, taken at one instant: 152 bytes without padding, in the machine's
 * byte order. A field whose bit in `valid` is clear holds no meaning and must not be used. A field
 * whose bit in `estimated` is set was computed from other quantities, not measured.
 */
struct hal_frame {
    uint32_t abi_version;      /* HAL_ABI_VERSION */
    uint32_t size_bytes;       /* sizeof(struct hal_frame) */
    uint64_t t_ns;             /* monotonic time of the snapshot; never goes back */
    int64_t utc_ns;            /* Unix time at t_ns: a label, never a deadline */
    uint64_t seq;              /* snapshots since opening, the first is 1; a gap is a lost one */
    uint32_t valid;            /* enum hal_sensor_bit */
    int32_t array_mw;          /* solar array output */
    int32_t bus_mw;            /* all loads together */
    int32_t battery_mv;        /* terminal voltage */
    int32_t battery_ma;        /* discharge positive */
    int32_t battery_mdegc;     /* cell temperature */
    int32_t payload_mw;        /* compute board */
    int32_t laser_mw;          /* laser terminal, electrical */
    int32_t die_mdegc;         /* hottest place of the compute die */
    int32_t sink_mdegc;        /* its heat sink */
    int32_t radiator_mdegc;    /* radiator plate */
    int32_t sun_permille;      /* coarse sun sensor; 1000 is full sun on the array */
    uint32_t term_flags;       /* enum hal_term_flag */
    int32_t rx_power_mdbm;     /* received optical power */
    int32_t term_mdegc;        /* laser terminal temperature */
    uint32_t tx_fifo_free;     /* transmit credit, frames */
    uint64_t tx_frames_total;  /* frames that left the transmit FIFO since opening */
    uint32_t rx_pending;       /* received frames that wait for hal_receive_frame() */
    uint32_t payload_level;    /* read back: 0 off, else index in the board's profile */
    uint32_t laser_on;         /* read back: 0 or 1 */
    uint32_t target_id;        /* read back: 0 stowed, else a peer of the contact plan */
    uint32_t heater_on;        /* read back: 0 or 1 */
    uint32_t reset_cause;      /* enum hal_reset_cause */
    uint32_t boot_count;       /* starts of the node since it was made */
    uint32_t throttle_live;    /* enum hal_throttle_bit: now */
    uint32_t throttle_latched; /* enum hal_throttle_bit: since opening or hal_clear_throttle() */
    uint32_t payload_busy_permille; /* as the flight software told hal_set_payload_busy() */
    uint32_t estimated;             /* enum hal_sensor_bit: valid, but not measured */
    uint32_t crc32c;                /* CRC-32C of all bytes before this field */
};

/*
 * Every way to lose or refuse something has its counter; all start at zero when the device opens.
 */
struct hal_counters {
    uint64_t snapshots;         /* frames filled */
    uint64_t snapshots_failed;  /* the backend could not fill one */
    uint64_t setters_rejected;  /* a setter refused its argument */
    uint64_t setters_failed;    /* the backend could not set */
    uint64_t setters_inhibited; /* refused or taken back: the guard has tripped */
    uint64_t readback_differs;  /* an actuator did not take the value it was given */
    uint64_t tx_accepted;       /* frames taken into the transmit FIFO */
    uint64_t tx_rejected_full;  /* refused: no credit */
    uint64_t tx_rejected_size;  /* refused: empty, or longer than max_frame_bytes */
    uint64_t tx_failed;         /* refused: the terminal answered with an error */
    uint64_t tx_flushed;        /* frames in the transmit FIFO lost by a reset */
    uint64_t rx_delivered;      /* received frames handed over */
    uint64_t rx_too_long;       /* left pending: the caller's buffer is too small */
    uint64_t rx_failed;         /* the terminal answered with an error */
    uint64_t rx_overflow;       /* received frames lost: the receive FIFO was full */
    uint64_t rx_flushed;        /* received frames lost by a reset */
    uint64_t watchdog_kicks;    /* accepted kicks */
    uint64_t watchdog_failed;   /* the watchdog did not take the kick */
};

struct linux_syscalls; /* linux_syscalls.h */

/* A laser terminal at the far end of a serial line; term_link.h says how it is kept. */
struct hal_terminal_config {
    const char
        *device;   /* a serial device or a pseudo-terminal; one that is absent may come later */
    uint32_t baud; /* 0 leaves the port as it is */
    const struct linux_syscalls *calls; /* NULL: the kernel's */
};

/* Constant while the device is open; the caller keeps it, and the text it points to, in place. */
struct hal_config {
    uint32_t abi_version;       /* HAL_ABI_VERSION */
    const char *backend;        /* NUL-terminated name out of hal_backend_name() */
    uint32_t tx_fifo_frames;    /* 1 to HAL_FIFO_FRAMES_MAX; default 32: 6.7 ms of longest frames
                                   at 2.5 Gbit/s; a link kept full by a slower loop needs more */
    uint32_t rx_fifo_frames;    /* 1 to HAL_FIFO_FRAMES_MAX; default 32 */
    uint32_t max_frame_bytes;   /* 1 to HAL_FRAME_BYTES_MAX; default the longest */
    uint32_t payload_level_max; /* highest level of the board's profile, 1 to
                                   HAL_PAYLOAD_LEVEL_MAX; default 15 */
    const void *backend_config; /* what this backend needs to know (backend_NAME.h), or NULL for
                                   its defaults; the caller's, like the rest */
    const struct hal_terminal_config *terminal; /* takes the place of the backend's own terminal;
                                                   NULL: there is only the backend's, if any */
};

struct hal_board; /* hal_board.h: all that a board can tell about itself */
struct guard;     /* guard.h: the dead-man */
struct hal_api;   /* operations of a backend; hal_backend.h, which only backends include */
struct term_link; /* term_link.h: the client of a terminal on a line */
struct term_link_view;

/* A device. The caller gives the memory and touches none of the fields. */
struct hal {
    const struct hal_api *api;       /* NULL: closed */
    const struct hal_config *config; /* the caller's */
    void *data;                      /* the backend's state, inside the arena */
    struct guard *guard;             /* the caller's; NULL: none attached */
    struct term_link *terminal;      /* inside the arena; NULL: none on a line */
    uint64_t seq;                    /* of the last snapshot */
    struct hal_counters counters;
};

/* The name of an error for a log line: "HAL_E_BUSY". Never NULL; an unknown code gives
 * "HAL_E_UNKNOWN". Static text. Worst case 1 us. */
const char *hal_strerror(int32_t code);

/* The name of backend `index`, or NULL past the last one. Static text. Worst case 1 us. */
const char *hal_backend_name(uint32_t index);

/* Fills a configuration with the defaults above. `backend` is stored as given and must outlive the
 * device. NULL config: HAL_E_RANGE. Worst case 1 us. */
int32_t hal_config_init(struct hal_config *config, const char *backend);

/*
 * Bytes of arena that hal_open() needs for this configuration, any alignment allowed.
 * HAL_E_NODEV: unknown backend. HAL_E_RANGE: NULL, another ABI version, or a field out of bounds.
 * Worst case 5 us.
 */
int64_t hal_arena_bytes(const struct hal_config *config);

/*
 * Opens a device. `dev` is the caller's memory, set to zero before its first use; `arena` of
 * `arena_bytes` holds everything the backend will ever need and stays the device's until
 * hal_close(). Its old content does not matter.
 *
 * HAL_E_STATE: `dev` is open. HAL_E_NODEV: no backend of that name, or its hardware is absent.
 * HAL_E_RANGE: NULL, another ABI version, a field out of bounds, or the arena is too small.
 * On error the device stays closed. Worst case 50 ms: a backend may probe here and nowhere else; one
 * that keeps a journal of what it is going to set takes beside that what its medium needs.
 */
int32_t hal_open(struct hal *dev, const struct hal_config *config, void *arena,
                 uint64_t arena_bytes);

/* Closes; the arena and the configuration are the caller's again. Actuators keep their state
 * (a board's own settings, clock caps say, are put back as they were found); a terminal on a line
 * hears nothing any more and goes dark. Closing a closed device or NULL does nothing. Worst case
 * 90 ms. */
void hal_close(struct hal *dev);

/*
 * Fills `*frame` (the caller's) with one consistent reading of everything, check value included.
 * This is the one call a control cycle makes. An absent sensor is a clear validity bit, no error; so
 * is a value that cannot be: a read-back beyond its actuator's range, a cause without a name.
 * HAL_E_RANGE: NULL. HAL_E_STATE: closed. HAL_E_IO, HAL_E_TIMEOUT, HAL_E_NODEV: nothing could be
 * read at all; `*frame` is then untouched. Worst case 50 us.
 */
int32_t hal_snapshot(struct hal *dev, struct hal_frame *frame);

/* Checks a frame that came through memory or a link: HAL_E_CORRUPT when version, size or CRC-32C
 * do not fit, HAL_E_RANGE for NULL. Worst case 2 us. */
int32_t hal_frame_check(const struct hal_frame *frame);

/*
 * Setters. Each returns the value READ BACK from the actuator, zero or more. It may differ from
 * the one asked for (a stuck relay, firmware that clamps): the caller compares. An actuator at the
 * far end of a serial link answers later: the setter then returns the value asked for, and what was
 * read back stands in the following snapshots.
 * HAL_E_RANGE: argument out of bounds. HAL_E_STATE: closed. HAL_E_IO, HAL_E_TIMEOUT: the actuator
 * did not answer. HAL_E_UNSUPPORTED: there is no such actuator to switch on; switched off it answers
 * 0, since what is not there is off. Worst case 50 us each.
 */

/* 0 switches the compute board off; 1 to config->payload_level_max is a row of its profile.
 * HAL_E_INHIBITED: not 0 while the guard is tripped; the board is off. */
int32_t hal_set_payload_level(struct hal *dev, uint32_t level);

/* Battery heater, 0 or 1. */
int32_t hal_set_heater(struct hal *dev, uint32_t on);

/* 0 stows the terminal; 1 to HAL_TARGET_ID_MAX points it at that peer of the contact plan. */
int32_t hal_point_terminal(struct hal *dev, uint32_t target_id);

/* Laser transmitter, 0 or 1. HAL_E_INHIBITED: 1 while the guard is tripped; the laser is off. */
int32_t hal_set_laser(struct hal *dev, uint32_t on);

/*
 * Tells how busy the payload has been since the last call, 0 to 1000. Nothing moves: where a board
 * has no power sensor its power is estimated from this and the level; a bench heats its plant by
 * it. @return the value taken. HAL_E_RANGE: above 1000. HAL_E_STATE: closed. Worst case 20 us.
 */
int32_t hal_set_payload_busy(struct hal *dev, uint32_t permille);

/*
 * Reads `count` registers of the laser terminal from `first` on into `values` (the caller's); the
 * map is terminal_registers.h. The answer is the newest known, without waiting for the terminal.
 * HAL_E_RANGE: NULL, count 0, or a register outside the map. HAL_E_UNSUPPORTED: there is no
 * terminal. HAL_E_STALE: the terminal does not answer any more. HAL_E_STATE: closed. Worst case
 * 20 us.
 */
int32_t hal_term_read(struct hal *dev, uint32_t first, uint32_t count, uint32_t *values);

/*
 * Writes one register of the laser terminal. HAL_E_RANGE: not a register, or not a value of it.
 * HAL_E_PERM: a register that is only read. HAL_E_UNSUPPORTED: there is no terminal. HAL_E_BUSY:
 * no room for the request. HAL_E_INHIBITED: LASER_ENABLE on, INHIBIT off or RESET while the guard
 * is tripped. HAL_E_STATE: closed. Worst case 50 us.
 */
int32_t hal_term_write(struct hal *dev, uint32_t reg, uint32_t value);

/*
 * Puts one frame, copied, into the terminal's transmit FIFO: one frame a credit.
 * @return credits left after it, zero or more.
 * HAL_E_BUSY: the FIFO is full, the frame was not taken. HAL_E_RANGE: NULL, zero bytes, or more
 * than config->max_frame_bytes. HAL_E_STATE: closed. Worst case 60 us for the longest frame.
 */
int32_t hal_submit_frame(struct hal *dev, const uint8_t *frame, uint32_t frame_bytes);

/*
 * Takes the oldest received frame into `buffer` (the caller's).
 * @return its length in bytes, or 0 when none waits.
 * HAL_E_RANGE: NULL, or the frame is longer than `buffer_bytes`; it then stays pending.
 * HAL_E_STATE: closed. Worst case 60 us for the longest frame.
 */
int32_t hal_receive_frame(struct hal *dev, uint8_t *buffer, uint32_t buffer_bytes);

/*
 * Fills `*view` (the caller's; term_link.h) with what is known of the terminal on a line and of the
 * line itself, each loss counted. HAL_E_RANGE: NULL. HAL_E_UNSUPPORTED: there is none on a line.
 * HAL_E_STATE: closed. Worst case 5 us.
 */
int32_t hal_term_line(struct hal *dev, struct term_link_view *view);

/* Tells the hardware watchdog that the loop is alive. HAL_E_STATE: closed. HAL_E_IO: the watchdog
 * did not take it. Worst case 20 us. */
int32_t hal_kick_watchdog(struct hal *dev);

/* Fills `*board` (the caller's). HAL_E_RANGE: NULL. HAL_E_UNSUPPORTED: a backend without a board.
 * HAL_E_STATE: closed. Worst case 100 us. */
int32_t hal_read_board(struct hal *dev, struct hal_board *board);

/* Forgets the latched throttle bits. HAL_E_UNSUPPORTED: a backend that latches none. HAL_E_STATE:
 * closed. Worst case 20 us. */
int32_t hal_clear_throttle(struct hal *dev);

/*
 * Attaches the caller's guard (guard.h), which is not armed: it learns what makes this device safe.
 * It stays until the device is closed or NULL is attached; no watcher runs then.
 * @return steps of the plan, zero or more. HAL_E_UNSUPPORTED: the backend cannot be made safe from
 * outside. HAL_E_RANGE: NULL device. HAL_E_CORRUPT: not a guard. HAL_E_STATE: closed, or this guard
 * or the one attached before is not disarmed: a trip does not end by taking the guard off. Worst
 * case 50 us.
 */
int32_t hal_attach_guard(struct hal *dev, struct guard *guard);

/*
 * Ends a trip: lifts the terminal's INHIBIT, where there is a terminal, and arms the guard again.
 * The caller is back and has read payload and laser as off. HAL_E_STATE: closed, or not tripped.
 * HAL_E_BUSY: the device has not yet been made safe in full. HAL_E_UNSUPPORTED: no guard attached.
 * HAL_E_IO, HAL_E_TIMEOUT: the terminal did not take it; still tripped. Worst case 50 us.
 */
int32_t hal_rearm_guard(struct hal *dev);

/* Copies the counters. HAL_E_RANGE: NULL. HAL_E_STATE: closed. Worst case 1 us. */
int32_t hal_read_counters(const struct hal *dev, struct hal_counters *counters);

#ifdef __cplusplus
}
#endif

#endif
