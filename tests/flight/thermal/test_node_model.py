import pytest
from hypothesis import given
from hypothesis import strategies as st

from flight.thermal.node_model import BatteryModel
from hil.score.day_families import make_day
from hil.score.dve_case import node_model

BATTERY = BatteryModel(
    energy_max_j=200e3, energy_floor_j=150e3, charge_efficiency=0.96, discharge_efficiency=0.9,
    charge_w_max=45.0, discharge_w_max=110.0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("net_w", "change_w"), [(0.0, 0.0), (10.0, 9.6), (45.0, 43.2), (500.0, 43.2), (-9.0, -10.0)]
)
def test_the_battery_takes_what_it_can_and_gives_more_than_arrives(net_w, change_w):
    assert BATTERY.change_w(net_w) == pytest.approx(change_w)


@given(st.floats(-200.0, 200.0), st.floats(-200.0, 200.0))
def test_more_surplus_never_leaves_less_in_the_battery(one, other):
    low, high = sorted((one, other))
    assert BATTERY.change_w(low) <= BATTERY.change_w(high)


def test_results_are_sent_in_order_of_value_a_bit_each_kind_once():
    model = node_model(make_day("sunlit", 1, 3600))
    order = model.send_order()
    density = [model.classes[c].value[v] / model.classes[c].result_bits[v] for v, c in order]
    assert density == sorted(density, reverse=True)
    assert len(set(order)) == model.variant_count * len(model.classes) == 9
