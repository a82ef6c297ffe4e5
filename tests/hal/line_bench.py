"""A bench's end of a node's line, in Python and without a thread, for the tests of `LinkDevices`.

Written over the bench link's own session on a pseudo-terminal. In lock-step every call is a tick of
its own, so that what the node did is here, and what the bench did is there, when it returns.
"""

from __future__ import annotations

import os
import select
import struct
import time
from collections import deque
from typing import TYPE_CHECKING

from hal.fake_devices import AT_REST
from hal.link_devices import LinkConfig, LinkDevices, LinkMode
from hal.native_library import lib
from hal.protocols import NodeBench
from hal.sample import SENSOR_FIELDS, Actuators, HalConfig, HalError, HalErrorKind, Stuck
from hil.bench_link.frames import FrameReceiver, FrameSender
from hil.bench_link.layout import SCHEMA_CRC32C, MessageType, Role
from hil.bench_link.messages import (
    ActuatorState,
    Credit,
    Done,
    FrameChunk,
    Grant,
    Hello,
    NodeReset,
    Octets,
    RegRead,
    RegValues,
    RegWrite,
    Sensors,
)
from hil.bench_link.port_serial import PtyPort
from hil.bench_link.session import Session
from hil.bench_link.session_values import Phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from hil.bench_link.codec import Message

PATIENCE_S = 20.0
_STUCK_FIELDS = {
    Stuck.PAYLOAD_LEVEL: "payload_level",
    Stuck.LASER: "laser_on",
    Stuck.TARGET: "target_id",
    Stuck.HEATER: "heater_on",
}


def _draw() -> int:
    return int.from_bytes(os.urandom(4), "little") | 1


