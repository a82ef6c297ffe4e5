"""Round trips as a bench sees them: asyncio on the bare descriptor, and the bench link's session.

Both far ends are C: a bare echo in a process of its own, and a "link" device's thread.
"""

import asyncio
import os
import selectors
import subprocess
import time

import c_loops

from hal.link_devices import LinkConfig, LinkDevices
from hal.native_library import lib
from hil.bench_link.layout import SCHEMA_CRC32C, MessageType, Mode, Role
from hil.bench_link.line import Line
from hil.bench_link.messages import Hello, Octets
from hil.bench_link.port_serial import PtyPort
from hil.bench_link.session import Session
from hil.bench_link.session_values import Phase

OCTETS = b"\x55" * 200
BLOCK = 50
HELLO = Hello(
    abi_version=lib.HAL_ABI_VERSION, schema_crc32c=SCHEMA_CRC32C, role=Role.BENCH,
    mode=Mode.FREE_RUN, payload_bytes_max=4096, frame_bytes_max=65542, frames_credit=8,
    period_us=1_000_000, boot_count=1, peer_session=0,
)  # fmt: skip


class Bare:
    """A reader on the descriptor and plain writes."""

    def __init__(self, loop):
        self._loop, self._port = loop, PtyPort()
        self._fd, self._left, self._done = self._port.open(), 0, None
        loop.add_reader(self._fd, self._readable)
        command = [c_loops.built("link_loops"), "peer", self._port.path]
        self._peer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._peer.stdout.readline()

    async def round(self):
        self._left, self._done = len(OCTETS), self._loop.create_future()
        os.write(self._fd, OCTETS)
        await self._done

    def _readable(self):
        self._left -= len(os.read(self._fd, 1 << 16))
        if self._left == 0:
            self._done.set_result(None)

    def close(self):
        os.write(self._fd, b"\0")
        self._peer.wait(10)
        self._peer.stdout.close()
        self._loop.remove_reader(self._fd)
        self._port.close()


class Linked:
    """ECHO of the bench link, over its own asyncio line."""

    def __init__(self, loop):
        self._loop, self._port, self._done = loop, PtyPort(), None
        self.session = Session(HELLO, lambda: time.monotonic_ns() & 0x7FFFFFFF | 1, 0)
        self._line = Line(loop, self._port, self.session, self._take)
        self._node = LinkDevices(LinkConfig(self._port.path))

    async def up(self):
        while self.session.phase is not Phase.UP:  # noqa: ASYNC110 - told by nobody
            await asyncio.sleep(0.01)

    async def round(self):
        self._done = self._loop.create_future()
        assert self.session.send(MessageType.ECHO, Octets(OCTETS))
        self._line.flush()
        await self._done

    def _take(self, message):
        if message.kind is MessageType.ECHO_REPLY:
            self._done.set_result(None)

    def close(self):
        self._node.close()
        self._line.close()


async def _alternate(ways, rounds):
    await ways[1].up()
    took_ns = ([], [])
    for _ in range(rounds // BLOCK):
        for way, took in zip(ways, took_ns, strict=True):
            for _ in range(BLOCK):
                start_ns = time.perf_counter_ns()
                await way.round()
                took.append(time.perf_counter_ns() - start_ns)
    return took_ns


def alternating_ns(rounds):
    """(bare, link): ns of each round trip, in turn in blocks."""
    loop = asyncio.SelectorEventLoop(selectors.EpollSelector())
    ways = Bare(loop), Linked(loop)
    try:
        return loop.run_until_complete(_alternate(ways, rounds))
    finally:
        for way in ways:
            way.close()
        loop.close()
