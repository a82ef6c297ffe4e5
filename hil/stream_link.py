"""The line to a node, run: an asyncio loop that moves octets while the world stands still.

The world lives on its own virtual loop and the line on a real one; they take turns. `wait` runs the
line until something has come, `rest` runs it for a while.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from hal.native_library import lib
from hil.bench_link.layout import (
    PAYLOAD_BYTES_MAX,
    SCHEMA_CRC32C,
    MessageType,
    Mode,
    Role,
)
from hil.bench_link.line import Line
from hil.bench_link.messages import Heartbeat, Hello
from hil.bench_link.session import Session
from hil.bench_link.session_values import Phase
from hil.stream_bench import FRAME_BYTES_MAX, StreamBench

if TYPE_CHECKING:
    from collections.abc import Callable

    from hil.bench_link.codec import Message
    from hil.bench_link.port_serial import Port
    from hil.bench_link.wire_capture import WireCapture

_NS_PER_S = 1_000_000_000
_NS_PER_MS = 1_000_000
_TOLD = ("rx_messages", "rx_corrupt", "rx_lost", "rx_stale", "tx_dropped", "frames_broken", "late")


class BenchError(RuntimeError):
    """The bench cannot judge a node: its own fault or the line's. One line for the user."""


class StreamLink:
    """Session, port and the bench's end of the node.

    Attributes:
        bench: what the world drives.
    """

    def __init__(
        self, port: Port, mode: Mode, *, tx_fifo_frames: int, period_s: float,
    ) -> None:  # fmt: skip
        self.port = port
        self.mode = mode
        hello = Hello(
            abi_version=lib.HAL_ABI_VERSION,
            schema_crc32c=SCHEMA_CRC32C,
            role=Role.BENCH,
            mode=mode,
            payload_bytes_max=PAYLOAD_BYTES_MAX,
            frame_bytes_max=FRAME_BYTES_MAX,
            frames_credit=tx_fifo_frames,
            period_us=round(period_s * 1e6),
            boot_count=0,
            peer_session=0,
        )
        self.session = Session(hello, _draw, time.monotonic_ns())
        self.bench = StreamBench(self.session, tx_fifo_frames)
        self._loop = asyncio.SelectorEventLoop()
        self._line: Line | None = None
        self._capture: WireCapture | None = None
        self._condition: Callable[[], bool] | None = None
        self._woken: asyncio.Future[None] | None = None
        self._failure: Exception | None = None
        self._node_told: Counter[str] = Counter()
        self._node_now: Heartbeat | None = None
        self._node_session = 0

    def open(self, capture: WireCapture | None = None) -> None:
        """Opens the port; PortError when it cannot be had."""
        self._capture = capture
        self._line = Line(self._loop, self.port, self.session, self._take, capture)

    def close(self) -> None:
        """Gives everything back."""
        if self._line is not None:
            self._line.close()
        if self._capture is not None:
            self._capture.close()
        self._loop.close()

    @property
    def up(self) -> bool:
        """Whether a node is there."""
        return self.session.phase is Phase.UP

    def start_anew(self) -> None:
        """The node is without power: whoever comes next begins at HELLO."""
        self.session.line_lost(time.monotonic_ns())

    def flush(self) -> None:
        """Lets go what was said."""
        assert self._line is not None
        self._line.flush()

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Runs the line until `condition` holds, looked at after every message; False when late.

        Raises:
            BenchError: the peer refuses to run with this bench.
        """
        self.flush()
        woken = self._loop.create_future()
        self._condition, self._woken = condition, woken
        timer = self._loop.call_later(seconds, _settle, woken)
        try:
            if not condition():
                self._loop.run_until_complete(woken)
        finally:
            self._condition = self._woken = None
            timer.cancel()
        self._raise()
        return condition()

    def rest(self, seconds: float) -> None:
        """Runs the line for so long."""
        self.wait(lambda: False, max(seconds, 0.0))

    def statistics(self) -> dict[str, Any]:
        """For the summary; both directions as their receiving end counted them."""
        self._follow_heartbeat()
        counters, best, line = self.session.counters, self.session.clock.best, self._line
        far = self._node_told + Counter(_counts(self._node_now))
        return {
            "mode": self.mode.name.lower(),
            "port": self.port.name,
            "low_latency": getattr(self.port, "low_latency", None),
            "nodes_seen": counters.peers_seen,
            "times_down": counters.times_down,
            "times_unplugged": 0 if line is None else line.times_lost,
            "clock_offset_ms": None if best is None else best.offset_ns / _NS_PER_MS,
            "clock_uncertainty_ms": None if best is None else best.delay_ns / 2 / _NS_PER_MS,
            "round_trip_ms": None if best is None else best.delay_ns / _NS_PER_MS,
            "samples_sent": self.bench.counters.sensors_sent,
            "samples_late": far["late"],
            "to_node": {
                "octets": 0 if line is None else line.octets_out,
                "messages": counters.tx_messages,
                "lost": far["rx_lost"],
                "corrupt": far["rx_corrupt"],
                "stale": far["rx_stale"],
                "frames_broken": far["frames_broken"],
                "dropped": self.session.tx_dropped,
            },
            "from_node": {
                "octets": 0 if line is None else line.octets_in,
                "messages": counters.rx_messages,
                "lost": counters.rx_lost,
                "corrupt": self.session.rx_corrupt,
                "stale": counters.rx_stale,
                "frames_broken": self.session.frames_broken,
                "dropped": far["tx_dropped"],
            },
        }

    def _take(self, message: Message) -> None:
        if message.kind is MessageType.HEARTBEAT:
            self._follow_heartbeat()
        try:
            self.bench.take(message)
        except Exception as error:  # noqa: BLE001  raised where the run waits, not in a callback
            self._failure = self._failure or error
        woken, condition = self._woken, self._condition
        if woken is None or condition is None:
            return
        if self._failure is not None or condition():
            _settle(woken)

    def _follow_heartbeat(self) -> None:
        """Counters of a node that is gone are kept; those of the present one are cumulative."""
        session = self.session
        if session.peer_session != self._node_session:
            self._node_told.update(_counts(self._node_now))
            self._node_session, self._node_now = session.peer_session, None
        if session.peer_heartbeat is not None:
            self._node_now = session.peer_heartbeat

    def _raise(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        if self.session.refusal is not None:
            other = self.session.refusal.name.lower().replace("_", " ")
            raise BenchError(
                f"{self.port.name}: node and bench do not fit together: another {other}"
            )


def _counts(heartbeat: Heartbeat | None) -> dict[str, int]:
    return {} if heartbeat is None else {name: getattr(heartbeat, name) for name in _TOLD}


def _draw() -> int:
    """A session's number: never 0, never twice in a row by accident."""
    return int.from_bytes(os.urandom(4)) or 1


def _settle(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)
