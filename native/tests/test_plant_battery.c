/* Cell and bus: every verdict, the energy ledger, the closed form of constant power. */
#include "check.h"
#include "plant_node.h"

#include <math.h>

/* A straight open-circuit curve in two pieces, 3 V empty to 4.2 V full: area by its integral. */
static struct plant_battery pack(void)
{
    return (struct plant_battery){
        .ocv = {.piece_count = 2,
                .knot = {0.0, 0.5, 1.0},
                .piece = {{3.0, 1.2, 0.0, 0.0, 0.0}, {3.6, 1.2, 0.0, 0.0, 1.65}}},
        .series = 6.0,
        .parallel = 2.0,
        .cell_capacity_ah = 3.5,
        .r0_ohm = 0.035,
        .r1_ohm = 0.020,
        .tau_s = 40.0,
        .activation_k = 20000.0 / 8.314462618,
        .charge_efficiency = 0.99,
        .charge_c_rate_max = 0.5,
        .cell_voltage_v_max = 4.2,
        .cell_voltage_v_min = 2.9,
        .charge_temp_k_min = 273.15,
        .capacity_loss_per_k = 0.2 / 35.0,
    };
}

static struct plant_battery_in at(double soc, double temp_k)
{
    return (struct plant_battery_in){
        .soc = soc, .temp_k = temp_k, .dt_s = 1.0, .capacity_scale = 1.0, .resistance_scale = 1.0};
}

static void the_curve_is_its_pieces_and_stops_at_its_ends(void)
{
    struct plant_battery b = pack();

    CHECK(fabs(plant_curve_value(&b.ocv, 0.25) - 3.3) < 1e-12);
    CHECK(fabs(plant_curve_value(&b.ocv, 0.75) - 3.9) < 1e-12);
    CHECK(plant_curve_value(&b.ocv, -1.0) == plant_curve_value(&b.ocv, 0.0));
    CHECK(plant_curve_value(&b.ocv, 2.0) == plant_curve_value(&b.ocv, 1.0));
    CHECK(fabs(plant_curve_integral(&b.ocv, 1.0) - 3.6) < 1e-12);
    CHECK(fabs(plant_curve_mean(&b.ocv, 0.2, 0.8) - 3.6) < 1e-12);
    CHECK(fabs(plant_curve_mean(&b.ocv, 0.5, 0.5) - 3.6) < 1e-12);
}

static void constant_power_has_the_lesser_root_or_none(void)
{
    CHECK(fabs(plant_constant_power_a(4.0, 0.1, 30.0) - 10.0) < 1e-12);
    CHECK(isnan(plant_constant_power_a(4.0, 0.1, 40.1)));
}

static void every_joule_of_a_step_is_accounted_for(void)
{
    struct plant_battery b = pack();

    for (double power_w = -60.0; power_w <= 120.0; power_w += 15.0) {
        struct plant_battery_in in = at(0.6, 290.0);
        struct plant_battery_out out;

        in.v1_v = 0.02;
        plant_battery_step(&b, &in, power_w, &out);
        CHECK(fabs(out.stored_j + out.heat_w + out.power_w) < 1e-9 * (1.0 + fabs(power_w)));
        CHECK(out.heat_w >= 0.0);
    }
}

static void each_verdict_is_reached_for_its_reason(void)
{
    struct plant_battery b = pack();
    struct plant_battery_out out;
    struct plant_battery_in in = at(0.6, 290.0);

    plant_battery_step(&b, &in, 50.0, &out);
    CHECK(out.verdict == PLANT_BATTERY_SUPPLIED && fabs(out.power_w - 50.0) < 1e-3);
    plant_battery_step(&b, &in, -1000.0, &out);
    CHECK(out.verdict == PLANT_BATTERY_LIMITED && out.power_w > -1000.0);
    plant_battery_step(&b, &in, 5000.0, &out);
    CHECK(out.verdict == PLANT_BATTERY_BROWN_OUT && out.current_a == 0.0);
    in = at(0.0, 290.0);
    plant_battery_step(&b, &in, 50.0, &out);
    CHECK(out.verdict == PLANT_BATTERY_BROWN_OUT && out.soc == 0.0);
    in = at(0.6, 270.0);
    plant_battery_step(&b, &in, -10.0, &out);
    CHECK(out.verdict == PLANT_BATTERY_TOO_COLD && out.current_a == 0.0);
    in = at(1.0, 290.0);
    plant_battery_step(&b, &in, -10.0, &out);
    CHECK(out.verdict == PLANT_BATTERY_LIMITED && out.soc <= 1.0);
    in = at(0.02, 250.0);
    plant_battery_step(&b, &in, 150.0, &out); /* the cell would sag below its least voltage */
    CHECK(out.verdict == PLANT_BATTERY_BROWN_OUT);
}

static void cold_and_wear_take_capacity_and_add_resistance(void)
{
    struct plant_battery b = pack();
    struct plant_battery_out warm, cold, worn;
    struct plant_battery_in in = at(0.6, 298.15);

    plant_battery_step(&b, &in, 40.0, &warm);
    in.temp_k = 278.15;
    plant_battery_step(&b, &in, 40.0, &cold);
    in = at(0.6, 298.15);
    in.capacity_scale = 0.7;
    in.resistance_scale = 3.0;
    plant_battery_step(&b, &in, 40.0, &worn);
    CHECK(cold.voltage_v < warm.voltage_v && worn.voltage_v < warm.voltage_v);
    CHECK(cold.soc < warm.soc && worn.soc < warm.soc);
}

static void the_bus_serves_curtails_or_goes_dark(void)
{
    struct plant_battery b = pack();
    struct plant_bus_out out;
    struct plant_battery_in in = at(0.6, 290.0);

    plant_bus_step(&b, &in, 40.0, 30.0, &out);
    CHECK(out.verdict == PLANT_BUS_SUPPLIED && out.served_w == 40.0);
    CHECK(fabs(out.array_w - 30.0) < 1e-3);
    in = at(1.0, 290.0);
    plant_bus_step(&b, &in, 10.0, 100.0, &out);
    CHECK(out.verdict == PLANT_BUS_CURTAILED && out.array_w < 100.0);
    in = at(0.0, 290.0);
    plant_bus_step(&b, &in, 40.0, 10.0, &out);
    CHECK(out.verdict == PLANT_BUS_BROWN_OUT && out.served_w == 0.0 && out.array_w > 0.0);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(the_curve_is_its_pieces_and_stops_at_its_ends),
        PROMISE(constant_power_has_the_lesser_root_or_none),
        PROMISE(every_joule_of_a_step_is_accounted_for),
        PROMISE(each_verdict_is_reached_for_its_reason),
        PROMISE(cold_and_wear_take_capacity_and_add_resistance),
        PROMISE(the_bus_serves_curtails_or_goes_dark),
    };

    KEEP(PROMISES);
    return 0;
}
