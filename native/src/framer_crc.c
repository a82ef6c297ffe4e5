/* Check values of framer.h, eight bytes a step; the tables are written by tools/make_crc_tables.py.
 * Bytes are read one by one, so the byte order and alignment of the machine do not matter. */
#include "framer.h"

#include "crc16_table.inc"
#include "crc32c_table.inc"

uint16_t framer_crc16(uint16_t start, const uint8_t *data, uint64_t bytes)
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

uint32_t framer_crc32c(uint32_t start, const uint8_t *data, uint64_t bytes)
{
    const uint32_t (*t)[256] = CRC32C_TABLE;
    uint32_t crc = ~start;

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
    return ~crc;
}
