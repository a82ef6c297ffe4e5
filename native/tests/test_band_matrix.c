/* A banded matrix is factored in place and gives back the right side's solution. */
#include "band_matrix.h"

#include "check.h"

#include <math.h>

#define ROWS 40
#define BAND 5

/* A diagonally dominant band from a small generator. */
static void fill(struct band_matrix *matrix)
{
    uint32_t state = 12345;

    band_clear(matrix);
    for (int32_t i = 0; i < matrix->rows; i++) {
        for (int32_t j = i > matrix->bandwidth ? i - matrix->bandwidth : 0; j < i; j++) {
            state = state * 1664525u + 1013904223u;
            band_row(matrix, i)[j - i] = (double)(state >> 8) / 16777216.0 - 0.5;
        }
        band_row(matrix, i)[0] = 4.0 + (double)i;
    }
}

static void a_solution_put_back_gives_the_right_side(void)
{
    double entries[ROWS * (BAND + 1)], kept[ROWS * (BAND + 1)], b[ROWS], x[ROWS];
    struct band_matrix matrix = {ROWS, BAND, entries}, before = {ROWS, BAND, kept};

    fill(&matrix);
    fill(&before);
    for (int32_t i = 0; i < ROWS; i++) {
        b[i] = sin((double)i);
        x[i] = b[i];
    }
    band_factor(&matrix);
    band_solve(&matrix, x);
    for (int32_t i = 0; i < ROWS; i++) {
        double sum = -b[i];

        for (int32_t j = 0; j < ROWS; j++) {
            int32_t low = i < j ? i : j, high = i < j ? j : i;

            sum += high - low <= BAND ? band_row(&before, high)[low - high] * x[j] : 0.0;
        }
        CHECK(fabs(sum) < 1e-12);
    }
}

static void a_row_that_depends_on_another_gives_zero_and_harms_nothing(void)
{
    double entries[4] = {0.0, 1.0, 1.0, 1.0}; /* both rows equal */
    double b[2] = {3.0, 3.0};
    struct band_matrix matrix = {2, 1, entries};

    band_factor(&matrix);
    band_solve(&matrix, b);
    CHECK(fabs(b[0] - 3.0) < 1e-12 && fabs(b[1]) < 1e-12);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(a_solution_put_back_gives_the_right_side),
        PROMISE(a_row_that_depends_on_another_gives_zero_and_harms_nothing),
    };

    KEEP(PROMISES);
    return 0;
}
