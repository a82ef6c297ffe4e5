from hil.score.case_format import public_part
from hil.score.day_families import make_day
from hil.score.policies import POLICIES, PowerAllocator, StepWise
from hil.score.scored_day import best_of

DAY = make_day("hot_eol", 22, 5400)
PUBLIC = public_part(DAY)


class Seen:
    def __init__(self, *temp_k):
        self.temperature_k = list(temp_k)


def caps(governor, *course):
    return [governor.cap_w(Seen(*temp_k)) for temp_k in course]


def test_step_wise_takes_a_step_for_each_second_above_the_trip_and_rising():
    hot = [(345.0 + 0.1 * i, 320.0, 310.0) for i in range(6)]
    assert caps(StepWise(PUBLIC, 0), *hot) == [25.0, 15.0, 7.0, None, None, None]


def test_step_wise_takes_them_back_below_the_trip_and_falling():
    governor = StepWise(PUBLIC, 0)
    caps(governor, (345.0, 320.0, 310.0), (345.1, 320.0, 310.0), (345.2, 320.0, 310.0))
    falling = [(343.0 - i, 320.0, 310.0) for i in range(3)]
    assert caps(governor, *falling) == [15.0, 25.0, 25.0]


def test_the_power_allocator_grants_all_below_its_switch_and_less_the_nearer_the_limit():
    governor = PowerAllocator(PUBLIC, 0, sustainable_w=10.0)
    assert caps(governor, (320.0, 320.0, 310.0)) == [25.0]
    granted = caps(governor, (340.0, 320.0, 310.0), (345.5, 320.0, 310.0), (348.0, 320.0, 310.0))
    assert granted[0] is not None
    assert sorted(granted, reverse=True, key=lambda w: w or 0.0) == granted
    assert caps(governor, *[(350.0, 320.0, 310.0)] * 30)[-1] is None


def test_the_planner_earns_more_than_every_reference_and_none_passes_a_limit():
    assert set(POLICIES) > {"planner", "guard_alone", "step_wise", "power_allocator", "backlog"}
    scores = {name: best_of(DAY, name) for name in ("planner", "step_wise", "backlog")}
    assert all(score.clean for score in scores.values())
    planner = scores.pop("planner")
    assert planner.net > max(score.net for score in scores.values())


def test_the_same_day_is_flown_the_same_way_again():
    short = make_day("burst", 8, 3600)
    assert best_of(short, "planner") == best_of(short, "planner")


def test_a_day_whose_plant_changes_unseen_costs_value_and_never_a_limit():
    day = make_day("hot_eol", 9, 10_800)
    day["truth"]["plant_changes"] = [
        {"t_s": 1800, "array_scale": 0.75, "emissivity_scale": {"radiator": 0.9}},
        {"t_s": 5400, "base_load_scale": 1.15, "environment_heat_scale": {"radiator": 1.1},
         "rate_scale": 0.7},
    ]  # fmt: skip
    assert best_of(day, "planner").clean
