"""Target `sim`: the whole node and the whole world in one process, in virtual time.

The composition root of the bench. It makes the plant, the link and the ground, composes the node
with the flight software's own root, and steps all of it on one `SimLoop`. A reset cuts the node's
power: tasks end, what was not committed is gone, the same store is opened again by a new node.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import msgspec
import numpy as np

from flight.app import Node, Surroundings
from flight.base.clock import LoopClock
from flight.config import OrbitConfig as FlightOrbit
from flight.config import load_profile
from flight.downlink.file_store import FolderStore
from flight.downlink.product_store_sqlite import ProductStore
from flight.inference.model_registry import ModelRegistry
from flight.inference.session_ort import OrtSession
from flight.keys import derive_from_seed
from flight.telemetry.dictionary import COMMAND_BY_NAME, PARAMETER_BY_NAME, Severity
from hal.native_devices import NativeDevices
from hal.sample import ResetCause
from hal.sim_bench import SimBench
from hil.board_engine import BoardEngine, ExecutionCounts, RememberingSession
from hil.contact_book import ContactBook
from hil.ground.archive import Archive
from hil.ground.ground_segment import GroundSegment
from hil.imagery import default_tiles_path, load_tiles, synthetic_tiles
from hil.link_bench import LinkBench
from hil.plant.array_battery import ArrayConfig
from hil.plant.compute_board import BoardLevel, BoardModel
from hil.plant.orbit import Orbit, OrbitConfig
from hil.plant.spacecraft import Spacecraft, SpacecraftConfig
from hil.plant_bench import TRUTH, PlantBench
from hil.product_ledger import ProductLedger
from hil.run_recorder import RunRecorder
from hil.scene_camera import SceneCamera
from hil.simloop import SimLoop

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from pathlib import Path

    from flight.config import NodeConfig
    from flight.inference.job import Tile
    from flight.telemetry.dictionary import Command
    from flight.telemetry.event_log import Event
    from hil.scenario import Scenario, TimelineEntry

_NS_PER_S = 1_000_000_000
BEFORE, AFTER = -1, 1
"""Order at one instant: plant and link, then the node, then the recorder."""
DAYLIGHT_COSINE = 0.05
"""The ground is worth imaging from 3 degrees of Sun elevation on."""
BOOT_NS = 12 * _NS_PER_S
"""From power on to the first cycle of the flight software."""
SYNTHETIC_TILES, SYNTHETIC_PX = 24, 128


class SimTarget:
    """One run of a scenario; `advance` moves it on, the rest is read at the end."""

    def __init__(self, scenario: Scenario, run_dir: Path) -> None:
        self.scenario = scenario
        self._run_dir = run_dir
        self.loop = SimLoop()  # type: ignore[abstract]  # what needs a selector raises by design
        self._clock = LoopClock(self.loop)
        streams = np.random.SeedSequence(scenario.seed).spawn(4)
        self.orbit = Orbit(
            OrbitConfig(
                round(scenario.epoch_utc_s * 1e9),
                altitude_km=scenario.spacecraft.altitude_km,
                ltan_h=scenario.spacecraft.ltan_h,
                mean_anomaly_deg=scenario.spacecraft.mean_anomaly_deg,
            )
        )
        self.book = ContactBook(scenario, self.orbit, streams[0])
        self.recorder = RunRecorder(TRUTH, scenario.epoch_utc_s)
        self.profile = load_profile(scenario.node.inference.profile)
        self._devices = NativeDevices("sim")
        self._sim = SimBench(self._devices)
        self._make_world(streams)
        self.node: Node | None = None
        self._task: asyncio.Task[None] | None = None
        self.ledger = ProductLedger()
        self.resets: list[tuple[float, str]] = []
        self._row: list[float] = []

    def _make_world(self, streams: list[np.random.SeedSequence]) -> None:
        scenario = self.scenario
        self.craft = Spacecraft(_spacecraft_config(scenario), self.orbit)
        levels = [BoardLevel("off", 0.0, 0.0)]
        levels += [BoardLevel(x.name, x.idle_w, x.active_w) for x in self.profile.levels]
        self._board = BoardModel(levels)
        self.plant = PlantBench(
            self._sim,
            self.craft,
            self._board,
            scenario.timeline,
            round(scenario.epoch_utc_s * 1e9),
        )
        keys = derive_from_seed(scenario.seed)
        link = scenario.node.link
        self.archive = Archive(self._run_dir / "products", sync=False)
        self.ground = GroundSegment(
            keys=keys,
            scid=link.spacecraft_id,
            frame_bytes_max=link.frame_bytes,
            archive=self.archive,
        )
        self.link = LinkBench(
            bench=self._sim,
            book=self.book,
            ground=self.ground,
            recorder=self.recorder,
            call_at_ns=self.loop.call_at_ns,
            seeds=streams[1],
            report_period_s=scenario.ground.report_period_s,
            report_loss=scenario.ground.report_loss,
        )
        self._keys = keys
        self._models = ModelRegistry().load(
            scenario.node.inference.model, scenario.node.inference.variant
        )
        self.executions = ExecutionCounts()
        self._memory: dict[bytes, RememberingSession] = {}
        self.tiles = self._load_tiles()
        order = np.random.Generator(np.random.PCG64(streams[2]))
        self.camera = SceneCamera(
            self.tiles, self._clock, scenario.node.camera.cadence_s, self._daylight, order
        )

    @property
    def soc_floor(self) -> float:
        """State of charge the node must not go below, as configured."""
        floor = PARAMETER_BY_NAME["power.soc_floor"].default
        return self.scenario.node.parameters.get("power.soc_floor", floor)

    @property
    def credits(self) -> list[str]:
        """Whose data the run shows."""
        if self.scenario.imagery.source == "synthetic":
            return ["Synthetic tiles, made from the seed."]
        return ["Contains modified Copernicus Sentinel data."]

    @property
    def model_hash(self) -> str:
        """SHA-256 of the network in use."""
        return self._models.sha256

    def start(self) -> None:
        """Puts everything on the loop at mission time zero."""
        self._every(self._step_plant, BEFORE)
        self._every(self._sample, AFTER)
        self.loop.call_at_ns(0, self._step_link, priority=BEFORE)
        for entry in self.scenario.timeline:
            at_ns = round(entry.at_s * _NS_PER_S)
            self.loop.call_at_ns(at_ns, self._happen, entry, priority=BEFORE)
        self._power_on(ResetCause.POWER_CUT)

    def advance(self, t_s: float) -> None:
        """Runs to mission time `t_s`; what fails inside is raised here."""
        self.loop.run_until_ns(round(t_s * _NS_PER_S))

    def finish(self) -> None:
        """Ends the node in order and closes the loop."""
        self._stop_node()
        self.loop.run_until_ns(self.loop.time_ns())  # cancelled tasks end at this instant
        self.loop.close()
        self._devices.close()

    def value(self, channel: str) -> float:
        """Latest value of a flight channel; NaN while the node is down."""
        return math.nan if self.node is None else self.node.channels.get(channel)

    def _every(self, call: Callable[[int], None], priority: int) -> None:
        """Calls once a second of mission time, from zero on."""

        def tick(t_ns: int) -> None:
            call(t_ns)
            self.loop.call_at_ns(t_ns + _NS_PER_S, tick, t_ns + _NS_PER_S, priority=priority)

        self.loop.call_at_ns(0, tick, 0, priority=priority)

    def _step_plant(self, now_ns: int) -> None:
        self.plant.step(now_ns)

    def _step_link(self) -> None:
        now_ns = self.loop.time_ns()
        self.loop.call_at_ns(self.link.step(now_ns), self._step_link, priority=BEFORE)

    def _sample(self, now_ns: int) -> None:
        if self.node is not None:
            self._row = self.node.channels.values
        elif not self._row:
            return
        else:
            self._row = [math.nan] * len(self._row)
        self.recorder.sample(now_ns, self._row, self.plant.truth)

    def _happen(self, entry: TimelineEntry) -> None:
        now_ns = self.loop.time_ns()
        text = entry.text or f"{entry.action} for {entry.for_s:g} s"
        self.recorder.bench_event(
            now_ns, "bench", entry.action.upper(), Severity.NOTICE, f"timeline: {text}"
        )
        if entry.action == "reset":
            self._cut_power(now_ns)
        elif entry.action == "command":
            arguments = COMMAND_BY_NAME[entry.command].arguments
            command = cast("Command", msgspec.convert(entry.arguments, arguments))
            self.ground.command(command, now_ns)

    def _cut_power(self, now_ns: int) -> None:
        self._stop_node()
        self.link.node_reset(now_ns)
        self._board.release(now_ns)
        self.resets.append((now_ns / _NS_PER_S, ResetCause.INJECTED.name.lower()))
        self.loop.call_at_ns(now_ns + BOOT_NS, self._power_on, ResetCause.INJECTED)
        self._sim.reset(int(ResetCause.INJECTED))

    def _stop_node(self) -> None:
        if self._task is not None and not self._task.done():
            self._task.cancel()
        if self.node is not None:
            self.node.close()
        self.node, self._task = None, None

    def _power_on(self, cause: ResetCause) -> None:
        if cause is ResetCause.POWER_CUT:
            self._sim.reset(int(cause))
        self.node = self._compose()
        self._task = self.loop.create_task(self.node.serve())

    def _compose(self) -> Node:
        scenario = self.scenario
        folder = self._run_dir / "flight"
        folder.mkdir(parents=True, exist_ok=True)
        store = ProductStore(
            FolderStore(folder / "segments", device_sync=False),
            folder / "index.sqlite",
            segment_bytes=scenario.node.store.segment_bytes,
            capacity_bytes=4 * scenario.node.store.cap_bytes,
            device_sync=False,
        )
        engine = BoardEngine(
            models=[self._models],
            make_session=OrtSession,
            clock=self._clock,
            profile=self.profile,
            board=self._board,
            bench=self._sim,
            tiles_per_frame=scenario.node.camera.tiles_per_frame,
            counts=self.executions,
            memory=self._memory,
        )
        return Node(
            Surroundings(
                clock=self._clock,
                utc_s=scenario.epoch_utc_s + self.loop.time_ns() / _NS_PER_S,
                devices=self._devices,
                engine=engine,
                frames=self.camera,
                store=store,
                keys=self._keys,
                config=self._node_config(),
                profile=self.profile,
                threshold=self._models.manifest.threshold,
                listener=self._on_event,
                laser_w=scenario.spacecraft.laser_w,
            )
        )

    def _node_config(self) -> NodeConfig:
        scenario = self.scenario
        satrec = self.orbit.satrec
        orbit = FlightOrbit(
            epoch_utc_s=scenario.epoch_utc_s,
            inclination_deg=math.degrees(satrec.inclo),
            raan_deg=math.degrees(satrec.nodeo) % 360.0,
            eccentricity=satrec.ecco,
            argp_deg=math.degrees(satrec.argpo) % 360.0,
            mean_anomaly_deg=math.degrees(satrec.mo) % 360.0,
            mean_motion_rev_day=satrec.no_kozai * 1440.0 / (2.0 * math.pi),
        )
        contacts = tuple(c.as_config(scenario.epoch_utc_s) for c in self.book.contacts)
        return msgspec.structs.replace(
            scenario.node,
            orbit=scenario.node.orbit or orbit,
            contacts=scenario.node.contacts or contacts,
        )

    def _on_event(self, event: Event) -> None:
        self.recorder.flight_event(event.t_ns, event.event_id, event.args)
        self.ledger.on_event(event)

    def _daylight(self, t_ns: int) -> bool:
        return self.craft.light(t_ns / _NS_PER_S).day_cosine > DAYLIGHT_COSINE

    def _load_tiles(self) -> list[Tile]:
        if self.scenario.imagery.source == "synthetic":
            return synthetic_tiles(self.scenario.seed, SYNTHETIC_TILES, SYNTHETIC_PX)
        return load_tiles(default_tiles_path())


def _spacecraft_config(scenario: Scenario) -> SpacecraftConfig:
    section = scenario.spacecraft
    default = SpacecraftConfig()
    radiator = default.nodes[2]
    nodes = list(default.nodes)
    nodes[2] = replace(radiator, area_m2=section.radiator_area_m2)
    return SpacecraftConfig(
        array=ArrayConfig(area_m2=section.array_area_m2),
        bus_w=section.base_load_w,
        laser_w=section.laser_w,
        nodes=tuple(nodes),
        initial_soc=section.soc_initial,
    )
