"""Every loss has a line."""

from __future__ import annotations

from flight.downlink.product import Product, ProductClass
from flight.downlink.queue_values import Loss, LossLedger


def product(product_id):
    return Product(product_id, ProductClass.RAW, 1000, 5, None, 0, 0, f"p{product_id}")


def test_losses_are_counted_and_the_newest_are_remembered():
    ledger = LossLedger(2)
    for product_id in range(3):
        ledger.count(product(product_id), Loss.EXPIRED, 5, 100)
    assert ledger.products[Loss.EXPIRED] == 3
    assert ledger.bytes[Loss.EXPIRED] == 300
    assert [record.product_id for record in ledger.drain()] == [1, 2]
    assert ledger.dropped == 1
