"""`NodeDevices` and its bench in pure Python, for unit tests of flight that need no compiler.

A product of its own: it passes the contract test that `NativeDevices` passes. Time is only what the
bench writes, from 0.
"""

from __future__ import annotations

from collections import deque

from hal.fake_terminal import FakeTerminal
from hal.protocols import NodeBench, NodeDevices
from hal.sample import (
    SENSOR_ALL,
    SENSOR_FIELDS,
    Actuators,
    FailingCall,
    HalConfig,
    HalCounters,
    HalError,
    HalErrorKind,
    ResetCause,
    SensorBit,
    SensorFrame,
    Stuck,
)

_TARGET_ID_MAX = 65535
_RESET_CAUSES = frozenset(ResetCause)
_COUNTER_NAMES = HalCounters.__struct_fields__
_UNSIGNED_64 = range(1 << 64)
_SIGNED_64 = range(-(1 << 63), 1 << 63)
_UNSIGNED_32 = range(1 << 32)
_SIGNED_32 = range(-(1 << 31), 1 << 31)

# The same node at rest as the C backend shows before a bench writes.
AT_REST: dict[str, int] = dict.fromkeys(SENSOR_FIELDS, 0) | {
    "valid": SENSOR_ALL,
    "array_mw": 40000,
    "bus_mw": 18000,
    "battery_mv": 32400,
    "battery_ma": -650,
    "battery_mdegc": 18000,
    "die_mdegc": 24000,
    "sink_mdegc": 22000,
    "radiator_mdegc": 8000,
    "sun_permille": 1000,
    "rx_power_mdbm": -70000,
    "term_mdegc": 17000,
    "boot_count": 1,
}
_FIELD_RANGE = {
    "t_ns": _UNSIGNED_64,
    "utc_ns": _SIGNED_64,
    **dict.fromkeys(("valid", "stuck", "term_flags", "reset_cause", "boot_count"), _UNSIGNED_32),
}
_CALL_OF = {actuator: FailingCall[actuator.name] for actuator in Stuck}


class FakeDevices(NodeDevices):
    """A node in memory; `FakeBench` holds its other end."""

    def __init__(self, config: HalConfig | None = None) -> None:
        self.config = config or HalConfig()
        self.sensors = dict(AT_REST)
        self.told = dict.fromkeys(Stuck, 0)
        self.tx: deque[bytes] = deque()
        self.rx: deque[bytes] = deque()
        self.tx_frames_total = 0
        self.payload_busy_permille = 0
        self.failing = 0
        self.failing_kind = HalErrorKind.IO
        self.counted = dict.fromkeys(_COUNTER_NAMES, 0)
        self.terminal = FakeTerminal(self)
        self._seq = 0
        self._open = True

    def _error(self, call: str, kind: HalErrorKind) -> HalError:
        return HalError(f"fake.{call}", -kind)

    def require_open(self, call: str) -> None:
        """Raise STATE once closed."""
        if not self._open:
            raise self._error(call, HalErrorKind.STATE)

    def _enter(self, call: FailingCall, loss_counter: str) -> None:
        if self.failing & call:
            self.counted[loss_counter] += 1
            raise self._error(call.name.lower(), self.failing_kind)

    def snapshot(self) -> SensorFrame:
        """See `NodeDevices`."""
        self.require_open("snapshot")
        self._enter(FailingCall.SNAPSHOT, "snapshots_failed")
        self._seq += 1
        self.counted["snapshots"] += 1
        shown = {name: value for name, value in self.sensors.items() if name != "stuck"}
        shown["valid"] &= SENSOR_ALL
        if shown["reset_cause"] not in _RESET_CAUSES:
            shown["valid"] &= ~SensorBit.RESET_CAUSE
        return SensorFrame(
            **shown,
            seq=self._seq,
            tx_fifo_free=self.config.tx_fifo_frames - len(self.tx),
            tx_frames_total=self.tx_frames_total,
            rx_pending=len(self.rx),
            payload_level=self.told[Stuck.PAYLOAD_LEVEL],
            laser_on=self.told[Stuck.LASER],
            target_id=self.told[Stuck.TARGET],
            heater_on=self.told[Stuck.HEATER],
            payload_busy_permille=self.payload_busy_permille,
        )

    def _set(self, actuator: Stuck, value: int, last: int) -> int:
        call = _CALL_OF[actuator].name.lower()
        self.require_open(call)
        if not 0 <= value <= last:
            self.counted["setters_rejected"] += 1
            raise self._error(call, HalErrorKind.RANGE)
        read_back = self.actuate(actuator, value)
        if read_back != value:
            self.counted["readback_differs"] += 1
        return read_back

    def actuate(self, actuator: Stuck, value: int) -> int:
        """Do what a setter or a register asks for; the value read back."""
        self._enter(_CALL_OF[actuator], "setters_failed")
        if actuator is Stuck.LASER and self.terminal.inhibited:
            value = 0
        if not self.sensors["stuck"] & actuator:
            self.told[actuator] = int(value)
        return self.told[actuator]

    def flush(self) -> None:
        """Both FIFOs emptied; what was in them is lost and counted."""
        self.counted["tx_flushed"] += len(self.tx)
        self.counted["rx_flushed"] += len(self.rx)
        self.tx.clear()
        self.rx.clear()

    def set_payload_level(self, level: int) -> int:
        """See `NodeDevices`."""
        last = self.config.payload_level_max
        return self._set(Stuck.PAYLOAD_LEVEL, level, last)

    def set_heater(self, on: bool) -> int:  # noqa: FBT001 - a switch has one argument
        """See `NodeDevices`."""
        return self._set(Stuck.HEATER, on, 1)

    def point_terminal(self, target_id: int) -> int:
        """See `NodeDevices`."""
        return self._set(Stuck.TARGET, target_id, _TARGET_ID_MAX)

    def set_laser(self, on: bool) -> int:  # noqa: FBT001 - a switch has one argument
        """See `NodeDevices`."""
        return self._set(Stuck.LASER, on, 1)

    def set_payload_busy(self, permille: int) -> int:
        """See `NodeDevices`."""
        self.require_open("payload_busy")
        if not 0 <= permille <= 1000:
            self.counted["setters_rejected"] += 1
            raise self._error("payload_busy", HalErrorKind.RANGE)
        self.payload_busy_permille = permille
        return permille

    def submit_frame(self, frame: bytes | memoryview) -> bool:
        """See `NodeDevices`."""
        self.require_open("submit")
        if not 1 <= len(frame) <= self.config.max_frame_bytes:
            self.counted["tx_rejected_size"] += 1
            raise self._error("submit", HalErrorKind.RANGE)
        self._enter(FailingCall.SUBMIT, "tx_failed")
        if len(self.tx) == self.config.tx_fifo_frames:
            self.counted["tx_rejected_full"] += 1
            return False
        self.tx.append(bytes(frame))
        self.counted["tx_accepted"] += 1
        return True

    def receive_frame(self) -> bytes | None:
        """See `NodeDevices`."""
        self.require_open("receive")
        self._enter(FailingCall.RECEIVE, "rx_failed")
        if not self.rx:
            return None
        self.counted["rx_delivered"] += 1
        return self.rx.popleft()

    def read_registers(self, first: int, count: int) -> list[int]:
        """See `NodeDevices`."""
        self.require_open("registers")
        return self.terminal.read(first, count)

    def write_register(self, register: int, value: int) -> None:
        """See `NodeDevices`."""
        self.require_open("registers")
        self.terminal.write(register, value)

    def kick_watchdog(self) -> None:
        """See `NodeDevices`."""
        self.require_open("watchdog")
        self._enter(FailingCall.WATCHDOG, "watchdog_failed")
        self.counted["watchdog_kicks"] += 1

    def counters(self) -> HalCounters:
        """What was done and what was lost since opening."""
        self.require_open("counters")
        return HalCounters(**self.counted)

    def close(self) -> None:
        """See `NodeDevices`."""
        self._open = False


