"""Limits and recoveries joined: what stands, for how long, and what is told."""

import dataclasses
from math import isfinite, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.fdir.health_table import HealthCause
from flight.fdir.health_watch import HealthWatch
from flight.fdir.recovery_load import LimitTuning, RecoverySet, RowTuning
from flight.fdir.safety_net import NOTHING, SafetyNet, Standing
from flight.fdir.safety_tables import (
    BEAM_DRIFT,
    BLIND_CYCLES_MAX,
    LASER_DRIFT,
    PAYLOAD_DRIFT,
    RECOVERIES,
    battery_limit,
    node_limits,
)
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.event_log import EventLog
from flight.telemetry.health_channels import COMPONENTS

S = 1_000_000_000
DIE_LIMIT_C, SAFE, FLOOR = 85.0, 0.40, 0.55
FINE = {
    "power.soc_estimate": 0.9,
    "thermal.die_c": 40.0,
    "thermal.sink_c": 35.0,
    "battery.temp_c": 15.0,
    "thermal.terminal_c": 20.0,
}


class Room:
    def __init__(self):
        self.channels, self.events, self.t = ChannelValues(), EventLog(1_000), 0
        limits = node_limits(die_limit_c=DIE_LIMIT_C, soc_safe=SAFE, soc_floor=FLOOR)
        self.health = HealthWatch(self.channels, self.events)
        self.net = SafetyNet(limits, self.health, self.channels, self.events, 0)

    def cycles(
        self, count=1, *, blind=0, command_lost=False, guard_tripped=False, drifts=(), **values
    ):
        standing = NOTHING
        changed = {name.replace("__", "."): value for name, value in values.items()}
        for i in range(count):
            self.t += 1
            for name, value in (FINE | changed).items():
                self.channels.values[self.channels.index(name)] = value
            standing = self.net.update(
                self.t * S,
                blind_cycles=blind + i if blind else 0,
                command_lost=command_lost,
                guard_tripped=guard_tripped,
                drifts=drifts,
            )
        return standing

    def told(self):
        found = []
        while (event := self.events.pending.take()) is not None:
            found.append(event)
        return found


def test_a_healthy_node_has_nothing_standing_and_tells_nothing():
    room = Room()
    assert room.cycles(30) == NOTHING
    assert room.told() == []


@pytest.mark.parametrize(
    ("value", "danger", "shed", "laser_off"),
    [
        ({"power__soc_estimate": 0.39}, "battery low", True, True),
        ({"thermal__die_c": 86.0}, "die too hot", True, False),
        ({"battery__temp_c": 56.0}, "cells out of range", True, False),
        ({"thermal__terminal_c": 66.0}, "", False, True),
        ({"thermal__sink_c": 81.0}, "", True, False),
        ({"power__soc_estimate": nan}, "", True, False),
        ({"thermal__die_c": nan}, "", True, False),
        ({"thermal__sink_c": nan}, "", True, False),
        ({"battery__temp_c": nan}, "", False, False),
        ({"battery__temp_c": -11.0}, "cells out of range", True, False),
    ],
)
def test_each_condition_has_its_response_and_ends_with_it(value, danger, shed, laser_off):
    room = Room()
    room.cycles(5)
    standing = room.cycles(8, **value)
    assert (standing.danger, standing.shed_payload, standing.laser_off) == (danger, shed, laser_off)
    assert room.cycles(8) == NOTHING


def test_one_bad_sample_is_no_danger():
    room = Room()
    room.cycles(5)
    assert room.cycles(1, power__soc_estimate=0.1).danger == ""
    assert room.cycles(1).danger == ""


BOUNDS = [
    (limit.channel, bound, limit.hysteresis)
    for limit in node_limits(die_limit_c=DIE_LIMIT_C, soc_safe=SAFE, soc_floor=FLOOR)
    for name in ("low_red", "low_yellow", "high_yellow", "high_red")
    if isfinite(bound := getattr(limit, name))
]


