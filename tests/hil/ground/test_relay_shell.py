"""The relay shell: pattern, line of sight, and the plan it gives."""

import itertools
import math

import pytest

from hil.ground.relay_shell import PEER_ID_BASE, RelayShell, ShellConfig, relay_contacts
from hil.plant.constants import R_EARTH_KM
from hil.plant.orbit import Orbit, OrbitConfig

ORBIT = Orbit(OrbitConfig(1_782_012_600 * 1_000_000_000))
SMALL = ShellConfig(satellites=264, planes=24, phasing=5)


@pytest.fixture(scope="module")
def shell() -> RelayShell:
    return RelayShell(SMALL, ORBIT)


def test_neighbours_of_the_pattern_stand_apart_as_walker_says(shell: RelayShell) -> None:
    def unit(k: int) -> list[float]:
        r = shell.position_km(k, 0.0)
        return [each / math.hypot(*r) for each in r]

    a, b = unit(0), unit(1)
    apart = math.degrees(math.acos(sum(x * y for x, y in zip(a, b, strict=True))))
    assert apart == pytest.approx(360.0 / 11, abs=0.1)
    assert math.asin(max(unit(k)[2] for k in range(264))) == pytest.approx(
        math.radians(53.0), abs=0.01
    )


def test_all_relays_fly_at_the_shells_height(shell: RelayShell) -> None:
    for k in range(0, 264, 13):
        height = math.hypot(*shell.position_km(k, 500.0)) - R_EARTH_KM
        assert height == pytest.approx(550.0, abs=15.0)


def test_the_array_and_the_scalar_geometry_agree(shell: RelayShell) -> None:
    times, usable = shell.visibility(0.0, 600.0)
    for column, t_s in enumerate(times):
        for row in range(0, 264, 7):
            assert usable[row, column] == (shell.clearance(row, t_s) > 0.0)


def test_contacts_are_in_sight_in_range_in_order_and_never_two_at_once() -> None:
    shell = RelayShell(SMALL, ORBIT)
    plan = shell.contacts(0.0, 12_000.0)
    assert len(plan) >= 4
    for each in plan:
        row = each.peer_id - PEER_ID_BASE
        assert 120.0 <= each.end_s - each.start_s <= 900.0
        assert each.range_km_max <= 4000.0 + 0.1
        for k in range(1, 10):
            inside_s = each.start_s + k * (each.end_s - each.start_s) / 10.0
            assert shell.clearance(row, inside_s) > 0.0
    assert all(a.end_s <= b.start_s for a, b in itertools.pairwise(plan))


def test_the_choice_is_the_relay_that_stays_longest(shell: RelayShell) -> None:
    plan = shell.contacts(0.0, 3000.0)
    first = plan[0]
    chosen = first.peer_id - PEER_ID_BASE

    def stay(row: int) -> float:
        t_s = first.start_s
        while shell.clearance(row, t_s) > 0.0 and t_s < first.start_s + 3000.0:
            t_s += 60.0
        return t_s - first.start_s

    assert stay(chosen) >= max(stay(row) for row in range(264)) - 60.0


def test_a_dense_shell_is_almost_always_in_reach() -> None:
    plan = relay_contacts(ORBIT, 0.0, 6000.0)
    assert sum(each.end_s - each.start_s for each in plan) > 0.85 * 6000.0


def test_the_plan_is_bounded_and_repeats(shell: RelayShell) -> None:
    few = RelayShell(ShellConfig(satellites=264, planes=24, phasing=5, contacts_max=2), ORBIT)
    assert len(few.contacts(0.0, 12_000.0)) == 2
    assert few.contacts(0.0, 12_000.0) == shell.contacts(0.0, 12_000.0)[:2]


def test_the_channels_geometry_has_no_air(shell: RelayShell) -> None:
    contact = shell.contacts(0.0, 3000.0)[0]
    geometry = shell.geometry(contact)
    assert geometry.elevation_deg is None
    assert geometry.duration_s == math.floor(contact.end_s - contact.start_s)
    assert max(geometry.range_km) <= 4000.1


@pytest.mark.parametrize("bad", [{"planes": 25}, {"range_km_max": 0.0}, {"dwell_s_min": 1000.0}])
def test_a_shell_that_cannot_be_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each message names its own figure
        ShellConfig(**bad)
