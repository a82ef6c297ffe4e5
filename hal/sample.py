"""The values that cross the hardware layer: one frame of sensors in, typed errors out.

First typed hop of the flow "sensor to actuator": C fills `struct hal_frame`, `native_devices`
turns it into a `SensorFrame`, `flight.io.acquisition` judges it. Numbers equal those of
native/include/hal.h; a test holds the two together.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import msgspec


class HalErrorKind(IntEnum):
    """Why the hardware layer refused; the C code is the same number, negative."""

    NODEV = 1
    PERM = 2
    BUSY = 3
    TIMEOUT = 4
    IO = 5
    RANGE = 6
    STALE = 7
    UNSUPPORTED = 8
    STATE = 9
    CORRUPT = 10
    INHIBITED = 11


class HalError(Exception):
    """The one exception of the hardware layer.

    `kind` says what to do about it, `device` which call of which backend met it, `code` is the
    negative number C returned.
    """

    def __init__(self, device: str, code: int) -> None:
        self.kind = HalErrorKind(-code)
        self.device = device
        self.code = code
        super().__init__(f"{device}: {self.kind.name} ({code})")


class SensorBit(IntEnum):
    """Masks of `SensorFrame.valid`. A plain int enum: `frame.valid & SensorBit.BUS` stays fast."""

    UTC = 1 << 0
    ARRAY = 1 << 1
    BUS = 1 << 2
    BATTERY_V = 1 << 3
    BATTERY_I = 1 << 4
    BATTERY_TEMP = 1 << 5
    PAYLOAD = 1 << 6
    LASER = 1 << 7
    DIE_TEMP = 1 << 8
    SINK_TEMP = 1 << 9
    RADIATOR_TEMP = 1 << 10
    SUN = 1 << 11
    TERM_FLAGS = 1 << 12
    RX_POWER = 1 << 13
    TERM_TEMP = 1 << 14
    TX_FIFO = 1 << 15
    TX_TOTAL = 1 << 16
    RX_PENDING = 1 << 17
    PAYLOAD_LEVEL = 1 << 18
    LASER_ON = 1 << 19
    TARGET_ID = 1 << 20
    HEATER_ON = 1 << 21
    RESET_CAUSE = 1 << 22
    BOOT_COUNT = 1 << 23
    THROTTLE = 1 << 24


SENSOR_ALL = sum(SensorBit)
"""Every field valid."""


class TermFlag(IntEnum):
    """Masks of `SensorFrame.term_flags`: how far the laser terminal's acquisition has come."""

    BEACON = 1 << 0
    COARSE = 1 << 1
    FINE = 1 << 2
    SYNC = 1 << 3
    TX = 1 << 4
    FAULT = 1 << 5


class ResetCause(IntEnum):
    """Why the node started last."""

    POWER_CUT = 0
    COMMANDED = 1
    WATCHDOG = 2
    SOFTWARE = 3
    INJECTED = 4
    OVERHEAT = 5
    UNDER_VOLTAGE = 6
    UNKNOWN = 7


class ThrottleBit(IntEnum):
    """Masks of `SensorFrame.throttle_live` and `throttle_latched`: why the board slows down."""

    UNDER_VOLTAGE = 1 << 0
    FREQ_CAPPED = 1 << 1
    THERMAL = 1 << 2
    SOFT_TEMP = 1 << 3
    OC_VOLTAGE = 1 << 4
    OC_AVERAGE = 1 << 5
    OC_PEAK = 1 << 6


class SensorFrame(msgspec.Struct, frozen=True, gc=False):
    """Everything the node senses, taken at one instant, as the C layer hands it over.

    A field whose bit in `valid` is clear has no meaning; one whose bit in `estimated` is set was
    computed from other quantities. The unit is the last part of the name;
    `battery_ma` is positive while discharging. A msgspec structure because it is made every tick:
    0.27 us against 3.7 us for a frozen dataclass.
    """

    t_ns: int
    utc_ns: int
    seq: int
    valid: int
    array_mw: int
    bus_mw: int
    battery_mv: int
    battery_ma: int
    battery_mdegc: int
    payload_mw: int
    laser_mw: int
    die_mdegc: int
    sink_mdegc: int
    radiator_mdegc: int
    sun_permille: int
    term_flags: int
    rx_power_mdbm: int
    term_mdegc: int
    tx_fifo_free: int
    tx_frames_total: int
    rx_pending: int
    payload_level: int
    laser_on: int
    target_id: int
    heater_on: int
    reset_cause: int
    boot_count: int
    throttle_live: int = 0
    throttle_latched: int = 0
    payload_busy_permille: int = 0
    estimated: int = 0

    def is_valid(self, bits: int) -> bool:
        """Whether every field named by `bits` (one `SensorBit` or several, or-ed) may be used."""
        return self.valid & bits == bits


class HalCounters(msgspec.Struct, frozen=True, gc=False):
    """What the hardware layer did and what it lost since opening; meanings in hal.h."""

    snapshots: int = 0
    snapshots_failed: int = 0
    setters_rejected: int = 0
    setters_failed: int = 0
    setters_inhibited: int = 0
    readback_differs: int = 0
    tx_accepted: int = 0
    tx_rejected_full: int = 0
    tx_rejected_size: int = 0
    tx_failed: int = 0
    tx_flushed: int = 0
    rx_delivered: int = 0
    rx_too_long: int = 0
    rx_failed: int = 0
    rx_overflow: int = 0
    rx_flushed: int = 0
    watchdog_kicks: int = 0
    watchdog_failed: int = 0


class HalConfig(msgspec.Struct, frozen=True):
    """What is fixed while a device is open; bounds in hal.h."""

    tx_fifo_frames: int = 32
    """Transmit credit: 6.7 ms of longest frames at 2.5 Gbit/s; a slower loop needs more."""
    rx_fifo_frames: int = 32
    """Received frames kept until they are fetched; more are lost and counted."""
    max_frame_bytes: int = 65542
    """65,536 octets of transfer frame and 6 of the terminal's own framing."""
    payload_level_max: int = 15
    """Highest level of the board's profile; 0 is off."""


class Actuators(NamedTuple):
    """What the flight software told the node, as the bench sees it."""

    payload_level: int
    laser_on: int
    target_id: int
    heater_on: int
    watchdog_kicks: int


class Stuck(IntEnum):
    """Actuators a bench can jam; masks of the sensor field `stuck`."""

    PAYLOAD_LEVEL = 1 << 0
    LASER = 1 << 1
    TARGET = 1 << 2
    HEATER = 1 << 3


class FailingCall(IntEnum):
    """Calls a bench can make fail; masks of `SimBench.fail`."""

    SNAPSHOT = 1 << 0
    PAYLOAD_LEVEL = 1 << 1
    HEATER = 1 << 2
    TARGET = 1 << 3
    LASER = 1 << 4
    SUBMIT = 1 << 5
    RECEIVE = 1 << 6
    WATCHDOG = 1 << 7


SENSOR_FIELDS = (
    "t_ns",
    "utc_ns",
    "valid",
    "stuck",
    "array_mw",
    "bus_mw",
    "battery_mv",
    "battery_ma",
    "battery_mdegc",
    "payload_mw",
    "laser_mw",
    "die_mdegc",
    "sink_mdegc",
    "radiator_mdegc",
    "sun_permille",
    "term_flags",
    "rx_power_mdbm",
    "term_mdegc",
    "reset_cause",
    "boot_count",
)
"""What a bench decides, in the order of `struct hal_sim_sensors`. `stuck` is a mask of `Stuck`."""