@pytest.mark.parametrize(("channel", "bound", "hysteresis"), BOUNDS)
@settings(deadline=None, max_examples=25)
@given(noise=st.lists(st.floats(-0.49, 0.49), min_size=20, max_size=150))
def test_noise_on_any_bound_of_the_node_fires_no_row_twice_and_tells_no_edge_twice(
    channel, bound, hysteresis, noise
):
    room = Room()
    room.cycles(5)
    changes, standing = 0, NOTHING
    for each in noise:
        now = room.cycles(1, **{channel: bound + each * hysteresis})
        changes, standing = changes + (now != standing), now
    assert changes <= 1
    told = [(event.name, event.args.get("bound")) for event in room.told()]
    assert len(set(told)) == len(told)
    assert all(row.fired <= 1 for row in room.net.table.status())


def test_a_blind_node_is_in_danger_after_ten_cycles_and_not_before():
    room = Room()
    room.cycles(5)
    assert room.cycles(BLIND_CYCLES_MAX - 1, blind=1).danger == ""
    standing = room.cycles(1, blind=BLIND_CYCLES_MAX)
    assert (standing.danger, standing.shed_payload, standing.laser_off) == (
        "sensors lost", True, True,
    )  # fmt: skip
    assert room.cycles(3) == NOTHING


def test_a_blind_node_sheds_its_payload_as_soon_as_its_last_readings_are_stale():
    room = Room()
    room.cycles(5)
    assert not room.cycles(5, blind=1).shed_payload
    assert room.cycles(1, blind=6).shed_payload


def test_a_silent_ground_makes_safe_but_keeps_the_laser():
    standing = Room().cycles(5, command_lost=True)
    assert (standing.danger, standing.laser_off) == ("ground silent", False)


@pytest.mark.parametrize("blind", [0, 1])
def test_a_software_that_stood_still_makes_safe_for_as_long_as_the_guard_holds(blind):
    room = Room()
    room.cycles(5)
    standing = room.cycles(3, blind=blind, guard_tripped=True)
    assert (standing.danger, standing.shed_payload, standing.laser_off) == (
        "software stood still", True, True,
    )  # fmt: skip
    assert room.cycles(3) == NOTHING


def test_of_two_dangers_the_more_urgent_is_named_and_both_responses_stand():
    standing = Room().cycles(8, thermal__die_c=90.0, power__soc_estimate=0.2, command_lost=True)
    assert standing.danger == "die too hot"
    assert standing.laser_off


def test_a_recovery_is_told_once_however_long_it_stands():
    room = Room()
    room.cycles(5)
    room.cycles(200, thermal__die_c=90.0)
    names = [event.name for event in room.told()]
    assert names.count("RECOVERY_FIRED") == 1
    room.cycles(10)
    room.cycles(10, thermal__die_c=90.0)
    assert [event.name for event in room.told()].count("RECOVERY_FIRED") == 1


def test_a_bound_that_the_ground_moves_acts_on_the_next_cycles_and_keeps_what_was_found():
    room = Room()
    assert room.cycles(8, power__soc_estimate=0.5).danger == ""
    room.net.replace(battery_limit(soc_safe=0.6, soc_floor=FLOOR))
    assert room.cycles(8, power__soc_estimate=0.5).danger == "battery low"
    room.net.replace(battery_limit(soc_safe=0.2, soc_floor=FLOOR))
    assert room.cycles(1, power__soc_estimate=0.5).danger == "battery low"
    assert room.cycles(8, power__soc_estimate=0.5).danger == ""
    stranger = dataclasses.replace(battery_limit(soc_safe=0.2, soc_floor=FLOOR), name="no such")
    with pytest.raises(KeyError):
        room.net.replace(stranger)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.1, 0.3, 0.39, 0.41, 0.46, 0.6, 0.9, nan]),
            st.sampled_from([20.0, 80.0, 85.0, 90.0, nan]),
            st.integers(1, 6),
        ),
        max_size=20,
    )
)
def test_lost_data_neither_trips_a_danger_nor_ends_one(steps):
    room = Room()
    before = NOTHING
    for soc, die_c, count in steps:
        standing = room.cycles(count, power__soc_estimate=soc, thermal__die_c=die_c)
        if soc != soc and die_c != die_c:
            assert standing.danger == before.danger
        before = standing


