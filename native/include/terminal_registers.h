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
 * Safety: after a reset, after TERM_REG_INHIBIT = 1 and after TERM_SILENCE_NS without a message
 * from the node the terminal must be dark (TERM_REG_LASER_ENABLE = 0), whatever it was told
 * before, and it stays dark until it is told anew. It never lights by itself.
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
#define TERM_SILENCE_NS  1000000000 /* without a message from the node: dark */

/*
 * Offsets are the register numbers. The last part of a name is the unit. A comment gives what may be
 * written, in brackets, where that is less than everything, and the meaning. "signed": two's
 * complement. docs/terminal.md is made from these lines.
 */
enum term_reg {
    /* RO: identity */
    TERM_REG_MAGIC = 0,           /* TERM_MAGIC: this is a terminal */
    TERM_REG_MAP_VERSION = 1,     /* TERM_MAP_VERSION */
    TERM_REG_VENDOR = 2,          /* four ASCII letters, the first one highest; "SIM " simulated */
    TERM_REG_SERIAL = 3,          /* serial number */
    TERM_REG_FRAME_BYTES_MAX = 4, /* longest frame taken */
    TERM_REG_TX_FIFO_FRAMES = 5,  /* room of the transmit FIFO */
    TERM_REG_RX_FIFO_FRAMES = 6,  /* room of the receive FIFO */
    TERM_REG_LINE_RATE_KBPS = 7,  /* user frames over light */
    /* RW: command */
    TERM_REG_TARGET_ID = 8,          /* [0, 65535] 0 stowed, else a peer of the contact plan */
    TERM_REG_LASER_ENABLE = 9,       /* [0, 1] reads back what is, not what was asked for */
    TERM_REG_INHIBIT = 10,           /* [0, 1] 1: dark, and LASER_ENABLE cannot become 1 */
    TERM_REG_AZIMUTH_UDEG = 11,      /* signed [-180000000, 180000000] mount azimuth asked for */
    TERM_REG_ELEVATION_UDEG = 12,    /* signed [-90000000, 90000000] mount elevation asked for */
    TERM_REG_SCAN_URAD = 13,         /* [0, 20000] radius of the acquisition spiral */
    TERM_REG_TX_POWER_PERMILLE = 14, /* [0, 1000] of the rated optical power */
    /* WO: trigger */
    TERM_REG_RESET = 15, /* [TERM_RESET_KEY] as after power-up: dark, stowed, FIFOs empty, counters
                          * at zero, commands at their defaults */
    /* RO: acquisition and pointing */
    TERM_REG_FLAGS = 16,               /* enum hal_term_flag: how far acquisition has come */
    TERM_REG_FAULT = 17,               /* enum term_fault: what is wrong now */
    TERM_REG_RX_POWER_MDBM = 18,       /* signed: received optical power */
    TERM_REG_TX_POWER_MW = 19,         /* optical, emitted now */
    TERM_REG_AZIMUTH_NOW_UDEG = 20,    /* signed: where the mount is */
    TERM_REG_ELEVATION_NOW_UDEG = 21,  /* signed: where the mount is */
    TERM_REG_POINTING_ERROR_URAD = 22, /* as the fine sensor sees it */
    TERM_REG_LOCK_COUNT = 23,          /* fine locks gained */
    TERM_REG_LOCK_LOSSES = 24,         /* fine locks lost */
    /* RO: temperatures */
    TERM_REG_LASER_MDEGC = 25,       /* signed: transmitter */
    TERM_REG_DETECTOR_MDEGC = 26,    /* signed: receiver */
    TERM_REG_MOUNT_MDEGC = 27,       /* signed: mount or gimbal */
    TERM_REG_ELECTRONICS_MDEGC = 28, /* signed: modem and controller */
    /* RO: frames, credit, life; counters run modulo 2^32 since the terminal's last reset */
    TERM_REG_TX_CREDIT = 29,   /* frames it would take now */
    TERM_REG_TX_FRAMES = 30,   /* frames sent by light */
    TERM_REG_TX_REJECTED = 31, /* frames refused: no credit, too long, damaged on the way */
    TERM_REG_RX_FRAMES = 32,   /* frames received by light */
    TERM_REG_RX_OVERFLOW = 33, /* frames received and lost: nobody fetched them */
    TERM_REG_RX_PENDING = 34,  /* frames received, not yet fetched */
    TERM_REG_UPTIME_S = 35,    /* since the last reset */
    TERM_REG_POWER_MW = 36     /* electrical, drawn now */
};
#define TERM_REG_COUNT 37

/* Bits of TERM_REG_FAULT. While any of the others is set HAL_TERM_FAULT is set in TERM_REG_FLAGS;
 * NODE_SILENT tells only why it went dark: a node that is back must not be stopped by it, so that
 * bit goes with the first message. */
enum term_fault {
    TERM_FAULT_LASER = 1 << 0,       /* transmitter failed; dark */
    TERM_FAULT_DETECTOR = 1 << 1,    /* receiver failed */
    TERM_FAULT_MOUNT = 1 << 2,       /* mount stuck or out of range */
    TERM_FAULT_OVERHEAT = 1 << 3,    /* too hot; dark */
    TERM_FAULT_NODE_SILENT = 1 << 4, /* nothing heard from the node; dark */
    TERM_FAULT_INTERNAL = 1 << 5     /* anything else the terminal finds wrong with itself */
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
