/* Rows that come in any order: each is where it belongs, once, and the last word counts. */
#include "segment_scan.h"

#include "check.h"

static struct catalogue_row product(uint64_t product_id, uint32_t segment, uint32_t flags)
{
    return (struct catalogue_row){
        .product_id = product_id,
        .key = (double)segment,
        .deadline_ns = INT64_MAX,
        .size_bytes = 100,
        .segment = segment,
        .offset = (uint32_t)product_id * 256,
        .manifest_bytes = 60,
        .flags = (uint8_t)flags,
    };
}

static uint64_t count_in_sums(const struct catalogue *catalogue)
{
    struct catalogue_sums sums;

    CHECK(catalogue_sums_of(catalogue, 0, 0, 0, &sums) == CATALOGUE_OK);
    CHECK(sums.size_bytes == 100 * sums.products);
    return sums.products;
}

static void any_order_is_settled_and_of_equals_the_last_counts(void)
{
    struct catalogue *catalogue = catalogue_new();
    struct catalogue_row row;

    for (uint32_t round = 1; round <= 3; round++) {
        for (uint64_t i = 0; i < 3000; i++) {
            row = product(i * 1789 % 3000, round, CATALOGUE_UNTOLD);
            CHECK(catalogue_stage(catalogue, &row) == 1);
        }
    }
    CHECK(catalogue_settle(catalogue) == CATALOGUE_OK);
    CHECK(catalogue_count(catalogue, 15) == 3000 && count_in_sums(catalogue) == 3000);
    for (uint64_t i = 0; i < 3000; i++) {
        CHECK(catalogue_find(catalogue, i, &row) == CATALOGUE_OK);
        CHECK(row.segment == 3 && row.offset == i * 256 && row.key == 3.0);
    }
    CHECK(catalogue_settle(catalogue) == CATALOGUE_OK && catalogue_count(catalogue, 15) == 3000);
    catalogue_free(catalogue);
}

static void what_was_told_is_not_overruled(void)
{
    struct catalogue *catalogue = catalogue_new();
    struct catalogue_row row = product(5, 1, 0);

    CHECK(catalogue_stage(catalogue, &row) == 1);
    row = product(6, 1, CATALOGUE_UNTOLD);
    CHECK(catalogue_stage(catalogue, &row) == 1);
    row = product(5, 2, CATALOGUE_UNTOLD);
    CHECK(catalogue_stage(catalogue, &row) == 0);
    row = product(6, 2, CATALOGUE_UNTOLD);
    CHECK(catalogue_stage(catalogue, &row) == 1);
    CHECK(catalogue_find(catalogue, 5, &row) == CATALOGUE_OK && row.segment == 1);
    CHECK(catalogue_find(catalogue, 6, &row) == CATALOGUE_OK && row.segment == 2);
    CHECK(catalogue_drop(catalogue, 5) == CATALOGUE_OK);
    row = product(5, 3, 0);
    CHECK(catalogue_stage(catalogue, &row) == 1 && count_in_sums(catalogue) == 2);
    catalogue_free(catalogue);
}

static void an_append_finds_what_was_staged_before(void)
{
    struct catalogue *catalogue = catalogue_new();
    struct catalogue_row row = product(5, 1, 0);

    CHECK(catalogue_stage(catalogue, &row) == 1);
    row = product(3, 1, 0);
    CHECK(catalogue_stage(catalogue, &row) == 1);
    CHECK(catalogue_append(catalogue, &row) == CATALOGUE_E_THERE);
    row.flags = 128;
    CHECK(catalogue_stage(catalogue, &row) == CATALOGUE_E_RANGE);
    CHECK(catalogue_stage(NULL, &row) == CATALOGUE_E_RANGE);
    CHECK(catalogue_settle(NULL) == CATALOGUE_E_RANGE);
    CHECK(catalogue_count(catalogue, 15) == 2);
    catalogue_free(catalogue);
}

static void room_is_summed_by_segment_and_rows_elsewhere_are_lost(void)
{
    static const uint32_t segments[] = {2, 4, 9};
    struct catalogue *catalogue = catalogue_new();
    struct catalogue_row row;
    uint64_t alive[3], end[3];

    for (uint64_t i = 0; i < 600; i++) { /* in segments 2, 3, and 4; each takes 184 octets */
        row = product(i, 2 + (uint32_t)i % 3, 0);
        row.state = i % 2 ? 3 : 1;
        CHECK(catalogue_append(catalogue, &row) == CATALOGUE_OK);
    }
    CHECK(segment_room_of(catalogue, 3, segments, 3, alive, end) == CATALOGUE_OK);
    CHECK(alive[0] == 100 * 184 && alive[1] == 100 * 184 && alive[2] == 0);
    CHECK(end[0] == 597 * 256 + 184 && end[1] == 599 * 256 + 184 && end[2] == 0);
    CHECK(segment_drop_others(catalogue, 3, segments, 3) == 100);
    CHECK(catalogue_count(catalogue, 15) == 200);
    CHECK(catalogue_find(catalogue, 0, NULL) == CATALOGUE_OK);
    CHECK(catalogue_find(catalogue, 3, NULL) == CATALOGUE_E_UNKNOWN); /* state */
    CHECK(catalogue_find(catalogue, 4, NULL) == CATALOGUE_E_UNKNOWN); /* segment */
    CHECK(segment_room_of(NULL, 3, segments, 3, alive, end) == CATALOGUE_E_RANGE);
    catalogue_free(catalogue);
}

int main(void)
{
    static const struct promise promises[] = {
        PROMISE(any_order_is_settled_and_of_equals_the_last_counts),
        PROMISE(what_was_told_is_not_overruled),
        PROMISE(an_append_finds_what_was_staged_before),
        PROMISE(room_is_summed_by_segment_and_rows_elsewhere_are_lost),
    };

    KEEP(promises);
    return 0;
}
