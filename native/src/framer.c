/* Transfer frames of framer.h: one frame, then batches built from it. */
#include "framer.h"

#include <string.h>

#define VERSION_USLP                0x0Cu /* 1100, CCSDS 732.1-B-2, 4.1.2.2.2.2 */
#define TFDF_HEADER_OURS            0xE0u /* rule 111, UPID 00000 */
#define PRIMARY_BYTES_WITHOUT_COUNT 7u
#define COUNT_BYTES_MAX             7u

_Static_assert(FRAMER_SECURITY_AT == FRAMER_PRIMARY_BYTES, "security header follows the primary");
_Static_assert(FRAMER_IV_AT == FRAMER_SECURITY_AT + 2, "the SPI has two octets");
_Static_assert(FRAMER_TFDF_AT == FRAMER_IV_AT + FRAMER_IV_BYTES, "data field follows the IV");
_Static_assert(FRAMER_PACKETS_AT == FRAMER_TFDF_AT + 1, "data field header has one octet");
_Static_assert(FRAMER_OVERHEAD_BYTES == FRAMER_PACKETS_AT + FRAMER_MAC_BYTES + FRAMER_FECF_BYTES,
               "overhead is all that is no packet");
_Static_assert(FRAMER_PACKETS_BYTES_MAX == FRAMER_FRAME_BYTES_MAX - FRAMER_OVERHEAD_BYTES,
               "the length field bounds the packets");

const char *framer_strerror(int32_t code)
{
    switch (code) {
    case FRAMER_OK: return "FRAMER_OK";
    case FRAMER_E_RANGE: return "FRAMER_E_RANGE";
    case FRAMER_E_SHORT: return "FRAMER_E_SHORT";
    case FRAMER_E_VERSION: return "FRAMER_E_VERSION";
    case FRAMER_E_TRUNCATED: return "FRAMER_E_TRUNCATED";
    case FRAMER_E_LENGTH: return "FRAMER_E_LENGTH";
    case FRAMER_E_FECF: return "FRAMER_E_FECF";
    case FRAMER_E_COUNT: return "FRAMER_E_COUNT";
    case FRAMER_E_OCF: return "FRAMER_E_OCF";
    case FRAMER_E_RULE: return "FRAMER_E_RULE";
    case FRAMER_E_SPARE: return "FRAMER_E_SPARE";
    default: return "FRAMER_E_UNKNOWN";
    }
}

static uint64_t read_be(const uint8_t *data, uint32_t bytes)
{
    uint64_t value = 0;

    for (uint32_t i = 0; i < bytes; i++) {
        value = (value << 8) | data[i];
    }
    return value;
}

static void write_be(uint8_t *out, uint64_t value, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++) {
        out[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
    }
}

static int header_is_writable(const struct framer_header *h)
{
    if (h->destination > 1 || h->bypass > 1 || h->command > 1 || h->ocf > 1) {
        return 0;
    }
    if (h->vcid > 63 || h->map_id > 15 || h->vc_count_bytes > COUNT_BYTES_MAX) {
        return 0;
    }
    if (h->frame_bytes < 1 || h->frame_bytes > FRAMER_FRAME_BYTES_MAX) {
        return 0;
    }
    return h->vc_count >> (8u * h->vc_count_bytes) == 0;
}

static void put_primary(const struct framer_header *h, uint8_t *out)
{
    uint32_t first = VERSION_USLP << 28 | (uint32_t)h->scid << 12 | (uint32_t)h->destination << 11 |
                     (uint32_t)h->vcid << 5 | (uint32_t)h->map_id << 1;

    write_be(out, first, 4);
    write_be(out + 4, h->frame_bytes - 1u, 2);
    out[6] = (uint8_t)(h->bypass << 7 | h->command << 6 | h->ocf << 3 | h->vc_count_bytes);
    write_be(out + 7, h->vc_count, h->vc_count_bytes);
}

int32_t framer_write_primary(const struct framer_header *header, uint8_t *out, uint32_t out_bytes)
{
    if (header == NULL || out == NULL || !header_is_writable(header)) {
        return FRAMER_E_RANGE;
    }
    if (out_bytes < PRIMARY_BYTES_WITHOUT_COUNT + header->vc_count_bytes) {
        return FRAMER_E_RANGE;
    }
    put_primary(header, out);
    return (int32_t)(PRIMARY_BYTES_WITHOUT_COUNT + header->vc_count_bytes);
}