@settings(deadline=None, max_examples=50)
@given(st.floats(0.2, 0.9), st.floats(0.1, 0.8), st.floats(30.0, 125.0))
def test_any_parameters_and_any_board_give_limits_that_hold_together(floor, safe, die_limit_c):
    limits = node_limits(die_limit_c=die_limit_c, soc_safe=safe, soc_floor=floor)
    assert len({limit.name for limit in limits}) == len(limits)


def test_every_row_answers_a_condition_that_can_arise():
    limits = node_limits(die_limit_c=DIE_LIMIT_C, soc_safe=SAFE, soc_floor=FLOOR)
    known = {f"{limit.name}.{kind}" for limit in limits for kind in ("red", "yellow", "stale")}
    known |= {f"health.{name}.{word}" for name in COMPONENTS for word in ("faulty", "stalled")}
    known |= {"sensors.lost", "guard.tripped", "command_loss"}
    known |= {LASER_DRIFT, BEAM_DRIFT, PAYLOAD_DRIFT}
    for row in RECOVERIES:
        assert row.condition in known, row.name
        assert not row.clear or row.clear in known, row.name


@pytest.mark.parametrize(
    ("component", "standing"),
    [
        ("payload", Standing(shed_payload=True)),
        ("inference", Standing(shed_payload=True)),
        ("terminal", Standing(laser_off=True)),
        ("heater", Standing(heater_off=True)),
        ("mqtt", NOTHING),
    ],
)
def test_what_was_declared_permanently_faulty_is_not_used(component, standing):
    room = Room()
    room.health.apply(component, HealthCause.CONDEMNED, 0)
    assert room.cycles(5) == standing
    room.health.apply(component, HealthCause.CLEARED, 0)
    assert room.cycles(5) == NOTHING


@pytest.mark.parametrize("component", ["downlink", "inference"])
def test_a_component_that_was_given_up_has_its_row(component):
    room = Room()
    room.health.apply(component, HealthCause.GIVEN_UP, 0)
    room.health.step(0)
    standing = room.cycles(3)
    assert (
        standing
        == {
            "downlink": Standing(danger="link lost"),
            "inference": Standing(shed_payload=True),
        }[component]
    )


@pytest.mark.parametrize(
    ("drift", "standing"),
    [
        (LASER_DRIFT, Standing(danger="laser does not obey", laser_off=True)),
        (BEAM_DRIFT, Standing(danger="beam should be dark")),
        (PAYLOAD_DRIFT, Standing(danger="payload does not obey", shed_payload=True)),
    ],
)
def test_what_drifts_from_its_target_is_a_danger_for_as_long_as_it_does(drift, standing):
    room = Room()
    assert room.cycles(3, drifts=(drift,)) == standing
    assert room.cycles(1) == NOTHING


def test_a_tuned_limit_and_a_tuned_row_hold_from_the_next_cycle_on_and_only_they():
    room = Room()
    room.net.tune(
        RecoverySet(
            limits={"die": LimitTuning(high_red=60.0, high_yellow=55.0, persistence=1)},
            recoveries={"ground silent": RowTuning(sequence="call_home")},
        )
    )
    assert room.cycles(1, thermal__die_c=61.0).danger == "die too hot"
    assert room.cycles(8) == NOTHING
    started = []
    room.net.recoveries.start_sequence = lambda name, now_ns: started.append(name) or True
    room.cycles(4, command_lost=True)
    assert started == ["call_home"]
    room.net.tune(RecoverySet())
    assert room.cycles(8, thermal__die_c=61.0).danger == ""


def test_a_bound_that_a_parameter_moves_keeps_what_was_tuned_of_its_row():
    room = Room()
    room.net.tune(RecoverySet(limits={"battery": LimitTuning(persistence=1)}))
    room.net.replace(battery_limit(soc_safe=0.6, soc_floor=FLOOR))
    assert room.cycles(1, power__soc_estimate=0.5).danger == "battery low"
