/* One transfer frame: the shared vectors, every refusal, and bytes nobody meant. */
#include "check.h"
#include "framer_vectors.h"

#include <string.h>

static struct framer_spec plain_spec(void)
{
    return (struct framer_spec){
        .header = {.scid = 7, .vcid = 2, .vc_count = 5, .vc_count_bytes = FRAMER_COUNT_BYTES},
        .spi = 1,
    };
}

static void the_shared_frames_are_built_bit_for_bit(void)
{
    uint8_t frame[1024];
    struct framer_layout layout;

    for (size_t i = 0; i < COUNT_OF(FRAMES); i++) {
        const struct frame_vector *v = &FRAMES[i];

        CHECK(framer_build(&v->spec, v->packets_bytes, frame, sizeof frame, &layout) ==
              (int32_t)v->frame_bytes);
        memcpy(frame + layout.packets_at, v->packets, layout.packets_bytes);
        memcpy(frame + layout.mac_at, v->mac, FRAMER_MAC_BYTES);
        CHECK(layout.fecf_at == v->frame_bytes - FRAMER_FECF_BYTES);
        CHECK(framer_seal(frame, v->frame_bytes) == FRAMER_OK);
        CHECK(memcmp(frame, v->frame, v->frame_bytes) == 0);
    }
}

static void the_shared_frames_are_read_back(void)
{
    for (size_t i = 0; i < COUNT_OF(FRAMES); i++) {
        const struct frame_vector *v = &FRAMES[i];
        struct framer_layout layout;

        CHECK(framer_check(v->frame, v->frame_bytes, &layout) == FRAMER_OK);
        CHECK(layout.header.scid == v->spec.header.scid);
        CHECK(layout.header.destination == v->spec.header.destination);
        CHECK(layout.header.vcid == v->spec.header.vcid);
        CHECK(layout.header.map_id == v->spec.header.map_id);
        CHECK(layout.header.bypass == v->spec.header.bypass);
        CHECK(layout.header.command == v->spec.header.command);
        CHECK(layout.header.vc_count == v->spec.header.vc_count);
        CHECK(layout.header.frame_bytes == v->frame_bytes);
        CHECK(layout.spi == v->spec.spi);
        CHECK(memcmp(layout.iv, v->spec.iv, FRAMER_IV_BYTES) == 0);
        CHECK(layout.packets_bytes == v->packets_bytes);
        CHECK(memcmp(v->frame + layout.packets_at, v->packets, v->packets_bytes) == 0);
    }
}

static void each_bad_frame_has_its_own_verdict(void)
{
    for (size_t i = 0; i < COUNT_OF(REJECTS); i++) {
        CHECK(framer_check(REJECTS[i].frame, REJECTS[i].frame_bytes, NULL) == REJECTS[i].code);
    }
    CHECK(framer_check(NULL, 100, NULL) == FRAMER_E_RANGE);
    CHECK(framer_check(REJECTS[0].frame, FRAMER_FRAME_BYTES_MAX + 1, NULL) == FRAMER_E_LENGTH);
}

static void a_field_too_wide_writes_nothing(void)
{
    uint8_t frame[100] = {0};
    uint8_t untouched[100] = {0};
    struct framer_spec bad[8];

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        bad[i] = plain_spec();
    }
    bad[0].header.vcid = 64;
    bad[1].header.map_id = 16;
    bad[2].header.destination = 2;
    bad[3].header.bypass = 2;
    bad[4].header.command = 2;
    bad[5].header.ocf = 1;
    bad[6].header.vc_count_bytes = 5;
    bad[7].header.vc_count = (uint64_t)1 << 48;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CHECK(framer_build(&bad[i], 10, frame, sizeof frame, NULL) == FRAMER_E_RANGE);
        CHECK(memcmp(frame, untouched, sizeof frame) == 0);
    }
}

static void lengths_are_bounded_on_both_sides(void)
{
    static uint8_t frame[FRAMER_FRAME_BYTES_MAX];
    struct framer_spec spec = plain_spec();

    CHECK(framer_build(&spec, 0, frame, sizeof frame, NULL) == FRAMER_E_RANGE);
    CHECK(framer_build(&spec, 1, frame, 46, NULL) == FRAMER_E_RANGE);
    CHECK(framer_build(&spec, 1, frame, 47, NULL) == 47);
    CHECK(framer_build(&spec, FRAMER_PACKETS_BYTES_MAX + 1, frame, sizeof frame, NULL) ==
          FRAMER_E_RANGE);
    CHECK(framer_build(&spec, FRAMER_PACKETS_BYTES_MAX, frame, sizeof frame, NULL) ==
          FRAMER_FRAME_BYTES_MAX);
    CHECK(framer_seal(frame, sizeof frame) == FRAMER_OK);
    CHECK(framer_check(frame, sizeof frame, NULL) == FRAMER_OK);
    CHECK(framer_build(NULL, 1, frame, sizeof frame, NULL) == FRAMER_E_RANGE);
    CHECK(framer_build(&spec, 1, NULL, 100, NULL) == FRAMER_E_RANGE);
    CHECK(framer_seal(NULL, 100) == FRAMER_E_RANGE);
    CHECK(framer_seal(frame, FRAMER_OVERHEAD_BYTES) == FRAMER_E_RANGE);
    CHECK(framer_seal(frame, FRAMER_FRAME_BYTES_MAX + 1) == FRAMER_E_RANGE);
}

