"""The share of the line that delivers, whether or not there was something to send."""

import pytest

from flight.downlink.line_share import LineShare


def test_the_share_is_time_in_lock_times_what_arrived():
    share = LineShare()
    for index in range(10):
        share.look(may_send=index < 8)
    assert share.take(75, 25) == pytest.approx(0.8 * 0.75)


def test_an_idle_line_keeps_what_was_known_of_its_losses():
    share = LineShare()
    share.look(may_send=True)
    assert share.take(50, 50) == pytest.approx(0.5)
    share.look(may_send=True)
    assert share.take(50, 50) == pytest.approx(0.5)
    assert share.take(50, 50) == 0.0, "nobody looked"


def test_a_slower_step_of_the_modem_counts_as_its_part_of_the_rate():
    share = LineShare()
    share.look(may_send=True, rate=0.25)
    assert share.take(0, 0) == pytest.approx(0.25)
