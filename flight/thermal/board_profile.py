"""What the compute board costs and gives at each level: watts, time a tile, limits, clock caps.

A level is a cap the HAL can set; level 0 is off. Every figure says where it is from: measured on
the board, published, or modelled. Modelled figures stay marked as modelled down to the report, and
watts that nobody knows are left out rather than guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

if TYPE_CHECKING:
    from collections.abc import Iterator

Watts = Annotated[float, Meta(ge=0.0, le=500.0)]
Millis = Annotated[float, Meta(gt=0.0, le=600_000.0)]
KiloHertz = Annotated[int, Meta(ge=0, le=10_000_000)]
MODE_NAME_CHARS_MAX = 23
"""`HAL_NAME_BYTES` of hal_board.h, less its end."""


class Measured(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the times of a level were measured, by `lumenode models profile`.

    Attributes:
        tile_px: side of the tiles; `Level.ms_per_tile` is scaled to 128 px by area.
        frames: variant -> tiles run after the warm-up.
        p95_ms: variant -> 95th percentile of the time of one tile of `tile_px`.
        j_per_tile: variant -> energy of one tile above idle; absent without a power sensor.
        die_c: before and after; absent without a sensor.
        throttle: why the board slowed itself down meanwhile, as in hal.h; empty if it did not.
    """

    tile_px: Annotated[int, Meta(ge=16, le=4096)]
    frames: dict[str, Annotated[int, Meta(ge=1)]]
    p95_ms: dict[str, Millis]
    j_per_tile: dict[str, Annotated[float, Meta(ge=0.0)]] = {}
    die_c: tuple[float, ...] = ()
    throttle: tuple[str, ...] = ()


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One power level.

    Attributes:
        name: as the board's own tool calls it.
        idle_w: drawn while no job runs; absent when nobody knows.
        active_w: drawn while one runs; likewise.
        ms_per_tile: variant -> time of one 128 px tile, median; empty when nobody knows.
        cpu_khz_max, gpu_khz_max: upper caps of the clocks; 0 leaves a clock alone.
        power_mode: of the vendor's table, whose caps hold where none is given here.
        source: where this level's figures are from, when it is not as the whole profile says.
        measured: how its times were measured.
    """

    name: str
    idle_w: Watts | None = None
    active_w: Watts | None = None
    ms_per_tile: dict[str, Millis] = {}
    cpu_khz_max: KiloHertz = 0
    gpu_khz_max: KiloHertz = 0
    power_mode: Annotated[str, Meta(max_length=MODE_NAME_CHARS_MAX)] = ""
    source: str = ""
    measured: Measured | None = None


class BoardProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The board at hand.

    Attributes:
        name: profile name.
        source: where the times are from: "measured", "published", "modelled", or "unknown".
        die_limit_c: above this the board throttles or breaks by itself; never to be reached.
        die_k_per_w: die above sink, kelvin per watt, quasi-static.
        sink_j_per_k: heat capacity of sink and board.
        levels: level 1 upwards, in rising power; level 0 (off) is implied.
        power: where the watts are from, if from elsewhere than the times.
        boards: how the models of boards begin that this profile is for, as the device tree says.
        measured_on: board, date and software of a measurement.
    """

    name: str
    source: Annotated[str, Meta(pattern="^(measured|published|modelled|unknown)$")]
    die_limit_c: Annotated[float, Meta(ge=30.0, le=125.0)]
    die_k_per_w: Annotated[float, Meta(gt=0.0, le=20.0)]
    sink_j_per_k: Annotated[float, Meta(gt=0.0, le=100_000.0)]
    levels: tuple[Level, ...]
    power: Annotated[
        str, Meta(pattern="^(measured|estimated|published|modelled|not measured|unknown|)$")
    ] = ""
    boards: tuple[str, ...] = ()
    measured_on: str = ""

    @property
    def top(self) -> int:
        """Highest level."""
        return len(self.levels)

    @property
    def power_source(self) -> str:
        """Where the watts are from."""
        return self.power or self.source

    @property
    def watts_known(self) -> bool:
        """Whether the levels say what they draw; all of them do, or none."""
        return all(each.active_w is not None and each.idle_w is not None for each in self.levels)

    def active_w(self, level: int) -> float:
        """Power while a job runs; 0 for level 0 and where nobody knows."""
        return (self.levels[level - 1].active_w or 0.0) if level else 0.0

    def idle_w(self, level: int) -> float:
        """Power while no job runs; 0 for level 0 and where nobody knows."""
        return (self.levels[level - 1].idle_w or 0.0) if level else 0.0

    def tile_ms(self, level: int, variant: str) -> float:
        """Time of one tile; of the dearest variant for one that the profile has no figure for.

        KeyError for a profile without times.
        """
        times = self.levels[level - 1].ms_per_tile
        return times[variant] if variant in times or not times else max(times.values())


def contradiction(profile: BoardProfile) -> str:
    """What in a profile contradicts itself, as "key: what is allowed"; "" when nothing does."""
    return next(_contradictions(profile), "")


def _contradictions(profile: BoardProfile) -> Iterator[str]:
    levels = profile.levels
    powers = [each.active_w or 0.0 for each in levels]
    if not levels or powers != sorted(powers):
        yield "levels: need one or more, in rising active_w"
    if any((each.active_w is None) != (levels[0].active_w is None) for each in levels):
        yield "levels: active_w in all of them, or in none"
    for i, level in enumerate(levels):
        if (level.idle_w is None) != (level.active_w is None):
            yield f"levels[{i}]: idle_w and active_w go together"
        if (level.idle_w or 0.0) > powers[i]:
            yield f"levels[{i}].idle_w = {level.idle_w:g}: allowed: up to active_w = {powers[i]:g}"
        if level.ms_per_tile.keys() != levels[0].ms_per_tile.keys():
            yield f"levels[{i}].ms_per_tile: needs the variants of levels[0]"


def fits_board(profile: BoardProfile, model: str) -> int:
    """How well a profile fits a board's model: characters of the longest name that begins it."""
    return max((len(each) for each in profile.boards if model.startswith(each)), default=0)
