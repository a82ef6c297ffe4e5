"""The slow parts of an emulated terminal."""

from hil.terminal.mount_and_heat import (
    AMBIENT_MDEGC,
    OVERHEAT_CLEAR_MDEGC,
    OVERHEAT_SET_MDEGC,
    RATE_UDEG_PER_S,
    SLEW_NS,
    Heat,
    Mount,
)

S = 1_000_000_000


def test_a_mount_turns_at_its_rate_and_stops_where_it_was_told() -> None:
    mount = Mount()
    mount.step(0, (0, 0), 0, stuck=False)
    mount.step(0, (5_000_000, -1_000_000), S, stuck=False)
    assert (mount.azimuth_udeg, mount.elevation_udeg) == (RATE_UDEG_PER_S, -1_000_000)
    mount.step(0, (5_000_000, -1_000_000), 60 * S, stuck=False)
    assert (mount.azimuth_udeg, mount.elevation_udeg) == (5_000_000, -1_000_000)


def test_a_peer_is_in_view_only_after_the_slew() -> None:
    mount = Mount()
    mount.step(9, (0, 0), S, stuck=False)
    assert mount.looks_at(S + SLEW_NS - 1) == 0
    assert mount.looks_at(S + SLEW_NS) == 9
    mount.step(8, (0, 0), S + SLEW_NS, stuck=False)
    assert mount.looks_at(S + SLEW_NS) == 0


def test_a_stuck_mount_stays_and_needs_the_time_again_that_it_was_stuck() -> None:
    mount = Mount()
    mount.step(9, (10**8, 0), 0, stuck=False)
    mount.step(9, (10**8, 0), 10 * S, stuck=True)
    assert (mount.azimuth_udeg, mount.looks_at(10 * S)) == (0, 0)
    mount.step(9, (10**8, 0), 10 * S + SLEW_NS, stuck=False)
    assert mount.looks_at(10 * S + SLEW_NS) == 9


def run(heat: Heat, seconds: range, *, heater: bool, laser_w: float = 0.0) -> None:
    for second in seconds:
        heat.step(laser_w, 14.0, second * S, heater=heater)


def test_a_lit_laser_is_warmer_than_a_dark_one_and_both_stay_below_the_limit() -> None:
    dark, lit = Heat(), Heat()
    run(dark, range(3000), heater=False)
    run(lit, range(3000), heater=False, laser_w=22.0)
    assert AMBIENT_MDEGC == dark.laser_mdegc < lit.laser_mdegc < OVERHEAT_SET_MDEGC
    assert not lit.too_hot


def test_too_hot_is_left_only_below_the_band() -> None:
    heat = Heat()
    run(heat, range(600), heater=True)
    assert heat.too_hot
    seen = set()
    for second in range(600, 1200):
        heat.step(0.0, 14.0, second * S, heater=False)
        seen.add((heat.too_hot, heat.electronics_mdegc < OVERHEAT_CLEAR_MDEGC))
    assert (True, True) not in seen
    assert (False, False) not in seen
    assert not heat.too_hot


def test_time_in_small_steps_warms_as_in_large_ones() -> None:
    small, large = Heat(), Heat()
    for step in range(1001):
        small.step(22.0, 14.0, step * S // 10, heater=False)
    large.step(22.0, 14.0, 0, heater=False)
    large.step(22.0, 14.0, 100 * S, heater=False)
    assert abs(small.laser_mdegc - large.laser_mdegc) <= 2
