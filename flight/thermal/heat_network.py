"""The thermal network seen by the planner (minutes and hours) and by the guard (what comes next).

Nodes that settle within minutes are in balance with the others for the planner: it only carries the
slow ones. The guard looks at all of them, one second ahead, and at the minutes after it if it then
took everything away: heat that is already in the sink arrives at the radiator later. Lists of
floats, a handful of nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flight.thermal.node_model import NodeModel

SLOW_S = 300.0
"""A node whose capacity over its conductances is longer than this is a state of the plan."""
COAST_S = (2.0, 2.0, 4.0, 4.0, 8.0, 8.0, 16.0, 16.0, 32.0, 32.0, 64.0)
"""Steps of the minutes ahead: the die's heat comes within seconds, the sink's within minutes."""
STEP_SHARE_MAX = 0.4
"""Longest explicit step as a share of the fastest node's time constant."""

Matrix = list[list[float]]


@dataclass(frozen=True, slots=True)
class Reduction:
    """The network with its fast nodes eliminated.

    Attributes:
        slow, fast: indices of the nodes.
        slow_link: [slow][slow] conduction, W/K.
        fast_from_slow: [fast][slow] share of each slow temperature in a fast one.
        rise: [fast][fast] K per W put into a fast node.
        passed_on: [slow][fast] share of heat put into a fast node that arrives at a slow one.
    """

    slow: tuple[int, ...]
    fast: tuple[int, ...]
    slow_link: Matrix
    fast_from_slow: Matrix
    rise: Matrix
    passed_on: Matrix

    def slow_heat_w(self, heat_w: Sequence[float]) -> list[float]:
        """Heat by node, as it arrives at the slow nodes."""
        found = []
        for node, row in zip(self.slow, self.passed_on, strict=True):
            passed = sum(share * heat_w[fast] for share, fast in zip(row, self.fast, strict=True))
            found.append(heat_w[node] + passed)
        return found

    def fast_rise_k(self, heat_w: Sequence[float]) -> list[float]:
        """How far the fast nodes stand above what the slow ones alone would give them."""
        return [
            sum(k_per_w * heat_w[fast] for k_per_w, fast in zip(row, self.fast, strict=True))
            for row in self.rise
        ]


def reduce_network(model: NodeModel) -> Reduction:
    """Eliminates the fast nodes (Kron reduction of the conductance matrix)."""
    count = len(model.nodes)
    g: Matrix = [[0.0] * count for _ in range(count)]
    for a, b, w_k in model.conductances:
        g[a][a] += w_k
        g[b][b] += w_k
        g[a][b] -= w_k
        g[b][a] -= w_k

    def is_slow(i: int) -> bool:
        return g[i][i] <= 0.0 or model.nodes[i].capacity_j_k / g[i][i] > SLOW_S

    slow = tuple(i for i in range(count) if is_slow(i))
    fast = tuple(i for i in range(count) if not is_slow(i))
    if not slow:  # small nodes alone: the largest is their state
        slow = (max(range(count), key=lambda i: model.nodes[i].capacity_j_k),)
        fast = tuple(i for i in fast if i not in slow)
    rise = inverse([[g[a][b] for b in fast] for a in fast])
    from_slow = [
        [-sum(rise[a][k] * g[fast[k]][s] for k in range(len(fast))) for s in slow]
        for a in range(len(fast))
    ]
    passed = [
        [-sum(g[s][fast[k]] * rise[k][a] for k in range(len(fast))) for a in range(len(fast))]
        for s in slow
    ]
    link = [
        [g[s][t] + sum(g[s][fast[k]] * from_slow[k][j] for k in range(len(fast)))
         for j, t in enumerate(slow)]
        for s in slow
    ]  # fmt: skip
    return Reduction(slow, fast, link, from_slow, rise, passed)


