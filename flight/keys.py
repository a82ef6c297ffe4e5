"""Link keys: made once on the ground, half a file for the node, half a file for its ground.

Both halves hold the same two AES-256 keys; a half differs in the direction it may *send*. Two
ends that sealed with one key would share a nonce sooner or later, so each end refuses the other's
half. In simulation the keys come from the seed instead, and are worth nothing.

This is the one file of flight that reads the operating system's random generator.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec

from flight.wire.link_security import EPOCH_MAX, KEY_BYTES, SecurityAssociation
from flight.wire.transfer_frame import Direction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

T = TypeVar("T", bound=msgspec.Struct)
FILE_VERSION = 1
MODEL_KEY_FILE = "models-node.json"
"""With which a node knows its ground's signature of a model (`model_keys`)."""
_FILE_MODE = 0o600
_OTHERS = 0o077
_HexKey = Annotated[str, msgspec.Meta(pattern=f"^[0-9a-f]{{{2 * KEY_BYTES}}}$")]


class Half(Enum):
    """Which end of the link a key file is for."""

    NODE = "node"
    GROUND = "ground"

    @property
    def file_name(self) -> str:
        """Name of this half's file in a key folder."""
        return f"link-{self.value}.json"

    @property
    def sends(self) -> Direction:
        """The direction this end may seal."""
        return Direction.DOWNLINK if self is Half.NODE else Direction.UPLINK


class KeyFileError(Exception):
    """The key file cannot be used; the message names the file and says what to do."""


@dataclass(frozen=True, slots=True)
class LinkKeys:
    """Both keys of one epoch. Never printed, never logged, never in telemetry."""

    epoch: int
    downlink_key: bytes = field(repr=False)
    uplink_key: bytes = field(repr=False)

    def association(self, direction: Direction) -> SecurityAssociation:
        """The security association of one direction."""
        key = self.downlink_key if direction is Direction.DOWNLINK else self.uplink_key
        return SecurityAssociation(direction, self.epoch, key)

    def sends(self, half: Half) -> SecurityAssociation:
        """What this end seals with."""
        return self.association(half.sends)

    def receives(self, half: Half) -> SecurityAssociation:
        """What this end opens."""
        return self.association(Direction(1 - half.sends))


class _KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: Annotated[int, msgspec.Meta(ge=FILE_VERSION, le=FILE_VERSION)]
    half: Half
    epoch: Annotated[int, msgspec.Meta(ge=1, le=EPOCH_MAX)]
    downlink_key: _HexKey
    uplink_key: _HexKey


def derive_from_seed(seed: int, epoch: int = 1) -> LinkKeys:
    """Keys for a simulation: HKDF-SHA256 (RFC 5869) of the seed, the same in every run.

    Whoever knows the seed knows the keys: never for a link that matters.
    """
    # A node that flies has its keys from a file and never loads these.
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

    secret = f"lumenode simulation seed {seed}".encode()

    def one(direction: Direction) -> bytes:
        info = f"link key {direction.name} epoch {epoch}".encode()
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(secret)

    return LinkKeys(epoch, one(Direction.DOWNLINK), one(Direction.UPLINK))


def generate(epoch: int = 1, random_bytes: Callable[[int], bytes] = os.urandom) -> LinkKeys:
    """Fresh keys from the operating system's generator."""
    return LinkKeys(epoch, random_bytes(KEY_BYTES), random_bytes(KEY_BYTES))