static void a_primary_header_of_any_count_length_returns_as_it_went(void)
{
    for (uint8_t octets = 0; octets <= 7; octets++) {
        uint8_t out[FRAMER_PRIMARY_BYTES_MAX];
        struct framer_header back;
        struct framer_header header = {
            .vc_count = octets == 0 ? 0 : ((uint64_t)1 << (8 * octets)) - 1,
            .frame_bytes = FRAMER_FRAME_BYTES_MAX,
            .scid = 0xABCD,
            .destination = 1,
            .vcid = 0x2A,
            .map_id = 5,
            .ocf = 1,
            .vc_count_bytes = octets,
        };

        CHECK(framer_write_primary(&header, out, 7u + octets) == 7 + octets);
        CHECK(framer_write_primary(&header, out, 6u + octets) == FRAMER_E_RANGE);
        CHECK(framer_read_primary(out, 7u + octets, &back) == 7 + octets);
        CHECK(framer_read_primary(out, 6u + octets, &back) == FRAMER_E_SHORT);
        CHECK(back.vc_count == header.vc_count && back.vc_count_bytes == octets);
        CHECK(back.scid == header.scid && back.vcid == header.vcid && back.ocf == 1);
        CHECK(back.frame_bytes == header.frame_bytes && back.map_id == header.map_id);
    }
    CHECK(framer_read_primary(NULL, 20, NULL) == FRAMER_E_RANGE);
    CHECK(framer_read_primary((const uint8_t *)"\xC0\x00", 2, &(struct framer_header){0}) ==
          FRAMER_E_SHORT);
    CHECK(framer_write_primary(NULL, NULL, 0) == FRAMER_E_RANGE);
}

/* A generator of our own, because the test must give the same bytes on every machine. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void bytes_nobody_meant_get_a_verdict_and_nothing_else(void)
{
    uint64_t state = 0x9E3779B97F4A7C15u;
    uint32_t good = 0;

    for (int round = 0; round < 20000; round++) {
        /* Exactly as many bytes as told, so that the sanitizer sees any read beyond. */
        size_t bytes = 1 + next_random(&state) % 120;
        uint8_t *frame = malloc(bytes);
        struct framer_layout layout;

        CHECK(frame != NULL);
        for (size_t i = 0; i < bytes; i++) {
            frame[i] = (uint8_t)next_random(&state);
        }
        frame[0] = (uint8_t)(0xC0 | (frame[0] & 0x0F));
        if (bytes > FRAMER_OVERHEAD_BYTES) {
            frame[3] &= 0xFE;
            frame[4] = 0;
            frame[5] = (uint8_t)(bytes - 1);
            frame[6] = (uint8_t)((frame[6] & 0xC0) | (round % 2 == 0 ? 6 : frame[6] & 0x3F));
            frame[FRAMER_TFDF_AT] = round % 3 == 0 ? 0xE0 : frame[FRAMER_TFDF_AT];
            CHECK(framer_seal(frame, bytes) == FRAMER_OK);
        }
        int32_t verdict = framer_check(frame, bytes, &layout);

        CHECK(verdict <= FRAMER_OK && verdict >= FRAMER_E_SPARE && verdict != FRAMER_E_RANGE);
        CHECK(verdict != FRAMER_OK || layout.fecf_at + FRAMER_FECF_BYTES == bytes);
        good += verdict == FRAMER_OK;
        free(frame);
    }
    CHECK(good > 100);
}

static void every_code_has_a_name(void)
{
    for (int32_t code = FRAMER_E_SPARE; code <= FRAMER_OK; code++) {
        CHECK(strcmp(framer_strerror(code), "FRAMER_E_UNKNOWN") != 0);
    }
    CHECK(strcmp(framer_strerror(FRAMER_E_FECF), "FRAMER_E_FECF") == 0);
    CHECK(strcmp(framer_strerror(1), "FRAMER_E_UNKNOWN") == 0);
    CHECK(strcmp(framer_strerror(FRAMER_E_SPARE - 1), "FRAMER_E_UNKNOWN") == 0);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(the_shared_frames_are_built_bit_for_bit),
        PROMISE(the_shared_frames_are_read_back),
        PROMISE(each_bad_frame_has_its_own_verdict),
        PROMISE(a_field_too_wide_writes_nothing),
        PROMISE(lengths_are_bounded_on_both_sides),
        PROMISE(a_primary_header_of_any_count_length_returns_as_it_went),
        PROMISE(bytes_nobody_meant_get_a_verdict_and_nothing_else),
        PROMISE(every_code_has_a_name),
    };

    CHECK(COUNT_OF(CRCS) > 0);
    KEEP(PROMISES);
    return 0;
}
