/* Sums: against products by their definition, at every length and alignment. */
#include "check.h"
#include "erasure_code.h"

#include <string.h>

static uint8_t product(uint8_t a, uint8_t b)
{
    unsigned left = a;
    unsigned sum = 0;

    for (unsigned right = b; right != 0; right >>= 1) {
        sum ^= (right & 1u) != 0 ? left : 0;
        left = left << 1 ^ ((left & 0x80u) != 0 ? 0x11Du : 0);
    }
    return (uint8_t)sum;
}

static void factors_are_the_inverses_of_sums(void)
{
    for (uint32_t r = 0; r < ERASURE_REPAIRS_MAX; r++) {
        for (uint32_t i = 0; i < ERASURE_SOURCES_MAX; i++) {
            CHECK(product(erasure_factor(r, i), (uint8_t)(r ^ (56 + i))) == 1);
        }
    }
    CHECK(erasure_factor(ERASURE_REPAIRS_MAX, 0) == 0);
    CHECK(erasure_factor(0, ERASURE_SOURCES_MAX) == 0);
}

static void every_length_and_alignment_equals_the_definition(void)
{
    enum { STRIDE = 150, ROWS = 3 };
    uint8_t symbol[200];
    uint8_t sums[ROWS * STRIDE + 8];

    for (uint32_t i = 0; i < sizeof symbol; i++) {
        symbol[i] = (uint8_t)(i * 73 + 29);
    }
    for (uint32_t bytes = 0; bytes <= STRIDE; bytes++) {
        uint32_t at = bytes % 8;
        uint32_t source = bytes;

        memset(sums, 0xA5, sizeof sums);
        CHECK(erasure_add(sums + at, STRIDE, ROWS, source, symbol + at, bytes) == 0);
        for (uint32_t r = 0; r < ROWS; r++) {
            for (uint32_t i = 0; i < STRIDE; i++) {
                uint8_t added = i < bytes ? product(erasure_factor(r, source), symbol[at + i]) : 0;

                CHECK(sums[at + r * STRIDE + i] == (0xA5 ^ added));
            }
        }
    }
}

static void one_lost_symbol_comes_back_out_of_any_repair_symbol(void)
{
    enum { BYTES = 64, SOURCES = 10, ROWS = 4 };
    uint8_t sources[SOURCES][BYTES];
    uint8_t sums[ROWS][BYTES] = {{0}};

    for (uint32_t i = 0; i < SOURCES; i++) {
        for (uint32_t k = 0; k < BYTES; k++) {
            sources[i][k] = (uint8_t)(i * 91 + k * k);
        }
        CHECK(erasure_add(sums[0], BYTES, ROWS, i, sources[i], BYTES) == 0);
    }
    for (uint32_t r = 0; r < ROWS; r++) {
        uint8_t rest[BYTES];

        memcpy(rest, sums[r], BYTES);
        for (uint32_t i = 0; i < SOURCES; i++) {
            for (uint32_t k = 0; k < BYTES && i != 6; k++) {
                rest[k] ^= product(erasure_factor(r, i), sources[i][k]);
            }
        }
        for (uint32_t k = 0; k < BYTES; k++) {
            CHECK(product(rest[k], (uint8_t)(r ^ (56 + 6))) == sources[6][k]);
        }
    }
}

static void what_there_is_not_is_refused_and_nothing_added(void)
{
    uint8_t sums[8] = {0};
    const uint8_t symbol[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

    CHECK(erasure_add(NULL, 8, 1, 0, symbol, 8) < 0);
    CHECK(erasure_add(sums, 8, 1, 0, NULL, 8) < 0);
    CHECK(erasure_add(sums, 8, 1, 0, symbol, 9) < 0);
    CHECK(erasure_add(sums, 8, ERASURE_REPAIRS_MAX + 1, 0, symbol, 8) < 0);
    CHECK(erasure_add(sums, 8, 1, ERASURE_SOURCES_MAX, symbol, 8) < 0);
    for (uint32_t i = 0; i < sizeof sums; i++) {
        CHECK(sums[i] == 0);
    }
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(factors_are_the_inverses_of_sums),
        PROMISE(every_length_and_alignment_equals_the_definition),
        PROMISE(one_lost_symbol_comes_back_out_of_any_repair_symbol),
        PROMISE(what_there_is_not_is_refused_and_nothing_added),
    };

    KEEP(PROMISES);
    return 0;
}