def write_new(path: Path, content: bytes, mode: int = _FILE_MODE) -> None:
    """A durable file that must not exist yet, and that nobody else may read by default."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink()
        raise


def _cannot_write(path: Path, error: OSError) -> str:
    return f"{path}: {error.strerror}; choose a folder that can be written"


def write_new_files(folder: Path, contents: Mapping[str, bytes]) -> list[Path]:
    """Writes JSON files into `folder` (made with mode 0700), each with mode 0600: all, or none.

    Raises:
        KeyFileError: one is there already, or the folder can't be written; nothing that exists is
            touched, and no file of a new set is left alone.
    """
    written: list[Path] = []
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise KeyFileError(_cannot_write(folder, error)) from error
    try:
        for name, content in contents.items():
            path = folder / name
            write_new(path, msgspec.json.format(content) + b"\n")
            written.append(path)
    except OSError as error:
        for done in written:
            done.unlink()
        if isinstance(error, FileExistsError):
            raise KeyFileError(
                f"{path} exists: keys are never overwritten; "
                "choose another folder, or move the old pair away first"
            ) from error
        raise KeyFileError(_cannot_write(path, error)) from error
    return written


def save_halves(keys: LinkKeys, folder: Path) -> tuple[Path, Path]:
    """Writes both halves into `folder`; raises KeyFileError, as `write_new_files`."""
    down, up = keys.downlink_key.hex(), keys.uplink_key.hex()
    node, ground = write_new_files(
        folder,
        {
            half.file_name: msgspec.json.encode(
                _KeyFile(FILE_VERSION, half, keys.epoch, down, up)
            )
            for half in Half
        },
    )  # fmt: skip
    return node, ground


def load_half(path: Path, half: Half) -> LinkKeys:
    """The keys of one end.

    Raises:
        KeyFileError: missing, readable by others, broken, or the other end's half.
    """
    try:
        mode = path.stat().st_mode
        content = path.read_bytes()
    except OSError as error:
        raise KeyFileError(
            f"{path}: {error.strerror}; make keys with `lumenode keys init {path.parent}`"
        ) from error
    if mode & _OTHERS:
        raise KeyFileError(f"{path} can be read by others: run `chmod 600 {path}`")
    try:
        parsed = msgspec.json.decode(content, type=_KeyFile)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        # The parser's own words may quote a key; only the place is passed on.
        place = str(error).rpartition("at `$.")[2].rstrip("`") if "at `$." in str(error) else "JSON"
        raise KeyFileError(
            f"{path} is no key file ({place}): make a new pair with `lumenode keys init DIR`"
        ) from None
    if parsed.half is not half:
        raise KeyFileError(
            f"{path} is the {parsed.half.value}'s half: here belongs {half.file_name}"
        )
    return LinkKeys(
        parsed.epoch, bytes.fromhex(parsed.downlink_key), bytes.fromhex(parsed.uplink_key)
    )


class ModelKeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The node's half of a pair for models."""

    version: Annotated[int, msgspec.Meta(ge=1, le=1)]
    model_public_key: _HexKey


def load_public(path: Path) -> bytes:
    """What the node knows its ground's signature of a model by; raises KeyFileError."""
    return bytes.fromhex(read_model_key(path, ModelKeyFile).model_public_key)


def read_model_key(path: Path, kind: type[T]) -> T:
    """One half of a pair for models; raises KeyFileError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise KeyFileError(
            f"{path}: {error.strerror}; make keys with `lumenode keys models {path.parent}`"
        ) from error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise KeyFileError(
            f"{path} is no key file of models: make a pair with `lumenode keys models DIR`"
        ) from None


USAGE = """usage: lumenode keys init DIR
       lumenode keys models DIR
       lumenode keys tls DIR [NAME ...] [--broker HOST] [--days N]

init    makes the link keys: DIR/link-node.json for the node, DIR/link-ground.json for its ground,
        and the keys of models.
models  makes the keys of models alone: DIR/models-node.json, with which the node knows its
        ground's signature, and DIR/models-ground.json, with which the ground signs.
        All four have mode 0600.
tls     makes certificates for mutual TLS with a broker (lumenode keys tls --help).
Existing keys are never overwritten.

example: lumenode keys init ~/lumenode-keys
"""


def main_keys(argv: Sequence[str]) -> int:
    """`lumenode keys init DIR`: 0 when all keys were made, 2 for anything else."""
    if argv and argv[0] == "tls":
        from flight.broker_certificates import main_tls  # noqa: PLC0415  no flight needs it

        return main_tls(argv[1:])
    if any(word in {"-h", "--help"} for word in argv):
        sys.stdout.write(USAGE)
        return 0
    match list(argv):
        case [("init" | "models") as action, folder] if not folder.startswith("-"):
            pass
        case _:
            sys.stderr.write(USAGE)
            return 2
    # A node that flies reads its half alone.
    from flight.model_keys import save_model_keys  # noqa: PLC0415

    where = Path(folder).expanduser()
    try:
        pairs = [save_halves(generate(), where)] if action == "init" else []
        pairs.append(save_model_keys(os.urandom(KEY_BYTES), where))
    except KeyFileError as error:
        sys.stderr.write(f"lumenode keys: {error}\n")
        return 2
    for node, ground in pairs:
        sys.stdout.write(
            f"{node}: copy it to the node, nowhere else\n{ground}: stays with the ground\n"
        )
    return 0
