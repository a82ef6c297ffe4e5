import math

import pytest

from flight.inference.inference_telemetry import (
    DROP_REPORT_EVERY,
    InferenceCounts,
    InferenceTelemetry,
)
from flight.inference.job import (
    Care,
    InferenceError,
    InferenceFailure,
    Job,
    Plausibility,
    Result,
    Screening,
)
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.event_log import EventLog
from hil.imagery import synthetic_tiles

JOB = Job(
    7, synthetic_tiles(seed=1, n=1, size=16)[0], "m", "v", threshold=0.5,
    quicklook_cloud_permille_max=600,
)  # fmt: skip


class Bench:
    def __init__(self):
        self.told, self.channels = [], ChannelValues()
        events = EventLog(100, self.told.append)
        self.telling = InferenceTelemetry(self.channels, events, InferenceCounts(jobs=3))


@pytest.fixture
def bench():
    return Bench()


def test_totals_from_before_a_restart_are_shown_at_once(bench):
    assert bench.channels.get("inference.jobs_total") == 3


def test_drops_are_all_counted_and_told_now_and_then(bench):
    for _ in range(DROP_REPORT_EVERY + 1):
        bench.telling.dropped(1)
    assert bench.channels.get("inference.dropped_total") == DROP_REPORT_EVERY + 1
    assert [event.name for event in bench.told] == ["FRAMES_DROPPED"] * 2


def test_a_repair_and_a_doubt_are_events_and_totals_and_a_confirmation_is_none(bench):
    bench.telling.care(JOB, Care(confirmed=True), 1)
    assert bench.told == []
    bench.telling.care(JOB, Care(repaired=1, reruns=1, doubt="weights differ"), 1)
    assert [event.name for event in bench.told] == ["WEIGHTS_REPAIRED", "ANSWER_DOUBTED"]
    assert bench.channels.get("inference.repairs_total") == 1
    assert bench.channels.get("inference.reruns_total") == 2


def test_a_model_that_is_not_trusted_any_more_is_told_once(bench):
    lost = InferenceError(InferenceFailure.UNTRUSTED, "golden tile")
    for _ in range(3):
        bench.telling.distrusted(JOB, lost, 1)
    bench.telling.distrusted(JOB, InferenceError(InferenceFailure.TIMEOUT, "late"), 1)
    assert [event.name for event in bench.told] == ["MODEL_DISTRUSTED"]


def test_energy_that_nobody_knows_is_no_number_and_adds_nothing(bench):
    result = Result(7, Screening(Plausibility.PLAUSIBLE, 250), "00", 0, 1, None, 2.0)
    bench.telling.done(result, None, 2.0)
    assert math.isnan(bench.channels.get("inference.last_j"))
    assert bench.channels.get("inference.energy_j") == 0.0
    assert bench.channels.get("inference.clear_fraction") == 0.75
    bench.telling.done(result, 1500, 3.0)
    assert bench.channels.get("inference.last_j") == 1.5
    assert bench.channels.get("inference.energy_j") == 1.5


def test_the_chosen_variant_is_told_with_the_times_of_all(bench):
    bench.telling.chosen("int8", {"fp32": 3.0, "int8": 2.5}, 1)
    assert bench.told[0].args == {"variant": "int8", "times": "fp32 3.00 ms, int8 2.50 ms"}
