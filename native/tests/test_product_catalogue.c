/* Rows of the catalogue of products: kept in order whatever the order they come in. */
#include "product_catalogue.h"

#include "check.h"

#include <math.h>
#include <string.h>

static struct catalogue_row product(uint64_t product_id)
{
    return (struct catalogue_row){
        .product_id = product_id,
        .key = -(double)product_id,
        .value_millis = 10,
        .deadline_ns = INT64_MAX,
        .size_bytes = 100,
        .segment = 1,
        .offset = (uint32_t)product_id * 8,
        .manifest_bytes = 60,
        .klass = 3,
        .producer = 1,
    };
}

static void every_field_comes_back_at_its_limits(void)
{
    struct catalogue *catalogue = catalogue_new();
    const struct catalogue_row row = {
        .product_id = CATALOGUE_ID_MAX,
        .key = -12.25,
        .value_millis = INT64_MAX,
        .deadline_ns = -5,
        .size_bytes = CATALOGUE_SIZE_BYTES_MAX,
        .segment = UINT32_MAX,
        .offset = UINT32_MAX,
        .manifest_bytes = UINT16_MAX,
        .klass = CATALOGUE_KINDS - 1,
        .producer = CATALOGUE_KINDS - 1,
        .state = 3,
        .flags = CATALOGUE_FAR | CATALOGUE_ASKS | CATALOGUE_UNTOLD,
    };
    struct catalogue_row found;

    memset(&found, 0, sizeof found);
    CHECK(catalogue_append(catalogue, &row) == CATALOGUE_OK);
    CHECK(catalogue_find(catalogue, CATALOGUE_ID_MAX, &found) == CATALOGUE_OK);
    CHECK(found.product_id == row.product_id && found.key == row.key);
    CHECK(found.value_millis == row.value_millis && found.deadline_ns == row.deadline_ns);
    CHECK(found.size_bytes == row.size_bytes && found.manifest_bytes == row.manifest_bytes);
    CHECK(found.segment == row.segment && found.offset == row.offset);
    CHECK(found.klass == row.klass && found.producer == row.producer);
    CHECK(found.state == row.state && found.flags == row.flags);
    catalogue_free(catalogue);
}

static uint32_t list_of(const struct catalogue *catalogue, uint64_t from_id, uint32_t states,
                        uint32_t count, struct catalogue_row *rows)
{
    const struct catalogue_choice choice = {255, 255, states, 0, 0};

    return catalogue_list(catalogue, from_id, &choice, count, rows);
}

static void rows_out_of_order_are_found_and_listed_in_order(void)
{
    struct catalogue *catalogue = catalogue_new();
    struct catalogue_row rows[8];

    for (uint64_t i = 0; i < 5000; i++) {
        const struct catalogue_row row = product(i * 2741 % 5000);

        CHECK(catalogue_append(catalogue, &row) == CATALOGUE_OK);
        CHECK(catalogue_append(catalogue, &row) == CATALOGUE_E_THERE);
    }
    CHECK(catalogue_count(catalogue, 15) == 5000);
    CHECK(list_of(catalogue, 4996, 15, 8, rows) == 4);
    for (uint64_t i = 0; i < 4; i++) {
        CHECK(rows[i].product_id == 4996 + i && rows[i].offset == (4996 + i) * 8);
    }
    CHECK(list_of(catalogue, 5000, 15, 8, rows) == 0);
    catalogue_free(catalogue);
}

static void what_is_dropped_is_gone_and_may_come_again(void)
{
    struct catalogue *catalogue = catalogue_new();
    struct catalogue_sums sums;
    struct catalogue_row row, rows[8];

    for (uint64_t i = 0; i < 5000; i++) {
        row = product(i);
        CHECK(catalogue_append(catalogue, &row) == CATALOGUE_OK);
    }
    for (uint64_t i = 0; i < 5000; i++) {
        if (i % 5 != 4) {
            CHECK(catalogue_drop(catalogue, i) == CATALOGUE_OK);
            CHECK(catalogue_drop(catalogue, i) == CATALOGUE_E_UNKNOWN);
        }
    }
    CHECK(catalogue_count(catalogue, 15) == 1000);
    CHECK(list_of(catalogue, 0, 1, 2, rows) == 2);
    CHECK(rows[0].product_id == 4 && rows[1].product_id == 9);
    row = product(8);
    CHECK(catalogue_append(catalogue, &row) == CATALOGUE_OK);
    CHECK(catalogue_drop(catalogue, 9) == CATALOGUE_OK);
    row = product(9);
    CHECK(catalogue_append(catalogue, &row) == CATALOGUE_OK);
    CHECK(catalogue_find(catalogue, 8, &row) == CATALOGUE_OK && row.offset == 64);
    CHECK(catalogue_sums_of(catalogue, 0, 1, 3, &sums) == CATALOGUE_OK);
    CHECK(sums.products == 1001 && sums.size_bytes == 100100 && sums.value_millis == 10010);
    catalogue_free(catalogue);
}

