"""The slow parts of an emulated terminal: a mount that turns, temperatures that follow the load."""

from __future__ import annotations

import math

_NS_PER_S = 1_000_000_000
RATE_UDEG_PER_S = 2_000_000
"""Mounts of this class turn at one to two degrees a second."""
SLEW_NS = 4_000_000_000
"""To look at another peer, as on the bench (hil/link_bench.py)."""

AMBIENT_MDEGC = 20_000
TAU_S = 120.0
"""Thermal time constant: 2.5 kJ/K through about 0.05 K/W of strap and bracket."""
LASER_K_PER_W = 0.9
ELECTRONICS_K_PER_W = 0.5
DETECTOR_MDEGC = -5_000
"""Held there by its own cooler."""
OVERHEAT_SET_MDEGC, OVERHEAT_CLEAR_MDEGC = 70_000, 55_000
"""The band between them keeps the protection from chattering."""
HEATER_FAULT_W = 120.0
IDLE_W, POINTING_W, LASER_W = 8.0, 14.0, 22.0
RATED_OPTICAL_MW = 2200
"""A tenth of the electrical power, as in hil/plant/spacecraft_config.py."""


class Mount:
    """Two axes at a constant rate, and the peer it looks at."""

    def __init__(self) -> None:
        self.azimuth_udeg = 0
        self.elevation_udeg = 0
        self._target_id = 0
        self._since_ns = 0
        self._last_ns: int | None = None
        self._stopped_ns = 0

    def step(self, target_id: int, axes_udeg: tuple[int, int], now_ns: int, *, stuck: bool) -> None:
        """Turns towards what it was told; a stuck one stays, and a slew does not go on."""
        past_ns = 0 if self._last_ns is None else now_ns - self._last_ns
        self._last_ns = now_ns
        if stuck:
            self._since_ns += past_ns
            return
        if target_id != self._target_id:
            self._target_id, self._since_ns = target_id, now_ns
        turn = RATE_UDEG_PER_S * past_ns // _NS_PER_S
        self.azimuth_udeg = _towards(self.azimuth_udeg, axes_udeg[0], turn)
        self.elevation_udeg = _towards(self.elevation_udeg, axes_udeg[1], turn)

    def looks_at(self, now_ns: int) -> int:
        """The peer in view, 0 while it turns or is stowed."""
        return self._target_id if now_ns - self._since_ns >= SLEW_NS else 0


def _towards(now: int, goal: int, turn: int) -> int:
    return min(now + turn, goal) if goal > now else max(now - turn, goal)


class Heat:
    """First-order temperatures of transmitter and electronics, with a protection band."""

    def __init__(self) -> None:
        self._laser_c = self._electronics_c = AMBIENT_MDEGC / 1000.0
        self._last_ns: int | None = None
        self.too_hot = False

    def step(self, laser_w: float, electronics_w: float, now_ns: int, *, heater: bool) -> None:
        """Temperatures after the load of the time since the last step."""
        past_s = 0.0 if self._last_ns is None else (now_ns - self._last_ns) / _NS_PER_S
        self._last_ns = now_ns
        share = 1.0 - math.exp(-past_s / TAU_S)
        ambient_c = AMBIENT_MDEGC / 1000.0
        electronics_w += HEATER_FAULT_W if heater else 0.0
        self._laser_c += (ambient_c + LASER_K_PER_W * laser_w - self._laser_c) * share
        goal_c = ambient_c + ELECTRONICS_K_PER_W * electronics_w
        self._electronics_c += (goal_c - self._electronics_c) * share
        limit = OVERHEAT_CLEAR_MDEGC if self.too_hot else OVERHEAT_SET_MDEGC
        self.too_hot = max(self.laser_mdegc, self.electronics_mdegc) >= limit

    @property
    def laser_mdegc(self) -> int:
        """Transmitter."""
        return round(self._laser_c * 1000.0)

    @property
    def electronics_mdegc(self) -> int:
        """Modem and controller."""
        return round(self._electronics_c * 1000.0)
