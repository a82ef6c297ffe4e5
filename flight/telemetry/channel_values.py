"""The latest value of every channel, by index; NaN means never set or not valid."""

from __future__ import annotations

from math import nan

from flight.telemetry.dictionary import CHANNEL_INDEX, CHANNELS


class ChannelValues:
    """One float a channel, in dictionary order.

    Rooms look their indices up once, when they are made, and then store by index: a store costs
    a list assignment, so a hundred channels a second are free.
    """

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values: list[float] = [nan] * len(CHANNELS)

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
