"""A queue that keeps a handful of products at hand does what one does that has them all at hand."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from flight.downlink.downlink_queue import DownlinkQueue
from flight.downlink.product import Producer, Product, ProductClass
from flight.downlink.queue_entry import OrderConfig
from flight.downlink.queue_values import QueueConfig, Verdict
from tests.flight.downlink.far_products_memory import MemoryFarProducts

S = 1_000_000_000
NEAR = 4


class TwoQueues(RuleBasedStateMachine):
    """The same happens to both."""

    half_life_ns: int | None = None

    def __init__(self):
        super().__init__()
        order = OrderConfig(3600 * S, 20, half_life_ns=self.half_life_ns)
        bounds = {"quotas": {Producer.TELEMETRY: 40_000}, "order": order}
        self.far = MemoryFarProducts()
        self.queues = (
            DownlinkQueue(QueueConfig(200_000, 60, **bounds)),
            DownlinkQueue(QueueConfig(200_000, 60, near_products=NEAR, **bounds), far=self.far),
        )
        self.now_ns = 0
        self.held = set()
        self.flying = []
        self.next_id = 0
        self.leaders = set()

    def both(self, what):
        """What both queues answer."""
        whole, split = (what(queue) for queue in self.queues)
        assert split == whole
        return whole

    @rule(data=st.data(), count=st.integers(1, 12), klass=st.sampled_from(list(ProductClass)))
    def offer(self, data, count, klass):
        for _ in range(count):
            self.offer_one(data, klass)

    def offer_one(self, data, klass):
        patience_s = data.draw(st.sampled_from([None, None, 30, 600, 4000]))
        leader = data.draw(st.integers(0, 40))
        older = data.draw(st.integers(0, 200))
        product = Product(
            product_id=self.next_id,
            klass=klass,
            size_bytes=data.draw(st.integers(1, 20_000)),
            value_millis=data.draw(st.integers(0, 10_000)),
            deadline_ns=None if patience_s is None else self.now_ns + patience_s * S,
            created_ns=self.now_ns,
            crc32c=0,
            name="p",
            depends_on=leader if leader < self.next_id else None,
            supersedes=older if older < self.next_id else None,
            producer=data.draw(st.sampled_from([Producer.IMAGING, Producer.TELEMETRY])),
        )
        self.next_id += 1
        self.leaders.add(product.depends_on)
        admission = self.both(lambda queue: queue.offer(product, self.now_ns))
        gone = {admission.superseded, *admission.displaced, *admission.over_quota}
        self.held -= gone
        if admission.verdict is not Verdict.REFUSED:
            self.held.add(product.product_id)

    @rule(max_bytes=st.sampled_from([100, 3_000, 30_000]), count=st.integers(1, 8))
    def send(self, max_bytes, count):
        for _ in range(count):
            segment = self.both(lambda queue: queue.next_segment(self.now_ns, max_bytes))
            if segment is not None:
                self.flying.append(segment)

    @precondition(lambda self: self.flying)
    @rule(data=st.data(), arrived=st.booleans())
    def decided(self, data, arrived):
        segment = self.flying.pop(data.draw(st.integers(0, len(self.flying) - 1)))
        product_id, start, length = segment.product_id, segment.offset, segment.length
        if not arrived:
            self.both(lambda queue: queue.requeue(product_id, start, length))
            return
        ranges = [(start, start + length)]
        self.both(lambda queue: queue.acknowledge(product_id, ranges, self.now_ns))

    @precondition(lambda self: self.held)
    @rule(data=st.data(), what=st.sampled_from(["complete", "delete", "suspend", "resume"]))
    def one_of_them(self, data, what):
        product_id = data.draw(st.sampled_from(sorted(self.held)))
        if what == "complete":
            assert self.both(lambda queue: queue.complete(product_id))
            self.held.discard(product_id)
        elif what == "delete":
            assert self.both(lambda queue: queue.delete(product_id, self.now_ns))
            self.held.discard(product_id)
        elif what == "suspend":
            # What waits for it would go on waiting near, and wait no more once it had been far.
            if product_id in self.leaders:
                return
            assert self.both(lambda queue: queue.suspend(product_id))
        else:
            assert self.both(lambda queue: queue.resume(product_id, ()))
            self.flying = [each for each in self.flying if each.product_id != product_id]

    @precondition(lambda self: self.held)
    @rule(data=st.data(), value=st.integers(0, 10_000))
    def another_value(self, data, value):
        product_id = data.draw(st.sampled_from(sorted(self.held)))
        # A leader that is worth less inherits the rank of what is near and waits for it.
        if product_id not in self.leaders:
            assert self.both(lambda queue: queue.reprioritise(product_id, value))

    @rule(seconds=st.sampled_from([1, 20, 400]))
    def time_goes_on(self, seconds):
        self.now_ns += seconds * S
        self.held -= self.both(lambda queue: set(queue.expire(self.now_ns)))
        self.both(lambda queue: queue.look_ahead(None, self.now_ns))

    @invariant()
    def both_hold_the_same(self):
        self.both(lambda queue: (len(queue), queue.queued_bytes, queue.room.millis))
        self.both(lambda queue: dict(queue.room.held))
        self.both(lambda queue: dict(queue.losses.products))
        self.both(lambda queue: {each for each in range(self.next_id) if each in queue})
        self.both(lambda queue: queue.room.would_keep(5_000, 5_000, self.now_ns))

    @invariant()
    def each_is_either_near_or_far(self):
        near = self.queues[1]._entries
        assert not near.keys() & self.far.rows.keys()
        assert self.held == near.keys() | self.far.rows.keys()


TestNearAndFar = TwoQueues.TestCase
TestNearAndFar.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


class TwoQueuesOfWhatDecays(TwoQueues):
    """The same, where new results are worth more than old ones."""

    half_life_ns = 900 * S


TestNearAndFarOfWhatDecays = TwoQueuesOfWhatDecays.TestCase
TestNearAndFarOfWhatDecays.settings = settings(
    max_examples=30, stateful_step_count=40, deadline=None
)
