"""Contacts ahead: those of the geometry, in order, and the one worth flying."""

from itertools import pairwise

from hil.ground.stations import station
from hil.passes.forecast import RELAY_CONTACT_S, best, relay_duty, relays_ahead, stations_ahead
from hil.plant.orbit import Orbit, OrbitConfig

ORBIT = Orbit(OrbitConfig(1_782_000_000 * 1_000_000_000))
DAY_S = 86_400.0
SUN_DEG = 5.0
SITES = (station("calern"), station("haleakala"))


def test_passes_stand_above_the_mask_from_rise_to_set_and_come_in_order() -> None:
    found = stations_ahead(ORBIT, SITES, DAY_S, 20.0, SUN_DEG)
    assert [each.number for each in found] == list(range(1, len(found) + 1))
    assert [each.start_s for each in found] == sorted(each.start_s for each in found)
    assert {each.peer for each in found} == {"calern", "haleakala"}
    for each in found:
        site = station(each.peer).site()
        inside = [site.look(ORBIT, each.start_s + each.length_s * k / 50) for k in range(1, 50)]
        assert min(look.elevation_deg for look in inside) > 20.0
        assert abs(max(look.elevation_deg for look in inside) - each.max_elevation_deg) < 0.5
        assert abs(min(look.range_km for look in inside) - each.range_km_min) < 5.0
        assert site.look(ORBIT, each.start_s - 5.0).elevation_deg < 20.0
        assert site.look(ORBIT, each.end_s + 5.0).elevation_deg < 20.0


def test_a_pass_that_has_begun_is_not_ahead() -> None:
    first = stations_ahead(ORBIT, SITES, DAY_S, 20.0, SUN_DEG)[0]
    epoch_ns = round((1_782_000_000 + first.start_s + 10.0) * 1e9)
    later = Orbit(OrbitConfig(epoch_ns, mean_anomaly_deg=0.0))
    assert all(each.start_s >= 0.0 for each in stations_ahead(later, SITES, DAY_S, 20.0, SUN_DEG))


def test_the_highest_pass_is_the_one_worth_flying() -> None:
    found = stations_ahead(ORBIT, SITES, DAY_S, 20.0, SUN_DEG)
    assert best(found).max_elevation_deg == max(each.max_elevation_deg for each in found)


def test_relays_follow_one_another_and_the_first_is_flown() -> None:
    found = relays_ahead(ORBIT, 7_200.0, 5, SUN_DEG)
    assert len(found) == 5
    assert all(0.0 < each.length_s <= RELAY_CONTACT_S + 1e-6 for each in found)
    assert all(b.start_s >= a.end_s for a, b in pairwise(found))
    assert best(found).number == 1
    assert all(each.max_elevation_deg is None and each.clear_fraction is None for each in found)


def test_a_wider_keep_out_takes_more_of_the_same_contacts() -> None:
    narrow, wide = (stations_ahead(ORBIT, SITES, DAY_S, 20.0, deg) for deg in (0.0, 40.0))
    assert [each.start_s for each in narrow] == [each.start_s for each in wide]
    assert all(each.sun_s == 0.0 for each in narrow)
    assert any(each.sun_s > 0.0 for each in wide)
    assert all(0.0 <= each.sun_s <= each.length_s + 1e-6 for each in wide)
    clear = [each for each in wide if not each.sun]
    assert best(wide) in clear


def test_a_second_terminal_is_worth_what_acquisitions_cost_the_first() -> None:
    quick, slow = relay_duty(ORBIT, 1.0), relay_duty(ORBIT, 30.0)
    assert slow.one_terminal < quick.one_terminal <= quick.two_terminals <= 1.0
    assert slow.one_terminal < slow.two_terminals