class LineBench(NodeBench):
    """The far end of a `LinkDevices`, whose path is `path`; everything waits in `until`."""

    def __init__(self, mode: LinkMode, config: HalConfig) -> None:
        self._port = PtyPort()
        self._fd = self._port.open()
        self.path = self._port.path
        hello = Hello(
            abi_version=lib.HAL_ABI_VERSION,
            schema_crc32c=SCHEMA_CRC32C,
            role=Role.BENCH,
            mode=mode,
            payload_bytes_max=4096,
            frame_bytes_max=config.max_frame_bytes,
            frames_credit=config.tx_fifo_frames,
            period_us=100_000,
            boot_count=1,
            peer_session=0,
        )
        self.session = Session(hello, _draw, time.monotonic_ns())
        self.lock_step = mode == LinkMode.LOCK_STEP
        self.node: LinkDevices | None = None
        self.sensors = dict(AT_REST)
        self.throttle_live = 0
        self.told = self.held = ActuatorState(*[0] * 8)
        self.received: deque[bytes] = deque()
        self.records: list[bytes] = []
        self.registers: dict[int, int] = {}
        self.tick_done = self.tick_granted = 0
        self._credit = Credit(config.tx_fifo_frames)
        self._sender = FrameSender()
        self._receiver = FrameReceiver(config.max_frame_bytes)

    def connect(self, node: LinkDevices) -> None:
        """Until the two know each other, the node's switches are read back and it sees sensors."""
        self.node = node
        self.until(lambda: self.session.phase is Phase.UP)
        assert self.session.peer is not None
        self._sender.restart(self.session.peer.frames_credit)
        self._receiver.restart()
        self.until(lambda: self.told.number > 0)
        self.step()

    def close(self) -> None:
        """The line ends."""
        self._port.close()

    def until(self, holds: Callable[[], object]) -> None:
        """Keeps the line alive until something is so; it fails when that never comes."""
        end = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < end, "it never came"
            now_ns = time.monotonic_ns()
            self.session.poll(now_ns)
            self._write(self.session.pull(now_ns, 1 << 16))
            if select.select([self._fd], [], [], 0.002)[0]:
                arrived = os.read(self._fd, 1 << 16)
                for message in self.session.receive(arrived, time.monotonic_ns()):
                    self._take(message)

    def _write(self, octets: bytes) -> None:
        while octets:
            select.select([], [self._fd], [])
            octets = octets[os.write(self._fd, octets) :]

    def send(self, kind: MessageType, *values: object) -> None:
        """One message, by its type's values."""
        assert self.session.send(kind, *values)  # type: ignore[arg-type]  # of that type

    def step(self) -> None:
        """The node's tick is done, the next one begins; in free-run the sensors are shown."""
        assert self.node is not None
        if not self.lock_step:
            seen = self.node.status().sensors_seen
            self.show()
            self.until(lambda: self.node.status().sensors_seen > seen)
            return
        if self.tick_granted:
            self.node.done()
            self.until(lambda: self.tick_done == self.tick_granted)
        self.tick_granted += 1
        self.show()
        self.grant()
        self.until(self.node.take_grant)

    def grant(self) -> None:
        """Grants the tick shown last, up to its own start."""
        end_ns = self.sensors["t_ns"]
        self.send(MessageType.GRANT, Grant(self.tick_granted, end_ns, self.sensors["utc_ns"]))

    def write_raw(self, octets: bytes) -> None:
        """Octets as they are, behind what was sent."""
        self._write(self.session.pull(time.monotonic_ns(), 1 << 16) + octets)

    def show(self) -> None:
        """The sensors as they stand."""
        shown = (self.sensors[name] for name in SENSOR_FIELDS)
        values = Sensors(self.tick_granted, *shown, throttle_live=self.throttle_live, estimated=0)
        self.send(MessageType.SENSORS, values)

    # What a bench is asked for.

    def write_sensors(self, **fields: int) -> None:
        """See `NodeBench`."""
        wanted = self.sensors | fields
        if set(wanted) != set(SENSOR_FIELDS) or not _fits(wanted, self.sensors["t_ns"]):
            raise HalError("line.write_sensors", -HalErrorKind.RANGE)
        self.sensors = wanted
        self.step()

    def read_actuators(self) -> Actuators:
        """See `NodeBench`."""
        told = self.told
        return Actuators(
            told.payload_level, told.laser_on, told.target_id, told.heater_on, told.watchdog_kicks
        )

    def drain_tx(self, frames_max: int) -> list[bytes]:
        """See `NodeBench`."""
        self.step()
        taken = [self.received.popleft() for _ in range(min(frames_max, len(self.received)))]
        credit = self._credit
        self._credit = credit._replace(
            frames_granted=credit.frames_granted + len(taken),
            frames_by_light=credit.frames_by_light + len(taken),
        )
        self.send(MessageType.CREDIT, self._credit)
        self.step()
        return taken

    def push_rx(self, frame: bytes) -> bool:
        """See `NodeBench`."""
        self.step()
        assert self.session.peer is not None
        if not 0 < len(frame) <= self.session.peer.frame_bytes_max:
            raise HalError("line.push_rx", -HalErrorKind.RANGE)
        if self._sender.credit > 0:
            for chunk in self._sender.cut(frame):
                self.send(MessageType.FRAME_CHUNK, chunk)
            self.step()
            return True
        lost = self._credit.frames_overflowed + 1
        self._credit = self._credit._replace(frames_overflowed=lost)
        self.send(MessageType.CREDIT, self._credit)
        self.step()
        return False

    def fail(self, calls: int, kind: HalErrorKind = HalErrorKind.IO) -> None:
        """A line cannot make single calls fail."""
        raise HalError("line.fail", -HalErrorKind.UNSUPPORTED)

    def reset(self, reset_cause: int) -> None:
        """Cuts the power: the node's process is to end."""
        self.send(MessageType.NODE_RESET, NodeReset(reset_cause))

    # What the node says.

    def _take(self, message: Message) -> None:
        value = message.value
        match value:
            case ActuatorState():
                stuck = self.sensors["stuck"]
                jammed = {
                    name: getattr(self.held, name)
                    for bit, name in _STUCK_FIELDS.items()
                    if stuck & bit
                }
                self.told, self.held = value, value._replace(**jammed)
                self.send(MessageType.ACTUATED, self.held)
            case FrameChunk():
                frame = self._receiver.take(value)
                if frame is not None:
                    self.received.append(frame)
            case Credit():
                self._sender.grant(value.frames_granted)
            case Done():
                self.tick_done = value.tick
            case RegWrite():
                self.registers[value.reg] = value.value
                self._answer(value.id, value.reg, 1)
            case RegRead():
                self._answer(value.id, value.first, value.registers)
            case Octets():
                self.records.append(value.octets)

    def _answer(self, request: int, first: int, count: int) -> None:
        words = (self.registers.get(first + i, 0) for i in range(count))
        octets = b"".join(word.to_bytes(4, "little") for word in words)
        self.send(MessageType.REG_VALUES, RegValues(request, first, count, 0, octets))


def _fits(sensors: dict[str, int], t_ns: int) -> bool:
    try:
        struct.pack("<QqII11iIiiII", *(sensors[name] for name in SENSOR_FIELDS))
    except struct.error:
        return False
    return sensors["t_ns"] >= t_ns


class SteppedNode(LinkDevices):
    """A node whose every setter is a tick of its own: what was set has arrived when it returns."""

    def __init__(self, bench: LineBench, config: HalConfig) -> None:
        self._bench = bench
        mode = LinkMode.LOCK_STEP if bench.lock_step else LinkMode.FREE_RUN
        super().__init__(LinkConfig(bench.path, mode=mode, period_us=100_000), config)
        bench.connect(self)

    def set_payload_level(self, level: int) -> int:
        return self._stepped(super().set_payload_level(level))

    def set_heater(self, on: bool) -> int:
        return self._stepped(super().set_heater(on))

    def point_terminal(self, target_id: int) -> int:
        return self._stepped(super().point_terminal(target_id))

    def set_laser(self, on: bool) -> int:
        return self._stepped(super().set_laser(on))

    def set_payload_busy(self, permille: int) -> int:
        return self._stepped(super().set_payload_busy(permille))

    def kick_watchdog(self) -> None:
        super().kick_watchdog()
        self._bench.step()

    def _stepped(self, value: int) -> int:
        self._bench.step()
        return value
