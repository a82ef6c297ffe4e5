/* Records of a segment and rows of the index, straight into the catalogue; see segment_scan.h. */
#include "segment_scan.h"

#include "framer.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { VERSION = 1, CHECKED_BYTES = 20, MAGIC_BYTES = 4, ALIGN = 8, PRODUCT = 1, STATE = 3 };

static const uint8_t magic[MAGIC_BYTES] = {'L', 'N', 'R', 1};

/* What a header claims. */
struct header {
    uint32_t kind;
    uint32_t meta_bytes;
    uint64_t identity;
    uint32_t length;
    uint32_t check;
    uint64_t room;
};

static uint64_t big_endian(const uint8_t *data, int bytes)
{
    uint64_t value = 0;

    for (int i = 0; i < bytes; i++) {
        value = value << 8 | data[i];
    }
    return value;
}

static bool read_header(const uint8_t *data, struct header *header)
{
    header->kind = data[5];
    header->meta_bytes = (uint32_t)big_endian(data + 6, 2);
    header->identity = big_endian(data + 8, 8);
    header->length = (uint32_t)big_endian(data + 16, 4);
    header->check = (uint32_t)big_endian(data + 20, 4);
    header->room = (SEGMENT_HEADER_BYTES + (uint64_t)header->length + ALIGN - 1) / ALIGN * ALIGN;
    return memcmp(data, magic, MAGIC_BYTES) == 0 && data[4] == VERSION &&
           header->meta_bytes <= header->length;
}

static bool verifies(const uint8_t *data, const struct header *header)
{
    const uint32_t seed = framer_crc32c(0, data, CHECKED_BYTES);

    return header->kind >= PRODUCT && header->kind <= STATE &&
           framer_crc32c(seed, data + SEGMENT_HEADER_BYTES, header->length) == header->check;
}

/* Notes a valid record, having taken the product in. CATALOGUE_E_MEMORY, _RANGE. */
static int32_t take(struct catalogue *catalogue, struct segment_scan *scan, const uint8_t *data,
                    const struct header *header)
{
    struct segment_note note = {
        .identity = header->identity,
        .offset = scan->offset,
        .kind = header->kind,
        .meta_bytes = header->meta_bytes,
        .length = header->length,
    };
    struct catalogue_row row = {
        .segment = scan->segment,
        .offset = (uint32_t)scan->offset,
        .state = (uint8_t)scan->state,
        .flags = (uint8_t)scan->flags,
    };

    if (header->kind == PRODUCT) {
        if (stored_manifest(data + SEGMENT_HEADER_BYTES, header->meta_bytes, scan->ageing_ns,
                            &row) != CATALOGUE_OK) {
            scan->unreadable++;
            return CATALOGUE_OK;
        }
        note.product_id = row.product_id;
        if (scan->offset >= scan->told_bytes) {
            if (scan->offset > UINT32_MAX) {
                return CATALOGUE_E_RANGE;
            }
            const int32_t staged = catalogue_stage(catalogue, &row);

            if (staged < 0) {
                return staged;
            }
            note.is_new = (uint32_t)staged;
        }
    }
    scan->notes[scan->note_count++] = note;
    return CATALOGUE_OK;
}

/* One record at `data`, of which `left` octets are here. @return CATALOGUE_OK to go on. */
static int32_t step(struct catalogue *catalogue, struct segment_scan *scan, const uint8_t *data,
                    uint64_t left)
{
    const uint64_t behind = scan->segment_bytes - scan->offset; /* of the segment */
    struct header header;

    if (behind < SEGMENT_HEADER_BYTES) {
        return SEGMENT_END;
    }
    scan->need_bytes = SEGMENT_HEADER_BYTES;
    if (left < SEGMENT_HEADER_BYTES) {
        return SEGMENT_MORE;
    }
    if (!read_header(data, &header) || header.room > behind) {
        return SEGMENT_END;
    }
    scan->need_bytes = header.room + MAGIC_BYTES < behind ? header.room + MAGIC_BYTES : behind;
    if (left < scan->need_bytes) {
        return SEGMENT_MORE;
    }
    if (verifies(data, &header)) {
        const int32_t taken = take(catalogue, scan, data, &header);

        if (taken != CATALOGUE_OK) {
            return taken;
        }
        if (scan->offset >= scan->told_bytes) {
            scan->end_bytes = scan->offset + header.room;
        }
    } else if (scan->need_bytes < header.room + MAGIC_BYTES ||
               memcmp(data + header.room, magic, MAGIC_BYTES) != 0) {
        return SEGMENT_END;
    }
    scan->offset += header.room;
    return SEGMENT_NOTED;
}

int32_t segment_scan(struct catalogue *catalogue, struct segment_scan *scan, const uint8_t *data,
                     uint64_t bytes)
{
    if (catalogue == NULL || scan == NULL || (data == NULL && bytes > 0) ||
        scan->offset > scan->segment_bytes) {
        return CATALOGUE_E_RANGE;
    }
    const uint64_t start = scan->offset;
    int32_t verdict = SEGMENT_NOTED;

    scan->note_count = 0;
    while (verdict == SEGMENT_NOTED && scan->note_count < SEGMENT_NOTES_MAX) {
        const uint64_t done = scan->offset - start;

        verdict = step(catalogue, scan, bytes > 0 ? data + done : data, bytes - done);
    }
    return verdict;
}

int32_t segment_index_rows(struct catalogue *catalogue, uint32_t count, int64_t ageing_ns,
                           const uint64_t *product_ids, const uint32_t *segments,
                           const uint32_t *offsets, const uint8_t *states, const uint8_t *manifests,
                           const uint32_t *lengths, uint64_t manifest_bytes, uint8_t *taken)
{
    uint64_t at = 0;

    for (uint32_t i = 0; i < count; i++) {
        struct catalogue_row row = {
            .segment = segments[i], .offset = offsets[i], .state = states[i]};

        if (lengths[i] > manifest_bytes - at) {
            return CATALOGUE_E_RANGE;
        }
        taken[i] = 0;
        if (stored_manifest(manifests + at, lengths[i], ageing_ns, &row) == CATALOGUE_OK &&
            row.product_id == product_ids[i] && row.state <= 3) {
            const int32_t staged = catalogue_stage(catalogue, &row);

            if (staged < 0) {
                return staged;
            }
            taken[i] = (uint8_t)staged;
        }
        at += lengths[i];
    }
    return CATALOGUE_OK;
}
