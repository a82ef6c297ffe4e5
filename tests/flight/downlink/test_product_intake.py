"""A product counts from its commit on; what leaves undelivered is counted, told, withdrawn."""

import sqlite3

import pytest

from flight.downlink.arq_sender import ArqSender
from flight.downlink.arq_values import ArqConfig
from flight.downlink.downlink_queue import DownlinkQueue
from flight.downlink.file_store_memory import MemoryFileStore
from flight.downlink.product import ProductClass
from flight.downlink.product_intake import ProductIntake
from flight.downlink.product_store_sqlite import ProductStore
from flight.downlink.queue_entry import OrderConfig
from flight.downlink.queue_values import QueueConfig
from flight.downlink.segment_file import segment_name
from flight.downlink.store_values import StoreError, StoreErrorKind
from flight.link_config import StoreConfig
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.event_log import EventLog
from flight.wire.counter_reserve import CounterReserve

S = 1_000_000_000
CAP_BYTES = 1_000_000
COMMIT_S = 5.0


class Bench:
    """Intake with real store, queue and ARQ; the folder is in memory."""

    def __init__(self, index, files=None, *, queue_bytes=1 << 20, store_bytes=1 << 24):
        self.files = files or MemoryFileStore()
        self.store = ProductStore(
            self.files, index, segment_bytes=1 << 17, capacity_bytes=store_bytes
        )
        order = OrderConfig(ageing_ns=None, floor_permille=0)
        config = QueueConfig(budget_bytes=queue_bytes, order=order)
        self.queue = DownlinkQueue(config, far=self.store.far)
        self.arq = ArqSender(2, ArqConfig())
        self.channels = ChannelValues()
        self.told = []
        self.recovered = self.store.recover()
        self.intake = ProductIntake(
            store=self.store,
            queue=self.queue,
            arq=self.arq,
            ids=CounterReserve(lambda: len(self.recovered), lambda _: None),
            config=StoreConfig(cap_bytes=CAP_BYTES, commit_period_s=COMMIT_S),
            channels=self.channels,
            events=EventLog(64, lambda event: self.told.append((event.name, event.args))),
        )

    def submit(self, size=1_000, value=1_000, now_ns=0, deadline_ns=None, **relations):
        return self.intake.submit(
            name=f"p{value}-{now_ns}-{size}",
            klass=ProductClass.MASK,
            payload=bytes([7]) * size,
            value_millis=value,
            deadline_ns=deadline_ns,
            now_ns=now_ns,
            **relations,
        )

    def reasons(self, name):
        return [(args["product"], args.get("reason")) for told, args in self.told if told == name]

    def lost(self):
        return self.channels.get("queue.dropped_total")


@pytest.fixture
def make(tmp_path):
    made = []

    def bench(files=None, **options):
        if made:
            made[-1].store.close()
        made.append(Bench(tmp_path / "index.sqlite3", files, **options))
        return made[-1]

    yield bench
    made[-1].store.close()


def test_a_product_is_neither_told_nor_sent_before_it_is_durable(make):
    bench = make()
    assert bench.submit()
    assert 1 not in bench.queue
    assert bench.told == []
    bench.intake.step(0)
    assert 1 in bench.queue
    assert [name for name, _ in bench.told] == ["PRODUCT_CREATED"]


