"""What comes, is ranked, waits and goes leaves room, deadlines and dependencies in order."""

from __future__ import annotations

from flight.downlink.downlink_order import SendOrder
from flight.downlink.held_products import HeldProducts
from flight.downlink.product import Product, ProductClass, density_key
from flight.downlink.queue_entry import OrderConfig
from flight.downlink.queue_values import QueueConfig
from tests.flight.downlink.far_products_memory import MemoryFarProducts

CONFIG = QueueConfig(order=OrderConfig(ageing_ns=None, floor_permille=0), near_products=8)


def product(number, value=100, depends_on=None, deadline_ns=None):
    return Product(
        number, ProductClass.MASK, 1_000, value, deadline_ns, 0, 0, f"p{number}", depends_on
    )


def holding(*products, far=None):
    table = HeldProducts(CONFIG, SendOrder(CONFIG.order), far)
    for each in products:
        table.enter(each, suspended=False)
        table.room.entered(each)
    return table


def test_a_leader_that_is_worth_less_keeps_the_rank_of_what_waits_for_it():
    table = holding(product(1, value=500), product(2, value=300, depends_on=1))
    leader, waiting = table.entries[1], table.entries[2]
    assert leader.boost is None
    leader.product = product(1, value=3)
    table.rank(leader)
    assert leader.key == waiting.key


def test_what_leaves_releases_what_waited_for_it_and_waits_for_nothing_itself():
    table = holding(product(1), product(2, depends_on=1), product(3, depends_on=2))
    assert [table.entries[n].ready for n in (1, 2, 3)] == [True, False, False]
    table.remove(product(2))
    assert table.entries[1].dependents == []
    assert table.entries[3].ready
    assert table.room.products == 2
    assert table.held(2) is table.near(2) is None


def test_what_the_ground_has_to_be_asked_about_is_not_waited_for():
    table = holding()
    table.enter(product(1), suspended=True)
    table.enter(product(2, depends_on=1), suspended=False)
    assert table.entries[2].ready


def test_without_far_products_nothing_has_to_be_met_tended_or_told():
    table = holding(product(1, deadline_ns=5))
    table.tend()
    table.meet(0)
    table.fill()
    table.answered(1)
    assert table.far_due(10) == ()
    assert table.take_unreadable() == []
    assert [entry.product.product_id for entry in table.due(5)] == [1]


def test_a_far_product_keeps_the_rank_it_was_boosted_to_and_no_other():
    far = MemoryFarProducts()
    far.put_away(product(1, value=1), 4.0)
    far.put_away(product(2, value=7), density_key(product(2, value=7), 1_000, None))
    table = holding(far=far)
    table.adopt()
    assert table.held(1).value_millis == 1
    assert not table.entries
    assert table.near(1).key == 4.0
    assert table.near(2).boost is None
    assert table.held(2) is table.entries[2].product
