"""A million wait far away, a few thousand are at hand, and nobody on the line can tell."""

from __future__ import annotations

import pytest

from flight.downlink.downlink_queue import DownlinkQueue
from flight.downlink.product import Producer, Product, ProductClass
from flight.downlink.queue_entry import OrderConfig
from flight.downlink.queue_values import Loss, QueueConfig, Verdict
from tests.flight.downlink.far_products_memory import MemoryFarProducts

S = 1_000_000_000
NEAR = 16
ORDER = OrderConfig(ageing_ns=None, floor_permille=0)


def product(number, value=1_000, size=1_000, klass=ProductClass.MASK, **options):
    deadline_ns = options.pop("deadline_ns", None)
    return Product(number, klass, size, value, deadline_ns, 0, 0, f"p{number}", **options)


def queue_of(far, **config):
    return DownlinkQueue(QueueConfig(order=ORDER, near_products=NEAR, **config), far=far)


def sent(queue, count=10**6, now_ns=0):
    found = []
    while len(found) < count and (segment := queue.next_segment(now_ns, 1_000)) is not None:
        found.append(segment.product_id)
    return found


def test_of_a_thousand_that_wait_few_are_at_hand_and_all_go_the_densest_first():
    far = MemoryFarProducts()
    queue = queue_of(far)
    for number in range(1_000):
        queue.offer(product(number, value=1 + number * 7919 % 1_009), 0)
        assert len(queue._entries) <= NEAR + NEAR // 8 + 2
    assert (len(queue), queue.queued_bytes) == (1_000, 1_000_000)
    assert len(far.rows) == 1_000 - len(queue._entries)
    assert sent(queue) == sorted(range(1_000), key=lambda n: -(1 + n * 7919 % 1_009))
    assert not far.rows


def test_what_was_there_before_a_start_is_queued_and_the_ground_is_asked_a_few_at_a_time():
    far = MemoryFarProducts()
    for number in range(200):
        far.add(product(number, value=1 + number), asks=number % 2 == 1)
    far.add(product(900, klass=ProductClass.EMERGENCY), asks=True)
    queue = queue_of(far)
    assert queue.adopt(0).verdict is Verdict.ADMITTED
    assert (len(queue), queue.queued_bytes) == (201, 201_000)
    asked = [each for each, entry in queue._entries.items() if entry.suspended]
    assert asked == [900, 199, 197], "an emergency at once, of the others a bounded number"
    assert sent(queue, 3) == [198, 196, 194], "what is not asked about does not wait for answers"
    assert queue.resume(199, [(0, 400)])
    queue.look_ahead(None, 0)
    assert queue._entries[195].suspended, "one answer, one more question"
    assert sent(queue, 1) == [199]
    assert queue.complete(197), "known on the ground already: no answer is needed"
    assert queue.complete(3), "nor has it to come near"
    assert len(queue) == 199


def test_products_for_which_there_is_no_room_after_a_start_are_lost_the_least_dense_first():
    far = MemoryFarProducts()
    for number in range(40):
        producer = Producer.TELEMETRY if number < 10 else Producer.IMAGING
        far.add(product(number, value=1 + number, producer=producer))
    quotas = {Producer.TELEMETRY: 5_000}
    queue = queue_of(far, budget_bytes=30_000, quotas=quotas)
    admission = queue.adopt(0)
    assert admission.over_quota == (0, 1, 2, 3, 4)
    assert admission.displaced == (5, 6, 7, 8, 9)
    assert len(queue) == 30
    assert queue.losses.products[Loss.EVICTED_QUOTA] == 5
    assert queue.losses.products[Loss.EVICTED] == 5


def test_one_that_cannot_be_read_is_lost_and_the_next_one_goes():
    far = MemoryFarProducts()
    for number in range(60):
        far.add(product(number, value=1 + number))
    far.damaged = {59, 40, 20}
    queue = queue_of(far)
    queue.adopt(0)
    assert queue.take_damaged(0) == [59]
    assert sent(queue, 30) == [n for n in range(58, 27, -1) if n != 40]
    assert queue.take_damaged(0) == [40]
    assert not queue.suspend(20), "asked for by name it is as if it were not there"
    assert queue.take_damaged(0) == [20]
    assert queue.losses.products[Loss.DAMAGED] == 3
    assert len(queue) == 57


