/* Messages to octets of the line and back; see link_codec.h. */
#include "link_codec.h"

#include "framer.h"
#include "hal.h"
#include "link_layouts.h"

#include <string.h>

_Static_assert(LINK_MESSAGE_BYTES_MAX ==
                   LINK_HEADER_BYTES + LINK_PAYLOAD_BYTES_MAX + LINK_CRC_BYTES,
               "the longest message is its parts");
_Static_assert(LINK_WIRE_BYTES_MAX == LINK_COBS_BYTES_MAX(LINK_MESSAGE_BYTES_MAX) + 1,
               "the longest message's code, and its zero");

static uint32_t get_le(const uint8_t *octets, uint32_t bytes)
{
    uint32_t value = 0;

    for (uint32_t i = 0; i < bytes; i++) {
        value |= (uint32_t)octets[i] << (8 * i);
    }
    return value;
}

static void put_le(uint64_t value, uint32_t bytes, uint8_t *octets)
{
    for (uint32_t i = 0; i < bytes; i++) {
        octets[i] = (uint8_t)(value >> (8 * i));
    }
}

/* Whether a payload of that length can be one of that layout. */
static int fits(const struct link_layout *layout, uint32_t payload_bytes)
{
    if (payload_bytes > LINK_PAYLOAD_BYTES_MAX || payload_bytes < layout->bytes) {
        return 0;
    }
    switch ((enum link_tail)layout->tail) {
    case LINK_TAIL_OCTETS: return 1;
    case LINK_TAIL_SOME: return payload_bytes > layout->bytes;
    case LINK_TAIL_WORDS: return (payload_bytes - layout->bytes) % 4 == 0;
    case LINK_TAIL_NONE: break;
    }
    return payload_bytes == layout->bytes;
}

int32_t link_channel_of(uint8_t type)
{
    const struct link_layout *layout = link_layout_of(type);

    return layout == NULL ? -1 : layout->channel;
}

int32_t link_encode(const struct link_header *header, const uint8_t *payload, uint8_t *wire)
{
    const struct link_layout *layout = link_layout_of(header->type);
    uint8_t plain[LINK_MESSAGE_BYTES_MAX];
    uint32_t bytes = LINK_HEADER_BYTES + (uint32_t)header->payload_bytes;

    if (layout == NULL || !fits(layout, header->payload_bytes)) {
        return HAL_E_RANGE;
    }
    plain[0] = LINK_PROTOCOL_VERSION;
    plain[1] = header->type;
    plain[2] = layout->channel;
    plain[3] = 0;
    put_le(header->seq, 2, plain + 4);
    put_le(header->payload_bytes, 2, plain + 6);
    put_le(header->session, 4, plain + 8);
    put_le(header->t_ns, 8, plain + 12);
    if (header->payload_bytes > 0) {
        memcpy(plain + LINK_HEADER_BYTES, payload, header->payload_bytes);
    }
    put_le(framer_crc32c(0, plain, bytes), LINK_CRC_BYTES, plain + bytes);

    uint32_t coded = link_cobs_encode(plain, bytes + LINK_CRC_BYTES, wire);

    wire[coded] = 0;
    return (int32_t)coded + 1;
}

void link_decoder_init(struct link_decoder *decoder)
{
    decoder->counters = (struct link_decoder_counters){0};
    link_decoder_restart(decoder);
}

void link_decoder_restart(struct link_decoder *decoder)
{
    decoder->filled = 0;
    decoder->overlong = 0;
}

/* These a receiver must be able to read in order to refuse another version. */
static int speaks_any_version(uint8_t type)
{
    return type == LINK_HELLO || type == LINK_HELLO_REPLY || type == LINK_REFUSE;
}

static int layout_holds(const uint8_t *plain, uint32_t payload_bytes, struct link_header *header)
{
    const struct link_layout *layout = link_layout_of(plain[1]);

    if (layout == NULL) {
        return 0;
    }
    *header = (struct link_header){
        .version = plain[0],
        .type = plain[1],
        .channel = plain[2],
        .seq = (uint16_t)get_le(plain + 4, 2),
        .payload_bytes = (uint16_t)get_le(plain + 6, 2),
        .session = get_le(plain + 8, 4),
        .t_ns = get_le(plain + 12, 4) | (uint64_t)get_le(plain + 16, 4) << 32,
    };
    if (header->payload_bytes != payload_bytes) {
        return 0;
    }
    if (header->version != LINK_PROTOCOL_VERSION) {
        return speaks_any_version(header->type);
    }
    if (header->channel != layout->channel || plain[3] != 0 || !fits(layout, payload_bytes)) {
        return 0;
    }
    return header->type != LINK_REG_VALUES ||
           payload_bytes == layout->bytes + 4 * get_le(plain + LINK_HEADER_BYTES + 6, 2);
}

/* One message between two zeros. @return 1 when it is one. */
static int open_message(struct link_decoder *decoder, const uint8_t *wire, uint32_t bytes,
                        struct link_message *message)
{
    uint8_t *plain = decoder->plain;
    int32_t filled = link_cobs_decode(wire, bytes, plain, LINK_MESSAGE_BYTES_MAX);

    if (filled < LINK_HEADER_BYTES + LINK_CRC_BYTES) {
        decoder->counters.corrupt++;
        return 0;
    }
    uint32_t body = (uint32_t)filled - LINK_CRC_BYTES;

    if (framer_crc32c(0, plain, body) != get_le(plain + body, LINK_CRC_BYTES)) {
        decoder->counters.corrupt++;
        return 0;
    }
    if (!layout_holds(plain, body - LINK_HEADER_BYTES, &message->header)) {
        decoder->counters.bad_layout++;
        return 0;
    }
    message->payload = plain + LINK_HEADER_BYTES;
    decoder->counters.messages++;
    return 1;
}

/* Octets in front of a zero, or of the end of what came. */
static void keep(struct link_decoder *decoder, const uint8_t *octets, uint32_t bytes)
{
    if (decoder->overlong != 0 || bytes == 0) {
        return;
    }
    if (bytes > LINK_WIRE_BYTES_MAX - 1 - decoder->filled) {
        decoder->counters.too_long++;
        decoder->overlong = 1;
        return;
    }
    memcpy(decoder->wire + decoder->filled, octets, bytes);
    decoder->filled += bytes;
}

/* A message's last octets, the zero not among them. Most come whole: those are not copied. */
static int finish(struct link_decoder *decoder, const uint8_t *octets, uint32_t bytes,
                  struct link_message *message)
{
    int found = 0;

    if (decoder->filled == 0 && decoder->overlong == 0 && bytes < LINK_WIRE_BYTES_MAX) {
        return bytes > 0 && open_message(decoder, octets, bytes, message);
    }
    keep(decoder, octets, bytes);
    if (decoder->overlong == 0) {
        found = open_message(decoder, decoder->wire, decoder->filled, message);
    }
    link_decoder_restart(decoder);
    return found;
}

int32_t link_decode(struct link_decoder *decoder, const uint8_t *octets, uint32_t bytes,
                    uint32_t *taken, struct link_message *message)
{
    uint32_t at = 0;
    int found = 0;

    while (at < bytes && !found) {
        const uint8_t *zero = memchr(octets + at, 0, bytes - at);

        if (zero == NULL) {
            keep(decoder, octets + at, bytes - at);
            at = bytes;
            break;
        }
        uint32_t run = (uint32_t)(zero - (octets + at));

        found = finish(decoder, octets + at, run, message);
        at += run + 1;
    }
    decoder->counters.octets += at;
    *taken = at;
    return found;
}
