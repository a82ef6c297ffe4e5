"""The PAT machine: no light without right, no frame without lock, fades are lived through."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from flight.downlink.pass_plan import NS_PER_S, Contact, ContactKind
from flight.downlink.terminal_state import (
    ATTEMPTS_MAX,
    TABLE,
    PatState,
    TerminalInputs,
    TerminalMachine,
)
from hal.sample import TermFlag

TICK = NS_PER_S // 10
BEACON, COARSE = TermFlag.BEACON, TermFlag.BEACON | TermFlag.COARSE
FINE = COARSE | TermFlag.FINE
SYNC = FINE | TermFlag.SYNC


def contact(contact_id=1, peer_id=7, start_s=0, end_s=600, *, authorised=True):
    span = (start_s * NS_PER_S, end_s * NS_PER_S)
    return Contact(contact_id, peer_id, ContactKind.OGS, *span, 200e6, authorised)


class Walk:
    """Steps a machine at 10 Hz against a terminal that does what it is told."""

    def __init__(self):
        self.machine = TerminalMachine()
        self.now = 0
        self.pointed = 0
        self.out = None
        self.causes = []

    def step(self, count=1, flags=0, plan=None, *, inhibit=False, obeys=True):
        for _ in range(count):
            self.out = self.machine.step(
                TerminalInputs(self.now, plan, flags, self.pointed, inhibit)
            )
            if self.out.row is not None:
                self.causes.append(self.out.row.cause)
            if obeys:
                self.pointed = self.out.target_id
            self.now += TICK
        return self.out

    def to_data(self, plan):
        for flags in (0, 0, BEACON, COARSE, FINE, SYNC):
            self.step(1, flags, plan)
        assert self.out.state is PatState.DATA
        return self


def test_a_contact_is_acquired_step_by_step_and_only_data_sends():
    walk, plan = Walk(), contact()
    expected = [
        (0, PatState.SLEW, False),
        (0, PatState.SCAN, False),
        (BEACON, PatState.COARSE, True),
        (COARSE, PatState.FINE, True),
        (FINE, PatState.MODEM_SYNC, True),
        (SYNC, PatState.DATA, True),
    ]
    assert walk.step().state is PatState.IDLE
    for flags, state, laser_on in expected:
        out = walk.step(1, flags, plan)
        assert (out.state, out.laser_on, out.target_id) == (state, laser_on, 7)
        assert out.may_send is (state is PatState.DATA)
    assert walk.machine.acquired
    assert walk.machine.counters.links == 1


def test_a_fade_is_coasted_without_leaving_the_contact():
    walk, plan = Walk(), contact()
    walk.to_data(plan)
    for length in (1, 5, 9):
        out = walk.step(length, FINE, plan)
        assert (out.state, out.laser_on, out.may_send) == (PatState.COAST, True, False)
        assert walk.step(1, SYNC, plan).may_send
    assert walk.machine.counters.fades == 3
    assert walk.machine.counters.fade_ns == 15 * TICK
    assert walk.machine.counters.retries == 0


def test_a_long_fade_ends_in_reacquisition_with_growing_patience():
    walk, plan = Walk(), contact()
    walk.to_data(plan)
    walk.step(11, 0, plan)
    assert walk.out.state is PatState.REACQ
    assert not walk.out.laser_on
    waits = []
    while walk.out.state is not PatState.LOST:
        start = walk.now
        while walk.out.state is PatState.REACQ:
            walk.step(1, 0, plan)
        waits.append((walk.now - start) / NS_PER_S)
        while walk.out.state is PatState.SCAN:
            walk.step(1, 0, plan)
    assert waits[:-1] == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
    assert len(waits) == ATTEMPTS_MAX + 1
    assert walk.machine.counters.failed_passes == 1
    walk.step(50, SYNC, plan)
    assert walk.out.state is PatState.LOST, "a pass given up stays given up"
    assert (walk.out.target_id, walk.out.laser_on, walk.out.may_send) == (0, False, False)
    walk.step(1, 0, None)
    assert walk.out.state is PatState.IDLE
    walk.to_data(contact(2))


def test_reacquisition_succeeds_when_the_cloud_is_gone_and_patience_is_fresh_again():
    walk, plan = Walk(), contact()
    walk.to_data(plan)
    walk.step(60, 0, plan)
    for _ in range(80):
        walk.step(1, SYNC, plan)
        if walk.out.state is PatState.DATA:
            break
    assert walk.out.state is PatState.DATA
    walk.step(11, 0, plan)
    start = walk.now
    while walk.out.state is PatState.REACQ:
        walk.step(1, 0, plan)
    assert walk.now - start == 5 * TICK


def test_a_terminal_that_never_gets_there_fails_the_pass():
    walk, plan = Walk(), contact()
    walk.step(700, SYNC, plan, obeys=False)
    assert walk.out.state is PatState.LOST
    assert "slew too long" in walk.causes
    assert not walk.machine.acquired


def test_a_lock_that_does_not_come_is_tried_again():
    walk, plan = Walk(), contact()
    walk.step(80, BEACON, plan)
    assert "lock too long" in walk.causes
    assert walk.machine.counters.retries == 1


def test_an_inhibit_takes_the_laser_away_at_once_and_holds_for_two_seconds():
    walk, plan = Walk(), contact()
    walk.to_data(plan)
    out = walk.step(1, SYNC, plan, inhibit=True)
    assert (out.state, out.laser_on, out.may_send, out.target_id) == (
        PatState.SAFE,
        False,
        False,
        0,
    )
    walk.step(19, SYNC, plan)
    assert walk.out.state is PatState.SAFE
    walk.step(1, SYNC | TermFlag.FAULT, plan)
    walk.step(19, SYNC, plan)
    assert walk.out.state is PatState.SAFE
    walk.step(1, SYNC, plan)
    assert walk.out.state is PatState.IDLE
    assert walk.machine.counters.safings == 1


def test_a_handover_to_another_peer_points_again_before_it_shines():
    walk = Walk()
    walk.to_data(contact(1, 7))
    out = walk.step(1, SYNC, contact(2, 8))
    assert (out.state, out.target_id, out.laser_on, out.may_send) == (
        PatState.SLEW,
        8,
        False,
        False,
    )


def test_lost_pointing_takes_the_laser_away_in_the_same_step():
    walk, plan = Walk(), contact()
    walk.to_data(plan)
    walk.pointed = 3
    out = walk.step(1, SYNC, plan)
    assert (out.state, out.laser_on, out.may_send) == (PatState.SLEW, False, False)


INPUTS = st.tuples(
    st.integers(0, 63),
    st.sampled_from([None, 0, 7, 8]),
    st.sampled_from(["none", "seven", "eight", "forbidden", "early"]),
    st.booleans(),
    st.sampled_from([1, 1, 1, 10, 100, 700]),
)
PLANS = {
    "none": None,
    "seven": contact(1, 7, 0, 10**9),
    "eight": contact(2, 8, 0, 10**9),
    "forbidden": contact(3, 7, 0, 10**9, authorised=False),
    "early": contact(4, 7, 10**8, 10**9),
}


@settings(deadline=None, max_examples=150)
@given(st.lists(INPUTS, max_size=60))
def test_no_light_without_right_and_no_frame_without_lock(steps):
    machine, now, last = TerminalMachine(), 0, PatState.IDLE
    for flags, target, name, inhibit, ticks in steps:
        now += ticks * TICK
        out = machine.step(TerminalInputs(now, PLANS[name], flags, target, inhibit))
        if out.laser_on:
            assert name in {"seven", "eight"}
            assert target == PLANS[name].peer_id == out.target_id
            assert not inhibit
            assert not flags & TermFlag.FAULT
        if out.may_send:
            assert out.laser_on
            assert out.state is PatState.DATA
            assert flags & TermFlag.SYNC
        if out.row is None:
            assert out.state is last
        else:
            assert last in out.row.states
            assert out.state is out.row.to
        last = out.state


def test_every_state_can_be_entered_and_left_and_no_row_is_shadowed():
    entered = {row.to for row in TABLE}
    left = {state for row in TABLE for state in row.states if row.to is not state}
    assert entered == left == set(PatState)
    assert len({(row.cause, row.to) for row in TABLE}) >= len(TABLE) - 1