def test_far_products_give_way_and_expire_as_near_ones_do():
    far = MemoryFarProducts()
    for number in range(100):
        far.add(product(number, value=10 + number, deadline_ns=S if number < 3 else None))
    queue = queue_of(far, budget_bytes=100_000)
    queue.adopt(0)
    assert queue.expire(S) == [0, 1, 2]
    admission = queue.offer(product(200, value=5_000, size=5_000), S)
    assert admission.verdict is Verdict.DISPLACED
    assert admission.displaced == (3, 4)
    assert queue.room.would_keep(16, 1_000, S)
    assert not queue.room.would_keep(15, 1_000, S)
    newer = product(201, value=50, supersedes=30)
    assert queue.offer(newer, S).superseded == 30
    assert queue.delete(31, S)
    assert not queue.delete(31, S)
    assert {30, 31}.isdisjoint(far.rows)


def test_what_is_late_is_left_where_it_is_until_it_is_told_as_expired():
    far = MemoryFarProducts()
    for number in range(60):
        far.add(product(number, value=1 + number, deadline_ns=S if number in {40, 41} else None))
    queue = queue_of(far)
    queue.adopt(0)
    assert sent(queue, now_ns=2 * S) == list(range(59, 41, -1)), "the next of its class is late"
    assert queue.expire(2 * S) == [40, 41]
    assert sent(queue, now_ns=2 * S) == list(range(39, -1, -1))


def test_a_leader_comes_near_with_what_depends_on_it_and_goes_first():
    far = MemoryFarProducts()
    far.add(product(0, value=1))
    for number in range(1, 40):
        far.add(product(number, value=1 + number, depends_on=0 if number == 39 else None))
    queue = queue_of(far)
    queue.adopt(0)
    assert sent(queue, 3) == [0, 39, 38]


def test_a_chain_of_any_length_brings_eight_leaders_near_at_most():
    far = MemoryFarProducts()
    for number in range(5_000):
        far.add(product(number, depends_on=number + 1, value=5_001 - number))
    queue = queue_of(far)
    queue.adopt(0)
    assert len(queue._entries) < NEAR + 10
    assert sorted(sent(queue)) == list(range(5_000))


def test_what_was_touched_asked_about_or_called_for_is_never_put_away():
    far = MemoryFarProducts()
    queue = queue_of(far)
    for number in range(3):
        queue.offer(product(number, value=1), 0)
    queue.suspend(0)
    queue.reprioritise(1, 2)
    assert queue.next_segment(0, 100).product_id == 1
    assert queue.reprioritise(2, 3)
    for number in range(10, 200):
        queue.offer(product(number, value=1_000 + number), 0)
    assert {0, 1, 2} <= queue._entries.keys()
    assert len(queue._entries) <= NEAR + NEAR // 8 + 2


def test_of_every_class_some_stay_at_hand_whatever_their_rank():
    far = MemoryFarProducts()
    queue = queue_of(far)
    queue.offer(product(0, value=1, klass=ProductClass.RAW), 0)
    for number in range(1, 100):
        queue.offer(product(number, value=1_000 + number), 0)
    assert 0 in queue._entries


def test_an_offer_displaces_no_more_far_products_than_its_bound():
    far = MemoryFarProducts()
    for number in range(5_000):
        far.add(product(number, value=1 + number % 7, size=10))
    queue = queue_of(far, budget_bytes=50_000)
    queue.adopt(0)
    large = product(9_000, value=10**9, size=45_000, klass=ProductClass.EMERGENCY)
    assert queue.offer(large, 0).reason is Loss.REFUSED_FULL
    small = product(9_001, value=10**9, size=40_000)
    assert len(queue.offer(small, 0).displaced) == 4_000


def test_a_queue_that_sends_late_products_holds_them_all_at_hand():
    late = OrderConfig(send_late=True)
    with pytest.raises(AssertionError, match="late"):
        DownlinkQueue(QueueConfig(order=late), far=MemoryFarProducts())
