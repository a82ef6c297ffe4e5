"""The order of sending: deadlines while all fits, density when not, and nobody starves."""

from __future__ import annotations

import pytest

from flight.downlink.downlink_queue import DownlinkQueue
from flight.downlink.product import Product, ProductClass
from flight.downlink.queue_entry import OrderConfig, OrderMode
from flight.downlink.queue_values import QueueConfig, Verdict

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


def drain(queue, max_bytes=1000, now=0):
    order = []
    while (segment := queue.next_segment(now, max_bytes)) is not None:
        order.append(segment.product_id)
    return order


def test_deadlines_rule_while_everything_fits_and_density_when_it_does_not():
    items = (
        product(1, 1000, 9000, deadline_ns=90 * S),
        product(2, 1000, 10, deadline_ns=80 * S),
        product(3, 1000, 500),
    )
    queue = queue_of(*items)
    queue.capacity_hint(100_000, 100 * S, 0)
    assert drain(queue) == [2, 1, 3]
    assert queue.snapshot().mode is OrderMode.DEADLINE
    queue = queue_of(*items)
    queue.capacity_hint(2500, 100 * S, 0)
    assert queue.next_segment(0, 500).product_id == 1
    assert queue.snapshot().mode is OrderMode.DENSITY
    queue.capacity_hint(None, 0, 0)
    assert queue.snapshot().mode is OrderMode.DENSITY


def test_the_change_between_the_orders_has_a_band():
    queue = queue_of(product(1, 1000, deadline_ns=10 * S))
    modes = []
    for left in (999, 1000, 1111, 1112, 1050, 1000, 999):
        queue.capacity_hint(left, 50 * S, 0)
        modes.append(queue.snapshot().mode)
    density, deadline = OrderMode.DENSITY, OrderMode.DEADLINE
    assert modes == [density, density, density, deadline, deadline, deadline, density]


def test_what_cannot_make_its_deadline_is_only_fill():
    hopeless = product(1, 50_000, 10**9, deadline_ns=10 * S)
    queue = queue_of(hopeless, product(2, 1000, 1))
    queue.capacity_hint(20_000, 20 * S, 0)
    assert drain(queue, 10_000)[0] == 2
    assert queue.snapshot().late_marked == 1
    queue = queue_of(hopeless, product(2, 1000, 1))
    queue.capacity_hint(20_000, 20 * S, 0)
    assert queue.next_segment(0, 1000).product_id == 2
    queue.capacity_hint(200_000, 21 * S, 0)
    queue.offer(product(3, 1000, 1), 0)
    assert queue.next_segment(0, 1000).product_id == 1, "a new contact gives another chance"


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


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["density", "deadline"])
def test_a_hundred_thousand_products_cost_no_more_steps_than_their_logarithm(mode):
    """Counted in comparisons, not in time: each selection may touch few heap items."""
    queue = DownlinkQueue(QueueConfig(budget_bytes=1 << 50, order=PLAIN))
    for index in range(100_000):
        deadline = None if index % 3 else (10**6 + index * 7919 % 99_991) * S
        klass = ProductClass(1 + index % 5)
        queue.offer(product(index, 1000, index * 7919 % 10_007, klass, deadline_ns=deadline), 0)
    if mode == "deadline":
        queue.capacity_hint(10**9, 10**15, 0)
    segments = [queue.next_segment(0, 400) for _ in range(3000)]
    assert len({s.product_id for s in segments}) == 1000
    heaps = [*queue._order._density, queue._order._deadline, queue._eviction._heap]
    assert sum(map(len, heaps)) < 4 * 100_000
    if mode == "density":
        values = [queue.product(s.product_id).value_millis for s in segments]
        assert values == sorted(values, reverse=True)
    else:
        deadlines = [queue.product(s.product_id).deadline_ns for s in segments]
        assert deadlines == sorted(deadlines)


def test_late_products_may_be_kept_as_fill():
    order = OrderConfig(ageing_ns=None, floor_permille=0, send_late=True)
    queue = DownlinkQueue(QueueConfig(order=order))
    assert queue.offer(product(1, 1000, 10**6, deadline_ns=S), 2 * S).verdict is Verdict.ADMITTED
    queue.offer(product(2, 1000, 1), 2 * S)
    assert queue.expire(9 * S) == []
    assert drain(queue, 1000, 9 * S) == [2, 1]
    queue.requeue(1, 0, 1000)
    assert drain(queue, 1000, 9 * S) == [1]
