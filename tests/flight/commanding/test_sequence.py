"""A sequence is what it says, or it is refused before it is on board, with the step and the why."""

import any_command
import msgspec
import pytest
from fuzz_times import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from sequences import after, at, raw_sequence, sequence

from flight.commanding.loadable import LoadVerdict
from flight.commanding.sequence import (
    AFTER_MS_MAX,
    GOOD,
    SEQUENCE_BYTES_MAX,
    STEPS_MAX,
    UTC_MS_MAX,
    UTC_MS_MIN,
    Finding,
    Sequence,
    Step,
    decode_sequence,
    encode_sequence,
    judge_sequence,
)
from flight.telemetry.command_table import LoadRollBack, NoOp, SequenceStart, SetMode

V = LoadVerdict

times = st.one_of(
    st.builds(lambda ms: {"after_ms": ms}, st.integers(0, AFTER_MS_MAX)),
    st.builds(lambda ms: {"at_utc_ms": ms}, st.integers(UTC_MS_MIN, UTC_MS_MAX)),
)
steps = st.builds(
    lambda command, time: Step(command, confirmed=True, **time), any_command.commands, times
)
sequences = st.builds(
    Sequence,
    st.from_regex("[a-z][a-z0-9-]{0,31}", fullmatch=True),
    st.integers(0, 65_535),
    st.lists(steps, min_size=1, max_size=5).map(tuple),
    st.booleans(),
    st.integers(0, 86_400),
)


@settings(deadline=None, max_examples=examples(150))
@given(sequences)
def test_a_sequence_without_fault_arrives_as_it_was_written_and_any_other_is_refused(given_one):
    finding = judge_sequence(given_one)
    arrived = decode_sequence(encode_sequence(given_one))
    if finding is GOOD:
        assert arrived == given_one
    else:
        assert arrived == finding


@settings(deadline=None, max_examples=examples(300))
@given(st.binary(max_size=400))
def test_no_octets_raise_anything(data):
    assert isinstance(decode_sequence(data), Sequence | Finding)


@settings(deadline=None, max_examples=examples(300))
@given(sequences, st.data())
def test_a_damaged_sequence_is_another_sequence_or_a_finding_and_never_an_error(one, chance):
    data = bytearray(encode_sequence(one))
    for _ in range(chance.draw(st.integers(1, 4))):
        data[chance.draw(st.integers(0, len(data) - 1))] = chance.draw(st.integers(0, 255))
    found = decode_sequence(bytes(data))
    if isinstance(found, Sequence):
        assert judge_sequence(found) is GOOD
        assert decode_sequence(encode_sequence(found)) == found


STEP = {"cmd": {"type": "NO_OP"}}


@pytest.mark.parametrize(
    ("data", "verdict", "step"),
    [
        (b"", V.UNREADABLE, 0),
        (b"\xc1", V.UNREADABLE, 0),
        (encode_sequence(sequence(after(1)))[:-1], V.UNREADABLE, 0),
        (bytes(SEQUENCE_BYTES_MAX + 1), V.OUT_OF_RANGE, 0),
        (raw_sequence(name="No"), V.OUT_OF_RANGE, 0),
        (raw_sequence(steps=[]), V.OUT_OF_RANGE, 0),
        (raw_sequence(steps=[STEP] * (STEPS_MAX + 1)), V.OUT_OF_RANGE, 0),
        (raw_sequence(steps=[STEP, {**STEP, "after_ms": -1}]), V.OUT_OF_RANGE, 0),
        (raw_sequence(steps=[{**STEP, "after_ms": AFTER_MS_MAX + 1}]), V.OUT_OF_RANGE, 0),
        (raw_sequence(steps=[{**STEP, "at_utc_ms": 5}]), V.OUT_OF_RANGE, 0),
        (raw_sequence(more=1), V.OUT_OF_RANGE, 0),
        (raw_sequence(steps=[STEP, {"cmd": {"type": "WARP"}}]), V.UNKNOWN_COMMAND, 2),
        (raw_sequence(steps=[STEP, {"cmd": 5}]), V.UNKNOWN_COMMAND, 2),
        (raw_sequence(steps=[{"cmd": {"type": "SET_MODE", "mode": "BOOT"}}]), V.OUT_OF_RANGE, 1),
        (
            raw_sequence(
                steps=[
                    STEP,
                    {"cmd": {"type": "SET_PARAMETER", "name": "power.soc_floor", "value": 7.0}},
                ]
            ),
            V.OUT_OF_RANGE,
            2,
        ),
    ],
)
def test_each_fault_has_its_verdict_and_the_number_of_its_step(data, verdict, step):
    found = decode_sequence(data)
    assert (found.verdict, found.step) == (verdict, step)


@pytest.mark.parametrize(
    ("given_one", "verdict", "step", "why"),
    [
        (sequence(after(1), at(5), at(4)), V.REFUSED, 3, "before that of an earlier step"),
        (sequence(Step(NoOp(), 5, UTC_MS_MIN)), V.REFUSED, 1, "a delay and an instant"),
        (sequence(after(0), Step(LoadRollBack("x"))), V.REFUSED, 2, "dangerous and not confirmed"),
        (sequence(Step(SequenceStart("plan"))), V.REFUSED, 1, "starts itself"),
    ],
)
def test_steps_that_make_no_sense_together_are_refused(given_one, verdict, step, why):
    found = judge_sequence(given_one)
    assert (found.verdict, found.step) == (verdict, step)
    assert why in found.why


def test_a_confirmed_dangerous_step_another_start_and_equal_instants_are_well():
    assert judge_sequence(sequence(Step(LoadRollBack("x"), confirmed=True))) is GOOD
    assert judge_sequence(sequence(Step(SequenceStart("other")))) is GOOD
    assert judge_sequence(sequence(at(4), after(9), at(4))) is GOOD


def test_a_step_that_no_mode_of_the_sequence_allows_is_refused(monkeypatch):
    definition = msgspec.structs.replace(
        __import__("flight.commanding.sequence", fromlist=["x"]).COMMAND_BY_TYPE[SetMode],
        modes=frozenset(),
    )
    table = {SetMode: definition}
    monkeypatch.setattr("flight.commanding.sequence.COMMAND_BY_TYPE", table)
    assert judge_sequence(sequence(Step(SetMode("SAFE")))).verdict is V.WRONG_MODE
