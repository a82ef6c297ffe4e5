"""Governors to compare with: no plan at all, fixed caps, and the kernel's two thermal governors.

All have the guard that flies beneath them; the kernel's rules are `kernel_rules`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flight.thermal.plan_follower import PlanFollower
from hil.score.dve_governor import DveGovernor
from hil.score.guarded_node import GuardedNode
from hil.score.kernel_rules import PowerAllocatorRule, StepWiseRule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flight.thermal.plan_follower import Work
    from hil.score.guarded_node import Sensed

END_SPARE_J = 500.0
BACKLOG_S = 1000.0
"""A queue of so many seconds of arrivals is worked off with a smaller model."""


class GuardAlone(GuardedNode):
    """The steps of degradation end here: no plan, most value a second at full power."""

    def __init__(self, public_case: Mapping[str, Any]) -> None:
        super().__init__(public_case)
        self._follower = PlanFollower(self.model)

    def wish(self, obs: Sensed, free_frames: list[float]) -> tuple[Work, bool]:
        """All frames of most value a second."""
        del obs
        return self._follower.second(None, free_frames, self.learner.learned.rate_scale), True


class Capped(GuardedNode):
    """Works on what is worth most a second under a power cap, with one model variant.

    In the last orbit it stops under the charge the day began with: ending low never pays.
    """

    def __init__(self, public_case: Mapping[str, Any], variant: int) -> None:
        super().__init__(public_case)
        self.variant = variant
        self.caps_w = sorted({mode.watts for mode in self.model.modes})
        self._last_orbit_s = self.forecast.end_s - float(public_case["orbit_period_s"])

    def cap_w(self, obs: Sensed) -> float | None:
        """The power cap; None to idle."""
        raise NotImplementedError

    def wish(self, obs: Sensed, free_frames: list[float]) -> tuple[Work, bool]:
        """The second filled with frames, most value first."""
        cap_w = self.cap_w(obs)
        target_j = min(self.model.energy_end_j + END_SPARE_J, self.model.battery.energy_max_j)
        if cap_w is None or (obs.k >= self._last_orbit_s and obs.battery_j < target_j):
            return [], True
        return self._filled(self.pairs(obs, cap_w), free_frames), True

    def pairs(self, obs: Sensed, cap_w: float) -> list[tuple[int, int]]:
        """(mode, class) in the order in which the second is filled."""
        del obs
        found = [
            (self.model.classes[c].value[mode.variant] * fps, m, c)
            for m, mode in enumerate(self.model.modes)
            for c, fps in enumerate(mode.frames_per_s)
            if mode.watts == cap_w and mode.variant == self.variant and fps > 0.0
        ]
        return [(m, c) for _, m, c in sorted(found, reverse=True)]

    def _filled(self, pairs: list[tuple[int, int]], free_frames: list[float]) -> Work:
        left, free, work = 1.0, list(free_frames), []
        for m, c in pairs:
            fps = self.model.modes[m].frames_per_s[c]
            share = min(left, max(0.0, free[c]) / fps)
            if share > 1e-9:
                work.append((m, c, share))
                left -= share
                free[c] -= share * fps
        return work


class RaceToIdle(Capped):
    """The highest cap while frames wait."""

    def cap_w(self, obs: Sensed) -> float | None:
        """Always the highest."""
        del obs
        return self.caps_w[-1]


class StepWise(Capped):
    """The kernel's `step_wise` over every heat node."""

    def __init__(self, public_case: Mapping[str, Any], variant: int) -> None:
        super().__init__(public_case, variant)
        limits = [node.limit_k for node in self.model.nodes]
        self._rule = StepWiseRule(limits, [*reversed(self.caps_w), None])

    def cap_w(self, obs: Sensed) -> float | None:
        """The cap of the zone that asks for most cooling."""
        return self._rule.cap(obs.temperature_k)


class PowerAllocator(Capped):
    """The kernel's `power_allocator` over every heat node."""

    def __init__(
        self, public_case: Mapping[str, Any], variant: int, sustainable_w: float | None = None
    ) -> None:
        super().__init__(public_case, variant)
        limits = [node.limit_k for node in self.model.nodes]
        self._rule = PowerAllocatorRule(
            limits, self.caps_w, self.caps_w[-1] if sustainable_w is None else sustainable_w
        )

    def cap_w(self, obs: Sensed) -> float | None:
        """The highest cap inside every zone's grant."""
        return self._rule.cap(obs.temperature_k)


class Backlog(Capped):
    """The model by the length of the queue, the highest cap: the strongest simple rule known."""

    def __init__(self, public_case: Mapping[str, Any], variant: int = 0) -> None:
        super().__init__(public_case, variant)
        hourly = public_case["forecast"]["arrival_fps_hourly"]
        fps = [sum(hourly[c.name]) / len(hourly[c.name]) for c in self.model.classes]
        self._short = [BACKLOG_S * max(0.25, mean) for mean in fps]
        self._classes = sorted(
            range(len(self.model.classes)), key=lambda c: -max(self.model.classes[c].value)
        )

    def cap_w(self, obs: Sensed) -> float | None:
        """Lower close to a limit."""
        gap_k = max(
            t - node.limit_k for t, node in zip(obs.temperature_k, self.model.nodes, strict=True)
        )
        down = 2 if gap_k > -3.5 else 1 if gap_k > -5.0 else 0
        return self.caps_w[max(0, len(self.caps_w) - 1 - down)]

    def pairs(self, obs: Sensed, cap_w: float) -> list[tuple[int, int]]:
        """For each class one mode, the class of most value a frame first."""
        found = []
        for c in self._classes:
            queue = obs.waiting[c] / self._short[c]
            rank = 0 if queue < 1.0 else 1 if queue < 5.0 else 2
            value = self.model.classes[c].value
            by_value = sorted(range(len(value)), key=value.__getitem__, reverse=True)
            variant = by_value[min(rank, len(by_value) - 1)]
            found += [
                (m, c)
                for m, mode in enumerate(self.model.modes)
                if mode.watts == cap_w and mode.variant == variant and mode.frames_per_s[c] > 0.0
            ]
        return found


def _by_variant(kind: type[Capped]) -> Callable[[Mapping[str, Any]], list[GuardedNode]]:
    def forms(case: Mapping[str, Any]) -> list[GuardedNode]:
        return [kind(case, v) for v in range(len(case["compute"]["variants"]))]

    return forms


def _planner(case: Mapping[str, Any]) -> list[GuardedNode]:
    return [DveGovernor(case)]


def _guard_alone(case: Mapping[str, Any]) -> list[GuardedNode]:
    return [GuardAlone(case)]


def _backlog(case: Mapping[str, Any]) -> list[GuardedNode]:
    return [Backlog(case)]


POLICIES: dict[str, Callable[[Mapping[str, Any]], list[GuardedNode]]] = {
    "planner": _planner,
    "guard_alone": _guard_alone,
    "race_to_idle": _by_variant(RaceToIdle),
    "step_wise": _by_variant(StepWise),
    "power_allocator": _by_variant(PowerAllocator),
    "backlog": _backlog,
}
"""Forms of a governor by its name; of several the best on the day counts."""
