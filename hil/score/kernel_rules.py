"""The kernel's two thermal governors as rules: temperatures of zones in, a power cap out.

After Documentation/driver-api/thermal/power_allocator.rst and sysfs-api.rst of Linux: `step_wise`
goes one cooling state up for each look above the trip and rising, one down below it and falling;
`power_allocator` grants power by a PID controller. Zones here are heat nodes with a limit, cooling
states the power caps of the payload.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

STEP_MARGIN_K = 4.0
CONTROL_MARGIN_K, SWITCH_MARGIN_K = 3.0, 13.0


class StepWiseRule:
    """One `cap` a look.

    Args:
        limits: of the zones, in the unit of what `cap` is given.
        states: power caps in watts from the highest down; None is off.
    """

    def __init__(
        self, limits: Sequence[float], states: Sequence[float | None],
        margin_k: float = STEP_MARGIN_K,
    ) -> None:  # fmt: skip
        self._trips = [limit - margin_k for limit in limits]
        self._states = tuple(states)
        self._level = [0] * len(self._trips)
        self._before: list[float] | None = None

    def cap(self, temps: Sequence[float]) -> float | None:
        """The cap of the zone that asks for most cooling."""
        before = self._before or temps
        for i, (now, then, trip) in enumerate(zip(temps, before, self._trips, strict=True)):
            if now >= trip and now > then:
                self._level[i] = min(self._level[i] + 1, len(self._states) - 1)
            elif now < trip and now < then:
                self._level[i] = max(self._level[i] - 1, 0)
        self._before = list(temps)
        return self._states[max(self._level)]


class PowerAllocatorRule:
    """One `cap` a look; the least grant of the zones picks it, rounded down.

    Gains are the kernel's defaults from the sustainable power: k_po = P / (T_control - T_on),
    k_pu = 2 k_po, k_i = k_pu / 10, k_d = 0.
    """

    def __init__(
        self, limits: Sequence[float], caps_w: Sequence[float], sustainable_w: float
    ) -> None:
        self._limits = list(limits)
        self._caps_w = sorted(caps_w)
        self._sustainable_w = sustainable_w
        self._integral = [0.0] * len(self._limits)

    def cap(self, temps: Sequence[float]) -> float | None:
        """The highest cap inside every zone's grant; None when none is."""
        most_w = self._caps_w[-1]
        k_over = self._sustainable_w / (SWITCH_MARGIN_K - CONTROL_MARGIN_K)
        k_under, k_i = 2.0 * k_over, 0.2 * k_over
        grant_w = most_w
        for i, (now, limit) in enumerate(zip(temps, self._limits, strict=True)):
            if now < limit - SWITCH_MARGIN_K:
                self._integral[i] = 0.0
                continue
            error = limit - CONTROL_MARGIN_K - now
            if error < 0.0 and abs(k_i * (self._integral[i] + error)) < most_w:
                self._integral[i] += error
            push_w = (k_over if error < 0.0 else k_under) * error + k_i * self._integral[i]
            grant_w = min(grant_w, max(0.0, self._sustainable_w + push_w))
        return max((w for w in self._caps_w if w <= grant_w + 1e-9), default=None)
