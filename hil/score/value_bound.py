"""What no governor can exceed on a day: a linear programme over slots, with all of it known.

Every row holds for the slot means of every legal course of seconds (docs/governor.md says why), so
its optimum is an upper bound. What is told is not the solver's objective but the Lagrangian of its
prices over the finite boxes of the variables: by weak duality that is a bound whatever the solver's
accuracy. Lifting a limit shows what it costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from hil.plant.constants import ZERO_CELSIUS_K
from hil.score.bound_boxes import FREE_K, TOLERANCE_K, heat_boxes
from hil.score.bound_rows import NONE, Columns, Rows, before
from hil.score.day_truth import day_truth
from hil.score.dve_case import node_model
from hil.score.interruptible import interruptible
from hil.score.kept_limits import Kept

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from flight.thermal.node_model import NodeModel
    from hil.score.day_truth import DayTruth

SLOT_S = 60
NO_RULES = Kept()
SOLVERS = ("highs-ipm", "highs-ds")
"""The interior point gives up on some degenerate days; the simplex is slower and does not."""
FREE_RESULTS = 1e6


class Limit(Enum):
    """What can be lifted, to see what it costs."""

    HEAT = "heat"
    ENERGY = "energy"
    LINK = "link"


class BoundUnavailableError(RuntimeError):
    """No bound: SciPy is not installed, or no course keeps the limits."""


@dataclass(frozen=True, slots=True)
class _Day:
    """A day as slot means."""

    model: NodeModel
    truth: DayTruth
    start_j: float
    start_k: list[float]
    slots: int
    lifted: frozenset[Limit]
    work_k: list[float]
    frames_max: float | None

    def mean(self, series: NDArray[np.float64]) -> NDArray[np.float64]:
        """By slot."""
        found: NDArray[np.float64] = series.reshape(self.slots, SLOT_S, *series.shape[1:]).mean(
            axis=1
        )
        return found


class _Programme:
    """The programme of one day."""

    def __init__(self, day: _Day) -> None:
        self._day = day
        model = day.model
        self.columns, self.equal, self.most = Columns(), Rows(), Rows()
        self._pairs = [
            (m, c)
            for m, mode in enumerate(model.modes)
            for c, fps in enumerate(mode.frames_per_s)
            if fps > 0.0
        ]
        self._mode = np.array([m for m, _ in self._pairs])
        self._class = np.array([c for _, c in self._pairs])
        self._fps = np.array([model.modes[m].frames_per_s[c] for m, c in self._pairs])
        self._variant = np.array([model.modes[m].variant for m in self._mode])
        self._speed = day.mean(day.truth.speed)
        self.work = self.columns.block((day.slots, len(self._pairs)), 0.0, 1.0)
        self._links = np.flatnonzero(day.mean((day.truth.link_bps > 0.0).astype(np.float64)))
        self.link_of = np.full(day.slots, NONE)
        self.most.add(np.ones(day.slots), (self.work, 1.0))
        self._frames()
        if len(self._links):
            self._results()
        if Limit.ENERGY not in day.lifted:
            self._energy()
        if Limit.HEAT not in day.lifted:
            self._heat()

    def _frames(self) -> None:
        """Frames of a class: what waited, what came, what is worked on; losing some is free."""
        day = self._day
        arrived = day.truth.arrivals.reshape(day.slots, SLOT_S, -1).sum(axis=1)
        backlog: list[tuple[NDArray[np.int64], Any]] = []
        for c, frames in enumerate(day.model.classes):
            waiting = self.columns.block((day.slots,), 0.0, frames.frames_max)
            backlog.append((waiting, 1.0))
            mine = np.flatnonzero(self._class == c)
            done = SLOT_S * self._speed[:, None] * self._fps[mine]
            self.most.add(
                arrived[:, c].astype(np.float64),
                (waiting, 1.0), (before(waiting), -1.0), (self.work[:, mine], done),
            )  # fmt: skip
        if day.frames_max is not None:
            self.most.add(np.full(day.slots, day.frames_max), *backlog)

    def _results(self) -> None:
        """Results of a kind in the store at the ends of slots with a link; sent once each."""
        day, links = self._day, self._links
        share = day.mean((day.truth.link_bps > 0.0).astype(np.float64))[links]
        rate = day.truth.link_bps.reshape(day.slots, SLOT_S).max(axis=1)[links]
        free = Limit.LINK in day.lifted
        self.link_of[links] = self.columns.block((len(links),), 0.0, share)
        carried: list[tuple[NDArray[np.int64], Any]] = [(self.link_of[links], -rate * SLOT_S / 1e6)]
        stored: list[tuple[NDArray[np.int64], Any]] = []
        slack_bits = 0.0
        for v in range(day.model.variant_count):
            for c, frames in enumerate(day.model.classes):
                bits = frames.result_bits[v]
                most = FREE_RESULTS if free else rate * SLOT_S / bits
                sent = self.columns.block((len(links),), 0.0, most, frames.value[v])
                room = FREE_RESULTS if free else day.model.store_bits_max / bits + 1.0
                kept = self.columns.block((len(links),), 0.0, room)
                made = self._made_between(v, c)
                self.equal.add(
                    np.zeros(len(links)), (kept, 1.0), (before(kept), -1.0), (sent, 1.0), made
                )
                carried.append((sent, bits / 1e6))
                stored.append((kept, bits / 1e6))
                slack_bits += bits
        if not free:
            self.most.add(np.zeros(len(links)), *carried)
            room_mbit = (day.model.store_bits_max + slack_bits) / 1e6
            self.most.add(np.full(len(links), room_mbit), *stored)

    def _made_between(self, v: int, c: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Work on a kind since the last slot with a link, as a term that takes it off."""
        links = self._links
        first = np.concatenate([[0], links[:-1] + 1])
        longest = int((links - first).max()) + 1
        span = first[:, None] + np.arange(longest)
        inside = span <= links[:, None]
        span = np.minimum(span, self._day.slots - 1)
        mine = np.flatnonzero((self._class == c) & (self._variant == v))
        columns = np.where(inside[:, :, None], self.work[span][:, :, mine], NONE)
        return columns, -SLOT_S * self._speed[span][:, :, None] * self._fps[mine]

    def _energy(self) -> None:
        """Slot sums of the balance; charge and discharge are free to overlap, shunting is free."""
        day, battery = self._day, self._day.model.battery
        slots = day.slots
        gain = self.columns.block((slots,), 0.0, battery.charge_w_max)
        drain = self.columns.block((slots,), 0.0, battery.discharge_w_max)
        energy = self.columns.block(
            (slots,), battery.energy_floor_j / 1e3, battery.energy_max_j / 1e3
        )
        short = self.columns.block(
            (1,), 0.0, max(day.start_j, 1.0) / 1e3, -day.model.end_price_per_j * 1e3
        )
        above_w = np.array([day.model.modes[m].watts for m in self._mode]) - day.model.idle_w
        self.most.add(
            day.mean(day.truth.array_w - day.truth.base_w) - day.model.idle_w,
            (self.work, above_w), (self.link_of, day.model.link_w), (gain, 1.0), (drain, -1.0),
        )  # fmt: skip
        right = np.zeros(slots)
        right[0] = day.start_j / 1e3
        self.equal.add(
            right, (energy, 1.0), (before(energy), -1.0),
            (gain, -battery.charge_efficiency * SLOT_S / 1e3),
            (drain, SLOT_S / battery.discharge_efficiency / 1e3),
        )  # fmt: skip
        self.most.add(np.array([-day.start_j / 1e3]), (energy[-1:], -1.0), (short, -1.0))

    def _heat(self) -> None:
        """The balance over a slot; the radiator's law lies under its chord over the box."""
        day, model = self._day, self._day.model
        boxes = heat_boxes(model, day.truth, day.start_k, SLOT_S, day.work_k)
        end = self.columns.block(boxes.end_low.shape, boxes.end_low, boxes.end_high)
        mean = self.columns.block(boxes.mean_low.shape, boxes.mean_low, boxes.mean_high)
        outside = day.mean(day.truth.outside_w)
        base = day.mean(day.truth.base_w / model.base_w if model.base_w else day.truth.base_w * 0)
        for i, node in enumerate(model.nodes):
            low, high = boxes.mean_low[:, i], boxes.mean_high[:, i]
            radiance = node.radiance_w_k4 * day.truth.emissivity[::SLOT_S, i]
            chord = radiance * (low + high) * (low * low + high * high)
            lost = chord * low - radiance * low**4
            fixed = outside[:, i] + base * model.base_heat_w[i] + model.idle_heat_w[i] + lost
            right = -fixed
            right[0] -= node.capacity_j_k / SLOT_S * day.start_k[i]
            above_w = np.array([model.modes[m].heat_w[i] for m in self._mode])
            leaves, terms = chord.copy(), []
            for a, b, w_k in model.conductances:
                if i in (a, b):
                    leaves += w_k
                    terms.append((mean[:, b if i == a else a], w_k))
            self.most.add(
                right, *terms, (mean[:, i], -leaves),
                (end[:, i], -node.capacity_j_k / SLOT_S),
                (before(end[:, i]), node.capacity_j_k / SLOT_S),
                (self.work, above_w - model.idle_heat_w[i]),
                (self.link_of, model.link_heat_w[i]),
            )  # fmt: skip
            start = np.zeros(day.slots)
            start[0] = 0.5 * day.start_k[i]
            for sign in (1.0, -1.0):
                self.most.add(
                    boxes.apart[:, i] + sign * start, (mean[:, i], sign),
                    (end[:, i], -0.5 * sign), (before(end[:, i]), -0.5 * sign),
                )  # fmt: skip
            self._work_only_below(mean[:, i], high, day.work_k[i] + TOLERANCE_K)

    def _work_only_below(
        self, mean: NDArray[np.int64], high: NDArray[np.float64], work_k: float
    ) -> None:
        """Seconds of a slot with work are at most so warm, all others as warm as can be."""
        if work_k < FREE_K:
            over = np.maximum(high - work_k, 0.0)
            self.most.add(high, (mean, 1.0), (self.work, over[:, None]))


