"""Counters of the link on the product store."""

import contextlib
import errno

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


class LateWriter:
    """Does what it was asked for when the test says so, as a thread beside the loop would."""

    def __init__(self):
        self.engine, self.asked, self.outcomes, self.beats = None, [], [], 0

    def start(self, make):
        self.engine = make()

    def call(self, action):
        return action(self.engine)

    def submit(self, request):
        self.asked.append(request)

    def poll(self):
        return self.outcomes.pop(0) if self.outcomes else None

    def stop(self):
        self.engine.close()

    def work(self):
        while self.asked:
            self.outcomes.append(self.engine.write([self.asked.pop(0)]))


def test_a_medium_that_was_full_for_a_while_does_not_mute_the_link_for_good(
    files, tmp_path, monkeypatch
):
    writer = LateWriter()
    store = ProductStore(files, tmp_path / "index.sqlite", segment_bytes=4_096, writer=writer)
    store.recover()
    reserve = counter_reserve(store, "link.iv", 8)
    writer.work()
    store.poll()
    taken = []

    def turns(count):
        for _ in range(count):
            with contextlib.suppress(OSError):
                taken.append(reserve.take())
            writer.work()
            store.poll()

    with monkeypatch.context() as full:
        full.setattr(files, "preallocate", no_room)
        turns(1_500)
    stood_still = len(taken)
    assert stood_still < 1_400, "control: the medium was full"
    turns(200)
    assert len(taken) > stood_still + 150
    assert taken == list(range(1, len(taken) + 1))
    store.close()


def no_room(_handle, size_bytes):
    raise OSError(errno.ENOSPC, f"no room for {size_bytes}")
