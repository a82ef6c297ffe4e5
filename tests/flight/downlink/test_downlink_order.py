"""The order of sending: a plan where there is a forecast, density where not, nobody starves."""

from __future__ import annotations

import pytest

from flight.downlink.downlink_queue import DownlinkQueue
from flight.downlink.product import Product, ProductClass
from flight.downlink.queue_entry import OrderConfig, OrderMode
from flight.downlink.queue_values import QueueConfig, Verdict
from flight.downlink.send_horizon import Horizon
from flight.downlink.send_plan import PlanConfig

PLAIN = OrderConfig(ageing_ns=None, floor_permille=0)
S = 1_000_000_000


def product(product_id, size=1000, value=1000, klass=ProductClass.MASK, **fields):
    fields = {"deadline_ns": None, "created_ns": 0, "depends_on": None} | fields
    return Product(
        product_id=product_id,
        klass=klass,
        size_bytes=size,
        value_millis=value,
        crc32c=0,
        name=f"p{product_id}",
        **fields,
    )


def queue_of(*products, order=PLAIN, **config):
    queue = DownlinkQueue(QueueConfig(order=order, **config))
    for item in products:
        assert queue.offer(item, 0).verdict is Verdict.ADMITTED
    return queue


def one_contact(left_bytes, seconds):
    return Horizon.of_one_contact(left_bytes, seconds * S, 0)


def drain(queue, max_bytes=1000, now=0):
    order = []
    while (segment := queue.next_segment(now, max_bytes)) is not None:
        order.append(segment.product_id)
    return order


def test_what_would_miss_its_deadline_goes_first_while_both_fit():
    """Dearer, but patient: it fits behind the other one, which does not fit behind it."""
    patient = product(1, 9_000_000, 90_000)
    urgent = product(2, 5_000_000, 40_000, deadline_ns=30 * S)
    queue = queue_of(patient, urgent)
    queue.look_ahead(one_contact(20_000_000, 100), 0)
    assert drain(queue, 10_000_000)[0] == 2
    assert queue.snapshot().mode is OrderMode.PLANNED
    queue = queue_of(patient, urgent)
    assert drain(queue, 10_000_000)[0] == 1, "without a forecast the denser one goes first"
    assert queue.snapshot().mode is OrderMode.DENSITY


def test_density_rules_when_not_everything_fits():
    queue = queue_of(product(1, 9000, 90_000), product(2, 5000, 10_000, deadline_ns=60 * S))
    queue.look_ahead(one_contact(10_000, 100), 0)
    assert drain(queue, 10_000)[0] == 1


def test_what_cannot_be_finished_goes_last():
    hopeless = product(1, 50_000, 10**9, deadline_ns=10 * S)
    queue = queue_of(hopeless, product(2, 1000, 1))
    queue.look_ahead(one_contact(20_000, 20), 0)
    assert drain(queue, 10_000)[0] == 2
    queue = queue_of(hopeless, product(2, 1000, 1))
    queue.look_ahead(one_contact(20_000, 20), 0)
    assert queue.next_segment(0, 1000).product_id == 2
    queue.look_ahead(one_contact(900_000, 20), 3 * S)
    queue.offer(product(3, 1000, 1), 0)
    assert queue.next_segment(3 * S, 1000).product_id == 1, "a better line gives another chance"


def test_a_product_that_comes_after_the_plan_takes_its_place_by_the_price_of_the_line():
    queue = queue_of(*(product(i, 1000, 1000 + i, deadline_ns=90 * S) for i in range(1, 30)))
    queue.look_ahead(one_contact(10_000, 100), 0)
    queue.offer(product(90, 1000, 5000, deadline_ns=20 * S), 0)
    queue.offer(product(91, 1000, 1), 0)
    order = drain(queue, 1000)
    assert order[0] == 90
    assert order[-1] == 91


def test_lost_bytes_of_a_product_sent_to_its_end_go_first():
    queue = queue_of(product(1, 4000, 10), product(2, 4000, 10_000))
    queue.look_ahead(one_contact(100_000, 100), 0)
    assert drain(queue, 4000) == [2, 1]
    queue.offer(product(3, 4000, 10**6), 0)
    queue.requeue(1, 1000, 500)
    assert queue.next_segment(0, 4000).product_id == 1
    assert queue.next_segment(0, 4000).product_id == 3


def test_without_contacts_to_come_the_plan_is_forgotten():
    queue = queue_of(product(1))
    queue.look_ahead(one_contact(100_000, 100), 0)
    assert queue.snapshot().mode is OrderMode.PLANNED
    queue.look_ahead(None, 1)
    assert queue.snapshot().mode is OrderMode.DENSITY


def test_only_the_densest_are_planned_and_the_others_follow_by_density():
    plan = PlanConfig(candidates_max=10)
    order = OrderConfig(ageing_ns=None, floor_permille=0, plan=plan)
    queue = queue_of(*(product(i, 1000, 100 + i) for i in range(60)), order=order)
    queue.look_ahead(one_contact(10**6, 100), 0)
    assert drain(queue, 1000) == sorted(range(60), reverse=True)


