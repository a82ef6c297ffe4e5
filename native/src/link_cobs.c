/* Consistent overhead byte stuffing; see link_codec.h. Whole blocks move by memchr and memcpy. */
#include "hal.h"
#include "link_codec.h"

#include <string.h>

#define BLOCK_BYTES_MAX 254u

static uint32_t least(uint32_t one, uint32_t other)
{
    return one < other ? one : other;
}

uint32_t link_cobs_encode(const uint8_t *plain, uint32_t bytes, uint8_t *coded)
{
    uint8_t *out = coded;
    uint32_t at = 0;

    do {
        uint32_t room = least(bytes - at, BLOCK_BYTES_MAX);
        const uint8_t *zero = room > 0 ? memchr(plain + at, 0, room) : NULL;
        uint32_t run = zero != NULL ? (uint32_t)(zero - (plain + at)) : room;

        *out++ = (uint8_t)(run + 1);
        if (run > 0) {
            memcpy(out, plain + at, run);
            out += run;
        }
        at += run;
        if (zero == NULL) {
            continue; /* a full block stands for no zero, nor does the end */
        }
        at++;
        if (at == bytes) {
            *out++ = 1; /* the zero was the last octet: an empty block says so */
        }
    } while (at < bytes);
    return (uint32_t)(out - coded);
}

int32_t link_cobs_decode(const uint8_t *coded, uint32_t bytes, uint8_t *plain,
                         uint32_t plain_bytes_max)
{
    uint32_t at = 0;
    uint32_t filled = 0;

    if (bytes > 0 && memchr(coded, 0, bytes) != NULL) {
        return HAL_E_CORRUPT;
    }
    while (at < bytes) {
        uint32_t run = coded[at];

        if (run > bytes - at || run - 1 > plain_bytes_max - filled) {
            return HAL_E_CORRUPT;
        }
        memmove(plain + filled, coded + at + 1, run - 1);
        filled += run - 1;
        at += run;
        if (run <= BLOCK_BYTES_MAX && at < bytes) {
            if (filled == plain_bytes_max) {
                return HAL_E_CORRUPT;
            }
            plain[filled++] = 0;
        }
    }
    return (int32_t)filled;
}
