"""The bench's end of a flying node: a pseudo-terminal, a ground station in contact, a stopwatch.

The node is another process, flown as on a bench's line in free run. Sensors show a terminal that
has lock, so that answers leave by light at once. What the bench does itself before the octets of a
command leave and after those of its answer have come is no part of the time that is taken.
"""

import asyncio
import os
import selectors
import subprocess
import sys
import time

import boards

from flight.keys import Half
from flight.link_config import LinkConfig
from flight.telemetry.command_table import NoOp
from flight.telemetry.dictionary import CHANNEL_INDEX, GROUPS
from flight.wire.counter_reserve import CounterReserve
from flight.wire.secure_link import Opened, SecureLink
from flight.wire.space_packet import Apid, decode_all, encode
from flight.wire.telecommand import (
    FINAL_STAGES,
    Stage,
    Telecommand,
    decode_report,
    encode_telecommand,
)
from flight.wire.telemetry import decode_housekeeping
from flight.wire.transfer_frame import VirtualChannel
from hal.native_library import lib
from hal.sample import TermFlag
from hil.bench_link.layout import PAYLOAD_BYTES_MAX, SCHEMA_CRC32C, Mode, Role
from hil.bench_link.line import Line
from hil.bench_link.messages import Hello
from hil.bench_link.port_serial import PtyPort
from hil.bench_link.session import Session
from hil.bench_link.wire_capture import Way
from hil.stream_bench import FRAME_BYTES_MAX, StreamBench

FIFO_FRAMES = 256
SHOW_S = 0.02
LOCK = int(TermFlag.BEACON | TermFlag.COARSE | TermFlag.FINE | TermFlag.SYNC)
START_LIMIT_S = 60.0
LEAVE_S = 0.5
BOARD = """
[board]
hal = "link:{device}"
link_mode = "free-run"
link_fifo_frames = {fifo}
"""
CONTACT = """
[[contacts]]
contact_id = 1
peer_id = 7
peer_name = "BENCH"
kind = "OGS"
start_utc_s = {start}
end_utc_s = {end}
rate_bps = 1e9
"""


class Stopwatch:
    """Stands where a capture of the wire would: notes when octets went and came."""

    def __init__(self):
        self.came_ns = 0

    def add(self, t_ns, way, _octets):
        if way is Way.FROM_NODE:
            self.came_ns = t_ns

    def close(self):
        """Nothing is kept."""


