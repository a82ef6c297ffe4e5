"""The bench's end of a node at the far end of a byte stream: sensors down, actuators and frames up.

The same verbs as `hal.sim_bench.SimBench` has for a node in this process, so plant, link and ground
do not know which of the two they drive. Pure: a session carries what is said here, and whoever owns
both hands over every message.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hal.fake_devices import AT_REST
from hal.protocols import NodeBench
from hal.sample import SENSOR_FIELDS, Actuators, HalError, HalErrorKind, Stuck
from hal.terminal_registers import TermRegister
from hil.bench_link.frames import FrameReceiver, FrameSender
from hil.bench_link.layout import MessageType
from hil.bench_link.messages import (
    ActuatorState,
    Credit,
    Done,
    FrameChunk,
    Grant,
    Heartbeat,
    NodeReset,
    Octets,
    RegRead,
    RegWrite,
    Sensors,
)
from hil.stream_terminal import StreamTerminal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hil.bench_link.codec import Message
    from hil.bench_link.session import Session

AT_POWER_ON = ActuatorState(0, 0, 0, 0, 0, 0, 0, 0)
FRAME_BYTES_MAX = 65542
_UNSIGNED = frozenset({"t_ns", "valid", "stuck", "term_flags", "reset_cause", "boot_count"})
_WIDTH_BITS = {"t_ns": 64, "utc_ns": 64}
_PLANT_FIRST = SENSOR_FIELDS.index("array_mw")
_PLANT_LAST = SENSOR_FIELDS.index("sun_permille")
_JAMMED = {
    "payload_level": Stuck.PAYLOAD_LEVEL,
    "laser_on": Stuck.LASER,
    "target_id": Stuck.TARGET,
    "heater_on": Stuck.HEATER,
}


@dataclass(slots=True)
class StreamCounters:
    """What passed between node and world, and what was lost there, since the start."""

    sensors_sent: int = 0
    actuators_taken: int = 0
    frames_up: int = 0
    frames_down: int = 0
    frames_without_credit: int = 0
    frames_overflowed: int = 0
    frames_flushed: int = 0
    records_told: int = 0


class StreamBench(NodeBench):
    """The other end of a node on a bench link.

    Args:
        session: whose peer is the node.
        tx_fifo_frames: transmit credit given to the node.

    Attributes:
        on_told: takes each record of the node's own telemetry; by default nobody does.
        sessions: how often a node has started on this link, or the link itself.
    """

    def __init__(self, session: Session, tx_fifo_frames: int) -> None:
        self._session = session
        self._fifo_frames = tx_fifo_frames
        self.on_told: Callable[[bytes], None] | None = None
        self._sensors = {**AT_REST}
        self._state = AT_POWER_ON
        self._tx: deque[bytes] = deque()
        self._up = FrameReceiver(FRAME_BYTES_MAX)
        self._down = FrameSender()
        self._begun = 0
        self._by_light = 0
        self._flushed = 0
        self._overflowed = 0
        self._pushed = 0
        self._terminal = StreamTerminal(self._sensors, self._registers)
        self._credit_told = Credit(0)
        self._done = Done(0, 0, 0)
        self.counters = StreamCounters()
        self.sessions = 0

    # What the world does.

    def write_sensors(self, **fields: int) -> None:
        """See `NodeBench`; it reaches the node with the next tick."""
        for name, value in fields.items():
            if name not in self._sensors or not _fits(name, value):
                raise HalError(f"stream.write_sensors.{name}", -HalErrorKind.RANGE)
        self._sensors.update(fields)

    def write_plant(
        self, t_ns: int, utc_ns: int, valid: int, sensed: Sequence[int], term_mdegc: int
    ) -> None:
        """See `SimBench.write_plant`."""
        names = SENSOR_FIELDS[_PLANT_FIRST : _PLANT_LAST + 1]
        plant = dict(zip(names, sensed, strict=True))
        self.write_sensors(t_ns=t_ns, utc_ns=utc_ns, valid=valid, term_mdegc=term_mdegc, **plant)

    def read_actuators(self) -> Actuators:
        """See `NodeBench`: the newest that has come."""
        now = self._state
        return Actuators(
            now.payload_level, now.laser_on, now.target_id, now.heater_on, now.watchdog_kicks
        )

    @property
    def payload_busy_permille(self) -> int:
        """How busy the payload was in the node's last cycle, as it told."""
        return self._state.payload_busy_permille

    def drain_tx(self, frames_max: int) -> list[bytes]:
        """See `NodeBench`; the credit goes back with the next tick."""
        frames = [self._tx.popleft() for _ in range(min(frames_max, len(self._tx)))]
        self._by_light += len(frames)
        return frames

    def push_rx(self, frame: bytes) -> bool:
        """See `NodeBench`."""
        if not 1 <= len(frame) <= FRAME_BYTES_MAX:
            raise HalError("stream.push_rx", -HalErrorKind.RANGE)
        self.follow_session()
        if self._down.credit <= 0:
            self._overflowed += 1
            self.counters.frames_overflowed += 1
            return False
        for chunk in self._down.cut(frame):
            self._session.send(MessageType.FRAME_CHUNK, chunk)
        self._pushed += 1
        self.counters.frames_down += 1
        return True

    def fail(self, calls: int, kind: HalErrorKind = HalErrorKind.IO) -> None:
        """A bench cannot reach into a node's calls across a wire; an empty mask heals nothing."""
        if calls:
            raise HalError(f"stream.fail.{kind.name.lower()}", -HalErrorKind.UNSUPPORTED)

    def reset(self, reset_cause: int) -> None:
        """See `NodeBench`: what a reset does to the hardware; `tell_reset` ends the software."""
        self._state = AT_POWER_ON
        self._flush_tx()
        self._sensors["boot_count"] += 1
        self._sensors["reset_cause"] = reset_cause

    # What the owner of the tick does.

    def tell_reset(self, reset_cause: int) -> None:
        """Tells the node that its power is gone: its process ends at once."""
        self._session.send(MessageType.NODE_RESET, NodeReset(reset_cause))

    def follow_session(self) -> None:
        """If node or line has started: frames, credits and actuators begin at nothing."""
        if not self._session.peer_session or self._begun == self._session.counters.peers_seen:
            return
        self._begun = self._session.counters.peers_seen
        peer = self._session.peer
        assert peer is not None
        self.sessions += 1
        self._state = AT_POWER_ON
        self._flush_tx()
        self._up.restart()
        self._down.restart(peer.frames_credit)
        self._by_light = self._flushed = self._overflowed = self._pushed = 0
        self._terminal.power_on()
        self._credit_told = Credit(self._fifo_frames)
        self._done = Done(0, 0, 0)

    def show(self, tick: int, t_ns: int, utc_ns: int) -> None:
        """Sends what every sensor shows at a time of the mission, and the credit if it changed."""
        self.follow_session()
        shown = {**self._sensors, "t_ns": t_ns, "utc_ns": utc_ns}
        # The plant's board neither slows itself down nor guesses a sensor.
        sensors = Sensors._make([tick, *(shown[name] for name in SENSOR_FIELDS), 0, 0])
        self._session.send(MessageType.SENSORS, sensors)
        self.counters.sensors_sent += 1
        self._tell_credit()

    def grant(self, tick: int, until_ns: int, utc_ns: int) -> None:
        """Lets the node act until then; goes after everything else of the tick."""
        self._session.send(MessageType.GRANT, Grant(tick, until_ns, utc_ns))

    def done(self, tick: int) -> bool:
        """Whether the node is done with that tick, and all that it decided in it has come."""
        done = self._done
        return done.tick == tick and self._state.number >= done.actuators_number

    def take(self, message: Message) -> None:
        """One message of the node's."""
        self.follow_session()
        value = message.value
        if isinstance(value, FrameChunk):
            self._take_chunk(value)
        elif isinstance(value, ActuatorState):
            self._take_actuators(value)
        elif isinstance(value, Done):
            self._up.reconcile(value.frames_sent)
            self._done = value
        elif isinstance(value, Heartbeat):
            self._up.reconcile(value.frames_sent)
        elif isinstance(value, Credit):
            self._down.grant(value.frames_granted)
        elif isinstance(value, Octets) and message.kind is MessageType.TELL:
            self.counters.records_told += 1
            if self.on_told is not None:
                self.on_told(value.octets)
        elif isinstance(value, RegRead):
            self._session.send(MessageType.REG_VALUES, self._terminal.read(value))
        elif isinstance(value, RegWrite):
            self._write_register(value)
        self._session.frames_broken = self._up.broken

    def _write_register(self, request: RegWrite) -> None:
        answer, was_reset = self._terminal.write(request)
        if was_reset:
            self._flush_tx()
            self._state = self._state._replace(target_id=0)
        if was_reset or self._terminal.inhibited:
            self._state = self._state._replace(laser_on=0)
        self._session.send(MessageType.REG_VALUES, answer)

    def _registers(self) -> dict[TermRegister, int]:
        """What of the terminal is known here; the last three since the node has started."""
        return {
            TermRegister.FRAME_BYTES_MAX: FRAME_BYTES_MAX,
            TermRegister.TX_FIFO_FRAMES: self._fifo_frames,
            TermRegister.TARGET_ID: self._state.target_id,
            TermRegister.LASER_ENABLE: self._state.laser_on,
            TermRegister.TX_CREDIT: self._fifo_frames - len(self._tx),
            TermRegister.TX_FRAMES: self._by_light,
            TermRegister.RX_FRAMES: self._pushed,
            TermRegister.RX_OVERFLOW: self._overflowed,
        }

    def _take_chunk(self, chunk: FrameChunk) -> None:
        frame = self._up.take(chunk)
        if frame is None:
            return
        if len(self._tx) >= self._fifo_frames:
            self.counters.frames_without_credit += 1
            self._flushed += 1
            return
        self._tx.append(frame)
        self.counters.frames_up += 1

    def _take_actuators(self, wanted: ActuatorState) -> None:
        """Idempotent: what everything shall be; a jammed one keeps what it had."""
        if wanted.number >= self._state.number:
            self.counters.actuators_taken += wanted.number > self._state.number
            stuck = self._sensors["stuck"]
            kept = {
                name: getattr(self._state, name) for name, bit in _JAMMED.items() if stuck & bit
            }
            self._state = wanted._replace(**kept)
            if self._terminal.inhibited:
                self._state = self._state._replace(laser_on=0)
        self._session.send(MessageType.ACTUATED, self._state)

    def _flush_tx(self) -> None:
        self._flushed += len(self._tx)
        self.counters.frames_flushed += len(self._tx)
        self._tx.clear()

    def _tell_credit(self) -> None:
        freed = self._by_light + self._flushed + self._up.lost
        credit = Credit(self._fifo_frames + freed, self._by_light, self._overflowed, self._flushed)
        if credit != self._credit_told and self._session.send(MessageType.CREDIT, credit):
            self._credit_told = credit


def _fits(name: str, value: int) -> bool:
    bits = _WIDTH_BITS.get(name, 32)
    if name in _UNSIGNED:
        return 0 <= value < 1 << bits
    return -(1 << (bits - 1)) <= value < 1 << (bits - 1)
