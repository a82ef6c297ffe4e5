/*
 * bench_link.h - the byte stream between a node and whoever serves its devices: a bench over a UART
 * or a pseudo-terminal, or a laser terminal on a serial line.
 *
 * Wire.      A message is COBS-encoded (Cheshire and Baker, 1999) and ends with one zero octet; two
 *            zero octets open a stream. Decoded it is a header, a payload and a CRC-32C of both.
 *            Integers are little-endian. After any garbage a receiver loses at most the message it
 *            is in: the next zero octet resynchronises it. Nothing longer than LINK_WIRE_BYTES_MAX
 *            is ever buffered.
 * Channels.  Each has a sequence of its own, modulo 2^16, per direction, from 0 after HELLO. A
 *            receiver counts what is lost, duplicated or late, and drops the latter two. A lower
 *            channel goes first when several wait: control, then samples, then frames, then tests.
 *            A type belongs to one channel. GRANT and DONE close a tick: they go after everything
 *            that waits, though they are numbered as control.
 * Session.   Every message carries the sender's session, drawn at random each time it starts: when
 *            it opens, when its line was lost and when its link went down. It then sends HELLO every
 *            LINK_HELLO_RETRY_NS, and nothing else, until HELLO_REPLY names its session. A HELLO of
 *            a session not yet known means that the peer has restarted: sequences, credits and frame
 *            numbers start at 0 on both sides, everything outstanding is void, and actuators are
 *            announced anew. A known one is only answered again. Messages of any other session are
 *            dropped and counted. HELLO, HELLO_REPLY and REFUSE have sequence 0 and count for none.
 * Version.   HELLO carries the protocol's version, the HAL's and a digest of the message layouts.
 *            If one differs, the peer refuses to run; it never guesses. These three keep their
 *            place in the header, and HELLO, HELLO_REPLY and REFUSE their type, in every version.
 * Time.      Every message carries the sender's monotonic time. TIME_REQUEST and TIME_REPLY give
 *            offset and delay by four timestamps (RFC 5905, 8).
 * Life.      HEARTBEAT every LINK_HEARTBEAT_NS; after LINK_HEARTBEATS_LOST of silence the link is
 *            down: the node's sensors turn invalid, a terminal goes dark, and a bench switches the
 *            payload off: silence is how a node whose process was stopped is made safe from the far
 *            end (guard_plan.h). In lock-step no time of the mission passes meanwhile, and
 *            LINK_LOCK_STEP_SILENCE_NS are waited.
 * Credit.    Frames flow one a credit. Credits are cumulative ("so many frames in all since HELLO"),
 *            so a lost or repeated CREDIT does no harm. A frame longer than a message is cut into
 *            chunks, sent in order; a frame with a chunk missing is dropped whole and counted. Frames
 *            are numbered from 0, and HEARTBEAT and DONE say how many were sent before them: what
 *            has not come by then is lost, is counted, and its credit is given again.
 * Actuators. Idempotent: ACTUATORS says what everything shall be, with a number; it is repeated
 *            until ACTUATED carries that number (or a later one) and the values read back.
 * Lock-step. The bench sends SENSORS, what else the tick brings, and then GRANT, all of one tick: the
 *            node may act until `until_ns` and not beyond. When it has nothing left to do before
 *            then, it sends its frames, ACTUATORS and DONE(tick), and the bench moves on once it
 *            has that DONE and the actuators that DONE names. A bench without an answer repeats
 *            SENSORS and GRANT every LINK_GRANT_RETRY_NS; a node that is done with that tick
 *            already says DONE again. Ticks rise from 1. In free-run both sides follow their own
 *            clocks; a SENSORS later than one and a half periods counts as late.
 * Reset.     NODE_RESET means that the power is gone: the process at the node's end takes nothing
 *            more from the link and ends at once, without an orderly stop. It, or whoever runs it,
 *            opens a new session.
 * Telling.   What a laser carries is not all that a bench must know to judge. TELL carries records
 *            of the node's own telemetry beside it, as the umbilical of a ground test does, in order
 *            and within the tick in which they were told; the layers between do not look into them.
 * Trust.     The line is a bench's: there is no authentication here. Telecommands travel in it as
 *            sealed frames, and only the node's keys open those.
 */
