from fuzz_times import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.wire.replay_window import Freshness, ReplayWindow


@settings(deadline=None, max_examples=examples(300))
@given(st.lists(st.integers(0, 60), max_size=80), st.integers(1, 40))
def test_the_window_decides_as_a_plain_set_would(numbers, width):
    window = ReplayWindow(width)
    seen: set[int] = set()
    for number in numbers:
        highest = max(seen, default=0)
        if number < 1 or number <= highest - width:
            expected = Freshness.TOO_OLD
        elif number in seen:
            expected = Freshness.SEEN
        else:
            expected = Freshness.NEW
        assert window.judge(number) is expected
        assert window.accept(number) is expected
        if expected is Freshness.NEW:
            seen.add(number)
        assert window.highest == max(seen, default=0)


@settings(deadline=None, max_examples=examples(200))
@given(st.lists(st.integers(1, 2**64 - 1), max_size=40), st.integers(0, 40))
def test_nothing_accepted_before_a_reset_is_accepted_after_it(numbers, reset_at):
    kept = [0]
    accepted: list[int] = []

    def boot() -> ReplayWindow:
        return ReplayWindow(16, load=lambda: kept[-1], store=kept.append)

    window = boot()
    for i, number in enumerate(numbers * 2):
        if i == reset_at:
            window = boot()
        if window.accept(number) is Freshness.NEW:
            accepted.append(number)
    assert len(accepted) == len(set(accepted))


@settings(deadline=None, max_examples=examples(100))
@given(st.integers(1, 9), st.integers(1, 60))
def test_rarer_writes_let_fewer_than_that_many_numbers_come_again(every, taken):
    kept = [0]
    window = ReplayWindow(64, lambda: kept[-1], kept.append, store_every=every)
    for number in range(1, taken + 1):
        window.accept(number)
    assert len(kept) - 1 == taken // every
    window = ReplayWindow(64, lambda: kept[-1], kept.append, store_every=every)
    again = sum(window.accept(number) is Freshness.NEW for number in range(1, taken + 1))
    assert again == taken % every


def test_control_without_storage_a_reset_lets_a_replay_through():
    assert ReplayWindow(16).accept(5) is Freshness.NEW
    assert ReplayWindow(16).accept(5) is Freshness.NEW


def test_a_dead_disk_is_counted_and_does_not_lock_the_ground_out():
    def fail(_: int) -> None:
        raise OSError("no space")

    window = ReplayWindow(16, load=lambda: 3, store=fail)
    assert window.accept(9) is Freshness.NEW
    assert window.accept(9) is Freshness.SEEN
    assert window.accept(10) is Freshness.NEW
    assert window.store_failures == 2


def test_memory_stays_within_the_width_after_a_jump_of_the_counter():
    window = ReplayWindow(1_024)
    for number in (1, 2**63, 2**63 + 1, 2**64 - 1):
        assert window.accept(number) is Freshness.NEW
    assert window._seen.bit_length() <= 1_024


class Disk:
    """A store that says later how far it is."""

    def __init__(self):
        self.asked, self.durable = [0], 0

    def sync(self):
        self.durable = self.asked[-1]

    def window(self):
        return ReplayWindow(
            16, lambda: self.durable, self.asked.append,
            durable=lambda: self.durable, ahead=lambda number: 100 if number >= 1_000 else 0,
        )  # fmt: skip


def test_numbers_that_follow_soon_share_a_reservation_that_is_renewed_before_it_ends():
    disk = Disk()
    window = disk.window()
    assert not window.announce(1_000)
    disk.sync()
    assert window.announce(1_000)
    for number in range(1_000, 1_051):
        assert window.announce(number)
        assert window.accept(number) is Freshness.NEW
    assert disk.asked == [0, 1_100]
    assert window.announce(1_051)
    assert disk.asked == [0, 1_100, 1_151], "asked for while the old one still holds"
    assert window.announce(1_100)
    assert not window.announce(1_101)
    disk.sync()
    assert window.announce(1_101)


def test_numbers_that_are_counted_up_are_reserved_one_by_one():
    disk = Disk()
    window = disk.window()
    for number in (1, 2, 3):
        assert not window.announce(number)
        disk.sync()
        assert window.announce(number)
    assert disk.asked == [0, 1, 2, 3]


@settings(deadline=None, max_examples=examples(200))
@given(st.lists(st.tuples(st.integers(0, 1_500), st.booleans(), st.booleans()), max_size=40))
def test_with_a_reservation_ahead_nothing_is_accepted_twice_whenever_the_power_fails(steps):
    disk, accepted, number = Disk(), [], 900
    window = disk.window()
    for ahead, power_fails, disk_works in steps:
        number += ahead
        for each in (number, number - ahead // 2):
            window.announce(each)
            if disk_works:
                disk.sync()
            if window.announce(each) and window.accept(each) is Freshness.NEW:
                accepted.append(each)
        if power_fails:
            window = disk.window()
    assert len(accepted) == len(set(accepted))
