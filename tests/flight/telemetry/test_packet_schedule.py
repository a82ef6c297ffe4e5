import itertools
from math import nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.commanding.parameters import ParameterTable
from flight.telemetry.dictionary import CHANNEL_INDEX, CHANNELS, GROUPS
from flight.telemetry.packet_schedule import PacketSchedule

S = 1_000_000_000
BUS = CHANNEL_INDEX["power.bus_w"]
BAND = CHANNELS[BUS].dead_band


def parameters(**rates):
    table = {f"telemetry.power.{name}": value for name, value in rates.items()}
    return ParameterTable({"telemetry.period_s": 600.0} | table)


def row(bus_w=20.0):
    values = [0.0] * len(CHANNELS)
    values[BUS] = bus_w
    return values


def times(schedule, rows):
    """When the power group was due, given one row a second."""
    return [t for t, each in enumerate(rows) if "power" in schedule.due(each, t * S)]


def test_every_group_is_due_at_the_start_and_once_a_period():
    schedule = PacketSchedule(ParameterTable({"telemetry.period_s": 10.0}))
    due = {t: schedule.due(row(), t * S) for t in range(31)}
    assert {t for t, groups in due.items() if groups} == {0, 10, 20, 30}
    assert all(groups == list(GROUPS) for groups in due.values() if groups)


def test_a_group_at_rest_comes_at_its_ceiling_and_not_sooner():
    schedule = PacketSchedule(parameters(floor_s=2.0, ceiling_s=20.0))
    assert times(schedule, [row()] * 61) == [0, 20, 40, 60]


def test_a_group_that_moves_comes_at_its_floor_and_not_sooner():
    schedule = PacketSchedule(parameters(floor_s=5.0, ceiling_s=60.0))
    assert times(schedule, [row(20.0 + t) for t in range(21)]) == [0, 5, 10, 15, 20]


def test_a_move_within_the_dead_band_asks_for_no_packet_also_when_it_creeps():
    schedule = PacketSchedule(parameters(floor_s=1.0, ceiling_s=60.0))
    noise = [row(20.0 + (BAND * 0.9 if t % 2 else 0.0)) for t in range(30)]
    assert times(schedule, noise) == [0]
    creeping = [row(20.0 + t * BAND * 0.4) for t in range(10)]
    assert times(PacketSchedule(parameters(floor_s=1.0, ceiling_s=60.0)), creeping) == [0, 3, 6, 9]


def test_a_value_that_becomes_invalid_or_valid_again_asks_for_a_packet():
    schedule = PacketSchedule(parameters(floor_s=1.0, ceiling_s=60.0))
    rows = [row(), row(), row(nan), row(nan), row(), row()]
    assert times(schedule, rows) == [0, 2, 4]


def test_a_group_is_stopped_and_started_by_itself_and_starts_at_once():
    table = parameters(ceiling_s=10.0)
    schedule = PacketSchedule(table)
    assert times(schedule, [row()] * 2) == [0]
    table.set("telemetry.power.enabled", 0.0)
    groups = schedule.due(row(), 600 * S)
    assert groups == [group for group in GROUPS if group != "power"]
    table.set("telemetry.power.enabled", 1.0)
    assert schedule.due(row(), 601 * S) == ["power"]


def test_another_rate_holds_at_once():
    table = parameters()
    schedule = PacketSchedule(table)
    schedule.due(row(), 0)
    assert schedule.due(row(), 20 * S) == []
    table.set("telemetry.period_s", 1.0)
    assert schedule.due(row(), 21 * S) == list(GROUPS)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 30), st.integers(1, 60),
    st.lists(st.one_of(st.just(nan), st.floats(-50, 50)), min_size=2, max_size=150),
)  # fmt: skip
def test_never_sooner_than_the_floor_and_never_later_than_the_ceiling(floor_s, ceiling_s, values):
    schedule = PacketSchedule(parameters(floor_s=float(floor_s), ceiling_s=float(ceiling_s)))
    due = times(schedule, [row(value) for value in values])
    assert due[0] == 0
    gaps = [late - early for early, late in itertools.pairwise(due)]
    assert all(gap <= ceiling_s for gap in [*gaps, len(values) - 1 - due[-1]])
    on_grid = [late % ceiling_s == 0 for late in due[1:]]
    for gap, at_ceiling in zip(gaps, on_grid, strict=True):
        assert at_ceiling or gap >= max(floor_s, 1)


@pytest.mark.parametrize("name", ["system.cycles", "power.eclipse_in_s", "event.total"])
def test_what_moves_by_itself_never_asks(name):
    assert CHANNELS[CHANNEL_INDEX[name]].dead_band is None
