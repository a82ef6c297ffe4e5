/* Batches of framer.h: many frames at a stride in one call. Everything is tested before the first
 * byte is written, so a refused batch leaves the area as it was. */
#include "framer.h"

#include <string.h>

#define IV_COUNTER_AT    4u
#define IV_COUNTER_BYTES 8u

_Static_assert(IV_COUNTER_AT + IV_COUNTER_BYTES == FRAMER_IV_BYTES, "fixed part, then counter");

/* Whether `count` frames, the last one `last_bytes` long, lie within the area. */
static int area_holds(uint64_t area_bytes, uint32_t stride_bytes, uint32_t count,
                      uint32_t last_bytes)
{
    if (count < 1 || count > FRAMER_BATCH_MAX || stride_bytes < 1) {
        return 0;
    }
    return (uint64_t)(count - 1) * stride_bytes + last_bytes <= area_bytes;
}

static uint64_t read_counter(const uint8_t *iv)
{
    uint64_t counter = 0;

    for (uint32_t i = 0; i < IV_COUNTER_BYTES; i++) {
        counter = (counter << 8) | iv[IV_COUNTER_AT + i];
    }
    return counter;
}

static void write_counter(uint8_t *iv, uint64_t counter)
{
    for (uint32_t i = 0; i < IV_COUNTER_BYTES; i++) {
        iv[IV_COUNTER_AT + i] = (uint8_t)(counter >> (8 * (IV_COUNTER_BYTES - 1 - i)));
    }
}

static int32_t test_build(const struct framer_spec *first, uint64_t area_bytes,
                          uint32_t stride_bytes, const uint32_t *lengths, uint32_t count)
{
    uint8_t scratch[FRAMER_PRIMARY_BYTES_MAX];
    struct framer_header last = first->header;

    for (uint32_t i = 0; i < count; i++) {
        if (lengths[i] < 1 || lengths[i] > FRAMER_PACKETS_BYTES_MAX ||
            lengths[i] + FRAMER_OVERHEAD_BYTES > stride_bytes) {
            return FRAMER_E_RANGE;
        }
    }
    if (!area_holds(area_bytes, stride_bytes, count, lengths[count - 1] + FRAMER_OVERHEAD_BYTES)) {
        return FRAMER_E_RANGE;
    }
    if (read_counter(first->iv) > UINT64_MAX - (count - 1) ||
        last.vc_count > UINT64_MAX - (count - 1)) {
        return FRAMER_E_RANGE;
    }
    /* The largest count decides whether all of them fit their six octets. */
    last.vc_count += count - 1;
    last.frame_bytes = FRAMER_OVERHEAD_BYTES + 1;
    if (last.ocf != 0 || last.vc_count_bytes != FRAMER_COUNT_BYTES ||
        framer_write_primary(&last, scratch, sizeof scratch) < 0) {
        return FRAMER_E_RANGE;
    }
    return FRAMER_OK;
}

int32_t framer_build_batch(const struct framer_spec *first, uint8_t *area, uint64_t area_bytes,
                           uint32_t stride_bytes, uint32_t *lengths, uint32_t count)
{
    if (first == NULL || area == NULL || lengths == NULL || count < 1 || count > FRAMER_BATCH_MAX) {
        return FRAMER_E_RANGE;
    }
    if (test_build(first, area_bytes, stride_bytes, lengths, count) < 0) {
        return FRAMER_E_RANGE;
    }
    struct framer_spec spec = *first;
    uint64_t counter = read_counter(first->iv);

    for (uint32_t i = 0; i < count; i++) {
        spec.header.vc_count = first->header.vc_count + i;
        write_counter(spec.iv, counter + i);
        lengths[i] = (uint32_t)framer_build(&spec, lengths[i], area + (uint64_t)i * stride_bytes,
                                            stride_bytes, NULL);
    }
    return FRAMER_OK;
}

int32_t framer_seal_batch(uint8_t *area, uint64_t area_bytes, uint32_t stride_bytes,
                          const uint32_t *lengths, uint32_t count)
{
    if (area == NULL || lengths == NULL || count < 1 || count > FRAMER_BATCH_MAX) {
        return FRAMER_E_RANGE;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (lengths[i] <= FRAMER_OVERHEAD_BYTES || lengths[i] > FRAMER_FRAME_BYTES_MAX ||
            lengths[i] > stride_bytes) {
            return FRAMER_E_RANGE;
        }
    }
    if (!area_holds(area_bytes, stride_bytes, count, lengths[count - 1])) {
        return FRAMER_E_RANGE;
    }
    for (uint32_t i = 0; i < count; i++) {
        (void)framer_seal(area + (uint64_t)i * stride_bytes, lengths[i]);
    }
    return FRAMER_OK;
}

int32_t framer_check_batch(const uint8_t *area, uint64_t area_bytes, uint32_t stride_bytes,
                           const uint32_t *lengths, int32_t *verdicts,
                           struct framer_layout *layouts, uint32_t count)
{
    int32_t good = 0;

    if (area == NULL || lengths == NULL || verdicts == NULL || count < 1 ||
        count > FRAMER_BATCH_MAX) {
        return FRAMER_E_RANGE;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (lengths[i] > stride_bytes) {
            return FRAMER_E_RANGE;
        }
    }
    if (!area_holds(area_bytes, stride_bytes, count, lengths[count - 1])) {
        return FRAMER_E_RANGE;
    }
    for (uint32_t i = 0; i < count; i++) {
        verdicts[i] = framer_check(area + (uint64_t)i * stride_bytes, lengths[i],
                                   layouts == NULL ? NULL : &layouts[i]);
        good += verdicts[i] == FRAMER_OK;
    }
    return good;
}
