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
from flight.base.clock import LoopClock, host_correlation
from flight.board_config import check_profile
from flight.board_devices import open_devices
from flight.board_tick import enter_flight, open_board_tick
from flight.composition.surroundings import Surroundings
from flight.config import ConfigError, load_profile
from flight.data_folder import INDEX, SEGMENTS, STORE_SPARE, claim_folder
from flight.downlink.durable_counters import counter_reserve
from flight.downlink.file_store import FolderStore
from flight.downlink.product_store_sqlite import ProductStore
from flight.downlink.store_values import StoreError
from flight.downlink.writer_thread import WriterThread
from flight.event_journal import EventJournal
from flight.host_measures import HostMeasures
from flight.inference.frame_source import FolderSource, NumberedSource, ReplaySource
from flight.inference.model_registry import DamagedModelError, ModelRegistry
from flight.inference.unavailable_engine import UnavailableEngine
from flight.inference.worker_process import WorkerEngine
from flight.keys import Half, load_half

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.base.clock import UtcCorrelation
    from flight.bench_seat import BenchSeat
    from flight.board_config import FlyConfig
    from flight.board_tick import BoardTick
    from flight.inference.frame_source import FrameSource
    from flight.inference.job import InferenceEngine
    from flight.inference.model_manifest import ModelBytes
    from flight.thermal.board_profile import BoardProfile
    from hal.native_devices import NativeDevices
    from hal.sample import HalErrorKind

_NS_PER_S = 1_000_000_000
NO_MODEL_THRESHOLD = 1.0
"""Without a model no pixel is judged; a probability never gets above it."""
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
        with contextlib.ExitStack() as opened:
            self._compose(config, loop, seat, opened)
            self._opened = opened.pop_all()

    def _compose(
        self,
        config: FlyConfig,
        loop: asyncio.AbstractEventLoop,
        seat: BenchSeat | None,
        opened: contextlib.ExitStack,
    ) -> None:
        keys = load_half(Path(config.board.keys) / Half.NODE.file_name, Half.NODE)
        profile = load_profile(config.inference.profile)
        check_profile(config, profile)
        model = _model(config)
        self.clock = LoopClock(loop)
        utc = host_correlation() if seat is None else seat.correlation(self.clock.now_ns())
        frames = frame_source(config, self.clock, opened, self._tell_camera)
        data = Path(config.board.data)
        opened.callback(os.close, claim_folder(data))
        devices = self._open_devices(config, profile, loop, seat, opened)
        self.measures = HostMeasures()
        opened.callback(self.measures.close)
        writer = None if seat is not None and seat.lock_step else WriterThread(self.clock.now_ns)
        store = _store(config, data, writer)
        opened.callback(store.close)
        tile_ids = cache(partial(counter_reserve, store, "tile.id"))  # once it has recovered
        engine = _engine(config, model, self.clock, seat)
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
            threshold=NO_MODEL_THRESHOLD if isinstance(model, str) else model.manifest.threshold,
            measure_host=_measuring(self.measures, config, devices),
            listener=self.journal,
            tick=self.tick,
        )
        around = around if seat is None else seat.dressed(around)
        self.node = Node(_connected(around, config, utc))
        tile_ids()
        _settle_first(store, writer, loop, self.node.settle)

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
        if seat is None or not seat.lock_step:
            self.tick = open_board_tick(config.board, devices, loop, opened)
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
        serving = asyncio.ensure_future(self.node.serve())
        serving.add_done_callback(lambda _: settle(stop, "service lost"))
        cause = await stop
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
        try:
            self.node.stop(cause)
        except StoreError as error:
            lost = lost or f"the last commit failed: {error}"
        if lost:
            raise FlightLostError(lost)
        return cause

    def close(self) -> None:
        """Gives everything back, in the reverse order."""
        self._opened.close()


def frame_source(
    config: FlyConfig,
    clock: LoopClock,
    opened: contextlib.ExitStack,
    tell_camera: Callable[[HalErrorKind | None], None],
) -> FrameSource:
    """The configured source of frames; ImageryError or ConfigError when it is not there.

    A camera is closed with `opened`, and `tell_camera` is told of its losses.
    """
    path = Path(config.frames.path)
    if config.frames.source == "replay":
        return ReplaySource.from_cache(path, clock, round(config.camera.cadence_s * _NS_PER_S))
    if config.frames.source == "camera":
        # Only then: nobody else has a use for it.
        from flight.board_camera import camera_source  # noqa: PLC0415

        return camera_source(config, clock, opened, tell_camera)
    if not path.is_dir():
        raise ConfigError(f"frames.path = {str(path)!r}: no such folder")
    return FolderSource(path, clock, round(config.frames.poll_s * _NS_PER_S))


def settle(stop: asyncio.Future[str], cause: str) -> None:
    """Gives `stop` its cause; the first one counts."""
    if not stop.done():
        stop.set_result(cause)


def _model(config: FlyConfig) -> ModelBytes | str:
    """The configured model, or in one line why it cannot be used; ModelError when it is unknown.

    A wrong name is the operator's to put right before anything moves. Damage is found in orbit,
    where a node that does not start could never be repaired.
    """
    try:
        return ModelRegistry().load(config.inference.model, config.inference.variant)
    except DamagedModelError as error:
        return str(error)


def _engine(
    config: FlyConfig, model: ModelBytes | str, clock: LoopClock, seat: BenchSeat | None
) -> InferenceEngine:
    if isinstance(model, str):
        return UnavailableEngine(model)
    if seat is not None:
        return seat.engine([model], clock)
    return WorkerEngine([model], clock, provider=config.board.provider)


def _store(config: FlyConfig, data: Path, writer: WriterThread | None) -> ProductStore:
    return ProductStore(
        FolderStore(data / SEGMENTS),
        data / INDEX,
        segment_bytes=config.store.segment_bytes,
        capacity_bytes=STORE_SPARE * config.store.cap_bytes,
        reserve_bytes=config.store.segment_bytes,
        writer=writer,
    )


def _settle_first(
    store: ProductStore,
    writer: WriterThread | None,
    loop: asyncio.AbstractEventLoop,
    action: Callable[[], None],
) -> None:
    """Waits for the numbers that the start asked for; from then on the loop is only told."""
    store.settle()

    def wake() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(action)

    if writer is not None:
        writer.on_outcome = wake


def _measuring(
    host: HostMeasures, config: FlyConfig, devices: NativeDevices
) -> Callable[[list[float]], None]:
    """What fills the channels measured on the machine."""
    if not config.terminal.device:
        return host
    # Only then: most nodes have no serial line.
    from flight.terminal_line_measures import TerminalLineMeasures  # noqa: PLC0415

    line = TerminalLineMeasures(devices.terminal_line)

    def measure(values: list[float]) -> None:
        host(values)
        line(values)

    return measure


def _connected(around: Surroundings, config: FlyConfig, utc: UtcCorrelation) -> Surroundings:
    """The surroundings with the bridge to a broker, if there shall be one."""
    if not config.mqtt.enabled:
        return around
    # Only then: client library and transports are a good part of the process.
    from flight.composition.bridge import bridged  # noqa: PLC0415

    return bridged(around, config, utc)
