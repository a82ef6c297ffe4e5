/* Small programmes whose optimum is known by hand, and everything that is none. */
#include "lp_banded.h"

#include "check.h"

#include <math.h>

static double scratch[4096];

/* maximise 3 a + 5 b: a <= 4, 2 b <= 12, 3 a + 2 b <= 18 (Hillier and Lieberman): 36 at (2, 6). */
static const int32_t start[] = {0, 2, 4, 5, 6, 7};
static const int32_t row[] = {0, 2, 1, 2, 0, 1, 2};
static const double value[] = {1.0, 3.0, 2.0, 2.0, 1.0, 1.0, 1.0};
static const double right[] = {4.0, 12.0, 18.0};
static const double cost[] = {-3.0, -5.0, 0.0, 0.0, 0.0};

static struct lp_problem factory(double *upper)
{
    for (int i = 0; i < 5; i++) {
        upper[i] = (double)INFINITY;
    }
    return (struct lp_problem){5, 3, 2, start, row, value, right, cost, upper};
}

static void the_textbook_optimum_and_its_prices_are_found(void)
{
    double upper[5], x[5], price[3];
    struct lp_problem problem = factory(upper);
    struct lp_answer answer;

    CHECK(lp_scratch_count(5, 3, 2) <= 4096);
    CHECK(lp_solve(&problem, 1e-9, 50, x, price, scratch, &answer) == LP_OPTIMAL);
    CHECK(fabs(x[0] - 2.0) < 1e-6 && fabs(x[1] - 6.0) < 1e-6);
    CHECK(fabs(answer.primal_cost + 36.0) < 1e-6 && fabs(answer.dual_cost + 36.0) < 1e-6);
    CHECK(fabs(price[0]) < 1e-6 && fabs(price[1] + 1.5) < 1e-6 && fabs(price[2] + 1.0) < 1e-6);
}

static void an_upper_bound_holds_and_is_paid_for(void)
{
    double upper[5], x[5], price[3];
    struct lp_problem problem = factory(upper);
    struct lp_answer answer;

    upper[1] = 5.0; /* then a = 8 / 3 */
    CHECK(lp_solve(&problem, 1e-9, 50, x, price, scratch, &answer) == LP_OPTIMAL);
    CHECK(x[1] < 5.0 && fabs(x[1] - 5.0) < 1e-6 && fabs(x[0] - 8.0 / 3.0) < 1e-6);
    CHECK(fabs(answer.primal_cost + 33.0) < 1e-6);
}

static void what_has_no_solution_ends_and_says_so(void)
{
    static const int32_t one_start[] = {0, 1};
    static const int32_t one_row[] = {0};
    static const double one[] = {1.0};
    double upper[] = {1.0}, far[] = {5.0}, x[1], price[1];
    struct lp_problem problem = {1, 1, 0, one_start, one_row, one, far, one, upper};
    struct lp_answer answer;
    int32_t status = lp_solve(&problem, 1e-9, 30, x, price, scratch, &answer);

    CHECK(status == LP_LIMIT || status == LP_STALLED);
    CHECK(answer.primal_residual > 1.0);
}

static void a_limit_of_iterations_is_kept(void)
{
    double upper[5], x[5], price[3];
    struct lp_problem problem = factory(upper);
    struct lp_answer answer;

    CHECK(lp_solve(&problem, 1e-12, 2, x, price, scratch, &answer) == LP_LIMIT);
    CHECK(answer.iterations == 2);
}

static void the_same_programme_gives_the_same_bits(void)
{
    double upper[5], first[5], second[5], price[3];
    struct lp_problem problem = factory(upper);
    struct lp_answer answer;

    CHECK(lp_solve(&problem, 1e-9, 50, first, price, scratch, &answer) == LP_OPTIMAL);
    for (int i = 0; i < 4096; i++) {
        scratch[i] = (double)NAN;
    }
    CHECK(lp_solve(&problem, 1e-9, 50, second, price, scratch, &answer) == LP_OPTIMAL);
    for (int i = 0; i < 5; i++) {
        CHECK(first[i] == second[i]);
    }
}

static void what_is_no_programme_is_refused(void)
{
    static const int32_t falling[] = {0, 2, 4, 5, 6, 5};
    static const int32_t unordered[] = {2, 0, 1, 2, 0, 1, 2};
    static const int32_t outside[] = {0, 3, 1, 2, 0, 1, 2};
    double upper[5], x[5], price[3], broken[3] = {4.0, (double)NAN, 18.0};
    struct lp_problem good = factory(upper), bad;
    struct lp_answer answer;

    bad = good;
    bad.start = falling;
    CHECK(lp_solve(&bad, 1e-9, 9, x, price, scratch, &answer) == LP_E_RANGE);
    bad = good;
    bad.row = unordered;
    CHECK(lp_solve(&bad, 1e-9, 9, x, price, scratch, &answer) == LP_E_RANGE);
    bad = good;
    bad.row = outside;
    CHECK(lp_solve(&bad, 1e-9, 9, x, price, scratch, &answer) == LP_E_RANGE);
    bad = good;
    bad.right = broken;
    CHECK(lp_solve(&bad, 1e-9, 9, x, price, scratch, &answer) == LP_E_RANGE);
    bad = good;
    bad.bandwidth = 1;
    CHECK(lp_solve(&bad, 1e-9, 9, x, price, scratch, &answer) == LP_E_RANGE);
    bad = good;
    bad.column_count = 0;
    CHECK(lp_solve(&bad, 1e-9, 9, x, price, scratch, &answer) == LP_E_RANGE);
    upper[2] = 0.0;
    CHECK(lp_solve(&good, 1e-9, 9, x, price, scratch, &answer) == LP_E_RANGE);
    CHECK(lp_solve(&good, 0.0, 9, x, price, scratch, &answer) == LP_E_RANGE);
    CHECK(lp_solve(NULL, 1e-9, 9, x, price, scratch, &answer) == LP_E_RANGE);
    CHECK(lp_scratch_count(0, 1, 1) == LP_E_RANGE);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(the_textbook_optimum_and_its_prices_are_found),
        PROMISE(an_upper_bound_holds_and_is_paid_for),
        PROMISE(what_has_no_solution_ends_and_says_so),
        PROMISE(a_limit_of_iterations_is_kept),
        PROMISE(the_same_programme_gives_the_same_bits),
        PROMISE(what_is_no_programme_is_refused),
    };

    KEEP(PROMISES);
    return 0;
}