int32_t framer_read_primary(const uint8_t *data, uint64_t bytes, struct framer_header *header)
{
    if (data == NULL || header == NULL) {
        return FRAMER_E_RANGE;
    }
    if (bytes < 4) {
        return FRAMER_E_SHORT;
    }
    if (data[0] >> 4 != VERSION_USLP) {
        return FRAMER_E_VERSION;
    }
    if ((data[3] & 1u) != 0) {
        return FRAMER_E_TRUNCATED;
    }
    if (bytes < PRIMARY_BYTES_WITHOUT_COUNT ||
        bytes < PRIMARY_BYTES_WITHOUT_COUNT + (data[6] & 7u)) {
        return FRAMER_E_SHORT;
    }
    if ((data[6] & 0x30u) != 0) {
        return FRAMER_E_SPARE;
    }
    uint32_t first = (uint32_t)read_be(data, 4);

    header->scid = (uint16_t)(first >> 12 & 0xFFFFu);
    header->destination = (uint8_t)(first >> 11 & 1u);
    header->vcid = (uint8_t)(first >> 5 & 0x3Fu);
    header->map_id = (uint8_t)(first >> 1 & 0x0Fu);
    header->frame_bytes = (uint32_t)read_be(data + 4, 2) + 1u;
    header->bypass = data[6] >> 7;
    header->command = data[6] >> 6 & 1u;
    header->ocf = data[6] >> 3 & 1u;
    header->vc_count_bytes = data[6] & 7u;
    header->vc_count = read_be(data + 7, header->vc_count_bytes);
    return (int32_t)(PRIMARY_BYTES_WITHOUT_COUNT + header->vc_count_bytes);
}

static void describe(const struct framer_header *header, const uint8_t *frame,
                     struct framer_layout *layout)
{
    layout->header = *header;
    layout->packets_at = FRAMER_PACKETS_AT;
    layout->packets_bytes = header->frame_bytes - FRAMER_OVERHEAD_BYTES;
    layout->mac_at = layout->packets_at + layout->packets_bytes;
    layout->fecf_at = layout->mac_at + FRAMER_MAC_BYTES;
    layout->spi = (uint16_t)read_be(frame + FRAMER_SECURITY_AT, 2);
    memcpy(layout->iv, frame + FRAMER_IV_AT, FRAMER_IV_BYTES);
}

int32_t framer_build(const struct framer_spec *spec, uint32_t packets_bytes, uint8_t *frame,
                     uint64_t room_bytes, struct framer_layout *layout)
{
    if (spec == NULL || frame == NULL) {
        return FRAMER_E_RANGE;
    }
    if (packets_bytes < 1 || packets_bytes > FRAMER_PACKETS_BYTES_MAX) {
        return FRAMER_E_RANGE;
    }
    struct framer_header header = spec->header;

    header.frame_bytes = packets_bytes + FRAMER_OVERHEAD_BYTES;
    if (header.frame_bytes > room_bytes || header.vc_count_bytes != FRAMER_COUNT_BYTES ||
        header.ocf != 0 || !header_is_writable(&header)) {
        return FRAMER_E_RANGE;
    }
    put_primary(&header, frame);
    write_be(frame + FRAMER_SECURITY_AT, spec->spi, 2);
    memcpy(frame + FRAMER_IV_AT, spec->iv, FRAMER_IV_BYTES);
    frame[FRAMER_TFDF_AT] = TFDF_HEADER_OURS;
    if (layout != NULL) {
        describe(&header, frame, layout);
    }
    return (int32_t)header.frame_bytes;
}

static int is_frame_length(uint64_t frame_bytes)
{
    return frame_bytes > FRAMER_OVERHEAD_BYTES && frame_bytes <= FRAMER_FRAME_BYTES_MAX;
}

int32_t framer_seal(uint8_t *frame, uint64_t frame_bytes)
{
    if (frame == NULL || !is_frame_length(frame_bytes)) {
        return FRAMER_E_RANGE;
    }
    uint64_t fecf_at = frame_bytes - FRAMER_FECF_BYTES;

    write_be(frame + fecf_at, framer_crc16(FRAMER_CRC16_START, frame, fecf_at), FRAMER_FECF_BYTES);
    return FRAMER_OK;
}

int32_t framer_check(const uint8_t *frame, uint64_t frame_bytes, struct framer_layout *layout)
{
    struct framer_header header;

    if (frame == NULL) {
        return FRAMER_E_RANGE;
    }
    if (frame_bytes <= FRAMER_OVERHEAD_BYTES) {
        return FRAMER_E_SHORT;
    }
    if (frame_bytes > FRAMER_FRAME_BYTES_MAX) {
        return FRAMER_E_LENGTH;
    }
    /* With its own FECF behind it the check value of a whole frame is zero. */
    if (framer_crc16(FRAMER_CRC16_START, frame, frame_bytes) != 0) {
        return FRAMER_E_FECF;
    }
    int32_t read = framer_read_primary(frame, frame_bytes, &header);

    if (read < 0) {
        return read;
    }
    if (header.frame_bytes != frame_bytes) {
        return FRAMER_E_LENGTH;
    }
    if (header.vc_count_bytes != FRAMER_COUNT_BYTES) {
        return FRAMER_E_COUNT;
    }
    if (header.ocf != 0) {
        return FRAMER_E_OCF;
    }
    if (frame[FRAMER_TFDF_AT] != TFDF_HEADER_OURS) {
        return FRAMER_E_RULE;
    }
    if (layout != NULL) {
        describe(&header, frame, layout);
    }
    return FRAMER_OK;
}
