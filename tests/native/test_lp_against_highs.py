"""The banded interior point against HiGHS, which we did not write, on random bands."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csc_matrix

from hal.native_library import ffi, lib


def banded(seed, slots, inside):
    """Rows of slots that touch the next one, a slack each; feasible and bounded as it is made."""
    rng = np.random.default_rng(seed)
    rows = slots * inside
    columns, entries = [], []
    for s in range(slots):
        for _ in range(2 * inside):
            first = s * inside
            last = min(rows, first + 2 * inside)
            touched = np.sort(rng.choice(np.arange(first, last), size=min(3, last - first),
                                         replace=False))  # fmt: skip
            columns.append(touched)
            entries.append(rng.uniform(-1.0, 2.0, len(touched)))
    for row in range(rows):  # a slack each
        columns.append(np.array([row]))
        entries.append(np.array([1.0]))
    count = len(columns)
    starts = np.concatenate([[0], np.cumsum([len(c) for c in columns])])
    matrix = csc_matrix(
        (np.concatenate(entries), np.concatenate(columns), starts), shape=(rows, count)
    )
    upper = np.where(rng.uniform(size=count) < 0.7, rng.uniform(0.5, 4.0, count), np.inf)
    upper[-rows:] = np.inf
    inner = np.minimum(rng.uniform(0.1, 0.9, count) * np.where(np.isinf(upper), 3.0, upper), upper)
    cost = matrix.T @ rng.normal(size=rows) + rng.uniform(-1.0, 1.0, count)
    cost[np.isinf(upper)] += 2.0 - np.minimum(cost[np.isinf(upper)], 0.0)
    return matrix, matrix @ inner, cost, upper


def solved(matrix, right, cost, upper, band):
    rows, columns = matrix.shape
    kept = [
        ffi.new("int32_t[]", matrix.indptr.tolist()),
        ffi.new("int32_t[]", matrix.indices.tolist()),
        *[ffi.new("double[]", list(map(float, a))) for a in (matrix.data, right, cost, upper)],
    ]
    problem = ffi.new("struct lp_problem *", [columns, rows, band, *kept])
    x, price = ffi.new("double[]", columns), ffi.new("double[]", rows)
    scratch = ffi.new("double[]", lib.lp_scratch_count(columns, rows, band))
    answer = ffi.new("struct lp_answer *")
    status = lib.lp_solve(problem, 1e-8, 100, x, price, scratch, answer)
    return status, answer, np.frombuffer(ffi.buffer(x), np.float64).copy()


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**9), slots=st.integers(1, 25), inside=st.integers(1, 7))
def test_the_optimum_is_that_of_highs(seed, slots, inside):
    matrix, right, cost, upper = banded(seed, slots, inside)
    bounds = np.column_stack([np.zeros(len(cost)), upper])
    oracle = linprog(cost, A_eq=matrix, b_eq=right, bounds=bounds, method="highs")
    assert oracle.status == 0
    status, answer, x = solved(matrix, right, cost, upper, 2 * inside)
    assert status == lib.LP_OPTIMAL
    size = 1.0 + abs(oracle.fun)
    assert answer.primal_cost == pytest.approx(oracle.fun, abs=1e-6 * size)
    assert answer.dual_cost == pytest.approx(oracle.fun, abs=1e-6 * size)
    assert np.abs(matrix @ x - right).max() <= 1e-6 * size
    assert (x >= 0.0).all()
    assert (x <= upper + 1e-9).all()


def test_the_same_programme_has_the_same_bits():
    parts = banded(5, 12, 5)
    first, second = (solved(*parts, 10)[2] for _ in range(2))
    assert first.tobytes() == second.tobytes()
