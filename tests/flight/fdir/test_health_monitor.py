import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.fdir.health_monitor import HealthMonitor, Heartbeat, Stalled

S = 1_000_000_000


def watched(limit_s=5, *, critical=False, now_s=0):
    monitor, heart = HealthMonitor(), Heartbeat()
    monitor.watch("x", heart.read, limit_ns=limit_s * S, now_ns=now_s * S, critical=critical)
    return monitor, heart


def stalled(monitor, t_s):
    return [one.name for one in monitor.progress(t_s * S)]


def test_a_counter_that_moves_is_never_stalled():
    monitor, heart = watched()
    for t in range(100):
        heart.beat()
        assert monitor.progress(t * S) == ()


def test_a_counter_that_stands_still_is_stalled_once_its_limit_is_passed_and_not_before():
    monitor, _ = watched(limit_s=5, critical=True)
    assert [stalled(monitor, t) for t in (1, 5)] == [[], []]
    assert monitor.progress(6 * S) == (Stalled("x", 6 * S, 5 * S, critical=True),)


def test_a_counter_that_never_moved_is_judged_from_the_start_of_the_watch():
    monitor, _ = watched(limit_s=5, now_s=1_000)
    assert [stalled(monitor, t) for t in (1_005, 1_006)] == [[], ["x"]]


def test_one_beat_ends_a_stall():
    monitor, heart = watched()
    assert stalled(monitor, 10) == ["x"]
    heart.beat()
    assert [stalled(monitor, t) for t in (11, 16, 17)] == [[], [], ["x"]]


def test_waiting_for_something_outside_is_no_stall_and_the_first_beat_ends_the_wait():
    monitor, heart = watched()
    heart.rest()
    assert stalled(monitor, 10_000) == []
    heart.beat()
    assert [stalled(monitor, t) for t in (10_001, 10_006, 10_007)] == [[], [], ["x"]]


def test_what_is_known_not_to_run_is_not_judged_and_has_its_full_limit_afterwards():
    monitor, _ = watched()
    monitor.suspend("x")
    assert stalled(monitor, 500) == []
    monitor.resume("x", 600 * S)
    assert [stalled(monitor, t) for t in (605, 606)] == [[], ["x"]]


def test_a_restart_gives_its_full_limit_even_to_what_was_stalled():
    monitor, _ = watched()
    assert stalled(monitor, 20) == ["x"]
    monitor.resume("x", 21 * S)
    assert [stalled(monitor, t) for t in (26, 27)] == [[], ["x"]]


def test_names_that_nobody_watches_are_ignored_and_a_name_is_watched_once():
    monitor, heart = watched()
    monitor.suspend("y")
    monitor.resume("y", 0)
    assert monitor.names == ("x",)
    with pytest.raises(AssertionError):
        monitor.watch("x", heart.read, limit_ns=1, now_ns=0)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.booleans()), max_size=80))
def test_who_asks_twice_changes_nothing_for_the_other(steps):
    (one, heart_1), (two, heart_2) = watched(), watched()
    t = 0
    for gap, beats, asked in steps:
        t += gap
        if beats:
            heart_1.beat()
            heart_2.beat()
            assert two.progress(t * S) == one.progress(t * S) == ()
        elif asked:
            two.progress(t * S)
    assert one.progress(t * S) == two.progress(t * S)


def test_it_has_begun_once_everybody_whom_the_node_cannot_do_without_has_counted():
    monitor, main, downlink, inference = HealthMonitor(), Heartbeat(), Heartbeat(), Heartbeat()
    monitor.watch("main", main.read, limit_ns=S, now_ns=0, critical=True)
    monitor.watch("downlink", downlink.read, limit_ns=S, now_ns=0, critical=True)
    monitor.watch("inference", inference.read, limit_ns=S, now_ns=0)
    begun = []
    for heart in (main, downlink):
        heart.beat()
        begun.append(monitor.begun())
    assert begun == [False, True]
