import pytest

from hil.score.case_format import check_case
from hil.score.day_causes import REST, causes_of, clairvoyant, clouds_known, limits_of, without
from hil.score.day_families import make_day
from hil.score.scored_day import best_of
from hil.score.value_bound import Limit, value_bound

DAY = make_day("cloudy_link", 24, 7200)


def test_with_the_sky_known_contacts_are_told_as_they_come_and_arrivals_as_before():
    known = clouds_known(DAY)
    told, truth = known["forecast"], DAY["truth"]
    bare = [{k: w[k] for k in ("start_s", "end_s", "rate_bps")} for w in told["link_windows"]]
    assert bare == truth["link_windows"]
    assert {w["clear_probability"] for w in told["link_windows"]} <= {1.0}
    assert told["arrival_fps_hourly"] == DAY["forecast"]["arrival_fps_hourly"]
    check_case(known, "known")


def test_with_all_known_the_hours_of_arrivals_are_those_that_come_bursts_among_them():
    told = clairvoyant(DAY)["forecast"]
    for name, frames in DAY["truth"]["arrivals"].items():
        assert sum(told["arrival_fps_hourly"][name]) * 3600 == pytest.approx(sum(frames))
    assert told["bursts"] is None


@pytest.mark.parametrize("limit", list(Limit))
def test_a_day_without_a_limit_is_a_day_on_which_lifting_it_gains_nothing(limit):
    freed = without(limit, DAY)
    check_case(freed, limit.value)
    bound = value_bound(freed)
    assert limits_of(freed, bound)[limit.value] < 5e-3
    assert bound >= value_bound(DAY) * (1.0 - 1e-6)


def test_a_day_on_which_heat_binds_nothing_is_the_same_to_the_planner_without_that_limit():
    cold = clairvoyant(make_day("cold", 11, 7200))
    net, freed = best_of(cold, "planner").net, best_of(without(Limit.HEAT, cold), "planner").net
    assert freed == pytest.approx(net, rel=0.01)


def test_the_shares_add_up_to_the_gap_and_the_day_itself_is_left_as_it_was():
    before = repr(DAY)
    net, bound = best_of(DAY, "planner").net, value_bound(DAY)
    causes = causes_of(DAY, net, bound)
    assert list(causes) == [
        "forecast: clouds",
        "forecast: arrivals",
        "heat",
        "energy",
        "link",
        REST,
    ]
    assert sum(causes.values()) == pytest.approx(1.0 - net / bound)
    assert repr(DAY) == before
