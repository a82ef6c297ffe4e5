"""Target `sim`: the whole node and the whole world in one process, in virtual time.

Composes the node with the flight software's own root on the world of `sim_world` and steps both on
one `SimLoop`. A reset cuts the node's power: its tasks end at that instant, what was not committed
is gone, and a new node opens the same store.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from flight.app import Node
from flight.boot_record import Ended
from flight.composition.downlink import queue_config
from flight.composition.surroundings import Models, Surroundings
from flight.downlink.file_store import FolderStore
from flight.downlink.product_store_sqlite import ProductStore
from flight.inference.guarded_ort import flown_session, trial_fault
from flight.inference.model_store import FOLDER, ModelStore
from flight.model_keys import public_of, signing_key
from flight.telemetry.dictionary import Severity
from hal.sample import ResetCause
from hil.board_engine import BoardEngine
from hil.sim_boot import SimBoot
from hil.sim_world import SimWorld
from hil.target import Target
from hil.timeline import BEFORE, every, schedule
from hil.world import NS_PER_S, node_config

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from pathlib import Path

    from flight.boot_keeper import BootStart
    from flight.executive import GovernorLike
    from flight.inference.job import Tile
    from flight.telemetry.event_log import Event
    from flight.thermal.board_profile import BoardProfile
    from hil.radio_bench import RadioBench
    from hil.scenario import Scenario

AFTER = 1
"""Order at one instant: plant and link, then the node, then the recorder."""
BOOT_NS = 12 * NS_PER_S
"""From power on to the first cycle of the flight software."""


class SimTarget(Target):
    """A node composed in this process."""

    name = "sim"

    def __init__(
        self, scenario: Scenario, run_dir: Path,
        governor: Callable[[BoardProfile], GovernorLike] | None = None,
    ) -> None:  # fmt: skip
        """`governor` makes what sets the payload's level in place of the node's own."""
        self._governor = governor
        self.world: SimWorld = SimWorld(scenario, run_dir)
        super().__init__(scenario, self.world)
        self._run_dir = run_dir
        self._loop = self.world.loop
        self.node: Node | None = None
        self._task: asyncio.Task[None] | None = None
        self._cut: ResetCause | None = None
        self._starting: asyncio.TimerHandle | None = None
        self._row: list[float] = []
        self._closed = False
        self.boot = SimBoot(self._commanded_reset)

    def start(self) -> None:
        """Puts everything on the loop at mission time zero."""
        every(self._loop, NS_PER_S, self.world.plant.step, BEFORE)
        every(self._loop, NS_PER_S, self._sample, AFTER)
        self._loop.call_at_ns(0, self._step_link, priority=BEFORE)
        if self.world.radio is not None:
            self._loop.call_at_ns(0, self._step_radio, self.world.radio, priority=BEFORE)
        schedule(self.scenario, self.world, lambda: self._ask_reset(ResetCause.INJECTED))
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
        self.close()

    def close(self) -> None:
        """Gives everything back; a node that is still there is not asked."""
        if not self._closed:
            self._closed = True
            if self.node is not None:
                self.node.close()
            self.world.close()

    def value(self, channel: str) -> float:
        """Latest value of a flight channel; NaN while the node is down."""
        return math.nan if self.node is None else self.node.channels.get(channel)

    def pause(self, seconds: float) -> None:
        """Sleeps: nothing of the run goes on by itself."""
        time.sleep(seconds)

    @property
    def frames_seen(self) -> int:
        """Frames the camera took."""
        return self.world.camera.frames

    @property
    def executions(self) -> dict[str, int | None]:
        """How often the network really ran, and how often its answer was remembered."""
        counts = self.world.executions
        return {"executed": counts.executed, "memoised": counts.memoised}

    def inference_statistics(self) -> dict[str, float | bool | None]:
        """Of the modelled board."""
        return self.world.executions.statistics()

    def shown(self, tile_id: int) -> Tile | None:
        """The tile a frame showed."""
        return self.world.camera.shown(tile_id)

    def _step_link(self) -> None:
        next_ns = self.world.link.step(self._loop.time_ns())
        self._loop.call_at_ns(next_ns, self._step_link, priority=BEFORE)

    def _step_radio(self, radio: RadioBench) -> None:
        next_ns = radio.step(self._loop.time_ns())
        self._loop.call_at_ns(next_ns, self._step_radio, radio, priority=BEFORE)

    def _sample(self, now_ns: int) -> None:
        """The node's channels; NaN while it is down."""
        if self.node is not None:
            self._row = self.node.channels.values
        else:
            self._row = [math.nan] * len(self._row)
        if self._row:
            self.world.recorder.sample(now_ns, self._row, self.world.plant.truth)

    def _ask_reset(self, cause: ResetCause) -> None:
        """The loop cannot end its own tasks: it stops here and `advance` cuts the power."""
        self._cut = cause
        self._loop.stop()

    def _commanded_reset(self) -> None:
        """The node ends as it was told to, and says so on its record."""
        assert self.node is not None, "only a node asks"
        assert self.node.boot is not None, "and only one with a record"
        self.node.boot.end(Ended.COMMANDED, self._loop.time_ns())
        self._ask_reset(ResetCause.COMMANDED)

    def _reset_node(self, cause: ResetCause) -> None:
        now_ns = self._loop.time_ns()
        self._cut = None
        self._end_node()
        self.world.link.node_reset(now_ns)
        if self.world.radio is not None and self.world.radio_end is not None:
            self.world.radio.node_reset()
            self.world.radio_end.reset(int(cause))
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
        scenario, world, folder = self.scenario, self.world, self._run_dir / "flight"
        folder.mkdir(parents=True, exist_ok=True)
        engine = BoardEngine(
            models=world.crew,
            make_session=flown_session,
            clock=world.clock,
            profile=world.profile,
            board=world.board,
            bench=world.bench,
            tiles_per_frame=scenario.node.camera.tiles_per_frame,
            counts=world.executions,
            memory=world.memory,
            trial_fault=trial_fault,
            is_lost=world.engine_is_lost,
        )
        return Node(
            Surroundings(
                clock=world.clock,
                utc_s=self._utc_s(),
                devices=world.devices,
                radio=world.radio_devices,
                engine=engine,
                frames=world.camera,
                store=self._store(folder),
                keys=world.keys,
                config=node_config(scenario, world),
                profile=world.profile,
                listener=self._on_event,
                laser_w=scenario.spacecraft.laser_w,
                governor=self._governor and self._governor(world.profile),
                boot=self._boot_start(),
                models=Models(
                    crew=world.crew,
                    store=ModelStore(folder / FOLDER, world.models),
                    key=public_of(signing_key(scenario.seed)),
                ),
            )
        )

    def _store(self, folder: Path) -> ProductStore:
        node = self.scenario.node
        return ProductStore(
            FolderStore(folder / "segments", device_sync=False),
            folder / "index.sqlite",
            segment_bytes=node.store.segment_bytes,
            capacity_bytes=4 * node.store.cap_bytes,
            ageing_ns=queue_config(node).order.net_ageing_ns,
            device_sync=False,
        )

    def _boot_start(self) -> BootStart:
        return self.boot.start(
            now_ns=self._loop.time_ns(),
            utc_s=self._utc_s(),
            power_ups=len(self.resets),
        )

    def _utc_s(self) -> float:
        """What the node's clock says as it starts."""
        step_s = self.world.plant.utc_step_s(self._loop.time_ns())
        return self.scenario.epoch_utc_s + self.now_s + step_s

    def _on_event(self, event: Event) -> None:
        self.world.recorder.flight_event(event.t_ns, event.event_id, event.args)
        self.world.ledger.on_event(event)
