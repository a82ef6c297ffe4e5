/* A segment is read as it was written, as far as it was, and whatever piece of it is at hand. */
#include "segment_scan.h"

#include "check.h"
#include "store_stage.h"

enum { SEGMENT_BYTES = 1 << 20, PRODUCTS = 5000 };

static uint8_t segment[SEGMENT_BYTES];
static struct segment_scan scan;

static uint32_t put_product(uint32_t at, uint64_t product_id, uint32_t payload_bytes)
{
    uint8_t meta[256];
    const uint32_t bytes = put_manifest(meta, 0, product_id, payload_bytes, 0, "p");

    return at + put_record(segment + at, 1, product_id, meta, bytes, payload_bytes);
}

static void begin(void)
{
    memset(&scan, 0, sizeof scan);
    scan.segment = 7;
    scan.segment_bytes = SEGMENT_BYTES;
    scan.flags = CATALOGUE_UNTOLD;
}

/* Goes through all of it in pieces of at least `piece` octets; returns the records noted. */
static uint32_t go_through(struct catalogue *catalogue, uint64_t piece)
{
    uint32_t noted = 0;
    uint64_t bytes = piece;

    for (;;) {
        const uint64_t left = SEGMENT_BYTES - scan.offset;
        const int32_t verdict =
            segment_scan(catalogue, &scan, segment + scan.offset, bytes < left ? bytes : left);

        noted += scan.note_count;
        if (verdict == SEGMENT_END) {
            return noted;
        }
        CHECK(verdict == SEGMENT_MORE || verdict == SEGMENT_NOTED);
        bytes = verdict == SEGMENT_MORE && scan.need_bytes > piece ? scan.need_bytes : piece;
    }
}

static void every_record_is_taken_whatever_the_pieces(void)
{
    static const uint64_t pieces[] = {1, 24, 100, 4096, SEGMENT_BYTES};
    uint32_t end = 0;

    memset(segment, 0, sizeof segment);
    for (uint64_t i = 0; i < PRODUCTS; i++) {
        end = put_product(end, i, 1 + (uint32_t)i % 50);
    }
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        struct catalogue *catalogue = catalogue_new();
        struct catalogue_row row;

        begin();
        CHECK(go_through(catalogue, pieces[i]) == PRODUCTS);
        CHECK(catalogue_count(catalogue, 15) == PRODUCTS && scan.end_bytes == end);
        CHECK(catalogue_find(catalogue, PRODUCTS - 1, &row) == CATALOGUE_OK);
        CHECK(row.segment == 7 && row.flags == CATALOGUE_UNTOLD && row.state == 0);
        CHECK(row.offset + 24 + row.manifest_bytes + row.size_bytes <= end);
        catalogue_free(catalogue);
    }
}

static void names_are_handed_on_and_unreadable_products_are_counted(void)
{
    struct catalogue *catalogue = catalogue_new();
    uint32_t at = 0;

    memset(segment, 0, sizeof segment);
    at += put_record(segment + at, 2, 99, (const uint8_t *)"ids", 3, 0);
    at += put_record(segment + at, 1, 5, (const uint8_t *)"?", 1, 8);
    at = put_product(at, 6, 8);
    at += put_record(segment + at, 3, 0, (const uint8_t *)"modes", 5, 40);
    begin();
    CHECK(segment_scan(catalogue, &scan, segment, SEGMENT_BYTES) == SEGMENT_END);
    CHECK(scan.note_count == 3 && scan.unreadable == 1 && scan.end_bytes == at);
    CHECK(scan.notes[0].kind == 2 && scan.notes[0].identity == 99 && scan.notes[0].meta_bytes == 3);
    CHECK(scan.notes[1].kind == 1 && scan.notes[1].product_id == 6 && scan.notes[1].is_new == 1);
    CHECK(scan.notes[2].kind == 3 && scan.notes[2].length == 45);
    catalogue_free(catalogue);
}

static void what_is_told_is_noted_and_not_taken(void)
{
    struct catalogue *catalogue = catalogue_new();
    uint32_t told, end;

    memset(segment, 0, sizeof segment);
    told = put_product(0, 1, 8);
    end = put_product(told, 2, 8);
    begin();
    scan.told_bytes = told;
    CHECK(segment_scan(catalogue, &scan, segment, SEGMENT_BYTES) == SEGMENT_END);
    CHECK(scan.note_count == 2 && catalogue_count(catalogue, 15) == 1 && scan.end_bytes == end);
    CHECK(scan.notes[0].product_id == 1 && scan.notes[0].is_new == 0);
    CHECK(catalogue_find(catalogue, 1, NULL) == CATALOGUE_E_UNKNOWN);
    catalogue_free(catalogue);
}

