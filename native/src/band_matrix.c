/* Banded Cholesky; see band_matrix.h. */
#include "band_matrix.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static const double pivot_least = 1e-30;
static const double skipped = 1e-64; /* reciprocal of a pivot beyond all others */

static int32_t first_column(const struct band_matrix *matrix, int32_t i)
{
    return i > matrix->bandwidth ? i - matrix->bandwidth : 0;
}

/* Four sums side by side: a single one would wait for every addition. Their order is fixed, so all
 * machines get the same bits. */
static double product(const double *a, const double *b, int32_t count)
{
    double sum[4] = {0.0, 0.0, 0.0, 0.0};
    int32_t k = 0;

    for (; k + 4 <= count; k += 4) {
        sum[0] += a[k] * b[k];
        sum[1] += a[k + 1] * b[k + 1];
        sum[2] += a[k + 2] * b[k + 2];
        sum[3] += a[k + 3] * b[k + 3];
    }
    for (; k < count; k++) {
        sum[0] += a[k] * b[k];
    }
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

void band_clear(struct band_matrix *matrix)
{
    memset(matrix->entries, 0,
           sizeof(double) * (size_t)matrix->rows * ((size_t)matrix->bandwidth + 1));
}

void band_factor(struct band_matrix *matrix)
{
    for (int32_t i = 0; i < matrix->rows; i++) {
        double *row = band_row(matrix, i);
        const int32_t first = first_column(matrix, i);

        for (int32_t j = first; j <= i; j++) {
            const double *other = band_row(matrix, j);
            const int32_t low = first_column(matrix, j);
            const int32_t from = low > first ? low : first;
            const double sum = row[j - i] - product(row + (from - i), other + (from - j), j - from);

            if (j < i) {
                row[j - i] = sum * other[0];
            } else {
                row[0] = sum > pivot_least ? 1.0 / sqrt(sum) : skipped;
            }
        }
    }
}

void band_solve(const struct band_matrix *factor, double *b)
{
    for (int32_t i = 0; i < factor->rows; i++) {
        const double *row = band_row(factor, i);
        const int32_t from = first_column(factor, i);

        b[i] = (b[i] - product(row + (from - i), b + from, i - from)) * row[0];
    }
    for (int32_t i = factor->rows - 1; i >= 0; i--) {
        const double *row = band_row(factor, i);

        b[i] *= row[0];
        for (int32_t j = first_column(factor, i); j < i; j++) {
            b[j] -= row[j - i] * b[i];
        }
    }
}
