/*
 * link_layouts.h - every layout of bench_link.h once: the fields, and which type has which. From it
 * come packing and the lengths a decoder accepts; a test holds them to LINK_SCHEMA_TEXT. Only
 * link_payloads.c uses the fields; link_codec.c asks link_layout_of().
 */
#ifndef LUMENODE_LINK_LAYOUTS_H
#define LUMENODE_LINK_LAYOUTS_H

#include <stdint.h>

/* What follows the fixed fields: nothing, octets, one octet at least, u32s. */
enum link_tail { LINK_TAIL_NONE, LINK_TAIL_OCTETS, LINK_TAIL_SOME, LINK_TAIL_WORDS };

struct link_layout {
    uint8_t channel; /* enum link_channel */
    uint8_t tail;    /* enum link_tail */
    uint16_t bytes;  /* of the fixed fields */
};

/* NULL when there is no such type. */
const struct link_layout *link_layout_of(uint8_t type);

/* F(kind, member): the integer's kind on the line, and the structure's member. */
#define LINK_HELLO_FIELDS(F)                                                                       \
    F(u32, abi_version)                                                                            \
    F(u32, schema_crc32c)                                                                          \
    F(u8, role)                                                                                    \
    F(u8, mode)                                                                                    \
    F(u16, payload_bytes_max)                                                                      \
    F(u32, frame_bytes_max)                                                                        \
    F(u32, frames_credit)                                                                          \
    F(u32, period_us)                                                                              \
    F(u32, boot_count)                                                                             \
    F(u32, peer_session)

#define LINK_HEARTBEAT_FIELDS(F)                                                                   \
    F(u64, uptime_ms)                                                                              \
    F(u32, rx_messages)                                                                            \
    F(u32, rx_corrupt)                                                                             \
    F(u32, rx_lost)                                                                                \
    F(u32, rx_stale)                                                                               \
    F(u32, tx_messages)                                                                            \
    F(u32, tx_dropped)                                                                             \
    F(u32, queue_depth)                                                                            \
    F(u32, frames_broken)                                                                          \
    F(u32, late)                                                                                   \
    F(u32, frames_sent)

#define LINK_TIME_REPLY_FIELDS(F)                                                                  \
    F(u32, id)                                                                                     \
    F(u64, request_t_ns)                                                                           \
    F(u64, received_t_ns)

/* S(kind, member) is a member of struct hal_sim_sensors. */
#define LINK_SENSORS_FIELDS(F, S)                                                                  \
    F(u64, tick)                                                                                   \
    S(u64, t_ns)                                                                                   \
    S(i64, utc_ns)                                                                                 \
    S(u32, valid)                                                                                  \
    S(u32, stuck)                                                                                  \
    S(i32, array_mw)                                                                               \
    S(i32, bus_mw)                                                                                 \
    S(i32, battery_mv)                                                                             \
    S(i32, battery_ma)                                                                             \
    S(i32, battery_mdegc)                                                                          \
    S(i32, payload_mw)                                                                             \
    S(i32, laser_mw)                                                                               \
    S(i32, die_mdegc)                                                                              \
    S(i32, sink_mdegc)                                                                             \
    S(i32, radiator_mdegc)                                                                         \
    S(i32, sun_permille)                                                                           \
    S(u32, term_flags)                                                                             \
    S(i32, rx_power_mdbm)                                                                          \
    S(i32, term_mdegc)                                                                             \
    S(u32, reset_cause)                                                                            \
    S(u32, boot_count)                                                                             \
    F(u32, throttle_live)                                                                          \
    F(u32, estimated)

#define LINK_ACTUATORS_FIELDS(F)                                                                   \
    F(u32, number)                                                                                 \
    F(u32, payload_level)                                                                          \
    F(u32, laser_on)                                                                               \
    F(u32, target_id)                                                                              \
    F(u32, heater_on)                                                                              \
    F(u32, payload_busy_permille)                                                                  \
    F(u64, watchdog_kicks)                                                                         \
    F(u64, tick)

#define LINK_GRANT_FIELDS(F)                                                                       \
    F(u64, tick)                                                                                   \
    F(u64, until_ns)                                                                               \
    F(i64, utc_ns)

#define LINK_DONE_FIELDS(F)                                                                        \
    F(u64, tick)                                                                                   \
    F(u32, actuators_number)                                                                       \
    F(u32, frames_sent)

#define LINK_CHUNK_FIELDS(F)                                                                       \
    F(u32, frame_id)                                                                               \
    F(u32, frame_bytes)                                                                            \
    F(u32, offset)

#define LINK_CREDIT_FIELDS(F)                                                                      \
    F(u64, frames_granted)                                                                         \
    F(u64, frames_by_light)                                                                        \
    F(u64, frames_overflowed)                                                                      \
    F(u64, frames_flushed)

#define LINK_REG_READ_FIELDS(F)                                                                    \
    F(u32, id)                                                                                     \
    F(u16, first)                                                                                  \
    F(u16, count)

#define LINK_REG_WRITE_FIELDS(F)                                                                   \
    F(u32, id)                                                                                     \
    F(u16, reg)                                                                                    \
    F(u16, reserved)                                                                               \
    F(u32, value)

#define LINK_REG_VALUES_FIELDS(F)                                                                  \
    F(u32, id)                                                                                     \
    F(u16, first)                                                                                  \
    F(u16, count)                                                                                  \
    F(i32, code)

#endif
