"""What the board tells about itself through the hardware layer, in lines. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.doctor.finding import Finding, found
from flight.io.absent_sensors import FIELDS
from hal.board_reading import ValueState
from hal.sample import ThrottleBit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hal.board_reading import BoardReading, ClockReading, Rail, Zone
    from hal.sample import SensorFrame

DENIED = "let whoever flies read it: docs/deploy/99-lumenode.rules"
NOT_READ = "look into the kernel's log: dmesg"
_READ = (ValueState.MEASURED, ValueState.ESTIMATED)


def told_board(reading: BoardReading, frame: SensorFrame) -> Iterator[Finding]:
    """A line for each thing that this board has and a node lives by."""
    yield found("HAL linux", _gives(reading, frame))
    yield from _list("temperatures read", [(_zone(each), each.state) for each in reading.zones])
    yield from _list("power read", [(_rail(each), each.state) for each in reading.rails])
    clocks = [(_clock("cpu", each), each.state) for each in reading.policies]
    if reading.gpu.state is not ValueState.UNSUPPORTED:
        clocks.append((_clock("gpu", reading.gpu), reading.gpu.state))
    yield from _list("clocks read", clocks)
    if reading.power_mode:
        yield found("power mode", reading.power_mode)
    if reading.throttle_state in _READ:
        yield _throttle(reading)


def _gives(reading: BoardReading, frame: SensorFrame) -> str:
    names = [
        f"{name} (estimated)" if frame.estimated & bits else name
        for name, bits in FIELDS.items()
        if frame.valid & bits
    ]
    model = reading.model or "a machine without a name"
    return f"{model}: {'the node sees ' + ', '.join(names) if names else 'no sensor for the node'}"


def _list(name: str, values: list[tuple[str, ValueState]]) -> Iterator[Finding]:
    """One line; none for what the board does not have, which is told where files are looked for."""
    if not values:
        return
    states = {state for _, state in values}
    remedy = ""
    if ValueState.DENIED in states:
        remedy = DENIED
    elif states & {ValueState.FAILED, ValueState.STALE}:
        remedy = NOT_READ
    yield found(name, ", ".join(text for text, _ in values), remedy)


def _state(state: ValueState) -> str:
    return "" if state is ValueState.MEASURED else f" {state.name.lower()}"


def _zone(zone: Zone) -> str:
    value = f" {zone.mdegc / 1000:.1f} degC" if zone.state in _READ else ""
    return f"{zone.name}{value}{_state(zone.state)}"


def _rail(rail: Rail) -> str:
    value = f" {rail.mw / 1000:.2f} W" if rail.state in _READ else ""
    return f"{rail.name}{value}{_state(rail.state)}"


def _clock(name: str, clock: ClockReading) -> str:
    if clock.state not in _READ:
        return f"{name}{_state(clock.state)}"
    return (
        f"{name} {clock.now_khz // 1000} MHz, capped at {clock.max_khz // 1000} of "
        f"{clock.lowest_khz // 1000} to {clock.highest_khz // 1000}"
    )


def _throttle(reading: BoardReading) -> Finding:
    live = [bit.name.lower() for bit in ThrottleBit if reading.throttle_live & bit]
    remedy = "better supply or cooling: docs/raspberry-pi.md, docs/jetson.md" if live else ""
    return found("throttling", ", ".join(live) or "none now", remedy)