def value_bound(
    case: Mapping[str, Any], lifted: frozenset[Limit] = frozenset(), kept: Kept = NO_RULES
) -> float:
    """Net value that no governor exceeds on this day, none at least that keeps such rules.

    Raises:
        BoundUnavailableError: SciPy is not there, or the day has no legal course.
    """
    try:
        from scipy.optimize import linprog  # noqa: PLC0415  an extra, and slow to load
        from scipy.sparse import coo_matrix  # noqa: PLC0415
    except ImportError:
        raise BoundUnavailableError(
            "the bound needs SciPy: pip install 'lumenode[score]'"
        ) from None
    programme = _Programme(_day(case, lifted, kept))
    columns, most, equal = programme.columns, programme.most, programme.equal
    if not equal.count:  # a row that says nothing, so that both kinds are there
        equal.add(np.zeros(1), (programme.work[:1, 0] * 0, 0.0))

    def matrix(side: Rows) -> Any:
        values, *places = side.entries
        return coo_matrix((values, tuple(places)), (side.count, columns.count)).tocsr()

    a_most, a_equal = matrix(most), matrix(equal)
    low, high, cost = columns.low, columns.high, -columns.worth
    for method in SOLVERS:
        solve = partial(
            linprog, cost, A_ub=a_most, b_ub=most.right, A_eq=a_equal, b_eq=equal.right,
            bounds=np.column_stack([low, high]), method=method,
        )  # fmt: skip
        answer = interruptible(solve)
        if answer.status in (0, 2):
            break
    if answer.x is None:
        raise BoundUnavailableError(f"no course of this day keeps its limits: {answer.message}")
    price_most, price_equal = np.minimum(answer.ineqlin.marginals, 0.0), answer.eqlin.marginals
    reduced = cost - a_most.T @ price_most - a_equal.T @ price_equal
    boxed = float(np.where(reduced > 0.0, reduced * low, reduced * high).sum())
    return 0.0 - (float(price_most @ most.right) + float(price_equal @ equal.right) + boxed)


def _day(case: Mapping[str, Any], lifted: frozenset[Limit], kept: Kept) -> _Day:
    truth, nodes = day_truth(case), case["thermal"]["nodes"]
    return _Day(
        model=node_model(case),
        truth=truth,
        start_j=float(case["power"]["battery_start_j"]),
        start_k=[float(node["start_k"]) for node in nodes],
        slots=truth.seconds // SLOT_S,
        lifted=lifted,
        work_k=[kept.work_c.get(node["name"], FREE_K) + ZERO_CELSIUS_K for node in nodes],
        frames_max=kept.frames_max,
    )
