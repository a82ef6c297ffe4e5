"""A sequence is uploaded in a contact, runs on without one, and a power cut neither stops nor
repeats it."""

import msgspec
import pytest
from short_flight import assert_nothing_lost_or_doubled, events, fly, scenario

from flight.commanding.sequence import encode_sequence
from flight.sequence_file import sequence_from
from flight.wire.crc import crc32c
from hil.ground.operator import Fate

PLAN = {
    "name": "night",
    "version": 2,
    "step": [
        {"after_s": 10.0, "command": "DISABLE_INFERENCE"},
        {
            "after_s": 20.0,
            "command": "SET_PARAMETER",
            "arguments": {"name": "telemetry.period_s", "value": 2.0},
        },
        {"after_s": 60.0, "command": "ENABLE_INFERENCE"},
        {"after_s": 5.0, "command": "NO_OP"},
    ],
}
START = {"action": "command", "command": "SEQUENCE_START", "arguments": {"name": "night"}}


def entry(at_s, **more):
    return {"at_s": at_s, **more}


def steps(target):
    return [(e.args["step"], e.t_s) for e in events(target, "SEQUENCE_STEP")]


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    """The power goes at 130 s, in the delay of a minute, and comes back 5 s later."""
    timeline = [
        entry(45.0, action="sequence", sequence=PLAN),
        entry(80.0, **START),
        entry(130.0, action="reset"),
    ]
    return fly(scenario("slow-relay", timeline=timeline), tmp_path_factory.mktemp("cut"))


def test_an_uploaded_sequence_is_validated_activated_started_and_runs_over_a_power_cut(cut):
    assert cut.world.ground.uploader.completed == 1
    assert [e.args["kind"] for e in events(cut, "LOAD_VALIDATED")] == ["sequence"]
    assert [e.args["how"] for e in events(cut, "LOAD_CHANGED")] == ["activated"]
    assert [e.args["how"] for e in events(cut, "SEQUENCE_STARTED")] == [
        "started by command",
        "goes on after the reset",
    ]
    assert [number for number, _ in steps(cut)] == [1, 2, 3, 4]
    assert events(cut, "SEQUENCE_ENDED")[0].args["steps"] == 4
    assert events(cut, "SEQUENCE_STEP_MISSED") == []
    assert_nothing_lost_or_doubled(cut)


def test_its_delays_hold_and_the_one_that_was_running_is_not_shortened(cut):
    times = dict(steps(cut))
    assert times[2] - times[1] == pytest.approx(20.0, abs=1.01)
    assert times[4] - times[3] == pytest.approx(5.0, abs=1.01)
    without_power_s = events(cut, "BOOTED")[1].t_s - 130.0
    assert 60.0 <= times[3] - times[2] <= 60.0 + without_power_s + 12.0


def test_what_its_steps_did_is_what_the_commands_do(cut):
    assert [e.args["source"] for e in events(cut, "INFERENCE_DISABLED")] == ["command"]
    assert events(cut, "PARAMETER_SET")[0].args["name"] == "telemetry.period_s"


def test_the_operator_hears_the_end_under_the_identity_of_the_start(cut):
    operator = cut.world.ground.operator
    found = [operator.fate(number) for number in range(1, 20)]
    (start,) = [sent for sent in found if sent is not None and sent.name == "SEQUENCE_START"]
    assert start.fate is Fate.COMPLETED
    assert operator.pending == {}


@pytest.mark.parametrize("at_s", [91.5, 92.0003, 111.7, 112.0, 112.9])
def test_a_power_cut_about_a_step_never_repeats_it(tmp_path, at_s):
    timeline = [
        entry(45.0, action="sequence", sequence=PLAN),
        entry(80.0, **START),
        entry(at_s, action="reset"),
    ]
    target = fly(scenario("slow-relay", timeline=timeline), tmp_path)
    numbers = [number for number, _ in steps(target)]
    assert numbers == sorted(set(numbers))
    missed = [e.args["step"] for e in events(target, "SEQUENCE_STEP_MISSED")]
    assert {*numbers, *missed} == {1, 2, 3, 4}
    assert len(events(target, "SEQUENCE_ENDED")) == 1


def test_instants_of_a_sequence_are_utc_of_the_mission(tmp_path):
    plan = {
        "name": "night",
        "step": [{"at_utc": "2026-06-21T03:32:30Z", "command": "NO_OP"}],
    }
    assert sequence_from(plan, "here").steps[0].at_utc_ms is not None
    timeline = [entry(45.0, action="sequence", sequence=plan), entry(80.0, **START)]
    target = fly(scenario("slow-relay", timeline=timeline), tmp_path)
    ((_, second),) = steps(target)
    assert second == pytest.approx(150.0, abs=1.01)


def test_a_dangerous_command_of_the_timeline_is_done_on_its_second_hearing(tmp_path):
    back = {"action": "command", "command": "LOAD_ROLL_BACK", "arguments": {"kind": "sequence"}}
    timeline = [
        entry(45.0, action="sequence", sequence=PLAN),
        entry(80.0, **back),
        entry(90.0, **back),
        entry(100.0, **START),
    ]
    target = fly(scenario("slow-relay", timeline=timeline), tmp_path)
    assert len(events(target, "COMMAND_ARMED")) == 1
    assert [e.args["how"] for e in events(target, "LOAD_CHANGED")] == ["activated", "rolled back"]
    assert events(target, "COMMAND_FAILED")[0].args["reason"] == "not_found"


def test_what_is_on_board_comes_down_by_command_as_it_went_up(tmp_path):
    dump = {"action": "command", "command": "LOAD_DUMP", "arguments": {"kind": "sequence"}}
    timeline = [entry(45.0, action="sequence", sequence=PLAN), entry(80.0, **dump)]
    target = fly(scenario("slow-relay", timeline=timeline), tmp_path)
    (path,) = (tmp_path / "products").glob("load-sequence-*.bin")
    sent = encode_sequence(sequence_from(PLAN, "here"))
    assert msgspec.msgpack.decode(path.read_bytes()) == [sent]
    (told,) = events(target, "LOAD_DUMPED")
    assert told.args["crc32c"] == f"{crc32c(path.read_bytes()):08x}"
    assert_nothing_lost_or_doubled(target)


def test_a_dump_asked_for_again_takes_the_place_of_the_older_one_that_is_still_on_board(tmp_path):
    dump = {"action": "command", "command": "LOAD_DUMP", "arguments": {"kind": "sequence"}}
    other = {"action": "command", "command": "LOAD_DUMP", "arguments": {"kind": "parameters"}}
    again = [entry(80.0, **dump), entry(80.0, **other), entry(80.5, **dump)]
    timeline = [entry(45.0, action="sequence", sequence=PLAN), *again]
    target = fly(scenario("slow-relay", timeline=timeline), tmp_path)
    assert len(events(target, "LOAD_DUMPED")) == 3
    assert [e.args["reason"] for e in events(target, "PRODUCT_EVICTED")] == ["superseded"]
    for kind in ("sequence", "parameters"):
        (path,) = (tmp_path / "products").glob(f"load-{kind}-*.bin")
        assert path.stat().st_size
