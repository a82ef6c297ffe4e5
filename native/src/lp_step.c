/* One step of the interior point: predictor, centring, corrector, move; see lp_iterate.h. */
#include "lp_iterate.h"

#include <math.h>
#include <string.h>

static const double step_back = 0.9995; /* of the way to the nearest bound */
static const double step_least = 1e-10;

/* Direction for complementarity `sigma` mu; the corrector takes the predictor's products off. */
static void direct(struct lp_iterate *it, double sigma, int corrector)
{
    const struct lp_problem *p = it->p;
    const double target = fmax(sigma * it->mu, it->mu_least);

    for (int32_t j = 0; j < p->column_count; j++) {
        double low = -it->x[j] * it->z[j];
        double high = lp_bounded(p, j) ? -it->w[j] * it->v[j] : 0.0;
        const double gap = lp_bounded(p, j) ? p->upper[j] - it->x[j] - it->w[j] : 0.0;

        if (corrector) {
            low += target - it->xz[j];
            high += lp_bounded(p, j) ? target - it->wv[j] : 0.0;
        }
        it->pull[j] = it->rd[j] - low / it->x[j];
        if (lp_bounded(p, j)) {
            it->pull[j] += (high - it->v[j] * gap) / it->w[j];
        }
        it->dz[j] = low;
        it->dv[j] = high;
        it->dw[j] = gap;
    }
    memcpy(it->rhs, it->rp, sizeof(double) * (size_t)p->row_count);
    lp_add_product(p, it->theta, it->pull, it->rhs);
    lp_solve_normal(it);
    for (int32_t j = 0; j < p->column_count; j++) {
        it->dx[j] = it->theta[j] * (lp_column_times(p, j, it->dy) - it->pull[j]);
        it->dz[j] = (it->dz[j] - it->z[j] * it->dx[j]) / it->x[j];
        if (lp_bounded(p, j)) {
            it->dw[j] -= it->dx[j];
            it->dv[j] = (it->dv[j] - it->v[j] * it->dw[j]) / it->w[j];
        }
    }
}

static double reach(double limit, double value, double change)
{
    return change < 0.0 ? fmin(limit, -value / change) : limit;
}

/* How far both sides can go before something turns negative, at most 1. */
static void reaches(const struct lp_iterate *it, double *primal, double *dual)
{
    *primal = 1.0;
    *dual = 1.0;
    for (int32_t j = 0; j < it->p->column_count; j++) {
        *primal = reach(*primal, it->x[j], it->dx[j]);
        *dual = reach(*dual, it->z[j], it->dz[j]);
        if (lp_bounded(it->p, j)) {
            *primal = reach(*primal, it->w[j], it->dw[j]);
            *dual = reach(*dual, it->v[j], it->dv[j]);
        }
    }
}

/* The predictor's outlook decides how much centring the corrector gets. */
static double centring(struct lp_iterate *it, double primal, double dual)
{
    double ahead = 0.0;

    for (int32_t j = 0; j < it->p->column_count; j++) {
        ahead += (it->x[j] + primal * it->dx[j]) * (it->z[j] + dual * it->dz[j]);
        it->xz[j] = it->dx[j] * it->dz[j];
        if (lp_bounded(it->p, j)) {
            ahead += (it->w[j] + primal * it->dw[j]) * (it->v[j] + dual * it->dv[j]);
            it->wv[j] = it->dw[j] * it->dv[j];
        }
    }
    const double ratio = ahead / (double)it->pairs / it->mu;

    return ratio * ratio * ratio;
}

static void move(struct lp_iterate *it, double primal, double dual)
{
    for (int32_t j = 0; j < it->p->column_count; j++) {
        it->x[j] += primal * it->dx[j];
        it->z[j] += dual * it->dz[j];
        if (lp_bounded(it->p, j)) {
            it->w[j] += primal * it->dw[j];
            it->v[j] += dual * it->dv[j];
        }
    }
    for (int32_t i = 0; i < it->p->row_count; i++) {
        it->y[i] += dual * it->dy[i];
    }
}

int lp_advance(struct lp_iterate *it)
{
    const struct lp_problem *p = it->p;
    double primal, dual;

    for (int32_t j = 0; j < p->column_count; j++) {
        const double upper = lp_bounded(p, j) ? it->v[j] / it->w[j] : 0.0;

        it->theta[j] = 1.0 / (it->z[j] / it->x[j] + upper);
    }
    lp_factor_normal(it);
    direct(it, 0.0, 0);
    reaches(it, &primal, &dual);
    direct(it, centring(it, primal, dual), 1);
    reaches(it, &primal, &dual);
    if (!(primal > step_least || dual > step_least)) {
        return 0;
    }
    move(it, fmin(1.0, step_back * primal), fmin(1.0, step_back * dual));
    return 1;
}
