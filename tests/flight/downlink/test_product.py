"""Products are checked where they are made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flight.downlink.product import (
    Product,
    ProductClass,
    density_of,
    manifest_of,
    net_ageing_ns,
    product_of,
)

SPANS_NS = st.integers(10**9, 10**18)


def test_a_product_that_could_not_travel_cannot_be_made():
    good = Product(1, ProductClass.RAW, 9, 5, None, 0, 0, "a.png", depends_on=0)
    assert product_of(manifest_of(good)) == good
    for fields in ((0, 1, "a"), (1 << 40, 1, "a"), (1, -1, "a"), (1, 1, "../a")):
        size, value, name = fields
        with pytest.raises(ValueError, match=r"size|named"):
            Product(1, ProductClass.RAW, size, value, None, 0, 0, name)


@given(st.one_of(st.none(), SPANS_NS), st.one_of(st.none(), SPANS_NS), st.integers(0, 10**17))
def test_ageing_and_decay_together_move_a_rank_as_each_for_itself(ageing, half_life, created_ns):
    net = net_ageing_ns(ageing, half_life)
    moved = density_of(1, 1, created_ns, net) - density_of(1, 1, created_ns, None)
    alone = (created_ns / half_life if half_life else 0.0) - (created_ns / ageing if ageing else 0)
    largest = created_ns / min(each for each in (ageing, half_life, created_ns + 1) if each)
    assert moved == pytest.approx(alone, rel=1e-6, abs=1e-6 + 1e-9 * largest)
