"""What no sender could exceed on a downlink case, however much it knew in advance.

Value: the fractional programme over groups of about 30 s. Variables are bytes of a product in a
group, bounded by the group's good bytes while the product lives; the figure is the dual value at
the solver's multipliers clipped at zero, a bound by weak duality whatever the solver returned.
Bytes: products drain like a fluid, those that vanish first go first.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from flight.config import ConfigError
from hil.score.downlink_figures import NEVER, effective_deadlines

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hil.score.downlink_case import Case

GROUP_NS = 30_000_000_000
_MB = 1e6


class Bounds(msgspec.Struct, frozen=True):
    """Most value (units) and most bytes; `lp_share` of each product in the best fractional set."""

    value: float
    bytes: int
    lp_share: tuple[float, ...]


def bounds(case: Case) -> Bounds:
    """Both bounds.

    Raises:
        ConfigError: SciPy, the extra `score`, is not installed.
    """
    value, share = _value_bound(case)
    return Bounds(value, _byte_bound(case), share)


def _yield(case: Case) -> NDArray[np.int64]:
    """Product bytes of the good slots up to each slot, one segment header taken off each."""
    each = np.where(case.good & case.usable, case.capacity - case.head.segment_header_bytes, 0)
    return np.concatenate(([0], np.cumsum(each))).astype(np.int64)


def _windows(
    case: Case, until_ns: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First slot and end slot in which each product may be sent to arrive by `until_ns`."""
    first = np.searchsorted(case.slot_time_ns, case.arrays["created_ns"], "left")
    arrives = case.slot_time_ns + case.head.slot_ns + case.head.down_ns
    return first.astype(np.int64), np.searchsorted(arrives, until_ns, "right").astype(np.int64)


def _groups(case: Case) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    step = GROUP_NS // case.head.slot_ns
    starts, ends = [], []
    for index in range(case.passes):
        first, end = int(case.starts[index]), int(case.starts[index + 1])
        cuts = np.arange(first, end, step)
        starts.append(cuts)
        ends.append(np.minimum(cuts + step, end))
    return np.concatenate(starts), np.concatenate(ends)


def _value_bound(case: Case) -> tuple[float, tuple[float, ...]]:
    try:
        from scipy.optimize import linprog  # noqa: PLC0415  an extra
        from scipy.sparse import coo_matrix  # noqa: PLC0415
    except ImportError:
        raise ConfigError("SciPy is missing: pip install 'lumenode[score]'") from None
    total = _yield(case)
    starts, ends = _groups(case)
    product, group, most = _variables(case, total, starts, ends)
    count = len(case.arrays["size"])
    size, value = case.arrays["size"] / _MB, case.arrays["value"] / 1_000
    if not len(product):
        return 0.0, (0.0,) * count
    worth = value[product] / size[product]
    rows = np.concatenate((product, count + group))
    columns = np.tile(np.arange(len(product)), 2)
    matrix: Any = coo_matrix(
        (np.ones(len(rows)), (rows, columns)), shape=(count + len(starts), len(product))
    ).tocsr()
    room = (total[ends] - total[starts]) / _MB
    solved = linprog(
        -worth,
        A_ub=matrix,
        b_ub=np.concatenate((size, room)),
        bounds=np.column_stack((np.zeros(len(product)), most)),
        method="highs",
    )
    multipliers = np.maximum(0.0, -solved.ineqlin.marginals)
    own, price = multipliers[:count], multipliers[count:]
    used = np.unique(product)
    dual = room @ price + size[used] @ own[used]
    dual += most @ np.maximum(0.0, worth - price[group] - own[product])
    shares = np.bincount(product, solved.x, count) / size
    return min(float(dual), float(value[used].sum())), tuple(shares.tolist())


def _variables(
    case: Case,
    total: NDArray[np.int64],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """(product, group, most MB) of each variable; products that cannot fit alone are left out."""
    first, last = _windows(case, effective_deadlines(case))
    products, groups, most = [], [], []
    for index in np.flatnonzero(last > first).tolist():
        low = int(np.searchsorted(ends, first[index], "right"))
        high = int(np.searchsorted(starts, last[index], "left"))
        span = np.arange(low, high)
        room = total[np.minimum(ends[span], last[index])]
        room = room - total[np.maximum(starts[span], first[index])]
        size = int(case.arrays["size"][index])
        if int(room.sum()) < size:
            continue
        kept = room > 0
        products.append(np.full(int(kept.sum()), index))
        groups.append(span[kept])
        most.append(np.minimum(room[kept], size) / _MB)
    if not products:
        nothing = np.zeros(0, np.int64)
        return nothing, nothing, np.zeros(0)
    return np.concatenate(products), np.concatenate(groups), np.concatenate(most)


def _byte_bound(case: Case) -> int:
    total = _yield(case)
    first, gone = _windows(case, np.minimum(case.vanishes_ns, NEVER))
    marks = np.unique(np.concatenate(([0], first, gone, [len(case.good)])))
    order = np.argsort(first, kind="stable").tolist()
    waiting: list[list[int]] = []
    at, delivered = 0, 0
    for begin, end in zip(marks[:-1].tolist(), marks[1:].tolist(), strict=True):
        while at < len(order) and first[order[at]] <= begin:
            heapq.heappush(waiting, [int(gone[order[at]]), int(case.arrays["size"][order[at]])])
            at += 1
        room = int(total[end] - total[begin])
        while room and waiting:
            if waiting[0][0] <= begin:
                heapq.heappop(waiting)
                continue
            part = min(room, waiting[0][1])
            room -= part
            delivered += part
            waiting[0][1] -= part
            if not waiting[0][1]:
                heapq.heappop(waiting)
    return delivered
