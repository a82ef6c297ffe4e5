/* Optical channel at one sample a millisecond: fading, pointing loss, clouds, frame fates. */
#include <math.h>
#include <stddef.h>

#include "plant_kernels.h"

void plant_two_pole(double pole, double gain, double *state, double *samples, int64_t count)
{
    double x1 = state[0];
    double x2 = state[1];
    for (int64_t i = 0; i < count; i++) {
        x1 = pole * x1 + samples[i];
        x2 = pole * x2 + x1;
        samples[i] = gain * x2;
    }
    state[0] = x1;
    state[1] = x2;
}

void plant_clear_margin(const double *base_db, const double *scale_db, const double *shift_db,
                        const double *z, float *out_db, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        const int64_t k = i / PLANT_KNOT_MS;
        const double u = (double)(i - k * PLANT_KNOT_MS) / (double)PLANT_KNOT_MS;
        const double base = base_db[k] + u * (base_db[k + 1] - base_db[k]);
        const double scale = scale_db[k] + u * (scale_db[k + 1] - scale_db[k]);
        const double shift = shift_db[k] + u * (shift_db[k + 1] - shift_db[k]);
        out_db[i] = (float)(base + scale * z[i] - shift);
    }
}

void plant_radial_square(const double *x, const double *y, float *out, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        out[i] = (float)(x[i] * x[i] + y[i] * y[i]);
    }
}

void plant_apply_cloud(float *margin_db, int64_t count, double start_ms, double end_ms,
                       double depth_db)
{
    const double half = 0.5 * (double)PLANT_KNOT_MS;
    const double from = fmax(0.0, floor(start_ms - half));
    const double upto = fmin((double)count, ceil(end_ms + half));
    for (int64_t i = (int64_t)from; (double)i < upto; i++) {
        const double low = fmax(start_ms, (double)i - half);
        const double high = fmin(end_ms, (double)i + half);
        if (high > low) {
            margin_db[i] -= (float)(depth_db * (high - low) / (double)PLANT_KNOT_MS);
        }
    }
}

static double margin_at(const struct plant_channel *channel, int64_t i)
{
    double margin_db = (double)channel->clear_db[i] - channel->extra_db;
    if (channel->radial2 != NULL) {
        margin_db -= channel->jitter_db * (double)channel->radial2[i];
    }
    return margin_db;
}

static int64_t clamp(const struct plant_channel *channel, int64_t i)
{
    if (i < 0) {
        return 0;
    }
    return i < channel->count ? i : channel->count - 1;
}

double plant_worst_margin(const struct plant_channel *channel, int64_t first, int64_t last)
{
    const int64_t end = clamp(channel, last);
    int64_t i = clamp(channel, first);
    double worst_db = margin_at(channel, i);
    for (i++; i <= end; i++) {
        worst_db = fmin(worst_db, margin_at(channel, i));
    }
    return worst_db;
}

double plant_mean_margin(const struct plant_channel *channel, int64_t first, int64_t last)
{
    const int64_t start = clamp(channel, first);
    const int64_t end = clamp(channel, last);
    double sum_db = 0.0;
    for (int64_t i = start; i <= end; i++) {
        sum_db += margin_at(channel, i);
    }
    return end < start ? margin_at(channel, start) : sum_db / (double)(end - start + 1);
}

int64_t plant_first_hold(const struct plant_channel *channel, int64_t first, int64_t last,
                         double threshold_db, int32_t above, int32_t hold_ms, int32_t *run_ms)
{
    const int64_t start = first < 0 ? 0 : first;
    const int64_t end = last < channel->count ? last : channel->count;
    if (start >= end) {
        return -1;
    }
    int64_t tail = start - PLANT_BOXCAR_MS + 1;
    if (tail < 0) {
        tail = 0;
    }
    double sum_db = 0.0;
    for (int64_t i = tail; i < start; i++) {
        sum_db += margin_at(channel, i);
    }
    for (int64_t i = start; i < end; i++) {
        sum_db += margin_at(channel, i);
        const int64_t in_box = i - tail + 1;
        const int holds = (sum_db < threshold_db * (double)in_box) != (above != 0);
        if (in_box >= PLANT_BOXCAR_MS) {
            sum_db -= margin_at(channel, tail);
            tail++;
        }
        *run_ms = holds ? *run_ms + 1 : 0;
        if (*run_ms >= hold_ms) {
            return i;
        }
    }
    return -1;
}

double plant_uniform(uint64_t seed, uint64_t index)
{
    uint64_t z = seed + (index + 1U) * UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    z ^= z >> 31;
    return (double)(z >> 11) * 0x1p-53;
}

int32_t plant_frame_survives(double margin_db, double middle_db, double slope_per_db,
                             double uniform)
{
    return uniform < 1.0 / (1.0 + exp(-slope_per_db * (margin_db - middle_db)));
}
