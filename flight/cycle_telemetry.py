"""What a cycle tells: channels by index and the edges that deserve an event."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from flight.telemetry.definitions import ThrottleReason

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.executive import Decision, Estimates
    from flight.modes.mode_table import ModeChange, ModeMachine
    from flight.power.energy_estimate import EnergyEstimator, EnergyState
    from flight.power.mains_supply import MainsSupply
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.definitions import Mode
    from flight.telemetry.event_log import EventLog

_NS = 1e-9


class CycleTelemetry:
    """Writes the executive's channels and emits its events; keeps the last values for the edges.

    Args:
        on_mode: told each change of the mode, and when; or `None`.
    """

    def __init__(
        self,
        channels: ChannelValues,
        events: EventLog,
        modes: ModeMachine,
        energy: EnergyEstimator | MainsSupply,
        on_mode: Callable[[ModeChange, int], None] | None = None,
    ) -> None:
        self._values = channels.values
        self._events = events
        self._modes = modes
        self._energy = energy
        self._on_mode = on_mode
        self._reason = ThrottleReason.NONE
        self._sunlit: bool | None = None
        self._then_ns: int | None = None
        self._throttled_s = 0.0
        self._cycles = 0
        self._index = tuple(
            channels.index(name)
            for name in (
                "mode.current",
                "mode.changes",
                "power.soc_estimate",
                "power.soc_quality",
                "power.eclipse_in_s",
                "power.sun_in_s",
                "power.reserve_soc",
                "thermal.die_predicted_c",
                "governor.level",
                "governor.throttle_reason",
                "governor.throttled_s",
                "system.cycles",
                "event.total",
                "event.suppressed_total",
                "event.dropped_total",
            )
        )

    def mode_changed(self, change: ModeChange, now_ns: int) -> None:
        """The edge of a mode."""
        self._events.emit(
            "MODE_CHANGED", now_ns, old=change.old.name, new=change.new.name, cause=change.cause
        )
        if self._on_mode is not None:
            self._on_mode(change, now_ns)

    def soc(self, energy: EnergyState) -> None:
        """The estimate goes out before the limits are judged: they look at the channel."""
        self._values[self._index[2]] = energy.soc if energy.soc_valid else nan

    def mode_refused(self, wanted: Mode, mode: Mode, danger: str, now_ns: int) -> None:
        """A mode that was asked for and cannot be had."""
        self._events.emit("MODE_REFUSED", now_ns, wanted=wanted.name, mode=mode.name, reason=danger)

    def blind_cycle(self, mode: Mode, level: int, reason: ThrottleReason, now_ns: int) -> None:
        """A cycle without a snapshot: what is decided is told, what is estimated is not known."""
        self._cycles += 1
        self._throttle(level, reason, now_ns)
        events = self._events
        self._store(
            mode, self._modes.changes, nan, nan, nan, nan, nan, nan, level, reason,
            self._throttled_s, self._cycles, events.total, events.suppressed_total,
            events.pending.dropped,
        )  # fmt: skip

    def cycle(self, estimates: Estimates, decision: Decision, now_ns: int) -> None:
        """All channels of one cycle."""
        self._cycles += 1
        self._edges(estimates, decision, now_ns)
        energy, phase = estimates.energy, estimates.energy.phase
        governor, events = decision.governor, self._events
        self._store(
            decision.mode,
            self._modes.changes,
            self._values[self._index[2]],
            self._energy.soc_quality,
            phase.eclipse_in_s,
            0.0 if phase.sunlit else phase.eclipse_s,
            energy.reserve_soc,
            governor.die_predicted_c,
            governor.level,
            governor.reason,
            self._throttled_s,
            self._cycles,
            events.total,
            events.suppressed_total,
            events.pending.dropped,
        )

    def _store(self, *row: float) -> None:
        values = self._values
        for index, value in zip(self._index, row, strict=True):
            values[index] = value

    def _throttle(self, level: int, reason: ThrottleReason, now_ns: int) -> None:
        if self._then_ns is not None and reason is not ThrottleReason.NONE:
            self._throttled_s += (now_ns - self._then_ns) * _NS
        self._then_ns = now_ns
        if reason is not self._reason:
            if reason is ThrottleReason.NONE:
                self._events.emit("THROTTLE_CLEARED", now_ns, level=level)
            else:
                self._events.emit("THROTTLED", now_ns, level=level, reason=reason.name.lower())
            self._reason = reason

    def _edges(self, estimates: Estimates, decision: Decision, now_ns: int) -> None:
        self._throttle(decision.governor.level, decision.governor.reason, now_ns)
        sunlit = estimates.energy.phase.sunlit
        if self._sunlit is not None and sunlit is not self._sunlit:
            name = "ECLIPSE_LEFT" if sunlit else "ECLIPSE_ENTERED"
            self._events.emit(name, now_ns, soc=self._values[self._index[2]])
        self._sunlit = sunlit
