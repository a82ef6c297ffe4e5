"""What gives way, what waits for what, and that every loss has a line."""

from __future__ import annotations

from flight.downlink.downlink_order import SendOrder
from flight.downlink.eviction import DeadlineWatch, EvictionOrder, QueueRoom
from flight.downlink.held_products import boosted_leaders, released_dependents, wait_for_leader
from flight.downlink.product import Producer, Product, ProductClass
from flight.downlink.queue_entry import Entry, OrderConfig
from flight.downlink.queue_values import QueueConfig
from flight.wire.ranges import RangeSet


def product(
    product_id, size=1000, value=1000, klass=ProductClass.MASK, depends_on=None,
    producer=Producer.IMAGING,
):  # fmt: skip
    return Product(
        product_id, klass, size, value, None, 0, 0, f"p{product_id}", depends_on, producer=producer
    )


class Table:
    def __init__(self, *products):
        self.order = SendOrder(OrderConfig(ageing_ns=None, floor_permille=0))
        self.entries = {}
        self.eviction = EvictionOrder(self.entries, None)
        for item in products:
            self.add(item)

    def add(self, item):
        entry = Entry(item, RangeSet([(0, item.size_bytes)]), RangeSet())
        self.entries[item.product_id] = entry
        wait_for_leader(entry, self.entries)
        self.order.rank(entry)
        self.eviction.rank(entry)
        return entry


def victims(table, newcomer, need_bytes=0, need_products=0, **choice):
    found = table.eviction.victims_for(newcomer, need_bytes, need_products, **choice)
    return None if found is None else [each.product_id for each in found]


def test_victims_are_the_least_dense_and_just_enough_of_them():
    table = Table(product(1, value=30), product(2, value=10), product(3, value=20))
    dense = product(9, value=100)
    assert victims(table, dense, need_bytes=1) == [2]
    assert victims(table, dense, need_bytes=1001) == [2, 3]
    assert victims(table, dense, need_products=3) == [2, 3, 1]
    assert victims(table, dense, need_products=4) is None
    assert victims(table, product(9, value=15), need_bytes=1001) is None
    assert victims(table, dense, need_bytes=1) == [2], "asking changes nothing"
    del table.entries[2]
    assert victims(table, dense, need_bytes=1) == [3]


def test_the_heap_of_the_evictable_stays_bounded_however_often_keys_change():
    table = Table(product(1), product(2))
    for _ in range(1000):
        for entry in table.entries.values():
            table.order.rank(entry)
            table.eviction.rank(entry)
    assert sum(len(heap) for heap in table.eviction._heaps) < 100
    assert sum(len(heap) for heap in table.order._density) < 200


def test_only_an_emergency_displaces_what_is_denser():
    table = Table(product(1, value=10**6), product(2, klass=ProductClass.EMERGENCY, value=0))
    assert victims(table, product(9, value=1), need_bytes=1) is None
    urgent = product(9, value=0, klass=ProductClass.EMERGENCY)
    assert victims(table, urgent, need_bytes=1) == [1]
    assert victims(table, urgent, need_bytes=1001) is None


def test_one_producers_victims_are_its_own_however_dense_they_are():
    recorder = Producer.TELEMETRY
    table = Table(
        product(1, value=1), product(2, value=50, producer=recorder),
        product(3, value=20, producer=recorder), product(4, value=2),
    )  # fmt: skip
    newcomer = product(9, value=100, producer=recorder)
    assert victims(table, newcomer, need_bytes=1001, among=(recorder,)) == [3, 2]
    assert victims(table, newcomer, need_bytes=2001, among=(recorder,)) is None
    assert victims(table, newcomer, need_bytes=2001) == [1, 4, 3]
    assert victims(table, newcomer, need_bytes=1, going=(1,)) == [4]


def test_room_is_counted_by_producer_and_says_what_would_be_kept():
    table = Table(product(1, value=10), product(2, value=30, producer=Producer.TELEMETRY))
    quotas = {Producer.TELEMETRY: 1500}
    room = QueueRoom(table.entries, QueueConfig(quotas=quotas, order=OrderConfig(ageing_ns=None)))
    for entry in table.entries.values():
        room.entered(entry.product)
        room.rank(entry)
    assert (room.bytes, room.millis, room.high_products) == (2000, 40, 2)
    assert room.held[Producer.TELEMETRY] == room.held[Producer.IMAGING] == 1000
    assert room.would_keep(11, 1000, 0)
    assert not room.would_keep(10, 1000, 0)
    newcomer = product(9, value=40, producer=Producer.TELEMETRY)
    assert [each.product_id for each in room.own_victims(newcomer, None)] == [2]
    assert room.own_victims(newcomer, table.entries[2].product) == []
    assert room.own_victims(product(9), None) == []
    room.left(table.entries.pop(2).product)
    assert (room.bytes, room.high_bytes, room.held[Producer.TELEMETRY]) == (1000, 2000, 0)


def due_entry(number, deadline_ns):
    late = Product(number, ProductClass.MASK, 10, 1, deadline_ns, 0, 0, "p")
    return Entry(late, RangeSet([(0, 10)]), RangeSet())


def test_what_is_due_comes_in_order_and_once():
    entries = {n: due_entry(n, d) for n, d in ((1, 30), (2, 10), (3, 20), (4, None), (5, 99))}
    watch = DeadlineWatch(entries)
    for entry in entries.values():
        watch.watch(entry.product)
    assert [entry.product.product_id for entry in watch.due(30)] == [2, 3, 1]
    assert list(watch.due(30)) == []


def test_what_has_left_is_not_met_any_more():
    entries = {1: due_entry(1, 10), 2: due_entry(2, 10)}
    watch = DeadlineWatch(entries)
    watch.watch(entries[1].product)
    watch.watch(due_entry(2, 5).product)
    del entries[1]
    assert list(watch.due(50)) == []


def test_leaders_inherit_the_rank_of_what_waits_and_release_it_when_sent():
    table = Table(product(1, value=1), product(2, value=2, depends_on=1))
    last = table.add(product(3, value=10**6, depends_on=2))
    boosted = []
    for leader in boosted_leaders(last, table.entries):
        table.order.rank(leader)
        boosted.append(leader.product.product_id)
    assert boosted == [2, 1]
    assert table.entries[1].key == last.key
    assert not last.ready
    released = list(released_dependents(table.entries[2], table.entries))
    assert released == [last]
    assert last.waits_on is None
    assert list(released_dependents(table.entries[2], table.entries)) == []


def test_a_product_waits_neither_for_itself_nor_for_what_is_not_queued():
    table = Table(product(1, depends_on=1), product(2, depends_on=77))
    assert all(entry.waits_on is None for entry in table.entries.values())
