"""Whoever makes products hears in time that their room runs out, and what would still be kept."""

from types import SimpleNamespace

from flight.downlink.downlink_queue import DownlinkQueue
from flight.downlink.product import Producer, Product, ProductClass
from flight.downlink.queue_entry import OrderConfig
from flight.downlink.queue_values import QueueConfig
from flight.downlink.room_watch import RoomWatch
from flight.telemetry.channel_values import ChannelValues

ORDER = OrderConfig(ageing_ns=None, floor_permille=0)
CAP_BYTES = 20_000


def product(product_id, size=1000, value=1000, producer=Producer.IMAGING, klass=ProductClass.MASK):
    return Product(product_id, klass, size, value, None, 0, 0, f"p{product_id}", producer=producer)


class Bench:
    def __init__(self, **config):
        config = {"budget_bytes": 10_000, "products_max": 100, "order": ORDER} | config
        self.queue = DownlinkQueue(QueueConfig(**config))
        self.store = SimpleNamespace(payload_bytes=0)
        self.channels, self.told = ChannelValues(), []
        self.watch = RoomWatch(self.queue, self.store, CAP_BYTES, self.channels, self)

    def emit(self, name, now_ns, **args):
        self.told.append((name, args))

    def step(self, pressure_bytes=1e9):
        self.watch.step(self.queue.queued_bytes, pressure_bytes, 0)
        return self.watch.pressed


def test_at_ease_everything_is_taken():
    bench = Bench()
    bench.queue.offer(product(1, value=10**6), 0)
    assert not bench.step()
    assert bench.watch.takes(((1, 1000),), 0)


def test_near_the_bound_only_what_is_denser_than_the_first_to_go_is_taken():
    bench = Bench()
    for number in range(9):
        bench.queue.offer(product(number, value=100 + number), 0)
    assert bench.step()
    assert not bench.watch.takes(((100, 1000),), 0)
    assert not bench.watch.takes(((100, 1000), (99, 1000)), 0)
    assert bench.watch.takes(((100, 1000), (101, 1000)), 0), "one of them is enough"
    assert bench.watch.takes(((100, 500),), 0)
    assert bench.watch.takes((), 0), "what is not known is not held against anyone"


def test_near_the_bound_a_dull_result_is_held_back_and_counted_and_an_emergency_never_is():
    bench = Bench()
    for number in range(9):
        bench.queue.offer(product(number), 0)
    assert bench.step()
    dull = product(20, value=1)
    alarm = product(21, value=1, klass=ProductClass.EMERGENCY)
    asked_for = product(22, value=1, producer=Producer.COMMANDING)
    told = [bench.watch.no_place_for(each, CAP_BYTES, 0) for each in (dull, alarm, asked_for)]
    assert told == ["back pressure", "", ""]
    assert bench.watch.held_back == 1
    assert bench.watch.no_place_for(alarm, 10, 0) == "refused_full", "there is none for it at all"


def test_pressure_has_a_band_and_both_its_edges_are_told_once():
    bench, seen = Bench(), []
    for number in range(9):
        bench.queue.offer(product(number), 0)
    for gone in (None, None, 0, 1):
        bench.queue.delete(gone)
        seen.append(bench.step())
    assert seen == [True, True, False, False]
    assert [name for name, _ in bench.told] == ["QUEUE_FULL", "QUEUE_EASED"]
    assert bench.told[0][1] == {"bytes": 9000}


def test_bytes_that_wait_products_that_wait_and_the_store_press_alike():
    many = Bench(products_max=10)
    for number in range(9):
        many.queue.offer(product(number, size=10), 0)
    assert many.step()
    stored = Bench()
    assert not stored.step()
    stored.store.payload_bytes = round(0.9 * CAP_BYTES)
    assert stored.step()
    told = Bench()
    told.queue.offer(product(1, size=5_000), 0)
    assert told.step(pressure_bytes=4_000), "and the operator may want it sooner"


def test_a_quota_is_told_once_until_its_producer_is_well_below_it():
    recorder = Producer.TELEMETRY
    bench = Bench(quotas={recorder: 3_000})
    for number in range(3):
        bench.queue.offer(product(number, producer=recorder), 0)
    for _ in range(2):
        bench.watch.quota_met(recorder, 0)
        bench.step()
    assert bench.told == [("QUOTA_REACHED", {"producer": "telemetry", "bytes": 3_000})]
    bench.queue.delete(0)
    bench.step()
    bench.watch.quota_met(recorder, 0)
    assert len(bench.told) == 1
    bench.queue.delete(1)
    bench.step()
    bench.watch.quota_met(recorder, 0)
    assert len(bench.told) == 2


def test_who_fills_the_queue_is_in_telemetry():
    bench = Bench(quotas={Producer.TELEMETRY: 2_000})
    bench.queue.offer(product(1, size=700), 0)
    for number in (2, 3, 4):
        bench.queue.offer(product(number, value=number, producer=Producer.TELEMETRY), 0)
    bench.watch.publish(5, 6)
    shown = {
        name: bench.channels.get(f"queue.{name}")
        for name in (
            *("products", "bytes", "imaging_bytes", "telemetry_bytes", "commanding_bytes"),
            *("quota_dropped_total", "dropped_total", "delivered_total", "pressed"),
        )
    }
    assert shown == {
        "products": 3, "bytes": 2_700, "imaging_bytes": 700, "telemetry_bytes": 2_000,
        "commanding_bytes": 0, "quota_dropped_total": 1, "dropped_total": 5, "delivered_total": 6,
        "pressed": False,
    }  # fmt: skip
