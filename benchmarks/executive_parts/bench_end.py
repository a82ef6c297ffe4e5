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

from flight.keys import Half, derive_from_seed, save_halves
from flight.link_config import LinkConfig
from flight.telemetry.command_table import NoOp
from flight.wire.counter_reserve import CounterReserve
from flight.wire.secure_link import Opened, SecureLink
from flight.wire.space_packet import Apid, encode
from flight.wire.telecommand import FINAL_STAGES, Telecommand, decode_report, encode_telecommand
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
PEER = 7
LOCKED = int(TermFlag.BEACON | TermFlag.COARSE | TermFlag.FINE | TermFlag.SYNC)
START_LIMIT_S = 60.0
CONFIG = """
[board]
hal = "link:{device}"
link_mode = "free-run"
link_fifo_frames = {fifo}
data = "{data}"
tick_hz = {tick_hz}
[frames]
source = "folder"
path = "frames"
[[contacts]]
contact_id = 1
peer_id = {peer}
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
    """A node in contact and who commands it.

    Args:
        folder: for configuration, keys and the node's log; `data` for its store.

    Attributes:
        answers: by command, when the octets of its last word came.
        answered_twice: last words about commands that had had one.
    """

    def __init__(self, folder, data, tick_hz=10):
        self.loop = asyncio.SelectorEventLoop(selectors.EpollSelector())
        self._port = PtyPort()
        hello = Hello(
            abi_version=lib.HAL_ABI_VERSION, schema_crc32c=SCHEMA_CRC32C, role=Role.BENCH,
            mode=Mode.FREE_RUN, payload_bytes_max=PAYLOAD_BYTES_MAX,
            frame_bytes_max=FRAME_BYTES_MAX, frames_credit=FIFO_FRAMES, period_us=1_000_000,
            boot_count=0, peer_session=0,
        )  # fmt: skip
        draw = lambda: int.from_bytes(os.urandom(4)) or 1
        self.session = Session(hello, draw, time.monotonic_ns())
        self.bench = StreamBench(self.session, FIFO_FRAMES)
        self._watch = Stopwatch()
        self._line = Line(self.loop, self._port, self.session, self._take, self._watch)
        keys = derive_from_seed(4)
        self._link = SecureLink(
            scid=LinkConfig().spacecraft_id,
            sends=keys.sends(Half.GROUND),
            receives=[keys.receives(Half.GROUND)],
            frame_bytes_max=LinkConfig().sealed_bytes,
            counters=CounterReserve(lambda: 0, lambda _: None),
        )
        self._next_id, self._count, self._tick = time.time_ns(), 0, 0
        self.answers, self.answered_twice, self.refused = {}, 0, 0
        self.frames_down = 0
        self._heard = None
        self._node = self._start(folder, data, keys, tick_hz)
        self._showing = self.loop.create_task(self._show())

    def _start(self, folder, data, keys, tick_hz):
        save_halves(keys, folder / "keys")
        (folder / "frames").mkdir()
        now_s = time.time()
        text = CONFIG.format(
            device=self._port.path, fifo=FIFO_FRAMES, data=data, tick_hz=tick_hz, peer=PEER,
            start=now_s - 1.0, end=now_s + 86_400.0,
        )  # fmt: skip
        (folder / "lumenode.toml").write_text(text)
        command = [sys.executable, "-m", "flight", "fly", "--config", folder / "lumenode.toml"]
        self._log = (folder / "log.txt").open("w")
        return subprocess.Popen(command, stdout=self._log, stderr=subprocess.STDOUT)

    @property
    def pid(self):
        """The node's process."""
        return self._node.pid

    async def _show(self):
        """Sensors and credit; the terminal points where it is told and has lock there."""
        while True:
            self._tick += 1
            self.bench.write_sensors(term_flags=LOCKED)
            now_ns = time.monotonic_ns()
            self.bench.show(self._tick, now_ns, time.time_ns())
            self._line.flush()
            await asyncio.sleep(SHOW_S)

    def _take(self, message):
        self.bench.take(message)
        for frame in self.bench.drain_tx(FIFO_FRAMES):
            self.frames_down += 1
            opened = self._link.open(frame)
            if not isinstance(opened, Opened):
                self.refused += 1
                continue
            for packet in opened.packets:
                if packet.apid == Apid.VERIFICATION:
                    self._book(decode_report(packet.data))

    def _book(self, report):
        if report.stage not in FINAL_STAGES:
            return
        self.answered_twice += report.command_id in self.answers
        self.answers.setdefault(report.command_id, (self._watch.came_ns, report))
        if self._heard is not None:
            self._heard.set()

    def send(self):
        """One more command on its way; returns its identity and when its octets went."""
        self._next_id = max(self._next_id + 1, time.time_ns())
        self._count += 1
        data = encode_telecommand(Telecommand(self._next_id, NoOp()))
        packet = encode(
            Apid.TELECOMMAND, self._count, data, time_ns=time.monotonic_ns(), telecommand=True
        )
        frame = self._link.seal(VirtualChannel.UPLINK, [packet]).frame
        assert self.bench.push_rx(frame), "no credit"
        gone_ns = time.monotonic_ns()
        self._line.flush()
        return self._next_id, gone_ns

    async def answer(self, command_id, seconds=10.0):
        """When the octets of the last word about it came; TimeoutError when none did."""
        self._heard = asyncio.Event()
        async with asyncio.timeout(seconds):
            while command_id not in self.answers:
                self._heard.clear()
                await self._heard.wait()
        return self.answers[command_id][0]

    async def in_contact(self):
        """Until the node answers by light."""
        async with asyncio.timeout(START_LIMIT_S):
            while not self.frames_down:
                assert self._node.poll() is None, "the node ended"
                await asyncio.sleep(0.05)

    def close(self):
        """Ends the node in order."""
        self._showing.cancel()
        self._node.terminate()
        self.loop.run_until_complete(asyncio.sleep(0.5))
        self._node.wait(30)
        self._log.close()
        self._line.close()
        self.loop.close()
