/*
 * terminal_registers.h - the register map of a laser terminal, version 1.
 *
 * One map for the simulated terminal, for one on a serial line, and for whatever a lab plugs in:
 * unsigned 32-bit registers, numbered from 0 without a gap. A signed quantity is stored as two's
 * complement. A register that a terminal does not have reads as TERM_ABSENT. Frames do not go
 * through registers: they are handed over one a credit (hal_submit_frame, hal_receive_frame), and
 * the credit is a register.
 *
 * Access: RO is written by the terminal alone, RW by the node, WO triggers and reads as 0.
 * Safety: after a reset, after TERM_REG_INHIBIT and after one second without any message from the
 * node the terminal must be dark (TERM_REG_LASER_ENABLE = 0), whatever it was told before.
 */
#ifndef LUMENODE_TERMINAL_REGISTERS_H
#define LUMENODE_TERMINAL_REGISTERS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TERM_MAP_VERSION 1
#define TERM_MAGIC       0x4C54524D /* "LTRM" */
#define TERM_ABSENT      0x80000000 /* no value: no terminal measures exactly this */
#define TERM_RESET_KEY   0x5AFE0FF0 /* value of TERM_REG_RESET that does it */

/* Offsets are the register numbers; the comment gives access, unit and range. */
enum term_reg {
    /* identity, RO */
    TERM_REG_MAGIC = 0,           /* TERM_MAGIC */
    TERM_REG_MAP_VERSION = 1,     /* TERM_MAP_VERSION */
    TERM_REG_VENDOR = 2,          /* four ASCII letters; "SIM " for the simulated one */
    TERM_REG_SERIAL = 3,          /* serial number */
    TERM_REG_FRAME_BYTES_MAX = 4, /* bytes */
    TERM_REG_TX_FIFO_FRAMES = 5,  /* frames */
    TERM_REG_RX_FIFO_FRAMES = 6,  /* frames */
    TERM_REG_LINE_RATE_KBPS = 7,  /* kbit/s of user frames */
    /* command, RW unless said otherwise */
    TERM_REG_TARGET_ID = 8,          /* 0 stowed, 1 to 65535 a peer of the contact plan */
    TERM_REG_LASER_ENABLE = 9,       /* 0 or 1 */
    TERM_REG_INHIBIT = 10,           /* 0 or 1; 1 keeps the laser dark whatever LASER_ENABLE says */
    TERM_REG_AZIMUTH_UDEG = 11,      /* signed, -180e6 to 180e6: mount azimuth asked for */
    TERM_REG_ELEVATION_UDEG = 12,    /* signed, -90e6 to 90e6: mount elevation asked for */
    TERM_REG_SCAN_URAD = 13,         /* radius of the acquisition spiral, 0 to 20000 */
    TERM_REG_TX_POWER_PERMILLE = 14, /* of the rated optical power, 0 to 1000 */
    TERM_REG_RESET = 15,             /* WO: TERM_RESET_KEY */
    /* acquisition and pointing, RO */
    TERM_REG_FLAGS = 16,               /* enum hal_term_flag */
    TERM_REG_FAULT = 17,               /* enum term_fault */
    TERM_REG_RX_POWER_MDBM = 18,       /* signed */
    TERM_REG_TX_POWER_MW = 19,         /* optical, emitted now */
    TERM_REG_AZIMUTH_NOW_UDEG = 20,    /* signed */
    TERM_REG_ELEVATION_NOW_UDEG = 21,  /* signed */
    TERM_REG_POINTING_ERROR_URAD = 22, /* as the fine sensor sees it */
    TERM_REG_LOCK_COUNT = 23,          /* locks gained since its reset */
    TERM_REG_LOCK_LOSSES = 24,         /* locks lost since its reset */
    /* temperatures, RO, signed mdegC */
    TERM_REG_LASER_MDEGC = 25,
    TERM_REG_DETECTOR_MDEGC = 26,
    TERM_REG_MOUNT_MDEGC = 27,
    TERM_REG_ELECTRONICS_MDEGC = 28,
    /* frames and credit, RO; counters run modulo 2^32 since its reset */
    TERM_REG_TX_CREDIT = 29,   /* frames it would take now */
    TERM_REG_TX_FRAMES = 30,   /* sent by light */
    TERM_REG_TX_REJECTED = 31, /* refused: no credit, too long, damaged on the way */
    TERM_REG_RX_FRAMES = 32,   /* received by light */
    TERM_REG_RX_OVERFLOW = 33, /* received and lost: nobody fetched them */
    TERM_REG_RX_PENDING = 34,  /* received, not yet fetched */
    TERM_REG_UPTIME_S = 35,
    TERM_REG_POWER_MW = 36 /* electrical, drawn now */
};
#define TERM_REG_COUNT 37

/* Bits of TERM_REG_FAULT. */
enum term_fault {
    TERM_FAULT_LASER = 1 << 0,       /* transmitter failed */
    TERM_FAULT_DETECTOR = 1 << 1,    /* receiver failed */
    TERM_FAULT_MOUNT = 1 << 2,       /* mount stuck or out of range */
    TERM_FAULT_OVERHEAT = 1 << 3,    /* too hot; the laser is dark */
    TERM_FAULT_NODE_SILENT = 1 << 4, /* nothing heard from the node; the laser is dark */
    TERM_FAULT_INTERNAL = 1 << 5
};

/*
 * Whether `value` may be written to `reg`. HAL_OK; HAL_E_RANGE: no such register, or a value out
 * of its range; HAL_E_PERM: the register is only read. Worst case 1 us.
 */
int32_t terminal_register_check(uint32_t reg, uint32_t value);

#ifdef __cplusplus
}
#endif

#endif
