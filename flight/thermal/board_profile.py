"""What the compute board costs and gives at each level: watts, time a tile, limits.

A level is a power cap the HAL can set; level 0 is off. Every figure says where it is from: a
profile measured on the board, a published one, or a modelled one. Modelled figures stay marked as
modelled down to the report.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Watts = Annotated[float, Meta(ge=0.0, le=500.0)]
Millis = Annotated[float, Meta(gt=0.0, le=600_000.0)]


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One power level.

    Attributes:
        name: as the board's own tool calls it.
        idle_w: drawn while no job runs.
        active_w: drawn while one runs.
        ms_per_tile: variant -> time of one 128 px tile.
    """

    name: str
    idle_w: Watts
    active_w: Watts
    ms_per_tile: dict[str, Millis]


class BoardProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The board at hand.

    Attributes:
        name: profile name.
        source: "measured", "published" or "modelled".
        die_limit_c: above this the board throttles or breaks by itself; never to be reached.
        die_k_per_w: die above sink, kelvin per watt, quasi-static.
        sink_j_per_k: heat capacity of sink and board.
        levels: level 1 upwards, in rising power; level 0 (off) is implied.
    """

    name: str
    source: str
    die_limit_c: Annotated[float, Meta(ge=30.0, le=125.0)]
    die_k_per_w: Annotated[float, Meta(gt=0.0, le=20.0)]
    sink_j_per_k: Annotated[float, Meta(gt=0.0, le=100_000.0)]
    levels: tuple[Level, ...]

    @property
    def top(self) -> int:
        """Highest level."""
        return len(self.levels)

    def active_w(self, level: int) -> float:
        """Power while a job runs; 0 for level 0."""
        return self.levels[level - 1].active_w if level else 0.0

    def idle_w(self, level: int) -> float:
        """Power while no job runs; 0 for level 0."""
        return self.levels[level - 1].idle_w if level else 0.0

    def tile_ms(self, level: int, variant: str) -> float:
        """Time of one tile; KeyError for a variant the profile has no figure for."""
        return self.levels[level - 1].ms_per_tile[variant]
