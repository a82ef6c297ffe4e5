"""The bench's end of the C backend "sim": sensors in, actuators and frames out.

The plant writes here what it computed, the node reads it through `hal_snapshot`; only a bench
imports this file.
"""

from __future__ import annotations

from struct import Struct
from struct import error as StructError  # noqa: N812 - an exception, by its role
from typing import TYPE_CHECKING

from hal.native_library import ffi, lib
from hal.protocols import NodeBench
from hal.sample import SENSOR_FIELDS, Actuators, HalError, HalErrorKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hal.native_devices import NativeDevices

# struct hal_sim_sensors, in the order of SENSOR_FIELDS.
_SENSORS = Struct("=QqII11iIiiII")
assert _SENSORS.size == ffi.sizeof("struct hal_sim_sensors"), "the bench packs what C declares"
assert tuple(name for name, _ in ffi.typeof("struct hal_sim_sensors").fields) == SENSOR_FIELDS

_PLANT = Struct("=QqII11i")
"""The fields in front of the terminal's: time, validity and what the plant senses."""
assert SENSOR_FIELDS[4 + 10] == "sun_permille", "the plant's fields are the first ones"

_DRAIN_FRAMES_MAX = 64
"""Frames taken in one C call; more take several."""

_new_buffer = ffi.new_allocator(should_clear_after_alloc=False)


class SimBench(NodeBench):
    """The other end of a `NativeDevices` that was opened with "sim".

    The first bench takes the device's time over: it is 0 until written.
    Raises `HalError`: UNSUPPORTED for another backend, STATE once the device is closed, RANGE for a
    field that does not exist, does not fit, or a time that goes back.
    """

    def __init__(self, devices: NativeDevices) -> None:
        self._devices = devices  # keeps the device's memory alive
        self._device = devices.handle
        self._sensors = ffi.new("struct hal_sim_sensors *")
        self._sensors_view = ffi.buffer(self._sensors)
        self._actuators = ffi.new("struct hal_sim_actuators *")
        self._lengths = ffi.new("uint32_t[]", _DRAIN_FRAMES_MAX)
        self._check(lib.hal_sim_attach(self._device), "attach")
        self._drained = _new_buffer("uint8_t[]", _DRAIN_FRAMES_MAX * self._frame_bytes_max())
        self._drained_view = ffi.buffer(self._drained)

    def _frame_bytes_max(self) -> int:
        return int(self._device.config.max_frame_bytes)

    def _check(self, code: int, call: str) -> int:
        if code < 0:
            raise HalError(f"bench.{call}", code)
        return code

    def write_sensors(self, **fields: int) -> None:
        """Change the named sensors, names as in `SENSOR_FIELDS`; the rest stays."""
        self._check(lib.hal_sim_read_sensors(self._device, self._sensors), "write_sensors")
        for name, value in fields.items():
            try:
                setattr(self._sensors, name, value)
            except (AttributeError, OverflowError):
                raise HalError(f"bench.write_sensors.{name}", -HalErrorKind.RANGE) from None
        self._check(lib.hal_sim_write_sensors(self._device, self._sensors), "write_sensors")

    def write_plant(
        self, t_ns: int, utc_ns: int, valid: int, sensed: Sequence[int], term_mdegc: int
    ) -> None:
        """What a plant's step changes; what the terminal sees and what is stuck stay.

        `sensed` are the fields `array_mw` to `sun_permille`, in the order of `SENSOR_FIELDS`.
        """
        sensors = self._sensors
        self._check(lib.hal_sim_read_sensors(self._device, sensors), "write_plant")
        try:
            _PLANT.pack_into(self._sensors_view, 0, t_ns, utc_ns, valid, sensors.stuck, *sensed)
            sensors.term_mdegc = term_mdegc
        except (StructError, OverflowError):
            raise HalError("bench.write_plant", -HalErrorKind.RANGE) from None
        self._check(lib.hal_sim_write_sensors(self._device, sensors), "write_plant")

    def write_all(self, *values: int) -> None:
        """Write every sensor, positionally in the order of `SENSOR_FIELDS`; for every step."""
        _SENSORS.pack_into(self._sensors_view, 0, *values)
        self._check(lib.hal_sim_write_sensors(self._device, self._sensors), "write_all")

    def read_sensors(self) -> dict[str, int]:
        """What every sensor shows now."""
        self._check(lib.hal_sim_read_sensors(self._device, self._sensors), "read_sensors")
        return dict(zip(SENSOR_FIELDS, _SENSORS.unpack(self._sensors_view), strict=True))

    def set_time(self, t_ns: int, utc_ns: int) -> None:
        """Set only the time."""
        self._check(lib.hal_sim_set_time(self._device, t_ns, utc_ns), "set_time")

    def read_actuators(self) -> Actuators:
        """What the flight software told the node."""
        self._check(lib.hal_sim_read_actuators(self._device, self._actuators), "read_actuators")
        told = self._actuators
        return Actuators(
            told.payload_level, told.laser_on, told.target_id, told.heater_on, told.watchdog_kicks
        )

    def drain_tx(self, frames_max: int) -> list[bytes]:
        """Take up to `frames_max` of the oldest transmitted frames; each gives back a credit."""
        frames: list[bytes] = []
        while len(frames) < frames_max:
            asked = min(frames_max - len(frames), _DRAIN_FRAMES_MAX)
            taken = self._check(
                lib.hal_sim_drain_tx(
                    self._device, self._drained, len(self._drained), self._lengths, asked
                ),
                "drain_tx",
            )
            at = 0
            for length in self._lengths[0:taken]:
                frames.append(bytes(self._drained_view[at : at + length]))
                at += length
            if taken < asked:
                break
        return frames

    def push_rx(self, frame: bytes) -> bool:
        """Let the terminal receive a frame: False when its FIFO is full and the frame is lost."""
        code = lib.hal_sim_push_rx(self._device, frame, len(frame))
        if code == lib.HAL_E_BUSY:
            return False
        self._check(code, "push_rx")
        return True

    def fail(self, calls: int, kind: HalErrorKind = HalErrorKind.IO) -> None:
        """Make the calls in this mask of `FailingCall` raise `kind`; an empty mask heals all."""
        self._check(lib.hal_sim_fail(self._device, calls, -kind), "fail")

    def reset(self, reset_cause: int) -> None:
        """Do to the hardware what a reset does: actuators off, FIFOs emptied, one more boot."""
        self._check(lib.hal_sim_reset(self._device, reset_cause), "reset")
