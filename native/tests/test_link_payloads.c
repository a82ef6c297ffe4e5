/* Payloads against the shared vectors: every field at its place, in its order of octets. */
#include "check.h"
#include "link_layouts.h"
#include "link_vectors.h"

#include <stdlib.h>
#include <string.h>

/* There, and back through a structure that was not the one put. */
#define BOTH_WAYS(name, vectors, size)                                                             \
    static void name##_goes_there_and_back(void)                                                   \
    {                                                                                              \
        for (size_t i = 0; i < COUNT_OF(vectors); i++) {                                           \
            struct link_##name back;                                                               \
            uint8_t octets[(size) + 1];                                                            \
                                                                                                   \
            octets[size] = 0xA5;                                                                   \
            CHECK(link_put_##name(&vectors[i].values, octets) == (size));                          \
            CHECK(memcmp(octets, vectors[i].payload, size) == 0);                                  \
            CHECK(octets[size] == 0xA5);                                                           \
            memset(&back, 0x5A, sizeof back);                                                      \
            link_get_##name(vectors[i].payload, &back);                                            \
            memset(octets, 0, size);                                                               \
            CHECK(link_put_##name(&back, octets) == (size));                                       \
            CHECK(memcmp(octets, vectors[i].payload, size) == 0);                                  \
        }                                                                                          \
    }

BOTH_WAYS(hello, HELLO_VALUES, LINK_HELLO_BYTES)
BOTH_WAYS(heartbeat, HEARTBEAT_VALUES, LINK_HEARTBEAT_BYTES)
BOTH_WAYS(word, WORD_VALUES, LINK_WORD_BYTES)
BOTH_WAYS(time_reply, TIME_REPLY_VALUES, LINK_TIME_REPLY_BYTES)
BOTH_WAYS(sensors, SENSORS_VALUES, LINK_SENSORS_BYTES)
BOTH_WAYS(actuators, ACTUATORS_VALUES, LINK_ACTUATORS_BYTES)
BOTH_WAYS(grant, GRANT_VALUES, LINK_GRANT_BYTES)
BOTH_WAYS(done, DONE_VALUES, LINK_DONE_BYTES)
BOTH_WAYS(chunk, CHUNK_VALUES, LINK_CHUNK_BYTES)
BOTH_WAYS(credit, CREDIT_VALUES, LINK_CREDIT_BYTES)
BOTH_WAYS(reg_read, REG_READ_VALUES, LINK_REG_READ_BYTES)
BOTH_WAYS(reg_write, REG_WRITE_VALUES, LINK_REG_WRITE_BYTES)
BOTH_WAYS(reg_values, REG_VALUES_VALUES, LINK_REG_VALUES_BYTES)

/* The letters of LINK_SCHEMA_TEXT. */
#define LETTER_u8            "B"
#define LETTER_u16           "H"
#define LETTER_u32           "I"
#define LETTER_u64           "Q"
#define LETTER_i32           "i"
#define LETTER_i64           "q"
#define LETTER(kind, member) LETTER_##kind

static const char *const LAYOUT_LETTERS[LINK_TYPE_MAX + 1] = {
    [LINK_HELLO] = LINK_HELLO_FIELDS(LETTER),
    [LINK_HELLO_REPLY] = LINK_HELLO_FIELDS(LETTER),
    [LINK_HEARTBEAT] = LINK_HEARTBEAT_FIELDS(LETTER),
    [LINK_TIME_REQUEST] = "I",
    [LINK_TIME_REPLY] = LINK_TIME_REPLY_FIELDS(LETTER),
    [LINK_SENSORS] = LINK_SENSORS_FIELDS(LETTER, LETTER),
    [LINK_ACTUATORS] = LINK_ACTUATORS_FIELDS(LETTER),
    [LINK_ACTUATED] = LINK_ACTUATORS_FIELDS(LETTER),
    [LINK_GRANT] = LINK_GRANT_FIELDS(LETTER),
    [LINK_DONE] = LINK_DONE_FIELDS(LETTER),
    [LINK_FRAME_CHUNK] = LINK_CHUNK_FIELDS(LETTER) "*",
    [LINK_CREDIT] = LINK_CREDIT_FIELDS(LETTER),
    [LINK_REG_READ] = LINK_REG_READ_FIELDS(LETTER),
    [LINK_REG_WRITE] = LINK_REG_WRITE_FIELDS(LETTER),
    [LINK_REG_VALUES] = LINK_REG_VALUES_FIELDS(LETTER) "*",
    [LINK_ECHO] = "*",
    [LINK_ECHO_REPLY] = "*",
    [LINK_BIT_TEST] = "*",
    [LINK_NODE_RESET] = "I",
    [LINK_REFUSE] = "I",
    [LINK_TELL] = "*",
};

/* A number before a letter, after a colon or a letter, stands for so many of it. */
static void expand(const char *text, char *out)
{
    int in_layout = 0;

    for (; *text != '\0'; text++) {
        uint32_t times = 1;

        if (in_layout && *text >= '0' && *text <= '9') {
            char *end = NULL;

            times = (uint32_t)strtoul(text, &end, 10);
            text = end;
        }
        in_layout = *text == ':' || (in_layout && *text != ';');
        memset(out, *text, times);
        out += times;
    }
    *out = '\0';
}

static void the_layouts_are_those_of_the_text_that_both_sides_agree_on(void)
{
    char expanded[1024];
    char ours[1024] = "";

    for (uint32_t type = 1; type <= LINK_TYPE_MAX; type++) {
        char layout[64];

        (void)snprintf(layout, sizeof layout, "%s%u:%s", type > 1 ? ";" : "", type,
                       LAYOUT_LETTERS[type]);
        strcat(ours, layout);
    }
    expand(LINK_SCHEMA_TEXT, expanded);
    CHECK(strcmp(expanded, ours) == 0);
    CHECK(strcmp(LINK_SCHEMA_TEXT, SCHEMA_TEXT) == 0);
    CHECK(link_schema_crc32c() == SCHEMA_CRC32C);
}

static void the_bit_test_is_the_sequence_of_the_standard_and_counts_what_differs(void)
{
    uint8_t octets[sizeof PRBS15 - 1];
    uint8_t whole[8192];

    link_bit_test_fill(octets, sizeof octets);
    CHECK(memcmp(octets, PRBS15, sizeof octets) == 0);
    CHECK(link_bit_test_errors(octets, sizeof octets) == 0);
    octets[3] ^= 0x81;
    octets[60] ^= 0x10;
    CHECK(link_bit_test_errors(octets, sizeof octets) == 3);
    /* 2^15 - 1 bits, then the same again: after 32767 octets' worth of bits, 8 * 4095.875. */
    link_bit_test_fill(whole, sizeof whole);
    for (uint32_t bit = 0; bit < 32767; bit++) {
        uint32_t again = bit + 32767;

        CHECK(((whole[bit / 8] >> (7 - bit % 8)) & 1) ==
              ((whole[again / 8] >> (7 - again % 8)) & 1));
    }
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(hello_goes_there_and_back),
        PROMISE(heartbeat_goes_there_and_back),
        PROMISE(word_goes_there_and_back),
        PROMISE(time_reply_goes_there_and_back),
        PROMISE(sensors_goes_there_and_back),
        PROMISE(actuators_goes_there_and_back),
        PROMISE(grant_goes_there_and_back),
        PROMISE(done_goes_there_and_back),
        PROMISE(chunk_goes_there_and_back),
        PROMISE(credit_goes_there_and_back),
        PROMISE(reg_read_goes_there_and_back),
        PROMISE(reg_write_goes_there_and_back),
        PROMISE(reg_values_goes_there_and_back),
        PROMISE(the_layouts_are_those_of_the_text_that_both_sides_agree_on),
        PROMISE(the_bit_test_is_the_sequence_of_the_standard_and_counts_what_differs),
    };

    KEEP(PROMISES);
    return 0;
}
