"""What `lumenode send dump` brings down: the set in force of a kind, whole, or not at all.

Ground side of LOAD_DUMP. The pieces say how long the whole is and its CRC-32C; what is missing,
damaged or of another dump is no set. It has the format of a load, so it can go up again as it is.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from flight.config import ConfigError
from flight.send_load import load_of
from flight.telemetry.command_table import LOAD_BYTES_MAX, LoadDump
from flight.telemetry.mqtt_messages import LoadTold
from flight.wire.crc import crc32c

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flight.operator_session_mqtt import Answer, OperatorSession
    from flight.send_load import Load

_PIECE = msgspec.json.Decoder(LoadTold)
_LIST = msgspec.msgpack.Decoder(list[bytes])


@dataclass(frozen=True, slots=True)
class Dump:
    """A kind whose set in force is wanted, the file it goes to, and what it should be."""

    kind: str
    file: Path | None
    like: Load | None


def dump_of(words: Sequence[str], like: str | None, version: int | None) -> Dump:
    """What the words after `dump` want; ConfigError in one line."""
    if not 1 <= len(words) <= 2:
        raise ConfigError("dump: write dump KIND [FILE]")
    kind, *file = words
    if not 1 <= len(kind) <= 24:
        raise ConfigError(f"dump {kind!r}: a kind has 1 to 24 characters")
    load = None if like is None else load_of(kind, Path(like), version)
    return Dump(kind, Path(file[0]) if file else None, load)


@dataclass(slots=True)
class Collector:
    """Puts the pieces of the newest dump of a kind together.

    Args:
        kind: the one that was asked for.
        topic: where its pieces come; anything else is passed over.
    """

    kind: str
    topic: str
    _first: LoadTold | None = None
    _pieces: dict[int, bytes] = field(default_factory=dict)

    def take(self, topic: str, payload: object) -> None:
        """One message; a piece of another dump than the one under way begins that one."""
        if topic != self.topic or not isinstance(payload, bytes):
            return
        try:
            piece = _PIECE.decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return
        if piece.kind != self.kind or not 0 < piece.size_bytes <= LOAD_BYTES_MAX:
            return
        if self._first is None or _of(self._first) != _of(piece):
            self._first, self._pieces = piece, {}
        self._pieces[piece.offset] = piece.data

    def whole(self) -> bytes | None:
        """The set, once it is complete and its sum is right."""
        if self._first is None:
            return None
        data = b"".join(self._pieces[offset] for offset in sorted(self._pieces))
        is_whole = len(data) == self._first.size_bytes and crc32c(data) == self._first.crc32c
        return data if is_whole else None


def _of(piece: LoadTold) -> tuple[int, int, int, int]:
    """Which dump a piece belongs to: all of one are told in one moment."""
    return piece.boot, piece.t_ns, piece.size_bytes, piece.crc32c


async def ask_dump(
    session: OperatorSession, collector: Collector, tell: Callable[[Answer], None]
) -> bytes | None:
    """The set in force on board; None when the node refuses or not all of it comes."""
    await session.listen(collector.topic)
    answer = await session.ask(LoadDump(collector.kind))
    tell(answer)
    if not answer.completed:
        return None
    while (data := collector.whole()) is None:
        if not await session.other():
            sys.stderr.write(f"lumenode send: load {collector.kind}: pieces of it are missing\n")
            break
    return data


def settle(wanted: Dump, data: bytes, *, as_json: bool) -> tuple[str, bool]:
    """Writes what came down; says in a line what it is, and whether it is what it should be.

    Raises:
        ConfigError: the file cannot be written.
    """
    if wanted.file is not None:
        try:
            wanted.file.write_bytes(data)
        except OSError as error:
            raise ConfigError(f"{wanted.file}: {error.strerror}") from None
    same = None if wanted.like is None else holds(data, wanted.like)
    file, crc = wanted.file and str(wanted.file), f"{crc32c(data):08x}"
    if as_json:
        told = {"kind": wanted.kind, "bytes": len(data), "crc32c": crc, "file": file, "same": same}
        return msgspec.json.encode(told).decode(), same is not False
    verdict = {None: "", True: ", as in the file", False: ", NOT as in the file"}[same]
    where = f" in {file}" if file else ""
    line = f"load {wanted.kind}: {len(data)} B{where}, CRC-32C {crc}{verdict}"
    return line, same is not False


def holds(dump: bytes, load: Load) -> bool:
    """Whether what came down is what the file would have sent up, or has it among its sequences."""
    if load.kind != "sequence":
        return dump == load.data
    try:
        return load.data in _LIST.decode(dump)
    except msgspec.MsgspecError:
        return False
