"""The sequences on board: shipped ones, and uploaded ones that may take their place.

Pure: the store is a port. The kind of load called "sequence": one load is one sequence; activating
it makes a new set of uploaded ones, durable before it counts, and the set until then is the way
back. A set is one blob with its own CRC-32C, so that a torn or damaged one is noticed and the
shipped sequences are there all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from flight.commanding.loadable import LoadVerdict
from flight.commanding.sequence import (
    FORMAT_VERSION,
    SEQUENCE_BYTES_MAX,
    Finding,
    Sequence,
    decode_sequence,
    encode_sequence,
)
from flight.wire.crc import crc32c

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SEQUENCES_MAX = 32
UPLOADED_BYTES_MAX = 32_768
"""Of all uploaded sequences together."""
_CRC_BYTES = 4


@dataclass(frozen=True, slots=True)
class Stored:
    """A sequence that can be started; `crc` is the CRC-32C of its load."""

    sequence: Sequence
    crc: int


class _Sets(msgspec.Struct, frozen=True):
    uploaded: dict[str, bytes]
    former: dict[str, bytes] | None


class SequenceLibrary:
    """What can be started, by name.

    Args:
        shipped: sequences of the software itself; always there.
        keep: makes the words durable; False when it could not.
        in_use: whether a sequence of this name is under way: it is not replaced then.
    """

    kind = "sequence"
    version = FORMAT_VERSION
    bytes_max = SEQUENCE_BYTES_MAX

    def __init__(
        self,
        shipped: Iterable[Sequence],
        keep: Callable[[bytes], bool],
        in_use: Callable[[str], bool],
    ) -> None:
        self._shipped = {each.name: _stored(each) for each in shipped}
        self._keep = keep
        self._in_use = in_use
        self._sets = _Sets({}, None)
        self._uploaded: dict[str, Stored] = {}

    @property
    def uploaded_bytes(self) -> int:
        """Octets of the uploaded ones."""
        return sum(map(len, self._sets.uploaded.values()))

    def names(self) -> list[str]:
        """Every name that can be started, in order."""
        return sorted({*self._shipped, *self._uploaded})

    def get(self, name: str) -> Stored | None:
        """The sequence of this name: the uploaded one before the shipped one."""
        return self._uploaded.get(name) or self._shipped.get(name)

    def restore(self, words: bytes) -> bool:
        """What was in force before the reset; False when the words are damaged.

        A sequence that this software no longer takes (another dictionary) is left out.
        """
        body, crc = words[:-_CRC_BYTES], words[-_CRC_BYTES:]
        if len(words) <= _CRC_BYTES or crc32c(body).to_bytes(_CRC_BYTES, "big") != crc:
            return False
        try:
            sets = msgspec.msgpack.decode(body, type=_Sets)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return False
        self._adopt(sets)
        return len(self._uploaded) == len(sets.uploaded)

    def validate(self, data: bytes) -> LoadVerdict:
        """Whether it could be put in force now."""
        found = decode_sequence(data)
        if isinstance(found, Finding):
            return found.verdict
        if self._in_use(found.name):
            return LoadVerdict.BUSY
        others = {n: d for n, d in self._sets.uploaded.items() if n != found.name}
        full = len(others) >= SEQUENCES_MAX
        if full or sum(map(len, others.values())) + len(data) > UPLOADED_BYTES_MAX:
            return LoadVerdict.OUT_OF_RANGE
        return LoadVerdict.OK

    def activate(self, data: bytes, now_ns: int) -> LoadVerdict:  # noqa: ARG002  a port
        """Adds it, or puts it in the place of the one of its name."""
        verdict = self.validate(data)
        if verdict is not LoadVerdict.OK:
            return verdict
        found = decode_sequence(data)
        assert isinstance(found, Sequence)
        return self._change({**self._sets.uploaded, found.name: data})

    def delete(self, name: str) -> LoadVerdict:
        """Takes an uploaded one away; a shipped one of the name is there again."""
        if name not in self._sets.uploaded:
            return LoadVerdict.NOT_FOUND
        if self._in_use(name):
            return LoadVerdict.BUSY
        return self._change({n: d for n, d in self._sets.uploaded.items() if n != name})

    def roll_back(self, now_ns: int) -> LoadVerdict:  # noqa: ARG002  a port
        """The uploaded set before the last change is in force again, and this one the former."""
        former, uploaded = self._sets.former, self._sets.uploaded
        if former is None:
            return LoadVerdict.NOT_FOUND
        changed = {n for n in {*former, *uploaded} if former.get(n) != uploaded.get(n)}
        if any(map(self._in_use, sorted(changed))):
            return LoadVerdict.BUSY
        return self._change(former)

    def dump(self) -> bytes:
        """The uploaded sequences, each as its load, as a msgpack array in order of their names."""
        return msgspec.msgpack.encode([self._sets.uploaded[n] for n in sorted(self._sets.uploaded)])

    def _change(self, uploaded: dict[str, bytes]) -> LoadVerdict:
        sets = _Sets(uploaded, self._sets.uploaded)
        body = msgspec.msgpack.encode(sets)
        if not self._keep(body + crc32c(body).to_bytes(_CRC_BYTES, "big")):
            return LoadVerdict.NOT_DURABLE
        self._adopt(sets)
        return LoadVerdict.OK

    def _adopt(self, sets: _Sets) -> None:
        self._sets = sets
        found = {name: decode_sequence(data) for name, data in sets.uploaded.items()}
        self._uploaded = {
            name: Stored(sequence, crc32c(sets.uploaded[name]))
            for name, sequence in found.items()
            if isinstance(sequence, Sequence)
        }


def _stored(sequence: Sequence) -> Stored:
    return Stored(sequence, crc32c(encode_sequence(sequence)))
