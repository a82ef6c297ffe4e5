/* Banded Cholesky; see band_matrix.h. */
#include "band_matrix.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static const double pivot_least = 1e-30;
static const double pivot_skipped = 1e64;

double *band_row(const struct band_matrix *matrix, int32_t i)
{
    return matrix->entries + (ptrdiff_t)i * (matrix->bandwidth + 1) + matrix->bandwidth;
}

static int32_t first_column(const struct band_matrix *matrix, int32_t i)
{
    return i > matrix->bandwidth ? i - matrix->bandwidth : 0;
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
            double sum = row[j - i];

            for (int32_t k = low > first ? low : first; k < j; k++) {
                sum -= row[k - i] * other[k - j];
            }
            if (j < i) {
                row[j - i] = sum / other[0];
            } else {
                row[0] = sum > pivot_least ? sqrt(sum) : pivot_skipped;
            }
        }
    }
}

void band_solve(const struct band_matrix *factor, double *b)
{
    for (int32_t i = 0; i < factor->rows; i++) {
        const double *row = band_row(factor, i);
        double sum = b[i];

        for (int32_t j = first_column(factor, i); j < i; j++) {
            sum -= row[j - i] * b[j];
        }
        b[i] = sum / row[0];
    }
    for (int32_t i = factor->rows - 1; i >= 0; i--) {
        const double *row = band_row(factor, i);

        b[i] /= row[0];
        for (int32_t j = first_column(factor, i); j < i; j++) {
            b[j] -= row[j - i] * b[i];
        }
    }
}
