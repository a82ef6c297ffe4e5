/*
 * The bench's plant kernels: what the plant does a thousand times a second.
 *
 * Scalar double arithmetic in one fixed order, built without contraction, so that the same
 * inputs give the same bits on every machine of one C library. Nothing here allocates, keeps
 * state of its own or calls back; every buffer belongs to the caller and lives for the call.
 * This header is also the cffi definition: keep it free of macros.
 */
#ifndef PLANT_KERNELS_H
#define PLANT_KERNELS_H

#include <stdint.h>

enum {
    PLANT_NODES_MAX = 8,
    PLANT_LINKS_MAX = 16,
    PLANT_KNOT_MS = 1000, /* samples between two knots of a channel's slow terms */
    PLANT_BOXCAR_MS = 50, /* window of the mean the tracking loop looks at */
    PLANT_E_RANGE = -6    /* an argument is outside its range; nothing was written */
};

/* A lumped thermal network. Entries past the counts are not read. */
struct plant_thermal_net {
    int32_t node_count;
    int32_t link_count;
    double capacity_j_k[8];  /* heat capacity of each node, > 0 */
    double emission_w_k4[8]; /* emissivity x area x sigma of each node, 0 = does not radiate */
    int32_t link_a[16];      /* the two nodes that each link joins */
    int32_t link_b[16];
    double link_w_k[16]; /* conductance of each link */
};

/*
 * Advance `temp_k` by `steps` classical Runge-Kutta steps of `dt_s` under constant `heat_w`.
 * `radiated_j` grows by the heat radiated, integrated by the same rule, so that
 * sum(C dT) = sum(Q) t - radiated holds to rounding. Returns 0 or PLANT_E_RANGE.
 */
int32_t plant_thermal_step(const struct plant_thermal_net *net, double *temp_k,
                           const double *heat_w, double dt_s, int32_t steps, double *radiated_j);

/*
 * Filter white unit samples in place through two equal poles and a gain:
 * x1 = pole x1 + w; x2 = pole x2 + x1; out = gain x2. `state` is {x1, x2}.
 */
void plant_two_pole(double pole, double gain, double *state, double *samples, int64_t count);

/*
 * Margin without pointing loss, one sample a millisecond:
 * out = base + scale z - shift, the three slow terms linear between knots PLANT_KNOT_MS apart.
 * `base_db`, `scale_db` and `shift_db` hold count / PLANT_KNOT_MS + 2 knots.
 */
void plant_clear_margin(const double *base_db, const double *scale_db, const double *shift_db,
                        const double *z, float *out_db, int64_t count);

/* Squared radial pointing error of two unit axes: out = x^2 + y^2. */
void plant_radial_square(const double *x, const double *y, float *out, int64_t count);

/*
 * Lower `margin_db` by `depth_db` times the covered share of a one-second window centred on
 * each sample, for a cloud from `start_ms` to `end_ms` (sample indices, fractions allowed).
 * Clouds must not overlap.
 */
void plant_apply_cloud(float *margin_db, int64_t count, double start_ms, double end_ms,
                       double depth_db);

/* One direction of a contact: margin(i) = clear_db[i] - jitter_db * radial2[i] - extra_db. */
struct plant_channel {
    const float *clear_db;
    const float *radial2; /* NULL: this direction has no pointing loss of its own */
    int64_t count;
    double jitter_db; /* loss per unit of radial2 */
    double extra_db;  /* loss a fault adds, everywhere */
};

/* Lowest margin over samples first..last, both clamped into the trace. */
double plant_worst_margin(const struct plant_channel *channel, int64_t first, int64_t last);

/* Mean margin over samples first..last, both clamped into the trace. */
double plant_mean_margin(const struct plant_channel *channel, int64_t first, int64_t last);

/*
 * First sample in first..last-1 at which the boxcar mean has been below `threshold_db`
 * (or, when `above` is not 0, at or above it) for `hold_ms` samples running; -1 if none.
 * `run_ms` carries the run from call to call.
 */
int64_t plant_first_hold(const struct plant_channel *channel, int64_t first, int64_t last,
                         double threshold_db, int32_t above, int32_t hold_ms, int32_t *run_ms);

/* Uniform number in [0, 1) of (seed, index): a counter, not a stream (SplitMix64). */
double plant_uniform(uint64_t seed, uint64_t index);

/* 1 if a frame whose worst margin is `margin_db` decodes: logistic of `slope_per_db`. */
int32_t plant_frame_survives(double margin_db, double middle_db, double slope_per_db,
                             double uniform);

#endif
