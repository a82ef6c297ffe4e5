/* Manifests of stored products: every field is read, and what makes no sense is no product. */
#include "segment_scan.h"

#include "check.h"
#include "store_stage.h"

static void both_kinds_are_read(void)
{
    for (int narrow = 0; narrow < 2; narrow++) {
        const uint64_t size = narrow ? 0xFEDCBA98 : 0xFEDCBA9876;
        struct catalogue_row row = {.segment = 3, .offset = 8, .state = 1, .flags = 4};
        uint8_t manifest[256];
        const uint32_t bytes = put_manifest(manifest, narrow, 42, size, 1 | 1 << 4, "tile-7.msk");

        CHECK(stored_manifest(manifest, bytes, 0, &row) == CATALOGUE_OK);
        CHECK(row.product_id == 42 && row.size_bytes == size && row.klass == 3);
        CHECK(row.producer == 1 && row.value_millis == 3000 && row.deadline_ns == 77);
        CHECK(row.manifest_bytes == bytes && row.segment == 3 && row.offset == 8);
        CHECK(row.state == 1 && row.flags == 4);
        for (uint32_t cut = 0; cut < bytes; cut++) {
            CHECK(stored_manifest(manifest, cut, 0, &row) == CATALOGUE_E_RANGE);
        }
        CHECK(stored_manifest(manifest, bytes + 1, 0, &row) == CATALOGUE_E_RANGE);
    }
}

static void the_rank_is_linear_between_powers_of_two_and_moves_with_age(void)
{
    struct catalogue_row row = {0};
    uint8_t manifest[256];
    const uint32_t bytes = put_manifest(manifest, 0, 1, 1024, 0, "a");
    const double fresh = (12.0 + 2.0 * 3000.0 / 4096.0) - (11.0 + 2.0 * 0.5);

    CHECK(stored_manifest(manifest, bytes, 0, &row) == CATALOGUE_OK && row.key == fresh);
    CHECK(stored_manifest(manifest, bytes, 10, &row) == CATALOGUE_OK && row.key == fresh - 0.5);
    put_big(manifest + 36, (uint64_t)-5, 8);
    CHECK(stored_manifest(manifest, bytes, 10, &row) == CATALOGUE_OK && row.key == fresh + 0.5);
    CHECK(stored_manifest(manifest, bytes, -10, &row) == CATALOGUE_OK && row.key == fresh - 0.5);
    put_big(manifest + 36, 5, 8);
    CHECK(stored_manifest(manifest, bytes, -10, &row) == CATALOGUE_OK && row.key == fresh + 0.5);
    put_big(manifest + 36, INT64_MAX, 8);
    CHECK(stored_manifest(manifest, bytes, -INT64_MAX, &row) == CATALOGUE_OK);
    CHECK(row.key == fresh + 1.0);
    CHECK(stored_manifest(manifest, bytes, INT64_MAX, &row) == CATALOGUE_OK);
    CHECK(row.key == fresh - 1.0);
    put_big(manifest + 36, (uint64_t)1 << 63, 8);
    CHECK(stored_manifest(manifest, bytes, 1, &row) == CATALOGUE_OK);
    CHECK(row.key == fresh + 9223372036854775808.0);
    put_big(manifest + 36, 0, 8);
    CHECK(stored_manifest(manifest, bytes, 1, &row) == CATALOGUE_OK && row.key == fresh);
}

static void deadline_and_dependency_are_there_when_their_flags_say_so(void)
{
    struct catalogue_row row = {0};
    uint8_t manifest[256];
    uint32_t bytes = put_manifest(manifest, 0, 1, 10, 0, "a");

    CHECK(stored_manifest(manifest, bytes, 0, &row) == CATALOGUE_OK);
    CHECK(row.deadline_ns == INT64_MAX && row.flags == 0);
    bytes = put_manifest(manifest, 0, 1, 10, 2, "a");
    CHECK(stored_manifest(manifest, bytes, 0, &row) == CATALOGUE_OK);
    CHECK(row.deadline_ns == INT64_MAX && row.manifest_bytes == bytes);
}

static void what_makes_no_sense_is_refused(void)
{
    static const struct {
        int at, bytes;
        uint64_t value;
    } wrong[] = {
        {0, 1, 2},                  /* kind: a list */
        {1, 1, 4},                  /* a flag nobody knows */
        {1, 1, 4 << 4},             /* a producer nobody knows */
        {2, 1, 6},                  /* a class nobody knows */
        {3, 8, (uint64_t)1 << 48},  /* identity */
        {11, 5, 0},                 /* size */
        {20, 8, (uint64_t)1 << 63}, /* value */
        {52, 1, 97},                /* length of the name */
        {53, 1, '.'},               /* hidden */
        {54, 1, '/'},               /* a path */
    };
    struct catalogue_row row = {0};
    uint8_t manifest[256];

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        const uint32_t bytes = put_manifest(manifest, 0, 1, 10, 0, "ab");

        CHECK(stored_manifest(manifest, bytes, 0, &row) == CATALOGUE_OK);
        put_big(manifest + wrong[i].at, wrong[i].value, wrong[i].bytes);
        CHECK(stored_manifest(manifest, bytes, 0, &row) == CATALOGUE_E_RANGE);
    }
    CHECK(stored_manifest(NULL, 60, 0, &row) == CATALOGUE_E_RANGE);
    CHECK(stored_manifest(manifest, 55, INT64_MIN, &row) == CATALOGUE_E_RANGE);
    CHECK(stored_manifest(manifest, 55, 0, NULL) == CATALOGUE_E_RANGE);
}

int main(void)
{
    static const struct promise promises[] = {
        PROMISE(both_kinds_are_read),
        PROMISE(the_rank_is_linear_between_powers_of_two_and_moves_with_age),
        PROMISE(deadline_and_dependency_are_there_when_their_flags_say_so),
        PROMISE(what_makes_no_sense_is_refused),
    };

    KEEP(promises);
    return 0;
}
