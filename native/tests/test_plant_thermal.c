/* The thermal network against its closed forms. */
#include "check.h"
#include "plant_kernels.h"

#include <math.h>

static const double sigma = 5.670374419e-8;

static struct plant_thermal_net pair(void)
{
    return (struct plant_thermal_net){
        .node_count = 2,
        .link_count = 1,
        .capacity_j_k = {100.0, 300.0},
        .link_a = {0},
        .link_b = {1},
        .link_w_k = {2.0},
    };
}

/* Two nodes without radiation: the difference decays with C1 C2 / (C1 + C2) / G. */
static void two_nodes_meet_by_the_exponential(void)
{
    struct plant_thermal_net net = pair();
    double temp_k[2] = {320.0, 280.0}, heat_w[2] = {0.0, 0.0}, radiated_j = 0.0;
    double tau_s = 100.0 * 300.0 / 400.0 / 2.0;

    CHECK(plant_thermal_step(&net, temp_k, heat_w, 0.5, 75, &radiated_j) == 0);
    CHECK(fabs(temp_k[0] - temp_k[1] - 40.0 * exp(-37.5 / tau_s)) < 1e-6);
    CHECK(fabs(100.0 * temp_k[0] + 300.0 * temp_k[1] - (32000.0 + 84000.0)) < 1e-8);
    CHECK(radiated_j == 0.0);
}

static void a_radiator_settles_where_it_radiates_what_it_gets(void)
{
    struct plant_thermal_net net = {
        .node_count = 1, .capacity_j_k = {50.0}, .emission_w_k4 = {0.88 * 0.25 * sigma}};
    double temp_k[1] = {250.0}, heat_w[1] = {90.0}, radiated_j = 0.0, stored_j;

    CHECK(plant_thermal_step(&net, temp_k, heat_w, 1.0, 20000, &radiated_j) == 0);
    CHECK(fabs(temp_k[0] - pow(90.0 / (0.88 * 0.25 * sigma), 0.25)) < 1e-9);
    stored_j = 50.0 * (temp_k[0] - 250.0);
    CHECK(fabs(90.0 * 20000.0 - radiated_j - stored_j) < 1e-9 * 90.0 * 20000.0);
}

static void a_network_that_cannot_be_is_refused_and_nothing_moves(void)
{
    struct plant_thermal_net net = pair();
    double temp_k[2] = {300.0, 300.0}, heat_w[2] = {1.0, 1.0}, radiated_j = 5.0;

    net.link_b[0] = 2;
    CHECK(plant_thermal_step(&net, temp_k, heat_w, 1.0, 1, &radiated_j) == PLANT_E_RANGE);
    net = pair();
    net.node_count = PLANT_NODES_MAX + 1;
    CHECK(plant_thermal_step(&net, temp_k, heat_w, 1.0, 1, &radiated_j) == PLANT_E_RANGE);
    net = pair();
    CHECK(plant_thermal_step(&net, temp_k, heat_w, (double)NAN, 1, &radiated_j) == PLANT_E_RANGE);
    CHECK(plant_thermal_step(&net, temp_k, heat_w, 1.0, -1, &radiated_j) == PLANT_E_RANGE);
    CHECK(plant_thermal_step(&net, temp_k, heat_w, 1.0, 0, &radiated_j) == 0);
    CHECK(temp_k[0] == 300.0 && temp_k[1] == 300.0 && radiated_j == 5.0);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(two_nodes_meet_by_the_exponential),
        PROMISE(a_radiator_settles_where_it_radiates_what_it_gets),
        PROMISE(a_network_that_cannot_be_is_refused_and_nothing_moves),
    };

    KEEP(PROMISES);
    return 0;
}
