"""The Sun beside a line of sight: both ends count, the Earth's shadow does, windows are whole."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.plant.constants import R_EARTH_KM
from hil.plant.orbit import Orbit, OrbitConfig
from hil.plant.sun_eclipse import sun_of, sunlit_fraction
from hil.plant.sun_keep_out import (
    UNSEEN_DEG,
    keep_outs,
    line_sun_angle_deg,
    sun_angle_deg,
)

ORBIT = Orbit(OrbitConfig(1_782_000_000 * 1_000_000_000, ltan_h=12.0))
SUN = (1.0, 0.0, 0.0)
HIGH_KM = R_EARTH_KM + 550.0


def test_the_angle_is_that_between_the_line_and_the_sun():
    eye = (0.0, HIGH_KM, 0.0)
    assert sun_angle_deg(eye, (100.0, HIGH_KM, 0.0), SUN) == pytest.approx(0.0)
    assert sun_angle_deg(eye, (100.0, HIGH_KM + 100.0, 0.0), SUN) == pytest.approx(45.0)
    assert sun_angle_deg(eye, (-100.0, HIGH_KM, 0.0), SUN) == pytest.approx(180.0)


def test_in_the_shadow_of_the_earth_there_is_no_sun_to_keep_out():
    behind = (-HIGH_KM, 0.0, 0.0)
    assert sun_angle_deg(behind, (HIGH_KM, 0.0, 0.0), SUN) == UNSEEN_DEG
    beside = (-HIGH_KM, R_EARTH_KM + 1.0, 0.0)
    assert sun_angle_deg(beside, (0.0, R_EARTH_KM + 1.0, 0.0), SUN) == pytest.approx(0.0)


@settings(deadline=None, max_examples=60)
@given(st.floats(0.0, 86_400.0))
def test_the_shadow_is_that_of_the_plants_eclipse(t_s):
    node, sun = ORBIT.position_km(t_s), sun_of(ORBIT, t_s)
    towards = tuple(p + 100.0 * s for p, s in zip(node, sun.direction, strict=True))
    hidden = sun_angle_deg(node, towards, sun.direction) == UNSEEN_DEG
    light = sunlit_fraction(node, sun)
    assert not (hidden and light == 1.0)
    assert hidden or light > 0.0


def ahead(offset_km):
    """A peer on the node's own path, so far before it."""
    return lambda t_s: ORBIT.position_km(t_s + offset_km / 7.6)


@settings(deadline=None, max_examples=20)
@given(st.floats(0.0, 80_000.0), st.floats(1.0, 30.0), st.floats(200.0, 3_000.0))
def test_inside_a_window_the_sun_is_too_close_at_one_end_and_outside_it_is_not(
    start_s, limit_deg, offset_km
):
    span = (start_s, start_s + 900.0)
    windows = keep_outs(ORBIT, ahead(offset_km), span, limit_deg=limit_deg)
    assert all(a[1] <= b[0] for a, b in pairwise(windows))
    for second in range(901):
        t_s = start_s + second
        close = line_sun_angle_deg(ORBIT, ahead(offset_km), t_s) < limit_deg
        edge = any(abs(t_s - at) < 0.01 for window in windows for at in window)
        inside = any(begin_s <= t_s < end_s for begin_s, end_s in windows)
        assert edge or t_s >= span[1] or inside is close


def test_both_ends_are_asked():
    """Peer before or behind on one path: the same line, seen from its other end."""
    for t_s in range(0, 6_000, 60):
        there = line_sun_angle_deg(ORBIT, ahead(1_000.0), t_s)
        back = line_sun_angle_deg(ORBIT, ahead(-1_000.0), t_s + 1_000.0 / 7.6)
        assert there == pytest.approx(back, abs=0.01)


def test_a_guard_widens_windows_and_joins_those_that_touch():
    everything = (0.0, 6_000.0)
    bare = keep_outs(ORBIT, ahead(800.0), everything, limit_deg=20.0)
    assert bare
    wide = keep_outs(ORBIT, ahead(800.0), everything, limit_deg=20.0, guard_s=2.0)
    edges = [at for begin_s, end_s in bare for at in (begin_s - 2.0, end_s + 2.0)]
    assert [at for window in wide for at in window] == pytest.approx(edges)
    joined = keep_outs(ORBIT, ahead(800.0), everything, limit_deg=20.0, guard_s=6_000.0)
    assert len(joined) == 1
    assert math.isclose(joined[0][0], bare[0][0] - 6_000.0)
