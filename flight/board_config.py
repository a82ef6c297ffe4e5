"""Configuration of a node on a board: the node's own sections, and where the board keeps things.

One file for `lumenode fly`. Paths in it are relative to the file itself, so that a folder with
configuration, keys and data can be moved as a whole.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta, field

from flight.config import ConfigError, NodeConfig, check_node, convert, read_toml
from flight.device_config import CameraSection, TerminalSection
from flight.inference.tile_cache import default_tiles_path
from hal.linux_config import LinuxConfig, contradiction

if TYPE_CHECKING:
    from flight.thermal.board_profile import BoardProfile


class BoardSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """This board.

    Attributes:
        hal: backend of the hardware layer: "sim" shows a node at rest in full sun, "linux" is the
            board this runs on, "link:DEV" has its devices at a bench on the serial line DEV.
        link_mode: on such a line "lock-step" follows the bench's time, tick by tick; "free-run"
            has both follow their own clocks. The bench must say the same.
        link_baud: rate of the line; a pseudo-terminal has none.
        link_fifo_frames: frames that wait for the line; no fewer than the bench gives credit for,
            or how fast this machine is would show in a lock-step run.
        keys: folder with the node's half of the link keys.
        data: folder of the product store; one flight process at a time has it.
        provider: what ONNX Runtime computes with in the inference worker; one that the installed
            build does not have fails every job, and never falls back to another.
        threads: that a network runs on; a profile holds for the number that it was measured with.
        tick_hz: ticks a second, a divisor of 1000; the cycle of a second is made of them, and the
            dead-man counts them.
        guard_ticks: payload and laser go off after so many ticks without a sign of life. A commit
            to a worn card may hold the loop up for a second.
        rt_priority: SCHED_FIFO of the loop, tick and supervisor 5 above it, and the device's
            memory locked; 0 asks for nothing. Refused without the privilege, and then told.
    """

    hal: Annotated[str, Meta(pattern="^(sim|linux|link:.+)$")] = "sim"
    link_mode: Annotated[str, Meta(pattern="^(lock-step|free-run)$")] = "lock-step"
    link_baud: Annotated[int, Meta(ge=9600, le=4_000_000)] = 921_600
    link_fifo_frames: Annotated[int, Meta(ge=1, le=4096)] = 64
    keys: str = "keys"
    data: str = "data"
    provider: Annotated[str, Meta(pattern="^(cpu|cuda|tensorrt|auto)$")] = "cpu"
    threads: Annotated[int, Meta(ge=1, le=64)] = 1
    tick_hz: Annotated[int, Meta(ge=2, le=1000)] = 10
    guard_ticks: Annotated[int, Meta(ge=1, le=100_000)] = 20
    rt_priority: Annotated[int, Meta(ge=0, le=90)] = 0

    def check(self, source: str) -> None:
        """What a range cannot say; ConfigError in one line."""
        if 1000 % self.tick_hz:
            raise ConfigError(
                f"{source}: board.tick_hz = {self.tick_hz}: allowed: a divisor of 1000 from 2 to "
                "1000, so that whole ticks make a second"
            )


class FramesSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where frames come from.

    Attributes:
        source: "replay" flies a tile cache over and over, one tile each `camera.cadence_s`;
            "folder" takes what a camera process moves into a folder; "camera" asks a Video4Linux
            camera for a picture each `camera.cadence_s`.
        path: the tile cache, the folder or the camera's device; empty for the default imagery.
        poll_s: how often the folder is looked at.
        camera: how the camera's pictures become tiles.
    """

    source: Annotated[str, Meta(pattern="^(replay|folder|camera)$")] = "replay"
    path: str = ""
    poll_s: Annotated[float, Meta(ge=0.05, le=60.0)] = 0.5
    camera: CameraSection = field(default_factory=CameraSection)

    def check(self, source: str, backlog_frames: int) -> None:
        """Relations between the keys; ConfigError in one line."""
        needed = {"folder": "the folder", "camera": "its device, such as /dev/v4l/by-id/..."}
        if self.source in needed and not self.path:
            raise ConfigError(
                f'{source}: frames.path: needed with source = "{self.source}": '
                f"{needed[self.source]}"
            )
        if self.source == "camera":
            self.camera.check(source, backlog_frames)


class MqttSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The way to an MQTT broker: telemetry and events out, sealed commands in.

    Attributes:
        enabled: connect at all; nothing of it is even loaded without.
        embedded: bring the broker along, in a process of its own on `host` and `port` of this
            machine, open to everybody on it; needs the extra "broker".
        host, port: of the broker; by default one on this machine.
        ca_file: certificates the broker's must be signed by; empty is no TLS.
        cert_file, key_file: this node's own certificate, for a broker that asks for one.
        plain: allow a broker elsewhere without TLS: who is on that network can then read and
            forge telemetry (never commands: those are sealed by the link keys).
        client_id: empty for the node's name.
        username, password_file: the file holds the password and nobody else may read it.
        keepalive_s: a silent connection is given up after one and a half of it.
        queue_messages: wait while there is no broker, telemetry and the rest each.
        reconnect_max_s: waits between tries double from a sixteenth of this up to this.
    """

    enabled: bool = False
    embedded: bool = False
    host: Annotated[str, Meta(min_length=1, max_length=253)] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535)] = 1883
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    plain: bool = False
    client_id: Annotated[str, Meta(max_length=64)] = ""
    username: str = ""
    password_file: str = ""
    keepalive_s: Annotated[int, Meta(ge=2, le=3600)] = 30
    queue_messages: Annotated[int, Meta(ge=1, le=100_000)] = 512
    reconnect_max_s: Annotated[float, Meta(ge=0.1, le=3600.0)] = 16.0

    def check(self, source: str, node: str) -> None:
        """Relations between the keys; ConfigError in one line."""
        if not self.enabled:
            return
        # Only a node with a broker has a use for it.
        from flight.telemetry.mqtt_messages import NODE_NAME  # noqa: PLC0415

        if not NODE_NAME.fullmatch(node):
            raise ConfigError(
                f"{source}: name = {node!r}: with mqtt.enabled a level of a topic; "
                "allowed: letters, digits, . _ - (1 to 64)"
            )
        if self.embedded and (self.ca_file or self.username or not is_loopback(self.host)):
            raise ConfigError(
                f"{source}: mqtt.embedded: on this machine alone, without TLS and passwords "
                f"(mqtt.host = {self.host!r}); a broker elsewhere: embedded = false"
            )
        if not (self.ca_file or self.plain or is_loopback(self.host)):
            raise ConfigError(
                f"{source}: mqtt.ca_file: needed for a broker on a network "
                f"(mqtt.host = {self.host!r}); allowed without: plain = true"
            )
        if bool(self.cert_file) != bool(self.key_file) or (self.cert_file and not self.ca_file):
            raise ConfigError(f"{source}: mqtt.cert_file: goes with mqtt.key_file and mqtt.ca_file")
        if self.password_file and not self.username:
            raise ConfigError(f"{source}: mqtt.username: needed with mqtt.password_file")

    def below(self, folder: Path) -> MqttSection:
        """With absolute paths."""
        names = ("ca_file", "cert_file", "key_file", "password_file")
        given = {name: Path(getattr(self, name)).expanduser() for name in names
                 if getattr(self, name)}  # fmt: skip
        return msgspec.structs.replace(self, **{n: str(folder / p) for n, p in given.items()})


def is_loopback(host: str) -> bool:
    """Whether a broker at `host` is on this machine, as far as the name alone tells."""
    numbers = host.split(".")
    return host in {"localhost", "::1"} or (
        len(numbers) == 4 and numbers[0] == "127" and all(n.isdecimal() for n in numbers)
    )


class FlyConfig(NodeConfig, frozen=True, kw_only=True):
    """A node and its board."""

    board: BoardSection = field(default_factory=BoardSection)
    frames: FramesSection = field(default_factory=FramesSection)
    linux: LinuxConfig = field(default_factory=LinuxConfig)
    terminal: TerminalSection = field(default_factory=TerminalSection)
    mqtt: MqttSection = field(default_factory=MqttSection)


def load_fly_config(path: Path, *, keys: str = "", data: str = "") -> FlyConfig:
    """The file at `path` with absolute paths; `keys` and `data` of the command line win.

    Raises:
        ConfigError: one line that names file, key, value and what is allowed.
    """
    config = convert(read_toml(path), FlyConfig, str(path))
    check_node(config, str(path))
    config.board.check(str(path))
    config.frames.check(str(path), config.camera.backlog_frames)
    config.terminal.check(str(path), config.board.hal)
    if wrong := contradiction(config.linux):
        raise ConfigError(f"{path}: linux.{wrong}")
    config.mqtt.check(str(path), config.name)
    if config.links.radio:
        raise ConfigError(
            f"{path}: links.radio = true: a board has no driver of a radio modem; allowed: false"
        )
    below = path.absolute().parent
    board, frames = config.board, config.frames
    frames_path = below / Path(frames.path).expanduser() if frames.path else default_tiles_path()
    inference = config.inference
    if inference.profile.endswith(".toml"):
        profile = str(below / Path(inference.profile).expanduser())
        inference = msgspec.structs.replace(inference, profile=profile)
    if inference.models:
        models = str(below / Path(inference.models).expanduser())
        inference = msgspec.structs.replace(inference, models=models)
    return msgspec.structs.replace(
        config,
        inference=inference,
        board=msgspec.structs.replace(
            board,
            keys=_absolute(keys) if keys else str(below / Path(board.keys).expanduser()),
            data=_absolute(data) if data else str(below / Path(board.data).expanduser()),
        ),
        frames=msgspec.structs.replace(frames, path=str(frames_path)),
        terminal=config.terminal.below(below),
        mqtt=config.mqtt.below(below),
    )


def check_profile(config: FlyConfig, profile: BoardProfile) -> None:
    """Relations between configuration and board profile; ConfigError in one line."""
    if not profile.watts_known and "battery" not in config.sensors.absent:
        raise ConfigError(
            f"inference.profile = {config.inference.profile!r}: it has no watts, and a battery "
            "cannot be kept without; allowed: a profile with watts, or sensors.absent with "
            '"battery" for a board that is fed from outside'
        )


def read_password(path: Path) -> str:
    """The first line of a password file; ConfigError when missing, empty or open to others."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"mqtt.password_file = {str(path)!r}: {error}") from None
    if mode & 0o077:
        raise ConfigError(
            f"mqtt.password_file: {path} can be read by others: run `chmod 600 {path}`"
        )
    password, _, _ = text.partition("\n")
    if not password:
        raise ConfigError(f"mqtt.password_file = {str(path)!r}: holds no password")
    return password


def _absolute(text: str) -> str:
    return str(Path(text).expanduser().absolute())
