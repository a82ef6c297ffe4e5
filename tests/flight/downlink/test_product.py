"""Products are checked where they are made."""

from __future__ import annotations

import pytest

from flight.downlink.product import Product, ProductClass, manifest_of, product_of


def test_a_product_that_could_not_travel_cannot_be_made():
    good = Product(1, ProductClass.RAW, 9, 5, None, 0, 0, "a.png", depends_on=0)
    assert product_of(manifest_of(good)) == good
    for fields in ((0, 1, "a"), (1 << 40, 1, "a"), (1, -1, "a"), (1, 1, "../a")):
        size, value, name = fields
        with pytest.raises(ValueError, match=r"size|named"):
            Product(1, ProductClass.RAW, size, value, None, 0, 0, name)
