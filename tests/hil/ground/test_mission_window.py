"""The search for an epoch finds windows that hold what they promise."""

from hil.ground.mission_window import judge, search, station_passes
from hil.ground.stations import station
from hil.plant.orbit import Orbit, OrbitConfig

DAY_NS = 1_782_000_000 * 1_000_000_000  # 2026-06-21
PAIR = (station("calern"), station("tenerife"))


def test_the_default_epoch_holds_one_good_pass_in_each_later_orbit() -> None:
    window = judge(OrbitConfig(DAY_NS + 12_600 * 1_000_000_000), PAIR)
    assert window is not None
    period_s = window.duration_s / 3
    first, second = window.passes
    assert (first.station.key, second.station.key) == ("calern", "tenerife")
    assert period_s <= first.look.rise_s < first.look.set_s <= 2 * period_s
    assert 2 * period_s <= second.look.rise_s < second.look.set_s < window.duration_s
    assert window.quality > 50.0


def test_the_search_offers_only_windows_that_pass_again_best_first() -> None:
    found = search(DAY_NS, mean_anomalies_deg=(0.0,), step_s=1800, stations=PAIR)
    assert found
    assert all(judge(each.orbit, PAIR) == each for each in found)
    assert [each.quality for each in found] == sorted((e.quality for e in found), reverse=True)


def test_a_start_without_two_good_passes_is_no_window() -> None:
    assert judge(OrbitConfig(DAY_NS + 43_200 * 1_000_000_000), PAIR) is None


def test_passes_come_in_order_of_rise() -> None:
    orbit = Orbit(OrbitConfig(DAY_NS + 12_600 * 1_000_000_000))
    rises = [each.look.rise_s for each in station_passes(orbit, 0.0, 17_400.0)]
    assert rises == sorted(rises)
    assert len(rises) > 5
