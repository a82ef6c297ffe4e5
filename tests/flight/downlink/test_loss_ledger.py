"""Every loss has a line."""

from __future__ import annotations

from flight.downlink.downlink_queue import DownlinkQueue
from flight.downlink.product import Product, ProductClass
from flight.downlink.queue_values import Loss, LossLedger, QueueConfig, RoomGauge


def product(product_id, size_bytes=1000, value_millis=5):
    return Product(
        product_id, ProductClass.RAW, size_bytes, value_millis, None, 0, 0, f"p{product_id}"
    )


def test_losses_are_counted_and_the_newest_are_remembered():
    ledger = LossLedger(2)
    for product_id in range(3):
        ledger.count(product(product_id), Loss.EXPIRED, 5, 100)
    assert ledger.products[Loss.EXPIRED] == 3
    assert ledger.bytes[Loss.EXPIRED] == 300
    assert [record.product_id for record in ledger.drain()] == [1, 2]
    assert ledger.dropped == 1


def test_as_a_queue_the_products_are_counted_and_only_what_gave_way_for_room_is_lost():
    config = QueueConfig(budget_bytes=1_000, products_max=2)
    queue = DownlinkQueue(config)
    gauge = RoomGauge(queue, config)
    for number in range(1, 5):
        queue.offer(product(number, size_bytes=100, value_millis=number), 0)
    queue.offer(product(9, size_bytes=2_000), 0)
    queue.delete(4)
    assert (gauge.name, gauge.capacity) == ("products", 2)
    assert (len(gauge), gauge.high_water, gauge.dropped) == (1, 2, 3)
