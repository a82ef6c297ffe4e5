"""The world of target `sim`: devices in this process, payload and camera on the bench."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from flight.config import load_profile
from hal.native_devices import NativeDevices
from hal.sample import HalConfig
from hal.sim_bench import SimBench
from hil.board_engine import ExecutionCounts, RememberingSession
from hil.plant.compute_board import BoardModel
from hil.radio_bench import RadioBench
from hil.scene_camera import SceneCamera
from hil.world import NS_PER_S, World, board_levels, hal_config

if TYPE_CHECKING:
    from pathlib import Path

    from flight.thermal.board_profile import BoardProfile
    from hil.scenario import Scenario


RADIO_FIFO_FRAMES = 16
RADIO_SEEDS = 1_000
"""Of the streams of chance the radio's, beyond those that a world draws without one."""


class SimWorld(World):
    """A world whose node lives in this process."""

    def __init__(self, scenario: Scenario, run_dir: Path) -> None:
        self.devices = NativeDevices("sim", hal_config(scenario))
        self.bench = SimBench(self.devices)
        self.board = board_model(load_profile(scenario.node.inference.profile))
        super().__init__(scenario, run_dir, self.bench, self.board)
        self.radio_devices: NativeDevices | None = None
        self.radio_end: SimBench | None = None
        if scenario.node.links.radio:
            self._make_radio(scenario)
        self.executions = ExecutionCounts()
        self.memory: dict[bytes, RememberingSession] = {}
        self._losses = tuple(each for each in scenario.timeline if each.action == "engine_lost")
        self.camera = SceneCamera(
            self.scene,
            self.clock,
            scenario.node.camera.cadence_s,
            self.daylight,
            self.scene_order,
            lambda t_ns: scenario.camera_pace(t_ns / NS_PER_S),
        )

    def engine_is_lost(self, t_ns: int) -> bool:
        """Whether the payload's engine gives no answer."""
        return any(each.holds(t_ns / NS_PER_S) for each in self._losses)

    def _make_radio(self, scenario: Scenario) -> None:
        """A modem of its own is a device of its own, of which only the frames are used."""
        self.radio_devices = NativeDevices(
            "sim",
            HalConfig(
                tx_fifo_frames=RADIO_FIFO_FRAMES,
                rx_fifo_frames=RADIO_FIFO_FRAMES,
                max_frame_bytes=scenario.node.links.radio_frame_bytes,
            ),
        )
        self.radio_end = SimBench(self.radio_devices)
        self.radio = RadioBench(
            modem=self.radio_end,
            contacts=self.book.radio,
            ground=self.ground,
            recorder=self.recorder,
            call_at_ns=self.loop.call_at_ns,
            seeds=np.random.SeedSequence(entropy=scenario.seed, spawn_key=(RADIO_SEEDS,)),
            loss=scenario.ground.radio_loss,
        )

    def close(self) -> None:
        """Gives loop and devices back."""
        super().close()
        self.devices.close()
        if self.radio_devices is not None:
            self.radio_devices.close()


def board_model(profile: BoardProfile) -> BoardModel:
    """The plant's compute board, charged job by job."""
    return BoardModel(board_levels(profile))
