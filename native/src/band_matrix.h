/*
 * band_matrix.h - a symmetric positive definite matrix whose entries lie in a band, and its Cholesky
 * factor in the same place (Golub and Van Loan, Matrix Computations, 4.3.5).
 */
#ifndef LUMENODE_BAND_MATRIX_H
#define LUMENODE_BAND_MATRIX_H

#include <stddef.h>
#include <stdint.h>

/* Row i holds its columns i - bandwidth to i, one after the other; those before 0 are not used. */
struct band_matrix {
    int32_t rows;
    int32_t bandwidth;
    double *entries; /* rows x (bandwidth + 1), the caller's */
};

/* The diagonal entry of row i; [j - i] from there is the entry of column j <= i. */
static inline double *band_row(const struct band_matrix *matrix, int32_t i)
{
    return matrix->entries + (ptrdiff_t)i * (matrix->bandwidth + 1) + matrix->bandwidth;
}

void band_clear(struct band_matrix *matrix);

/* Lower Cholesky factor, in place, its diagonal as reciprocals. A pivot of zero marks a row that depends on others; its unknown
 * becomes zero. */
void band_factor(struct band_matrix *matrix);

/* Solves with the factor, in place. */
void band_solve(const struct band_matrix *factor, double *b);

#endif
