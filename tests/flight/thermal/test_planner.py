from dataclasses import replace

import pytest

from flight.thermal.heat_network import reduce_network
from flight.thermal.horizon import LinkWindow
from flight.thermal.planner import SEEN_CUT, SEEN_DARK, ContactSight, Planner, PlanState
from flight.thermal.plant_learner import Learned
from hil.score.day_families import make_day
from hil.score.dve_case import forecast, node_model

DAY = make_day("worst_eclipse", 7)
MODEL, FORECAST = node_model(DAY), forecast(DAY)
NETWORK = reduce_network(MODEL)
LEARNED = Learned(1.0, MODEL.base_w, [0.0] * 3, 1.0)
STATE = PlanState(
    0.95 * MODEL.battery.energy_max_j, [312.0, 310.0, 308.0], [50.0, 5.0, 0.0],
    [[0.0] * 3 for _ in range(3)],
)  # fmt: skip


def plan(now_s=0.0, state=STATE, learned=LEARNED, known=FORECAST, probability=None):
    return Planner(MODEL, known, NETWORK).plan(now_s, state, learned, probability)


def test_a_day_ahead_is_planned_accurately_within_its_limits():
    made = plan()
    assert made.accurate
    assert made.value > 0.0
    assert made.bought_j < 1.0
    assert made.bought_heat_j < 1.0
    assert made.slots[0].start_s == 0.0
    for slot in made.slots:
        assert sum(share for *_, share in slot.work) <= 1.0 + 1e-3
        assert 0.0 <= slot.link_share <= 1.0


def test_the_same_sight_gives_the_same_plan_to_the_last_bit():
    one, other = plan(), plan()
    assert one == other
    planner = Planner(MODEL, FORECAST, NETWORK)
    planner.plan(0.0, replace_energy(0.8), LEARNED, None)  # nothing stays from it
    assert planner.plan(0.0, STATE, LEARNED, None) == one


def replace_energy(share):
    return replace(STATE, energy_j=share * MODEL.battery.energy_max_j)


def test_more_of_anything_is_never_worth_less():
    base = plan().value
    assert plan(learned=Learned(1.1, MODEL.base_w, [0.0] * 3, 1.0)).value >= base * 0.9999
    assert plan(learned=Learned(0.8, MODEL.base_w, [0.0] * 3, 1.0)).value < base
    assert plan(learned=Learned(1.0, MODEL.base_w + 4.0, [0.0] * 3, 1.0)).value < base
    assert plan(learned=Learned(1.0, MODEL.base_w, [0.0] * 3, 0.6)).value < base
    assert plan(state=replace_energy(0.85)).value < base


def test_scarce_energy_has_a_price_and_plenty_has_none():
    assert plan().prices.joule > 0.0
    plenty = replace(FORECAST, array_w=5.0 * FORECAST.array_w)
    assert plan(known=plenty).prices.joule < 0.2 * plan().prices.joule


def test_without_contacts_nothing_is_computed_for_its_own_sake():
    made = plan(known=replace(FORECAST, windows=()))
    assert made.value == pytest.approx(0.0, abs=10.0)
    assert made.prices.link_mbit >= 0.0


def test_past_the_end_of_the_forecast_there_is_no_plan():
    assert plan(now_s=FORECAST.end_s - 0.5) is None


def test_a_state_that_is_no_number_gives_no_plan():
    assert plan(state=replace(STATE, energy_j=float("nan"))) is None


def test_a_plan_is_read_only_as_far_as_it_will_be_followed():
    made = plan()
    assert made.slot_at(1.0) == made.slots[0]
    assert made.slot_at(made.slots[-1].end_s) is None


def test_an_open_contact_that_stays_dark_is_not_counted_on():
    window = FORECAST.windows[0]
    now_s = window.start_s + 5.0
    full = replace(STATE, stored_bits=[[4e9] * 3 for _ in range(3)])
    seen = plan(now_s=now_s, state=full, probability=1.0)
    dark = plan(now_s=now_s, state=full, probability=SEEN_DARK)
    assert dark.value < seen.value


def test_what_is_seen_of_a_contact_changes_its_outlook_once():
    sight = ContactSight()
    assert not sight.look(None, 0.0)
    assert sight.look(100.0, 0.0)
    assert sight.probability == SEEN_DARK
    assert not sight.look(100.0, 0.0)
    assert sight.look(100.0, 1e8)
    assert sight.probability == 1.0
    assert sight.look(100.0, 0.0)
    assert sight.probability == SEEN_CUT
    assert sight.look(None, 0.0)
    assert sight.probability is None


def test_what_could_go_now_is_not_left_to_a_last_contact_that_clouds_may_take():
    day = make_day("hot_eol", 7)
    model, known = node_model(day), forecast(day)
    now_s = known.end_s - 5_000.0
    rate_bps = known.windows[0].rate_bps
    bits = [[0.0] * 3, [8e9, 0.0, 0.0], [0.0] * 3]
    hot = replace(STATE, temp_k=[338.0, 334.0, 334.0], stored_bits=bits)

    def sent_now(clear):
        windows = (
            LinkWindow(now_s, now_s + 300.0, rate_bps, 0.9),
            LinkWindow(known.end_s - 600.0, known.end_s - 100.0, rate_bps, clear),
        )
        planner = Planner(model, replace(known, windows=windows), reduce_network(model))
        learned = Learned(1.0, model.base_w, [0.0] * 3, 1.0)
        made = planner.plan(now_s, hot, learned, 1.0)
        open_slots = [s for s in made.slots if s.start_s < now_s + 300.0]
        return sum(s.link_share * (s.end_s - s.start_s) for s in open_slots)

    assert sent_now(1.0) < 1.0, "the laser's heat is cheaper later"
    assert sent_now(0.9) > 60.0
