/* Plans of a small node: what binds decides, limits hold, and what cannot be kept is said. */
#include "plan.h"

#include "check.h"

#include <math.h>
#include <string.h>

#define SLOTS 12

static double memory[1 << 17];

/* One slow radiator, one die; a slow and a fast mode of one model; one class of frames. */
static struct plan_node small_node(void)
{
    struct plan_node node = {
        .mode_count = 2,
        .variant_count = 1,
        .class_count = 1,
        .slow_count = 1,
        .fast_count = 1,
        .mode_w = {4.0, 22.0},
        .frames_per_s = {{1.0}, {3.0}},
        .value = {{2.0}},
        .result_bits = {{1e6}},
        .frames_max = {5000.0},
        .store_bits_max = 1e10,
        .link_w = 40.0,
        .energy_floor_j = 100e3,
        .energy_max_j = 200e3,
        .energy_end_j = 150e3,
        .end_price_per_j = 1.0,
        .charge_efficiency = 0.95,
        .discharge_efficiency = 0.95,
        .charge_w_max = 50.0,
        .discharge_w_max = 100.0,
        .slow_capacity_j_k = {3000.0},
        .slow_limit_k = {335.0},
        .mode_slow_w = {{4.0}, {22.0}},
        .link_slow_w = {34.0},
        .radiance_at_k = {320.0},
        .fast_limit_k = {348.0},
        .fast_from_slow = {{1.0}},
        .mode_fast_k = {{2.0}, {11.0}},
    };

    return node;
}

static void light(struct plan_slot *slots)
{
    for (int s = 0; s < SLOTS; s++) {
        slots[s] = (struct plan_slot){
            .length_s = 300.0,
            .surplus_w = 100.0,
            .arrivals = {300.0},
            .worth = 1.0,
            .slow_heat_w = {20.0},
            .slow_radiance = {0.085 * 5.670374419e-8},
            .fast_k = {1.0},
        };
    }
    slots[SLOTS - 1].link_bits = 1e10;
    slots[SLOTS - 1].link_bps = 1e8;
}

static struct plan_start rested(void)
{
    return (struct plan_start){.energy_j = 180e3, .slow_k = {300.0}, .waiting = {100.0}};
}

static int32_t make(const struct plan_node *node, const struct plan_start *start,
                    const struct plan_slot *slots, struct plan_share *shares,
                    struct plan_outcome *outcome)
{
    CHECK(plan_scratch_bytes(node, SLOTS) <= (int64_t)sizeof memory);
    return plan_make(node, start, slots, SLOTS, shares, outcome, memory, sizeof memory);
}

static double frames(const struct plan_node *node, const struct plan_share *shares,
                     const struct plan_slot *slots)
{
    double sum = 0.0;

    for (int s = 0; s < SLOTS; s++) {
        for (int m = 0; m < node->mode_count; m++) {
            sum += shares[s].work[m][0] * node->frames_per_s[m][0] * slots[s].length_s;
        }
    }
    return sum;
}

static void with_power_to_spare_every_frame_is_computed_and_sent(void)
{
    struct plan_node node = small_node();
    struct plan_start start = rested();
    struct plan_slot slots[SLOTS];
    struct plan_share shares[SLOTS];
    struct plan_outcome outcome;

    light(slots);
    CHECK(make(&node, &start, slots, shares, &outcome) == LP_OPTIMAL);
    CHECK(fabs(outcome.value - 2.0 * 3700.0) < 5.0);
    CHECK(fabs(frames(&node, shares, slots) - 3700.0) < 5.0);
    CHECK(outcome.bought_j < 1.0 && outcome.bought_heat_j < 1.0);
    CHECK(shares[0].price_per_j < 1e-3);
}

static void a_battery_that_must_end_full_has_a_price_and_is_not_emptied(void)
{
    struct plan_node node = small_node();
    struct plan_start start = rested();
    struct plan_slot slots[SLOTS];
    struct plan_share shares[SLOTS];
    struct plan_outcome outcome;

    light(slots);
    for (int s = 0; s < SLOTS; s++) {
        slots[s].surplus_w = s < 6 ? -15.0 : 15.0;
        slots[s].arrivals[0] = 900.0;
    }
    node.energy_end_j = 175e3;
    CHECK(make(&node, &start, slots, shares, &outcome) == LP_OPTIMAL);
    CHECK(shares[SLOTS - 1].energy_j > 175e3 - 100.0);
    CHECK(shares[0].price_per_j > 0.01);
    CHECK(frames(&node, shares, slots) < 10000.0);
    for (int s = 0; s < SLOTS; s++) {
        CHECK(shares[s].energy_j > node.energy_floor_j - 1.0);
    }
}

static void heat_limits_the_fast_mode_and_has_its_price(void)
{
    struct plan_node node = small_node();
    struct plan_start start = rested();
    struct plan_slot slots[SLOTS];
    struct plan_share shares[SLOTS];
    struct plan_outcome outcome;

    light(slots);
    start.slow_k[0] = 333.0;
    for (int s = 0; s < SLOTS; s++) {
        slots[s].slow_heat_w[0] = 50.0;
        slots[s].arrivals[0] = 900.0;
    }
    CHECK(make(&node, &start, slots, shares, &outcome) == LP_OPTIMAL);
    CHECK(shares[0].work[1][0] > 0.99); /* the plate is still cool enough */
    CHECK(shares[5].work[1][0] < 0.5 && shares[5].price_per_slow_j[0] > 1e-2);
    for (int s = 0; s < SLOTS; s++) {
        CHECK(shares[s].slow_k[0] < 335.0 + 1e-2);
    }
}