def test_an_emergency_waits_for_no_commit_but_its_own_and_takes_along_what_waits(make):
    bench = make()
    bench.intake.step(0)
    assert bench.submit(1_000, value=7)
    assert len(bench.queue) == 0
    assert bench.intake.submit(
        name="alarm.bin", klass=ProductClass.EMERGENCY, payload=b"fire", value_millis=0,
        deadline_ns=None, now_ns=S // 2,
    )  # fmt: skip
    assert len(bench.queue) == 2
    assert bench.queue.next_segment(S // 2, 1_000).length == 4


def test_who_hands_a_product_in_learns_its_identity_or_that_it_has_none(make):
    bench = make()
    assert [bench.submit(), bench.submit()] == [1, 2]
    assert bench.submit(CAP_BYTES) is None
    assert bench.submit() == 4


def test_a_product_outlives_a_reset_with_the_one_it_waits_for(make):
    bench = make()
    index = bench.submit(100, value=1)
    bench.submit(100, value=10**6, depends_on=index)
    bench.intake.finish(S)
    again = make(bench.files)
    again.intake.recover(2 * S)
    assert again.queue.product(2).depends_on == 1
    sent = [again.queue.next_segment(3 * S, 1_000).product_id for _ in range(2)]
    assert sent == [1, 2]


def test_a_newer_one_of_a_kind_takes_the_place_of_the_one_that_is_still_here(make):
    bench = make()
    first = bench.submit()
    bench.intake.finish(S)
    second = bench.submit(now_ns=2 * S, supersedes=first)
    bench.intake.finish(3 * S)
    assert first not in bench.queue
    assert second in bench.queue
    assert bench.reasons("PRODUCT_EVICTED") == [(first, "superseded")]
    assert bench.intake.withdrawn.take() == first


def test_a_delivered_one_is_not_counted_lost_when_a_newer_one_names_it(make):
    bench = make()
    first = bench.submit()
    bench.intake.finish(S)
    bench.intake.delivered([first])
    bench.intake.finish(2 * S)
    bench.submit(now_ns=2 * S, supersedes=first)
    bench.intake.finish(3 * S)
    assert (len(bench.queue), bench.lost()) == (1, 0)


def test_products_of_one_period_share_one_commit(make):
    bench = make()
    bench.submit()
    bench.intake.step(0)
    for second in range(1, 5):
        bench.submit(now_ns=second * S)
        bench.intake.step(second * S)
    assert len(bench.queue) == 1
    bench.intake.step(5 * S)
    assert len(bench.queue) == 5
    assert bench.channels.get("store.commits_total") == 2


def test_a_product_refused_for_lack_of_room_is_counted_and_told(make):
    bench = make()
    assert bench.submit(900_000)
    assert bench.intake.free_bytes == CAP_BYTES - 900_000
    assert not bench.submit(100_001)
    assert bench.submit(100_000)
    assert bench.intake.free_bytes == 0
    bench.intake.step(0)
    assert bench.intake.free_bytes == 0
    assert bench.reasons("PRODUCT_EVICTED") == [(2, "refused_full")]
    assert bench.lost() == 1


def test_a_full_medium_costs_the_product_alone_and_is_told(make):
    bench = make(store_bytes=1 << 17)
    assert bench.submit(100_000)
    bench.submit(100_000)
    bench.intake.step(0)
    assert [args["kind"] for name, args in bench.told if name == "STORE_FAILED"] == ["FULL"]
    assert bench.reasons("PRODUCT_EVICTED") == [(2, "store failed")]
    assert bench.lost() == 1
    assert 1 in bench.queue
    assert bench.intake.free_bytes == CAP_BYTES - 100_000


def test_a_medium_that_stays_full_is_told_once_and_told_again_after_it_had_room(make):
    bench = make(store_bytes=1 << 18)
    assert bench.submit(100_000)

    def told():
        return [args["kind"] for name, args in bench.told if name == "STORE_FAILED"]

    for second in range(0, 20, 5):
        bench.submit(100_000, now_ns=second * S)
        bench.submit(100, now_ns=second * S)  # fits where the other does not: still full
        bench.intake.step(second * S)
    assert (told(), bench.lost()) == (["FULL"], 3)
    for second in (29, 35):
        bench.intake.delivered(tuple(range(1, 10)))
        bench.intake.step(second * S)
    for second in (40, 45, 50):
        bench.submit(100_000)
        bench.intake.step(second * S)
    assert told() == ["FULL", "FULL"]


def test_a_product_that_can_get_no_number_is_counted_and_told_and_breaks_nothing(make):
    bench = make()

    def refuse(_highest):
        raise OSError("full: no room") from StoreError(StoreErrorKind.FULL)

    bench.intake._ids = CounterReserve(lambda: 0, refuse)
    assert not bench.submit()
    bench.intake.step(0)
    assert bench.told == [("STORE_FAILED", {"kind": "FULL"})]
    assert bench.lost() == 1


def test_a_failed_commit_frees_nothing_and_makes_nothing_count(make):
    bench = make()
    bench.submit()
    bench.intake.step(0)
    bench.submit(now_ns=6 * S)
    bench.intake.delivered((1,))
    bench.files.sync_fails = True
    bench.intake.step(6 * S)
    assert 1 in bench.queue
    assert 2 not in bench.queue
    assert bench.intake.delivered_total == 0
    names = [name for name, _ in bench.told]
    assert "PRODUCT_DELIVERED" not in names
    assert names.count("STORE_FAILED") == 1
    bench.files.sync_fails = False
    after = make(bench.files.power_cut())
    assert [each.product.product_id for each in after.recovered] == [1]


def test_what_the_ground_verified_is_freed_and_counted_once_however_often_it_is_said(make):
    bench = make()
    bench.submit(2_000)
    bench.intake.step(0)
    for second in (1, 2, 3):
        bench.intake.delivered((1,))
        bench.intake.step(second * S)
    assert [name for name, _ in bench.told].count("PRODUCT_DELIVERED") == 1
    assert bench.channels.get("queue.delivered_total") == 1
    assert bench.lost() == 0
    assert len(bench.queue) == 0
    assert bench.intake.free_bytes == CAP_BYTES


def test_an_eviction_is_counted_told_and_withdrawn_from_the_ground(make):
    bench = make(queue_bytes=1_000)
    bench.submit(600, value=10)
    bench.submit(600, value=1_000)
    bench.intake.step(0)
    assert bench.reasons("PRODUCT_EVICTED") == [(1, "displaced")]
    assert list(bench.intake.withdrawn) == [1]
    assert bench.lost() == 1
    assert 2 in bench.queue
    bench.submit(10, now_ns=6 * S)
    bench.intake.step(6 * S)
    assert bench.channels.get("store.products") == 2
    assert bench.intake.free_bytes == CAP_BYTES - 610


def test_a_product_the_queue_refuses_leaves_the_store_as_well(make):
    bench = make(queue_bytes=1_000)
    bench.submit(1_500)
    bench.intake.step(0)
    assert bench.reasons("PRODUCT_EVICTED") == [(1, "refused_too_large")]
    assert list(bench.intake.withdrawn) == [1]
    bench.intake.finish(1 * S)
    assert bench.intake.free_bytes == CAP_BYTES


def test_a_damaged_product_is_dropped_once(make):
    bench = make()
    bench.submit()
    bench.intake.step(0)
    bench.queue.delete(1)  # as the filler does when it cannot read it
    bench.intake.drop_damaged(1, S)
    bench.intake.step(S)
    bench.intake.step(7 * S)
    assert bench.reasons("PRODUCT_EVICTED") == [(1, "damaged on the store")]
    assert (bench.lost(), list(bench.intake.withdrawn)) == (1, [1])
    assert bench.intake.free_bytes == CAP_BYTES


def test_what_has_no_room_after_a_start_gives_way_and_is_told(make):
    bench = make()
    for value in (10, 30, 20):
        bench.submit(value=value)
    bench.intake.finish(0)
    after = make(bench.files.power_cut(), queue_bytes=2_500)
    after.intake.recover(0)
    assert after.reasons("PRODUCT_EVICTED") == [(1, "displaced")]
    assert (len(after.queue), list(after.intake.withdrawn)) == (2, [1])
    after.intake.step(0)
    after.intake.step(60 * S)
    assert after.store.products == 2


def test_what_is_past_its_deadline_leaves_and_is_told_as_expired(make):
    bench = make()
    bench.submit(deadline_ns=3 * S)
    bench.intake.step(0)
    bench.intake.step(2 * S)
    assert 1 in bench.queue
    bench.intake.step(3 * S)
    assert 1 not in bench.queue
    assert bench.reasons("PRODUCT_EXPIRED") == [(1, "deadline")]
    assert (bench.lost(), list(bench.intake.withdrawn)) == (1, [1])


def test_a_product_deleted_twice_by_command_is_lost_once(make):
    bench = make()
    bench.submit()
    bench.intake.step(0)
    bench.intake.deletions.offer(1)
    bench.intake.deletions.offer(1)
    bench.intake.step(S)
    assert [name for name, _ in bench.told].count("PRODUCT_DELETED") == 1
    assert (bench.lost(), list(bench.intake.withdrawn)) == (1, [1])


def test_a_new_value_moves_a_product_ahead(make):
    bench = make()
    bench.submit(1_000, value=10)
    bench.submit(1_000, value=20)
    bench.intake.step(0)
    bench.intake.revaluations.offer((1, 30))
    bench.intake.step(S)
    assert bench.queue.next_segment(S, 1_000).product_id == 1


def test_a_stop_makes_durable_what_waits_for_the_next_commit(make):
    bench = make()
    bench.submit()
    bench.intake.step(0)
    bench.submit(now_ns=S)
    bench.intake.finish(S)
    after = make(bench.files.power_cut())
    assert [each.product.product_id for each in after.recovered] == [1, 2]


def test_after_a_start_the_ground_is_asked_first_about_what_was_under_way(make):
    bench = make()
    bench.submit(value=10)
    bench.submit(value=20)
    bench.intake.step(0)
    bench.store.mark_sending((2,))
    bench.submit(now_ns=6 * S)
    bench.intake.step(6 * S)
    after = make(bench.files.power_cut())
    after.intake.recover(0)
    assert len(after.queue) == 3
    assert after.arq.reconcile_items(8) == (2,)
    sent = []
    while (segment := after.queue.next_segment(0, 1_000)) is not None:
        sent.append(segment.product_id)
    assert sorted(sent) == [1, 3]
    assert after.told == []


def test_a_product_whose_record_was_lost_while_the_power_was_off_is_told_as_lost(make):
    bench = make()
    bench.submit()
    bench.submit()
    bench.intake.finish(0)
    bench.store.close()
    place = bench.store.catalogue.find(1).place
    files = bench.files.power_cut()
    files.pwrite(files.open(segment_name(place.segment)), b"rot", place.offset)
    after = make(files)
    after.intake.recover(0)
    assert [(name, args["product"], args["reason"]) for name, args in after.told] == [
        ("PRODUCT_EVICTED", 1, "damaged on the store")
    ]
    assert 1 not in after.queue
    assert 2 in after.queue
    assert after.intake.withdrawn.take() == 1
    after.intake.step(0)
    after.intake.step(60 * S)
    assert after.store.products == 1


def test_a_product_whose_commit_never_returned_is_told_after_the_start(make):
    bench = make()
    bench.submit()

    def power_fails(_batches):
        raise sqlite3.OperationalError("between the segment's sync and the index")

    bench.store._writer._engine._index.write = power_fails
    bench.intake.step(0)
    assert [name for name, _ in bench.told] == ["STORE_FAILED"]
    after = make(bench.files.power_cut())
    after.intake.recover(0)
    assert [name for name, _ in after.told] == ["PRODUCT_CREATED"]
    assert 1 in after.queue
