/* Batches: what one frame does, many do; and a refused batch leaves the area as it was. */
#include "check.h"
#include "framer.h"

#include <string.h>

enum { FRAMES = 100, STRIDE = 256 };

static uint8_t area[FRAMES * STRIDE];
static uint32_t lengths[FRAMES];

static struct framer_spec first_spec(void)
{
    return (struct framer_spec){
        .header = {.scid = 99, .vcid = 2, .vc_count = 1000, .vc_count_bytes = FRAMER_COUNT_BYTES},
        .spi = 3,
        .iv = {1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 250},
    };
}

static void fill(void)
{
    memset(area, 0x55, sizeof area);
    for (uint32_t i = 0; i < FRAMES; i++) {
        lengths[i] = 1 + i % (STRIDE - FRAMER_OVERHEAD_BYTES);
    }
}

static void a_batch_equals_frame_by_frame(void)
{
    struct framer_spec spec = first_spec();
    struct framer_layout layouts[FRAMES];
    int32_t verdicts[FRAMES];
    uint8_t alone[STRIDE];

    fill();
    CHECK(framer_build_batch(&spec, area, sizeof area, STRIDE, lengths, FRAMES) == FRAMER_OK);
    CHECK(framer_seal_batch(area, sizeof area, STRIDE, lengths, FRAMES) == FRAMER_OK);
    CHECK(framer_check_batch(area, sizeof area, STRIDE, lengths, verdicts, layouts, FRAMES) ==
          FRAMES);
    for (uint32_t i = 0; i < FRAMES; i++) {
        memset(alone, 0x55, sizeof alone);
        spec.header.vc_count = 1000 + i;
        spec.iv[11] = (uint8_t)(250 + i);
        spec.iv[10] = (uint8_t)((250 + i) >> 8);
        CHECK(framer_build(&spec, lengths[i] - FRAMER_OVERHEAD_BYTES, alone, STRIDE, NULL) ==
              (int32_t)lengths[i]);
        CHECK(framer_seal(alone, lengths[i]) == FRAMER_OK);
        CHECK(memcmp(alone, area + i * STRIDE, STRIDE) == 0);
        CHECK(layouts[i].header.vc_count == 1000 + i && layouts[i].spi == 3);
    }
}

static void one_bad_frame_spoils_only_itself(void)
{
    struct framer_spec spec = first_spec();
    int32_t verdicts[FRAMES];

    fill();
    CHECK(framer_build_batch(&spec, area, sizeof area, STRIDE, lengths, FRAMES) == FRAMER_OK);
    CHECK(framer_seal_batch(area, sizeof area, STRIDE, lengths, FRAMES) == FRAMER_OK);
    area[7 * STRIDE + 30] ^= 1;
    CHECK(framer_check_batch(area, sizeof area, STRIDE, lengths, verdicts, NULL, FRAMES) ==
          FRAMES - 1);
    CHECK(verdicts[6] == FRAMER_OK && verdicts[7] == FRAMER_E_FECF && verdicts[8] == FRAMER_OK);
}

static void refuse_build(const struct framer_spec *spec, uint64_t area_bytes, uint32_t stride_bytes,
                         uint32_t count)
{
    uint32_t before[FRAMES];

    memcpy(before, lengths, sizeof before);
    CHECK(framer_build_batch(spec, area, area_bytes, stride_bytes, lengths, count) ==
          FRAMER_E_RANGE);
    CHECK(memcmp(before, lengths, sizeof before) == 0);
    for (size_t i = 0; i < sizeof area; i++) {
        CHECK(area[i] == 0x55);
    }
}

static void a_refused_batch_writes_nothing(void)
{
    struct framer_spec spec = first_spec();

    fill();
    refuse_build(NULL, sizeof area, STRIDE, FRAMES);
    refuse_build(&spec, sizeof area, STRIDE, 0);
    refuse_build(&spec, sizeof area, STRIDE, FRAMER_BATCH_MAX + 1);
    refuse_build(&spec, sizeof area, FRAMER_OVERHEAD_BYTES, FRAMES);
    refuse_build(&spec, (FRAMES - 1) * STRIDE, STRIDE, FRAMES);
    lengths[FRAMES - 1] = 0;
    refuse_build(&spec, sizeof area, STRIDE, FRAMES);
    lengths[FRAMES - 1] = STRIDE - FRAMER_OVERHEAD_BYTES + 1;
    refuse_build(&spec, sizeof area, STRIDE, FRAMES);
    fill();
    spec.header.vc_count = ((uint64_t)1 << 48) - FRAMES + 1;
    refuse_build(&spec, sizeof area, STRIDE, FRAMES);
    spec.header.vc_count = UINT64_MAX;
    refuse_build(&spec, sizeof area, STRIDE, FRAMES);
    spec = first_spec();
    memset(spec.iv, 0xFF, sizeof spec.iv);
    refuse_build(&spec, sizeof area, STRIDE, FRAMES);
    spec = first_spec();
    spec.header.ocf = 1;
    refuse_build(&spec, sizeof area, STRIDE, FRAMES);
}

static void a_counter_may_end_on_its_last_value(void)
{
    struct framer_spec spec = first_spec();

    fill();
    spec.header.vc_count = ((uint64_t)1 << 48) - FRAMES;
    memset(spec.iv, 0xFF, sizeof spec.iv);
    spec.iv[11] = (uint8_t)(0x100 - FRAMES);
    CHECK(framer_build_batch(&spec, area, sizeof area, STRIDE, lengths, FRAMES) == FRAMER_OK);
}

static void seal_and_check_stay_inside_the_area(void)
{
    int32_t verdicts[FRAMES];

    fill();
    for (uint32_t i = 0; i < FRAMES; i++) {
        lengths[i] = 100;
    }
    CHECK(framer_seal_batch(area, 99 * STRIDE + 99, STRIDE, lengths, FRAMES) == FRAMER_E_RANGE);
    CHECK(framer_seal_batch(area, 99 * STRIDE + 100, STRIDE, lengths, FRAMES) == FRAMER_OK);
    CHECK(framer_check_batch(area, 99 * STRIDE + 99, STRIDE, lengths, verdicts, NULL, FRAMES) ==
          FRAMER_E_RANGE);
    lengths[3] = STRIDE + 1;
    CHECK(framer_seal_batch(area, sizeof area, STRIDE, lengths, FRAMES) == FRAMER_E_RANGE);
    CHECK(framer_check_batch(area, sizeof area, STRIDE, lengths, verdicts, NULL, FRAMES) ==
          FRAMER_E_RANGE);
    for (uint32_t i = 0; i < FRAMES; i++) { /* whichever it is */
        lengths[3] = 100;
        lengths[i] = FRAMER_OVERHEAD_BYTES;
        CHECK(framer_seal_batch(area, sizeof area, STRIDE, lengths, FRAMES) == FRAMER_E_RANGE);
        lengths[i] = 100;
    }
    CHECK(framer_seal_batch(NULL, sizeof area, STRIDE, lengths, FRAMES) == FRAMER_E_RANGE);
    CHECK(framer_check_batch(area, sizeof area, STRIDE, lengths, NULL, NULL, FRAMES) ==
          FRAMER_E_RANGE);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(a_batch_equals_frame_by_frame),       PROMISE(one_bad_frame_spoils_only_itself),
        PROMISE(a_refused_batch_writes_nothing),      PROMISE(a_counter_may_end_on_its_last_value),
        PROMISE(seal_and_check_stay_inside_the_area),
    };

    KEEP(PROMISES);
    return 0;
}