static void changes_are_seen_in_the_row_and_in_the_sums(void)
{
    struct catalogue *catalogue = catalogue_new();
    struct catalogue_row row = product(7);
    struct catalogue_sums sums;

    CHECK(catalogue_append(catalogue, &row) == CATALOGUE_OK);
    CHECK(catalogue_set_state(catalogue, 7, 2) == CATALOGUE_OK);
    CHECK(catalogue_set_flags(catalogue, 7, 127, CATALOGUE_FAR | CATALOGUE_ASKS) == CATALOGUE_OK);
    CHECK(catalogue_move(catalogue, 7, 9, 16) == CATALOGUE_OK);
    CHECK(catalogue_revalue(catalogue, 7, 25, 1.5) == CATALOGUE_OK);
    CHECK(catalogue_find(catalogue, 7, &row) == CATALOGUE_OK);
    CHECK(row.state == 2 && row.flags == (CATALOGUE_FAR | CATALOGUE_ASKS) && row.klass == 3);
    CHECK(list_of(catalogue, 0, 1 << 2, 1, &row) == 1);
    CHECK(catalogue_count(catalogue, 1 << 2) == 1 && catalogue_count(catalogue, 11) == 0);
    CHECK(list_of(catalogue, 0, 1 << 1, 1, &row) == 0);
    CHECK(row.segment == 9 && row.offset == 16 && row.value_millis == 25 && row.key == 1.5);
    CHECK(catalogue_sums_of(catalogue, 1, 1, 3, &sums) == CATALOGUE_OK);
    CHECK(sums.products == 1 && sums.value_millis == 25);
    CHECK(catalogue_set_flags(catalogue, 7, CATALOGUE_FAR, 0) == CATALOGUE_OK);
    CHECK(catalogue_sums_of(catalogue, 1, 1, 3, &sums) == CATALOGUE_OK);
    CHECK(sums.products == 0 && sums.size_bytes == 0 && sums.value_millis == 0);
    catalogue_free(catalogue);
}

static void what_has_no_room_is_refused_and_changes_nothing(void)
{
    struct catalogue *catalogue = catalogue_new();
    struct catalogue_row good = product(1), bad[7];
    struct catalogue_sums sums;

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        bad[i] = product(2);
    }
    bad[0].product_id = CATALOGUE_ID_MAX + 1;
    bad[1].size_bytes = CATALOGUE_SIZE_BYTES_MAX + 1;
    bad[2].klass = CATALOGUE_KINDS;
    bad[3].producer = CATALOGUE_KINDS;
    bad[4].state = 4;
    bad[5].flags = 128;
    bad[6].key = (double)NAN;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CHECK(catalogue_append(catalogue, &bad[i]) == CATALOGUE_E_RANGE);
    }
    CHECK(catalogue_append(catalogue, &good) == CATALOGUE_OK);
    CHECK(catalogue_set_state(catalogue, 1, 4) == CATALOGUE_E_RANGE);
    CHECK(catalogue_set_flags(catalogue, 1, 255, 128) == CATALOGUE_E_RANGE);
    CHECK(catalogue_revalue(catalogue, 1, -1, 0.0) == CATALOGUE_E_RANGE);
    CHECK(catalogue_revalue(catalogue, 2, 1, 0.0) == CATALOGUE_E_UNKNOWN);
    CHECK(catalogue_move(catalogue, 2, 1, 1) == CATALOGUE_E_UNKNOWN);
    CHECK(catalogue_sums_of(catalogue, 0, CATALOGUE_KINDS, 0, &sums) == CATALOGUE_E_RANGE);
    CHECK(catalogue_append(NULL, &good) == CATALOGUE_E_RANGE);
    CHECK(catalogue_find(NULL, 1, NULL) == CATALOGUE_E_RANGE);
    CHECK(catalogue_count(catalogue, 15) == 1 && catalogue_count(NULL, 15) == 0);
    CHECK(catalogue_memory_bytes(NULL) == 0);
    catalogue_free(catalogue);
    catalogue_free(NULL);
}

static void a_product_takes_forty_eight_octets(void)
{
    struct catalogue *catalogue = catalogue_new();
    const uint64_t empty = catalogue_memory_bytes(catalogue);
    struct catalogue_row row = product(0);

    CHECK(catalogue_append(catalogue, &row) == CATALOGUE_OK);
    CHECK((catalogue_memory_bytes(catalogue) - empty) % 48 == 0);
    catalogue_free(catalogue);
}

int main(void)
{
    static const struct promise promises[] = {
        PROMISE(every_field_comes_back_at_its_limits),
        PROMISE(rows_out_of_order_are_found_and_listed_in_order),
        PROMISE(what_is_dropped_is_gone_and_may_come_again),
        PROMISE(changes_are_seen_in_the_row_and_in_the_sums),
        PROMISE(what_has_no_room_is_refused_and_changes_nothing),
        PROMISE(a_product_takes_forty_eight_octets),
    };

    KEEP(promises);
    return 0;
}
