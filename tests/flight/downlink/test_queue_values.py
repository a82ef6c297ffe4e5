"""Why a product is refused, whatever else is queued."""

from __future__ import annotations

from flight.downlink.product import Product, ProductClass
from flight.downlink.queue_entry import OrderConfig
from flight.downlink.queue_values import Loss, QueueConfig, refusal_of


def product(size, deadline_ns=None):
    return Product(1, ProductClass.MASK, size, 1, deadline_ns, 0, 0, "p")


def test_each_refusal_has_its_reason_and_the_rest_is_welcome():
    config = QueueConfig(budget_bytes=1000)
    assert refusal_of(product(1000), config, 5, held=False) is None
    assert refusal_of(product(1000), config, 5, held=True) is Loss.REFUSED_DUPLICATE
    assert refusal_of(product(1001), config, 5, held=False) is Loss.REFUSED_TOO_LARGE
    assert refusal_of(product(10, 5), config, 5, held=False) is Loss.REFUSED_EXPIRED
    assert refusal_of(product(10, 6), config, 5, held=False) is None


def test_what_is_late_is_welcome_where_late_bytes_count():
    config = QueueConfig(order=OrderConfig(send_late=True))
    assert refusal_of(product(10, 5), config, 5, held=False) is None
