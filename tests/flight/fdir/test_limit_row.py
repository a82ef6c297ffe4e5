import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.fdir.limit_row import Band, Limit

ROW = {
    "name": "die", "channel": "thermal.die_c", "low_red": -20.0, "low_yellow": -10.0,
    "high_yellow": 80.0, "high_red": 90.0, "hysteresis": 3.0, "persistence": 2,
    "stale_after_ns": 5_000_000_000,
}  # fmt: skip


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"low_yellow": 85.0}, "low bounds"),
        ({"low_red": -5.0}, "low_yellow"),
        ({"high_red": 79.0}, "high_yellow"),
        ({"hysteresis": 45.0}, "no band left"),
        ({"hysteresis": -1.0}, "not negative"),
        ({"persistence": 0}, "one sample"),
        ({"stale_after_ns": 0}, "live some time"),
    ],
)
def test_a_row_that_contradicts_itself_is_refused_with_the_reason(bad, said):
    with pytest.raises(ValueError, match=f"limit die: .*{said}"):
        Limit(**{**ROW, **bad})


def test_a_bound_that_is_left_out_is_not_watched():
    row = Limit(
        name="a", channel="b", high_red=5.0, hysteresis=1.0, persistence=1, stale_after_ns=1
    )
    assert row.band_of(-1e300, Band.NOMINAL) is Band.NOMINAL
    assert row.band_of(4.99, Band.NOMINAL) is Band.NOMINAL
    assert row.band_of(5.0, Band.NOMINAL) is Band.RED_HIGH
    assert math.isnan(row.bound(Band.NOMINAL))


@settings(deadline=None, max_examples=300)
@given(st.floats(-50.0, 120.0), st.sampled_from(list(Band)))
def test_a_value_well_inside_clears_and_one_beyond_a_bound_never_does(value, present):
    row = Limit(**ROW)
    band = row.band_of(value, present)
    if -10.0 + 3.0 < value < 80.0 - 3.0:
        assert band is Band.NOMINAL
    if value >= 90.0 or value <= -20.0:
        assert abs(band) == 2
    if 80.0 <= value < 90.0:
        assert band in (Band.YELLOW_HIGH, Band.RED_HIGH)