class FakeBench(NodeBench):
    """The other end of a `FakeDevices`; see `NodeBench`."""

    def __init__(self, devices: FakeDevices) -> None:
        self._devices = devices

    def write_sensors(self, **fields: int) -> None:
        """Change the named sensors, names as in `SENSOR_FIELDS`; the rest stays."""
        self._devices.require_open("write_sensors")
        for name, value in fields.items():
            if name not in SENSOR_FIELDS or value not in _FIELD_RANGE.get(name, _SIGNED_32):
                raise HalError(f"bench.write_sensors.{name}", -HalErrorKind.RANGE)
        if fields.get("t_ns", self._devices.sensors["t_ns"]) < self._devices.sensors["t_ns"]:
            raise HalError("bench.write_sensors", -HalErrorKind.RANGE)
        self._devices.sensors.update(fields)

    def read_actuators(self) -> Actuators:
        """What the flight software told the node."""
        self._devices.require_open("read_actuators")
        told = self._devices.told
        return Actuators(
            payload_level=told[Stuck.PAYLOAD_LEVEL],
            laser_on=told[Stuck.LASER],
            target_id=told[Stuck.TARGET],
            heater_on=told[Stuck.HEATER],
            watchdog_kicks=self._devices.counted["watchdog_kicks"],
        )

    def drain_tx(self, frames_max: int) -> list[bytes]:
        """Take up to `frames_max` of the oldest transmitted frames; each gives back a credit."""
        self._devices.require_open("drain_tx")
        tx = self._devices.tx
        frames = [tx.popleft() for _ in range(min(frames_max, len(tx)))]
        self._devices.tx_frames_total += len(frames)
        return frames

    def push_rx(self, frame: bytes) -> bool:
        """Let the terminal receive a frame: False when its FIFO is full and the frame is lost."""
        self._devices.require_open("push_rx")
        if not 1 <= len(frame) <= self._devices.config.max_frame_bytes:
            raise HalError("bench.push_rx", -HalErrorKind.RANGE)
        if len(self._devices.rx) == self._devices.config.rx_fifo_frames:
            self._devices.counted["rx_overflow"] += 1
            return False
        self._devices.rx.append(bytes(frame))
        return True

    def fail(self, calls: int, kind: HalErrorKind = HalErrorKind.IO) -> None:
        """Make the calls in this mask of `FailingCall` raise `kind`; an empty mask heals all."""
        self._devices.require_open("fail")
        self._devices.failing = calls
        self._devices.failing_kind = kind

    def reset(self, reset_cause: int) -> None:
        """Do to the hardware what a reset does: actuators off, FIFOs emptied, one more boot."""
        self._devices.require_open("reset")
        self._devices.told = dict.fromkeys(Stuck, 0)
        self._devices.payload_busy_permille = 0
        self._devices.terminal.reset()
        self._devices.sensors["reset_cause"] = reset_cause
        self._devices.sensors["boot_count"] += 1