static void a_slot_may_ask_for_a_cooler_plate_than_the_limit(void)
{
    struct plan_node node = small_node();
    struct plan_start start = rested();
    struct plan_slot slots[SLOTS];
    struct plan_share shares[SLOTS];
    struct plan_outcome outcome;

    light(slots);
    start.slow_k[0] = 333.0;
    for (int s = 0; s < SLOTS; s++) {
        slots[s].slow_heat_w[0] = 50.0;
        slots[s].arrivals[0] = 900.0;
    }
    slots[6].slow_limit_k[0] = 333.5;
    CHECK(make(&node, &start, slots, shares, &outcome) == LP_OPTIMAL);
    CHECK(shares[6].slow_k[0] < 333.5 + 1e-2 && shares[4].slow_k[0] > 333.5);
}

static void a_link_too_small_has_a_price_a_bit(void)
{
    struct plan_node node = small_node();
    struct plan_start start = rested();
    struct plan_slot slots[SLOTS];
    struct plan_share shares[SLOTS];
    struct plan_outcome outcome;

    light(slots);
    slots[SLOTS - 1].link_bits = 1e9;
    CHECK(make(&node, &start, slots, shares, &outcome) == LP_OPTIMAL);
    CHECK(fabs(outcome.value - 2000.0) < 5.0);
    CHECK(fabs(shares[SLOTS - 1].price_per_link_bit - 2e-6) < 1e-7);
    CHECK(fabs(shares[SLOTS - 1].sent_bits[0][0] - 1e9) < 1e6);
}

static void what_cannot_be_kept_is_bought_and_said(void)
{
    struct plan_node node = small_node();
    struct plan_start start = rested();
    struct plan_slot slots[SLOTS];
    struct plan_share shares[SLOTS];
    struct plan_outcome outcome;

    light(slots);
    for (int s = 0; s < SLOTS; s++) {
        slots[s].surplus_w = -90.0;
    }
    start.energy_j = 101e3;
    start.slow_k[0] = 340.0;
    CHECK(make(&node, &start, slots, shares, &outcome) != LP_E_RANGE);
    CHECK(outcome.bought_j > 1000.0 && outcome.bought_heat_j > 10.0);
    CHECK(shares[0].work[0][0] + shares[0].work[1][0] < 0.05);
}

static void what_is_no_plan_is_refused_and_nothing_written(void)
{
    struct plan_node node = small_node(), bad;
    struct plan_start start = rested();
    struct plan_slot slots[SLOTS];
    struct plan_share shares[SLOTS];
    struct plan_outcome outcome = {.value = 7.0};

    light(slots);
    bad = node;
    bad.mode_count = PLAN_MODES_MAX + 1;
    CHECK(plan_scratch_bytes(&bad, 1) == LP_E_RANGE);
    bad = node;
    bad.mode_variant[1] = 1;
    CHECK(make(&node, &start, slots, shares, &outcome) == LP_OPTIMAL);
    outcome.value = 7.0;
    CHECK(plan_make(&bad, &start, slots, SLOTS, shares, &outcome, memory, sizeof memory) ==
          LP_E_RANGE);
    bad = node;
    bad.fast_count = PLAN_FAST_MAX + 1;
    CHECK(plan_make(&bad, &start, slots, SLOTS, shares, &outcome, memory, sizeof memory) ==
          LP_E_RANGE);
    bad = node;
    bad.energy_max_j = bad.energy_floor_j;
    CHECK(plan_make(&bad, &start, slots, SLOTS, shares, &outcome, memory, sizeof memory) ==
          LP_E_RANGE);
    CHECK(plan_make(&node, &start, slots, SLOTS, shares, &outcome, memory, 64) == LP_E_RANGE);
    CHECK(plan_make(&node, &start, slots, 0, shares, &outcome, memory, sizeof memory) ==
          LP_E_RANGE);
    slots[3].length_s = 0.0;
    CHECK(plan_make(&node, &start, slots, SLOTS, shares, &outcome, memory, sizeof memory) ==
          LP_E_RANGE);
    slots[3].length_s = 300.0;
    slots[3].surplus_w = (double)NAN;
    CHECK(plan_make(&node, &start, slots, SLOTS, shares, &outcome, memory, sizeof memory) ==
          LP_E_RANGE);
    CHECK(outcome.value == 7.0);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(with_power_to_spare_every_frame_is_computed_and_sent),
        PROMISE(a_battery_that_must_end_full_has_a_price_and_is_not_emptied),
        PROMISE(heat_limits_the_fast_mode_and_has_its_price),
        PROMISE(a_slot_may_ask_for_a_cooler_plate_than_the_limit),
        PROMISE(a_link_too_small_has_a_price_a_bit),
        PROMISE(what_cannot_be_kept_is_bought_and_said),
        PROMISE(what_is_no_plan_is_refused_and_nothing_written),
    };

    KEEP(PROMISES);
    return 0;
}
