/* The battery and the bus: one cell solved for constant mean power over a step, N x M times. */
#include <math.h>

#include "plant_node.h"

static const double reference_k = 298.15;
static const int solves = 2; /* each cuts the source voltage's error by 1e-4 or better */

static double clamped(const struct plant_curve *curve, double x)
{
    const double last = curve->knot[curve->piece_count];
    const double from = x < curve->knot[0] ? curve->knot[0] : x;
    return from > last ? last : from;
}

static int32_t piece_of(const struct plant_curve *curve, double x)
{
    int32_t i = 0;
    while (i < curve->piece_count - 1 && x >= curve->knot[i + 1]) {
        i++;
    }
    return i;
}

double plant_curve_value(const struct plant_curve *curve, double x)
{
    const int32_t i = piece_of(curve, x);
    const double *c = curve->piece[i];
    const double u = clamped(curve, x) - curve->knot[i];
    return c[0] + u * (c[1] + u * (c[2] + u * c[3]));
}

double plant_curve_integral(const struct plant_curve *curve, double x)
{
    const int32_t i = piece_of(curve, x);
    const double *c = curve->piece[i];
    const double u = clamped(curve, x) - curve->knot[i];
    return c[4] + u * (c[0] + u * (c[1] / 2.0 + u * (c[2] / 3.0 + u * c[3] / 4.0)));
}

double plant_curve_mean(const struct plant_curve *curve, double x0, double x1)
{
    if (fabs(x1 - x0) < 1.0e-9) {
        return plant_curve_value(curve, 0.5 * (x0 + x1));
    }
    return (plant_curve_integral(curve, x1) - plant_curve_integral(curve, x0)) / (x1 - x0);
}

/* Cell quantities that hold for one step. */
struct cell {
    double ohmic_ohm;
    double pair_ohm;
    double decay;
    double share; /* mean of the RC decay over the step */
    double capacity_as;
    double dt_s;
    double resistance_ohm; /* of the source as the mean of the step sees it */
};

static struct cell prepare(const struct plant_battery *b, const struct plant_battery_in *in)
{
    struct cell at;
    const double warm = exp(b->activation_k * (1.0 / in->temp_k - 1.0 / reference_k));
    const double cold_k = fmax(0.0, reference_k - in->temp_k);
    const double left = fmax(0.5, 1.0 - b->capacity_loss_per_k * cold_k) * in->capacity_scale;
    at.decay = exp(-in->dt_s / b->tau_s);
    at.ohmic_ohm = b->r0_ohm * warm * in->resistance_scale;
    at.pair_ohm = b->r1_ohm * warm * in->resistance_scale;
    at.share = b->tau_s * (1.0 - at.decay) / in->dt_s;
    at.capacity_as = 3600.0 * b->cell_capacity_ah * left;
    at.dt_s = in->dt_s;
    at.resistance_ohm = at.ohmic_ohm + at.pair_ohm * (1.0 - at.share);
    return at;
}

double plant_constant_power_a(double emf_v, double r_ohm, double power_w)
{
    const double discriminant = emf_v * emf_v - 4.0 * r_ohm * power_w;
    return discriminant < 0.0 ? (double)NAN : 2.0 * power_w / (emf_v + sqrt(discriminant));
}

/* Source voltage in the middle of the step, were there no resistance. */
static double first_source_v(const struct plant_battery *b, double soc, double power_w,
                             const struct cell *at)
{
    const double half_as = 0.5 * power_w / plant_curve_value(&b->ocv, soc) * at->dt_s;
    return plant_curve_value(&b->ocv, soc - half_as / at->capacity_as);
}

static double efficiency_of(const struct plant_battery *b, double current_a)
{
    return current_a > 0.0 ? 1.0 : b->charge_efficiency;
}

static double soc_after(const struct plant_battery *b, double soc, double current_a,
                        const struct cell *at)
{
    return soc - efficiency_of(b, current_a) * current_a * at->dt_s / at->capacity_as;
}

