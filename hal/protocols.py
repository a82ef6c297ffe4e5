"""What flight needs from hardware, and what a bench needs from the other end of it.

Each protocol has two implementations that pass one contract test: `NativeDevices` and
`FakeDevices` for the node, `SimBench` and `FakeBench` for the bench.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from hal.sample import Actuators, HalErrorKind, SensorFrame


class FrameModem(Protocol):
    """The part of a device that carries frames: a modem of its own is a device of its own.

    Any number of devices can be open at once (hal.h), and of each only what it has is used.
    """

    def snapshot(self) -> SensorFrame:
        """Lock as `term_flags`, credit as `tx_fifo_free`."""
        ...

    def submit_frame(self, frame: bytes | memoryview) -> bool:
        """Put one frame into the transmit FIFO: True, or False when there is no credit."""
        ...

    def receive_frame(self) -> bytes | None:
        """Take the oldest received frame, None when none waits."""
        ...


class NodeDevices(Protocol):
    """The node's hardware. No call blocks; every call may raise `HalError`.

    After `close` every call but `close` raises `HalError` of kind STATE. One thread at a time.
    """

    def snapshot(self) -> SensorFrame:
        """Read everything at one instant. An absent sensor is a clear validity bit, no error."""
        ...

    def set_payload_level(self, level: int) -> int:
        """Set the compute board's level, 0 for off; the level read back, which may differ."""
        ...

    def set_heater(self, on: bool) -> int:  # noqa: FBT001 - a switch has one argument
        """Switch the battery heater; 0 or 1 as read back."""
        ...

    def point_terminal(self, target_id: int) -> int:
        """Point the laser terminal at a peer of the contact plan, 0 to stow; the id read back."""
        ...

    def set_laser(self, on: bool) -> int:  # noqa: FBT001 - a switch has one argument
        """Switch the laser transmitter; 0 or 1 as read back."""
        ...

    def set_payload_busy(self, permille: int) -> int:
        """Tell how busy the payload was since the last call, 0 to 1000; the value taken."""
        ...

    def submit_frame(self, frame: bytes | memoryview) -> bool:
        """Put one frame into the transmit FIFO: True, or False when there is no credit."""
        ...

    def receive_frame(self) -> bytes | None:
        """Take the oldest received frame, None when none waits."""
        ...

    def read_registers(self, first: int, count: int) -> list[int]:
        """Words of the laser terminal's registers, the newest known; see `hal.terminal_registers`.

        RANGE outside the map, UNSUPPORTED without a terminal, STALE when it is silent.
        """
        ...

    def write_register(self, register: int, value: int) -> None:
        """Write one register, a signed value as itself or as its word.

        RANGE for no register or not a value of it, PERM for one that is only read, UNSUPPORTED
        without a terminal, BUSY without room for the request.
        """
        ...

    def kick_watchdog(self) -> None:
        """Tell the hardware watchdog that the loop is alive."""
        ...

    def close(self) -> None:
        """Give the hardware back, in the state it is in. Closing twice is allowed."""
        ...


class NodeBench(Protocol):
    """The other end of a simulated node. Every call may raise `HalError`."""

    def write_sensors(self, **fields: int) -> None:
        """Change what the named sensors show; the rest stays. Names as in `SENSOR_FIELDS`."""
        ...

    def read_actuators(self) -> Actuators:
        """What the flight software told the node."""
        ...

    def drain_tx(self, frames_max: int) -> list[bytes]:
        """Take up to `frames_max` of the oldest transmitted frames; each gives back a credit."""
        ...

    def push_rx(self, frame: bytes) -> bool:
        """Let the terminal receive a frame: False when its FIFO is full and the frame is lost."""
        ...

    def fail(self, calls: int, kind: HalErrorKind = ...) -> None:
        """Make the calls in this mask of `FailingCall` raise `kind`; an empty mask heals all."""
        ...

    def reset(self, reset_cause: int) -> None:
        """Do to the hardware what a reset does: actuators off, FIFOs emptied, one more boot."""
        ...
