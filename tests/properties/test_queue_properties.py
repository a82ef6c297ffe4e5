"""The downlink queue as a state machine: whatever is offered, sent, lost, reported and forecast.

A model keeps what each product's bytes are doing. The queue must agree with it after every step:
no byte is sent twice at once, none is forgotten, none goes out of a product that may not be sent,
an emergency is always next, and every product that left has its record.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from flight.downlink.downlink_queue import DownlinkQueue
from flight.downlink.product import Product, ProductClass
from flight.downlink.queue_entry import OrderConfig
from flight.downlink.queue_values import AckResult, Loss, QueueConfig, Verdict
from flight.downlink.send_horizon import Horizon, Stretch
from flight.wire.ranges import RangeSet

S = 1_000_000_000
BUDGET = 60_000
PRODUCTS_MAX = 12


class QueueMachine(RuleBasedStateMachine):
    """The queue, and a model that is too simple to be wrong."""

    def __init__(self):
        super().__init__()
        order = OrderConfig(ageing_ns=3600 * S, floor_permille=20)
        self.queue = DownlinkQueue(QueueConfig(BUDGET, PRODUCTS_MAX, order=order))
        self.now_ns = 0
        self.held = {}
        self.acked = {}
        self.flying = []
        self.suspended = set()
        self.lost = {}
        self.delivered = set()
        self.next_id = 0

    @rule(
        size=st.integers(1, 20_000),
        value=st.integers(0, 10_000),
        patience_s=st.sampled_from([None, 1, 30, 600, 4000]),
        klass=st.sampled_from(list(ProductClass)),
        supersedes=st.integers(0, 30),
        depends_on=st.integers(0, 30),
    )
    def offer(self, size, value, patience_s, klass, supersedes, depends_on):
        product = Product(
            product_id=self.next_id,
            klass=klass,
            size_bytes=size,
            value_millis=value,
            deadline_ns=None if patience_s is None else self.now_ns + patience_s * S,
            created_ns=self.now_ns,
            crc32c=0,
            name="p",
            depends_on=depends_on if depends_on < self.next_id else None,
            supersedes=supersedes if supersedes < self.next_id else None,
        )
        self.next_id += 1
        admission = self.queue.offer(product, self.now_ns)
        if admission.superseded is not None:
            assert admission.superseded == product.supersedes
            self.leaves(admission.superseded, Loss.SUPERSEDED)
        for displaced in admission.displaced:
            assert self.held[displaced].klass is not ProductClass.EMERGENCY
            self.leaves(displaced, Loss.EVICTED)
        if admission.verdict is not Verdict.REFUSED:
            self.held[product.product_id] = product
            self.acked[product.product_id] = RangeSet()

    @rule(max_bytes=st.integers(1, 9_000))
    def send(self, max_bytes):
        urgent = self.ready_emergencies()
        segment = self.queue.next_segment(self.now_ns, max_bytes)
        if segment is None:
            assert not urgent
            return
        product = self.held[segment.product_id]
        assert segment.length <= max_bytes
        assert segment.product_id not in self.suspended
        assert product.deadline_ns is None or product.deadline_ns > self.now_ns
        if urgent:
            assert segment.product_id in urgent, "an emergency is always next"
        self.flying.append(segment)

    @precondition(lambda self: self.flying)
    @rule(data=st.data(), arrived=st.booleans())
    def decided(self, data, arrived):
        segment = self.flying.pop(data.draw(st.integers(0, len(self.flying) - 1)))
        product_id, start = segment.product_id, segment.offset
        if not arrived:
            self.queue.requeue(product_id, start, segment.length)
            return
        result = self.queue.acknowledge(product_id, [(start, start + segment.length)], self.now_ns)
        if product_id not in self.held:
            assert result is AckResult.UNKNOWN
            return
        self.acked[product_id].add(start, start + segment.length)
        whole = self.acked[product_id].size == self.held[product_id].size_bytes
        assert result is (AckResult.COMPLETE if whole else AckResult.PARTIAL)
        if whole and data.draw(st.booleans()):
            assert self.queue.complete(product_id)
            assert not self.queue.complete(product_id), "idempotent"
            self.delivered.add(product_id)
            self.forget(product_id)

    @rule(
        carries=st.lists(st.integers(0, 40_000), max_size=4),
        gap_s=st.integers(0, 3000),
        present=st.booleans(),
    )
    def look_ahead(self, carries, gap_s, present):
        at_ns, stretches = self.now_ns + (0 if present else gap_s * S), []
        for each in carries:
            stretches.append(Stretch(at_ns, at_ns + 60 * S, float(each)))
            at_ns += 60 * S + gap_s * S
        horizon = Horizon(self.now_ns, int(present and bool(carries)), 0.3, tuple(stretches))
        self.queue.look_ahead(horizon if carries else None, self.now_ns)

    @rule(seconds=st.integers(1, 400))
    def time_goes_on(self, seconds):
        self.now_ns += seconds * S
        for expired in self.queue.expire(self.now_ns):
            assert self.held[expired].deadline_ns <= self.now_ns
            self.leaves(expired, Loss.EXPIRED)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def suspend_and_reconcile(self, data):
        product_id = data.draw(st.sampled_from(sorted(self.held)))
        if product_id not in self.suspended:
            assert self.queue.suspend(product_id)
            self.suspended.add(product_id)
            return
        assert self.queue.resume(product_id, tuple(self.acked[product_id]))
        self.suspended.discard(product_id)
        self.flying = [each for each in self.flying if each.product_id != product_id]

    @precondition(lambda self: self.held)
    @rule(data=st.data(), value=st.integers(0, 10_000))
    def command(self, data, value):
        product_id = data.draw(st.sampled_from(sorted(self.held)))
        if value % 4:
            assert self.queue.reprioritise(product_id, value)
        else:
            assert self.queue.delete(product_id, self.now_ns)
            self.leaves(product_id, Loss.DELETED)

    @invariant()
    def the_queue_agrees_with_the_model(self):
        queue = self.queue
        assert {each for each in range(self.next_id) if each in queue} == set(self.held)
        assert queue.queued_bytes == sum(each.size_bytes for each in self.held.values())
        assert queue.queued_bytes <= BUDGET
        assert len(queue) <= PRODUCTS_MAX
        for product_id, acked in self.acked.items():
            assert queue.acked_ranges(product_id) == tuple(acked)
            entry = queue._entries[product_id]
            flying = sum(s.length for s in self.flying if s.product_id == product_id)
            assert entry.pending.size + acked.size + flying == entry.product.size_bytes

    @invariant()
    def every_loss_has_its_record(self):
        for record in self.queue.losses.drain():
            if record.reason in self.lost.values() and record.product_id in self.lost:
                assert self.lost.pop(record.product_id) is record.reason
            else:
                assert record.reason.name.startswith("REFUSED")
        assert not self.lost

    def ready_emergencies(self):
        """Emergencies that have bytes to send and may be sent."""
        found = set()
        for product_id, product in self.held.items():
            entry = self.queue._entries[product_id]
            in_time = product.deadline_ns is None or product.deadline_ns > self.now_ns
            free = product_id not in self.suspended and entry.waits_on is None
            urgent = product.klass is ProductClass.EMERGENCY
            if urgent and in_time and free and entry.pending.size:
                found.add(product_id)
        return found

    def leaves(self, product_id, reason):
        self.lost[product_id] = reason
        self.forget(product_id)

    def forget(self, product_id):
        del self.held[product_id], self.acked[product_id]
        self.suspended.discard(product_id)
        self.flying = [each for each in self.flying if each.product_id != product_id]


TestQueue = QueueMachine.TestCase
TestQueue.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
