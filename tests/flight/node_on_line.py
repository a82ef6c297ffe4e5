"""A real flight at the far end of a pseudo-terminal, and a ground that commands it."""

from __future__ import annotations

import signal
import time
from math import nan
from typing import TYPE_CHECKING

from flight_process import FlightProcess

from flight.keys import Half, derive_from_seed, save_halves
from flight.link_config import LinkConfig
from flight.telemetry.command_table import NoOp
from flight.telemetry.dictionary import CHANNEL_INDEX, GROUPS
from flight.wire.counter_reserve import CounterReserve
from flight.wire.secure_link import Opened, SecureLink
from flight.wire.space_packet import Apid, decode_all, encode
from flight.wire.telecommand import FINAL_STAGES, Telecommand, decode_report, encode_telecommand
from flight.wire.telemetry import decode_housekeeping
from flight.wire.transfer_frame import VirtualChannel
from hal.sample import TermFlag
from hil.bench_link.layout import Mode
from hil.bench_link.port_serial import PtyPort
from hil.stream_link import StreamLink

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flight.telemetry.dictionary import Command
    from flight.wire.space_packet import SpacePacket
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
    """With a contact that has begun, or without any; `extra` is more of the configuration.

    Attributes:
        answers: last words that came by light, by command.
        told: records that came beside it, of the present flight.
        flight: the present one.
    """

    def __init__(self, folder: Path, *, contact: bool, extra: str = "") -> None:
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
        text += extra + (CONTACT.format(start=start, end=end) if contact else "")
        (folder / "lumenode.toml").write_text(text)
        self._config = folder / "lumenode.toml"
        self.flight = FlightProcess(self._config)

    def fly_again(self, **env: str) -> None:
        """The next flight on the same folder and line, when the last one has ended."""
        self.flight.ended()
        self.told.clear()
        self.flight = FlightProcess(self._config, env)

    def until(self, condition: Callable[[], bool]) -> None:
        """Shows sensors with lock, hears the node."""
        begun = time.monotonic()
        while not condition():
            assert time.monotonic() < begun + PATIENCE_S, "it never came"
            self._tick += 1
            self.link.bench.write_sensors(term_flags=LOCK)
            self.link.bench.show(self._tick, time.monotonic_ns(), time.time_ns())
            self.link.wait(lambda: self._hear() or condition(), SHOW_S)

    def until_passed(self, seconds: float) -> None:
        """Goes on with the line for so long."""
        over = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= over)

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

    def newest(self, channel: str) -> float:
        """Its value in the newest row that the node told beside the light; NaN before the first."""
        group = next(name for name, of in GROUPS.items() if CHANNEL_INDEX[channel] in of)
        place = GROUPS[group].index(CHANNEL_INDEX[channel])
        for packet in reversed(self.packets(Apid.HOUSEKEEPING)):
            row = decode_housekeeping(packet.data)
            if row.group == group:
                return row.values[place]
        return nan

    def packets(self, apid: Apid) -> list[SpacePacket]:
        """Of one kind, of those that came beside the light."""
        found = (packet for record in self.told for packet in decode_all(record))
        return [packet for packet in found if packet.apid == apid]

    def end(self, number: int = signal.SIGTERM) -> int:
        """Ends the flight and the line; the flight's exit code."""
        try:
            return self.flight.end(number)
        finally:
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