#ifndef LUMENODE_BENCH_LINK_H
#define LUMENODE_BENCH_LINK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LINK_PROTOCOL_VERSION 1

#define LINK_HEADER_BYTES      20
#define LINK_CRC_BYTES         4
#define LINK_PAYLOAD_BYTES_MAX 4096
#define LINK_MESSAGE_BYTES_MAX 4120 /* header, payload, CRC */
#define LINK_WIRE_BYTES_MAX 4138 /* COBS adds one octet in 254, and one; and the zero at its end */

#define LINK_HEARTBEAT_NS         500000000
#define LINK_HEARTBEATS_LOST      3
#define LINK_ACTUATORS_RETRY_NS   100000000
#define LINK_HELLO_RETRY_NS       250000000
#define LINK_GRANT_RETRY_NS       500000000
#define LINK_LOCK_STEP_SILENCE_NS 30000000000

enum link_channel {
    LINK_CHANNEL_CONTROL = 0, /* hello, heartbeat, time, grants, actuators, registers */
    LINK_CHANNEL_SAMPLE = 1,  /* sensors, credits: the newest counts */
    LINK_CHANNEL_FRAME = 2,   /* chunks of laser frames, both ways */
    LINK_CHANNEL_TEST = 3     /* echo and bit errors */
};
#define LINK_CHANNELS 4

/*
 * Header, 20 octets:
 *   0  u8  version   LINK_PROTOCOL_VERSION
 *   1  u8  type      enum link_type
 *   2  u8  channel   enum link_channel
 *   3  u8  flags     0
 *   4  u16 seq       of the channel
 *   6  u16 payload_bytes
 *   8  u32 session
 *  12  u64 t_ns      sender's monotonic time
 */

/* Payload layouts stand behind each type; u and i are unsigned and signed, in bits. */
enum link_type {
    LINK_HELLO = 1,        /* struct link_hello, below: 32 octets */
    LINK_HELLO_REPLY = 2,  /* the same layout, the answerer's values */
    LINK_HEARTBEAT = 3,    /* struct link_heartbeat: 48 octets */
    LINK_TIME_REQUEST = 4, /* u32 id; its t1 is the header's t_ns */
    LINK_TIME_REPLY = 5,   /* u32 id, u64 request_t_ns (t1), u64 received_t_ns (t2); t3 is the
                              header's t_ns */
    LINK_SENSORS = 6,      /* u64 tick, then the 88 octets of struct hal_sim_sensors, then
                                u32 throttle_live, u32 estimated: 104 octets */
    LINK_ACTUATORS = 7,    /* struct link_actuators: 40 octets */
    LINK_ACTUATED = 8,     /* the same layout: number answered, values read back */
    LINK_GRANT = 9,        /* u64 tick, u64 until_ns (mission time), i64 utc_ns (at until_ns) */
    LINK_DONE = 10,        /* u64 tick, u32 actuators_number (of the last ACTUATORS),
                              u32 frames_sent (as in link_heartbeat) */
    LINK_FRAME_CHUNK = 11, /* u32 frame_id, u32 frame_bytes, u32 offset, octets */
    LINK_CREDIT = 12,      /* struct link_credit: 32 octets */
    LINK_REG_READ = 13,    /* u32 id, u16 first, u16 count */
    LINK_REG_WRITE = 14,   /* u32 id, u16 reg, u16 0, u32 value */
    LINK_REG_VALUES = 15,  /* u32 id, u16 first, u16 count, i32 code (enum hal_err), then count of
                              u32: what was read, or for a write the register read back. A negative
                              code comes with count 0 */
    LINK_ECHO = 16,        /* octets */
    LINK_ECHO_REPLY = 17,  /* the same octets */
    LINK_BIT_TEST = 18,    /* octets of PRBS-15 (ITU-T O.150, not inverted: x^15 + x^14 + 1), most
                              significant bit first, from state 0x7FFF on: FF FE 00 04 ... */
    LINK_NODE_RESET = 19,  /* u32 cause (enum hal_reset_cause): the bench cuts the node's power */
    LINK_REFUSE = 20,      /* u32 reason (enum link_refusal): the peer does not run with us */
    LINK_TELL = 21         /* octets: one record of the node's telemetry; LINK_CHANNEL_FRAME */
};
#define LINK_TYPE_MAX 21

