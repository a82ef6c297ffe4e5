"""The map: where the node flew, in sun and in shadow, and over whom it had contact.

Equirectangular (plate carree) projection, drawn as SVG so that it prints sharply. Coastlines:
Natural Earth 1:110m (assets/coastlines.json).
"""

import bisect
import functools
import json
from collections.abc import Sequence
from importlib import resources

from hil.report import palette
from hil.report.markup import Markup, el, join, not_recorded
from hil.report.run_record import RunRecord
from hil.report.run_values import Contact, Station
from hil.report.timeline import swatch

WIDTH, HEIGHT = 1080.0, 540.0
UNITS_PER_DEGREE = WIDTH / 360.0
TRACK_POINTS = 6000

Point = tuple[float, float, float, float]  # t_s, lat_deg, lon_deg, sunlit 0..1


@functools.cache
def _coastlines() -> tuple[str, float]:
    raw = resources.files("hil.report").joinpath("assets/coastlines.json").read_text("utf-8")
    asset = json.loads(raw)
    return (asset["path"], UNITS_PER_DEGREE / asset["units_per_degree"])


def to_map(lat_deg: float, lon_deg: float) -> tuple[float, float]:
    """Project to map units; longitudes are wrapped to -180..180."""
    lon = (lon_deg + 180.0) % 360.0
    return (lon * UNITS_PER_DEGREE, (90.0 - lat_deg) * UNITS_PER_DEGREE)


def pieces(points: Sequence[Point]) -> list[list[Point]]:
    """Cut a track where it crosses 180 degrees and where sun and shadow change.

    A change of light shares its point with both pieces, so the line has no hole; a crossing of
    the map's edge is carried to the edge on both sides.
    """
    found: list[list[Point]] = []
    current: list[Point] = []
    for point in points:
        if current:
            (t0, lat0, lon0, _) = current[-1]
            jump = (point[2] + 180.0) % 360.0 - (lon0 + 180.0) % 360.0
            if abs(jump) > 180.0:
                edge = 180.0 if jump < 0 else -180.0
                span = jump + 360.0 if jump < 0 else jump - 360.0
                share = (edge - ((lon0 + 180.0) % 360.0 - 180.0)) / span if span else 0.0
                (t, lat) = (t0 + share * (point[0] - t0), lat0 + share * (point[1] - lat0))
                current.append((t, lat, edge * 0.99999, current[-1][3]))
                found.append(current)
                current = [(t, lat, -edge * 0.99999, point[3])]
            elif (point[3] < 0.5) != (current[-1][3] < 0.5):
                current.append(point)
                found.append(current)
                current = []
        current.append(point)
    if len(current) > 1:
        found.append(current)
    return found


def _polyline(points: Sequence[Point], class_: str) -> Markup:
    marks = " ".join("{:.1f},{:.1f}".format(*to_map(lat, lon)) for _, lat, lon, _ in points)
    return el("polyline", points=marks, class_=class_)


def _part(track: Sequence[Point], times: Sequence[float], contact: Contact) -> list[Point]:
    """Cut one contact out of the track, its ends interpolated to the second."""
    first = bisect.bisect_left(times, contact.start_s)
    after = bisect.bisect_right(times, contact.end_s)
    ends = [_at(track, times, contact.start_s), _at(track, times, contact.end_s)]
    inner = list(track[first:after])
    return [p for p in [ends[0], *inner, ends[1]] if p is not None]


def _at(track: Sequence[Point], times: Sequence[float], t_s: float) -> Point | None:
    i = bisect.bisect_right(times, t_s)
    if i == 0 or i >= len(times):
        return None
    (a, b) = (track[i - 1], track[i])
    share = (t_s - a[0]) / (b[0] - a[0])
    step = (b[2] - a[2] + 180.0) % 360.0 - 180.0
    return (t_s, a[1] + share * (b[1] - a[1]), a[2] + share * step, 1.0)


