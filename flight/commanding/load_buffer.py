"""The one working buffer: a load comes in pieces, is judged whole, and only then takes effect.

Pure. What is in here has no effect on anything and does not survive a reset: the ground sends the
load again. Pieces may come in any order and more than once; one that contradicts what has come is
refused, and a load begun again with the same size, sum and version goes on where it was.

    EMPTY --begin--> LOADING --validate--> VALID --activate--> EMPTY
      ^                 |                    |
      +----discard------+--------------------+
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from flight.commanding.loadable import Dumped, LoadVerdict
from flight.telemetry.command_table import LOAD_BYTES_MAX
from flight.wire.crc import crc32c

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flight.commanding.loadable import Loadable

_HERE = b"\x01"


class LoadState(IntEnum):
    """How far the load in the buffer is."""

    EMPTY = 0
    LOADING = 1
    VALID = 2


class LoadBuffer:
    """Holds at most one load, of one of the registered kinds.

    Args:
        kinds: what can be replaced; names are unique.

    Attributes:
        activated: loads put in force since the start.
        rolled_back: ways back taken since the start.
        refused: requests that were refused since the start, any reason.
    """

    def __init__(self, kinds: Sequence[Loadable]) -> None:
        self._kinds = {each.kind: each for each in kinds}
        assert len(self._kinds) == len(kinds), "two kinds of load share a name"
        assert all(0 < each.bytes_max <= LOAD_BYTES_MAX for each in kinds)
        self._loading: Loadable | None = None
        self._claim = (0, 0, 0)  # octets, CRC-32C, version
        self._data = bytearray()
        self._here = bytearray()
        self._valid = False
        self.activated = 0
        self.rolled_back = 0
        self.refused = 0

    @property
    def state(self) -> LoadState:
        """How far the load is."""
        if self._loading is None:
            return LoadState.EMPTY
        return LoadState.VALID if self._valid else LoadState.LOADING

    @property
    def kind(self) -> str:
        """Of the load under way; "" without one."""
        return "" if self._loading is None else self._loading.kind

    @property
    def received_bytes(self) -> int:
        """Octets of the load that have come, each counted once."""
        return self._here.count(_HERE)

    @property
    def size_bytes(self) -> int:
        """Octets the load will have; 0 without one."""
        return len(self._data)

    def begin(self, kind: str, size_bytes: int, crc: int, version: int) -> LoadVerdict:
        """Makes room for a load; the very same one begun again keeps what has come of it."""
        wanted, claim = self._kinds.get(kind), (size_bytes, crc, version)
        if wanted is None:
            return self._refuse(LoadVerdict.NOT_FOUND)
        if self._loading is not None:
            same = self._loading is wanted and self._claim == claim
            return LoadVerdict.OK if same else self._refuse(LoadVerdict.BUSY)
        if version != wanted.version:
            return self._refuse(LoadVerdict.WRONG_VERSION)
        if not 0 < size_bytes <= wanted.bytes_max:
            return self._refuse(LoadVerdict.OUT_OF_RANGE)
        self._loading, self._claim = wanted, claim
        self._data, self._here = bytearray(size_bytes), bytearray(size_bytes)
        return LoadVerdict.OK

    def part(self, offset: int, data: bytes) -> LoadVerdict:
        """Takes a piece; again or overlapping is well as long as it says the same."""
        end = offset + len(data)
        if self._loading is None:
            return self._refuse(LoadVerdict.NOT_FOUND)
        if offset < 0 or end > len(self._data):
            return self._refuse(LoadVerdict.OUT_OF_RANGE)
        known = zip(self._here[offset:end], self._data[offset:end], data, strict=True)
        if any(here and had != has for here, had, has in known):
            return self._refuse(LoadVerdict.CONFLICT)
        self._data[offset:end] = data
        self._here[offset:end] = _HERE * len(data)
        return LoadVerdict.OK

    def validate(self) -> LoadVerdict:
        """Judges the load whole: complete, its sum, and what its kind says of it."""
        if self._loading is None:
            return self._refuse(LoadVerdict.NOT_FOUND)
        if self.received_bytes < len(self._data):
            return self._refuse(LoadVerdict.INCOMPLETE)
        if crc32c(self._data) != self._claim[1]:
            return self._refuse(LoadVerdict.BAD_CHECKSUM)
        verdict = self._loading.validate(bytes(self._data))
        self._valid = verdict is LoadVerdict.OK
        return LoadVerdict.OK if self._valid else self._refuse(verdict)

    def activate(self, now_ns: int) -> LoadVerdict:
        """Puts a validated load in force and empties the buffer; a refusal leaves it as it is."""
        if self._loading is None:
            return self._refuse(LoadVerdict.NOT_FOUND)
        if not self._valid:
            return self._refuse(LoadVerdict.NOT_VALIDATED)
        verdict = self._loading.activate(bytes(self._data), now_ns)
        if verdict is not LoadVerdict.OK:
            return self._refuse(verdict)
        self.activated += 1
        self._empty()
        return verdict

    def discard(self) -> LoadVerdict:
        """Empties the buffer; well also when it is empty, so that it may be said twice."""
        self._empty()
        return LoadVerdict.OK

    def roll_back(self, kind: str, now_ns: int) -> LoadVerdict:
        """Takes the way back of one kind; the load under way is left alone."""
        wanted = self._kinds.get(kind)
        verdict = LoadVerdict.NOT_FOUND if wanted is None else wanted.roll_back(now_ns)
        if verdict is not LoadVerdict.OK:
            return self._refuse(verdict)
        self.rolled_back += 1
        return verdict

    def dump(self, kind: str) -> Dumped | LoadVerdict:
        """The set in force of one kind; NOT_FOUND when there is none. Changes nothing."""
        wanted = self._kinds.get(kind)
        data = b"" if wanted is None else wanted.dump()
        if wanted is None or not data:
            return self._refuse(LoadVerdict.NOT_FOUND)
        return Dumped(kind, wanted.version, data)

    def refuse_dump(self) -> LoadVerdict:
        """There was no room for it on its way down."""
        return self._refuse(LoadVerdict.NOT_DURABLE)

    def _empty(self) -> None:
        self._loading, self._claim, self._valid = None, (0, 0, 0), False
        self._data, self._here = bytearray(), bytearray()

    def _refuse(self, verdict: LoadVerdict) -> LoadVerdict:
        self.refused += 1
        return verdict