/*
 * The layouts above, one message a field: its type, then B, H, I, Q for u8 to u64, i and q for i32
 * and i64, a number before a letter for so many of it, * for octets or values to the end. The
 * digest in HELLO is the CRC-32C of this text without its terminating NUL.
 */
#define LINK_SCHEMA_TEXT                                                                           \
    "1:IIBBHIIIII;2:IIBBHIIIII;3:Q10I;4:I;5:IQQ;6:QQqII11iIiiIIII;7:6IQQ;8:6IQQ;9:QQq;10:QII;"     \
    "11:III*;12:QQQQ;13:IHH;14:IHHI;15:IHHi*;16:*;17:*;18:*;19:I;20:I;21:*"

enum link_role { LINK_ROLE_NODE = 1, LINK_ROLE_BENCH = 2, LINK_ROLE_TERMINAL = 3 };

enum link_mode { LINK_MODE_LOCK_STEP = 1, LINK_MODE_FREE_RUN = 2 };

enum link_refusal {
    LINK_REFUSED_PROTOCOL = 1, /* another LINK_PROTOCOL_VERSION */
    LINK_REFUSED_ABI = 2,      /* another HAL_ABI_VERSION */
    LINK_REFUSED_SCHEMA = 3,   /* another digest of the layouts */
    LINK_REFUSED_ROLE = 4,     /* two of the same role */
    LINK_REFUSED_MODE = 5      /* one wants lock-step, the other free-run */
};

struct link_hello {
    uint32_t abi_version;   /* HAL_ABI_VERSION */
    uint32_t schema_crc32c; /* of the layout text; link_schema_crc32c() */
    uint8_t role;           /* enum link_role */
    uint8_t mode;           /* enum link_mode */
    uint16_t payload_bytes_max;
    uint32_t frame_bytes_max; /* longest laser frame taken */
    uint32_t frames_credit;   /* frames granted to the peer from the start */
    uint32_t period_us;       /* of a tick */
    uint32_t boot_count;
    uint32_t peer_session; /* HELLO_REPLY: the session answered; HELLO: 0 */
};

struct link_heartbeat {
    uint64_t uptime_ms;
    uint32_t rx_messages;
    uint32_t rx_corrupt; /* CRC, COBS, length or layout wrong */
    uint32_t rx_lost;    /* gaps of the sequences */
    uint32_t rx_stale;   /* duplicates and late ones, dropped */
    uint32_t tx_messages;
    uint32_t tx_dropped;    /* samples that gave way to newer ones, frames without room */
    uint32_t queue_depth;   /* messages waiting to be sent */
    uint32_t frames_broken; /* frames with a chunk missing */
    uint32_t late;          /* samples later than one and a half periods */
    uint32_t frames_sent;   /* to the receiver of this since HELLO, whole, modulo 2^32 */
};

struct link_actuators {
    uint32_t number; /* rises by one with every change */
    uint32_t payload_level;
    uint32_t laser_on;
    uint32_t target_id;
    uint32_t heater_on;
    uint32_t payload_busy_permille;
    uint64_t watchdog_kicks;
    uint64_t tick; /* the tick in which it was decided; 0 in free-run */
};

/* All since HELLO; the last three are 0 towards a bench. */
struct link_credit {
    uint64_t frames_granted;    /* to the receiver of this */
    uint64_t frames_by_light;   /* frames of the receiver that left the transmit FIFO */
    uint64_t frames_overflowed; /* received by light and lost: no credit to hand them over */
    uint64_t frames_flushed;    /* lost from the transmit FIFO by a reset */
};

#ifdef __cplusplus
}
#endif

#endif
