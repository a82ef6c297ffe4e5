"""A governor's day, second by second: what the sensors show, what a decision does, what it earns.

The rules are those of the format (docs/governor.md): arrivals; results given up; sending; work;
power; heat. A decision that is not legal is cut down to what is, and counted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from math import floor
from typing import TYPE_CHECKING, Protocol

from hil.score.heat_truth import HeatTruth

if TYPE_CHECKING:
    from flight.thermal.node_model import NodeModel
    from hil.score.day_truth import DayTruth

WHOLE = 1e-9
"""A result is complete when its progress is this close to a whole."""
ENERGY_SLACK_J, TEMP_SLACK_K = 1e-6, 1e-6
RATE_SLACK, BITS_SLACK, FRACTION_SLACK = 1e-9, 1e-3, 1e-7

Table = list[list[float]]
"""[variant][class]."""


class Fault(Enum):
    """What a decision must not do."""

    DISCARD = "discard_not_in_store"
    NO_LINK = "link_on_without_link"
    NEGATIVE = "negative_bits"
    LINK = "more_bits_than_link"
    STORE = "sent_never_produced"
    WORK = "work_fraction"


class Wish(Protocol):
    """A second's decision."""

    @property
    def work(self) -> list[tuple[int, int, float]]:
        """(mode, class, share of the second)."""
        ...

    @property
    def link_on(self) -> float:
        """Share of the second."""
        ...

    @property
    def sends(self) -> list[tuple[int, int, float]]:
        """(variant, class, bits)."""
        ...

    @property
    def discard(self) -> list[tuple[int, int, int]]:
        """(variant, class, whole results)."""
        ...


@dataclass(frozen=True, slots=True)
class Sight:
    """What the sensors say at the start of second `k`, after its arrivals."""

    k: int
    battery_j: float
    temperature_k: list[float]
    array_w: float
    link_rate_bps: float
    waiting: list[int]
    in_progress: Table
    stored_bits: Table


