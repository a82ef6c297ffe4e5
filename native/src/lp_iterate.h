/*
 * lp_iterate.h - the point of an interior-point method on its way, shared by the files that make the
 * method up: lp_banded.c begins and ends it, lp_step.c moves it, lp_normal.c solves for the move.
 *
 * Names: x and its slack w = u - x; duals z of x >= 0, v of w >= 0, y of A x = b. A column without
 * an upper bound has no w and no v. theta = 1 / (z / x + v / w) weighs the normal equations.
 */
#ifndef LUMENODE_LP_ITERATE_H
#define LUMENODE_LP_ITERATE_H

#include "band_matrix.h"
#include "lp_banded.h"

#include <math.h>

struct lp_iterate {
    const struct lp_problem *p;
    double *x, *w, *z, *v, *y;      /* the point */
    double *dx, *dw, *dz, *dv, *dy; /* the direction */
    double *theta, *pull, *rd;      /* pull: right side of the columns; rd: dual residual */
    double *xz, *wv;                /* products of the predictor, for the corrector */
    double *rp, *rhs, *left;        /* left: residual of the normal equations */
    struct band_matrix normal;      /* A theta A' */
    double mu;
    double mu_least; /* less would only cost the normal equations their accuracy */
    int32_t pairs;   /* complementary pairs */
};

/* Whether column j has an upper bound. */
static inline int lp_bounded(const struct lp_problem *p, int32_t j)
{
    return p->upper[j] < (double)INFINITY;
}

/* out += A (scale x), element by element; `scale` may be NULL for ones. */
void lp_add_product(const struct lp_problem *p, const double *scale, const double *x, double *out);

/* Column j of A times y. */
static inline double lp_column_times(const struct lp_problem *p, int32_t j, const double *y)
{
    double sum = 0.0;

    for (int32_t k = p->start[j]; k < p->start[j + 1]; k++) {
        sum += p->value[k] * y[p->row[k]];
    }
    return sum;
}

/* A theta A', factored into `normal`. */
void lp_factor_normal(struct lp_iterate *it);

/* dy from rhs; refined, since theta spans many decades near the end. */
void lp_solve_normal(struct lp_iterate *it);

/* One predictor and one corrector; whether there was progress. */
int lp_advance(struct lp_iterate *it);

#endif
