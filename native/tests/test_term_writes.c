/* Writes to a laser terminal: in order, until they are answered, darkness first. */
#include "term_writes.h"

#include "check.h"
#include "hal.h"

#define RETRY TERM_WRITES_RETRY_NS

/* The next write, which must be this one. @return its id. */
static uint32_t expect(struct term_writes *writes, uint64_t now_ns, uint32_t reg, uint32_t value)
{
    struct term_write write = {0};
    uint32_t id = 0;

    CHECK(term_writes_next(writes, now_ns, &write, &id) == 1);
    CHECK(write.reg == reg && write.value == value);
    return id;
}

static void expect_none(struct term_writes *writes, uint64_t now_ns)
{
    struct term_write write;
    uint32_t id;

    CHECK(term_writes_next(writes, now_ns, &write, &id) == 0);
}

static void put(struct term_writes *writes, uint32_t reg, uint32_t value)
{
    CHECK(term_writes_put(writes, reg, value) == 1);
}

static void writes_go_one_by_one_in_the_order_asked(void)
{
    struct term_writes w;

    term_writes_init(&w);
    CHECK(term_writes_due_ns(&w) == UINT64_MAX);
    put(&w, TERM_REG_AZIMUTH_UDEG, 5);
    put(&w, TERM_REG_TARGET_ID, 7);
    put(&w, TERM_REG_LASER_ENABLE, 1);
    CHECK(term_writes_due_ns(&w) == 0);
    uint32_t first = expect(&w, 0, TERM_REG_AZIMUTH_UDEG, 5);

    expect_none(&w, RETRY - 1);
    CHECK(term_writes_due_ns(&w) == RETRY);
    CHECK(term_writes_answer(&w, first, HAL_OK) == 1);
    CHECK(term_writes_answer(&w, first, HAL_OK) == 0);
    uint32_t second = expect(&w, 1, TERM_REG_TARGET_ID, 7);

    CHECK(second != first);
    CHECK(term_writes_answer(&w, second, HAL_E_RANGE) == 1);
    CHECK(term_writes_answer(&w, expect(&w, 2, TERM_REG_LASER_ENABLE, 1), HAL_OK) == 1);
    expect_none(&w, UINT64_MAX - RETRY);
    CHECK(w.counters.answered == 3 && w.counters.refused == 1 && w.counters.repeated == 0);
}

static void an_unanswered_write_is_repeated_under_its_id(void)
{
    struct term_writes w;

    term_writes_init(&w);
    put(&w, TERM_REG_RESET, TERM_RESET_KEY);
    uint32_t id = expect(&w, 10, TERM_REG_RESET, TERM_RESET_KEY);

    CHECK(expect(&w, 10 + RETRY, TERM_REG_RESET, TERM_RESET_KEY) == id);
    CHECK(expect(&w, 10 + 2 * (uint64_t)RETRY, TERM_REG_RESET, TERM_RESET_KEY) == id);
    CHECK(w.counters.repeated == 2);
    CHECK(term_writes_answer(&w, id - 1, HAL_OK) == 0);
    CHECK(term_writes_answer(&w, id, HAL_OK) == 1);
    CHECK(w.counters.answered == 1);
}

static void the_same_wish_again_is_one_wish(void)
{
    struct term_writes w;

    term_writes_init(&w);
    for (int i = 0; i < 100; i++) {
        put(&w, TERM_REG_LASER_ENABLE, 1);
    }
    uint32_t id = expect(&w, 0, TERM_REG_LASER_ENABLE, 1);

    put(&w, TERM_REG_LASER_ENABLE, 1);
    CHECK(term_writes_answer(&w, id, HAL_OK) == 1);
    expect_none(&w, 1);
}

static void a_newer_value_takes_the_place_of_one_not_sent_yet(void)
{
    struct term_writes w;

    term_writes_init(&w);
    put(&w, TERM_REG_TARGET_ID, 1);
    put(&w, TERM_REG_AZIMUTH_UDEG, 1);
    put(&w, TERM_REG_AZIMUTH_UDEG, 2);
    CHECK(w.count == 2 && w.counters.overtaken == 1);
    /* Not across another register: the order of the two is the node's. */
    put(&w, TERM_REG_TARGET_ID, 3);
    CHECK(w.count == 3);
    uint32_t id = expect(&w, 0, TERM_REG_TARGET_ID, 1);

    CHECK(term_writes_answer(&w, id, HAL_OK) == 1);
    id = expect(&w, 0, TERM_REG_AZIMUTH_UDEG, 2);
    CHECK(term_writes_answer(&w, id, HAL_OK) == 1);
    id = expect(&w, 0, TERM_REG_TARGET_ID, 3);
    /* What is under way is what it is. */
    put(&w, TERM_REG_TARGET_ID, 4);
    CHECK(term_writes_answer(&w, id, HAL_OK) == 1);
    (void)expect(&w, 0, TERM_REG_TARGET_ID, 4);
}

