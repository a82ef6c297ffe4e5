"""Fewer points with the same extremes: what a chart needs of a long record.

Pure. Each bucket keeps, for every column, the sample with the smallest and with the largest value,
one gap, and both sides of the steepest step. So a one-second excursion over a limit stays visible
in a day's chart, and an edge stays an edge. All points kept are samples that were recorded; nothing
is averaged or moved in time.
"""

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MAX_POINTS = 2000

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


def extreme_indices(columns: Sequence[Floats], max_points: int = MAX_POINTS) -> Indices:
    """Choose at most `max_points` sample numbers (ascending) that keep all extremes and gaps.

    Args:
        columns: arrays of equal length N; NaN means "no value".
        max_points: at least 2 + 5 * len(columns).
    """
    length = len(columns[0])
    if length <= max_points:
        return np.arange(length, dtype=np.int64)
    assert max_points >= 2 + 5 * len(columns), "max_points is too small for so many columns"
    buckets = max_points // 2
    while True:
        chosen = _of_buckets(columns, buckets)
        if len(chosen) <= max_points:
            return chosen
        buckets = max(1, buckets * 4 // 5)


def _of_buckets(columns: Sequence[Floats], buckets: int) -> Indices:
    """Keep first, last and of each bucket: lowest, highest, one gap, both sides of the step."""
    length = len(columns[0])
    width = -(-length // buckets)
    starts = np.arange(0, length, width, dtype=np.int64)
    kept = [np.array([0, length - 1], dtype=np.int64)]
    for column in columns:
        grid = _grid(column, len(starts), width)
        gap = np.isnan(grid)
        kept.append(starts + np.argmin(np.where(gap, np.inf, grid), axis=1))
        kept.append(starts + np.argmax(np.where(gap, -np.inf, grid), axis=1))
        kept.append((starts + np.argmax(gap, axis=1))[gap.any(axis=1)])
        steps = np.nan_to_num(np.abs(np.diff(column, append=np.nan)), nan=0.0)
        step = _grid(steps, len(starts), width, fill=0.0)
        steep = starts + np.argmax(step, axis=1)
        kept += [steep, steep + 1]
    chosen = np.unique(np.concatenate(kept))
    return chosen[chosen < length]


def _grid(column: Floats, rows: int, width: int, fill: float = np.nan) -> Floats:
    padded = np.full(rows * width, fill)
    padded[: len(column)] = column
    return padded.reshape(rows, width)


def runs(t_s: Floats, values: Floats, max_runs: int = 4000) -> list[tuple[float, float, int]]:
    """Encode a channel of whole numbers as (start_s, end_s, value) runs; gaps make no run.

    More than `max_runs` changes cannot be drawn: the channel is then read on a coarser grid.
    """
    if len(t_s) == 0:
        return []
    if np.count_nonzero(np.diff(np.nan_to_num(values, nan=-1.0))) >= max_runs:
        grid = np.linspace(0, len(t_s) - 1, max_runs).astype(np.int64)
        (t_s, values) = (t_s[grid], values[grid])
    found: list[tuple[float, float, int]] = []
    codes = np.nan_to_num(values, nan=-1.0).astype(np.int64)
    edges = np.flatnonzero(np.diff(codes)) + 1
    bounds = [0, *edges.tolist(), len(codes)]
    for first, after in itertools.pairwise(bounds):
        if codes[first] >= 0:
            end = t_s[after] if after < len(codes) else t_s[-1]
            found.append((float(t_s[first]), float(end), int(codes[first])))
    return found
