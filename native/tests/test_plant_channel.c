/* The optical channel's kernels: filter, margins, clouds, holds, fates. */
#include "check.h"
#include "plant_kernels.h"

#include <math.h>

static void two_poles_are_the_cascade_of_one_pole_twice(void)
{
    double samples[3] = {1.0, 0.0, 0.0}, state[2] = {0.0, 0.0};

    plant_two_pole(0.5, 2.0, state, samples, 3);
    CHECK(samples[0] == 2.0 && samples[1] == 2.0 && samples[2] == 1.5);
    CHECK(state[0] == 0.25 && state[1] == 0.75);
}

static void the_slow_terms_are_linear_between_their_knots(void)
{
    static double z[1500];
    static float out[1500];
    double base[3] = {10.0, 20.0, 20.0}, scale[3] = {0.0, 2.0, 2.0}, shift[3] = {1.0, 1.0, 3.0};

    z[500] = 3.0;
    plant_clear_margin(base, scale, shift, z, out, 1500);
    CHECK(out[0] == 9.0F && out[500] == 17.0F && out[1000] == 19.0F && out[1250] == 18.5F);
}

static void the_radial_error_is_the_sum_of_the_squares(void)
{
    double x[2] = {3.0, 0.0}, y[2] = {4.0, -2.0};
    float out[2];

    plant_radial_square(x, y, out, 2);
    CHECK(out[0] == 25.0F && out[1] == 4.0F);
}

static void a_cloud_has_edges_of_a_second_and_its_full_depth_between(void)
{
    static float margin[5000];

    plant_apply_cloud(margin, 5000, 1500.0, 3500.0, 25.0);
    CHECK(margin[999] == 0.0F && margin[1500] < -12.4F && margin[1500] > -12.6F);
    CHECK(margin[2000] == -25.0F && margin[3000] == -25.0F && margin[4001] == 0.0F);
    plant_apply_cloud(margin, 5000, -500.0, -100.0, 25.0); /* before the trace: its edge alone */
    CHECK(margin[0] < -9.9F && margin[0] > -10.1F && margin[401] == 0.0F);
}

static void margins_are_taken_inside_the_trace(void)
{
    const float clear[4] = {5.0F, 1.0F, 9.0F, 3.0F}, radial[4] = {0.0F, 0.0F, 4.0F, 1.0F};
    struct plant_channel channel = {clear, radial, 4, 2.0, 0.5};

    CHECK(plant_worst_margin(&channel, 0, 3) == 0.5);
    CHECK(plant_worst_margin(&channel, 2, 2) == 0.5);
    CHECK(plant_worst_margin(&channel, -9, 0) == 4.5);
    CHECK(plant_worst_margin(&channel, 3, 99) == 0.5);
    CHECK(plant_mean_margin(&channel, -1, 1) == 2.5);
    CHECK(plant_mean_margin(&channel, 3, 1) == 0.5);
    channel.radial2 = NULL;
    CHECK(plant_worst_margin(&channel, 2, 2) == 8.5);
}

static void a_hold_is_found_once_the_mean_has_kept_its_side_long_enough(void)
{
    static float clear[1000];
    struct plant_channel channel = {clear, NULL, 1000, 0.0, 0.0};
    int32_t run_ms = 0;

    for (int i = 0; i < 1000; i++) {
        clear[i] = i < 400 ? 0.0F : -20.0F;
    }
    /* The mean of 50 falls below -10 dB at sample 425 (26 of 50); 100 more to hold. */
    CHECK(plant_first_hold(&channel, 0, 1000, -10.0, 0, 100, &run_ms) == 425 + 99);
    run_ms = 0;
    CHECK(plant_first_hold(&channel, 0, 430, -10.0, 0, 100, &run_ms) == -1 && run_ms == 5);
    CHECK(plant_first_hold(&channel, 430, 1000, -10.0, 0, 100, &run_ms) == 425 + 99);
    run_ms = 0;
    CHECK(plant_first_hold(&channel, 100, 1000, -10.0, 1, 50, &run_ms) == 149);
    CHECK(plant_first_hold(&channel, 900, 900, -10.0, 1, 50, &run_ms) == -1);
    run_ms = 0;
    CHECK(plant_first_hold(&channel, -5, 9, -10.0, 1, 5, &run_ms) == 4);
}

static void luck_is_a_counter_and_uniform(void)
{
    double sum = 0.0;

    for (uint64_t i = 0; i < 100000; i++) {
        double u = plant_uniform(7, i);

        CHECK(u >= 0.0 && u < 1.0);
        sum += u;
    }
    CHECK(fabs(sum / 100000.0 - 0.5) < 0.005);
    CHECK(plant_uniform(7, 3) == plant_uniform(7, 3) && plant_uniform(7, 3) != plant_uniform(8, 3));
    /* SplitMix64 from state 0 begins with 0xE220A8397B1DCDAF (Vigna's reference). */
    CHECK(plant_uniform(0, 0) == (double)(UINT64_C(0xE220A8397B1DCDAF) >> 11) * 0x1p-53);
}

static void a_frame_in_the_middle_of_the_curve_survives_every_other_time(void)
{
    CHECK(plant_frame_survives(0.0, 0.0, 6.0, 0.499) == 1);
    CHECK(plant_frame_survives(0.0, 0.0, 6.0, 0.501) == 0);
    CHECK(plant_frame_survives(3.0, 0.0, 6.0, 0.999) == 1);
    CHECK(plant_frame_survives(-3.0, 0.0, 6.0, 0.001) == 0);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(two_poles_are_the_cascade_of_one_pole_twice),
        PROMISE(the_slow_terms_are_linear_between_their_knots),
        PROMISE(the_radial_error_is_the_sum_of_the_squares),
        PROMISE(a_cloud_has_edges_of_a_second_and_its_full_depth_between),
        PROMISE(margins_are_taken_inside_the_trace),
        PROMISE(a_hold_is_found_once_the_mean_has_kept_its_side_long_enough),
        PROMISE(luck_is_a_counter_and_uniform),
        PROMISE(a_frame_in_the_middle_of_the_curve_survives_every_other_time),
    };

    KEEP(PROMISES);
    return 0;
}
