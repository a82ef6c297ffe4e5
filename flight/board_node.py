"""A node on a board: opens what the machine has, hands it to the composition root, flies it.

In real time on a selector loop. Whatever cannot be opened is one line before anything moves; from
then on only a signal, the end of the time given or a lost critical service ends the flight, and
each of them ends it in the same order: told, recorded, committed, actuators safe.

The store's writer has a thread beside the loop: a commit takes two syncs (milliseconds on flash,
tens on a worn SD card), and on the loop each would be a late cycle. Where a bench grants the time,
the store writes on the spot, so that a flight is the same twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from flight.app import Node
from flight.board_boot import BoardBoot
from flight.board_config import check_profile
from flight.board_devices import open_devices
from flight.board_parts import (
    connected,
    frame_arrivals,
    frame_source,
    kept_models,
    make_engine,
    make_store,
    measuring,
    service_manager,
    settle_first,
    usable_crew,
    watched,
)
from flight.board_tick import enter_flight, open_board_tick
from flight.composition.surroundings import Surroundings
from flight.config import ConfigError, load_profile
from flight.data_folder import claim_folder
from flight.downlink.durable_counters import counter_reserve
from flight.downlink.store_values import StoreError
from flight.downlink.writer_thread import WriterThread
from flight.event_journal import EventJournal
from flight.host_measures import HostMeasures
from flight.inference.frame_source import NumberedSource
from flight.inference.tile_cache import ImageryError
from flight.keys import Half, load_half
from flight.start_up import RESET_COMMANDED, ended_as

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.bench_seat import BenchSeat
    from flight.board_arrivals import FrameArrivals
    from flight.board_config import FlyConfig
    from flight.board_tick import BoardTick
    from flight.boot_record import Ended
    from flight.thermal.board_profile import BoardProfile
    from hal.native_devices import NativeDevices
    from hal.sample import HalErrorKind

_NS_PER_S = 1_000_000_000
SERVICE_LOST = "service lost"
STOP_TIMEOUT_S = 1.0
"""Services that have not ended by then are left where they are: the commit must not wait for one
that hangs."""


class FlightLostError(RuntimeError):
    """The node could not go on; its text is one line for the user."""


class BoardNode:
    """Everything a flight on this machine has open; made on the loop it will run on.

    Raises (from the constructor, with everything closed again):
        ConfigError, KeyFileError, ImageryError, ModelError, StoreError, HalError, OSError.
    """

    def __init__(
        self,
        config: FlyConfig,
        loop: asyncio.AbstractEventLoop,
        seat: BenchSeat | None = None,
    ) -> None:
        self._refused: Callable[[], None] = lambda: None
        with contextlib.ExitStack() as opened:
            try:
                self._compose(config, loop, seat, opened)
            except (ConfigError, ImageryError):
                self._refused()
                raise
            self._opened = opened.pop_all()

    def _compose(
        self,
        config: FlyConfig,
        loop: asyncio.AbstractEventLoop,
        seat: BenchSeat | None,
        opened: contextlib.ExitStack,
    ) -> None:
        keys = load_half(Path(config.board.keys) / Half.NODE.file_name, Half.NODE)
        check_profile(config, profile := load_profile(config.inference.profile))
        usable = usable_crew(config.inference)
        boot = self._begin(Path(config.board.data), loop, seat, opened)
        self.clock, utc = boot.clock, boot.utc
        frames = frame_source(config, self.clock, opened, self._tell_camera)
        devices = self._open_devices(config, profile, loop, seat, opened)
        self.measures = HostMeasures()
        opened.callback(self.measures.close)
        writer = None if seat is not None and seat.lock_step else WriterThread(self.clock.now_ns)
        store = make_store(config, Path(config.board.data), writer, opened)
        tile_ids = cache(partial(counter_reserve, store, "tile.id"))  # once it has recovered
        models = kept_models(config, *usable)
        engine = make_engine(config, models, self.clock, seat)
        opened.callback(engine.close)
        self.journal = EventJournal(utc, priorities="JOURNAL_STREAM" in os.environ)
        around = Surroundings(
            clock=self.clock,
            utc_s=utc.utc_ns(self.clock.now_ns()) / _NS_PER_S,
            devices=devices,
            engine=engine,
            frames=NumberedSource(frames, lambda: tile_ids().take()),
            store=store,
            keys=keys,
            config=config,
            profile=profile,
            measure_host=measuring(self.measures, config, devices),
            listener=self.journal,
            tick=self.tick,
            arrivals=self._arrivals,
            boot=boot.start,
            utc_locked=boot.utc_trusted,
            models=models,
        )
        around = around if seat is None else seat.dressed(around)
        self.node = Node(watched(connected(around, config, utc), self._manager))
        tile_ids()
        settle_first(store, writer, loop, self.node.settle)

    def _begin(
        self,
        data: Path,
        loop: asyncio.AbstractEventLoop,
        seat: BenchSeat | None,
        opened: contextlib.ExitStack,
    ) -> BoardBoot:
        """This start is on record before anything of the node is opened."""
        self._manager = service_manager(opened)
        opened.callback(os.close, claim_folder(data))
        boot = BoardBoot(data, loop, seat, lambda: settle(self._stop, RESET_COMMANDED))
        opened.callback(boot.close)
        self._refused = boot.refused
        return boot

    def _open_devices(
        self,
        config: FlyConfig,
        profile: BoardProfile,
        loop: asyncio.AbstractEventLoop,
        seat: BenchSeat | None,
        opened: contextlib.ExitStack,
    ) -> NativeDevices:
        """With the tick that drives them; where time is granted there is none."""
        if seat is None:
            line = config.terminal.line()
            devices = open_devices(config.board, profile, line, linux=config.linux)
        else:
            devices = seat.devices
        opened.callback(devices.close)
        self.tick: BoardTick | None = None
        self._arrivals: FrameArrivals | None = None
        if seat is None or not seat.lock_step:
            self.tick = open_board_tick(config.board, devices, loop, opened, self.clock.offset_ns)
            self._arrivals = frame_arrivals(devices, loop, self.clock, opened)
        self._enter_flight = partial(enter_flight, config.board, devices)
        return devices

    def _tell_camera(self, failure: HalErrorKind | None) -> None:
        """A camera is asked by a service of the node: by then the node is there."""
        emit, now_ns = self.node.events.emit, self.clock.now_ns()
        if failure is None:
            emit("HAL_RECOVERED", now_ns, device="camera")
        else:
            emit("HAL_FAILED", now_ns, device="camera", kind=failure.name)

    async def fly(self, stop: asyncio.Future[str]) -> str:
        """Serves until `stop` has a cause, then ends in order; returns the cause.

        Raises:
            FlightLostError: the node could not go on; the end was in order as far as it could be.
        """
        if self.tick is not None:
            self.tick.refused.extend(f"loop: {wish}" for wish in self._enter_flight().refused)
        self._stop = stop
        serving = asyncio.ensure_future(self.node.serve())
        serving.add_done_callback(lambda _: settle(stop, SERVICE_LOST))
        cause = await stop
        if self._manager is not None:
            self._manager.stopping(cause)
        serving.cancel()
        lost = ""
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                # Shielded: waiting for a task that does not end would never be given up.
                await asyncio.shield(serving)
        except (asyncio.CancelledError, TimeoutError):
            pass
        except Exception as error:  # noqa: BLE001  whatever it was, the hardware is made safe
            lost = f"{type(error).__name__}: {error}"
        self._record_end(ended_as(cause, lost=cause == SERVICE_LOST))
        if cause == SERVICE_LOST:
            self.node.events.emit("FATAL_ERROR", self.clock.now_ns(), error=lost or cause)
        try:
            self.node.stop(cause)
        except StoreError as error:
            lost = lost or f"the last commit failed: {error}"
        if lost:
            raise FlightLostError(lost)
        return cause

    def _record_end(self, ended: Ended) -> None:
        """First of all at an end: whatever hangs after it, the next start knows whose wish it was.

        A record that cannot be written makes the next start an unplanned one, and stops nothing.
        """
        with contextlib.suppress(OSError):
            if self.node.boot is not None:
                self.node.boot.end(ended, self.clock.now_ns())

    def close(self) -> None:
        """Gives everything back, in the reverse order."""
        self._opened.close()


def settle(stop: asyncio.Future[str], cause: str) -> None:
    """Gives `stop` its cause; the first one counts."""
    if not stop.done():
        stop.set_result(cause)
