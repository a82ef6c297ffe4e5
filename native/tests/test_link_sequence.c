/* Sequence numbers: what is in order, what is missing, what came before. */
#include "check.h"
#include "link_sequence.h"

static void numbers_in_order_are_taken_through_every_wrap_around(void)
{
    struct link_sequence s = {0};

    for (uint32_t i = 0; i < 200000; i++) {
        CHECK(link_sequence_take(&s, (uint16_t)i));
    }
    CHECK(s.lost == 0 && s.stale == 0);
}

static void a_gap_counts_what_is_missing_and_is_taken(void)
{
    struct link_sequence s = {0};

    CHECK(link_sequence_take(&s, 3) && s.lost == 3);
    CHECK(link_sequence_take(&s, 4) && s.lost == 3);
    CHECK(link_sequence_take(&s, 5 + 0x7FFF) && s.lost == 3 + 0x7FFF);
}

static void duplicates_and_late_ones_are_dropped_and_counted(void)
{
    struct link_sequence s = {.expected = 0xFFFE};

    CHECK(link_sequence_take(&s, 0xFFFE));
    CHECK(!link_sequence_take(&s, 0xFFFE) && s.stale == 1);
    CHECK(link_sequence_take(&s, 1) && s.lost == 2);
    CHECK(!link_sequence_take(&s, 0xFFFF) && s.stale == 2);
    CHECK(!link_sequence_take(&s, 0) && s.stale == 3);
    CHECK(!link_sequence_take(&s, (uint16_t)(2 - 0x8000)) && s.stale == 4);
    CHECK(s.lost == 2);
}

static void a_restart_begins_at_zero_and_keeps_the_counts(void)
{
    struct link_sequence s = {0};

    CHECK(link_sequence_take(&s, 9));
    link_sequence_restart(&s);
    CHECK(link_sequence_take(&s, 0) && s.lost == 9 && s.stale == 0);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(numbers_in_order_are_taken_through_every_wrap_around),
        PROMISE(a_gap_counts_what_is_missing_and_is_taken),
        PROMISE(duplicates_and_late_ones_are_dropped_and_counted),
        PROMISE(a_restart_begins_at_zero_and_keeps_the_counts),
    };

    KEEP(PROMISES);
    return 0;
}
