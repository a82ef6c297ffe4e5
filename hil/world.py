"""The world around a node, made from one scenario: everything that is not the node.

Plant, contacts, link, ground and recorder, on one virtual loop, around whichever end of a node the
target gives it. It outlives the node: a reset ends the node, never the world.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import msgspec
import numpy as np

from flight.base.clock import LoopClock
from flight.config import OrbitConfig as NodeOrbit
from flight.config import load_profile
from flight.inference.model_registry import crew_of
from flight.keys import derive_from_seed
from flight.wire.channel_coding import ChannelCoder
from hal.sample import HalConfig
from hil.contact_book import ContactBook
from hil.ground.archive import Archive
from hil.ground.ground_segment import GroundSegment
from hil.ground.repair_receiver import RepairReceiver
from hil.imagery import default_tiles_path, load_tiles, synthetic_tiles
from hil.link_bench import LinkBench, TerminalEnd
from hil.plant.array_battery import ArrayConfig
from hil.plant.battery import BatteryConfig
from hil.plant.compute_board import BoardLevel
from hil.plant.element_set import ElementSet
from hil.plant.orbit import Orbit, OrbitConfig
from hil.plant.spacecraft import Spacecraft, SpacecraftConfig
from hil.plant.thermal import ThermalNode
from hil.plant_bench import TRUTH, PlantBench, PlantEnd
from hil.product_ledger import ProductLedger
from hil.run_recorder import RunRecorder
from hil.simloop import SimLoop

if TYPE_CHECKING:
    from pathlib import Path

    from flight.config import NodeConfig
    from flight.inference.job import Tile
    from flight.thermal.board_profile import BoardProfile
    from hil.plant.orbit import Elements
    from hil.plant_bench import PayloadLoad
    from hil.radio_bench import RadioBench
    from hil.scenario import Scenario

NS_PER_S = 1_000_000_000
DAYLIGHT_COSINE = 0.05
"""The ground is worth imaging from 3 degrees of Sun elevation on."""
SYNTHETIC_TILES, SYNTHETIC_PX = 24, 128
FIFO_S = 0.04
"""The terminal's FIFO in line time: four turns of the 10 ms contact loop."""
FIFO_FRAMES_MIN, FIFO_FRAMES_MAX = 4, 4096


class NodeEnd(PlantEnd, TerminalEnd, Protocol):
    """The bench's end of a node, as the world needs it."""


class World:
    """Made once a run; its parts are read by target, summary and report.

    Args:
        bench: the other end of the node.
        board: what the compute board draws.
    """

    def __init__(
        self, scenario: Scenario, run_dir: Path, bench: NodeEnd, board: PayloadLoad
    ) -> None:
        self.radio: RadioBench | None = None
        contacts, link, order = np.random.SeedSequence(scenario.seed).spawn(3)
        self.loop = SimLoop()  # type: ignore[abstract]  # what needs a selector raises by design
        self.clock = LoopClock(self.loop)
        self.orbit = Orbit(elements(scenario))
        self.book = ContactBook(scenario, self.orbit, contacts)
        self.recorder = RunRecorder(TRUTH, scenario.epoch_utc_s)
        self.ledger = ProductLedger()
        self.profile = load_profile(scenario.node.inference.profile)
        self.crew = crew_of(scenario.node.inference)
        self.models = self.crew[0]
        self.keys = derive_from_seed(scenario.seed)
        self.craft = Spacecraft(spacecraft_config(scenario), self.orbit)
        self.plant = PlantBench(
            bench,
            self.craft,
            board,
            scenario.timeline,
            round(scenario.epoch_utc_s * NS_PER_S),
        )
        self.archive = Archive(run_dir / "products", sync=False)
        self._make_ground(scenario, bench, link)
        self.scene = load_scene(scenario)
        self.scene_digest = scene_digest(self.scene)
        self.scene_order = np.random.Generator(np.random.PCG64(order))

    def close(self) -> None:
        """Gives the loop back."""
        self.loop.close()

    def daylight(self, t_ns: int) -> bool:
        """Whether the ground below is bright enough for the imager."""
        return self.craft.light(t_ns / NS_PER_S).day_cosine > DAYLIGHT_COSINE

    def _make_ground(
        self, scenario: Scenario, bench: NodeEnd, seeds: np.random.SeedSequence
    ) -> None:
        link, links = scenario.node.link, scenario.node.links
        self.ground = GroundSegment(
            keys=self.keys,
            scid=link.spacecraft_id,
            frame_bytes_max=link.sealed_bytes,
            archive=self.archive,
            coder=ChannelCoder() if link.coding == "rs" else None,
            repair=RepairReceiver() if link.repair > 0.0 else None,
            radio_frame_bytes=links.radio_frame_bytes if links.radio else None,
        )
        self.link = LinkBench(
            bench=bench,
            book=self.book,
            ground=self.ground,
            recorder=self.recorder,
            call_at_ns=self.loop.call_at_ns,
            seeds=seeds,
            report_period_s=scenario.ground.report_period_s,
            report_loss=scenario.ground.report_loss,
            bit_error_rate=scenario.ground.bit_error_rate,
        )


