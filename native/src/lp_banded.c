/* Primal-dual interior point for linear programmes with a banded A A'; see lp_banded.h. */
#include "lp_banded.h"

#include "lp_iterate.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* Least-squares point and prices, moved off the bounds (Mehrotra's start, simplified). */
static void begin(struct lp_iterate *it)
{
    const struct lp_problem *p = it->p;
    double largest = 0.0;

    for (int32_t j = 0; j < p->column_count; j++) {
        it->theta[j] = 1.0;
        it->x[j] = lp_bounded(p, j) ? 0.5 * p->upper[j] : 0.0;
        largest = fmax(largest, fabs(p->cost[j]));
    }
    lp_factor_normal(it);
    memset(it->rhs, 0, sizeof(double) * (size_t)p->row_count);
    lp_add_product(p, NULL, it->x, it->rhs);
    for (int32_t i = 0; i < p->row_count; i++) {
        it->rhs[i] = p->right[i] - it->rhs[i];
        it->y[i] = 0.0;
    }
    band_solve(&it->normal, it->rhs);
    lp_add_product(p, NULL, p->cost, it->y);
    band_solve(&it->normal, it->y);
    for (int32_t j = 0; j < p->column_count; j++) {
        const double reduced = p->cost[j] - lp_column_times(p, j, it->y);
        const double least = 1e-2 * (1.0 + largest);

        it->x[j] += lp_column_times(p, j, it->rhs);
        it->z[j] = fmax(reduced, 0.0) + least;
        it->v[j] = lp_bounded(p, j) ? fmax(-reduced, 0.0) + least : 0.0;
        if (lp_bounded(p, j)) {
            const double off = fmin(1.0, 0.1 * p->upper[j]);

            it->x[j] = fmin(fmax(it->x[j], off), p->upper[j] - off);
            it->w[j] = p->upper[j] - it->x[j];
        } else {
            it->x[j] = fmax(it->x[j], 1.0);
            it->w[j] = 1.0;
        }
    }
}

/* Residuals, gap and mu at the point; whether it is good enough. */
static int measure(struct lp_iterate *it, double tolerance, struct lp_answer *answer)
{
    const struct lp_problem *p = it->p;
    double primal = 0.0, dual = 0.0, worst_p = 0.0, worst_d = 0.0, size_b = 1.0, size_c = 1.0;

    it->mu = 0.0;
    memset(it->rp, 0, sizeof(double) * (size_t)p->row_count);
    lp_add_product(p, NULL, it->x, it->rp);
    for (int32_t i = 0; i < p->row_count; i++) {
        it->rp[i] = p->right[i] - it->rp[i];
        worst_p = fmax(worst_p, fabs(it->rp[i]));
        size_b = fmax(size_b, fabs(p->right[i]));
        dual += p->right[i] * it->y[i];
    }
    for (int32_t j = 0; j < p->column_count; j++) {
        it->rd[j] = p->cost[j] - lp_column_times(p, j, it->y) - it->z[j] + it->v[j];
        worst_d = fmax(worst_d, fabs(it->rd[j]));
        size_c = fmax(size_c, fabs(p->cost[j]));
        primal += p->cost[j] * it->x[j];
        it->mu += it->x[j] * it->z[j];
        if (lp_bounded(p, j)) {
            dual -= p->upper[j] * it->v[j];
            it->mu += it->w[j] * it->v[j];
        }
    }
    it->mu /= (double)it->pairs;
    it->mu_least = 0.1 * tolerance * (1.0 + fabs(primal)) / (double)it->pairs;
    answer->primal_cost = primal;
    answer->dual_cost = dual;
    answer->primal_residual = worst_p;
    answer->dual_residual = worst_d;
    return fabs(primal - dual) < tolerance * (1.0 + fabs(primal)) && worst_p < tolerance * size_b &&
           worst_d < tolerance * size_c;
}

static int sound(const struct lp_problem *p)
{
    if (p->column_count < 1 || p->row_count < 1 || p->bandwidth < 0 || p->start[0] != 0) {
        return 0;
    }
    for (int32_t j = 0; j < p->column_count; j++) {
        const int32_t from = p->start[j], end = p->start[j + 1];

        if (end < from || !(p->upper[j] > 0.0) || !isfinite(p->cost[j])) {
            return 0;
        }
        for (int32_t k = from; k < end; k++) {
            if (p->row[k] < 0 || p->row[k] >= p->row_count || !isfinite(p->value[k]) ||
                (k > from && p->row[k] <= p->row[k - 1]) ||
                p->row[k] - p->row[from] > p->bandwidth) {
                return 0;
            }
        }
    }
    for (int32_t i = 0; i < p->row_count; i++) {
        if (!isfinite(p->right[i])) {
            return 0;
        }
    }
    return 1;
}

#define COLUMN_ARRAYS 12
#define ROW_ARRAYS    4

int64_t lp_scratch_count(int32_t column_count, int32_t row_count, int32_t bandwidth)
{
    if (column_count < 1 || row_count < 1 || bandwidth < 0) {
        return LP_E_RANGE;
    }
    return (int64_t)column_count * COLUMN_ARRAYS +
           (int64_t)row_count * (ROW_ARRAYS + (int64_t)bandwidth + 1);
}

static void lay_out(struct lp_iterate *it, double *scratch)
{
    double **columns[] = {&it->w,  &it->z,  &it->v,  &it->dx,    &it->dw,   &it->dz,
                          &it->dv, &it->xz, &it->wv, &it->theta, &it->pull, &it->rd};
    double **rows[ROW_ARRAYS] = {&it->dy, &it->rp, &it->rhs, &it->left};

    for (size_t i = 0; i < COLUMN_ARRAYS; i++) {
        *columns[i] = scratch;
        scratch += it->p->column_count;
    }
    for (size_t i = 0; i < ROW_ARRAYS; i++) {
        *rows[i] = scratch;
        scratch += it->p->row_count;
    }
    it->normal = (struct band_matrix){it->p->row_count, it->p->bandwidth, scratch};
}

int32_t lp_solve(const struct lp_problem *problem, double tolerance, int32_t iterations_max,
                 double *x, double *price, double *scratch, struct lp_answer *answer)
{
    if (problem == NULL || x == NULL || price == NULL || scratch == NULL || answer == NULL ||
        !(tolerance > 0.0) || !sound(problem)) {
        return LP_E_RANGE;
    }
    struct lp_iterate it = {.p = problem, .x = x, .y = price, .pairs = problem->column_count};

    for (int32_t j = 0; j < problem->column_count; j++) {
        it.pairs += lp_bounded(problem, j) ? 1 : 0;
    }
    lay_out(&it, scratch);
    begin(&it);
    *answer = (struct lp_answer){.status = LP_LIMIT};
    while (!measure(&it, tolerance, answer)) {
        if (answer->iterations >= iterations_max) {
            return answer->status;
        }
        if (!lp_advance(&it)) {
            answer->status = LP_STALLED;
            return answer->status;
        }
        answer->iterations++;
    }
    answer->status = LP_OPTIMAL;
    return answer->status;
}
