"""The parameters' two durable copies: each checked by itself, the newer good one holds.

Hop "durable" of what the ground sets. A copy that is torn or damaged costs nothing as long as the
other one is good, and is told; with both bad the configuration's values hold. Pure: the store comes
as two functions.

A copy: magic "LNPS", layout version 1 octet, generation 4, length 4, msgpack of name -> value, and
CRC-32C (RFC 3720) over all of it, big endian.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

import msgspec

from flight.wire.crc import crc32c

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAGIC = b"LNPS"
LAYOUT_VERSION = 1
COPIES = ("parameters.a", "parameters.b")
"""Names of the copies in the store; the first is written first."""
FORMER = "parameters.former"
"""The set that was in force before the last load: the way back."""
_HEAD = struct.Struct(">4sBII")
_CRC = struct.Struct(">I")
_VALUES = msgspec.msgpack.Decoder(dict[str, float])
_GENERATION_MODULO = 1 << 32


class CopyVerdict(Enum):
    """What a copy is worth."""

    GOOD = "good"
    ABSENT = "absent"
    TORN = "torn"
    """Shorter or longer than it says it is."""
    WRONG_VERSION = "wrong version"
    """No parameters, or in a layout that this software does not know."""
    BAD_CRC = "bad CRC"
    UNREADABLE = "unreadable"
    """The checksum is right and the content is not: written by a fault."""


def encode_copy(values: Mapping[str, float], generation: int) -> bytes:
    """One copy; it can be told apart from any damaged form of itself."""
    content = msgspec.msgpack.encode(values)
    head = _HEAD.pack(MAGIC, LAYOUT_VERSION, generation, len(content))
    return head + content + _CRC.pack(crc32c(head + content))


def decode_copy(copy: bytes | None) -> tuple[CopyVerdict, int, dict[str, float]]:
    """Verdict, generation and values of a copy; the latter two count only when it is GOOD."""
    if copy is None:
        return CopyVerdict.ABSENT, 0, {}
    if len(copy) < _HEAD.size + _CRC.size:
        return CopyVerdict.TORN, 0, {}
    magic, version, generation, length = _HEAD.unpack_from(copy)
    if magic != MAGIC or version != LAYOUT_VERSION:
        return CopyVerdict.WRONG_VERSION, 0, {}
    if len(copy) != _HEAD.size + length + _CRC.size:
        return CopyVerdict.TORN, 0, {}
    verdict, values = _content(copy)
    return verdict, generation, values


def _content(copy: bytes) -> tuple[CopyVerdict, dict[str, float]]:
    if _CRC.unpack_from(copy, len(copy) - _CRC.size)[0] != crc32c(copy[: -_CRC.size]):
        return CopyVerdict.BAD_CRC, {}
    try:
        return CopyVerdict.GOOD, _VALUES.decode(copy[_HEAD.size : -_CRC.size])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return CopyVerdict.UNREADABLE, {}


@dataclass(frozen=True, slots=True)
class Found:
    """What the two copies say.

    Attributes:
        values: of the better copy; None when neither is good.
        bad: name and verdict of each copy that is there and not good.
    """

    values: dict[str, float] | None
    bad: tuple[tuple[str, CopyVerdict], ...] = ()


@dataclass(slots=True)
class ParameterCopies:
    """Reads and writes both copies, and keeps the set that held before.

    Args:
        load: the state of a name, or None; save: makes one durable, or raises.
    """

    load: Callable[[str], bytes | None]
    save: Callable[[str, bytes], None]
    _generation: int = field(default=0, init=False)

    def read(self) -> Found:
        """The newer good copy."""
        best: tuple[int, dict[str, float]] | None = None
        bad = []
        for name in COPIES:
            verdict, generation, values = decode_copy(self.load(name))
            if verdict is CopyVerdict.GOOD:
                if best is None or _is_newer(generation, best[0]):
                    best = generation, values
            elif verdict is not CopyVerdict.ABSENT:
                bad.append((name, verdict))
        if best is None:
            return Found(None, tuple(bad))
        self._generation = best[0]
        return Found(best[1], tuple(bad))

    def write(self, values: Mapping[str, float]) -> None:
        """Both copies, one after the other: at every instant one of them is whole."""
        self._generation = (self._generation + 1) % _GENERATION_MODULO
        copy = encode_copy(values, self._generation)
        for name in COPIES:
            self.save(name, copy)

    def keep_former(self, values: Mapping[str, float]) -> None:
        """Remembers a set as the way back."""
        self.save(FORMER, encode_copy(values, self._generation))

    def former(self) -> tuple[CopyVerdict, dict[str, float]]:
        """The set to go back to, if it is good."""
        verdict, _, values = decode_copy(self.load(FORMER))
        return verdict, values


def _is_newer(one: int, other: int) -> bool:
    """Generations wrap; the copies are never far apart."""
    return 0 < (one - other) % _GENERATION_MODULO < _GENERATION_MODULO // 2
