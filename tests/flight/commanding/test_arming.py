"""A dangerous command is done on its second hearing, and an arming that ends is never silent."""

from hypothesis import given
from hypothesis import strategies as st

from flight.commanding.arming import ARMING_WINDOW_NS, Arming, ArmingEnd
from flight.telemetry.command_table import DeleteProduct


def purge(number):
    return DeleteProduct(number)


def test_the_same_command_in_time_fires_once_and_another_or_late_one_never():
    arming = Arming()
    assert not arming.take(purge(1), 0)
    arming.arm(purge(1), "PURGE", 0)
    assert arming.name == "PURGE"
    assert not arming.take(purge(2), 1)
    assert arming.take(purge(1), ARMING_WINDOW_NS)
    assert not arming.take(purge(1), ARMING_WINDOW_NS)
    arming.arm(purge(1), "PURGE", 0)
    assert not arming.take(purge(1), ARMING_WINDOW_NS + 1)


def test_an_arming_that_lapses_is_told_once():
    arming = Arming()
    arming.arm(purge(1), "PURGE", 5)
    assert arming.ended(5 + ARMING_WINDOW_NS) == ()
    assert arming.ended(6 + ARMING_WINDOW_NS) == (ArmingEnd("PURGE", "lapsed"),)
    assert arming.ended(7 + ARMING_WINDOW_NS) == ()
    assert arming.name == ""


def test_an_arming_taken_back_or_replaced_is_told_as_such():
    arming = Arming()
    assert not arming.disarm()
    arming.arm(purge(1), "PURGE", 0)
    assert arming.disarm()
    arming.arm(purge(1), "PURGE", 0)
    arming.arm(purge(2), "RESET", 1)
    arming.arm(purge(1), "PURGE", 2 + ARMING_WINDOW_NS)
    assert arming.ended(3 + ARMING_WINDOW_NS) == (
        ArmingEnd("PURGE", "disarmed"),
        ArmingEnd("PURGE", "replaced"),
        ArmingEnd("RESET", "lapsed"),
    )


def test_an_arming_that_fired_has_no_end_to_tell():
    arming = Arming()
    arming.arm(purge(1), "PURGE", 0)
    assert arming.take(purge(1), 1)
    assert arming.ended(10 * ARMING_WINDOW_NS) == ()


steps = st.tuples(st.sampled_from(["arm", "take", "disarm"]), st.integers(1, 2), st.integers(0, 40))


@given(st.lists(steps, max_size=30))
def test_every_arming_is_spent_or_told_and_none_is_worth_two_executions(history):
    arming, now_ns, armed, taken, told = Arming(), 0, 0, 0, 0
    for what, number, seconds in history:
        now_ns += seconds * 1_000_000_000
        if what == "arm":
            arming.arm(purge(number), "PURGE", now_ns)
            armed += 1
        elif what == "take":
            taken += arming.take(purge(number), now_ns)
        else:
            arming.disarm()
        told += len(arming.ended(now_ns))
        assert armed == taken + told + bool(arming.name)
