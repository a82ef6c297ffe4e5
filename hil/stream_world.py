"""The world of a node at the far end of a line: it computes by itself, and the bench is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from flight.config import load_profile
from hil.folder_camera import FolderCamera
from hil.plant.compute_board import BusyBoard
from hil.world import NS_PER_S, World, board_levels

if TYPE_CHECKING:
    from pathlib import Path

    from hil.scenario import Scenario
    from hil.stream_bench import StreamBench


class StreamWorld(World):
    """A world whose node lives elsewhere.

    Attributes:
        camera: drops tiles into a folder the node watches; None where the node has its own.
    """

    def __init__(
        self, scenario: Scenario, run_dir: Path, bench: StreamBench, frames: Path | None
    ) -> None:
        levels = board_levels(load_profile(scenario.node.inference.profile))
        board = BusyBoard(levels, lambda: bench.payload_busy_permille)
        super().__init__(scenario, run_dir, bench, board)
        self.camera: FolderCamera | None = None
        if frames is not None:
            period_ns = round(scenario.node.camera.cadence_s * NS_PER_S)
            self.camera = FolderCamera(
                frames, self.scene, self.daylight, self.scene_order, period_ns
            )

    def node_reset(self, now_ns: int, up_ns: int) -> None:
        """The node is without power until `up_ns`: its terminal is dark and stowed, its camera off.

        That forgets what it has shown.
        """
        self.link.node_reset(now_ns)
        if self.camera is not None:
            self.camera.restart(up_ns)

    def inference_statistics(self, *, modelled: bool) -> dict[str, float | bool | None]:
        """Of the last frame of each second in which one was computed, as the node told."""
        jobs = self.recorder.column("inference.jobs_total")
        last_ms = self.recorder.column("inference.last_ms")
        computed = last_ms[1:][np.diff(jobs) > 0]
        if not computed.size:
            return {"ms_mean": None, "ms_p95": None, "ms_max": None, "j_mean": None}
        return {
            "ms_mean": float(computed.mean()),
            "ms_p95": float(np.percentile(computed, 95)),
            "ms_max": float(computed.max()),
            "j_mean": None,
            "modelled": modelled,
        }
