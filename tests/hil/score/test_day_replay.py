import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from hil.score.day_families import make_day
from hil.score.day_replay import Fault
from hil.score.day_truth import day_truth
from hil.score.dve_case import node_model
from hil.score.guarded_node import Decision
from hil.score.heat_truth import HeatTruth
from hil.score.scored_day import replay_of

DAY = make_day("worst_eclipse", 2, 3600)
TRUTH = day_truth(DAY)
MODEL = node_model(DAY)
IDLE = Decision([])


def started(**changed):
    day = {**DAY, **changed}
    return replay_of(day, day_truth(day))


def run(replay, seconds, decision=IDLE):
    for _ in range(seconds):
        replay.sense()
        replay.act(decision)
    return replay


def test_idle_energy_is_what_array_base_and_idle_leave():
    replay = run(started(), 600)
    battery = MODEL.battery
    net_w = TRUTH.array_w[0] - MODEL.base_w - MODEL.idle_w
    room_j = battery.energy_max_j - replay.start_j
    gained_j = min(net_w * 600 * battery.charge_efficiency, room_j)
    assert replay.energy_j - replay.start_j == pytest.approx(gained_j, rel=1e-9)
    assert replay.shunted_j == pytest.approx(net_w * 600 - gained_j / battery.charge_efficiency)


def test_heat_follows_an_integrator_of_higher_order():
    network, temp_k, heat_w = HeatTruth(MODEL), [330.0, 320.0, 310.0], [17.5, 7.5, 40.0]

    def rate(_, t):
        return network.rate_k_s(t.tolist(), heat_w, [1.0] * 3)

    exact = solve_ivp(rate, (0.0, 300.0), temp_k, method="DOP853", rtol=1e-11, atol=1e-11)
    for _ in range(300):
        temp_k = network.after_second(temp_k, heat_w, [1.0] * 3)
    assert temp_k == pytest.approx(exact.y[:, -1].tolist(), abs=1e-4)


def test_frames_become_results_and_results_are_worth_something_only_when_sent_whole():
    start = int(DAY["truth"]["link_windows"][0]["start_s"])
    replay = run(started(), start - 10)
    bits = MODEL.classes[0].result_bits[0]
    for _ in range(10):
        replay.sense()
        replay.act(Decision([(6, 0, 1.0)]))
    assert replay.stored_bits[0][0] == pytest.approx(bits * int(10 * 10.8))
    replay.sense()
    replay.act(Decision([], 1.0, [(0, 0, 2.5 * bits)]))
    assert replay.value()[0] == 2 * MODEL.classes[0].value[0]


def test_what_does_not_fit_is_lost_and_counted():
    replay = run(started(), 3600)
    arrived = TRUTH.arrivals.sum(axis=0)
    for c, frames in enumerate(MODEL.classes):
        assert replay.waiting[c] == min(arrived[c], frames.frames_max)
    assert replay.lost_frames == sum(
        max(0, n - int(f.frames_max)) for n, f in zip(arrived, MODEL.classes, strict=True)
    )


@pytest.mark.parametrize(
    ("decision", "fault"),
    [
        (Decision([(0, 0, 0.7), (1, 0, 0.7)]), Fault.WORK),
        (Decision([(0, 0, float("nan"))]), Fault.WORK),
        (Decision([], 1.0), Fault.NO_LINK),
        (Decision([], 0.0, [(0, 0, -1.0)]), Fault.NEGATIVE),
        (Decision([], 0.0, [(0, 0, 5.0)]), Fault.STORE),
        (Decision([], 0.0, [], [(0, 0, 3)]), Fault.DISCARD),
    ],
)
def test_what_is_not_legal_is_cut_down_and_counted(decision, fault):
    replay = started()
    replay.sense()
    replay.act(decision)
    assert replay.faults[fault] == 1
    assert replay.value()[0] == 0.0
    assert np.isfinite(replay.energy_j)


def test_more_bits_than_the_link_carries_are_not_sent():
    start = int(DAY["truth"]["link_windows"][0]["start_s"])
    replay = run(started(), start)
    replay.sense()
    replay.stored_bits[0][0] = 1e12
    replay.act(Decision([], 0.5, [(0, 0, 1e12)]))
    assert replay.faults[Fault.LINK] == 1
    assert replay.sent_bits[0][0] == pytest.approx(0.5 * TRUTH.link_bps[start])


def test_a_floor_a_temperature_and_a_discharge_beyond_their_limits_are_counted_by_the_second():
    power = {**DAY["power"], "battery_start_j": MODEL.battery.energy_floor_j + 10.0,
             "array_w": 0.0, "discharge_max_w": 20.0}  # fmt: skip
    replay = run(started(power=power), 60)
    assert replay.over_power_s == 60
    assert 55 <= replay.below_floor_s <= 60
    hot = run(started(), 1)
    hot.temp_k = [400.0, 400.0, 400.0]
    run(hot, 3)
    assert hot.over_temp_s == [3, 3, 3]


work = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 2), st.floats(-0.5, 1.5)), max_size=4)
sends = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.floats(-1e6, 1e9)), max_size=3)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.builds(Decision, work, st.floats(-0.5, 1.5), sends), min_size=1, max_size=30))
def test_no_decision_whatever_breaks_the_books(decisions):
    replay = started()
    for decision in decisions:
        replay.sense()
        replay.act(decision)
        assert all(bits >= 0.0 for row in replay.stored_bits for bits in row)
        assert all(frames >= 0 for frames in replay.waiting)
        assert sum(map(sum, replay.stored_bits)) <= MODEL.store_bits_max
        assert replay.energy_j <= MODEL.battery.energy_max_j + 1e-6
