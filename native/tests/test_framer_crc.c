/* Check values: against the shared vectors and against their bit-by-bit definition. */
#include "check.h"
#include "framer_vectors.h"

static uint16_t crc16_by_definition(uint16_t crc, const uint8_t *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        for (int bit = 7; bit >= 0; bit--) {
            unsigned top = ((unsigned)crc >> 15 ^ (unsigned)data[i] >> bit) & 1u;

            crc = (uint16_t)((unsigned)crc << 1 ^ (top != 0 ? 0x1021u : 0u));
        }
    }
    return crc;
}

static uint32_t crc32c_by_definition(uint32_t crc, const uint8_t *data, size_t bytes)
{
    crc = ~crc;
    for (size_t i = 0; i < bytes; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ ((crc & 1u) != 0 ? 0x82F63B78u : 0u);
        }
    }
    return ~crc;
}

static void the_shared_vectors_hold(void)
{
    for (size_t i = 0; i < COUNT_OF(CRCS); i++) {
        CHECK(framer_crc16(FRAMER_CRC16_START, CRCS[i].data, CRCS[i].bytes) == CRCS[i].crc16);
        CHECK(framer_crc32c(0, CRCS[i].data, CRCS[i].bytes) == CRCS[i].crc32c);
    }
}

static void every_length_and_alignment_equals_the_definition(void)
{
    uint8_t data[80];

    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 151 + 13);
    }
    for (size_t at = 0; at < 9; at++) {
        for (size_t bytes = 0; bytes <= sizeof data - at; bytes++) {
            CHECK(framer_crc16(0x1D0F, data + at, bytes) ==
                  crc16_by_definition(0x1D0F, data + at, bytes));
            CHECK(framer_crc32c(77, data + at, bytes) ==
                  crc32c_by_definition(77, data + at, bytes));
        }
    }
}

static void going_on_equals_one_call(void)
{
    const uint8_t data[] = "in two parts or in one";
    size_t bytes = sizeof data;
    uint16_t whole16 = framer_crc16(FRAMER_CRC16_START, data, bytes);
    uint32_t whole32 = framer_crc32c(0, data, bytes);

    for (size_t cut = 0; cut <= bytes; cut++) {
        uint16_t half16 = framer_crc16(FRAMER_CRC16_START, data, cut);
        uint32_t half32 = framer_crc32c(0, data, cut);

        CHECK(framer_crc16(half16, data + cut, bytes - cut) == whole16);
        CHECK(framer_crc32c(half32, data + cut, bytes - cut) == whole32);
    }
}

static void nothing_at_all_is_allowed(void)
{
    CHECK(framer_crc16(0x1234, NULL, 0) == 0x1234);
    CHECK(framer_crc32c(0x12345678, NULL, 0) == 0x12345678);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(the_shared_vectors_hold),
        PROMISE(every_length_and_alignment_equals_the_definition),
        PROMISE(going_on_equals_one_call),
        PROMISE(nothing_at_all_is_allowed),
    };

    CHECK(COUNT_OF(FRAMES) > 0 && COUNT_OF(REJECTS) > 0);
    KEEP(PROMISES);
    return 0;
}
