"""The latest value of every channel, by index; NaN means never set, not valid, or too old."""

from __future__ import annotations

from math import nan
from operator import itemgetter
from typing import TYPE_CHECKING, SupportsIndex

from flight.telemetry.dictionary import CHANNEL_INDEX, CHANNELS

if TYPE_CHECKING:
    from collections.abc import Iterable

_NS_PER_S = 1_000_000_000
_AGES = tuple((i, round(c.age_s * _NS_PER_S)) for i, c in enumerate(CHANNELS) if c.age_s)
_flags_of_aged = itemgetter(*(index for index, _ in _AGES))
_NONE_WRITTEN = bytes(len(CHANNELS))
_STALE = CHANNEL_INDEX["system.stale_channels"]


class _Row(list[float]):
    """A list that remembers which of its places were written."""

    __slots__ = ("written",)

    def __init__(self, values: Iterable[float]) -> None:
        super().__init__(values)
        self.written = bytearray(len(self))

    def __setitem__(self, index: SupportsIndex, value: float) -> None:  # type: ignore[override]
        self.written[index] = 1
        list.__setitem__(self, index, value)


class ChannelValues:
    """One float a channel, in dictionary order.

    Rooms look their indices up once, when they are made, and then store by index: a store costs
    a tenth of a microsecond, so a hundred channels a second are free.

    Attributes:
        values: as they were last written, however long ago.
    """

    __slots__ = ("_aged", "_looked_ns", "_quiet", "_written_ns", "values")

    def __init__(self) -> None:
        self.values: list[float] = _Row([nan] * len(CHANNELS))
        self._aged = (0,) * len(_AGES)  # which were written before the last look
        self._quiet = _AGES  # those that were not
        self._looked_ns = 0
        self._written_ns: list[int | None] = [None] * len(CHANNELS)  # of the quiet ones

    @staticmethod
    def index(name: str) -> int:
        """Index of the channel `name`; KeyError for a name the dictionary lacks."""
        return CHANNEL_INDEX[name]

    def counter(self, name: str) -> int:
        """Index of a counter that stands at zero from now on: "none yet" is known, not unknown."""
        self.values[CHANNEL_INDEX[name]] = 0
        return CHANNEL_INDEX[name]

    def get(self, name: str) -> float:
        """Latest value of the channel `name`."""
        return self.values[CHANNEL_INDEX[name]]

    def row(self, now_ns: int) -> list[float]:
        """The values that may be told: NaN where one is older than its age in the dictionary.

        A value counts as written when this is next called, so call it once a second.
        """
        values = self.values
        assert isinstance(values, _Row)
        aged = _flags_of_aged(values.written)
        values.written[:] = _NONE_WRITTEN
        if aged != self._aged:
            self._note(aged)
        self._looked_ns = now_ns
        row, stale = list(values), 0
        for index, age_ns in self._quiet:
            since_ns = self._written_ns[index]
            if since_ns is not None and now_ns - since_ns > age_ns:
                row[index] = nan
                stale += 1
        values[_STALE] = row[_STALE] = stale
        return row

    def _note(self, aged: tuple[int, ...]) -> None:
        """Others than before are written: whoever went quiet was last written a look ago."""
        for (index, _), is_written, was_written in zip(_AGES, aged, self._aged, strict=True):
            if was_written and not is_written:
                self._written_ns[index] = self._looked_ns
        self._aged = aged
        self._quiet = tuple(
            pair for pair, is_written in zip(_AGES, aged, strict=True) if not is_written
        )
