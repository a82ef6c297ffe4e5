/* Which far products come first: by key, then by identity, as many as are asked for. */
#include "product_catalogue.h"

#include "check.h"

static struct catalogue_row rows[CATALOGUE_SELECT_MAX + 1];

static void put(struct catalogue *catalogue, uint64_t product_id, double key, uint32_t klass,
                uint32_t producer, uint32_t flags)
{
    const struct catalogue_row row = {
        .product_id = product_id,
        .key = key,
        .deadline_ns = product_id % 2 ? (int64_t)(1000 - product_id) : INT64_MAX,
        .size_bytes = 1,
        .klass = (uint8_t)klass,
        .producer = (uint8_t)producer,
        .flags = (uint8_t)flags,
    };

    CHECK(catalogue_append(catalogue, &row) == CATALOGUE_OK);
}

static const struct catalogue_choice every = {.klasses = 255, .producers = 255, .states = 15};

static uint32_t select_of(const struct catalogue *catalogue, enum catalogue_order order,
                          uint32_t klasses, uint32_t producers, uint32_t count)
{
    const struct catalogue_choice choice = {klasses, producers, 15, 0, 0};

    return catalogue_select(catalogue, order, &choice, count, rows);
}

static void keys_of_either_sign_are_ranked_and_equals_go_by_identity(void)
{
    static const double keys[] = {-1.5, 0.0, 3.25, -0.0, 3.25, -700.0, 1e-300, -1e-300};
    static const uint64_t densest[] = {2, 4, 6, 1, 3, 7, 0, 5};
    static const uint64_t least[] = {5, 0, 7, 1, 3, 6, 2, 4};
    struct catalogue *catalogue = catalogue_new();

    for (uint64_t i = 0; i < COUNT_OF(keys); i++) {
        put(catalogue, i, keys[i], 2, 1, CATALOGUE_FAR);
    }
    for (uint32_t count = 1; count <= 9; count++) {
        const uint32_t want = count < 8 ? count : 8;

        CHECK(select_of(catalogue, CATALOGUE_DENSEST, 1 << 2, 1 << 1, count) == want);
        for (uint32_t i = 0; i < want; i++) {
            CHECK(rows[i].product_id == densest[i]);
        }
        CHECK(select_of(catalogue, CATALOGUE_LEAST_DENSE, 4, 2, count) == want);
        for (uint32_t i = 0; i < want; i++) {
            CHECK(rows[i].product_id == least[i]);
        }
    }
    catalogue_free(catalogue);
}

static void near_rows_other_classes_and_other_producers_are_passed_over(void)
{
    struct catalogue *catalogue = catalogue_new();

    put(catalogue, 1, 9.0, 2, 1, 0);
    put(catalogue, 2, 8.0, 3, 1, CATALOGUE_FAR);
    put(catalogue, 3, 7.0, 2, 0, CATALOGUE_FAR);
    put(catalogue, 4, 6.0, 2, 1, CATALOGUE_FAR);
    put(catalogue, 5, 5.0, 2, 1, CATALOGUE_FAR);
    CHECK(catalogue_drop(catalogue, 4) == CATALOGUE_OK);
    CHECK(select_of(catalogue, CATALOGUE_DENSEST, 1 << 2, 1 << 1, 9) == 1);
    CHECK(rows[0].product_id == 5);
    CHECK(select_of(catalogue, CATALOGUE_DENSEST, 1 << 2, 3, 9) == 2);
    CHECK(rows[0].product_id == 3 && rows[1].product_id == 5);
    CHECK(select_of(catalogue, CATALOGUE_DENSEST, 0, 3, 9) == 0);
    CHECK(select_of(catalogue, CATALOGUE_DENSEST, 4, 2, 0) == 0);
    CHECK(select_of(NULL, CATALOGUE_DENSEST, 4, 2, 1) == 0);
    catalogue_free(catalogue);
}