def inverse(matrix: Matrix) -> Matrix:
    """The inverse by Gauss-Jordan elimination with pivoting; ZeroDivisionError when singular."""
    size = len(matrix)
    rows = [[*row, *(1.0 if i == j else 0.0 for j in range(size))] for i, row in enumerate(matrix)]
    for i in range(size):
        pivot = max(range(i, size), key=lambda r: abs(rows[r][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        scale = 1.0 / rows[i][i]
        rows[i] = [x * scale for x in rows[i]]
        for r in range(size):
            if r != i and rows[r][i] != 0.0:
                by = rows[r][i]
                rows[r] = [x - by * y for x, y in zip(rows[r], rows[i], strict=True)]
    return [row[size:] for row in rows]


class HeatAhead:
    """Temperatures one second ahead, by explicit steps short enough for the fastest node."""

    def __init__(self, model: NodeModel) -> None:
        self._edges = model.conductances
        self._per_j = [1.0 / node.capacity_j_k for node in model.nodes]
        self._radiance = [node.radiance_w_k4 for node in model.nodes]
        total = [0.0] * len(model.nodes)
        for a, b, w_k in model.conductances:
            total[a] += w_k
            total[b] += w_k
        fastest_s = min(
            (node.capacity_j_k / w_k for node, w_k in zip(model.nodes, total, strict=True)
             if w_k > 0.0),
            default=1e9,
        )  # fmt: skip
        self._steps = max(1, ceil(1.0 / (STEP_SHARE_MAX * fastest_s)))

    def after_second(self, temp_k: Sequence[float], heat_w: Sequence[float]) -> list[float]:
        """Temperatures after one second of this heat."""
        now = list(temp_k)
        dt_s = 1.0 / self._steps
        for _ in range(self._steps):
            flow = [
                heat - radiance * t * t * t * t
                for heat, radiance, t in zip(heat_w, self._radiance, now, strict=True)
            ]
            for a, b, w_k in self._edges:
                w = w_k * (now[b] - now[a])
                flow[a] += w
                flow[b] -= w
            now = [t + dt_s * w * k for t, w, k in zip(now, flow, self._per_j, strict=True)]
        return now


class HeatCoast:
    """How warm the nodes still get when payload and link are off from now on.

    Implicit Euler with the radiators' law as its tangent at the limits: linear, so a small matrix
    for each length of step, made beforehand, carries it.
    """

    def __init__(self, model: NodeModel) -> None:
        nodes = model.nodes
        self._nodes = range(len(nodes))
        tangent = [4.0 * node.radiance_w_k4 * node.limit_k**3 for node in nodes]
        self._fixed = [0.75 * w_k * node.limit_k for w_k, node in zip(tangent, nodes, strict=True)]
        leaves: Matrix = [[0.0] * len(nodes) for _ in nodes]
        for i in self._nodes:
            leaves[i][i] = tangent[i]
        for a, b, w_k in model.conductances:
            leaves[a][a] += w_k
            leaves[b][b] += w_k
            leaves[a][b] -= w_k
            leaves[b][a] -= w_k
        by_length = {dt_s: self._step(model, leaves, dt_s) for dt_s in sorted(set(COAST_S))}
        self._steps = [by_length[dt_s] for dt_s in COAST_S]

    def _step(self, model: NodeModel, leaves: Matrix, dt_s: float) -> tuple[list[float], Matrix]:
        """(W/K that a node holds over the step, kelvin a watt)."""
        stored = [node.capacity_j_k / dt_s for node in model.nodes]
        balance = [
            [w_k + (stored[i] if i == j else 0.0) for j, w_k in enumerate(row)]
            for i, row in enumerate(leaves)
        ]
        return stored, inverse(balance)

    def peaks_k(
        self, temp_k: Sequence[float], heat_w: Sequence[float],
        held_w: Sequence[float] | None = None, hold_s: float = 0.0,
    ) -> list[float]:  # fmt: skip
        """The highest temperature of each node from now on, under this heat alone.

        With `held_w` it is that heat for `hold_s`, and the other from then on.
        """
        peaks = now = list(temp_k)
        driven = [q + fixed for q, fixed in zip(heat_w, self._fixed, strict=True)]
        after = at_first = driven
        if held_w is not None:
            at_first = [q + fixed for q, fixed in zip(held_w, self._fixed, strict=True)]
        passed_s = 0.0
        for (stored, step), dt_s in zip(self._steps, COAST_S, strict=True):
            driven, passed_s = (at_first if passed_s < hold_s else after), passed_s + dt_s
            flow = [stored[i] * now[i] + driven[i] for i in self._nodes]
            now = [sum([k_w * w for k_w, w in zip(row, flow, strict=True)]) for row in step]
            peaks = [max(pair) for pair in zip(peaks, now, strict=True)]
        return peaks