def elements(scenario: Scenario) -> Elements:
    """The orbit of a scenario: an element set, or a sun-synchronous one of its own."""
    section, epoch_utc_ns = scenario.spacecraft, round(scenario.epoch_utc_s * NS_PER_S)
    if section.tle:
        return ElementSet(epoch_utc_ns, *section.tle)
    return OrbitConfig(
        epoch_utc_ns,
        altitude_km=section.altitude_km,
        ltan_h=section.ltan_h,
        mean_anomaly_deg=section.mean_anomaly_deg,
    )


def hal_config(scenario: Scenario) -> HalConfig:
    """A transmit FIFO of a few turns of the contact loop: an alarm never waits behind more."""
    ground, frame_bytes = scenario.ground, scenario.node.link.frame_bytes
    line_bytes = max(ground.rate_bps, ground.relay_rate_bps) / 8.0 * FIFO_S
    frames = min(max(math.ceil(line_bytes / frame_bytes), FIFO_FRAMES_MIN), FIFO_FRAMES_MAX)
    return HalConfig(tx_fifo_frames=frames)


def node_config(scenario: Scenario, world: World) -> NodeConfig:
    """The node's configuration with the orbit and the contact plan of its world."""
    satrec = world.orbit.satrec
    orbit = NodeOrbit(
        epoch_utc_s=world.orbit.elements_utc_s,
        inclination_deg=math.degrees(satrec.inclo),
        raan_deg=math.degrees(satrec.nodeo) % 360.0,
        eccentricity=satrec.ecco,
        argp_deg=math.degrees(satrec.argpo) % 360.0,
        mean_anomaly_deg=math.degrees(satrec.mo) % 360.0,
        mean_motion_rev_day=satrec.no_kozai * 1440.0 / (2.0 * math.pi),
        bstar=satrec.bstar,
    )
    contacts = tuple(
        each.as_config(scenario.epoch_utc_s) for each in (*world.book.contacts, *world.book.radio)
    )
    sun = (w for c in world.book.contacts for w in c.sun_as_config(scenario.epoch_utc_s))
    return msgspec.structs.replace(
        scenario.node,
        orbit=scenario.node.orbit or orbit,
        contacts=scenario.node.contacts or contacts,
        keep_outs=(*scenario.node.keep_outs, *sun),
    )


def load_scene(scenario: Scenario) -> list[Tile]:
    """The tiles the camera sees; ImageryError when they are missing or corrupt."""
    if scenario.imagery.source == "synthetic":
        return synthetic_tiles(scenario.seed, SYNTHETIC_TILES, SYNTHETIC_PX)
    return load_tiles(default_tiles_path())


def scene_digest(tiles: list[Tile]) -> str:
    """SHA-256 over the digests of all tiles, in order: which pixels a run has seen."""
    return hashlib.sha256(b"".join(tile.sha256 for tile in tiles)).hexdigest()


def board_levels(profile: BoardProfile) -> list[BoardLevel]:
    """The plant's compute board, from the profile the node flies with."""
    levels = [BoardLevel("off", 0.0, 0.0)]
    levels += [
        BoardLevel(each.name, profile.idle_w(number), profile.active_w(number))
        for number, each in enumerate(profile.levels, 1)
    ]
    return levels


def spacecraft_config(scenario: Scenario) -> SpacecraftConfig:
    """The plant's default node with what the scenario says otherwise."""
    section, default = scenario.spacecraft, SpacecraftConfig()
    nodes = list(default.nodes)
    radiator = int(ThermalNode.RADIATOR)
    nodes[radiator] = replace(nodes[radiator], area_m2=section.radiator_area_m2)
    return SpacecraftConfig(
        array=ArrayConfig(area_m2=section.array_area_m2),
        battery=BatteryConfig(series=section.battery_series, parallel=section.battery_parallel),
        bus_w=section.base_load_w,
        laser_w=section.laser_w,
        nodes=tuple(nodes),
        initial_soc=section.soc_initial,
    )
