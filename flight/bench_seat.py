"""A node on a bench: its devices are at the far end of a line, and so may be its time.

Where a board has a clock, sensors and a payload of its own, a node on a bench has what the bench
shows. In lock-step its loop follows the granted time and its payload's answers are held to the
modelled time; in free-run only the date comes from the bench. Flight itself does not know: it is
composed as on any board.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import selectors
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from flight.base.clock import LoopClock, UtcQuality, correlate
from flight.base.granted_loop import GrantedLoop
from flight.base.supervisor import ChildSpec
from flight.config import ConfigError
from flight.inference.held_engine import REAL_TIMEOUT_NS, HeldEngine, modelled_cost
from flight.inference.worker_process import WorkerEngine
from flight.telemetry.umbilical_service import Umbilical, UmbilicalService
from hal.link_devices import LinkPhase
from hal.sample import SensorBit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flight.app import Node
    from flight.base.clock import UtcCorrelation
    from flight.board_config import FlyConfig
    from flight.board_tick import BoardTick
    from flight.composition.surroundings import Surroundings
    from flight.inference.job import InferenceEngine
    from flight.inference.model_manifest import ModelBytes
    from flight.telemetry.event_log import Event
    from flight.thermal.board_profile import BoardProfile
    from hal.link_devices import LinkDevices, LinkState

LOOK_NS = 250_000_000
"""How often a node without a bench looks whether one has come."""


class BenchSeat:
    """Everything in which a node on a bench differs from one on a board of its own.

    Args:
        power_cut: what to do when the bench cuts the power; it does not return.
    """

    def __init__(
        self,
        config: FlyConfig,
        profile: BoardProfile,
        devices: LinkDevices,
        power_cut: Callable[[], NoReturn] | None = None,
    ) -> None:
        self.lock_step = config.board.link_mode == "lock-step"
        self.devices = devices
        self._config = config
        self._profile = profile
        self._power_cut = power_cut or start_anew
        self._granted: GrantedLoop | None = None
        self._engine: InferenceEngine | None = None
        self._node: Node | None = None
        self._tick: BoardTick | None = None
        self._umbilical = Umbilical(devices.tell)

    def make_loop(self) -> asyncio.AbstractEventLoop:
        """The loop that the node will live on."""
        if self.lock_step:
            self._granted = GrantedLoop(self)
            return self._granted
        loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
        loop.add_reader(self.devices.wake_fd(), self._look)
        return loop

    async def ready(self, stop: asyncio.Future[str]) -> None:
        """Until the bench has shown the first sensors, or `stop` has a cause.

        Raises:
            ConfigError: the bench there does not run with this node.
        """
        sys.stderr.write(f"lumenode fly: waiting for a bench at {self._config.board.hal[5:]}\n")
        if self._granted is not None:
            begun = asyncio.ensure_future(self._granted.begun())
            stop.add_done_callback(lambda _: begun.cancel())
            with contextlib.suppress(asyncio.CancelledError):
                await begun
            return
        clock = LoopClock(asyncio.get_running_loop())
        while not stop.done():
            self._refuse(state := self.devices.state())
            if state.sensors_seen and self.devices.snapshot().is_valid(SensorBit.UTC):
                return
            await clock.sleep_until(clock.now_ns() + LOOK_NS)

    def correlation(self, now_ns: int) -> UtcCorrelation:
        """The mission's date, as the bench shows it."""
        utc_ns = self.devices.snapshot().utc_ns
        return correlate(utc_ns=utc_ns, now_ns=now_ns, quality=UtcQuality.SYNCHRONISED)

    def engine(self, models: Sequence[ModelBytes], clock: LoopClock) -> InferenceEngine:
        """The worker; in lock-step its answers are held to the modelled time."""
        board, bands = self._config.board, self._config.camera.bands
        if self._granted is None:
            self._engine = WorkerEngine(
                models, clock, provider=board.provider, bands=bands, threads=board.threads
            )
            return self._engine
        worker = WorkerEngine(
            models,
            clock,
            timeout_ns=REAL_TIMEOUT_NS,
            start_timeout_ns=REAL_TIMEOUT_NS,
            provider=board.provider,
            bands=bands,
            threads=board.threads,
        )
        tiles = self._config.camera.tiles_per_frame
        cost = modelled_cost(self._profile, tiles, self._level)
        self._engine = HeldEngine(worker, clock, self._granted.hold, cost)
        return self._engine

    def dressed(self, around: Surroundings) -> Surroundings:
        """The surroundings with the umbilical in them.

        In lock-step the machine is not measured: its numbers would travel in the telemetry, and no
        two runs would be the same.
        """
        journal = around.listener

        def listen(event: Event) -> None:
            if journal is not None:
                journal(event)
            self._umbilical(event)

        def companions(node: Node) -> Sequence[ChildSpec]:
            self._node = node
            service = lambda: UmbilicalService(self._umbilical, around.clock, node.channels)
            return [*around.companions(node), ChildSpec(name="umbilical", factory=service)]

        self._tick = around.tick
        measure = None if self.lock_step else around.measure_host
        return replace(around, listener=listen, companions=companions, measure_host=measure)

    def let_go(self, _stop: object = None) -> None:
        """The node ends: it needs no more grants for that."""
        if self._granted is not None:
            self._granted.let_go()

    # What grants time to the loop.

    def fileno(self) -> int:
        """See `Grants`."""
        return self.devices.wake_fd()

    def take(self) -> tuple[int, int] | None:
        """See `Grants`; until the first grant a bench that refuses is an error of the user's.

        A grant that ends in the past means that another mission begins: so does the node. (One that
        ends now is granted once more, because a line was unplugged.)
        """
        state = self._look()
        assert self._granted is not None
        if not self._granted.grants_taken:
            self._refuse(state)
        grant = self.devices.take_grant()
        if grant is not None and grant[1] < self._granted.time_ns():
            self._start_anew()
        return grant

    def heed(self) -> None:
        """See `Grants`: only an end of the power counts at once."""
        self._look()

    def done(self) -> None:
        """See `Grants`."""
        self.devices.done()

    def _look(self) -> LinkState:
        state = self.devices.state()
        if state.phase is LinkPhase.RESET:
            self._start_anew()
        return state

    def _start_anew(self) -> NoReturn:
        if self._engine is not None:
            self._engine.close()
        if self._tick is not None:
            self._tick.close()
        self._power_cut()

    def _refuse(self, state: LinkState) -> None:
        if state.phase is LinkPhase.REFUSED:
            raise ConfigError(
                f"board.hal = {self._config.board.hal!r}: the bench there has another "
                f"{state.refusal}"
            )

    def _level(self) -> int:
        status = None if self._node is None else self._node.status.get()
        return 0 if status is None else status.level


def start_anew() -> NoReturn:
    """The power is gone, and comes back: the process begins again as it was started."""
    os.execv(sys.executable, sys.orig_argv)  # noqa: S606  our own command line, no shell
