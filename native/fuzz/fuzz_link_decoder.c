/*
 * Whatever octets come, in whatever runs: the decoder stays in its memory, hands out only messages
 * whose encoding is what came, and has one counter for each piece between two zeros.
 */
#include "link_codec.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds) {
        abort();
    }
}

/* A message of this version is encoded again into the octets that it is. */
static void check_message(const struct link_message *message)
{
    uint8_t wire[LINK_WIRE_BYTES_MAX];
    uint8_t plain[LINK_MESSAGE_BYTES_MAX];

    if (message->header.version != LINK_PROTOCOL_VERSION) {
        return;
    }
    int32_t bytes = link_encode(&message->header, message->payload, wire);

    require(bytes > 0);
    require(link_cobs_decode(wire, (uint32_t)bytes - 1, plain, sizeof plain) ==
            LINK_HEADER_BYTES + (int32_t)message->header.payload_bytes + LINK_CRC_BYTES);
    require(memcmp(plain + LINK_HEADER_BYTES, message->payload, message->header.payload_bytes) ==
            0);
}

/* The first octet says how long the runs are, so that every way of cutting is tried. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct link_decoder decoder;
    struct link_message message;
    uint32_t run = size > 0 ? 1u + data[0] : 1;
    uint64_t pieces = 0;

    link_decoder_init(&decoder);
    for (size_t at = size > 0; at < size; at += run) {
        uint32_t bytes = (uint32_t)(size - at < run ? size - at : run);

        for (uint32_t taken = 0, done = 0; done < bytes; done += taken) {
            if (link_decode(&decoder, data + at + done, bytes - done, &taken, &message)) {
                check_message(&message);
            }
            require(taken > 0 && decoder.filled < LINK_WIRE_BYTES_MAX);
        }
    }
    for (size_t at = 2; at < size; at++) {
        pieces += data[at] == 0 && data[at - 1] != 0;
    }
    const struct link_decoder_counters *c = &decoder.counters;
    uint64_t unfinished_too_long = decoder.overlong;

    require(c->messages + c->corrupt + c->bad_layout + c->too_long == pieces + unfinished_too_long);
    return 0;
}
