"""Target `sim`: the whole node and the whole world in one process, in virtual time.

Composes the node with the flight software's own root on the world of `sim_world` and steps both on
one `SimLoop`. A reset cuts the node's power: its tasks end at that instant, what was not committed
is gone, and a new node opens the same store.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

import msgspec

from flight.app import Node
from flight.composition import Surroundings
from flight.config import OrbitConfig
from flight.downlink.file_store import FolderStore
from flight.downlink.product_store_sqlite import ProductStore
from flight.inference.session_ort import OrtSession
from flight.telemetry.dictionary import COMMAND_BY_NAME, PARAMETER_BY_NAME, Severity
from hal.sample import ResetCause
from hil.board_engine import BoardEngine
from hil.sim_world import SimWorld
from hil.world import NS_PER_S

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from pathlib import Path

    from flight.config import NodeConfig
    from flight.telemetry.dictionary import Command
    from flight.telemetry.event_log import Event
    from hil.scenario import Scenario, TimelineEntry

BEFORE, AFTER = -1, 1
"""Order at one instant: plant and link, then the node, then the recorder."""
BOOT_NS = 12 * NS_PER_S
"""From power on to the first cycle of the flight software."""
POWER_CUT_OFFSET_NS = 500_000
"""A power cut falls between cycles: half a millisecond after the second the scenario names."""


class SimTarget:
    """One run of a scenario; `advance` moves it on, the rest is read at the end."""

    def __init__(self, scenario: Scenario, run_dir: Path) -> None:
        self.scenario = scenario
        self.world = SimWorld(scenario, run_dir)
        self._run_dir = run_dir
        self._loop = self.world.loop
        self.node: Node | None = None
        self._task: asyncio.Task[None] | None = None
        self._cut: ResetCause | None = None
        self._starting: asyncio.TimerHandle | None = None
        self._row: list[float] = []
        self.resets: list[tuple[float, str]] = []

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
    def now_s(self) -> float:
        """Mission time."""
        return self._loop.time_ns() / NS_PER_S

    def start(self) -> None:
        """Puts everything on the loop at mission time zero."""
        self._every(self.world.plant.step, BEFORE)
        self._every(self._sample, AFTER)
        self._loop.call_at_ns(0, self._step_link, priority=BEFORE)
        for entry in self.scenario.timeline:
            at_ns = round(entry.at_s * NS_PER_S)
            if entry.action == "reset":
                at_ns += POWER_CUT_OFFSET_NS
            self._loop.call_at_ns(at_ns, self._happen, entry, priority=BEFORE)
        self._power_on()

    def advance(self, t_s: float) -> None:
        """Runs to mission time `t_s`; what fails inside is raised here."""
        end_ns = round(t_s * NS_PER_S)
        while self._loop.time_ns() < end_ns:
            self._loop.run_until_ns(end_ns)
            if self._cut is not None:
                self._reset_node(self._cut)

    def finish(self) -> None:
        """Ends the node and gives everything back."""
        self._end_node()
        self.world.close()

    def value(self, channel: str) -> float:
        """Latest value of a flight channel; NaN while the node is down."""
        return math.nan if self.node is None else self.node.channels.get(channel)

    def _every(self, call: Callable[[int], None], priority: int) -> None:
        """Calls once a second of mission time, from zero on."""

        def tick(t_ns: int) -> None:
            call(t_ns)
            self._loop.call_at_ns(t_ns + NS_PER_S, tick, t_ns + NS_PER_S, priority=priority)

        self._loop.call_at_ns(0, tick, 0, priority=priority)

    def _step_link(self) -> None:
        next_ns = self.world.link.step(self._loop.time_ns())
        self._loop.call_at_ns(next_ns, self._step_link, priority=BEFORE)

    def _sample(self, now_ns: int) -> None:
        """The node's channels; NaN while it is down."""
        if self.node is not None:
            self._row = self.node.channels.values
        else:
            self._row = [math.nan] * len(self._row)
        if self._row:
            self.world.recorder.sample(now_ns, self._row, self.world.plant.truth)

    def _happen(self, entry: TimelineEntry) -> None:
        now_ns = self._loop.time_ns()
        text = entry.text or f"{entry.action} for {entry.for_s:g} s"
        self.world.recorder.bench_event(
            now_ns, "bench", entry.action.upper(), Severity.NOTICE, f"timeline: {text}"
        )
        if entry.action == "reset":
            self._ask_reset(ResetCause.INJECTED)
        elif entry.action == "command":
            arguments = COMMAND_BY_NAME[entry.command].arguments
            command = cast("Command", msgspec.convert(entry.arguments, arguments))
            self.world.ground.command(command, now_ns)

    def _ask_reset(self, cause: ResetCause) -> None:
        """The loop cannot end its own tasks: it stops here and `advance` cuts the power."""
        self._cut = cause
        self._loop.stop()

    def _reset_node(self, cause: ResetCause) -> None:
        now_ns = self._loop.time_ns()
        self._cut = None
        self._end_node()
        self.world.link.node_reset(now_ns)
        self.world.board.release(now_ns)
        self.world.bench.reset(int(cause))
        self.resets.append((now_ns / NS_PER_S, cause.name.lower()))
        up_ns = now_ns - now_ns % NS_PER_S + BOOT_NS
        if self._starting is not None:
            self._starting.cancel()  # the power went again before the node was up
        self._starting = self._loop.call_at_ns(up_ns, self._power_on)

    def _end_node(self) -> None:
        """Everything of the node ends at this instant, as a power cut would have it."""
        self._task = None
        node, self.node = self.node, None
        if node is not None:
            node.events.mute()
            self._loop.cancel_all()
            node.close()

    def _power_on(self) -> None:
        self._starting = None
        self.node = self._compose()
        self._task = self._loop.create_task(self.node.serve())
        self._task.add_done_callback(self._on_end)

    def _on_end(self, task: asyncio.Task[None]) -> None:
        """The node's software gave up by itself: its watchdog starts it again, and all see it."""
        if task.cancelled() or task is not self._task:
            return
        error = task.exception()
        self.world.recorder.bench_event(
            self._loop.time_ns(),
            "bench",
            "NODE_STOPPED",
            Severity.ALARM,
            f"the node's software ended: {error}",
        )
        self._ask_reset(ResetCause.WATCHDOG)

    def _compose(self) -> Node:
        scenario, world = self.scenario, self.world
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
            models=[world.models],
            make_session=OrtSession,
            clock=world.clock,
            profile=world.profile,
            board=world.board,
            bench=world.bench,
            tiles_per_frame=scenario.node.camera.tiles_per_frame,
            counts=world.executions,
            memory=world.memory,
        )
        return Node(
            Surroundings(
                clock=world.clock,
                utc_s=scenario.epoch_utc_s + self.now_s,
                devices=world.devices,
                engine=engine,
                frames=world.camera,
                store=store,
                keys=world.keys,
                config=self._node_config(),
                profile=world.profile,
                threshold=world.models.manifest.threshold,
                listener=self._on_event,
                laser_w=scenario.spacecraft.laser_w,
            )
        )

    def _node_config(self) -> NodeConfig:
        """The node's configuration with the orbit and the contact plan of this world."""
        scenario, satrec = self.scenario, self.world.orbit.satrec
        orbit = OrbitConfig(
            epoch_utc_s=scenario.epoch_utc_s,
            inclination_deg=math.degrees(satrec.inclo),
            raan_deg=math.degrees(satrec.nodeo) % 360.0,
            eccentricity=satrec.ecco,
            argp_deg=math.degrees(satrec.argpo) % 360.0,
            mean_anomaly_deg=math.degrees(satrec.mo) % 360.0,
            mean_motion_rev_day=satrec.no_kozai * 1440.0 / (2.0 * math.pi),
        )
        contacts = tuple(c.as_config(scenario.epoch_utc_s) for c in self.world.book.contacts)
        return msgspec.structs.replace(
            scenario.node,
            orbit=scenario.node.orbit or orbit,
            contacts=scenario.node.contacts or contacts,
        )

    def _on_event(self, event: Event) -> None:
        self.world.recorder.flight_event(event.t_ns, event.event_id, event.args)
        self.world.ledger.on_event(event)
