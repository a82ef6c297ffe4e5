from math import nan

import pytest

from flight.config import ConfigError
from flight.telemetry.dictionary import CHANNEL_INDEX, CHANNELS, Severity
from hil.expectations import judge
from hil.run_recorder import RunRecorder
from hil.scenario import Expectation, ExpectKind

S = 1_000_000_000
DIE_C = (30.0, 80.0, nan, 60.0)
SUMMARY = {
    "soc_min": 0.6,
    "brown_outs": 0,
    "speed_x": None,
    "title": "a",
    "passes": [{}, {}],
    "throttle_s_by_reason": {"die": 12.0},
    "queue_high_water": {"bytes": 5},
}


@pytest.fixture(scope="module")
def run():
    recorder = RunRecorder((), 0.0)
    for t, value in enumerate(DIE_C):
        values = [nan] * len(CHANNELS)
        values[CHANNEL_INDEX["thermal.die_c"]] = value
        recorder.sample(t * 10 * S, values, ())
    recorder.bench_event(25 * S, "bench", "HEAT", Severity.INFO, "heat")
    return recorder


def judged(run, kind, value, op, limit, **more):
    expectation = Expectation(
        id="E", kind=ExpectKind(kind), value=value, op=op, limit=limit, **more
    )
    found = judge(expectation, run, SUMMARY)
    return found.verdict, found.measured


@pytest.mark.parametrize(
    ("kind", "op", "limit", "verdict", "measured"),
    [
        ("always", "<=", 80.0, "pass", 80.0),
        ("always", "<", 80.0, "fail", 80.0),
        ("always", ">=", 30.0, "pass", 30.0),
        ("always", ">", 30.0, "fail", 30.0),
        ("always", "==", 60.0, "fail", 30.0),
        ("always", "!=", 61.0, "pass", 60.0),
        ("never", ">", 80.0, "pass", 80.0),
        ("never", ">=", 80.0, "fail", 80.0),
        ("never", "<", 30.0, "pass", 30.0),
        ("never", "==", 60.0, "fail", 60.0),
        ("never", "==", 70.0, "pass", 80.0),
    ],
)
def test_a_channel_is_judged_by_the_sample_nearest_to_failing(
    run, kind, op, limit, verdict, measured
):
    assert judged(run, kind, "thermal.die_c", op, limit) == (verdict, measured)


def test_never_is_the_exact_opposite_of_always(run):
    for op in ("<", "<=", ">", ">=", "==", "!="):
        for limit in (29.0, 30.0, 60.0, 80.0, 81.0):
            holds_once = any(
                judged(run, "always", "thermal.die_c", op, limit, from_s=t)[0] == "pass"
                for t in (0.0, 5.0, 25.0)
            )
            if judged(run, "never", "thermal.die_c", op, limit)[0] == "pass":
                assert not holds_once


def test_what_was_never_measured_is_no_pass(run):
    assert judged(run, "always", "thermal.sink_c", "<=", 1e9) == ("fail", None)
    assert judged(run, "never", "thermal.sink_c", ">", 0.0) == ("fail", None)
    assert judged(run, "always", "thermal.die_c", "<=", 1e9, from_s=99.0) == ("fail", None)
    assert judged(run, "at_end", "speed_x", ">=", 0.0) == ("fail", None)


def test_only_what_comes_after_its_start_counts(run):
    assert judged(run, "always", "thermal.die_c", "<=", 70.0, from_s=15.0) == ("pass", 60.0)


@pytest.mark.parametrize(
    ("value", "measured"),
    [
        ("soc_min", 0.6),
        ("brown_outs", 0.0),
        ("passes.count", 2.0),
        ("queue_high_water.bytes", 5.0),
        ("throttle_s_by_reason.die", 12.0),
        ("throttle_s_by_reason.sink", 0.0),
    ],
)
def test_the_summary_is_asked_by_its_keys_and_what_never_happened_is_zero(run, value, measured):
    assert judged(run, "at_end", value, ">=", measured) == ("pass", measured)


@pytest.mark.parametrize(
    "value", ["soc_mim", "queue_high_water.byte", "soc_min.x", "title", "passes", "passes.x"]
)
def test_a_misspelt_key_is_an_error_and_never_a_silent_zero(run, value):
    with pytest.raises(ConfigError, match="expect E"):
        judged(run, "at_end", value, "<=", 1e9)


def test_a_channel_that_does_not_exist_is_an_error(run):
    with pytest.raises(ConfigError, match=r"no telemetry channel 'thermal\.dye_c'"):
        judged(run, "always", "thermal.dye_c", "<=", 1.0)


@pytest.mark.parametrize(
    ("limit", "from_s", "verdict", "measured"),
    [
        (25.0, 0.0, "pass", 25.0),
        (24.0, 0.0, "fail", 25.0),
        (5.0, 20.0, "pass", 5.0),
        (100.0, 26.0, "fail", None),
    ],
)
def test_an_event_is_wanted_within_a_time_after_the_start(run, limit, from_s, verdict, measured):
    assert judged(run, "within", "HEAT", "<=", limit, from_s=from_s) == (verdict, measured)
