"""Made once, not part of a run: turns a TopoJSON land outline into the report's coastline asset.

    python -m hil.report.convert_coastlines land-110m.json hil/report/assets/coastlines.json

The input is `land-110m.json` of the npm package world-atlas 2.0.2 (Natural Earth, public domain).
The output is one SVG path in units of 1/20 degree, x east from 180 W and y south from 90 N: at the
size of a page a coarser outline than 0.05 degrees cannot be told from a finer one.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

UNITS_PER_DEGREE = 20

Point = tuple[float, float]


def decode_arcs(topology: dict[str, Any]) -> list[list[Point]]:
    """Undo the delta and quantisation coding of TopoJSON 2.1: arcs as (lon, lat) in degrees."""
    (scale_x, scale_y) = topology["transform"]["scale"]
    (shift_x, shift_y) = topology["transform"]["translate"]
    arcs: list[list[Point]] = []
    for arc in topology["arcs"]:
        x = y = 0
        points: list[Point] = []
        for delta_x, delta_y in arc:
            x += delta_x
            y += delta_y
            points.append((x * scale_x + shift_x, y * scale_y + shift_y))
        arcs.append(points)
    return arcs


def ring_points(ring: Sequence[int], arcs: Sequence[Sequence[Point]]) -> list[Point]:
    """Join the arcs of one ring; a negative index ~i means arc i walked backwards."""
    points: list[Point] = []
    for index in ring:
        part = list(arcs[index]) if index >= 0 else list(reversed(arcs[~index]))
        points.extend(part[1:] if points else part)
    return points


def unwrap(points: Sequence[Point]) -> list[Point]:
    """Make longitudes run on across 180 degrees; a ring round the pole is closed along the pole."""
    run = [points[0]]
    for lon, lat in points[1:]:
        step = (lon - run[-1][0] + 180.0) % 360.0 - 180.0
        run.append((run[-1][0] + step, lat))
    if abs(run[-1][0] - run[0][0]) > 180.0:
        pole = -90.0 if run[0][1] < 0 else 90.0
        run += [(run[-1][0], pole), (run[0][0], pole), run[0]]
    return run


def ring_paths(points: Sequence[Point]) -> str:
    """Draw a ring, and again one turn away where it reaches over an edge of the map."""
    run = unwrap(points)
    (west, east) = (min(lon for lon, _ in run), max(lon for lon, _ in run))
    turns = [turn for turn in (-360.0, 0.0, 360.0) if west + turn < 180.0 and east + turn > -180.0]
    return "".join(ring_path([(lon + turn, lat) for lon, lat in run]) for turn in turns)


def ring_path(points: Sequence[Point]) -> str:
    """Draw one closed ring as a relative SVG path with whole numbers only."""
    grid = [
        (round((lon + 180.0) * UNITS_PER_DEGREE), round((90.0 - lat) * UNITS_PER_DEGREE))
        for lon, lat in points
    ]
    (x, y) = grid[0]
    parts = [f"M{x} {y}"]
    for next_x, next_y in grid[1:-1]:
        if (next_x, next_y) != (x, y):
            parts.append(f"l{next_x - x} {next_y - y}".replace(" -", "-"))
            (x, y) = (next_x, next_y)
    return "".join(parts) + "z"


def convert(topology: dict[str, Any]) -> dict[str, Any]:
    """Return the asset: path, units per degree and where it comes from."""
    arcs = decode_arcs(topology)
    land = topology["objects"]["land"]
    rings = [
        ring_paths(ring_points(ring, arcs))
        for geometry in land.get("geometries", [land])
        for polygon in (
            geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
        )
        for ring in polygon
    ]
    return {
        "source": "Natural Earth 1:110m land (public domain), by way of world-atlas 2.0.2 (ISC)",
        "units_per_degree": UNITS_PER_DEGREE,
        "path": "".join(rings),
    }


if __name__ == "__main__":
    asset = convert(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    Path(sys.argv[2]).write_text(json.dumps(asset) + "\n", encoding="utf-8")
