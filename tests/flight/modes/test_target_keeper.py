"""Steps into a mode, and what must stay true there: confirmed, late, drifted, back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.modes.mode_table import SEQUENCES, TARGETS, Need, Part
from flight.modes.target_keeper import (
    DRIFT_AFTER_NS,
    DRIFT_OVER_NS,
    EdgeKind,
    Progress,
    Seen,
    TargetKeeper,
)
from flight.telemetry.definitions import Mode

S = 1_000_000_000
DARK = Seen(0, False, False, False, 0, False, may_lase=False)
AT_3 = DARK._replace(payload_level=3, told_level=3)
LIT = AT_3._replace(laser_on=True, beam_lit=True)
BLIND = Seen(None, None, None, None, 0, False, may_lase=False)
OUT = {
    Part.PAYLOAD: {"payload_level": 2, "told_level": 1},
    Part.LASER: {"laser_on": True, "may_lase": False},
    Part.BEAM: {"beam_lit": True, "may_lase": False},
    Part.HEATER: {"heater_on": True, "told_heater": False},
}


class Bench:
    def __init__(self):
        self.keeper, self.t, self.edges = TargetKeeper(0), 0, []

    def look(self, seen, seconds=1):
        found = []
        for _ in range(seconds):
            self.t += 1
            found += self.keeper.look(seen, self.t * S)
        self.edges += found
        return [(edge.kind, edge.part) for edge in found]

    def enter(self, mode, seen):
        self.keeper.enter(mode, self.t * S)
        found = self.keeper.look(seen, self.t * S)
        self.edges += found
        return [(edge.kind, edge.part) for edge in found]


def bench_in(mode, seen=DARK):
    bench = Bench()
    bench.look(seen)
    bench.enter(mode, seen)
    bench.look(seen, 3)
    assert bench.keeper.progress is Progress.REACHED
    return bench


@pytest.mark.parametrize("mode", Mode)
def test_a_mode_whose_parts_are_there_already_is_reached_at_once_and_told_once(mode):
    bench = Bench()
    bench.look(DARK)
    assert bench.enter(mode, DARK) == [(EdgeKind.REACHED, None)]
    assert bench.keeper.progress is Progress.REACHED
    assert bench.look(DARK, 100) == []


@pytest.mark.parametrize("mode", Mode)
def test_what_is_allowed_in_a_mode_is_what_its_target_says(mode):
    keeper = bench_in(mode).keeper
    assert keeper.payload_allowed is (TARGETS[mode][Part.PAYLOAD] is Need.TOLD)
    assert keeper.link_allowed is (TARGETS[mode][Part.LASER] is Need.BY_PLAN)


def test_a_step_is_confirmed_by_what_reads_back_and_by_nothing_else():
    bench = bench_in(Mode.COMPUTE, AT_3)
    bench.enter(Mode.SAFE, AT_3)
    assert not bench.keeper.payload_allowed
    assert bench.keeper.progress is Progress.UNDER_WAY
    told_off = AT_3._replace(told_level=0)
    assert bench.look(told_off, 4) == []
    assert bench.keeper.progress is Progress.UNDER_WAY
    assert bench.look(DARK) == [(EdgeKind.REACHED, None)]
    assert bench.edges[-1].after_ns == 5 * S


def test_a_step_waits_for_the_one_before_it_but_not_longer_than_its_time():
    within_s = SEQUENCES[Mode.COMPUTE][0].within_ns // S
    bench = bench_in(Mode.IDLE)
    glowing = DARK._replace(laser_on=True)
    bench.enter(Mode.COMPUTE, glowing)
    assert not bench.keeper.payload_allowed
    bench.look(glowing, within_s - 1)
    assert not bench.keeper.payload_allowed
    bench.look(glowing)
    assert bench.keeper.payload_allowed, "the sequence goes on"
    assert bench.keeper.progress is not Progress.REACHED


def test_a_step_that_the_laser_confirms_in_time_lets_the_payload_begin():
    bench = bench_in(Mode.IDLE)
    bench.enter(Mode.COMPUTE, DARK._replace(laser_on=True))
    bench.look(DARK._replace(laser_on=True))
    assert not bench.keeper.payload_allowed
    assert bench.look(DARK) == [(EdgeKind.REACHED, None)]
    assert bench.keeper.payload_allowed


def test_until_its_step_has_come_a_part_stays_under_the_mode_before():
    bench = bench_in(Mode.DOWNLINK, LIT._replace(may_lase=True))
    bench.enter(Mode.COMPUTE, LIT)
    assert bench.keeper.payload_allowed, (
        "a job that runs is not interrupted by the end of a contact"
    )
    bench.look(LIT)
    assert bench.look(AT_3) == [(EdgeKind.REACHED, None)]


@pytest.mark.parametrize("part", Part)
def test_what_leaves_its_target_for_long_enough_drifts_once_and_is_back_after_a_while(part):
    bench = bench_in(Mode.COMPUTE)
    out = DARK._replace(**OUT[part])
    after_s, over_s = DRIFT_AFTER_NS // S, DRIFT_OVER_NS // S
    assert bench.look(out, after_s) == []
    assert bench.look(out) == [(EdgeKind.DRIFTED, part)]
    assert bench.keeper.drifts == (part,)
    assert bench.keeper.progress is Progress.DRIFTED
    assert bench.look(out, 100) == []
    assert bench.look(DARK, over_s) == []
    assert bench.look(DARK) == [(EdgeKind.BACK, part)]
    assert bench.keeper.drifts == ()
    assert bench.keeper.progress is Progress.REACHED
    assert bench.look(DARK, 100) == []


@pytest.mark.parametrize("part", Part)
def test_what_is_put_right_in_time_is_no_drift(part):
    bench = bench_in(Mode.COMPUTE)
    for _ in range(20):
        assert bench.look(DARK._replace(**OUT[part]), DRIFT_AFTER_NS // S) == []
        assert bench.look(DARK) == []


def test_a_payload_that_never_obeys_drifts_on_its_way_into_the_mode():
    bench = bench_in(Mode.COMPUTE, AT_3)
    bench.enter(Mode.SAFE, AT_3)
    found = bench.look(AT_3._replace(told_level=0), 11)
    assert found == [(EdgeKind.DRIFTED, Part.PAYLOAD)]
    edge = bench.edges[-1]
    assert (edge.need, edge.shown) == (Need.OFF, 3)


@pytest.mark.parametrize("part", [Part.LASER, Part.BEAM])
def test_a_laser_that_is_lit_drifts_only_where_the_plan_does_not_allow_it(part):
    bench = bench_in(Mode.DOWNLINK)
    lit = DARK._replace(**OUT[part])
    assert bench.look(lit._replace(may_lase=True), 600) == []
    assert bench.look(lit, 11) == [(EdgeKind.DRIFTED, part)]
    assert bench.edges[-1].shown == 1


def test_the_payload_does_not_wait_for_the_power_of_a_laser_that_reads_back_as_dark():
    bench = bench_in(Mode.IDLE)
    bench.enter(Mode.COMPUTE, DARK._replace(beam_lit=True))
    assert bench.keeper.payload_allowed


@pytest.mark.parametrize("part", Part)
def test_what_cannot_be_read_neither_drifts_nor_comes_back(part):
    bench = bench_in(Mode.COMPUTE)
    out = DARK._replace(**OUT[part])
    for _ in range(5):
        assert bench.look(out, DRIFT_AFTER_NS // S - 1) == []
        assert bench.look(BLIND, 60) == []
    bench.look(out, DRIFT_AFTER_NS // S + 1)
    assert bench.keeper.drifts == (part,)
    for _ in range(5):
        assert bench.look(DARK, DRIFT_OVER_NS // S - 1) == []
        assert bench.look(BLIND, 60) == []
    assert bench.keeper.drifts == (part,)


def test_a_mode_is_not_reached_on_the_word_of_nobody():
    bench = bench_in(Mode.COMPUTE, AT_3)
    bench.enter(Mode.SAFE, BLIND)
    assert bench.look(BLIND, 60) == []
    assert bench.keeper.progress is Progress.UNDER_WAY
    assert not bench.keeper.payload_allowed
    assert bench.look(DARK) == [(EdgeKind.REACHED, None)]


def test_a_board_without_a_read_back_has_nothing_to_confirm():
    bench = Bench()
    bench.look(BLIND)
    for mode in (Mode.IDLE, Mode.COMPUTE, Mode.SAFE):
        assert bench.enter(mode, BLIND) == [(EdgeKind.REACHED, None)]
    assert bench.look(BLIND, 100) == []


def test_a_board_that_takes_no_orders_is_no_actuator_that_disobeys():
    bench = bench_in(Mode.IDLE, DARK._replace(payload_level=3, told_level=None))
    assert bench.look(DARK._replace(payload_level=3, told_level=None), 100) == []


modes = st.sampled_from(list(Mode))
seens = st.builds(
    Seen,
    payload_level=st.sampled_from([None, 0, 0, 3]),
    laser_on=st.sampled_from([None, False, False, True]),
    beam_lit=st.sampled_from([None, False, False, True]),
    heater_on=st.sampled_from([None, False, True]),
    told_level=st.sampled_from([None, 0, 3]),
    told_heater=st.booleans(),
    may_lase=st.booleans(),
)
walks = st.lists(st.tuples(seens, st.none() | modes, st.integers(1, 15)), max_size=30)


@settings(deadline=None, max_examples=300)
@given(walks)
def test_whatever_reads_back_no_mode_is_stuck_drifts_are_told_in_pairs_and_reached_means_met(walk):
    bench = Bench()
    drifting = set()
    for seen, mode, seconds in walk:
        for kind, part in bench.enter(mode, seen) if mode else bench.look(seen, seconds):
            if kind is EdgeKind.DRIFTED:
                assert part not in drifting
                drifting.add(part)
            elif kind is EdgeKind.BACK:
                drifting.remove(part)
        keeper = bench.keeper
        assert set(keeper.drifts) == drifting
        if keeper.progress is Progress.REACHED:
            needs = TARGETS[keeper.mode]
            assert all(seen.is_met(part, need) is not False for part, need in needs.items())
    entered = bench.keeper.mode
    bench.look(DARK._replace(payload_level=3, laser_on=True), 40)
    needs = TARGETS[entered]
    assert bench.keeper.payload_allowed is (needs[Part.PAYLOAD] is Need.TOLD)
    assert bench.keeper.link_allowed is (needs[Part.LASER] is Need.BY_PLAN)
    bench.look(DARK, 40)
    assert bench.keeper.progress is Progress.REACHED
