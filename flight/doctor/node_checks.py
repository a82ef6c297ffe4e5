"""A node by its configuration: keys, board profile, frames, data folder, hardware layer, broker."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

from flight.board_config import check_profile, load_fly_config
from flight.board_devices import open_devices
from flight.board_linux import journal_path, settled
from flight.config import ConfigError, load_profile
from flight.data_folder import SCHEMA, hold_folder, schema_of, usage_of
from flight.doctor.board_reading import told_board
from flight.doctor.finding import Finding, State, found
from flight.doctor.terminal_check import of_terminal
from flight.inference.tile_cache import REMEDY, ImageryError, read_tile_cache
from flight.keys import Half, KeyFileError, load_half
from hal.linux_devices import LinuxDevices
from hal.sample import HalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flight.board_config import FlyConfig
    from hal.native_devices import NativeDevices

_MB = 1_000_000
_NODE_KEYS = Path("keys") / Half.NODE.file_name


def without_configuration() -> Iterator[Finding]:
    """What there is to say to somebody who has none yet."""
    remedy = "only for `lumenode fly`: lumenode init"
    yield Finding("node", State.MISSING, "no lumenode.toml here", remedy)
    if _NODE_KEYS.exists():
        yield found("link keys", f"{_NODE_KEYS} (for `lumenode fly` from here)")
    else:
        remedy = "only for `lumenode fly`: lumenode init, or lumenode keys init keys"
        yield Finding("link keys", State.MISSING, f"no {_NODE_KEYS} here", remedy)


def of_node(path: Path) -> Iterator[Finding]:
    """Everything about the node of a configuration file."""
    try:
        config = load_fly_config(path)
    except ConfigError as error:
        yield found("node", str(error), "mend that line, or: lumenode init --force")
        return
    yield found("node", f"{config.name}, {path}")
    for check in CHECKS:
        yield from check(config)


def _keys(config: FlyConfig) -> Iterator[Finding]:
    path = Path(config.board.keys) / Half.NODE.file_name
    try:
        load_half(path, Half.NODE)
    except KeyFileError as error:
        yield found("link keys", str(error).partition("; ")[0],
                    f"lumenode keys init {config.board.keys}")  # fmt: skip
        return
    yield found("link keys", str(path))
    ground = path.with_name(Half.GROUND.file_name)
    if ground.exists():
        remedy = "move it to the ground; whoever has it commands the node"
        yield Finding("ground's keys", State.UNSUPPORTED, f"{ground}: on the board", remedy)


def _profile(config: FlyConfig) -> Iterator[Finding]:
    name = config.inference.profile
    try:
        profile = load_profile(name)
        check_profile(config, profile)
    except ConfigError as error:
        remedy = "choose a shipped one, or measure: lumenode models profile"
        yield found("board profile", str(error), remedy)
        return
    detail = f"{profile.name}: times {profile.source}, watts {profile.power_source}"
    yield found("board profile", f"{detail}, {profile.top} levels")


def _frames(config: FlyConfig) -> Iterator[Finding]:
    source, path = config.frames.source, Path(config.frames.path)
    if source == "replay":
        try:
            count = len(read_tile_cache(path).tiles)
        except ImageryError as error:
            yield found("frame source", str(error), REMEDY)
        else:
            yield found("frame source", f"replay of {count} tiles in {path}")
    elif source == "folder":
        readable = path.is_dir() and os.access(path, os.R_OK | os.X_OK)
        waiting = len(list(path.glob("*.npz"))) if readable else 0
        remedy = "" if readable else f"mkdir -p {path}, readable for whoever flies"
        detail = f"folder {path}, {waiting} files" if readable else f"{path}: no such folder"
        yield found("frame source", detail, remedy)
    else:
        yield _camera(config)


def _camera(config: FlyConfig) -> Finding:
    """The camera's own word on what is asked of it; it is opened for that, and closed again."""
    from flight.board_camera import check_offer  # noqa: PLC0415  only for a node with a camera
    from hal.native_camera import NativeCamera  # noqa: PLC0415

    section, path = config.frames.camera, config.frames.path
    remedy = "see docs/camera.md"
    try:
        camera = NativeCamera(section.settings(path))
        try:
            offer = camera.offer
            check_offer(offer, section, path)
        finally:
            camera.close()
    except (ConfigError, HalError) as error:
        return found("frame source", str(error), remedy)
    if offer.failure is not None:
        return found("frame source", f"camera {path}: {offer.failure.name}", remedy)
    detail = f"camera {offer.card or path}, {offer.width_px} x {offer.height_px} px"
    return found("frame source", detail)