static void all_is_put_away_and_what_asks_is_told_apart_from_what_does_not(void)
{
    struct catalogue_choice choice = {255, 255, 15, CATALOGUE_ASKS, 0};
    struct catalogue *catalogue = catalogue_new();
    struct catalogue_sums sums;

    for (uint64_t i = 0; i < 12; i++) {
        put(catalogue, i, (double)i, 2, 1, i == 5 ? CATALOGUE_FAR | CATALOGUE_ASKS : 0);
        CHECK(catalogue_set_state(catalogue, i, (uint32_t)(i % 4)) == CATALOGUE_OK);
    }
    CHECK(catalogue_drop(catalogue, 8) == CATALOGUE_OK);
    catalogue_put_all_away(catalogue, 1 << 0 | 1 << 1, 1 << 1);
    catalogue_put_all_away(NULL, 1, 1);
    CHECK(catalogue_select(catalogue, CATALOGUE_DENSEST, &choice, 9, rows) == 2);
    CHECK(rows[0].product_id == 4 && rows[1].product_id == 0);
    choice.flags = CATALOGUE_ASKS;
    CHECK(catalogue_select(catalogue, CATALOGUE_DENSEST, &choice, 9, rows) == 3);
    CHECK(rows[0].product_id == 9 && rows[1].product_id == 5 && rows[2].product_id == 1);
    CHECK(catalogue_list(catalogue, 2, &choice, 9, rows) == 2 && rows[0].product_id == 5);
    CHECK(catalogue_sums_of(catalogue, 1, 1, 2, &sums) == CATALOGUE_OK && sums.products == 5);
    CHECK(catalogue_select(catalogue, CATALOGUE_DENSEST, NULL, 9, rows) == 0);
    catalogue_free(catalogue);
}

static void a_selection_gives_no_more_than_its_bound(void)
{
    struct catalogue *catalogue = catalogue_new();

    for (uint64_t i = 0; i < 2 * CATALOGUE_SELECT_MAX; i++) {
        put(catalogue, i, (double)(i * 7919 % (2 * CATALOGUE_SELECT_MAX)), 1, 1, CATALOGUE_FAR);
    }
    CHECK(select_of(catalogue, CATALOGUE_DENSEST, 2, 2, UINT32_MAX) == CATALOGUE_SELECT_MAX);
    for (uint32_t i = 0; i < CATALOGUE_SELECT_MAX; i++) {
        CHECK(rows[i].key == 2.0 * CATALOGUE_SELECT_MAX - 1.0 - i);
    }
    catalogue_free(catalogue);
}

static void what_is_due_comes_earliest_first_and_what_is_put_away_late_is_not_missed(void)
{
    struct catalogue *catalogue = catalogue_new();

    for (uint64_t i = 0; i < 10; i++) {
        put(catalogue, i, 0.0, 1, 1, i == 9 ? 0 : CATALOGUE_FAR); /* due: 999, 997, 995, 993 */
    }
    CHECK(catalogue_due(catalogue, 992, 5, rows) == 0);
    CHECK(catalogue_due(catalogue, 993, 5, rows) == 1 && rows[0].product_id == 7);
    CHECK(catalogue_due(catalogue, 997, 2, rows) == 2);
    CHECK(rows[0].product_id == 7 && rows[1].product_id == 5);
    CHECK(catalogue_drop(catalogue, 7) == CATALOGUE_OK);
    CHECK(catalogue_drop(catalogue, 5) == CATALOGUE_OK);
    CHECK(catalogue_due(catalogue, 996, 5, rows) == 0); /* now it knows: 997 */
    CHECK(catalogue_set_flags(catalogue, 9, 1, CATALOGUE_FAR) == CATALOGUE_OK);
    CHECK(catalogue_due(catalogue, 996, 5, rows) == 1 && rows[0].product_id == 9);
    CHECK(catalogue_due(catalogue, INT64_MAX, 5, rows) == 3);
    CHECK(catalogue_due(NULL, 996, 5, rows) == 0);
    CHECK(catalogue_list(NULL, 0, &every, 1, rows) == 0);
    CHECK(catalogue_list(catalogue, 0, NULL, 1, rows) == 0);
    catalogue_free(catalogue);
}

int main(void)
{
    static const struct promise promises[] = {
        PROMISE(keys_of_either_sign_are_ranked_and_equals_go_by_identity),
        PROMISE(near_rows_other_classes_and_other_producers_are_passed_over),
        PROMISE(all_is_put_away_and_what_asks_is_told_apart_from_what_does_not),
        PROMISE(a_selection_gives_no_more_than_its_bound),
        PROMISE(what_is_due_comes_earliest_first_and_what_is_put_away_late_is_not_missed),
    };

    KEEP(promises);
    return 0;
}
