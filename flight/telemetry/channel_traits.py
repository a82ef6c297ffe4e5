"""What is said of channels by the handful: how long a value holds, what counts as moved, bounds.

Beside the table of channels, because most of it follows from unit and group.
"""

from __future__ import annotations

import msgspec

from flight.telemetry.definitions import Bounds, Channel

CYCLE_AGE_S = 5.0
"""Told anew each second; after five without a word nobody knows the value any more."""

_TOLD_EACH_CYCLE = frozenset({"power", "thermal", "queue", "link", "time"})
"""Groups whose channels are all told anew each second, but for these:"""
_TOLD_WHEN_NEW = ("link.frames_received", "link.frames_rejected", "link.rejected_")
_TOLD_EACH_CYCLE_TOO = frozenset({
    "mode.current", "command.loss_in_s", "event.total", "system.cycles", "system.invalid_sensors",
})  # fmt: skip

_MOVES = {"time.utc_offset_s": 0.001}
"""Dead bands of their own."""

DEAD_BANDS: dict[str, float | None] = {
    "W": 0.5,
    "V": 0.05,
    "A": 0.1,
    "degC": 0.5,
    "1": 0.005,
    "dBm": 1.0,
    "J": 100.0,
    "MiB": 1.0,
    "B": 1e6,
    "ms": 5.0,
    "us": None,
    "s": None,
    "1/kJ": None,
    "1/s": None,
    "1/MB": None,
}
"""By unit: how far a value has to move to ask for a packet before its time; None never asks.
A count, a label or a flag asks with every change."""

_NEVER_ASKS = frozenset({
    "system.cycles", "event.total", "store.commits_total", "rate.main_busy_ms", "rate.main_late_ms",
    "rate.main_drift_ms",
})  # fmt: skip
"""They move by themselves."""

BOUNDS: dict[str, Bounds] = {
    "power.soc_estimate": Bounds(low_red=0.40, low_yellow=0.55),
    "thermal.die_c": Bounds(high_yellow=82.0, high_red=85.0),
    "thermal.sink_c": Bounds(high_yellow=75.0, high_red=80.0),
    "battery.temp_c": Bounds(low_red=-10.0, low_yellow=0.0, high_yellow=45.0, high_red=55.0),
    "thermal.terminal_c": Bounds(low_yellow=-20.0, high_yellow=55.0, high_red=65.0),
}
"""By channel: what an operator's eye is to be drawn to. The node's own limits are as these with
default parameters and a die limit of 85 degC; what moves them moves the verdict on board, not the
colour on the ground."""


def with_traits(channel: Channel) -> Channel:
    """The channel with its age, its dead band and its bounds."""
    told = channel.group in _TOLD_EACH_CYCLE and not channel.name.startswith(_TOLD_WHEN_NEW)
    never = channel.name in _NEVER_ASKS
    band = DEAD_BANDS[channel.unit] if channel.unit else 0.0
    return msgspec.structs.replace(
        channel,
        age_s=CYCLE_AGE_S if told or channel.name in _TOLD_EACH_CYCLE_TOO else 0.0,
        dead_band=None if never else _MOVES.get(channel.name, band),
        bounds=BOUNDS.get(channel.name),
    )
