"""The latest value of every channel, by index; NaN means never set, not valid, or too old."""

from __future__ import annotations

from math import nan
from operator import is_not, itemgetter

from flight.telemetry.dictionary import CHANNEL_INDEX, CHANNELS

_NS_PER_S = 1_000_000_000
_AGES = tuple((i, round(c.age_s * _NS_PER_S)) for i, c in enumerate(CHANNELS) if c.age_s)
_aged_of = itemgetter(*(index for index, _ in _AGES))
_STALE = CHANNEL_INDEX["system.stale_channels"]


class ChannelValues:
    """One float a channel, in dictionary order.

    Rooms look their indices up once, when they are made, and then store by index: a store costs
    a tenth of a microsecond, so a hundred channels a second are free.

    Attributes:
        values: as they were last written, however long ago.
    """

    __slots__ = ("_left", "_looked_ns", "_quiet", "_written", "_written_ns", "values")

    def __init__(self) -> None:
        self.values: list[float] = [nan] * len(CHANNELS)
        self._left = _aged_of(self.values)  # what the last look left in their places
        self._written = (False,) * len(_AGES)  # which were written before the last look
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
        aged = _aged_of(values)
        written = tuple(map(is_not, aged, self._left))
        if written != self._written:
            self._note(written)
        # A look leaves a number of its own in each place that ages: whoever writes, be it the same
        # value, puts another object there. So nobody pays for a store but the one who looks.
        self._left = tuple([value + 0.0 for value in aged])
        for (index, _), value in zip(_AGES, self._left, strict=True):
            values[index] = value
        self._looked_ns = now_ns
        row, stale = list(values), 0
        for index, age_ns in self._quiet:
            since_ns = self._written_ns[index]
            if since_ns is not None and now_ns - since_ns > age_ns:
                row[index] = nan
                stale += 1
        values[_STALE] = row[_STALE] = stale
        return row

    def _note(self, written: tuple[bool, ...]) -> None:
        """Others than before are written: whoever went quiet was last written a look ago."""
        for (index, _), is_written, was_written in zip(_AGES, written, self._written, strict=True):
            if was_written and not is_written:
                self._written_ns[index] = self._looked_ns
        self._written = written
        self._quiet = tuple(
            pair for pair, is_written in zip(_AGES, written, strict=True) if not is_written
        )
