"""What the command line of `lumenode pass` may say."""

from __future__ import annotations

import argparse
import math
from datetime import UTC, datetime
from pathlib import Path

from flight.one_line_parser import OneLineParser
from hil.ground.stations import STATIONS
from hil.run_command import folder_argument, seed_argument

DEFAULT_SITE = "tenerife"
LEAD_S_MAX = 4_000.0
"""Less than an orbit, so that no earlier pass over the site falls into the lead."""


def pass_parser() -> OneLineParser:
    """Every option of `lumenode pass`; what is out of range is one line."""
    parser = OneLineParser(
        prog="lumenode pass",
        description="Predict the next contacts of an orbit with an optical ground station or a "
        "relay, fly one of them with the whole node, and draw it.",
        epilog="example: lumenode pass --site calern --date 2026-06-21T00:00 --hours 24",
    )
    where = parser.add_mutually_exclusive_group()
    known = ", ".join(each.key for each in STATIONS)
    where.add_argument(
        "--site",
        action="append",
        metavar="NAME",
        help=f"station, may be given several times ({DEFAULT_SITE}); known: {known}",
    )
    where.add_argument(
        "--at", type=_place, metavar="LAT,LON[,ALT_M]", help="a station of your own, degrees"
    )
    where.add_argument("--relay", action="store_true", help="relay satellites instead")
    where.add_argument("--sites", action="store_true", help="list the known stations and end")
    orbit = parser.add_argument_group("orbit")
    orbit.add_argument("--tle", type=Path, metavar="FILE", help="a two-line element set")
    orbit.add_argument("--altitude", type=_between(300, 1500), default=600.0, help="km (600)")
    orbit.add_argument(
        "--ltan", type=_between(0, 23.999), default=18.0, help="local time of its node, h (18)"
    )
    _add_flight_arguments(parser)
    return parser


def _add_flight_arguments(parser: OneLineParser) -> None:
    parser.add_argument(
        "--date",
        type=_date,
        default=datetime.now(UTC).replace(microsecond=0),
        help="look from here on, UTC, such as 2026-06-21T03:30 (now)",
    )
    parser.add_argument("--hours", type=_between(0.2, 240), default=24.0, help="look ahead (24)")
    parser.add_argument(
        "--mask", type=_between(5, 60), default=20.0, help="lowest elevation of a pass, deg (20)"
    )
    parser.add_argument(
        "--contact", type=int, metavar="N", help="which of them to fly (the highest, or first)"
    )
    parser.add_argument("--list", action="store_true", help="only predict")
    parser.add_argument(
        "--lead",
        type=_between(0, LEAD_S_MAX),
        default=2700.0,
        help="seconds of imaging before the contact (2700)",
    )
    parser.add_argument(
        "--rate", type=_between(1e5, 1e11), help="line rate, bit/s (the default mission's)"
    )
    parser.add_argument(
        "--margin", type=_between(-10, 40), default=12.0, help="link margin at the zenith, dB (12)"
    )
    parser.add_argument(
        "--sun", type=_between(0, 45), default=5.0, help="keep-out around the Sun, deg (5)"
    )
    parser.add_argument("--cloud", action="store_true", help="the station has weather")
    parser.add_argument("--seed", type=seed_argument, default=1, help="of fading and weather (1)")
    parser.add_argument("--out", type=folder_argument, help="folder for results (runs/pass)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--debug", action="store_true", help="show the traceback of a broken bench")


class _between:  # noqa: N801  read as a verb: type=_between(0, 1)
    """A number within limits, as argparse wants it."""

    def __init__(self, low: float, high: float) -> None:
        self._low, self._high = low, high

    def __call__(self, text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not self._low <= value <= self._high:
            allowed = f"{self._low:g} to {self._high:g}"
            raise argparse.ArgumentTypeError(f"{text!r}: allowed is {allowed}")
        return value


def _date(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected a date such as 2026-06-21 or 2026-06-21T03:30"
        ) from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    if not 1971 <= found.year <= 2099:
        raise argparse.ArgumentTypeError(f"{text!r}: allowed is 1971 to 2099")
    return found.astimezone(UTC)


def _place(text: str) -> tuple[float, float, float]:
    parts = text.split(",")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) not in (2, 3) or not all(map(math.isfinite, numbers)):
        raise argparse.ArgumentTypeError(f"{text!r}: expected LAT,LON or LAT,LON,ALT_M")
    lat, lon, alt = (*numbers, 0.0)[:3]
    if not (-90 <= lat <= 90 and -180 <= lon <= 180 and -430 <= alt <= 9000):
        raise argparse.ArgumentTypeError(
            f"{text!r}: allowed is -90 to 90, -180 to 180, -430 to 9000 m"
        )
    return lat, lon, alt