class BenchEnd:
    """A node in contact and who commands it; a context that ends the node.

    Args:
        folder: for configuration, keys, store and the node's log.
        busy: whether a model is to run all the time.

    Attributes:
        answers: by command, when the octets of its last word came.
        completed: how many of these said that it was done.
    """

    def __init__(self, folder, *, busy):
        self.loop = asyncio.SelectorEventLoop(selectors.EpollSelector())
        self._port = PtyPort()
        hello = Hello(
            abi_version=lib.HAL_ABI_VERSION, schema_crc32c=SCHEMA_CRC32C, role=Role.BENCH,
            mode=Mode.FREE_RUN, payload_bytes_max=PAYLOAD_BYTES_MAX,
            frame_bytes_max=FRAME_BYTES_MAX, frames_credit=FIFO_FRAMES, period_us=1_000_000,
            boot_count=0, peer_session=0,
        )  # fmt: skip
        draw = lambda: int.from_bytes(os.urandom(4)) or 1
        self._session = Session(hello, draw, time.monotonic_ns())
        self._bench = StreamBench(self._session, FIFO_FRAMES)
        self._rows = []
        self._bench.on_told = self._rows.append
        self._watch = Stopwatch()
        self._line = Line(self.loop, self._port, self._session, self._take, self._watch)
        self._link = SecureLink(
            scid=LinkConfig().spacecraft_id,
            sends=boards.KEYS.sends(Half.GROUND),
            receives=[boards.KEYS.receives(Half.GROUND)],
            frame_bytes_max=LinkConfig().sealed_bytes,
            counters=CounterReserve(lambda: 0, lambda _: None),
        )
        self._next_id, self._count, self._tick = time.time_ns(), 0, 0
        self.answers, self.completed, self._heard = {}, 0, asyncio.Event()
        self._node = self._start(folder, busy)
        self._showing = self.loop.create_task(self._show())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._showing.cancel()
        self._node.terminate()
        self.loop.run_until_complete(asyncio.sleep(LEAVE_S))
        self._node.wait(START_LIMIT_S)
        self._log.close()
        self._line.close()
        self.loop.close()

    def _start(self, folder, busy):
        text = BOARD.format(device=self._port.path, fifo=FIFO_FRAMES)
        text += CONTACT.format(start=time.time() - 1.0, end=time.time() + 600.0)
        config = boards.make_folder(folder, text, busy=busy)
        self._log = (folder / "log.txt").open("w")
        command = [sys.executable, "-m", "flight", "fly", "--config", config]
        return subprocess.Popen(command, stdout=self._log, stderr=subprocess.STDOUT)

    @property
    def pid(self):
        """The node's process."""
        return self._node.pid

    async def in_contact(self):
        """Until the first frame comes by light."""
        async with asyncio.timeout(START_LIMIT_S):
            while not self._bench.counters.frames_up:
                if self._showing.done():
                    self._showing.result()
                assert self._node.poll() is None, "the node has ended"
                await asyncio.sleep(SHOW_S)

    def send(self):
        """One more command on its way: its identity, and when its octets went."""
        self._next_id = max(self._next_id + 1, time.time_ns())
        self._count += 1
        data = encode_telecommand(Telecommand(self._next_id, NoOp()))
        packet = encode(
            Apid.TELECOMMAND, self._count, data, time_ns=time.monotonic_ns(), telecommand=True
        )
        frame = self._link.seal(VirtualChannel.UPLINK, [packet]).frame
        assert self._bench.push_rx(frame), "no credit"
        gone_ns = time.monotonic_ns()
        self._line.flush()
        return self._next_id, gone_ns

    async def answer(self, command, seconds):
        """When the octets of its last word came; TimeoutError when none did."""
        if not await self.any_of({command}, seconds):
            raise TimeoutError(f"command {command} has no answer")
        return self.answers[command]

    async def any_of(self, commands, seconds):
        """Waits until one of them has its last word; False when none has it in that time."""
        try:
            async with asyncio.timeout(seconds):
                while commands.isdisjoint(self.answers):
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            return False
        return True

    async def told(self, channel):
        """The value of a channel in the next row that the node tells beside the light."""
        group = next(name for name, of in GROUPS.items() if CHANNEL_INDEX[channel] in of)
        place = GROUPS[group].index(CHANNEL_INDEX[channel])
        self._rows.clear()
        async with asyncio.timeout(START_LIMIT_S):
            while True:
                for packet in (p for record in self._rows for p in decode_all(record)):
                    if packet.apid == Apid.HOUSEKEEPING:
                        row = decode_housekeeping(packet.data)
                        if row.group == group:
                            return row.values[place]
                await asyncio.sleep(SHOW_S)

    async def _show(self):
        """Sensors that show lock, and credit."""
        self._bench.write_sensors(term_flags=LOCK)
        while True:
            self._tick += 1
            self._bench.show(self._tick, time.monotonic_ns(), time.time_ns())
            self._line.flush()
            await asyncio.sleep(SHOW_S)

    def _take(self, message):
        self._bench.take(message)
        for frame in self._bench.drain_tx(FIFO_FRAMES):
            opened = self._link.open(frame)
            assert isinstance(opened, Opened), opened
            for packet in opened.packets:
                if packet.apid == Apid.VERIFICATION:
                    self._book(decode_report(packet.data))

    def _book(self, report):
        if report.stage in FINAL_STAGES:
            assert report.command_id not in self.answers, "answered twice"
            self.answers[report.command_id] = self._watch.came_ns
            self.completed += report.stage is Stage.COMPLETED
            self._heard.set()
