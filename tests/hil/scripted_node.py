"""A node of a few lines at the other end of a socket, on the bench's own loop: no process, no time.

It speaks the protocol through the bench's session in the node's role, does what a test scripts, and
can be switched, killed and hung like a child.
"""

from __future__ import annotations

import os
import socket
import time
from itertools import count

from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.event_log import EventLog
from flight.telemetry.umbilical_service import Umbilical
from hal.native_library import lib
from hil.bench_link.frames import FrameReceiver, FrameSender
from hil.bench_link.layout import SCHEMA_CRC32C, MessageType, Mode, Role
from hil.bench_link.messages import (
    ActuatorState,
    Credit,
    Done,
    Grant,
    Hello,
    NodeReset,
    Octets,
    Sensors,
)
from hil.bench_link.session import Session
from hil.bench_link.session_values import Phase

_SESSIONS = count(1000)
RX_CREDIT = 8


class SocketPort:
    """The bench's port: one end of a pair of sockets."""

    name = "socket"

    def __init__(self) -> None:
        self.near, self.far = socket.socketpair()
        self.near.setblocking(False)
        self.far.setblocking(False)

    def open(self) -> int:
        return self.near.fileno()

    def free(self) -> None:
        pass

    def close(self) -> None:
        self.near.close()


class ScriptedNode:
    """Node and power switch in one.

    Attributes:
        on_grant: called with (node, grant) before the tick is done; False leaves it undone.
        grants, sensors: everything received, over all starts.
        mute: answers nothing more, as if it hung.
    """

    owned = True

    def __init__(
        self, port, mode=Mode.LOCK_STEP, *, owned=True, abi_version=lib.HAL_ABI_VERSION
    ) -> None:
        self.port, self.mode, self.owned = port, mode, owned
        self.abi_version = abi_version
        self.loop = None
        self.on_grant = None
        self.wanted = ActuatorState(0, 0, 0, 0, 0, 0, 0, 0)
        self.grants, self.sensors, self.received, self.resets = [], [], [], []
        self.starts = 0
        self.mute = False
        self.exit = None
        self.session = None
        self.values = ChannelValues()

    # The switch.

    def on(self) -> None:
        self.starts += 1
        self.exit = None
        self.tick = 0
        self.session = Session(self._hello(), lambda: next(_SESSIONS), time.monotonic_ns())
        self.up, self.down = FrameSender(), FrameReceiver(65542)
        self.begun = 0
        self.fetched = 0
        self.wanted = self.wanted._replace(number=0)
        self.umbilical = Umbilical(lambda r: self.session.send(MessageType.TELL, Octets(r)))
        self.events = EventLog(100, self.umbilical)
        self.loop.add_reader(self.port.far.fileno(), self._readable)
        self.session.poll(time.monotonic_ns())
        self._flush()

    def cut(self) -> None:
        if self.session is not None:
            self.loop.remove_reader(self.port.far.fileno())
        self.session = None

    def stop(self) -> None:
        self.cut()

    def ended(self):
        return self.exit

    def die(self, code=1, said="segmentation fault") -> None:
        """It ends by itself."""
        self.cut()
        self.exit = (code, said)

    # What it does.

    def set(self, **values) -> None:
        number = self.wanted.number + 1
        self.wanted = self.wanted._replace(number=number, **values)
        self.session.send(MessageType.ACTUATORS, self.wanted)

    def submit(self, frame: bytes) -> bool:
        if self.up.credit <= 0:
            return False
        for chunk in self.up.cut(frame):
            self.session.send(MessageType.FRAME_CHUNK, chunk)
        return True

    def _hello(self) -> Hello:
        return Hello(
            self.abi_version, SCHEMA_CRC32C, Role.NODE, self.mode, 4096, 65542, RX_CREDIT,
            1_000_000, self.starts, 0,
        )  # fmt: skip

    def _readable(self) -> None:
        octets = os.read(self.port.far.fileno(), 1 << 16)
        if self.mute or self.session is None:
            return
        now_ns = time.monotonic_ns()
        for message in self.session.receive(octets, now_ns):
            self._take(message)
            if self.session is None:
                return
        self.session.poll(now_ns)
        self._flush()

    def _take(self, message) -> None:
        if self.session.peer_session != self.begun:
            self.begun = self.session.peer_session
            self.up.restart(self.session.peer.frames_credit)
            self.down.restart()
        value = message.value
        if isinstance(value, Sensors):
            self.sensors.append(value)
        elif isinstance(value, Grant):
            self._granted(value)
        elif isinstance(value, Credit):
            self.up.grant(value.frames_granted)
        elif isinstance(value, NodeReset):
            self.resets.append(value.cause)
            if not self.owned:
                self.on()
        elif message.kind is MessageType.FRAME_CHUNK:
            frame = self.down.take(value)
            if frame is not None:
                self.received.append(frame)
                self.fetched += 1
                self.session.send(MessageType.CREDIT, Credit(RX_CREDIT + self.fetched))

    def _granted(self, grant: Grant) -> None:
        if grant.tick == self.tick:
            return
        self.grants.append(grant)
        self.tick = grant.tick
        if self.on_grant is not None and self.on_grant(self, grant) is False:
            return
        if self.session is not None:
            sent = self.up.sent % 2**32
            self.session.send(MessageType.DONE, Done(grant.tick, self.wanted.number, sent))

    def _flush(self) -> None:
        while self.session is not None and self.session.waiting:
            octets = self.session.pull(time.monotonic_ns(), 1 << 14)
            self.port.far.setblocking(True)
            self.port.far.sendall(octets)
            self.port.far.setblocking(False)

    @property
    def is_up(self) -> bool:
        return self.session is not None and self.session.phase is Phase.UP
