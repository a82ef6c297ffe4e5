"""What every governor of a scored day shares: learning, the fast guard, sending, giving up.

A governor only says what it would like (`wish`); the guard that flies decides how much of it may
be. Reference governors get the same guard as the planner, so a comparison shows the planning alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from flight.thermal.guarded_plant import GuardedPlant, Load, Seen
from hil.score.dve_case import forecast, node_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flight.thermal.plan_follower import Work

STORE_FULL, STORE_EASED = 0.97, 0.95
"""Above the first share of its room the store gives up what is worth least a bit, to the second."""

Sends = list[tuple[int, int, float]]
Discards = list[tuple[int, int, int]]


class Sensed(Protocol):
    """A second's sensors, as a referee shows them."""

    @property
    def k(self) -> int:
        """The second that begins."""
        ...

    @property
    def battery_j(self) -> float:
        """Energy in the battery."""
        ...

    @property
    def temperature_k(self) -> list[float]:
        """By heat node, as rounded as the sensors are."""
        ...

    @property
    def array_w(self) -> float:
        """Array output now."""
        ...

    @property
    def link_rate_bps(self) -> float:
        """0: no link in this second."""
        ...

    @property
    def waiting(self) -> list[int]:
        """Frames by class."""
        ...

    @property
    def in_progress(self) -> list[list[float]]:
        """Begun results by variant and class."""
        ...

    @property
    def stored_bits(self) -> list[list[float]]:
        """Results not yet sent, likewise."""
        ...


@dataclass(slots=True)
class Decision:
    """One second: what to work on, how much of the link, what to send, what to give up."""

    work: Work
    link_on: float = 0.0
    sends: Sends = field(default_factory=list)
    discard: Discards = field(default_factory=list)


class GuardedNode:
    """Drives the flight cores from a day's sensors, second by second."""

    def __init__(self, public_case: Mapping[str, Any]) -> None:
        self.model = node_model(public_case)
        self.forecast = forecast(public_case)
        self.plant = GuardedPlant(self.model, self.forecast)
        self.learner = self.plant.learner
        self._order = self.model.send_order()
        self._expected: tuple[float, float] | None = None

    def wish(self, obs: Sensed, free_frames: list[float]) -> tuple[Work, bool]:
        """The work that is wanted, and whether the link is; `free_frames` are not begun."""
        raise NotImplementedError

    def decide(self, obs: Sensed) -> Decision:
        """The second that begins at `obs.k`."""
        now_s = float(obs.k)
        self._learn(obs, now_s)
        seen = self.plant.sensed(Seen(now_s, obs.battery_j, obs.array_w, obs.temperature_k))
        work, link_wanted = self.wish(obs, self.free_frames(obs))
        sends, link = self._sends(obs) if link_wanted else ([], 0.0)
        return self._guarded(obs, seen, Decision(work, link, sends, self._give_up(obs, sends)))

    def free_frames(self, obs: Sensed) -> list[float]:
        """Frames that wait and that nobody has begun, by class."""
        return [
            waiting - sum(row[c] for row in obs.in_progress)
            for c, waiting in enumerate(obs.waiting)
        ]

    def _learn(self, obs: Sensed, now_s: float) -> None:
        full_w = self.forecast.array_w
        forecast_w = full_w * self.forecast.sun.at(now_s + 0.5)
        self.learner.power(obs.battery_j, obs.array_w, forecast_w, full_w)
        if self._expected is not None:
            made_before, expected = self._expected
            self.learner.speed(self._made(obs) - made_before, expected)

    def _made(self, obs: Sensed) -> float:
        """Frames' worth of results in store and under way."""
        classes = self.model.classes
        made = 0.0
        for v in range(self.model.variant_count):
            for c, frames in enumerate(classes):
                made += obs.stored_bits[v][c] / frames.result_bits[v] + obs.in_progress[v][c]
        return made

    def _sends(self, obs: Sensed) -> tuple[Sends, float]:
        """All that is stored, most value a bit first, as far as the second's link carries."""
        sends: Sends = []
        room = obs.link_rate_bps
        if room <= 0.0:
            return [], 0.0
        for v, c in self._order:
            bits = min(room, obs.stored_bits[v][c])
            if bits > 0.0:
                sends.append((v, c, bits))
                room -= bits
        return sends, (obs.link_rate_bps - room) / obs.link_rate_bps

    def _give_up(self, obs: Sensed, sends: Sends) -> Discards:
        used, room = sum(map(sum, obs.stored_bits)), self.model.store_bits_max
        excess = used - STORE_EASED * room
        if used < STORE_FULL * room:
            return []
        busy, given = {(v, c) for v, c, _ in sends}, []
        for v, c in reversed(self._order):
            bits = self.model.classes[c].result_bits[v]
            count = min(int(obs.stored_bits[v][c] / bits), int(excess / bits) + 1)
            if count > 0 and excess > 0.0 and (v, c) not in busy:
                given.append((v, c, count))
                excess -= count * bits
        return given

    def _guarded(self, obs: Sensed, seen: Seen, wanted: Decision) -> Decision:
        work_w, heat_w = self._cost(wanted.work)
        allowed = self.plant.allow(seen, Load(work_w, heat_w, wanted.link_on))
        work = [(m, c, share * allowed.work) for m, c, share in wanted.work if allowed.work > 0.0]
        shrunk = allowed.link / wanted.link_on if wanted.link_on > 0.0 else 0.0
        sends = [(v, c, bits * shrunk) for v, c, bits in wanted.sends if shrunk > 0.0]
        done_w = [allowed.work * watts for watts in heat_w]
        self.plant.done(
            Seen(seen.now_s, seen.energy_j, seen.array_w, obs.temperature_k),
            Load(work_w * allowed.work, done_w, allowed.link),
        )
        self._expect(obs, work, sends, wanted.discard)
        return Decision(work, allowed.link, sends, wanted.discard)

    def _cost(self, work: Work) -> tuple[float, list[float]]:
        """Watts and heat above idle of a second's work."""
        model = self.model
        watts, heat = 0.0, [0.0] * len(model.nodes)
        for m, _, share in work:
            mode = model.modes[m]
            watts += share * (mode.watts - model.idle_w)
            for i, (hot, idle) in enumerate(zip(mode.heat_w, model.idle_heat_w, strict=True)):
                heat[i] += share * (hot - idle)
        return watts, heat

    def _expect(self, obs: Sensed, work: Work, sends: Sends, discard: Discards) -> None:
        """What the next look should find more than `_made` finds now."""
        classes, modes = self.model.classes, self.model.modes
        gone = sum(bits / classes[c].result_bits[v] for v, c, bits in sends)
        gone += sum(count for _, _, count in discard)
        frames = sum(share * modes[m].frames_per_s[c] for m, c, share in work)
        self._expected = (self._made(obs) - gone, frames)
