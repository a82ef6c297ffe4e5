"""Last hop of the cycle: decisions become HAL calls, only when they change, read back next cycle.

An actuator that does not take its value is set again each cycle; the edge of the disagreement is
one event, not one a second.
"""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from hal.sample import HalError, HalErrorKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.event_log import EventLog
    from hal.protocols import NodeDevices


_NO_ORDERS = (HalErrorKind.PERM, HalErrorKind.UNSUPPORTED)
"""A board that may not or cannot be set is no actuator that disobeys."""


class Actuation:
    """Owns the setters of payload and heater; the laser terminal belongs to the downlink.

    The watchdog is kicked in a cycle that `may_kick`: while nobody stands still.

    Attributes:
        told_level, told_heater: what the hardware was told last.
    """

    def __init__(
        self,
        devices: NodeDevices,
        channels: ChannelValues,
        events: EventLog,
        may_kick: Callable[[], bool],
    ) -> None:
        self._devices = devices
        self._channels = channels
        self._events = events
        self._may_kick = may_kick
        self._failing: set[str] = set()
        self._refusing: set[str] = set()
        self.told_level, self.told_heater = 0, False
        self._errors = channels.index("system.hal_errors")
        self._level = channels.index("governor.level_actual")
        self._heater = channels.index("battery.heater_on")

    def apply(  # noqa: PLR0913  one line of a decision, each named
        self,
        *,
        level: int,
        level_now: int | None,
        heater: bool,
        heater_now: bool | None,
        busy_permille: int,
        now_ns: int,
    ) -> None:
        """Sets what differs from what was read back this cycle, or what could not be read back.

        `busy_permille` is the share of the last cycle in which the payload computed: it moves
        nothing, but a board without a power sensor estimates by it, and a bench heats its plant.
        """
        values = self._channels.values
        values[self._level] = nan if level_now is None else level_now
        values[self._heater] = nan if heater_now is None else heater_now
        self.told_level, self.told_heater = level, heater
        if level == level_now:
            self._failing.discard("payload")
        else:
            self._set("payload", self._devices.set_payload_level, level, now_ns)
        if heater == heater_now:
            self._failing.discard("heater")
        else:
            self._set("heater", lambda on: self._devices.set_heater(bool(on)), heater, now_ns)
        self._set("payload_busy", self._devices.set_payload_busy, busy_permille, now_ns)
        self._kick(now_ns)

    def apply_blind(self, *, payload_off: bool, busy_permille: int, now_ns: int) -> None:
        """A cycle without a snapshot: all stays as it is, or the payload goes off unseen."""
        values = self._channels.values
        values[self._level] = values[self._heater] = nan
        if payload_off:
            self.told_level = 0
            self._set("payload", self._devices.set_payload_level, 0, now_ns)
        self._set("payload_busy", self._devices.set_payload_busy, busy_permille, now_ns)
        self._kick(now_ns)

    def takes_orders(self, device: str) -> bool:
        """Whether "payload" or "heater" can be set on this board at all, by what it last said."""
        return device not in self._refusing

    def darken(self, now_ns: int) -> None:
        """The laser off, over the head of whoever owns it: it is lit and should not be."""
        self._set("laser", lambda on: self._devices.set_laser(bool(on)), 0, now_ns)

    def _kick(self, now_ns: int) -> None:
        """The watchdog hears of every cycle, a blind one too, unless somebody stands still."""
        if not self._may_kick():
            return
        try:
            self._devices.kick_watchdog()
        except HalError as error:
            self._report("watchdog", error, now_ns)
        else:
            self._failing.discard("watchdog")

    def _set(self, device: str, setter: Callable[[int], int], value: int, now_ns: int) -> None:
        try:
            taken = setter(value)
        except HalError as error:
            self._report(device, error, now_ns)
            if error.kind in _NO_ORDERS:
                self._refusing.add(device)
            return
        self._refusing.discard(device)
        if taken == value:
            self._failing.discard(device)
        elif device not in self._failing:
            self._failing.add(device)
            self._events.emit("HAL_FAILED", now_ns, device=device, kind="READBACK")

    def _report(self, device: str, error: HalError, now_ns: int) -> None:
        self._channels.values[self._errors] += 1
        if device not in self._failing:
            self._failing.add(device)
            self._events.emit("HAL_FAILED", now_ns, device=device, kind=error.kind.name)


def leave_safe(devices: NodeDevices) -> list[HalError]:
    """Laser off, terminal stowed, payload off, heater off; what could not be done is returned.

    The state that a reset leaves. Each actuator is tried whatever became of the one before it, in
    the order of the harm it can do. The heater goes too: without its thermostat it would empty the
    battery.
    """
    setters: tuple[Callable[[], int], ...] = (
        lambda: devices.set_laser(False),
        lambda: devices.point_terminal(0),
        lambda: devices.set_payload_level(0),
        lambda: devices.set_heater(False),
    )
    failed: list[HalError] = []
    for setter in setters:
        try:
            setter()
        except HalError as error:
            failed.append(error)
    return failed
