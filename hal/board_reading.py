"""What a board tells about itself, name by name: `struct hal_board` of native/include/hal_board.h.

For a person, a report or a profile; a control cycle reads `SensorFrame`.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec


class ValueState(IntEnum):
    """What a value is worth; numbers of `enum hal_value_state`."""

    UNSUPPORTED = 0
    MEASURED = 1
    ESTIMATED = 2
    OFF = 3
    STALE = 4
    FAILED = 5
    DENIED = 6


class Zone(msgspec.Struct, frozen=True):
    """A temperature, by the kernel's name of its type."""

    name: str
    mdegc: int
    state: ValueState


class Rail(msgspec.Struct, frozen=True):
    """A voltage with its current and power, by the board's label; `state` is of the power."""

    name: str
    mv: int
    ma: int
    mw: int
    state: ValueState


class ClockReading(msgspec.Struct, frozen=True):
    """A clock with its caps, kHz; 0 where the kernel does not tell."""

    now_khz: int
    min_khz: int
    max_khz: int
    lowest_khz: int
    highest_khz: int
    state: ValueState


class BoardReading(msgspec.Struct, frozen=True, kw_only=True):
    """All of it at one instant; meanings in hal_board.h."""

    model: str
    power_mode: str
    zones: tuple[Zone, ...]
    rails: tuple[Rail, ...]
    policies: tuple[ClockReading, ...]
    gpu: ClockReading
    fan_rpm: int
    fan_permille: int
    fan_state: ValueState
    psi_cpu_permille: int
    psi_memory_permille: int
    psi_io_permille: int
    psi_state: ValueState
    throttle_live: int
    throttle_latched: int
    throttle_state: ValueState
    oc_events: tuple[int, ...]
    energy_uj: int
    energy_gaps: int
    samples: int
    samples_late: int
    reads_failed: int
    journal_entries: int
    journal_failed: int

    def settled(self) -> bool:
        """Whether every sensor has been read once: none is without a value that may yet come."""
        states = {each.state for each in self.zones} | {each.state for each in self.rails}
        states |= {each.state for each in self.policies}
        return self.samples > 0 and ValueState.FAILED not in states