static void darkness_overtakes_and_takes_out_what_would_light(void)
{
    struct term_writes w;

    term_writes_init(&w);
    put(&w, TERM_REG_TARGET_ID, 1);
    put(&w, TERM_REG_LASER_ENABLE, 1);
    put(&w, TERM_REG_AZIMUTH_UDEG, 9);
    uint32_t before = expect(&w, 0, TERM_REG_TARGET_ID, 1);

    put(&w, TERM_REG_LASER_ENABLE, 0);
    uint32_t dark = expect(&w, 1, TERM_REG_LASER_ENABLE, 0);

    CHECK(dark != before);
    CHECK(term_writes_answer(&w, before, HAL_OK) == 0); /* it is sent again, behind */
    CHECK(term_writes_answer(&w, dark, HAL_OK) == 1);
    CHECK(term_writes_answer(&w, expect(&w, 2, TERM_REG_TARGET_ID, 1), HAL_OK) == 1);
    CHECK(term_writes_answer(&w, expect(&w, 3, TERM_REG_AZIMUTH_UDEG, 9), HAL_OK) == 1);
    expect_none(&w, 4);
    CHECK(w.counters.overtaken == 1);
}

static void a_lit_write_under_way_is_overtaken_as_well(void)
{
    struct term_writes w;

    term_writes_init(&w);
    put(&w, TERM_REG_LASER_ENABLE, 1);
    uint32_t lit = expect(&w, 0, TERM_REG_LASER_ENABLE, 1);

    put(&w, TERM_REG_INHIBIT, 1);
    CHECK(term_writes_answer(&w, lit, HAL_OK) == 0);
    (void)expect(&w, 0, TERM_REG_INHIBIT, 1);
    CHECK(w.count == 1);
}

static void darkness_asked_for_again_is_not_begun_again(void)
{
    struct term_writes w;

    term_writes_init(&w);
    put(&w, TERM_REG_LASER_ENABLE, 0);
    uint32_t id = expect(&w, 0, TERM_REG_LASER_ENABLE, 0);

    put(&w, TERM_REG_LASER_ENABLE, 0);
    expect_none(&w, 1);
    CHECK(term_writes_answer(&w, id, HAL_OK) == 1);
    CHECK(w.count == 0);
}

static void what_may_be_lit_again_is_asked_for_behind_the_darkness(void)
{
    struct term_writes w;

    term_writes_init(&w);
    put(&w, TERM_REG_INHIBIT, 1);
    put(&w, TERM_REG_INHIBIT, 0);
    put(&w, TERM_REG_LASER_ENABLE, 1);
    CHECK(term_writes_answer(&w, expect(&w, 0, TERM_REG_INHIBIT, 1), HAL_OK) == 1);
    CHECK(term_writes_answer(&w, expect(&w, 0, TERM_REG_INHIBIT, 0), HAL_OK) == 1);
    CHECK(term_writes_answer(&w, expect(&w, 0, TERM_REG_LASER_ENABLE, 1), HAL_OK) == 1);
    put(&w, TERM_REG_LASER_ENABLE, 0);
    put(&w, TERM_REG_LASER_ENABLE, 1);
    CHECK(term_writes_answer(&w, expect(&w, 0, TERM_REG_LASER_ENABLE, 0), HAL_OK) == 1);
    CHECK(term_writes_answer(&w, expect(&w, 0, TERM_REG_LASER_ENABLE, 1), HAL_OK) == 1);
}

static void what_a_reset_undoes_is_asked_for_again_behind_it(void)
{
    static const uint32_t WISHES[][2] = {
        {TERM_REG_RESET, TERM_RESET_KEY}, {TERM_REG_TARGET_ID, 1},
        {TERM_REG_LASER_ENABLE, 1},       {TERM_REG_RESET, TERM_RESET_KEY},
        {TERM_REG_RESET, TERM_RESET_KEY}, {TERM_REG_TARGET_ID, 1},
    };
    struct term_writes w;

    term_writes_init(&w);
    for (uint32_t i = 0; i < 6; i++) {
        put(&w, WISHES[i][0], WISHES[i][1]);
    }
    CHECK(w.count == 5); /* two resets without anything in between are one */
    for (uint32_t i = 0; i < 6; i += i == 3 ? 2 : 1) {
        CHECK(term_writes_answer(&w, expect(&w, i, WISHES[i][0], WISHES[i][1]), HAL_OK) == 1);
    }
    expect_none(&w, 9);
}

