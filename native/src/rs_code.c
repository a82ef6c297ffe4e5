/* Encoder and coded frames of rs_code.h. The register of check symbols is four words, its first
 * octet the lowest, so that a step is four exclusive-ors on whatever machine. */
#include "rs_code.h"

#include <stddef.h>
#include <string.h>

#include "randomiser_table.inc"
#include "rs_decode.h"
#include "rs_tables.inc"

#define RANDOMISER_PERIOD sizeof RANDOMISER

int32_t rs_is_depth(uint32_t depth)
{
    return (depth >= 1 && depth <= 5) || depth == 8;
}

struct checks {
    uint64_t words[4];
};

static inline void feed(struct checks *c, uint8_t octet)
{
    const uint64_t *added = RS_FEEDBACK[octet ^ (c->words[0] & 0xFFu)];

    c->words[0] = (c->words[0] >> 8 | c->words[1] << 56) ^ added[0];
    c->words[1] = (c->words[1] >> 8 | c->words[2] << 56) ^ added[1];
    c->words[2] = (c->words[2] >> 8 | c->words[3] << 56) ^ added[2];
    c->words[3] = c->words[3] >> 8 ^ added[3];
}

static void put(const struct checks *c, uint8_t *parity, uint32_t depth)
{
    for (uint32_t i = 0; i < RS_PARITY_BYTES; i++) {
        parity[(size_t)i * depth] = (uint8_t)(c->words[i / 8] >> (8 * (i % 8)));
    }
}

/* Two codewords at a time: each step of one waits for the step before it, not for the other's. */
void rs_encode(const uint8_t *data, uint8_t *parity, uint32_t depth)
{
    uint32_t i = 0;

    for (; i + 1 < depth; i += 2) {
        struct checks a = {{0}};
        struct checks b = {{0}};

        for (uint32_t k = 0; k < RS_DATA_BYTES; k++) {
            feed(&a, data[(size_t)k * depth + i]);
            feed(&b, data[(size_t)k * depth + i + 1]);
        }
        put(&a, parity + i, depth);
        put(&b, parity + i + 1, depth);
    }
    if (i < depth) {
        struct checks last = {{0}};

        for (uint32_t k = 0; k < RS_DATA_BYTES; k++) {
            feed(&last, data[(size_t)k * depth + i]);
        }
        put(&last, parity + i, depth);
    }
}

int32_t rs_decode(uint8_t *block, uint32_t depth)
{
    uint8_t parity[RS_PARITY_BYTES * RS_DEPTH_MAX];
    uint8_t words[RS_DEPTH_MAX][RS_CODEWORD_BYTES];
    int32_t right = 0;

    /* A clean block, which most are, costs no more than encoding it. */
    rs_encode(block, parity, depth);
    if (memcmp(parity, block + (size_t)RS_DATA_BYTES * depth, (size_t)RS_PARITY_BYTES * depth) ==
        0) {
        return 0;
    }
    for (uint32_t i = 0; i < depth; i++) {
        for (uint32_t k = 0; k < RS_CODEWORD_BYTES; k++) {
            words[i][k] = RS_FROM_DUAL[block[(size_t)k * depth + i]];
        }
        int32_t here = rs_correct(words[i]);

        if (here < 0) {
            return RS_E_UNCORRECTABLE;
        }
        right += here;
    }
    for (uint32_t i = 0; i < depth; i++) {
        for (uint32_t k = 0; k < RS_CODEWORD_BYTES; k++) {
            block[(size_t)k * depth + i] = RS_TO_DUAL[words[i][k]];
        }
    }
    return right;
}

void rs_randomise(uint8_t *data, uint64_t bytes)
{
    while (bytes > 0) {
        uint64_t here = bytes < RANDOMISER_PERIOD ? bytes : RANDOMISER_PERIOD;

        for (uint64_t i = 0; i < here; i++) {
            data[i] ^= RANDOMISER[i];
        }
        data += here;
        bytes -= here;
    }
}

int32_t rs_wrap(const uint8_t *frame, uint64_t frame_bytes, uint32_t depth, uint8_t *out,
                uint64_t room_bytes)
{
    if (frame == NULL || out == NULL || !rs_is_depth(depth)) {
        return RS_E_RANGE;
    }
    uint32_t data_bytes = RS_DATA_BYTES * depth;
    uint32_t block_bytes = RS_CODEWORD_BYTES * depth;

    if (frame_bytes < 1 || frame_bytes > data_bytes || room_bytes < RS_MARKER_BYTES + block_bytes) {
        return RS_E_RANGE;
    }
    for (uint32_t i = 0; i < RS_MARKER_BYTES; i++) {
        out[i] = (uint8_t)((uint32_t)RS_MARKER >> (8 * (RS_MARKER_BYTES - 1 - i)));
    }
    uint8_t *block = out + RS_MARKER_BYTES;

    memcpy(block, frame, frame_bytes);
    memset(block + frame_bytes, 0, data_bytes - frame_bytes);
    rs_encode(block, block + data_bytes, depth);
    rs_randomise(block, block_bytes);
    return (int32_t)(RS_MARKER_BYTES + block_bytes);
}

static uint32_t marker_bits_off(const uint8_t *coded)
{
    uint32_t off = 0;

    for (uint32_t i = 0; i < RS_MARKER_BYTES; i++) {
        uint32_t wrong =
            coded[i] ^ ((uint32_t)RS_MARKER >> (8 * (RS_MARKER_BYTES - 1 - i)) & 0xFFu);

        for (; wrong != 0; wrong &= wrong - 1) {
            off++;
        }
    }
    return off;
}

int32_t rs_unwrap(uint8_t *coded, uint64_t coded_bytes, uint32_t depth)
{
    if (coded == NULL || !rs_is_depth(depth)) {
        return RS_E_RANGE;
    }
    uint32_t block_bytes = RS_CODEWORD_BYTES * depth;

    if (coded_bytes != RS_MARKER_BYTES + block_bytes) {
        return RS_E_RANGE;
    }
    if (marker_bits_off(coded) > RS_MARKER_BITS_OFF) {
        return RS_E_MARKER;
    }
    rs_randomise(coded + RS_MARKER_BYTES, block_bytes);
    return rs_decode(coded + RS_MARKER_BYTES, depth);
}
