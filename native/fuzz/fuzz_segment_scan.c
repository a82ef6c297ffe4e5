/*
 * Segments that hold anything: whatever pieces they are read in, the same rows come of it, and no
 * octet outside a piece is looked at. Check values are made right now and then, or nothing would
 * get past them.
 */
#include "framer.h"
#include "segment_scan.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Makes the check value of what claims to be a record right, if it is all there. */
static void repair(uint8_t *data, size_t size)
{
    for (size_t at = 0; at + SEGMENT_HEADER_BYTES <= size; at += 8) {
        const uint64_t length = (uint64_t)data[at + 16] << 24 | (uint64_t)data[at + 17] << 16 |
                                (uint64_t)data[at + 18] << 8 | data[at + 19];

        if (memcmp(data + at, "LNR\x01\x01", 5) == 0 && data[at + 23] % 2 == 0 &&
            length <= size - at - SEGMENT_HEADER_BYTES) {
            const uint32_t seed = framer_crc32c(0, data + at, 20);
            const uint32_t check = framer_crc32c(seed, data + at + SEGMENT_HEADER_BYTES, length);

            for (int i = 0; i < 4; i++) {
                data[at + 20 + (size_t)i] = (uint8_t)(check >> 8 * (3 - i));
            }
        }
    }
}

static struct segment_scan *scanned(struct catalogue *catalogue, const uint8_t *data, size_t size,
                                    uint64_t piece)
{
    struct segment_scan *scan = calloc(1, sizeof *scan);
    uint64_t bytes = piece;

    if (scan == NULL) {
        abort();
    }
    scan->segment_bytes = size;
    scan->ageing_ns = 3;
    scan->flags = CATALOGUE_UNTOLD;
    for (;;) {
        const uint64_t before = scan->offset, left = size - before,
                       given = bytes < left ? bytes : left;
        uint8_t *copy = malloc((size_t)given + (given == 0)); /* of its very length */

        if (copy == NULL) {
            abort();
        }
        memcpy(copy, data + before, (size_t)given);
        const int32_t verdict = segment_scan(catalogue, scan, copy, given);

        free(copy);
        if (verdict == SEGMENT_END) {
            return scan;
        }
        if (verdict < 0 ||
            (verdict == SEGMENT_MORE && scan->need_bytes <= before + given - scan->offset)) {
            abort();
        }
        bytes = verdict == SEGMENT_MORE && scan->need_bytes > piece ? scan->need_bytes : piece;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct catalogue *whole = catalogue_new(), *parts = catalogue_new();
    uint8_t *copy = malloc(size + 1);

    if (whole == NULL || parts == NULL || copy == NULL) {
        abort();
    }
    memcpy(copy, data, size);
    repair(copy, size);
    struct segment_scan *first = scanned(whole, copy, size, size);
    struct segment_scan *second = scanned(parts, copy, size, 1 + size % 97);

    if (catalogue_settle(whole) != CATALOGUE_OK || catalogue_settle(parts) != CATALOGUE_OK ||
        catalogue_count(whole, 15) != catalogue_count(parts, 15) ||
        first->offset != second->offset || first->end_bytes != second->end_bytes ||
        first->unreadable != second->unreadable) {
        abort();
    }
    free(first);
    free(second);
    free(copy);
    catalogue_free(whole);
    catalogue_free(parts);
    return 0;
}
