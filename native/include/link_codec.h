/*
 * link_codec.h - messages of bench_link.h to octets of the line and back. Pure: no clock, no file,
 * memory of the caller; the decoder's is bounded by the longest message.
 */
#ifndef LUMENODE_LINK_CODEC_H
#define LUMENODE_LINK_CODEC_H

#include "bench_link.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Longest code of `bytes` octets, without the zero at its end. */
#define LINK_COBS_BYTES_MAX(bytes) ((bytes) + (bytes) / 254 + 1)

/*
 * Consistent overhead byte stuffing (Cheshire and Baker, IEEE/ACM Transactions on Networking 7,
 * 1999), without the zero at the end. `coded` has room for LINK_COBS_BYTES_MAX(bytes) and does not
 * overlap `plain`.
 * @return octets written, 1 or more.
 */
uint32_t link_cobs_encode(const uint8_t *plain, uint32_t bytes, uint8_t *coded);

/*
 * The way back. `coded` holds no zero. `plain` may be `coded` itself: it never grows.
 * @return octets written, or HAL_E_CORRUPT when a block runs past the end, an octet is zero, or
 * more than `plain_bytes_max` come out.
 */
int32_t link_cobs_decode(const uint8_t *coded, uint32_t bytes, uint8_t *plain,
                         uint32_t plain_bytes_max);

struct link_header {
    uint8_t version;
    uint8_t type;    /* enum link_type */
    uint8_t channel; /* enum link_channel; the type's */
    uint16_t seq;
    uint16_t payload_bytes;
    uint32_t session;
    uint64_t t_ns;
};

/*
 * A message as the line carries it, its zero included. Version, channel and flags are the
 * protocol's; header->version and header->channel are not read. `payload` of
 * header->payload_bytes may be NULL when there is none; `wire` has room for LINK_WIRE_BYTES_MAX.
 * @return octets written. HAL_E_RANGE: a type that does not exist, or a payload that is not as
 * long as the type's; nothing is written. Worst case 20 us for the longest.
 */
int32_t link_encode(const struct link_header *header, const uint8_t *payload, uint8_t *wire);

/* The channel of a type; -1 when there is no such type. */
int32_t link_channel_of(uint8_t type);

struct link_message {
    struct link_header header;
    const uint8_t *payload; /* inside the decoder, until its next call */
};

/* Every way in which octets become no message. */
struct link_decoder_counters {
    uint64_t octets;     /* taken, of whatever kind */
    uint64_t messages;   /* handed out */
    uint64_t corrupt;    /* COBS broken, shorter than a header, or the check value wrong */
    uint64_t too_long;   /* thrown away unread: more octets without a zero than any message has */
    uint64_t bad_layout; /* whole, but of another version, type, channel, flag or length */
};

struct link_decoder {
    struct link_decoder_counters counters;
    uint32_t filled;   /* octets of the message that is coming in */
    uint32_t overlong; /* 1: throwing away until the next zero */
    uint8_t wire[LINK_WIRE_BYTES_MAX];
    uint8_t plain[LINK_MESSAGE_BYTES_MAX];
};

/* An empty decoder; whatever was in it is gone. */
void link_decoder_init(struct link_decoder *decoder);

/* Forgets the message that is coming in: the line was cut. The counters stay. */
void link_decoder_restart(struct link_decoder *decoder);

/*
 * Takes octets up to the end of the next message, or all of them. `*taken` says how many; call
 * again with the rest. Messages that are damaged or unknown are counted and passed over; HELLO,
 * HELLO_REPLY and REFUSE come through with any version, for the receiver to refuse.
 * @return 1: `*message` is filled; 0: nothing more in these octets. Worst case 20 us a message.
 */
int32_t link_decode(struct link_decoder *decoder, const uint8_t *octets, uint32_t bytes,
                    uint32_t *taken, struct link_message *message);

#ifdef __cplusplus
}
#endif

#endif
