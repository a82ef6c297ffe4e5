from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st

from flight.base.channels import Bounded, Latest, Offer, Overflow


def test_a_latest_value_never_set_has_neither_value_nor_age():
    latest = Latest()
    assert (latest.get(), latest.age_ns(10**9), latest.sets) == (None, None, 0)


def test_a_latest_value_ages_from_its_own_setting():
    latest = Latest()
    latest.set("old", 100)
    latest.set("new", 250)
    assert (latest.get(), latest.age_ns(300), latest.sets) == ("new", 50, 2)


def test_a_full_queue_that_rejects_keeps_what_it_has():
    queue = Bounded("q", 2, Overflow.REJECT_NEWEST)
    verdicts = [queue.offer(item) for item in "abc"]
    assert verdicts == [Offer.ACCEPTED, Offer.ACCEPTED, Offer.REJECTED]
    assert [queue.take(), queue.take(), queue.take()] == ["a", "b", None]
    assert (queue.offered, queue.dropped, queue.high_water) == (3, 1, 2)


def test_a_full_queue_that_drops_keeps_the_newest():
    queue = Bounded("q", 2, Overflow.DROP_OLDEST)
    verdicts = [queue.offer(item) for item in "abc"]
    assert verdicts == [Offer.ACCEPTED, Offer.ACCEPTED, Offer.DISPLACED]
    assert [queue.take(), queue.take(), queue.take()] == ["b", "c", None]
    assert (queue.offered, queue.dropped, queue.high_water) == (3, 1, 2)


@settings(deadline=None, max_examples=200)
@given(
    st.integers(1, 5),
    st.sampled_from(Overflow),
    st.lists(st.one_of(st.integers(0, 99), st.none()), max_size=60),
)
def test_every_item_is_delivered_in_order_held_or_counted_as_dropped(capacity, policy, script):
    queue, model = Bounded("q", capacity, policy), deque()
    taken, lost, high = 0, 0, 0
    for item in script:
        if item is None:
            expected = model.popleft() if model else None
            assert queue.take() == expected
            taken += expected is not None
            continue
        verdict = queue.offer(item)
        if len(model) < capacity:
            assert verdict is Offer.ACCEPTED
            model.append(item)
        elif policy is Overflow.REJECT_NEWEST:
            assert verdict is Offer.REJECTED
            lost += 1
        else:
            assert verdict is Offer.DISPLACED
            model.popleft()
            model.append(item)
            lost += 1
        high = max(high, len(model))
        assert len(queue) == len(model) <= capacity
    assert queue.dropped == lost
    assert queue.high_water == high
    assert queue.offered == taken + lost + len(queue)


def test_a_queue_can_be_looked_through_and_forgotten_without_a_loss():
    queue = Bounded("a", 3, Overflow.REJECT_NEWEST)
    for item in (1, 2):
        queue.offer(item)
    assert list(queue) == [1, 2]
    assert len(queue) == 2
    queue.clear()
    assert (len(queue), queue.dropped, queue.high_water) == (0, 0, 2)
