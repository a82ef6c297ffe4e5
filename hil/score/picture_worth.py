"""What the pictures of a run are worth, and how many bits they take: from what the ground rebuilt.

Equal tiles give equal results, so what was delivered of one tile says what it gives every time the
camera sees it. Tiles of like worth are one kind; a kind counts as its best tile, so that what is
said of the whole is never too little.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

KINDS_MAX = 6
BITS_A_BYTE = 8
PICTURES = ("MASK", "QUICKLOOK")


@dataclass(frozen=True, slots=True)
class PictureKind:
    """Value and bits of all results of one picture, and of the one that is worth most a bit."""

    name: str
    value: tuple[float, float]
    bits: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Worth:
    """Kinds of pictures.

    Attributes:
        classes: the kinds, most value first.
        kinds: of each picture shown, its kind.
        delivered: value of the pictures that the ground has.
        all_shown: value of all that were shown, each as its own tile is worth.
    """

    classes: list[PictureKind]
    kinds: list[int]
    delivered: float
    all_shown: float


@dataclass(slots=True)
class _Tile:
    """Results of one tile: value and bits by product class."""

    value: dict[str, float]
    bits: dict[str, float]

    @property
    def both(self) -> tuple[float, float]:
        return sum(self.value.values()), sum(self.bits.values())

    @property
    def best(self) -> tuple[float, float]:
        name = max(self.value, key=lambda n: self.value[n] / self.bits[n])
        return self.value[name], self.bits[name]


def worth_of_pictures(folder: Path, shown: Sequence[bytes]) -> Worth:
    """Of a run's folder and the digests of the tiles shown, in the order of their numbers.

    A tile of which nothing was delivered counts as the best one there is.
    """
    tiles: dict[bytes, _Tile] = {}
    delivered = 0.0
    for path in sorted((folder / "products").glob("*.json")):
        entry = json.loads(path.read_text(encoding="utf-8"))
        number = entry.get("tile_id")
        if entry["klass"] not in PICTURES or number is None:
            continue
        value = entry["value_millis"] / 1000.0
        delivered += value
        if 0 < number <= len(shown):
            tile = tiles.setdefault(shown[number - 1], _Tile({}, {}))
            tile.value[entry["klass"]] = value
            tile.bits[entry["klass"]] = float(max(1, entry["size_bytes"]) * BITS_A_BYTE)
    if not tiles:
        return Worth([], [], delivered, 0.0)
    top = max(tiles.values(), key=lambda tile: tile.both[0])
    of = [tiles.get(digest, top) for digest in shown]
    groups = _grouped([tile.both[0] for tile in of], KINDS_MAX)
    classes, kinds = [], [0] * len(of)
    for number, members in enumerate(groups):
        mine = [of[i] for i in members]
        both, best = [t.both for t in mine], [t.best for t in mine]
        classes.append(
            PictureKind(
                f"kind {number + 1}",
                (max(v for v, _ in both), max(v for v, _ in best)),
                (min(b for _, b in both), min(b for _, b in best)),
            )
        )
        for i in members:
            kinds[i] = number
    return Worth(classes, kinds, delivered, sum(tile.both[0] for tile in of))


def _grouped(values: Sequence[float], most: int) -> list[list[int]]:
    """Places of the values in at most so many groups, such that the maxima exceed least in sum."""
    order = sorted(range(len(values)), key=lambda i: -values[i])
    runs: list[list[int]] = []
    for i in order:
        if runs and values[runs[-1][0]] == values[i]:
            runs[-1].append(i)
        else:
            runs.append([i])
    level = [values[run[0]] for run in runs]
    size = [len(run) for run in runs]
    count = len(runs)

    def excess(a: int, b: int) -> float:
        return sum(size[k] * (level[a] - level[k]) for k in range(a, b))

    best = [excess(0, b) if b else 0.0 for b in range(count + 1)]
    cuts = [[0] * (count + 1)]
    for _ in range(1, min(most, count)):
        row, cut = list(best), list(range(count + 1))
        for b in range(1, count + 1):
            row[b], cut[b] = min((best[a] + excess(a, b), a) for a in range(b))
        best = row
        cuts.append(cut)
    groups, b = [], count
    for cut in reversed(cuts):
        a = cut[b]
        if b > a:
            groups.append([i for run in runs[a:b] for i in run])
        b = a
    return groups[::-1]
