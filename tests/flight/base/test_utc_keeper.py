from hypothesis import given, settings
from hypothesis import strategies as st

from flight.base.clock import UtcCorrelation, UtcQuality, correlate
from flight.base.utc_keeper import (
    STEP_CONFIRMED,
    STEP_NS,
    UTC_NS_MAX,
    UTC_NS_MIN,
    UtcChange,
    UtcKeeper,
)

S = 1_000_000_000
HOUR = 3_600 * S
EPOCH = 1_780_000_000 * S
LOCKED, SET = UtcQuality.SYNCHRONISED, UtcQuality.COARSE


def kept(readings, *, locked=True, keeper=None):
    """A keeper after one reading a second, and the changes it told; None is no reading."""
    keeper = keeper or UtcKeeper()
    changes = []
    for second, offset_ns in enumerate(readings):
        now_ns = second * S
        utc_ns = None if offset_ns is None else now_ns + offset_ns
        changes.append(keeper.observe(now_ns, utc_ns, locked=locked))
    return keeper, changes


def test_nothing_is_known_until_it_is_told_and_then_at_once():
    keeper, changes = kept([None, None, EPOCH])
    assert changes == [None, None, UtcChange(0, UtcQuality.UNSET, LOCKED)]
    assert keeper.known
    assert keeper.utc_ns(7 * S) == EPOCH + 7 * S


def test_an_hour_forward_or_back_is_one_step_told_once_and_followed():
    for step_ns in (HOUR, -HOUR):
        keeper, changes = kept([EPOCH] * 10 + [EPOCH + step_ns] * 10)
        told = [change for change in changes[1:] if change is not None]
        assert [change.step_ns for change in told if change.step_ns] == [step_ns]
        assert (keeper.steps, keeper.last_step_ns) == (1, step_ns)
        assert keeper.correlation.offset_ns == EPOCH + step_ns
        assert keeper.correlation.quality is LOCKED


def test_while_a_step_is_not_confirmed_the_old_correlation_runs_on_and_says_so():
    keeper, _ = kept([EPOCH] * 5 + [EPOCH + HOUR] * (STEP_CONFIRMED - 1))
    assert keeper.correlation.offset_ns == EPOCH
    assert keeper.correlation.quality is UtcQuality.FLYWHEEL


def test_one_reading_that_is_wrong_is_no_step():
    keeper, _ = kept([EPOCH] * 5 + [EPOCH + HOUR] + [EPOCH] * 5)
    assert keeper.steps == 0
    assert keeper.correlation == UtcCorrelation(EPOCH, LOCKED, 10 * S)


def test_a_source_that_is_silent_leaves_a_flywheel_and_its_return_is_told():
    keeper, changes = kept([EPOCH, None, None, EPOCH])
    assert changes[1:] == [
        UtcChange(0, LOCKED, UtcQuality.FLYWHEEL), None, UtcChange(0, UtcQuality.FLYWHEEL, LOCKED),
    ]  # fmt: skip
    assert keeper.correlation.set_at_ns == 3 * S


def test_a_clock_that_nothing_holds_is_set_and_not_locked():
    keeper, _ = kept([EPOCH], locked=False)
    assert keeper.correlation.quality is SET


def test_a_start_with_a_correlation_believes_it_until_told_otherwise():
    keeper = UtcKeeper(correlate(utc_ns=EPOCH, now_ns=0, quality=SET))
    assert keeper.utc_ns(0) == EPOCH
    kept([EPOCH + HOUR] * STEP_CONFIRMED, keeper=keeper)
    assert keeper.last_step_ns == HOUR


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(0, STEP_NS), min_size=1, max_size=60))
def test_late_cycles_never_step_the_clock_and_the_label_is_never_later_than_the_least_late(late):
    keeper, changes = kept([EPOCH] + [EPOCH + each for each in late])
    assert keeper.steps == 0
    assert all(change is None for change in changes[1:])
    assert 0 <= keeper.correlation.offset_ns - EPOCH <= max(late)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.one_of(st.none(), st.integers(-(2**62), 2**62)), max_size=60))
def test_any_readings_leave_a_correlation_that_some_reading_in_this_century_gave(readings):
    keeper, _ = kept(readings)
    told = [
        each
        for second, each in enumerate(readings)
        if each is not None and UTC_NS_MIN <= each + second * S <= UTC_NS_MAX
    ]
    assert keeper.known == bool(told)
    assert not told or keeper.correlation.offset_ns in told
