import builtins

import pytest

from hil.score.day_causes import clairvoyant
from hil.score.day_families import make_day
from hil.score.kept_limits import Kept
from hil.score.run_split import replayed, ruled
from hil.score.scored_day import best_of
from hil.score.value_bound import BoundUnavailableError, Limit, value_bound

DAYS = [
    make_day(family, seed, 3600)
    for family, seed in (("hot_eol", 22), ("cloudy_link", 7), ("burst", 8))
]
"""Each with a contact within the hour."""


@pytest.mark.parametrize("day", DAYS, ids=lambda day: day["name"])
def test_no_governor_exceeds_the_bound_even_when_it_knows_the_day(day):
    bound = value_bound(day)
    assert best_of(day, "planner").net <= bound
    assert best_of(clairvoyant(day), "planner").net <= bound


@pytest.mark.parametrize("limit", list(Limit))
def test_without_a_limit_the_bound_is_no_lower(limit):
    assert value_bound(DAYS[0], frozenset({limit})) >= value_bound(DAYS[0]) * (1.0 - 1e-6)


def test_what_binds_a_hot_day_is_heat_and_a_cloudy_one_the_link():
    cloudy, hot = DAYS[1], make_day("hot_eol", 9, 3600)
    for node in hot["thermal"]["nodes"]:
        node["start_k"] = node["max_k"] - 1.0
    assert value_bound(hot, frozenset({Limit.HEAT})) > 1.02 * value_bound(hot)
    assert value_bound(cloudy, frozenset({Limit.LINK})) > 1.02 * value_bound(cloudy)


def hot_start():
    """A day that begins above what its node keeps, so that it may compute only once it is cool."""
    day = make_day("sunlit", 3, 3600)
    warm = {node["name"]: node["start_k"] - 273.15 for node in day["thermal"]["nodes"]}
    return day, Kept({name: c - 2.0 for name, c in warm.items() if name == "radiator"})


@pytest.mark.parametrize("day", DAYS, ids=lambda day: day["name"])
def test_rules_of_a_node_never_raise_the_bound_and_rules_that_never_bind_leave_it(day):
    free = value_bound(day)
    loose = Kept({node["name"]: node["max_k"] for node in day["thermal"]["nodes"]}, 1e6)
    assert value_bound(day, kept=loose) == pytest.approx(free, rel=1e-6)
    assert value_bound(day, kept=Kept({}, 3.0)) <= free + 1e-9 * abs(free)


def test_a_node_that_computes_nothing_above_a_target_exceeds_no_bound_that_keeps_it():
    day, kept = hot_start()
    flown = replayed(clairvoyant(ruled(day, kept)), kept)
    bound = value_bound(day, kept=kept)
    assert flown.above_s == 0
    assert 0.0 < flown.value <= bound < 0.99 * value_bound(day)


def test_without_heat_a_target_costs_the_bound_nothing():
    day, kept = hot_start()
    lifted = frozenset({Limit.HEAT})
    assert value_bound(day, lifted, kept) == pytest.approx(value_bound(day, lifted), rel=1e-9)


def test_a_day_without_contacts_is_worth_nothing_to_anyone():
    day = {**DAYS[0], "truth": {**DAYS[0]["truth"], "link_windows": []}}
    assert value_bound(day) == pytest.approx(0.0, abs=1e-3)


def test_without_scipy_one_line_says_how_to_have_a_bound(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("scipy"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BoundUnavailableError, match=r"pip install 'lumenode\[score\]'"):
        value_bound(DAYS[0])
