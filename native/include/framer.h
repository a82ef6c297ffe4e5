/*
 * framer.h - check values and transfer frames, in C because one frame a credit at 2.5 Gbit/s is
 * more than Python can wrap.
 *
 * Hop of the flow "image to ground": space packets -> frame -> [AEAD, done by the caller between
 * framer_build and framer_seal] -> laser terminal; and the same backwards. No state, no allocation,
 * no device: every function works on the caller's bytes only and may be called from any thread.
 *
 * The frame is a USLP transfer frame of variable length (CCSDS 732.1-B-2, 4.1) with the security
 * header and trailer of SDLS (CCSDS 355.0-B-2, 4.1), all integers big-endian:
 *
 *      at      bytes  field
 *       0      13     primary header with a VC frame count of 6 octets (7 + 6)
 *      13       2     SPI, security parameter index
 *      15      12     IV
 *      27       1     data field header: rule 111 (no segmentation), UPID 0 (packets)
 *      28       n     space packets, encrypted by the caller
 *      28+n    16     MAC, filled in by the caller
 *      44+n     2     FECF, CRC-16 of everything before it
 *
 * No insert zone and no operational control field. Times: every loop runs once over the bytes
 * given, so a call is bounded by them; the budget on a 1.5 GHz Cortex-A72 is 2 ns a byte of check
 * value and 1 us a frame beside it (about 0.5 ns a byte measured on a desktop machine).
 */
#ifndef LUMENODE_FRAMER_H
#define LUMENODE_FRAMER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FRAMER_CRC16_START 0xFFFF

#define FRAMER_PRIMARY_BYTES     13 /* our primary header */
#define FRAMER_PRIMARY_BYTES_MAX 14 /* any USLP primary header: 7 + a count of 0 to 7 octets */
#define FRAMER_COUNT_BYTES       6
#define FRAMER_IV_BYTES          12
#define FRAMER_MAC_BYTES         16
#define FRAMER_FECF_BYTES        2
#define FRAMER_SECURITY_AT       13 /* of SPI */
#define FRAMER_IV_AT             15
#define FRAMER_TFDF_AT           27
#define FRAMER_PACKETS_AT        28
#define FRAMER_OVERHEAD_BYTES    46 /* frame without packets */
#define FRAMER_FRAME_BYTES_MAX   65536
#define FRAMER_PACKETS_BYTES_MAX 65490
#define FRAMER_BATCH_MAX         4096 /* frames a call */

/* Negative codes, one per cause; zero or more is success. Not the codes of hal.h. */
enum framer_err {
    FRAMER_OK = 0,
    FRAMER_E_RANGE = -1,     /* NULL, a field too large, a buffer too small: caller's mistake */
    FRAMER_E_SHORT = -2,     /* fewer bytes than a frame of this layout has */
    FRAMER_E_VERSION = -3,   /* transfer frame version number is not 1100 */
    FRAMER_E_TRUNCATED = -4, /* the 4-byte truncated form, which we do not use */
    FRAMER_E_LENGTH = -5,    /* the length field and the bytes given differ */
    FRAMER_E_FECF = -6,      /* the check value is wrong */
    FRAMER_E_COUNT = -7,     /* the VC frame count does not have 6 octets */
    FRAMER_E_OCF = -8,       /* announces an operational control field */
    FRAMER_E_RULE = -9,      /* construction rule or UPID of the data field is not ours */
    FRAMER_E_SPARE = -10     /* a reserved spare bit is set */
};

/* A USLP primary header (CCSDS 732.1-B-2, 4.1.2), parsed. Every field as wide as on the wire. */
struct framer_header {
    uint64_t vc_count;      /* below 2^(8 * vc_count_bytes) */
    uint32_t frame_bytes;   /* whole frame, 1 to 65536; on the wire one less */
    uint16_t scid;          /* spacecraft */
    uint8_t destination;    /* 0: scid is the source of the frame, 1: its destination */
    uint8_t vcid;           /* virtual channel, 0 to 63; 63 is idle */
    uint8_t map_id;         /* 0 to 15 */
    uint8_t bypass;         /* 1: expedited, 0: sequence-controlled */
    uint8_t command;        /* 1: protocol control, 0: user data */
    uint8_t ocf;            /* 1: an operational control field follows the data */
    uint8_t vc_count_bytes; /* 0 to 7 */
};

/* What framer_build() writes besides the lengths. */
struct framer_spec {
    struct framer_header header; /* frame_bytes is ignored; vc_count_bytes must be 6, ocf 0 */
    uint16_t spi;
    uint8_t iv[FRAMER_IV_BYTES]; /* fixed part, then a counter of 8 octets, big-endian */
};