class DayReplay:
    """One day of one governor: `sense`, `act`, `sense`, `act`, ...

    Attributes:
        energy_j, temp_k, waiting, progress, stored_bits, sent_bits: the state now.
        below_floor_s, over_power_s, over_temp_s: seconds of violation; the last by node.
        faults: illegal decisions, cut down.
        made: (variant, class, results) of the last second.
    """

    def __init__(
        self, model: NodeModel, truth: DayTruth, *, energy_j: float, temp_k: list[float],
        quantum_k: float,
    ) -> None:  # fmt: skip
        self._model, self._truth, self._quantum_k = model, truth, quantum_k
        self._heat = HeatTruth(model)
        kinds = range(model.variant_count), len(model.classes)
        self.k = 0
        self.energy_j, self.temp_k = energy_j, list(temp_k)
        self.start_j, self.least_j = energy_j, energy_j
        self.peak_k = list(temp_k)
        self.waiting = [0] * kinds[1]
        self.progress: Table = [[0.0] * kinds[1] for _ in kinds[0]]
        self.stored_bits: Table = [[0.0] * kinds[1] for _ in kinds[0]]
        self.sent_bits: Table = [[0.0] * kinds[1] for _ in kinds[0]]
        self.below_floor_s = self.over_power_s = 0
        self.over_temp_s = [0] * len(model.nodes)
        self.faults: Counter[Fault] = Counter()
        self.made: list[tuple[int, int, int]] = []
        self.lost_frames = self.lost_results = 0
        self.shunted_j = 0.0
        self._array, self._base = truth.array_w.tolist(), truth.base_w.tolist()
        self._speed, self._link = truth.speed.tolist(), truth.link_bps.tolist()
        self._outside, self._emissivity = truth.outside_w.tolist(), truth.emissivity.tolist()
        self._arrivals = truth.arrivals.tolist()

    def sense(self) -> Sight:
        """Lets the second's frames arrive and shows what a governor may see."""
        for c, frames in enumerate(self._arrivals[self.k]):
            room = int(self._model.classes[c].frames_max) - self.waiting[c]
            self.waiting[c] += min(frames, room)
            self.lost_frames += max(0, frames - room)
        q = self._quantum_k
        return Sight(
            k=self.k,
            battery_j=self.energy_j,
            temperature_k=[round(t / q) * q if q else t for t in self.temp_k],
            array_w=self._array[self.k],
            link_rate_bps=self._link[self.k],
            waiting=self.waiting.copy(),
            in_progress=[row.copy() for row in self.progress],
            stored_bits=[row.copy() for row in self.stored_bits],
        )

    def act(self, wish: Wish) -> None:
        """The second itself."""
        for v, c, count in wish.discard:
            self._give_up(v, c, count)
        link = self._send(wish)
        busy, watts, heat_w = self._work(wish)
        self._spend(watts + (1.0 - busy) * self._model.idle_w, link)
        self._warm(heat_w, 1.0 - busy, link)
        self.k += 1

    def value(self) -> tuple[float, float]:
        """(delivered, penalty for ending with less energy than at the start)."""
        delivered = 0.0
        for row, v in zip(self.sent_bits, range(self._model.variant_count), strict=True):
            for bits, frames in zip(row, self._model.classes, strict=True):
                delivered += frames.value[v] * floor(bits / frames.result_bits[v] + WHOLE)
        short_j = max(0.0, self.start_j - self.energy_j)
        return delivered, self._model.end_price_per_j * short_j

    @property
    def violation_s(self) -> int:
        """Seconds outside limits, all kinds together."""
        return self.below_floor_s + self.over_power_s + sum(self.over_temp_s)

    def _give_up(self, v: int, c: int, count: float) -> None:
        bits = self._model.classes[c].result_bits[v]
        have = self.stored_bits[v][c]
        if count < 0 or count != int(count) or count * bits > have + BITS_SLACK:
            self.faults[Fault.DISCARD] += 1
            count = max(0, min(int(count), int(have / bits)))
        self.stored_bits[v][c] = max(0.0, have - count * bits)

    def _send(self, wish: Wish) -> float:
        """Moves bits; returns the share of the second that the link was on."""
        rate, link = self._link[self.k], wish.link_on
        most = 1.0 if rate > 0.0 else 0.0
        if not 0.0 <= link <= most + RATE_SLACK:
            self.faults[Fault.NO_LINK] += 1
            link = min(max(link, 0.0), most) if link == link else 0.0  # noqa: PLR0124  NaN
        room = rate * link
        for v, c, asked in wish.sends:
            if not asked >= 0.0:
                self.faults[Fault.NEGATIVE] += 1
                continue
            if asked > room + BITS_SLACK:
                self.faults[Fault.LINK] += 1
            if asked > self.stored_bits[v][c] + BITS_SLACK:
                self.faults[Fault.STORE] += 1
            bits = min(asked, max(room, 0.0), self.stored_bits[v][c])
            room -= bits
            self.stored_bits[v][c] -= bits
            self.sent_bits[v][c] += bits
        return link

    def _work(self, wish: Wish) -> tuple[float, float, list[float]]:
        """Share of the second spent, its energy above none, and its heat by node."""
        modes, speed = self._model.modes, self._speed[self.k]
        busy, watts, heat_w = 0.0, 0.0, [0.0] * len(self._model.nodes)
        frames: dict[tuple[int, int], float] = {}
        for m, c, asked in wish.work:
            share = asked
            if not -RATE_SLACK <= asked <= 1.0 + RATE_SLACK or busy + asked > 1.0 + FRACTION_SLACK:
                self.faults[Fault.WORK] += 1
                share = min(max(asked, 0.0), max(0.0, 1.0 - busy)) if asked == asked else 0.0  # noqa: PLR0124
            busy += share
            watts += share * modes[m].watts
            heat_w = [q + share * w for q, w in zip(heat_w, modes[m].heat_w, strict=True)]
            kind = modes[m].variant, c
            done = share * modes[m].frames_per_s[c] * speed
            frames[kind] = frames.get(kind, 0.0) + done
        self.made = []
        for v, c in sorted(frames):
            self._compute(v, c, frames[v, c])
        return busy, watts, heat_w

    def _compute(self, v: int, c: int, frames: float) -> None:
        """Progress on a kind, as far as frames wait that nobody has begun."""
        free = self.waiting[c] - sum(row[c] for row in self.progress)
        progress = self.progress[v][c] + min(frames, max(0.0, free))
        whole = int(progress + WHOLE)
        if whole:
            whole = min(whole, self.waiting[c])
            progress = max(0.0, progress - whole)
            self.waiting[c] -= whole
            self._store(v, c, whole)
        self.progress[v][c] = progress

    def _store(self, v: int, c: int, results: int) -> None:
        bits = self._model.classes[c].result_bits[v]
        room = self._model.store_bits_max - sum(map(sum, self.stored_bits))
        kept = max(0, min(results, int(room / bits + WHOLE)))
        self.lost_results += results - kept
        self.stored_bits[v][c] += kept * bits
        if kept:
            self.made.append((v, c, kept))

    def _spend(self, payload_w: float, link: float) -> None:
        battery = self._model.battery
        net_w = self._array[self.k] - payload_w - self._base[self.k] - link * self._model.link_w
        if net_w >= 0.0:
            room_w = max(0.0, (battery.energy_max_j - self.energy_j) / battery.charge_efficiency)
            taken_w = min(net_w, battery.charge_w_max, room_w)
            self.energy_j += battery.charge_efficiency * taken_w
            self.shunted_j += net_w - taken_w
        else:
            self.energy_j += net_w / battery.discharge_efficiency
            self.over_power_s += -net_w > battery.discharge_w_max + RATE_SLACK
        self.below_floor_s += self.energy_j < battery.energy_floor_j - ENERGY_SLACK_J
        self.least_j = min(self.least_j, self.energy_j)

    def _warm(self, work_heat_w: list[float], idle: float, link: float) -> None:
        model, k = self._model, self.k
        scale = self._base[k] / model.base_w if model.base_w else 0.0
        heat_w = [
            work + outside + idle * still + scale * base + link * lit
            for work, outside, still, base, lit in zip(
                work_heat_w, self._outside[k], model.idle_heat_w, model.base_heat_w,
                model.link_heat_w, strict=True,
            )
        ]  # fmt: skip
        self.temp_k = self._heat.after_second(self.temp_k, heat_w, self._emissivity[k])
        for i, (t, node) in enumerate(zip(self.temp_k, model.nodes, strict=True)):
            self.peak_k[i] = max(self.peak_k[i], t)
            self.over_temp_s[i] += t > node.limit_k + TEMP_SLACK_K
