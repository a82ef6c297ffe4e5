/*
 * lp_banded.h - linear programmes whose rows follow each other in time, solved in place.
 *
 *     minimise c x   subject to   A x = b,  0 <= x <= u   (u may be infinite)
 *
 * A plan over time slots touches rows of one slot and the next, so A A' is a narrow band. The method
 * is Mehrotra's predictor-corrector interior point (Mehrotra, SIAM J. Optim. 2, 1992; Wright,
 * Primal-Dual Interior-Point Methods, 1997, chapters 10 and 11), its normal equations factored by a
 * banded Cholesky: time and memory grow with the number of slots, not with its square. Scalar double
 * arithmetic in one fixed order, built without contraction: the same input gives the same plan on
 * every machine of one C library. Nothing is allocated; there is no state between calls.
 */
#ifndef LUMENODE_LP_BANDED_H
#define LUMENODE_LP_BANDED_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum lp_status {
    LP_OPTIMAL = 0, /* both residuals and the gap are below the tolerance */
    LP_STALLED = 1, /* no further progress; the point is usable when its residuals say so */
    LP_LIMIT = 2,   /* iterations used up, likewise */
    LP_E_RANGE = -6 /* NULL, an index out of bounds or out of order, a value that is not finite */
};

/* The programme; every array is the caller's and is only read. Columns are stored one after the
 * other, the rows of each in rising order. */
struct lp_problem {
    int32_t column_count;
    int32_t row_count;
    int32_t bandwidth;    /* most rows between the first and the last of any column */
    const int32_t *start; /* column_count + 1 places in row[] and value[] */
    const int32_t *row;
    const double *value;
    const double *right; /* b */
    const double *cost;  /* c */
    const double *upper; /* u, > 0, may be infinite */
};

struct lp_answer {
    int32_t status; /* enum lp_status */
    int32_t iterations;
    double primal_cost;
    double dual_cost;
    double primal_residual; /* largest, absolute */
    double dual_residual;   /* largest, absolute */
};

/* Doubles of scratch that lp_solve() needs for these sizes; LP_E_RANGE for sizes below 1. */
int64_t lp_scratch_count(int32_t column_count, int32_t row_count, int32_t bandwidth);

/*
 * Solves. `x` (column_count) and `price` (row_count: what one more unit of b costs) are the caller's
 * and are written, as is `scratch` of lp_scratch_count() doubles. Ends at relative accuracy
 * `tolerance`, or after `iterations_max`.
 * @return answer->status. Time: iterations x (rows x bandwidth^2 + columns x rows a column^2).
 */
int32_t lp_solve(const struct lp_problem *problem, double tolerance, int32_t iterations_max,
                 double *x, double *price, double *scratch, struct lp_answer *answer);

#ifdef __cplusplus
}
#endif

#endif
