"""When a group of channels is due: within its ceiling always, from its floor on when it has moved.

Pure. On-change telemetry with a floor and a ceiling interval a group: a packet never comes sooner
than the floor after the one before, and never later than the ceiling; in between it comes when a
channel of the group has moved by more than its dead band, or has become valid or invalid. All
three of a group (floor, ceiling, whether it is sent at all) are parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING

from flight.telemetry.dictionary import CHANNELS, GROUPS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flight.commanding.parameters import ParameterTable

_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Rate:
    """One group's settings. `floor_ns` 0: no packet before its time."""

    group: str
    floor_ns: int
    ceiling_ns: int


@dataclass(frozen=True, slots=True)
class _Told:
    t_ns: int
    row: Sequence[float]


class PacketSchedule:
    """What was told when, and what is due.

    Args:
        parameters: read anew when they have changed.
    """

    def __init__(self, parameters: ParameterTable) -> None:
        self._parameters = parameters
        self._revision = -1
        self._rates: tuple[_Rate, ...] = ()
        self._told: dict[str, _Told] = {}
        self._quiet_until_ns = 0

    def due(self, row: Sequence[float], now_ns: int) -> list[str]:
        """The groups to send now, in the order of the dictionary; they count as told.

        `row` is what would be told of every channel, and stays as it is.
        """
        if self._parameters.revision != self._revision:
            self._follow_parameters()
        elif now_ns < self._quiet_until_ns:
            return []
        found = [rate.group for rate in self._rates if self._is_due(rate, row, now_ns)]
        for group in found:
            self._told[group] = _Told(now_ns, row)
        self._quiet_until_ns = min(map(_quiet_until, self._rates, repeat(now_ns)), default=0)
        return found

    def _is_due(self, rate: _Rate, row: Sequence[float], now_ns: int) -> bool:
        told = self._told.get(rate.group)
        if told is None or now_ns // rate.ceiling_ns > told.t_ns // rate.ceiling_ns:
            return True
        return (
            0 < rate.floor_ns <= now_ns - told.t_ns
            and rate.floor_ns < rate.ceiling_ns
            and _has_moved(rate.group, told.row, row)
        )

    def _follow_parameters(self) -> None:
        parameters = self._parameters
        self._revision = parameters.revision
        rates = []
        for group in GROUPS:
            if parameters[f"telemetry.{group}.enabled"] < 1.0:
                self._told.pop(group, None)  # the first packet after it is enabled comes at once
                continue
            ceiling_s = parameters[f"telemetry.{group}.ceiling_s"]
            rates.append(
                _Rate(
                    group,
                    round(parameters[f"telemetry.{group}.floor_s"] * _NS_PER_S),
                    round((ceiling_s or parameters["telemetry.period_s"]) * _NS_PER_S),
                )
            )
        self._rates = tuple(rates)


def _quiet_until(rate: _Rate, now_ns: int) -> int:
    """Until when nothing but another setting can make a group due that has just been told."""
    if rate.floor_ns:
        return now_ns
    return now_ns - now_ns % rate.ceiling_ns + rate.ceiling_ns


def _has_moved(group: str, before: Sequence[float], now: Sequence[float]) -> bool:
    for index in GROUPS[group]:
        band = CHANNELS[index].dead_band
        if band is None:
            continue
        old, new = before[index], now[index]
        known, was_known = new == new, old == old  # noqa: PLR0124  NaN alone differs from itself
        if known != was_known or (known and abs(new - old) > band):
            return True
    return False
