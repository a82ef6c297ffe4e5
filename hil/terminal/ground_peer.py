"""A whole ground behind an emulated terminal: a board's contacts end in an archive.

Composes the ground of the bench with the keys and the counter of a real node, so it is a seam: it
may import what only an operator's commands import else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.board_config import load_fly_config
from flight.keys import Half, load_half
from flight.operator_cli import GroundCounter
from flight.wire.channel_coding import ChannelCoder
from hil.ground.archive import Archive
from hil.ground.ground_segment import GroundSegment
from hil.ground.repair_receiver import RepairReceiver

if TYPE_CHECKING:
    from pathlib import Path

REPORT_PERIOD_NS = 500_000_000
"""As often as in the shipped scenarios."""


class GroundPeer:
    """A `FarSide` that archives products and reports what came.

    Args:
        keys: folder with link-ground.json, and the counter of its uplink key.
        config: of the node, for its frames.
        archive: folder for products; made when it is not there.

    Raises:
        ConfigError, KeyFileError, OSError.
    """

    def __init__(self, keys: Path, config: Path, archive: Path) -> None:
        link = load_fly_config(config).link
        half = load_half(keys / Half.GROUND.file_name, Half.GROUND)
        self._counter = GroundCounter(keys)
        self.ground = GroundSegment(
            keys=half,
            scid=link.spacecraft_id,
            frame_bytes_max=link.sealed_bytes,
            coder=ChannelCoder() if link.coding == "rs" else None,
            repair=RepairReceiver() if link.repair > 0.0 else None,
            archive=Archive(archive, sync=False),
            counters=self._counter.reserve,
        )
        self.frames = 0
        self._next_report_ns = 0

    def on_frame(self, frame: bytes, now_ns: int) -> None:
        """See `FarSide`."""
        self.frames += 1
        self.ground.on_frame(frame, now_ns)

    def uplink(self, now_ns: int) -> list[bytes]:
        """See `FarSide`."""
        report = now_ns >= self._next_report_ns
        if report:
            self._next_report_ns = now_ns + REPORT_PERIOD_NS
        return self.ground.uplink(now_ns, report=report)

    def close(self) -> None:
        """Lets another process use the counter."""
        self._counter.close()
