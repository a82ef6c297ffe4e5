import pytest
from fuzz_times import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.wire.counter_reserve import COUNTER_MAX, CounterExhausted, CounterReserve


class PowerCutError(Exception):
    """The node loses power here."""


class Storage:
    """A place that may lose power before, or just after, what it writes is durable."""

    def __init__(self, *, durable: bool = True) -> None:
        self.durable = durable
        self.value = 0
        self.cut: str | None = None

    def load(self) -> int:
        return self.value

    def store(self, value: int) -> None:
        cut, self.cut = self.cut, None
        if cut == "before":
            raise PowerCutError
        if self.durable:
            self.value = value
        if cut == "after":
            raise PowerCutError


lives = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from([None, "before", "after"]), st.booleans()),
    min_size=1,
    max_size=12,
)


def fly(storage: Storage, history, block: int) -> list[int]:
    """Numbers taken over several lives; each life ends in a power cut, perhaps inside a write."""
    taken: list[int] = []
    for takes, cut, ahead in history:
        reserve = CounterReserve(storage.load, storage.store, block)
        try:
            for i in range(takes):
                if i == takes // 2:
                    storage.cut = cut
                    if ahead:
                        reserve.reserve()
                taken.append(reserve.take())
        except PowerCutError:
            pass
        storage.cut = None
    return taken


@settings(deadline=None, max_examples=examples(300))
@given(lives, st.integers(1, 9))
def test_no_number_is_used_twice_whatever_moment_the_power_goes(history, block):
    taken = fly(Storage(), history, block)
    assert taken == sorted(set(taken))


def test_control_without_a_durable_reservation_numbers_are_reused():
    history = [(3, None, False), (3, None, False)]
    taken = fly(Storage(durable=False), history, 4)
    assert len(set(taken)) < len(taken)


@settings(deadline=None, max_examples=examples(100))
@given(st.integers(1, 64), st.integers(1, 200))
def test_a_life_without_resets_loses_no_number_and_writes_once_a_block(block, takes):
    storage = Storage()
    reserve = CounterReserve(storage.load, storage.store, block)
    assert [reserve.take() for _ in range(takes)] == list(range(1, takes + 1))
    assert reserve.blocks_reserved == -(-takes // block)
    assert reserve.remaining == storage.value - takes


@settings(deadline=None, max_examples=examples(100))
@given(st.lists(st.integers(1, 20), max_size=20), st.integers(1, 8))
def test_runs_of_numbers_follow_one_another_without_a_gap(counts, block):
    storage = Storage()
    reserve = CounterReserve(storage.load, storage.store, block)
    expected = 1
    for count in counts:
        assert reserve.take(count) == expected
        expected += count
        assert storage.value >= expected - 1


def test_a_run_longer_than_what_is_left_takes_nothing():
    storage = Storage()
    storage.value = COUNTER_MAX - 3
    reserve = CounterReserve(storage.load, storage.store, 2)
    with pytest.raises(CounterExhausted):
        reserve.take(4)
    assert reserve.take(3) == COUNTER_MAX - 2


def test_a_write_that_fails_hands_out_nothing_and_can_be_tried_again():
    storage = Storage()
    reserve = CounterReserve(storage.load, storage.store, 4)
    storage.cut = "before"
    with pytest.raises(PowerCutError):
        reserve.take()
    assert reserve.take() == 1


def test_a_block_reserved_ahead_costs_no_write_during_the_pass():
    storage = Storage()
    reserve = CounterReserve(storage.load, storage.store, 8)
    reserve.reserve()
    storage.cut = "before"
    assert [reserve.take() for _ in range(8)] == list(range(1, 9))


def test_a_used_up_key_refuses_instead_of_wrapping():
    storage = Storage()
    storage.value = COUNTER_MAX - 2
    reserve = CounterReserve(storage.load, storage.store, 1_024)
    assert [reserve.take(), reserve.take()] == [COUNTER_MAX - 1, COUNTER_MAX]
    with pytest.raises(CounterExhausted):
        reserve.take()


def test_a_stored_value_that_no_counter_can_have_is_refused_at_start():
    with pytest.raises(ValueError, match="never written by us"):
        CounterReserve(lambda: -1, lambda _: None)


def test_a_block_that_was_refused_after_it_was_asked_for_is_asked_for_again():
    """A writer beside the loop says so later: a medium that was full once mutes nobody for good."""
    asked, durable = [0], [0]
    reserve = CounterReserve(lambda: asked[-1], asked.append, 4, durable=lambda: durable[-1])
    assert not reserve.ready()
    durable.append(4)
    assert [reserve.take() for _ in range(4)] == [1, 2, 3, 4]
    assert asked[-1] == 8
    assert not reserve.ready(), "it may come yet"
    assert asked == [0, 4, 8]
    asked.append(4)  # refused: back to what is durable
    assert not reserve.ready()
    assert asked[-1] == 8
    durable.append(8)
    assert reserve.ready()
    assert reserve.take() == 5
