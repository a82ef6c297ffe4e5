"""An element set is flown as it stands, refused in words, and ours reads back as it was."""

import math

import pytest
from sgp4.api import WGS72, Satrec

from hil.plant.constants import DAY_S, NS_PER_S
from hil.plant.element_set import ElementSet, lines_of
from hil.plant.orbit import Orbit, OrbitConfig, julian_date

# A real element set of the first published weather satellite of this series, from the SGP4 report's
# verification set (Vallado et al., AIAA 2006-6753): satellite 28057, near-Earth, near-circular.
LINE1 = "1 28057U 03049A   06177.78615833  .00000060  00000-0  35940-4 0  1836"
LINE2 = "2 28057  98.4283 247.6961 0000884  88.1964 271.9322 14.35478080140550"
EPOCH_NS = 1_151_348_400 * NS_PER_S  # 2006-06-26T19:00:00Z, eight minutes after the set's own


def test_positions_are_those_of_sgp4_whatever_the_zero_of_time() -> None:
    orbit, oracle = (
        Orbit(ElementSet(EPOCH_NS, LINE1, LINE2)),
        Satrec.twoline2rv(LINE1, LINE2, WGS72),
    )
    jd, fraction = julian_date(EPOCH_NS)
    for t_s in (0.0, 1_234.0, 86_400.0):
        error, position, _ = oracle.sgp4(jd, fraction + t_s / DAY_S)
        assert error == 0
        assert math.dist(orbit.position_km(t_s), position) < 1e-5


def test_our_own_orbit_as_an_element_set_is_the_same_to_ten_metres_over_a_day() -> None:
    ours = Orbit(OrbitConfig(EPOCH_NS, altitude_km=555.0, ltan_h=10.5, mean_anomaly_deg=77.0))
    again = Orbit(ElementSet(EPOCH_NS, *lines_of(ours)))
    assert (
        max(math.dist(ours.position_km(t), again.position_km(t)) for t in (0.0, 4e4, 86400.0))
        < 0.02
    )
    assert again.elements_utc_s == pytest.approx(ours.elements_utc_s, abs=1e-3)


def with_checksum(line: str) -> str:
    from sgp4.io import fix_checksum  # noqa: PLC0415

    return fix_checksum(line[:68])


@pytest.mark.parametrize(
    ("line1", "line2", "epoch_ns", "why"),
    [
        (LINE1[:-1], LINE2, EPOCH_NS, "69 characters"),
        (LINE2, LINE1, EPOCH_NS, "line 1"),
        (LINE1[:-1] + "7", LINE2, EPOCH_NS, "checksum"),
        (
            LINE1,
            with_checksum(LINE2.replace("14.35478080", "02.00561730")),
            EPOCH_NS,
            "revolutions",
        ),
        (LINE1, with_checksum(LINE2.replace("0000884", "1000884")), EPOCH_NS, "eccentricity"),
        (LINE1, LINE2, EPOCH_NS + 61 * 86_400 * NS_PER_S, "days away"),
    ],
)
def test_what_cannot_be_flown_is_refused_in_words(
    line1: str, line2: str, epoch_ns: int, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        ElementSet(epoch_ns, line1, line2)
