/* Byte stuffing against vectors of another implementation, and against itself at every length. */
#include "check.h"
#include "hal.h"
#include "link_vectors.h"

#include <string.h>

enum { LONGEST = 1100 };

static void both_ways_agree_with_the_vectors(void)
{
    for (size_t i = 0; i < COUNT_OF(COBS_VECTORS); i++) {
        const struct link_cobs_vector *v = &COBS_VECTORS[i];
        uint8_t out[LONGEST];

        CHECK(link_cobs_encode(v->plain, v->plain_bytes, out) == v->coded_bytes);
        CHECK(memcmp(out, v->coded, v->coded_bytes) == 0);
        CHECK(link_cobs_decode(v->coded, v->coded_bytes, out, LONGEST) == (int32_t)v->plain_bytes);
        CHECK(memcmp(out, v->plain, v->plain_bytes) == 0);
    }
}

/* Zeros at a spacing that sweeps every block length, none at all for spacing 0. */
static void every_length_comes_back_and_holds_no_zero(void)
{
    uint8_t plain[LONGEST];
    uint8_t coded[LINK_COBS_BYTES_MAX(LONGEST)];
    uint8_t back[LONGEST];

    for (uint32_t spacing = 0; spacing <= 260; spacing += spacing < 8 ? 1 : 7) {
        for (uint32_t bytes = 0; bytes <= LONGEST; bytes += bytes > 250 && bytes < 260 ? 1 : 13) {
            for (uint32_t i = 0; i < bytes; i++) {
                plain[i] = spacing != 0 && i % spacing == 0 ? 0 : (uint8_t)(1 + i % 255);
            }
            uint32_t length = link_cobs_encode(plain, bytes, coded);

            CHECK(length <= LINK_COBS_BYTES_MAX(bytes));
            CHECK(memchr(coded, 0, length) == NULL);
            CHECK(link_cobs_decode(coded, length, back, bytes) == (int32_t)bytes);
            CHECK(memcmp(back, plain, bytes) == 0);
            CHECK(link_cobs_decode(coded, length, coded, length) == (int32_t)bytes);
            CHECK(memcmp(coded, plain, bytes) == 0);
        }
    }
}

static void a_result_longer_than_its_room_is_refused_not_written(void)
{
    uint8_t plain[300] = {0};
    uint8_t coded[LINK_COBS_BYTES_MAX(300)];
    uint8_t back[300];

    for (uint32_t bytes = 1; bytes <= sizeof plain; bytes++) {
        memset(plain, bytes % 3 == 0 ? 0 : 7, bytes);
        memset(back, 0xA5, sizeof back);
        uint32_t length = link_cobs_encode(plain, bytes, coded);

        CHECK(link_cobs_decode(coded, length, back, bytes - 1) == HAL_E_CORRUPT);
        CHECK(back[bytes - 1] == 0xA5);
    }
}

static void a_broken_code_is_refused(void)
{
    static const uint8_t RUNS_OUT[] = {4, 1, 2};
    static const uint8_t ZERO_INSIDE[] = {3, 1, 0};
    static const uint8_t ZERO_FIRST[] = {0, 1};
    uint8_t back[8];

    CHECK(link_cobs_decode(RUNS_OUT, sizeof RUNS_OUT, back, sizeof back) == HAL_E_CORRUPT);
    CHECK(link_cobs_decode(ZERO_INSIDE, sizeof ZERO_INSIDE, back, sizeof back) == HAL_E_CORRUPT);
    CHECK(link_cobs_decode(ZERO_FIRST, sizeof ZERO_FIRST, back, sizeof back) == HAL_E_CORRUPT);
    CHECK(link_cobs_decode(ZERO_FIRST, 0, back, sizeof back) == 0);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(both_ways_agree_with_the_vectors),
        PROMISE(every_length_comes_back_and_holds_no_zero),
        PROMISE(a_result_longer_than_its_room_is_refused_not_written),
        PROMISE(a_broken_code_is_refused),
    };

    KEEP(PROMISES);
    return 0;
}