/* Where the parts of a frame lie, in bytes from its start, and what its headers say. */
struct framer_layout {
    struct framer_header header;
    uint32_t packets_at;
    uint32_t packets_bytes;
    uint32_t mac_at;
    uint32_t fecf_at;
    uint16_t spi;
    uint8_t iv[FRAMER_IV_BYTES];
};

/* "FRAMER_E_FECF" and so on; never NULL, "FRAMER_E_UNKNOWN" for a foreign code. Static text. */
const char *framer_strerror(int32_t code);

/*
 * CRC-16 of CCSDS 732.1-B-2, 4.1.6 (x^16 + x^12 + x^5 + 1): start with FRAMER_CRC16_START, feed the
 * result back to go on. "123456789" gives 0x29B1. NULL is allowed when bytes is 0.
 */
uint16_t framer_crc16(uint16_t start, const uint8_t *data, uint64_t bytes);

/*
 * CRC-32C (Castagnoli, reflected, RFC 3720 appendix B.4): start with 0, feed the result back to go
 * on. "123456789" gives 0xE3069283. NULL is allowed when bytes is 0.
 */
uint32_t framer_crc32c(uint32_t start, const uint8_t *data, uint64_t bytes);

/*
 * Writes any USLP primary header, `header->frame_bytes` included.
 * @return its length, 7 to 14. FRAMER_E_RANGE: NULL, a field too large, or `out_bytes` too small.
 */
int32_t framer_write_primary(const struct framer_header *header, uint8_t *out, uint32_t out_bytes);

/*
 * Reads any USLP primary header; checks nothing behind it.
 * @return its length, 7 to 14. FRAMER_E_SHORT, _VERSION, _TRUNCATED, _SPARE; FRAMER_E_RANGE: NULL.
 */
int32_t framer_read_primary(const uint8_t *data, uint64_t bytes, struct framer_header *header);

/*
 * Writes both headers and the data field's header into `frame` for `packets_bytes` of packets,
 * which the caller has put, or will put, at FRAMER_PACKETS_AT. Packets and MAC are not touched.
 * `layout` (NULL allowed) says where everything lies.
 * @return length of the whole frame. FRAMER_E_RANGE: NULL, a field too large, no packets, too many,
 * or `room_bytes` too small; nothing is then written.
 */
int32_t framer_build(const struct framer_spec *spec, uint32_t packets_bytes, uint8_t *frame,
                     uint64_t room_bytes, struct framer_layout *layout);

/*
 * Writes the FECF over the last two of `frame_bytes`; packets and MAC are final by then.
 * @return FRAMER_OK. FRAMER_E_RANGE: NULL or a length no frame has.
 */
int32_t framer_seal(uint8_t *frame, uint64_t frame_bytes);

/*
 * Checks a received frame: FECF first (a frame that fails it says nothing), then version, form,
 * spares, length, count, and data field header. `layout` (NULL allowed) is written on success only.
 * Says nothing about SPI, IV and MAC: authentication is the caller's.
 * @return FRAMER_OK or one code of framer_err per cause.
 */
int32_t framer_check(const uint8_t *frame, uint64_t frame_bytes, struct framer_layout *layout);

/*
 * Batches: `count` frames lie at `area`, `area + stride_bytes`, ... within `area_bytes`. Frame i
 * has lengths[i]: bytes of packets for build, of the whole frame for seal and check. FRAMER_E_RANGE
 * when an argument is NULL, count is 0 or above FRAMER_BATCH_MAX, or a frame would leave its
 * stride or the area; nothing is then written.
 */

/* Frame i gets VC count and IV counter of `first`, each plus i; FRAMER_E_RANGE when one would
 * wrap around. @return FRAMER_OK; lengths[i] becomes the length of the whole frame. */
int32_t framer_build_batch(const struct framer_spec *first, uint8_t *area, uint64_t area_bytes,
                           uint32_t stride_bytes, uint32_t *lengths, uint32_t count);

/* Seals every frame. @return FRAMER_OK. */
int32_t framer_seal_batch(uint8_t *area, uint64_t area_bytes, uint32_t stride_bytes,
                          const uint32_t *lengths, uint32_t count);

/* Checks every frame: verdicts[i] and, when it is FRAMER_OK, layouts[i] (NULL allowed).
 * @return frames that are FRAMER_OK. */
int32_t framer_check_batch(const uint8_t *area, uint64_t area_bytes, uint32_t stride_bytes,
                           const uint32_t *lengths, int32_t *verdicts,
                           struct framer_layout *layouts, uint32_t count);

#ifdef __cplusplus
}
#endif

#endif