def _graticule() -> list[Markup]:
    marks = []
    for lon in range(-150, 180, 30):
        (x, _) = to_map(0.0, float(lon))
        marks.append(el("line", x1=x, x2=x, y1=0, y2=HEIGHT, class_="grid"))
        if lon % 60 == 0:
            label = f"{abs(lon)}°{'W' if lon < 0 else 'E' if lon > 0 else ''}"
            marks.append(el("text", label, x=x, y=HEIGHT - 5, class_="grid-label"))
    for lat in range(-60, 90, 30):
        (_, y) = to_map(float(lat), 0.0)
        marks.append(el("line", x1=0, x2=WIDTH, y1=y, y2=y, class_="grid"))
        label = f"{abs(lat)}°{'S' if lat < 0 else 'N' if lat > 0 else ''}"
        marks.append(el("text", label, x=4, y=y - 3, class_="grid-label start"))
    return marks


def _station_marks(stations: Sequence[Station], used: frozenset[str]) -> list[Markup]:
    """Draw stations; labels step down when two would lie on each other."""
    taken: list[tuple[float, float]] = []
    marks = []
    for station in sorted(stations, key=lambda s: (-s.lat, s.lon)):
        (x, y) = to_map(station.lat, station.lon)
        label_y = y + 4.0
        while any(abs(label_y - ty) < 13.0 and abs(x - tx) < 110.0 for tx, ty in taken):
            label_y += 13.0
        taken.append((x, label_y))
        left = x > WIDTH - 120.0
        name = station.name or str(station.id)
        in_use = str(station.id) in used or name in used
        marks.append(
            el(
                "g",
                el("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r="4.5"),
                el(
                    "text",
                    name,
                    x=f"{x - 9 if left else x + 9:.1f}",
                    y=f"{label_y:.1f}",
                    class_="left" if left else None,
                ),
                class_="station" if in_use else "station idle",
            )
        )
    return marks


def _ends(track: Sequence[Point]) -> list[Markup]:
    marks = []
    for point, label in ((track[0], "start"), (track[-1], "end")):
        (x, y) = to_map(point[1], point[2])
        diamond = f"M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6-6z"
        marks.append(el("path", d=diamond, class_="end"))
        marks.append(el("text", label, x=f"{x + 9:.1f}", y=f"{y - 5:.1f}", class_="end-label"))
    return marks


def ground_track(record: RunRecord) -> Markup:
    """Make the map with its key."""
    stride = -(-len(record.data.track) // TRACK_POINTS) or 1
    track = record.data.track[::stride]
    if len(track) < 2:
        return not_recorded("Ground track")
    times = [point[0] for point in track]
    (path, scale) = _coastlines()
    contacts = record.data.contacts
    lines = [_polyline(p, "dark" if p[0][3] < 0.5 else "sun") for p in pieces(track)]
    over = [
        _polyline(piece, f"contact {'relay' if contact.kind.upper() == 'RELAY' else 'ogs'}")
        for contact in sorted(contacts, key=lambda c: c.kind.upper() != "RELAY")
        for piece in pieces([(t, lat, lon, 1.0) for t, lat, lon, _ in _part(track, times, contact)])
    ]
    used = frozenset(str(contact.peer) for contact in contacts)
    land = el("path", d=path, transform=f"scale({scale:.4g})", class_="land")
    svg = el(
        "svg",
        el("rect", width=WIDTH, height=HEIGHT, class_="sea"),
        land,
        *_graticule(),
        *over,
        *lines,
        *_station_marks(record.data.stations, used),
        *_ends(track),
        viewBox=f"0 0 {WIDTH:.0f} {HEIGHT:.0f}",
        class_="map",
        role="img",
        aria_label="Ground track on a world map",
    )
    return join(svg, _key(record))


def _key(record: RunRecord) -> Markup:
    kinds = {contact.kind.upper() for contact in record.data.contacts}
    return el(
        "p",
        swatch(palette.AMBER, "track in sunlight", "line"),
        swatch(palette.INK, "track in eclipse", "line"),
        swatch("#4fc39c", "ground pass", "wide") if "OGS" in kinds else None,
        swatch("#b79ad0", "relay contact", "wide") if "RELAY" in kinds else None,
        swatch(palette.GREEN, "ground station", "dot") if record.data.stations else None,
        class_="key",
    )
