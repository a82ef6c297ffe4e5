import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flight.telemetry.dictionary import ThrottleReason as R
from hil.score.run_losses import CAUSE_OF, LOST, Cause, grown, pictures_lost

NAN = float("nan")


def telemetry(reasons, dropped, jobs=None):
    count = len(reasons)
    found = {name: np.zeros(count) for name in LOST}
    found[LOST[0]] = np.array(dropped, float)
    found["governor.throttle_reason"] = np.array(reasons, float)
    found["inference.jobs_total"] = np.zeros(count) if jobs is None else np.array(jobs, float)
    return found


def test_every_reason_of_the_node_has_a_cause():
    assert set(CAUSE_OF) == set(R)


def test_a_picture_is_lost_to_the_reason_of_its_second():
    reasons = [R.NONE, R.SINK, R.ECLIPSE_RESERVE, R.QUEUE_FULL, R.COMMAND]
    lost = pictures_lost(telemetry(reasons, [0, 2, 5, 6, 10]), 10)
    assert [lost[c] for c in (Cause.HEAT, Cause.BATTERY, Cause.LINK, Cause.COMMAND)] == [2, 3, 1, 4]
    assert lost[Cause.OTHER] == 0.0


def test_a_backlog_that_is_dropped_after_a_throttle_is_that_throttle_s():
    lost = pictures_lost(telemetry([R.NONE, R.DIE, R.NONE, R.NONE], [1, 1, 1, 4]), 4)
    assert (lost[Cause.HEAT], lost[Cause.OTHER]) == (3.0, 1.0)


def test_pictures_neither_computed_nor_dropped_came_while_nobody_was_there():
    lost = pictures_lost(telemetry([R.NONE, NAN, R.NONE], [0, NAN, 1], [2, NAN, 1]), 9)
    assert lost[Cause.OTHER] == 9 - 3


def test_a_counter_begins_at_nothing_after_a_reset():
    assert grown(np.array([1.0, 4.0, NAN, 2.0, 2.0])).tolist() == [1.0, 3.0, 0.0, 2.0, 0.0]


@given(st.lists(st.tuples(st.sampled_from(R), st.integers(0, 9), st.integers(0, 9)), min_size=1))
def test_all_that_was_shown_is_computed_or_lost_once(seconds):
    reasons, drops, done = zip(*seconds, strict=True)
    shown = sum(drops) + sum(done) + 5
    lost = pictures_lost(telemetry(reasons, np.cumsum(drops), np.cumsum(done)), shown)
    assert sum(lost.values()) + sum(done) == pytest.approx(shown)