/* Carry a constant cell current through the step and account for every joule. */
static void settle(const struct plant_battery *b, const struct plant_battery_in *in,
                   double current_a, int32_t verdict, const struct cell *at,
                   struct plant_battery_out *out)
{
    const double efficiency = efficiency_of(b, current_a);
    const double soc = soc_after(b, in->soc, current_a, at);
    const double source_v = plant_curve_mean(&b->ocv, in->soc, soc);
    const double final_v = at->pair_ohm * current_a;
    const double swing_v = in->v1_v - final_v;
    const double v1_v = final_v + at->decay * swing_v;
    const double mean_v1 = final_v + at->share * swing_v;
    const double mean_square = final_v * final_v + 2.0 * final_v * swing_v * at->share +
                               swing_v * swing_v * at->share * 0.5 * (1.0 + at->decay);
    const double heat_w = current_a * current_a * at->ohmic_ohm + mean_square / at->pair_ohm +
                          (efficiency - 1.0) * current_a * source_v;
    const double pair_f = b->tau_s / at->pair_ohm;
    const double stored_j = -efficiency * current_a * at->dt_s * source_v +
                            0.5 * pair_f * (v1_v * v1_v - in->v1_v * in->v1_v);
    const double voltage_v = source_v - current_a * at->ohmic_ohm - mean_v1;
    const double cells = b->series * b->parallel;
    out->soc = fmin(1.0, fmax(0.0, soc));
    out->v1_v = v1_v;
    out->current_a = current_a * b->parallel;
    out->voltage_v = voltage_v * b->series;
    out->power_w = voltage_v * current_a * cells;
    out->heat_w = heat_w * cells;
    out->stored_j = stored_j * cells;
    out->verdict = verdict;
}

static void discharge(const struct plant_battery *b, const struct plant_battery_in *in,
                      double power_w, const struct cell *at, struct plant_battery_out *out)
{
    double source_v = first_source_v(b, in->soc, power_w, at);
    double current_a = 0.0;
    for (int i = 0; i < solves; i++) {
        const double emf_v = source_v - at->share * in->v1_v;
        const double root_a = plant_constant_power_a(emf_v, at->resistance_ohm, power_w);
        if (isnan(root_a) || root_a * at->dt_s > in->soc * at->capacity_as) {
            settle(b, in, 0.0, PLANT_BATTERY_BROWN_OUT, at, out);
            return;
        }
        current_a = root_a;
        source_v = plant_curve_mean(&b->ocv, in->soc, soc_after(b, in->soc, current_a, at));
    }
    if (power_w < current_a * b->cell_voltage_v_min) {
        settle(b, in, 0.0, PLANT_BATTERY_BROWN_OUT, at, out);
        return;
    }
    settle(b, in, current_a, PLANT_BATTERY_SUPPLIED, at, out);
}

static void charge(const struct plant_battery *b, const struct plant_battery_in *in, double power_w,
                   const struct cell *at, struct plant_battery_out *out)
{
    const double room_a = (1.0 - in->soc) * at->capacity_as / (b->charge_efficiency * at->dt_s);
    const double rate_a = b->charge_c_rate_max * at->capacity_as / 3600.0;
    const double most_a = fmax(0.0, fmin(room_a, rate_a));
    double source_v = first_source_v(b, in->soc, -power_w, at);
    double current_a = 0.0;
    int32_t verdict = PLANT_BATTERY_SUPPLIED;
    for (int i = 0; i < solves; i++) {
        const double emf_v = source_v - at->share * in->v1_v;
        const double taper_a = fmax(0.0, (b->cell_voltage_v_max - emf_v) / at->resistance_ohm);
        const double root_a = plant_constant_power_a(emf_v, at->resistance_ohm, -power_w);
        const double wanted_a = isnan(root_a) ? -0.0 : -root_a;
        current_a = -fmin(fmin(wanted_a, most_a), taper_a);
        verdict = -current_a == wanted_a ? PLANT_BATTERY_SUPPLIED : PLANT_BATTERY_LIMITED;
        source_v = plant_curve_mean(&b->ocv, in->soc, soc_after(b, in->soc, current_a, at));
    }
    settle(b, in, current_a, verdict, at, out);
}

void plant_battery_step(const struct plant_battery *battery, const struct plant_battery_in *in,
                        double power_w, struct plant_battery_out *out)
{
    const struct cell at = prepare(battery, in);
    const double cell_w = power_w / (battery->series * battery->parallel);
    if (power_w > 0.0) {
        discharge(battery, in, cell_w, &at, out);
    } else if (power_w < 0.0 && in->temp_k < battery->charge_temp_k_min) {
        settle(battery, in, 0.0, PLANT_BATTERY_TOO_COLD, &at, out);
    } else {
        charge(battery, in, -cell_w, &at, out);
    }
}

void plant_bus_step(const struct plant_battery *battery, const struct plant_battery_in *in,
                    double load_w, double array_w, struct plant_bus_out *out)
{
    plant_battery_step(battery, in, load_w - array_w, &out->battery);
    if (out->battery.verdict == PLANT_BATTERY_BROWN_OUT) {
        plant_battery_step(battery, in, -array_w, &out->battery);
        out->array_w = -out->battery.power_w;
        out->served_w = 0.0;
        out->verdict = PLANT_BUS_BROWN_OUT;
        return;
    }
    out->array_w = load_w - out->battery.power_w;
    out->served_w = load_w;
    out->verdict =
        out->battery.verdict == PLANT_BATTERY_SUPPLIED ? PLANT_BUS_SUPPLIED : PLANT_BUS_CURTAILED;
}
