/* Folding: whatever the width, a block is left that has the remainder of the whole message. */
#include "check.h"
#include "crc_fold.h"

#include <string.h>

#include "../src/crc_fold_keys.inc"

enum { BYTES_MAX = 4096, WIDTHS = 3 };

static uint8_t data[BYTES_MAX + 64];

/* A generator of Marsaglia ("Xorshift RNGs", 2003): the same messages in every run. */
static uint32_t next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static uint16_t crc16_by_definition(uint16_t crc, const uint8_t *at, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes; i++) {
        for (int bit = 7; bit >= 0; bit--) {
            unsigned top = ((unsigned)crc >> 15 ^ (unsigned)at[i] >> bit) & 1u;

            crc = (uint16_t)((unsigned)crc << 1 ^ (top != 0 ? 0x1021u : 0u));
        }
    }
    return crc;
}

static uint32_t crc32c_by_definition(uint32_t crc, const uint8_t *at, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes; i++) {
        crc ^= at[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ ((crc & 1u) != 0 ? 0x82F63B78u : 0u);
        }
    }
    return crc;
}

static void check_one(enum crc_fold_width width, const uint8_t *at, uint64_t blocks, uint32_t start)
{
    uint8_t out[CRC_FOLD_BLOCK_BYTES];
    uint8_t msb[CRC_FOLD_BLOCK_BYTES] = {(uint8_t)(start >> 8), (uint8_t)start};
    uint8_t reflected[CRC_FOLD_BLOCK_BYTES] = {(uint8_t)start, (uint8_t)(start >> 8),
                                               (uint8_t)(start >> 16), (uint8_t)(start >> 24)};

    crc_fold(width, CRC_FOLD_MSB_FIRST, &CRC16_KEYS, msb, at, blocks, out);
    CHECK(crc16_by_definition(0, out, sizeof out) ==
          crc16_by_definition((uint16_t)start, at, blocks * CRC_FOLD_BLOCK_BYTES));
    crc_fold(width, CRC_FOLD_REFLECTED, &CRC32C_KEYS, reflected, at, blocks, out);
    CHECK(crc32c_by_definition(0, out, sizeof out) ==
          crc32c_by_definition(start, at, blocks * CRC_FOLD_BLOCK_BYTES));
}

static void any_length_alignment_and_start_leaves_the_remainder(void)
{
    uint32_t luck = 2463534242u;

    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)next(&luck);
    }
    for (int width = CRC_FOLD_128; width <= (int)crc_fold_width(); width++) {
        for (uint64_t blocks = 1; blocks <= 70; blocks++) {
            check_one((enum crc_fold_width)width, data + next(&luck) % 64, blocks, next(&luck));
        }
        for (int i = 0; i < 200; i++) {
            uint64_t blocks = 1 + next(&luck) % (BYTES_MAX / CRC_FOLD_BLOCK_BYTES);

            check_one((enum crc_fold_width)width, data + next(&luck) % 64, blocks, next(&luck));
        }
    }
}

static void a_processor_that_cannot_folds_nothing(void)
{
    const uint8_t first[CRC_FOLD_BLOCK_BYTES] = {0};
    uint8_t out[CRC_FOLD_BLOCK_BYTES];

    memset(out, 0x5A, sizeof out);
    crc_fold(CRC_FOLD_NONE, CRC_FOLD_MSB_FIRST, &CRC16_KEYS, first, data, 4, out);
    for (size_t i = 0; i < sizeof out; i++) {
        CHECK(out[i] == 0x5A);
    }
}

static void the_width_is_one_that_there_is(void)
{
    CHECK((int)crc_fold_width() >= 0 && (int)crc_fold_width() < WIDTHS);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(any_length_alignment_and_start_leaves_the_remainder),
        PROMISE(a_processor_that_cannot_folds_nothing),
        PROMISE(the_width_is_one_that_there_is),
    };

    KEEP(PROMISES);
    return 0;
}
