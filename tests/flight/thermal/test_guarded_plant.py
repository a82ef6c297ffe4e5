from math import nan

from flight.thermal.guarded_plant import GuardedPlant, Load, Seen
from flight.thermal.horizon import Forecast, LinkWindow, Series
from flight.thermal.plan_guard import Band, GuardReason
from hil.score.day_families import make_day
from hil.score.dve_case import node_model

MODEL = node_model(make_day("hot_eol", 1, 3600))
FULL_J, FLOOR_J = MODEL.battery.energy_max_j, MODEL.battery.energy_floor_j
NONE = Series([(0.0, 0.0)])
WINDOW = LinkWindow(1200.0, 1800.0, 1e8, 0.5)
DARK = Forecast(
    end_s=7200.0,
    sun=Series([(0.0, 1.0), (1000.0, 1.0), (1001.0, 0.0), (2000.0, 0.0), (2001.0, 1.0)]),
    array_w=60.0, heat_w=(NONE, NONE, NONE), windows=(WINDOW,), arrivals_fps=(),
)  # fmt: skip
COOL_K = (310.0, 308.0, 305.0)
WORK = Load(22.0, (17.5, 7.5, 0.0), 0.0)


def seen(now_s, energy_j=FULL_J, array_w=60.0, temp_k=COOL_K):
    return Seen(now_s, energy_j, array_w, temp_k)


def test_what_is_kept_back_is_renewed_once_a_minute_and_when_time_goes_back():
    plant = GuardedPlant(MODEL, DARK)
    plant.sensed(seen(100.0))
    assert plant.renew_due_s == 160.0
    plant.sensed(seen(159.0))
    assert plant.renew_due_s == 160.0
    plant.sensed(seen(160.0))
    assert plant.renew_due_s == 220.0
    plant.sensed(seen(10.0))
    assert plant.renew_due_s == 70.0


def test_a_new_forecast_counts_from_the_next_renewal_on():
    plant = GuardedPlant(MODEL, DARK)
    plant.renew(900.0)
    before = plant.reserve.at(1001.0)
    lit = Forecast(7200.0, Series([(0.0, 1.0)]), 60.0, (NONE,) * 3, (), ())
    plant.look_ahead(lit)
    assert plant.reserve.at(1001.0) == before
    plant.renew(960.0)
    assert plant.reserve.at(1001.0) < before


def test_with_energy_set_aside_work_leaves_what_a_contact_needs_and_says_so():
    plain, aside = GuardedPlant(MODEL, DARK), GuardedPlant(MODEL, DARK, levels=True)
    for plant in (plain, aside):
        plant.renew(1100.0)
    energy_j = plain.reserve.at(1101.0) + 2000.0
    asked = seen(1100.0, energy_j, 0.0)
    assert plain.allow(asked, WORK).work == 1.0
    refused = aside.allow(asked, WORK)
    assert (refused.work, refused.reason) == (0.0, GuardReason.PASS)
    lit = aside.allow(seen(1250.0, energy_j, 0.0), Load(0.0, (0.0,) * 3, 1.0))
    assert lit.link == 1.0


def test_far_from_any_shadow_it_is_the_floor_that_work_is_taken_away_for():
    lit = Forecast(7200.0, Series([(0.0, 1.0)]), 60.0, (NONE,) * 3, (), ())
    plant = GuardedPlant(MODEL, lit)
    plant.renew(0.0)
    refused = plant.allow(seen(0.0, FLOOR_J + 50.0, 20.0), WORK)
    assert (refused.work < 1.0, refused.reason) == (True, GuardReason.FLOOR)


def test_what_runs_may_go_up_to_a_limit_and_what_is_to_begin_must_stay_away_by_a_band():
    plant = GuardedPlant(MODEL, DARK)
    plant.renew(0.0)
    close = seen(0.0, temp_k=[337.0, 336.0, MODEL.nodes[2].limit_k - 1.5])
    little = Load(2.0, (1.4, 0.6, 0.0), 0.0)
    assert plant.allow(close, little).work == 1.0
    banded = plant.allow(close, little, Band(2.0, 0.0))
    assert (banded.reason, banded.node) == (GuardReason.NODE, 2)
    kept_j = plant.reserve.at(1.0)
    scarce = seen(0.0, kept_j + 100.0, 20.0)
    assert plant.allow(scarce, little).work == 1.0
    assert plant.allow(scarce, little, Band(0.0, 500.0)).reason is GuardReason.RESERVE


def test_heat_that_comes_unforeseen_is_reckoned_with_within_a_minute():
    plant = GuardedPlant(MODEL, DARK)
    warm = [340.0, 337.0, 320.0]
    before = plant.allow(plant.sensed(seen(0.0, temp_k=warm)), WORK)
    for second in range(1, 40):  # the sink gains what no load explains
        warm = [warm[0], 337.0 + 0.05 * second, warm[2]]
        looked = plant.sensed(seen(float(second), temp_k=warm))
        allowed = plant.allow(looked, WORK)
        plant.done(looked, Load(0.0, (0.0,) * 3, 0.0))
    assert allowed.work < before.work


def test_a_lost_thermometer_allows_nothing_and_teaches_nothing():
    plant = GuardedPlant(MODEL, DARK)
    for second in range(400):
        looked = plant.sensed(seen(float(second), temp_k=(310.0, nan, 305.0)))
        refused = plant.allow(looked, WORK)
        plant.done(looked, Load(0.0, (0.0,) * 3, 0.0))
        assert (refused.work, refused.reason) == (0.0, GuardReason.SENSOR)
    assert plant.learner.learned.heat_w == [0.0, 0.0, 0.0]


def test_what_energy_is_spared_for_is_the_contact_ahead_then_a_shadow_then_the_floor():
    aside = GuardedPlant(MODEL, DARK, levels=True)
    aside.renew(900.0)
    assert aside.spared_for(900.0) is GuardReason.PASS
    plain = GuardedPlant(MODEL, DARK)
    plain.renew(900.0)
    assert plain.spared_for(900.0) is GuardReason.RESERVE
    always_lit = GuardedPlant(
        MODEL, Forecast(7200.0, Series([(0.0, 1.0)]), 60.0, (NONE,) * 3, (), ())
    )
    always_lit.renew(900.0)
    assert always_lit.spared_for(900.0) is GuardReason.FLOOR