static void a_damaged_record_is_stepped_over_and_a_torn_one_is_the_end(void)
{
    struct catalogue *catalogue = catalogue_new();
    uint32_t first, second, third;

    memset(segment, 0, sizeof segment);
    first = put_product(0, 1, 8);
    second = put_product(first, 2, 8);
    third = put_product(second, 3, 8);
    segment[first + 30] ^= 1;
    segment[third - 3] ^= 1; /* the end of the payload: nothing follows */
    begin();
    CHECK(segment_scan(catalogue, &scan, segment, SEGMENT_BYTES) == SEGMENT_END);
    CHECK(scan.note_count == 1 && scan.end_bytes == first && scan.offset == second);
    segment[third - 3] ^= 1;
    begin();
    CHECK(segment_scan(catalogue, &scan, segment, SEGMENT_BYTES) == SEGMENT_END);
    CHECK(scan.note_count == 2 && scan.end_bytes == third);
    catalogue_free(catalogue);
}

static void a_record_that_ends_the_segment_is_read_and_one_beyond_it_is_none(void)
{
    struct catalogue *catalogue = catalogue_new();
    uint32_t end;

    memset(segment, 0, sizeof segment);
    end = put_product(0, 1, 8);
    begin();
    scan.segment_bytes = end;
    CHECK(segment_scan(catalogue, &scan, segment, end) == SEGMENT_END && scan.note_count == 1);
    begin();
    scan.segment_bytes = end - 1;
    CHECK(segment_scan(catalogue, &scan, segment, end - 1) == SEGMENT_END);
    CHECK(scan.note_count == 0);
    begin();
    CHECK(segment_scan(catalogue, &scan, NULL, 0) == SEGMENT_MORE && scan.need_bytes == 24);
    CHECK(segment_scan(catalogue, &scan, NULL, 8) == CATALOGUE_E_RANGE);
    CHECK(segment_scan(NULL, &scan, segment, 8) == CATALOGUE_E_RANGE);
    catalogue_free(catalogue);
}

static void rows_of_the_index_are_taken_where_their_manifest_makes_sense(void)
{
    static const uint64_t ids[] = {1, 2, 3};
    static const uint32_t segments[] = {1, 1, 2}, offsets[] = {0, 96, 0};
    static const uint8_t states[] = {0, 1, 3};
    struct catalogue *catalogue = catalogue_new();
    struct catalogue_row row;
    uint8_t manifests[1024], taken[3];
    uint32_t lengths[3], bytes = 0;

    for (int i = 0; i < 3; i++) {
        lengths[i] = put_manifest(manifests + bytes, i == 0, i == 1 ? 9 : ids[i], 10, 0, "q");
        bytes += lengths[i];
    }
    CHECK(segment_index_rows(catalogue, 3, 0, ids, segments, offsets, states, manifests, lengths,
                             bytes, taken) == CATALOGUE_OK);
    CHECK(taken[0] == 1 && taken[1] == 0 && taken[2] == 1); /* the second says it is another */
    CHECK(catalogue_find(catalogue, 3, &row) == CATALOGUE_OK && row.state == 3 && row.segment == 2);
    CHECK(segment_index_rows(catalogue, 3, 0, ids, segments, offsets, states, manifests, lengths,
                             bytes - 1, taken) == CATALOGUE_E_RANGE);
    catalogue_free(catalogue);
}

int main(void)
{
    static const struct promise promises[] = {
        PROMISE(every_record_is_taken_whatever_the_pieces),
        PROMISE(names_are_handed_on_and_unreadable_products_are_counted),
        PROMISE(what_is_told_is_noted_and_not_taken),
        PROMISE(a_damaged_record_is_stepped_over_and_a_torn_one_is_the_end),
        PROMISE(a_record_that_ends_the_segment_is_read_and_one_beyond_it_is_none),
        PROMISE(rows_of_the_index_are_taken_where_their_manifest_makes_sense),
    };

    KEEP(promises);
    return 0;
}