def _data(config: FlyConfig) -> Iterator[Finding]:
    folder = Path(config.board.data)
    try:
        usage = usage_of(folder, config.store)
        schema = schema_of(folder)
    except ConfigError as error:
        yield found("data folder", str(error), "bring it back, or choose another folder")
        return
    except OSError as error:
        yield found("data folder", f"{folder}: {error.strerror}", "let whoever flies read it")
        return
    there = next(each for each in (folder, *folder.parents) if each.is_dir())
    detail = (
        f"{folder}: {usage.used_bytes // _MB} MB used, {usage.cap_bytes // _MB} MB at most, "
        f"{usage.free_bytes // _MB} MB free"
    )
    if not os.access(there, os.W_OK | os.X_OK):
        yield found("data folder", f"{there}: not writable", "give it to whoever flies")
    elif schema is not None and schema > SCHEMA:
        remedy = "fly it with the software that wrote it, or choose another folder"
        yield found("data folder", f"{folder}: layout {schema}, known up to {SCHEMA}", remedy)
    else:
        remedy = "" if usage.fits else "free some, or lower store.cap_bytes"
        yield found("data folder", detail, remedy)


def _hardware(config: FlyConfig) -> Iterator[Finding]:
    """Opens the hardware layer and takes one snapshot; a serial line is left alone."""
    name = f"HAL {config.board.hal}"
    if config.board.hal.startswith("link:"):
        port = Path(config.board.hal.partition(":")[2])
        usable = port.exists() and os.access(port, os.R_OK | os.W_OK)
        remedy = "" if usable else "plug it in; sudo usermod -aG dialout $USER"
        yield found(name, "may be opened" if usable else f"{port}: not there or denied", remedy)
        return
    try:
        profile = load_profile(config.inference.profile)
        devices = open_devices(config.board, profile, linux=config.linux, looking=True)
        try:
            seen = list(_seen(name, devices))
        finally:
            devices.close()
    except (ConfigError, HalError) as error:
        yield found(name, str(error), 'see `docs/hal.md`, or use hal = "sim"')
    else:
        yield from seen


def _seen(name: str, devices: NativeDevices) -> Iterator[Finding]:
    if isinstance(devices, LinuxDevices):
        reading = asyncio.run(settled(devices))
        yield from told_board(reading, devices.snapshot())
    else:
        yield found(name, f"opened, {devices.snapshot().valid.bit_count()} fields valid")


def _left_over(config: FlyConfig) -> Iterator[Finding]:
    """Settings that a flight changed and, killed or crashed, did not put back."""
    if not journal_path(config.board.data).exists():
        return
    try:
        os.close(hold_folder(Path(config.board.data)))
    except ConfigError:
        return  # that flight goes on
    yield found(
        "settings",
        "a flight ended without putting them back",
        "lumenode restore, with this configuration",
    )


def _broker(config: FlyConfig) -> Iterator[Finding]:
    if not config.mqtt.enabled:
        return
    # Only a node with a broker has a use for them.
    from flight.broker_command import MISSING, is_installed  # noqa: PLC0415
    from flight.telemetry.client_mqtt import try_broker  # noqa: PLC0415

    where = f"{config.mqtt.host}:{config.mqtt.port}"
    if config.mqtt.embedded:
        missing = "" if is_installed() else MISSING
        detail = "not installed" if missing else "comes along with the flight"
        yield found("MQTT broker", f"{where}: {detail}", missing)
        return
    reason = asyncio.run(try_broker(config.mqtt))
    remedy = "start it, or see docs/deploy/mosquitto.md" if reason else ""
    yield found("MQTT broker", f"{where}: {reason or 'answers'}", remedy)


CHECKS: tuple[Callable[[FlyConfig], Iterator[Finding]], ...] = (
    _keys, _profile, _frames, _data, _hardware, _left_over, of_terminal, _broker,
)  # fmt: skip
"""In the order they are told."""
