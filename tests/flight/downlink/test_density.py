"""The ranking key is exact in order, and the same on every machine."""

from __future__ import annotations

from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flight.downlink.product import Product, ProductClass, density_key, log2_steps

BIG = st.integers(1, 1 << 52)


@given(BIG, BIG)
def test_the_steps_keep_the_order_and_are_close_to_the_logarithm(a, b):
    assert (a < b) == (log2_steps(a) < log2_steps(b))
    assert log2_steps(a) == pytest.approx(log2(a) + 2, abs=0.09)


def test_the_steps_are_exact_at_powers_of_two():
    assert [log2_steps(1 << k) - log2_steps(1) for k in range(60)] == list(range(60))


def test_waiting_for_one_ageing_time_doubles_the_density():
    def key(value, created_ns):
        product = Product(1, ProductClass.RAW, 100, value, None, created_ns, 0, "p")
        return density_key(product, 100, 1000)

    assert key(400, 1000) == key(200, 0)
    assert key(0, 0) == key(1, 0), "nothing is worth less than nothing"