static void an_inhibit_that_overtakes_a_reset_stands_after_it(void)
{
    struct term_writes w;

    term_writes_init(&w);
    put(&w, TERM_REG_RESET, TERM_RESET_KEY);
    put(&w, TERM_REG_INHIBIT, 1);
    put(&w, TERM_REG_LASER_ENABLE, 1);
    CHECK(term_writes_answer(&w, expect(&w, 0, TERM_REG_INHIBIT, 1), HAL_OK) == 1);
    CHECK(term_writes_answer(&w, expect(&w, 1, TERM_REG_RESET, TERM_RESET_KEY), HAL_OK) == 1);
    CHECK(term_writes_answer(&w, expect(&w, 2, TERM_REG_INHIBIT, 1), HAL_OK) == 1);
    expect_none(&w, 3); /* nobody lights what is inhibited */
    put(&w, TERM_REG_INHIBIT, 0);
    put(&w, TERM_REG_RESET, TERM_RESET_KEY);
    CHECK(term_writes_answer(&w, expect(&w, 4, TERM_REG_INHIBIT, 0), HAL_OK) == 1);
    CHECK(term_writes_answer(&w, expect(&w, 5, TERM_REG_RESET, TERM_RESET_KEY), HAL_OK) == 1);
    expect_none(&w, 6);
}

static void a_full_queue_refuses_but_never_darkness(void)
{
    struct term_writes w;

    term_writes_init(&w);
    for (uint32_t i = 0; i < TERM_WRITES_MAX; i++) {
        put(&w, i % 2 == 0 ? TERM_REG_AZIMUTH_UDEG : TERM_REG_ELEVATION_UDEG, i);
    }
    CHECK(term_writes_put(&w, TERM_REG_TARGET_ID, 1) == 0);
    CHECK((w.told_mask & 1ull << TERM_REG_TARGET_ID) == 0);
    put(&w, TERM_REG_LASER_ENABLE, 0);
    CHECK(w.count == TERM_WRITES_MAX && w.counters.overtaken == 1);
    (void)expect(&w, 0, TERM_REG_LASER_ENABLE, 0);
}

static void a_new_session_hears_all_that_was_told_but_no_light(void)
{
    struct term_writes w;

    term_writes_init(&w);
    term_writes_begin(&w);
    CHECK(w.count == 0);
    put(&w, TERM_REG_SCAN_URAD, 100);
    put(&w, TERM_REG_TARGET_ID, 1);
    put(&w, TERM_REG_TARGET_ID, 4);
    put(&w, TERM_REG_LASER_ENABLE, 1);
    put(&w, TERM_REG_INHIBIT, 0);
    put(&w, TERM_REG_RESET, TERM_RESET_KEY);
    put(&w, TERM_REG_TARGET_ID, 5);
    put(&w, TERM_REG_INHIBIT, 1);
    term_writes_begin(&w);
    CHECK(w.counters.lost == 1); /* the reset; the light was taken out by INHIBIT */
    CHECK(term_writes_answer(&w, expect(&w, 0, TERM_REG_INHIBIT, 1), HAL_OK) == 1);
    CHECK(term_writes_answer(&w, expect(&w, 0, TERM_REG_TARGET_ID, 5), HAL_OK) == 1);
    expect_none(&w, 0); /* the reset has undone what was told before it */
    put(&w, TERM_REG_LASER_ENABLE, 1);
    term_writes_begin(&w);
    CHECK(w.counters.lost == 2 && w.count == 2);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(writes_go_one_by_one_in_the_order_asked),
        PROMISE(an_unanswered_write_is_repeated_under_its_id),
        PROMISE(the_same_wish_again_is_one_wish),
        PROMISE(a_newer_value_takes_the_place_of_one_not_sent_yet),
        PROMISE(darkness_overtakes_and_takes_out_what_would_light),
        PROMISE(a_lit_write_under_way_is_overtaken_as_well),
        PROMISE(darkness_asked_for_again_is_not_begun_again),
        PROMISE(what_may_be_lit_again_is_asked_for_behind_the_darkness),
        PROMISE(what_a_reset_undoes_is_asked_for_again_behind_it),
        PROMISE(an_inhibit_that_overtakes_a_reset_stands_after_it),
        PROMISE(a_full_queue_refuses_but_never_darkness),
        PROMISE(a_new_session_hears_all_that_was_told_but_no_light),
    };

    KEEP(PROMISES);
    return 0;
}
