"""A real flight at the far end of a pseudo-terminal, and a ground that commands it."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

from flight.keys import Half, derive_from_seed, save_halves
from flight.link_config import LinkConfig
from flight.telemetry.command_table import NoOp
from flight.wire.counter_reserve import CounterReserve
from flight.wire.secure_link import Opened, SecureLink
from flight.wire.space_packet import Apid, encode
from flight.wire.telecommand import FINAL_STAGES, Telecommand, decode_report, encode_telecommand
from flight.wire.transfer_frame import VirtualChannel
from hal.sample import TermFlag
from hil.bench_link.layout import Mode
from hil.bench_link.port_serial import PtyPort
from hil.stream_link import StreamLink

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flight.telemetry.dictionary import Command
    from flight.wire.telecommand import VerificationReport

CREDIT = 64
SHOW_S = 0.05
PATIENCE_S = 60.0
LOCK = int(TermFlag.BEACON | TermFlag.COARSE | TermFlag.FINE | TermFlag.SYNC)
CONFIG = """
[board]
hal = "link:{device}"
link_mode = "free-run"
[frames]
source = "folder"
path = "frames"
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


class NodeOnLine:
    """With a contact that has begun, or without any.

    Attributes:
        answers: last words that came by light, by command.
        told: records that came beside it.
    """

    def __init__(self, folder: Path, *, contact: bool) -> None:
        port = PtyPort()
        self.link = StreamLink(port, Mode.FREE_RUN, tx_fifo_frames=CREDIT, period_s=1.0)
        self.link.open()
        self.told: list[bytes] = []
        self.link.bench.on_told = self.told.append
        self.answers: dict[int, VerificationReport] = {}
        self._tick = self._count = 0
        self._next_id = time.time_ns()
        keys = derive_from_seed(4)
        self._secure = SecureLink(
            scid=LinkConfig().spacecraft_id,
            sends=keys.sends(Half.GROUND),
            receives=[keys.receives(Half.GROUND)],
            counters=CounterReserve(lambda: 0, lambda _: None),
            frame_bytes_max=LinkConfig().sealed_bytes,
        )
        save_halves(keys, folder / "keys")
        (folder / "frames").mkdir()
        start, end = time.time() - 1.0, time.time() + 3_600.0
        text = CONFIG.format(device=port.path)
        text += CONTACT.format(start=start, end=end) if contact else ""
        (folder / "lumenode.toml").write_text(text)
        command = [sys.executable, "-m", "flight", "fly", "--config", folder / "lumenode.toml"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def until(self, condition: Callable[[], bool]) -> None:
        """Shows sensors with lock, hears the node."""
        begun = time.monotonic()
        while not condition():
            assert time.monotonic() < begun + PATIENCE_S, "it never came"
            self._tick += 1
            self.link.bench.write_sensors(term_flags=LOCK)
            self.link.bench.show(self._tick, time.monotonic_ns(), time.time_ns())
            self.link.wait(lambda: self._hear() or condition(), SHOW_S)

    def send(self, command: Command | None = None) -> int:
        """One command on its way; its identity."""
        self._next_id, self._count = max(self._next_id + 1, time.time_ns()), self._count + 1
        data = encode_telecommand(Telecommand(self._next_id, command or NoOp()))
        packet = encode(
            Apid.TELECOMMAND, self._count, data, time_ns=time.monotonic_ns(), telecommand=True
        )
        frame = self._secure.seal(VirtualChannel.UPLINK, [packet]).frame
        assert self.link.bench.push_rx(frame)
        self.link.flush()
        return self._next_id

    def end(self) -> int:
        """Ends the node in order; its exit code."""
        self.process.terminate()
        try:
            return self.process.wait(PATIENCE_S)
        finally:
            self.process.kill()
            self.link.close()

    def _hear(self) -> bool:
        for frame in self.link.bench.drain_tx(CREDIT):
            opened = self._secure.open(frame)
            assert isinstance(opened, Opened), opened
            for packet in opened.packets:
                if packet.apid == Apid.VERIFICATION:
                    report = decode_report(packet.data)
                    if report.stage in FINAL_STAGES:
                        self.answers[report.command_id] = report
        return False
