"""An alarm overtakes a large product at the next frame, and little lies in the modem before it."""

import pytest
from preemption_flight import FRAME_NS, fly_alarms
from short_flight import assert_nothing_lost_or_doubled

MS, ALARMS, FIFO_FRAMES_MOST, WAIT_MS_MOST = 1_000_000, 60, 4, 5.0


@pytest.fixture(scope="module")
def flown(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        return fly_alarms(tmp_path_factory.mktemp("preemption"), patch, ALARMS)


def test_an_alarm_made_in_the_middle_of_a_large_product_is_the_next_frame_into_the_modem(flown):
    target, witness, large_left = flown
    assert large_left, "the large product was under way at every alarm"
    assert len(witness.before) == ALARMS
    assert set(witness.before.values()) == {0}
    assert_nothing_lost_or_doubled(target)


def test_in_line_time_an_alarm_waits_for_a_few_frames_and_never_for_a_full_modem(flown):
    _, witness, _ = flown
    waits_ms = sorted(wait_ns / MS for wait_ns in witness.waits_ns.values())
    assert len(waits_ms) == ALARMS
    assert witness.depth_most <= FIFO_FRAMES_MOST
    assert waits_ms[-1] < WAIT_MS_MOST
    assert waits_ms[-1] > FRAME_NS / MS, "control: the line was busy"


def test_a_shallow_modem_keeps_the_line_full(flown):
    target, _, _ = flown
    log = target.world.link.logs[0]
    carried = max(bps for bps in log.goodput_bps)
    assert carried > 0.9 * 200e6
