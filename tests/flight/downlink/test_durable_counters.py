"""Counters of the link on the product store."""

import pytest

from flight.downlink.durable_counters import (
    IDENTITY_AHEAD_NS,
    counter_reserve,
    identity_window,
    replay_window,
)
from flight.downlink.file_store_memory import MemoryFileStore
from flight.downlink.product_store_sqlite import ProductStore
from flight.wire.counter_reserve import BLOCK_DEFAULT
from flight.wire.replay_window import Freshness


def opened(files, path):
    store = ProductStore(files, path, segment_bytes=65_536)
    store.recover()
    return store


@pytest.fixture
def files():
    return MemoryFileStore()


def test_a_number_taken_before_a_reset_is_never_taken_again(files, tmp_path):
    taken = set()
    for _ in range(4):
        store = opened(files, tmp_path / "index.sqlite")
        reserve = counter_reserve(store, "link.iv")
        fresh = {reserve.take() for _ in range(5)}
        assert not fresh & taken
        taken |= fresh
        store.close()


def test_two_counters_of_one_store_do_not_touch_each_other(files, tmp_path):
    store = opened(files, tmp_path / "index.sqlite")
    first, second = counter_reserve(store, "a"), counter_reserve(store, "b")
    assert [first.take(), first.take(), second.take()] == [1, 2, 1]


def test_what_was_accepted_before_a_reset_is_refused_after_it(files, tmp_path):
    store = opened(files, tmp_path / "index.sqlite")
    assert replay_window(store, "command.id").accept(7) is Freshness.NEW
    store.close()
    again = replay_window(opened(files, tmp_path / "index.sqlite"), "command.id")
    assert again.judge(7) is not Freshness.NEW
    assert again.judge(8) is Freshness.NEW


def test_a_store_that_fails_is_a_disk_that_fails(files, tmp_path):
    store = opened(files, tmp_path / "index.sqlite")
    reserve = counter_reserve(store, "link.iv")
    store.close()
    assert reserve.take(BLOCK_DEFAULT) == 1, "these were durable before"
    assert not reserve.ready()
    with pytest.raises(OSError, match="closed"):
        reserve.take()


UTC_NS = 1_782_000_000 * 1_000_000_000


def test_identities_that_are_times_are_refused_after_a_reset_for_no_longer_than_a_second(
    files, tmp_path
):
    store = opened(files, tmp_path / "index.sqlite")
    window = identity_window(store, "command.id")
    assert window.announce(UTC_NS)
    assert window.accept(UTC_NS) is Freshness.NEW
    store.close()
    again = identity_window(opened(files, tmp_path / "index.sqlite"), "command.id")
    assert again.judge(UTC_NS + IDENTITY_AHEAD_NS) is Freshness.TOO_OLD
    assert again.judge(UTC_NS + IDENTITY_AHEAD_NS + 1) is Freshness.NEW


def test_identities_that_are_counted_up_go_on_after_a_reset_with_the_next_one(files, tmp_path):
    store = opened(files, tmp_path / "index.sqlite")
    window = identity_window(store, "command.id")
    assert window.announce(7)
    assert window.accept(7) is Freshness.NEW
    store.close()
    again = identity_window(opened(files, tmp_path / "index.sqlite"), "command.id")
    assert [again.judge(7), again.judge(8)] == [Freshness.TOO_OLD, Freshness.NEW]
