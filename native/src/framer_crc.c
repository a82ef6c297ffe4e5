/* Check values of framer.h. The long part of a message is folded where the processor can multiply
 * polynomials, the rest is looked up, eight bytes a step. Tables and keys are written by
 * tools/make_crc_tables.py. Bytes are looked up one by one, so the byte order and alignment of the
 * machine do not matter. */
#include "crc_fold.h"
#include "framer.h"

#include "crc16_table.inc"
#include "crc32c_table.inc"
#include "crc_fold_keys.inc"

#define FOLDED_FROM_BYTES 64u /* for less the tables are as fast */

static uint16_t crc16_of(uint16_t start, const uint8_t *data, uint64_t bytes)
{
    const uint16_t (*t)[256] = CRC16_TABLE;
    uint32_t crc = start;

    while (bytes >= 8) {
        crc = (uint32_t)t[7][data[0] ^ (crc >> 8)] ^ t[6][data[1] ^ (crc & 0xFFu)] ^ t[5][data[2]] ^
              t[4][data[3]] ^ t[3][data[4]] ^ t[2][data[5]] ^ t[1][data[6]] ^ t[0][data[7]];
        data += 8;
        bytes -= 8;
    }
    while (bytes > 0) {
        crc = ((crc << 8) & 0xFFFFu) ^ t[0][(crc >> 8) ^ *data];
        data++;
        bytes--;
    }
    return (uint16_t)crc;
}

/* Without the inversions at both ends. */
static uint32_t crc32c_of(uint32_t crc, const uint8_t *data, uint64_t bytes)
{
    const uint32_t (*t)[256] = CRC32C_TABLE;

    while (bytes >= 8) {
        crc = t[7][data[0] ^ (crc & 0xFFu)] ^ t[6][data[1] ^ ((crc >> 8) & 0xFFu)] ^
              t[5][data[2] ^ ((crc >> 16) & 0xFFu)] ^ t[4][data[3] ^ (crc >> 24)] ^ t[3][data[4]] ^
              t[2][data[5]] ^ t[1][data[6]] ^ t[0][data[7]];
        data += 8;
        bytes -= 8;
    }
    while (bytes > 0) {
        crc = (crc >> 8) ^ t[0][(crc & 0xFFu) ^ *data];
        data++;
        bytes--;
    }
    return crc;
}

uint16_t framer_crc16(uint16_t start, const uint8_t *data, uint64_t bytes)
{
    enum crc_fold_width width = crc_fold_width();

    if (bytes < FOLDED_FROM_BYTES || width == CRC_FOLD_NONE) {
        return crc16_of(start, data, bytes);
    }
    uint8_t first[CRC_FOLD_BLOCK_BYTES] = {(uint8_t)(start >> 8), (uint8_t)start};
    uint8_t last[CRC_FOLD_BLOCK_BYTES];
    uint64_t blocks = bytes / CRC_FOLD_BLOCK_BYTES;

    crc_fold(width, CRC_FOLD_MSB_FIRST, &CRC16_KEYS, first, data, blocks, last);
    return crc16_of(crc16_of(0, last, sizeof last), data + blocks * CRC_FOLD_BLOCK_BYTES,
                    bytes % CRC_FOLD_BLOCK_BYTES);
}

uint32_t framer_crc32c(uint32_t start, const uint8_t *data, uint64_t bytes)
{
    enum crc_fold_width width = crc_fold_width();

    if (bytes < FOLDED_FROM_BYTES || width == CRC_FOLD_NONE) {
        return ~crc32c_of(~start, data, bytes);
    }
    uint32_t crc = ~start;
    uint8_t first[CRC_FOLD_BLOCK_BYTES] = {(uint8_t)crc, (uint8_t)(crc >> 8), (uint8_t)(crc >> 16),
                                           (uint8_t)(crc >> 24)};
    uint8_t last[CRC_FOLD_BLOCK_BYTES];
    uint64_t blocks = bytes / CRC_FOLD_BLOCK_BYTES;

    crc_fold(width, CRC_FOLD_REFLECTED, &CRC32C_KEYS, first, data, blocks, last);
    crc = crc32c_of(0, last, sizeof last);
    return ~crc32c_of(crc, data + blocks * CRC_FOLD_BLOCK_BYTES, bytes % CRC_FOLD_BLOCK_BYTES);
}
