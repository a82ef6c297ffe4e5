"""What will be made, from what has been made."""

import pytest

from flight.downlink.arrival_forecast import OFFERS_MAX, ArrivalForecast
from flight.downlink.product import Product, ProductClass

S = 1_000_000_000


def product(number, size, value, created_s, patience_s=None):
    deadline_ns = None if patience_s is None else (created_s + patience_s) * S
    return Product(number, ProductClass.MASK, size, value, deadline_ns, created_s * S, 0, "p")


def test_little_experience_expects_nothing():
    forecast = ArrivalForecast()
    for index in range(10):
        forecast.note(product(index, 1000, 1, index))
    assert forecast.cells(100 * S) == ()


def test_the_rates_add_up_to_what_was_offered_and_fall_in_density():
    forecast = ArrivalForecast()
    for index in range(400):
        forecast.note(product(index, 1000 + index, 10 ** (index % 5), index, 10 + index % 7))
    cells = forecast.cells(400 * S)
    offered = sum(1000 + index for index in range(400))
    assert sum(each.bytes_per_s for each in cells) == pytest.approx(offered / 400)
    keys = [each.key for each in cells]
    assert keys[0] > keys[-1] + 10
    assert {each.patience_ns // S for each in cells} <= set(range(10, 18))


def test_old_offers_are_forgotten():
    forecast = ArrivalForecast()
    for index in range(OFFERS_MAX):
        forecast.note(product(index, 1_000_000, 1, 0))
    forecast.cells(S)
    for index in range(OFFERS_MAX):
        forecast.note(product(index, 1000, 1, 1000 + index))
    rate = sum(each.bytes_per_s for each in forecast.cells((1000 + OFFERS_MAX) * S))
    assert rate == pytest.approx(1000, rel=0.01)
