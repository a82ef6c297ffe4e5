"""Governors to compare with: no plan at all, fixed caps, and the kernel's two thermal governors.

`StepWise` and `PowerAllocator` follow the published rules of the Linux governors of those names
(Documentation/driver-api/thermal/power_allocator.rst and sysfs-api.rst): every heat node is a zone,
the power caps of the payload are the cooling states. All have the guard that flies beneath them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flight.thermal.plan_follower import PlanFollower
from hil.score.dve_governor import DveGovernor
from hil.score.guarded_node import GuardedNode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flight.thermal.plan_follower import Work
    from hil.score.guarded_node import Sensed

END_SPARE_J = 500.0
STEP_MARGIN_K = 4.0
CONTROL_MARGIN_K, SWITCH_MARGIN_K = 3.0, 13.0
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
    """One state more for each second above the trip and rising, one less below it and falling."""

    def __init__(self, public_case: Mapping[str, Any], variant: int) -> None:
        super().__init__(public_case, variant)
        self._states: list[float | None] = [*reversed(self.caps_w), None]
        self._level = [0] * len(self.model.nodes)
        self._before: list[float] | None = None

    def cap_w(self, obs: Sensed) -> float | None:
        """The cap of the zone that asks for most cooling."""
        before = self._before or obs.temperature_k
        for i, (now, then, node) in enumerate(
            zip(obs.temperature_k, before, self.model.nodes, strict=True)
        ):
            tripped = now >= node.limit_k - STEP_MARGIN_K
            if tripped and now > then:
                self._level[i] = min(self._level[i] + 1, len(self._states) - 1)
            elif not tripped and now < then:
                self._level[i] = max(self._level[i] - 1, 0)
        self._before = list(obs.temperature_k)
        return self._states[max(self._level)]


class PowerAllocator(Capped):
    """A PID controller a zone that grants power; the least grant picks the cap, rounded down.

    Gains are the kernel's defaults from the sustainable power: k_po = P / (T_control - T_on),
    k_pu = 2 k_po, k_i = k_pu / 10, k_d = 0.
    """

    def __init__(
        self, public_case: Mapping[str, Any], variant: int, sustainable_w: float | None = None
    ) -> None:
        super().__init__(public_case, variant)
        self._sustainable_w = self.caps_w[-1] if sustainable_w is None else sustainable_w
        self._integral = [0.0] * len(self.model.nodes)

    def cap_w(self, obs: Sensed) -> float | None:
        """The highest cap inside every zone's grant."""
        most_w = self.caps_w[-1]
        k_over = self._sustainable_w / (SWITCH_MARGIN_K - CONTROL_MARGIN_K)
        k_under, k_i = 2.0 * k_over, 0.2 * k_over
        grant_w = most_w
        for i, (now, node) in enumerate(zip(obs.temperature_k, self.model.nodes, strict=True)):
            if now < node.limit_k - SWITCH_MARGIN_K:
                self._integral[i] = 0.0
                continue
            error = node.limit_k - CONTROL_MARGIN_K - now
            if error < 0.0 and abs(k_i * (self._integral[i] + error)) < most_w:
                self._integral[i] += error
            push_w = (k_over if error < 0.0 else k_under) * error + k_i * self._integral[i]
            grant_w = min(grant_w, max(0.0, self._sustainable_w + push_w))
        return max((w for w in self.caps_w if w <= grant_w + 1e-9), default=None)


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
