import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.fdir.command_loss import CommandLoss, CommandLossEdge

LOST, REGAINED, NONE = CommandLossEdge.LOST, CommandLossEdge.REGAINED, CommandLossEdge.NONE


def test_silence_of_the_full_time_out_is_a_loss_told_once():
    timer = CommandLoss(100, now_ns=0)
    assert [timer.update(t) for t in (50, 99, 100, 101, 500)] == [NONE, NONE, LOST, NONE, NONE]
    assert (timer.lost, timer.losses) == (True, 1)


def test_a_valid_command_feeds_it():
    timer = CommandLoss(100, now_ns=0)
    timer.on_valid_command(80)
    assert [timer.update(t) for t in (100, 179, 180)] == [NONE, NONE, LOST]


def test_the_alarm_ends_by_a_valid_command_and_by_nothing_else():
    timer = CommandLoss(100, now_ns=0)
    assert timer.update(200) is LOST
    assert [timer.update(t) for t in range(201, 900, 50)] == [NONE] * 14
    timer.on_valid_command(900)
    assert timer.update(901) is REGAINED
    assert timer.update(1000) is LOST
    assert timer.losses == 2


def test_a_node_that_restarts_waits_a_full_period_from_its_boot():
    boot_ns = 10**15
    timer = CommandLoss(100, now_ns=boot_ns)
    assert timer.remaining_ns(boot_ns) == 100
    assert [timer.update(boot_ns + t) for t in (99, 100)] == [NONE, LOST]


def test_a_command_told_out_of_order_never_shortens_the_wait():
    timer = CommandLoss(100, now_ns=0)
    timer.on_valid_command(80)
    timer.on_valid_command(20)
    assert timer.remaining_ns(100) == 80


def test_another_time_out_counts_from_the_last_command():
    timer = CommandLoss(100, now_ns=0)
    timer.on_valid_command(50)
    timer.set_timeout(10)
    assert timer.update(60) is LOST
    timer.set_timeout(1000)
    assert timer.update(61) is REGAINED
    with pytest.raises(AssertionError):
        timer.set_timeout(0)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=80))
def test_lost_is_exactly_a_silence_as_long_as_the_time_out(steps):
    timer, now_ns, fed_ns, edges = CommandLoss(100, now_ns=0), 0, 0, []
    for gap, fed in steps:
        now_ns += gap
        if fed:
            timer.on_valid_command(now_ns)
            fed_ns = now_ns
        edges.append(timer.update(now_ns))
        assert timer.lost == (now_ns - fed_ns >= 100)
    told = [edge for edge in edges if edge is not NONE]
    assert told == [LOST, REGAINED] * (len(told) // 2) + [LOST] * (len(told) % 2)
