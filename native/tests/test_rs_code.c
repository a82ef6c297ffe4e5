/* Coded frames: a burst is spread over the codewords, and what is beyond help is refused. */
#include "check.h"
#include "rs_code.h"

#include <string.h>

enum {
    DEPTH = 8,
    FRAME = RS_DATA_BYTES * DEPTH,
    CODED = RS_MARKER_BYTES + RS_CODEWORD_BYTES * DEPTH
};

static uint8_t frame[FRAME];
static uint8_t coded[CODED];

static void fill(void)
{
    for (uint32_t i = 0; i < FRAME; i++) {
        frame[i] = (uint8_t)(i * 37 + i / 251);
    }
}

static void a_wrapped_frame_comes_out_as_it_went_in_at_every_depth(void)
{
    fill();
    for (uint32_t depth = 0; depth <= 9; depth++) {
        uint64_t longest = (uint64_t)RS_DATA_BYTES * depth;

        CHECK(rs_is_depth(depth) == (depth >= 1 && depth != 6 && depth != 7 && depth <= 8));
        if (!rs_is_depth(depth)) {
            CHECK(rs_wrap(frame, 1, depth, coded, sizeof coded) == RS_E_RANGE);
            CHECK(rs_unwrap(coded, sizeof coded, depth) == RS_E_RANGE);
            continue;
        }
        int32_t bytes = rs_wrap(frame, longest, depth, coded, sizeof coded);

        CHECK(bytes == (int32_t)(RS_MARKER_BYTES + RS_CODEWORD_BYTES * depth));
        CHECK(rs_unwrap(coded, (uint64_t)bytes, depth) == 0);
        CHECK(memcmp(coded + RS_MARKER_BYTES, frame, longest) == 0);
    }
}

static void a_short_frame_is_followed_by_zeros(void)
{
    fill();
    CHECK(rs_wrap(frame, 100, DEPTH, coded, sizeof coded) == CODED);
    CHECK(rs_unwrap(coded, CODED, DEPTH) == 0);
    CHECK(memcmp(coded + RS_MARKER_BYTES, frame, 100) == 0);
    for (uint32_t i = 100; i < FRAME; i++) {
        CHECK(coded[RS_MARKER_BYTES + i] == 0);
    }
}

static void the_marker_and_the_randomiser_are_those_of_the_standard(void)
{
    static const uint8_t HEAD[] = {0x1A, 0xCF, 0xFC, 0x1D, 0xFF, 0x48, 0x0E, 0xC0, 0x9A};
    uint8_t zeros[600] = {0};

    CHECK(rs_wrap(zeros, 223, 1, coded, sizeof coded) == RS_MARKER_BYTES + RS_CODEWORD_BYTES);
    CHECK(memcmp(coded, HEAD, sizeof HEAD) == 0); /* all zeros is a codeword */
    rs_randomise(zeros, sizeof zeros);
    CHECK(memcmp(zeros, zeros + 255, 255) == 0);
    CHECK(zeros[254] != zeros[0] || zeros[253] != zeros[254]);
}

static void a_burst_of_sixteen_octets_a_codeword_is_righted_and_one_more_is_not(void)
{
    fill();
    for (uint32_t at = 0; at <= RS_CODEWORD_BYTES * DEPTH - 16 * DEPTH; at += 97) {
        CHECK(rs_wrap(frame, FRAME, DEPTH, coded, sizeof coded) == CODED);
        for (uint32_t i = 0; i < 16 * DEPTH; i++) {
            coded[RS_MARKER_BYTES + at + i] ^= 0x5A;
        }
        CHECK(rs_unwrap(coded, CODED, DEPTH) == 16 * DEPTH);
        CHECK(memcmp(coded + RS_MARKER_BYTES, frame, FRAME) == 0);
    }
    CHECK(rs_wrap(frame, FRAME, DEPTH, coded, sizeof coded) == CODED);
    for (uint32_t i = 0; i < 16 * DEPTH + 1; i++) {
        coded[RS_MARKER_BYTES + 40 + i] ^= 0x5A;
    }
    CHECK(rs_unwrap(coded, CODED, DEPTH) == RS_E_UNCORRECTABLE);
}

static void a_marker_may_have_four_wrong_bits_and_no_more(void)
{
    fill();
    CHECK(rs_wrap(frame, FRAME, DEPTH, coded, sizeof coded) == CODED);
    coded[0] ^= 0x81;
    coded[3] ^= 0x18;
    CHECK(rs_unwrap(coded, CODED, DEPTH) == 0);
    CHECK(rs_wrap(frame, FRAME, DEPTH, coded, sizeof coded) == CODED);
    coded[0] ^= 0x81;
    coded[3] ^= 0x38;
    CHECK(rs_unwrap(coded, CODED, DEPTH) == RS_E_MARKER);
}

static void what_does_not_fit_is_refused_and_nothing_written(void)
{
    fill();
    memset(coded, 0x77, sizeof coded);
    CHECK(rs_wrap(NULL, 5, 1, coded, sizeof coded) == RS_E_RANGE);
    CHECK(rs_wrap(frame, 5, 1, NULL, sizeof coded) == RS_E_RANGE);
    CHECK(rs_wrap(frame, 0, 1, coded, sizeof coded) == RS_E_RANGE);
    CHECK(rs_wrap(frame, RS_DATA_BYTES + 1, 1, coded, sizeof coded) == RS_E_RANGE);
    CHECK(rs_wrap(frame, 5, 1, coded, RS_MARKER_BYTES + RS_CODEWORD_BYTES - 1) == RS_E_RANGE);
    for (uint32_t i = 0; i < CODED; i++) {
        CHECK(coded[i] == 0x77);
    }
    CHECK(rs_unwrap(NULL, CODED, DEPTH) == RS_E_RANGE);
    CHECK(rs_unwrap(coded, CODED - 1, DEPTH) == RS_E_RANGE);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(a_wrapped_frame_comes_out_as_it_went_in_at_every_depth),
        PROMISE(a_short_frame_is_followed_by_zeros),
        PROMISE(the_marker_and_the_randomiser_are_those_of_the_standard),
        PROMISE(a_burst_of_sixteen_octets_a_codeword_is_righted_and_one_more_is_not),
        PROMISE(a_marker_may_have_four_wrong_bits_and_no_more),
        PROMISE(what_does_not_fit_is_refused_and_nothing_written),
    };

    KEEP(PROMISES);
    return 0;
}
