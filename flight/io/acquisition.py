"""First hop of the cycle: one batched HAL call becomes typed readings in SI units.

An invalid field becomes `None` here and stays `None`; no room further in ever sees a number that a
sensor did not give.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from operator import attrgetter
from typing import TYPE_CHECKING

from flight.io.absent_sensors import mask_of
from hal.sample import HalError, SensorBit

if TYPE_CHECKING:
    from flight.io.absent_sensors import SensorName
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.event_log import EventLog
    from hal.protocols import NodeDevices
    from hal.sample import SensorFrame


@dataclass(slots=True)
class Readings:
    """Sensor values of one cycle in SI units; `None` where the sensor gave nothing valid.

    `frame` is the raw snapshot: its fields may be used only behind their validity bit.
    """

    frame: SensorFrame
    array_w: float | None
    bus_w: float | None
    battery_v: float | None
    battery_a: float | None
    battery_c: float | None
    payload_w: float | None
    laser_w: float | None
    die_c: float | None
    sink_c: float | None
    radiator_c: float | None
    terminal_c: float | None
    sun_fraction: float | None
    rx_power_dbm: float | None

    @property
    def payload_level(self) -> int | None:
        """Payload level read back."""
        return self.frame.payload_level if self.frame.valid & SensorBit.PAYLOAD_LEVEL else None

    @property
    def laser_on(self) -> bool | None:
        """Laser, read back."""
        return bool(self.frame.laser_on) if self.frame.valid & SensorBit.LASER_ON else None

    @property
    def payload_measured_w(self) -> float | None:
        """What the payload draws, None where that was computed and not measured."""
        return None if self.frame.estimated & SensorBit.PAYLOAD else self.payload_w

    def beam_lit(self, lit_w: float) -> bool | None:
        """Whether there is a beam, by what the terminal draws: `lit_w` is more than a dark one.

        None when it is not measured. An estimate is no witness: it was made from the switch.
        """
        if self.laser_w is None or self.frame.estimated & SensorBit.LASER:
            return None
        return self.laser_w >= lit_w

    @property
    def heater_on(self) -> bool | None:
        """Battery heater, read back."""
        return bool(self.frame.heater_on) if self.frame.valid & SensorBit.HEATER_ON else None


# The order of the fields of Readings after `frame`: HAL field, its validity, channel or None.
_FIELDS: tuple[tuple[str, SensorBit, str | None], ...] = (
    ("array_mw", SensorBit.ARRAY, "power.array_w"),
    ("bus_mw", SensorBit.BUS, "power.bus_w"),
    ("battery_mv", SensorBit.BATTERY_V, "battery.voltage_v"),
    ("battery_ma", SensorBit.BATTERY_I, "battery.current_a"),
    ("battery_mdegc", SensorBit.BATTERY_TEMP, "battery.temp_c"),
    ("payload_mw", SensorBit.PAYLOAD, "power.payload_w"),
    ("laser_mw", SensorBit.LASER, "power.laser_w"),
    ("die_mdegc", SensorBit.DIE_TEMP, "thermal.die_c"),
    ("sink_mdegc", SensorBit.SINK_TEMP, "thermal.sink_c"),
    ("radiator_mdegc", SensorBit.RADIATOR_TEMP, "thermal.radiator_c"),
    ("term_mdegc", SensorBit.TERM_TEMP, "thermal.terminal_c"),
    ("sun_permille", SensorBit.SUN, None),
    ("rx_power_mdbm", SensorBit.RX_POWER, "link.rx_power_dbm"),
)


class Acquisition:
    """Reads the HAL once a cycle and keeps the telemetry of what was sensed.

    What is `absent` is used when it is valid all the same; it is not told as lost, nor counted.
    """

    def __init__(
        self,
        devices: NodeDevices,
        channels: ChannelValues,
        events: EventLog,
        absent: tuple[SensorName, ...] = (),
    ) -> None:
        self._devices = devices
        self._channels = channels
        self._events = events
        self._failing = False
        missing = mask_of(absent)
        self._absent = frozenset(channel or name for name, bit, channel in _FIELDS if missing & bit)
        self._lost = set(self._absent)
        self._fields = tuple(
            (
                channel or name,
                attrgetter(name),
                int(bit),
                None if channel is None else channels.index(channel),
            )
            for name, bit, channel in _FIELDS
        )
        self._error_channel = channels.index("system.hal_errors")
        channels.values[self._error_channel] = 0.0
        self._invalid_channel = channels.index("system.invalid_sensors")

    def acquire(self, now_ns: int) -> Readings | None:
        """One snapshot, or `None` when the HAL gave none; the edge of a failure is an event.

        Without a snapshot no channel keeps the value of an earlier cycle.
        """
        try:
            frame = self._devices.snapshot()
        except HalError as error:
            self._channels.values[self._error_channel] += 1
            self._forget()
            if not self._failing:
                self._events.emit("HAL_FAILED", now_ns, device=error.device, kind=error.kind.name)
            self._failing = True
            return None
        self._failing = False
        return Readings(frame, *self._convert(frame, now_ns))

    def _forget(self) -> None:
        values = self._channels.values
        for _, _, _, channel in self._fields:
            if channel is not None:
                values[channel] = nan
        values[self._invalid_channel] = len(self._fields) - len(self._absent)

    def _convert(self, frame: SensorFrame, now_ns: int) -> list[float | None]:
        values = self._channels.values
        valid = frame.valid
        converted: list[float | None] = []
        invalid = 0
        for name, read, bit, channel in self._fields:
            value: float | None = None
            if valid & bit:
                value = read(frame) * 1e-3
                self._lost.discard(name)
            else:
                invalid += name not in self._absent
                if name not in self._lost:
                    self._lost.add(name)
                    self._events.emit("SENSOR_STALE", now_ns, channel=name)
            if channel is not None:
                values[channel] = nan if value is None else value
            converted.append(value)
        values[self._invalid_channel] = invalid
        return converted
