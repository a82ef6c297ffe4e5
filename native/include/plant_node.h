/*
 * The node's power and heat over one step: light, array, battery, bus, thermal network.
 *
 * Same promises as plant_kernels.h: scalar double arithmetic in one fixed order, no allocation,
 * no state of its own. This header is also a cffi definition: keep it free of macros.
 */
#ifndef PLANT_NODE_H
#define PLANT_NODE_H

#include <stdint.h>

#include "plant_kernels.h"

enum { PLANT_CURVE_PIECES_MAX = 16 };

/* A monotone curve: piece i starts at knot[i] and is c0 + u (c1 + u (c2 + u c3)), area before. */
struct plant_curve {
    int32_t piece_count; /* 1..16 */
    double knot[17];
    double piece[16][5]; /* c0 c1 c2 c3 area */
};

/* One cell and how many of them; units as in hil/plant/battery.py. */
struct plant_battery {
    struct plant_curve ocv;
    double series;
    double parallel;
    double cell_capacity_ah;
    double r0_ohm;
    double r1_ohm;
    double tau_s;
    double activation_k; /* Arrhenius energy over the gas constant */
    double charge_efficiency;
    double charge_c_rate_max;
    double cell_voltage_v_max;
    double cell_voltage_v_min;
    double charge_temp_k_min;
    double capacity_loss_per_k;
};

struct plant_battery_in {
    double soc;
    double v1_v;
    double temp_k;
    double dt_s;
    double capacity_scale;
    double resistance_scale;
};

enum {
    PLANT_BATTERY_SUPPLIED = 0,
    PLANT_BATTERY_LIMITED = 1,
    PLANT_BATTERY_TOO_COLD = 2,
    PLANT_BATTERY_BROWN_OUT = 3,
    PLANT_BUS_SUPPLIED = 0,
    PLANT_BUS_CURTAILED = 1,
    PLANT_BUS_BROWN_OUT = 2
};

/* Figures of the whole pack, means over the step, but for the state, which is the cell's. */
struct plant_battery_out {
    double soc;
    double v1_v;
    double current_a;
    double voltage_v;
    double power_w;
    double heat_w;
    double stored_j;
    int32_t verdict;
};

double plant_curve_value(const struct plant_curve *curve, double x);
double plant_curve_integral(const struct plant_curve *curve, double x);
double plant_curve_mean(const struct plant_curve *curve, double x0, double x1);

/*
 * Current of a source `emf_v` behind `r_ohm` that delivers `power_w`; NaN if none does.
 * The lesser root of r i^2 - emf i + p = 0, written so that it does not cancel.
 */
double plant_constant_power_a(double emf_v, double r_ohm, double power_w);

/* Draw `power_w` from the pack for a step, or charge it with what is below zero. */
void plant_battery_step(const struct plant_battery *battery, const struct plant_battery_in *in,
                        double power_w, struct plant_battery_out *out);

struct plant_bus_out {
    struct plant_battery_out battery;
    double array_w; /* taken from the tracker's output */
    double served_w;
    int32_t verdict;
};

/* Balance `load_w` against `array_w` available; the battery takes or gives the rest. */
void plant_bus_step(const struct plant_battery *battery, const struct plant_battery_in *in,
                    double load_w, double array_w, struct plant_bus_out *out);

/* The Sun as the Earth sees it: unit vector (equator of date) and distance. */
struct plant_sun {
    double x;
    double y;
    double z;
    double distance_au;
};

/* Low-precision formula of the Astronomical Almanac, days after 2000-01-01T12:00. */
void plant_sun_at(double days_j2000, struct plant_sun *sun);

/* Apparent radii of Sun and Earth and the angle between their centres, rad: three numbers. */
void plant_disc_angles(double x_km, double y_km, double z_km, const struct plant_sun *sun,
                       double *angles);

/* Fraction in 0..1 of the solar disc that the Earth leaves free (Montenbruck and Gill, 3.4.2). */
double plant_sunlit_fraction(double x_km, double y_km, double z_km, const struct plant_sun *sun);

/* What light and Earth put into each node: sun, albedo and infrared terms; returns their sum. */
struct plant_surfaces {
    int32_t node_count;
    double sun_m2[8];
    double day_m2[8];
    double infrared_w[8];
};

double plant_surface_heat(const struct plant_surfaces *surfaces, double direct_w_m2,
                          double day_w_m2, double *heat_w);

#endif
