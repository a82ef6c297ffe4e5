/*
 * link_payloads.h - the payloads of bench_link.h as values: octets in, a structure out, and back.
 *
 * Little-endian whatever the machine is; octets may lie at any address. Nothing here checks: the
 * decoder of link_codec.h has tested that a payload is as long as its type says.
 */
#ifndef LUMENODE_LINK_PAYLOADS_H
#define LUMENODE_LINK_PAYLOADS_H

#include "backend_sim.h"
#include "bench_link.h"

#ifdef __cplusplus
extern "C" {
#endif

/* TIME_REQUEST: its id. NODE_RESET: enum hal_reset_cause. REFUSE: enum link_refusal. */
struct link_word {
    uint32_t value;
};

struct link_time_reply {
    uint32_t id;
    uint64_t request_t_ns;  /* t1, the asker's clock */
    uint64_t received_t_ns; /* t2, the answerer's clock */
};

struct link_sensors {
    uint64_t tick; /* 0 in free-run */
    struct hal_sim_sensors sensors;
    uint32_t throttle_live; /* enum hal_throttle_bit */
    uint32_t estimated;     /* enum hal_sensor_bit */
};

struct link_grant {
    uint64_t tick;
    uint64_t until_ns; /* mission time; the node may act up to it and at it, not beyond */
    int64_t utc_ns;    /* Unix time at until_ns */
};

struct link_done {
    uint64_t tick;
    uint32_t actuators_number; /* of the last ACTUATORS before it */
    uint32_t frames_sent;      /* since HELLO, modulo 2^32 */
};

/* In front of a chunk's octets. */
struct link_chunk {
    uint32_t frame_id;    /* from 0, one more each frame, modulo 2^32 */
    uint32_t frame_bytes; /* of the whole frame, 1 to the taker's frame_bytes_max */
    uint32_t offset;      /* of this chunk in the frame */
};

struct link_reg_read {
    uint32_t id;
    uint16_t first; /* enum term_reg */
    uint16_t count;
};

struct link_reg_write {
    uint32_t id;
    uint16_t reg; /* enum term_reg */
    uint16_t reserved;
    uint32_t value;
};

/* In front of `count` words; see link_get_word(). */
struct link_reg_values {
    uint32_t id; /* of the request answered */
    uint16_t first;
    uint16_t count;
    int32_t code; /* enum hal_err; negative with count 0 */
};

/* Octets of each layout, whatever follows it not counted. */
#define LINK_HELLO_BYTES      32
#define LINK_HEARTBEAT_BYTES  48
#define LINK_WORD_BYTES       4
#define LINK_TIME_REPLY_BYTES 20
#define LINK_SENSORS_BYTES    104
#define LINK_ACTUATORS_BYTES  40
#define LINK_GRANT_BYTES      24
#define LINK_DONE_BYTES       16
#define LINK_CHUNK_BYTES      12
#define LINK_CREDIT_BYTES     32
#define LINK_REG_READ_BYTES   8
#define LINK_REG_WRITE_BYTES  12
#define LINK_REG_VALUES_BYTES 12

/*
 * For each layout NAME: link_put_NAME() writes its octets (room for LINK_NAME_BYTES) and returns
 * how many; link_get_NAME() reads as many. Worst case 1 us.
 */
#define LINK_PAYLOAD(name)                                                                         \
    uint32_t link_put_##name(const struct link_##name *values, uint8_t *octets);                   \
    void link_get_##name(const uint8_t *octets, struct link_##name *values)

LINK_PAYLOAD(hello);
LINK_PAYLOAD(heartbeat);
LINK_PAYLOAD(word);
LINK_PAYLOAD(time_reply);
LINK_PAYLOAD(sensors);
LINK_PAYLOAD(actuators);
LINK_PAYLOAD(grant);
LINK_PAYLOAD(done);
LINK_PAYLOAD(chunk);
LINK_PAYLOAD(credit);
LINK_PAYLOAD(reg_read);
LINK_PAYLOAD(reg_write);
LINK_PAYLOAD(reg_values);

#undef LINK_PAYLOAD

/* CRC-32C of LINK_SCHEMA_TEXT: two sides with the same digest mean the same. */
uint32_t link_schema_crc32c(void);

/* PRBS-15 as LINK_BIT_TEST carries it. link_bit_test_errors() counts the bits that differ. */
void link_bit_test_fill(uint8_t *octets, uint32_t octets_count);
uint32_t link_bit_test_errors(const uint8_t *octets, uint32_t octets_count);

#ifdef __cplusplus
}
#endif

#endif
