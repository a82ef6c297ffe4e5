"""UTC beside mission time: what the cycle reads of it, believes, and tells.

Hop "judged" and "told" of sensor -> actuator. Every packet carries mission time and how far the
correlation to UTC is to be trusted; the correlation itself is the group `time`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.telemetry.dictionary import UTC_LABELS

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.base.utc_keeper import UtcKeeper
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.event_log import EventLog
    from flight.wire.space_packet import SequenceCounts

_NS = 1e-9


class UtcWatch:
    """One `observe` a cycle.

    Args:
        locked: whether a time source holds the clock that the sensors show.
        sequence: of the packets, which carry the quality.
    """

    def __init__(
        self,
        keeper: UtcKeeper,
        locked: Callable[[], bool],
        sequence: SequenceCounts,
        channels: ChannelValues,
        events: EventLog,
    ) -> None:
        self._keeper = keeper
        self._locked = locked
        self._sequence = sequence
        self._values = channels.values
        self._events = events
        self._index = tuple(
            channels.index(f"time.{name}")
            for name in ("utc_offset_s", "utc_quality", "correlation_age_s", "steps_total",
                         "last_step_s")
        )  # fmt: skip

    def observe(self, now_ns: int, utc_ns: int | None) -> None:
        """Takes a reading of UTC, or that there is none in this cycle."""
        keeper = self._keeper
        change = keeper.observe(now_ns, utc_ns, locked=self._locked())
        correlation = keeper.correlation
        self._sequence.utc_quality = correlation.quality
        if change is not None and change.step_ns:
            self._events.emit("UTC_STEPPED", now_ns, step_s=change.step_ns * _NS)
        if change is not None and change.after is not change.before:
            self._events.emit(
                "UTC_QUALITY", now_ns, old=UTC_LABELS[change.before], new=UTC_LABELS[change.after]
            )
        age_ns = now_ns - correlation.set_at_ns
        row = (
            correlation.offset_ns * _NS,
            correlation.quality,
            age_ns * _NS,
            keeper.steps,
            keeper.last_step_ns * _NS,
        )
        for index, value in zip(self._index, row, strict=True):
            self._values[index] = value

    def utc_s(self, now_ns: int) -> float | None:
        """Unix seconds of a mission time; None while UTC was never told."""
        keeper = self._keeper
        return keeper.utc_ns(now_ns) * _NS if keeper.known else None
