"""What a board makes of its configuration: frames, model, engine, store, measures, a bridge.

Only `flight.board_node` calls these; each is one part of the surroundings that it gives the node.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from flight.base.supervisor import ChildSpec
from flight.board_boot import watchdog_interval_ns
from flight.composition.downlink import queue_config
from flight.composition.surroundings import Models
from flight.config import ConfigError
from flight.data_folder import INDEX, SEGMENTS, STORE_SPARE
from flight.downlink.file_store import FolderStore
from flight.downlink.product_store_sqlite import ProductStore
from flight.inference.frame_source import FolderSource, ReplaySource
from flight.inference.model_registry import DamagedModelError, crew_of, read_again
from flight.inference.worker_process import WorkerEngine
from flight.keys import MODEL_KEY_FILE, load_public

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from flight.app import Node
    from flight.base.clock import Clock, LoopClock, UtcCorrelation
    from flight.bench_seat import BenchSeat
    from flight.board_arrivals import FrameArrivals
    from flight.board_config import FlyConfig
    from flight.composition.surroundings import Surroundings
    from flight.config import InferenceConfig
    from flight.downlink.writer_thread import WriterThread
    from flight.host_measures import HostMeasures
    from flight.inference.frame_source import FrameSource
    from flight.inference.job import InferenceEngine
    from flight.inference.model_manifest import ModelBytes
    from flight.notify_service import ServiceManager, WatchdogService
    from hal.native_devices import NativeDevices
    from hal.sample import HalErrorKind

_NS_PER_S = 1_000_000_000


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
    return FolderSource(
        path, clock, round(config.frames.poll_s * _NS_PER_S), bands=config.camera.bands
    )


def usable_crew(inference: InferenceConfig) -> tuple[tuple[ModelBytes, ...], str]:
    """The configured networks, or none and in one line why; ModelError when one is unknown.

    A wrong name is the operator's to put right before anything moves. Damage is found in orbit,
    where a node that does not start could never be repaired.
    """
    try:
        return crew_of(inference), ""
    except DamagedModelError as error:
        return (), str(error)


def kept_models(config: FlyConfig, crew: tuple[ModelBytes, ...], fault: str) -> Models:
    """With where models from the ground are kept and the key they are signed with, if any are.

    Without a crew, whatever is kept and whole stands in.
    """
    keys = Path(config.board.keys)
    if not (keys / MODEL_KEY_FILE).exists() or not config.inference.upload:
        return Models(crew=crew, fault=fault)
    # Only then: a node that takes none needs nothing of it.
    from flight.inference.model_store import FOLDER, ModelStore  # noqa: PLC0415

    store = ModelStore(Path(config.board.data) / FOLDER, crew[0] if crew else None)
    survivor = None if crew else store.survivor()
    crew = crew if survivor is None else (survivor,)
    return Models(crew=crew, store=store, key=load_public(keys / MODEL_KEY_FILE), fault=fault)


def make_engine(
    config: FlyConfig, models: Models, clock: LoopClock, seat: BenchSeat | None
) -> InferenceEngine:
    """The worker beside the flight process, or what a bench makes of it."""
    if not models.crew:
        # Only then: it stands for an engine that there is not.
        from flight.composition.inference import UnavailableEngine  # noqa: PLC0415

        return UnavailableEngine(models.fault)
    if seat is not None:
        return seat.engine(models.crew, clock)
    kept = models.store
    return WorkerEngine(
        models.crew,
        clock,
        provider=config.board.provider,
        threads=config.board.threads,
        bands=config.camera.bands,
        other_copy=partial(read_again, config.inference) if kept is None else kept.other_copy,
    )


def frame_arrivals(
    devices: NativeDevices,
    loop: asyncio.AbstractEventLoop,
    clock: LoopClock,
    opened: contextlib.ExitStack,
) -> FrameArrivals | None:
    """Those of the terminal of `devices`, given back by `opened`; None where one has to ask it."""
    fd = devices.receive_fd()
    if fd is None:
        return None
    # Only then: others go by the grid of the contact loop alone.
    from flight.board_arrivals import FrameArrivals  # noqa: PLC0415

    arrivals = FrameArrivals(loop, clock, fd)
    opened.callback(arrivals.close)
    return arrivals


def make_store(
    config: FlyConfig, data: Path, writer: WriterThread | None, opened: contextlib.ExitStack
) -> ProductStore:
    """The product store in the data folder; it writes on the spot when there is no writer."""
    store = ProductStore(
        FolderStore(data / SEGMENTS),
        data / INDEX,
        segment_bytes=config.store.segment_bytes,
        capacity_bytes=STORE_SPARE * config.store.cap_bytes,
        reserve_bytes=config.store.segment_bytes,
        ageing_ns=queue_config(config).order.net_ageing_ns,
        writer=writer,
    )
    opened.callback(store.close)
    return store


def settle_first(
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


def measuring(
    host: HostMeasures, config: FlyConfig, devices: NativeDevices
) -> Callable[[list[float]], None]:
    """What fills the channels measured on the machine."""
    if not config.terminal.device:
        return host
    # Only then: other boards have no such line.
    from flight.terminal_line_measures import TerminalLineMeasures  # noqa: PLC0415

    line = TerminalLineMeasures(devices.terminal_line)

    def measure(values: list[float]) -> None:
        host(values)
        line(values)

    return measure


def connected(around: Surroundings, config: FlyConfig, utc: UtcCorrelation) -> Surroundings:
    """The surroundings with the bridge to a broker, if there shall be one."""
    if not config.mqtt.enabled:
        return around
    # Only then: client library and transports are a good part of the process.
    from flight.composition.bridge import bridged  # noqa: PLC0415

    return bridged(around, config, utc)


def service_manager(opened: contextlib.ExitStack) -> ServiceManager | None:
    """The one that started this process and wants to hear of it; closed with `opened`."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return None
    # Only then: a flight that a person starts has nobody to tell.
    from flight.notify_service import ServiceManager  # noqa: PLC0415

    manager = ServiceManager(address)
    opened.callback(manager.close)
    return manager


def watched(around: Surroundings, manager: ServiceManager | None) -> Surroundings:
    """The surroundings with the chain to the service manager's watchdog, if there is a manager."""
    if manager is None:
        return around

    def companions(node: Node) -> list[ChildSpec]:
        service = lambda: _watchdog_service(manager, node, around.clock)
        return [*around.companions(node), ChildSpec(name="watchdog", factory=service)]

    return replace(around, companions=companions)


def _watchdog_service(manager: ServiceManager, node: Node, clock: Clock) -> WatchdogService:
    from flight.notify_service import WatchdogService  # noqa: PLC0415  as above
    from flight.watchdog_chain import WatchdogChain  # noqa: PLC0415

    def word() -> str:
        status = node.status.get()
        return "no cycle yet" if status is None else status.mode.name

    chain = WatchdogChain(
        watchdog_interval_ns(),
        begun=node.health.monitor.begun,
        standing_still=node.health.standing_still,
        word=word,
    )
    return WatchdogService(manager, chain, node.events, clock)
