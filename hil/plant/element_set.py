"""Two-line element sets: orbits of real satellites, and ours in a form that others read.

Format: Kelso, "NORAD two-line element set format", CelesTrak. SGP4 is near-Earth only here: the
plant's heat and light know circular low orbits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sgp4.api import WGS72, Satrec
from sgp4.exporter import export_tle
from sgp4.io import compute_checksum, verify_checksum

from hil.plant.constants import DAY_S, NS_PER_S, UNIX_EPOCH_JD

if TYPE_CHECKING:
    from hil.plant.orbit import Orbit

LINE_CHARS = 69
REV_PER_DAY_MIN, REV_PER_DAY_MAX = 11.25, 16.6
"""About 2,000 km to 150 km of altitude."""
ECCENTRICITY_MAX = 0.05
AGE_DAYS_MAX = 60.0
"""Further from its epoch an element set is off by hundreds of kilometres along the track."""


@dataclass(frozen=True, slots=True)
class ElementSet:
    """An orbit given by a two-line element set; t = 0 is `epoch_utc_ns`, not the set's own epoch.

    Raises:
        ValueError: no element set, a wrong checksum, not a low orbit, or too far from `epoch`.
    """

    epoch_utc_ns: int
    line1: str
    line2: str

    def __post_init__(self) -> None:
        """Refuse what cannot be flown, in words."""
        for number, line in (("1", self.line1), ("2", self.line2)):
            if len(line) != LINE_CHARS or not line.startswith(f"{number} "):
                raise ValueError(f"line {number} must have {LINE_CHARS} characters, '{number} ...'")
            try:
                verify_checksum(line)
            except ValueError:
                expected = compute_checksum(line)
                raise ValueError(f"line {number}: checksum {line[-1]}, not {expected}") from None
        satrec = self.satrec()
        if satrec.error:
            raise ValueError(f"SGP4 refuses it, error {satrec.error}")
        revolutions = satrec.no_kozai * 1440.0 / (2.0 * math.pi)
        if not REV_PER_DAY_MIN <= revolutions <= REV_PER_DAY_MAX:
            raise ValueError(
                f"{revolutions:.4f} revolutions a day: allowed is {REV_PER_DAY_MIN:g} to "
                f"{REV_PER_DAY_MAX:g}"
            )
        if satrec.ecco > ECCENTRICITY_MAX:
            raise ValueError(f"eccentricity {satrec.ecco:.4f}: at most {ECCENTRICITY_MAX:g}")
        own_days = satrec.jdsatepoch - UNIX_EPOCH_JD + satrec.jdsatepochF
        age_days = abs(self.epoch_utc_ns / NS_PER_S / DAY_S - own_days)
        if age_days > AGE_DAYS_MAX:
            raise ValueError(
                f"its epoch is {age_days:.0f} days away: at most {AGE_DAYS_MAX:g}, take a newer one"
            )

    def satrec(self) -> Satrec:
        """The record for SGP4."""
        return Satrec.twoline2rv(self.line1, self.line2, WGS72)


def lines_of(orbit: Orbit) -> tuple[str, str]:
    """An orbit as an element set, to the format's seven or eight digits."""
    line1, line2 = export_tle(orbit.satrec)
    return line1, line2
