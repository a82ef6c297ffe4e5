/* Products with the matrix of a linear programme, and its normal equations; see lp_iterate.h. */
#include "lp_iterate.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static const double regularisation = 1e-12;
static const int32_t refinements = 2;
static const double settled = 1e-11; /* of the right side: finer makes no better direction */

void lp_add_product(const struct lp_problem *p, const double *scale, const double *x, double *out)
{
    for (int32_t j = 0; j < p->column_count; j++) {
        const double by = scale == NULL ? x[j] : scale[j] * x[j];

        for (int32_t k = p->start[j]; k < p->start[j + 1]; k++) {
            out[p->row[k]] += p->value[k] * by;
        }
    }
}

void lp_factor_normal(struct lp_iterate *it)
{
    const struct lp_problem *p = it->p;

    band_clear(&it->normal);
    for (int32_t j = 0; j < p->column_count; j++) {
        for (int32_t k = p->start[j]; k < p->start[j + 1]; k++) {
            const double share = it->theta[j] * p->value[k];
            double *row = band_row(&it->normal, p->row[k]);

            for (int32_t q = p->start[j]; q <= k; q++) {
                row[p->row[q] - p->row[k]] += share * p->value[q];
            }
        }
    }
    for (int32_t i = 0; i < p->row_count; i++) {
        double *row = band_row(&it->normal, i);

        *row += regularisation * (*row + 1e-8);
    }
    band_factor(&it->normal);
}

void lp_solve_normal(struct lp_iterate *it)
{
    const struct lp_problem *p = it->p;

    memcpy(it->dy, it->rhs, sizeof(double) * (size_t)p->row_count);
    band_solve(&it->normal, it->dy);
    double size = 0.0;

    for (int32_t i = 0; i < p->row_count; i++) {
        size = fmax(size, fabs(it->rhs[i]));
    }
    for (int32_t round = 0; round < refinements; round++) {
        memcpy(it->left, it->rhs, sizeof(double) * (size_t)p->row_count);
        for (int32_t j = 0; j < p->column_count; j++) {
            const double by = it->theta[j] * lp_column_times(p, j, it->dy);

            for (int32_t k = p->start[j]; k < p->start[j + 1]; k++) {
                it->left[p->row[k]] -= p->value[k] * by;
            }
        }
        double residual = 0.0;

        for (int32_t i = 0; i < p->row_count; i++) {
            residual = fmax(residual, fabs(it->left[i]));
        }
        if (residual < settled * size) {
            return;
        }
        band_solve(&it->normal, it->left);
        for (int32_t i = 0; i < p->row_count; i++) {
            it->dy[i] += it->left[i];
        }
    }
}