def test_no_class_starves_under_overload():
    order = OrderConfig(ageing_ns=None, floor_permille=50)
    queue = DownlinkQueue(QueueConfig(order=order))
    queue.offer(product(1, 10**7, 10**9, ProductClass.MASK), 0)
    queue.offer(product(2, 10**7, 1, ProductClass.RAW), 0)
    sent = {1: 0, 2: 0}
    for _ in range(2000):
        segment = queue.next_segment(0, 1000)
        sent[segment.product_id] += segment.length
    assert 0.04 < sent[2] / 2_000_000 < 0.06
    assert queue.snapshot().floor_bytes == sent[2]


def test_waiting_makes_a_product_denser():
    order = OrderConfig(ageing_ns=100 * S, floor_permille=0)
    queue = DownlinkQueue(QueueConfig(order=order))
    queue.offer(product(1, 1000, 100, created_ns=0), 0)
    queue.offer(product(2, 1000, 300, created_ns=100 * S), 0)
    queue.offer(product(3, 1000, 300, created_ns=300 * S), 0)
    assert drain(queue) == [2, 1, 3]


def test_value_decays_so_that_of_two_alike_the_newer_one_goes_first():
    order = OrderConfig(ageing_ns=None, floor_permille=0, half_life_ns=100 * S)
    queue = DownlinkQueue(QueueConfig(order=order))
    queue.offer(product(1, 1000, 300, created_ns=0), 0)
    queue.offer(product(2, 1000, 100, created_ns=100 * S), 100 * S)
    queue.offer(product(3, 1000, 100, created_ns=300 * S), 300 * S)
    assert drain(queue) == [3, 1, 2]


def test_what_has_decayed_is_not_worth_a_place_that_something_new_could_have():
    """Room for one: the plan weighs what they are worth now, not what they were when made."""
    old = product(1, 6_000_000, 4_000_000, deadline_ns=440 * S, created_ns=0)
    new = product(2, 6_000_000, 1_000_000, deadline_ns=440 * S, created_ns=400 * S)
    for half_life_s, first in ((None, 1), (100, 2)):
        half_life_ns = None if half_life_s is None else half_life_s * S
        order = OrderConfig(ageing_ns=None, floor_permille=0, half_life_ns=half_life_ns)
        queue = DownlinkQueue(QueueConfig(order=order))
        for each in (old, new):
            queue.offer(each, 400 * S)
        queue.look_ahead(Horizon.of_one_contact(7_000_000, 430 * S, 400 * S), 400 * S)
        assert drain(queue, 10_000_000, 400 * S)[0] == first


def test_when_room_is_short_what_has_decayed_gives_way():
    order = OrderConfig(ageing_ns=None, floor_permille=0, half_life_ns=100 * S)
    queue = DownlinkQueue(QueueConfig(budget_bytes=2_000, order=order))
    queue.offer(product(1, 1000, 400, created_ns=0), 0)
    queue.offer(product(2, 1000, 300, created_ns=200 * S), 200 * S)
    admission = queue.offer(product(3, 1000, 200, created_ns=300 * S), 300 * S)
    assert (admission.verdict, admission.displaced) == (Verdict.DISPLACED, (1,))
    assert queue.room.would_keep(100, 1000, 400 * S)
    assert not queue.room.would_keep(70, 1000, 400 * S)


@pytest.mark.slow
@pytest.mark.parametrize("planned", [False, True])
def test_a_hundred_thousand_products_are_sent_in_order_and_the_heaps_stay_bounded(planned):
    queue = DownlinkQueue(QueueConfig(budget_bytes=1 << 50, order=PLAIN))
    for index in range(100_000):
        klass = ProductClass(1 + index % 5)
        queue.offer(product(index, 1000, index * 7919 % 10_007, klass), 0)
    if planned:
        queue.look_ahead(one_contact(10**9, 10**6), 0)
    segments = [queue.next_segment(0, 400) for _ in range(3000)]
    assert len({s.product_id for s in segments}) == 1000
    order = queue._order
    heaps = [*order._density, order._planned, *queue.room._eviction._heaps]
    assert sum(map(len, heaps)) < 4 * 100_000
    values = [queue.product(s.product_id).value_millis for s in segments]
    assert values == sorted(values, reverse=True)


def test_late_products_may_be_kept_as_fill():
    order = OrderConfig(ageing_ns=None, floor_permille=0, send_late=True)
    queue = DownlinkQueue(QueueConfig(order=order))
    assert queue.offer(product(1, 1000, 10**6, deadline_ns=S), 2 * S).verdict is Verdict.ADMITTED
    queue.offer(product(2, 1000, 1), 2 * S)
    assert queue.expire(9 * S) == []
    assert drain(queue, 1000, 9 * S) == [2, 1]
    queue.requeue(1, 0, 1000)
    assert drain(queue, 1000, 9 * S) == [1]
