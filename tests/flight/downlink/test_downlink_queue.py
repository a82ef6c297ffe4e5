"""The downlink queue: what goes first, what gives way, and that no byte is forgotten."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from flight.downlink.downlink_queue import DownlinkQueue
from flight.downlink.product import Producer, Product, ProductClass
from flight.downlink.queue_entry import OrderConfig
from flight.downlink.queue_values import AckResult, Loss, QueueConfig, Verdict
from flight.downlink.send_horizon import Horizon

PLAIN = OrderConfig(ageing_ns=None, floor_permille=0)
S = 1_000_000_000


def product(product_id, size=1000, value=1000, klass=ProductClass.MASK, **fields):
    fields = {"deadline_ns": None, "created_ns": 0, "depends_on": None} | fields
    return Product(
        product_id=product_id,
        klass=klass,
        size_bytes=size,
        value_millis=value,
        crc32c=0,
        name=f"p{product_id}",
        **fields,
    )


def queue_of(*products, order=PLAIN, **config):
    queue = DownlinkQueue(QueueConfig(order=order, **config))
    for item in products:
        assert queue.offer(item, 0).verdict is Verdict.ADMITTED
    return queue


def drain(queue, max_bytes=1000, now=0):
    order = []
    while (segment := queue.next_segment(now, max_bytes)) is not None:
        order.append(segment.product_id)
    return order


def test_value_per_byte_goes_first():
    queue = queue_of(product(1, 1000, 10), product(2, 1000, 30), product(3, 100, 5))
    assert drain(queue) == [3, 2, 1]


def test_an_emergency_overtakes_at_the_next_segment():
    queue = queue_of(product(1, 10_000, 10**9))
    assert queue.next_segment(0, 1000).product_id == 1
    queue.offer(product(2, 1500, 0, ProductClass.EMERGENCY), 0)
    assert [queue.next_segment(0, 1000).product_id for _ in range(3)] == [2, 2, 1]


def test_segments_cover_a_product_once_and_lost_bytes_come_back_once():
    queue = queue_of(product(1, 2500))
    segments = [queue.next_segment(0, 1000) for _ in range(3)]
    assert [(s.offset, s.length, s.total_bytes) for s in segments] == [
        (0, 1000, 2500),
        (1000, 1000, 2500),
        (2000, 500, 2500),
    ]
    assert queue.next_segment(0, 1000) is None
    for _ in range(2):
        queue.requeue(1, 1000, 1000)
    assert queue.acknowledge(1, [(0, 1000), (1000, 1200)], 0) is AckResult.PARTIAL
    again = queue.next_segment(0, 5000)
    assert (again.offset, again.length) == (1200, 800)
    assert queue.next_segment(0, 1000) is None
    assert queue.snapshot().resent_bytes == 1000


def test_acknowledgements_are_idempotent_and_free_nothing_before_completion():
    queue = queue_of(product(1, 1000))
    drain(queue)
    for _ in range(2):
        assert queue.acknowledge(1, [(0, 1000)], 0) is AckResult.COMPLETE
    queue.requeue(1, 0, 1000)
    assert queue.next_segment(0, 1000) is None, "what is acknowledged is not sent again"
    assert queue.queued_bytes == 1000
    assert queue.complete(1)
    assert not queue.complete(1)
    assert queue.acknowledge(1, [(0, 1000)], 0) is AckResult.UNKNOWN
    queue.requeue(1, 0, 1000)
    assert (len(queue), queue.queued_bytes) == (0, 0)
    snapshot = queue.snapshot()
    assert (snapshot.delivered_products, snapshot.delivered_bytes) == (1, 1000)


def test_a_nearly_complete_product_is_finished_first():
    queue = queue_of(product(1, 10_000, 1000), product(2, 1000, 200))
    assert queue.next_segment(0, 9500).product_id == 2
    queue = queue_of(product(1, 10_000, 1000))
    queue.next_segment(0, 10_000)
    queue.offer(product(2, 1000, 200), 0)
    queue.acknowledge(1, [(0, 9000)], 0)
    queue.requeue(1, 9000, 1000)
    assert drain(queue) == [1, 2], "density counts the bytes that remain"


def test_nothing_past_its_deadline_is_sent_and_expire_drops_it_with_a_record():
    queue = queue_of(product(1, 1000, 10**6, deadline_ns=5 * S), product(2))
    assert drain(queue, 300, 5 * S) == [2, 2, 2, 2]
    assert queue.expire(4 * S) == []
    assert queue.expire(5 * S) == [1]
    assert queue.expire(5 * S) == []
    (record,) = queue.losses.drain()
    assert (record.product_id, record.reason, record.missing_bytes) == (1, Loss.EXPIRED, 1000)
    assert queue.losses.drain() == []
    assert queue.offer(product(3, deadline_ns=S), S).reason is Loss.REFUSED_EXPIRED


def test_what_the_ground_has_wholly_reported_does_not_expire():
    queue = queue_of(product(1, deadline_ns=5 * S))
    drain(queue)
    queue.acknowledge(1, [(0, 1000)], 0)
    assert queue.expire(9 * S) == []
    queue.resume(1, ())
    assert queue.expire(9 * S) == [1], "but it does when it has to be sent again"


def test_storage_pressure_displaces_the_least_dense_and_says_whom():
    queue = queue_of(
        product(1, 1000, 10), product(2, 1000, 30), product(3, 1000, 20), budget_bytes=3000
    )
    admission = queue.offer(product(4, 1500, 100), 0)
    assert admission.verdict is Verdict.DISPLACED
    assert admission.displaced == (1, 3)
    assert sorted(queue._entries) == [2, 4]
    refused = queue.offer(product(5, 1500, 1), 0)
    assert (refused.verdict, refused.reason) == (Verdict.REFUSED, Loss.REFUSED_FULL)
    assert sorted(queue._entries) == [2, 4], "a refusal changes nothing"
    assert queue.offer(product(2), 0).reason is Loss.REFUSED_DUPLICATE
    assert queue.offer(product(9, 3001), 0).reason is Loss.REFUSED_TOO_LARGE
    lost = queue.snapshot().lost_products
    assert {loss: count for loss, count in lost.items() if count} == {
        Loss.EVICTED: 2, Loss.REFUSED_FULL: 1, Loss.REFUSED_DUPLICATE: 1, Loss.REFUSED_TOO_LARGE: 1
    }  # fmt: skip


def test_emergencies_and_reported_products_never_give_way():
    queue = queue_of(
        product(1, 1000, 0, ProductClass.EMERGENCY), product(2, 1000, 1), budget_bytes=2000
    )
    queue.next_segment(0, 1000)
    queue.next_segment(0, 1000)
    queue.acknowledge(2, [(0, 1000)], 0)
    assert queue.offer(product(3, 1000, 10**9), 0).reason is Loss.REFUSED_FULL
    queue.complete(2)
    assert queue.offer(product(4, 1000, 10**9), 0).verdict is Verdict.ADMITTED
    assert queue.offer(product(5, 900, 0, ProductClass.EMERGENCY), 0).displaced == (4,)


def test_a_producer_at_its_quota_gives_up_its_own_least_dense_and_nobody_elses():
    imaging, recorder = Producer.IMAGING, Producer.TELEMETRY
    queue = queue_of(
        product(1, 1000, 1, producer=imaging), product(2, 1000, 50, producer=recorder),
        product(3, 1000, 40, producer=recorder),
        budget_bytes=10_000, quotas={recorder: 2500},
    )  # fmt: skip
    admission = queue.offer(product(4, 1200, 100, producer=recorder), 0)
    assert (admission.verdict, admission.over_quota) == (Verdict.DISPLACED, (3,))
    assert admission.displaced == ()
    refused = queue.offer(product(5, 1000, 20, producer=recorder), 0)
    assert (refused.verdict, refused.reason) == (Verdict.REFUSED, Loss.REFUSED_QUOTA)
    assert queue.offer(product(6, 2501, 10**6, producer=recorder), 0).reason is Loss.REFUSED_QUOTA
    assert queue.offer(product(7, 5000, 100, producer=imaging), 0).verdict is Verdict.ADMITTED
    urgent = product(8, 2000, 0, ProductClass.EMERGENCY, producer=recorder)
    assert queue.offer(urgent, 0).over_quota == (), "an emergency is never refused for a quota"
    assert sorted(queue._entries) == [2, 4, 7, 8], "the bound of all holds as well"
    snapshot = queue.snapshot()
    assert snapshot.held_bytes[recorder] == 1000 + 1200 + 2000
    lost = snapshot.lost_products
    assert (lost[Loss.EVICTED_QUOTA], lost[Loss.REFUSED_QUOTA]) == (1, 2)
    audit = {(record.product_id, record.reason) for record in queue.losses.drain()}
    assert audit == {
        (3, Loss.EVICTED_QUOTA), (5, Loss.REFUSED_QUOTA), (6, Loss.REFUSED_QUOTA),
        (1, Loss.EVICTED),
    }  # fmt: skip


def test_what_a_producer_at_its_quota_gives_up_is_room_for_the_newcomer():
    queue = queue_of(
        product(1, 1000, 5, producer=Producer.TELEMETRY), product(2, 1000, 1),
        budget_bytes=2000, quotas={Producer.TELEMETRY: 1000},
    )  # fmt: skip
    admission = queue.offer(product(3, 1000, 9, producer=Producer.TELEMETRY), 0)
    assert (admission.over_quota, admission.displaced) == ((1,), ())


def test_the_number_of_products_is_bounded_too():
    queue = queue_of(product(1, 10, 1), product(2, 10, 2), products_max=2)
    assert queue.offer(product(3, 10, 3), 0).displaced == (1,)
    assert queue.offer(product(4, 10, 1), 0).reason is Loss.REFUSED_FULL


def test_an_index_goes_before_the_bulk_that_needs_it_however_dull_it_is():
    queue = queue_of(product(1, 1500, 1, ProductClass.INDEX))
    queue.offer(product(2, 1000, 10**6, depends_on=1), 0)
    queue.offer(product(3, 1000, 10**5), 0)
    assert drain(queue) == [1, 1, 2, 3]
    queue = queue_of(product(1, 1500, 1, ProductClass.INDEX))
    queue.offer(product(2, 1000, 10**6, depends_on=1), 0)
    queue.delete(1)
    assert drain(queue) == [2], "nothing waits for what is gone"
    assert queue.offer(product(4, 10, 1, depends_on=77), 0).verdict is Verdict.ADMITTED
    assert drain(queue) == [4]


def test_a_suspended_product_waits_and_resumes_with_exactly_what_is_missing():
    queue = queue_of()
    queue.offer(product(1, 1000, 10**6), 0, suspended=True)
    queue.offer(product(2, 1000, 1), 0)
    assert drain(queue) == [2]
    assert queue.resume(1, [(100, 400), (900, 2000)])
    found = [queue.next_segment(0, 1000) for _ in range(3)]
    assert [s and (s.offset, s.length) for s in found] == [(0, 100), (400, 500), None]
    assert queue.acked_ranges(1) == ((100, 400), (900, 1000))
    assert queue.suspend(1)
    queue.requeue(1, 0, 50)
    assert queue.next_segment(0, 1000) is None
    assert not queue.suspend(9)
    assert not queue.resume(9, ())
    assert queue.acked_ranges(9) == ()


def test_an_operator_can_reprioritise_and_delete():
    queue = queue_of(product(1, 1000, 10), product(2, 1000, 20))
    assert queue.reprioritise(1, 30)
    assert queue.product(1).value_millis == 30
    assert drain(queue, 400)[0] == 1
    assert queue.delete(2)
    assert not queue.delete(2)
    assert not queue.reprioritise(2, 5)
    assert queue.product(2) is None
    assert 1 in queue
    assert 2 not in queue


def test_the_first_segment_leaves_room_for_its_manifest():
    queue = DownlinkQueue(QueueConfig(order=PLAIN), first_overhead_bytes=lambda _: 80)
    queue.offer(product(1, 1000), 0)
    assert queue.next_segment(0, 80) is None
    assert queue.next_segment(0, 100).length == 20
    assert queue.next_segment(0, 100).length == 100


def test_the_audit_is_bounded_and_counts_what_it_dropped():
    queue = queue_of(*(product(i) for i in range(5)), audit_max=3)
    for product_id in range(5):
        queue.delete(product_id)
    assert [record.product_id for record in queue.losses.drain()] == [2, 3, 4]
    assert queue.snapshot().audit_dropped == 2


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("offer"), st.integers(1, 5000), st.integers(0, 99), st.integers(0, 9)),
        st.tuples(st.just("send"), st.integers(1, 3000)),
        st.tuples(st.just("ack"), st.integers(0, 40)),
        st.tuples(st.just("lose"), st.integers(0, 40)),
        st.tuples(st.just("hint"), st.integers(0, 20_000)),
        st.tuples(st.just("delete"), st.integers(0, 40)),
        st.tuples(st.just("value"), st.integers(0, 40), st.integers(0, 99)),
        st.tuples(st.just("tick"), st.integers(1, 20)),
        st.tuples(st.just("suspend"), st.integers(0, 40)),
        st.tuples(st.just("resume"), st.integers(0, 40)),
    ),
    max_size=80,
)


@settings(deadline=None, max_examples=150)
@given(STEPS, st.sampled_from([PLAIN, OrderConfig(ageing_ns=S, floor_permille=100)]))
def test_every_byte_is_waiting_in_flight_or_acknowledged(steps, order):  # noqa: C901 - one verb a branch
    queue = DownlinkQueue(QueueConfig(budget_bytes=20_000, products_max=8, order=order))
    flying, now, next_id, suspended = [], 0, 0, set()
    for step in steps:
        verb, values = step[0], step[1:]
        ids = sorted(queue._entries)
        picked = ids[values[0] % len(ids)] if ids else None
        if verb == "offer":
            fields = {
                "deadline_ns": now + values[2] * S if values[2] else None,
                "depends_on": next_id - values[2] if values[2] % 2 else None,
                "klass": ProductClass(values[2] % 6),
            }
            queue.offer(product(next_id, values[0], values[1], **fields), now)
            next_id += 1
        elif verb == "send":
            segment = queue.next_segment(now, values[0])
            if segment is not None:
                assert segment.product_id not in suspended
                flying.append(segment)
        elif verb in {"ack", "lose"} and flying:
            segment = flying.pop(values[0] % len(flying))
            if verb == "ack":
                span = (segment.offset, segment.offset + segment.length)
                queue.acknowledge(segment.product_id, [span], now)
            else:
                queue.requeue(segment.product_id, segment.offset, segment.length)
        elif verb == "hint":
            queue.look_ahead(Horizon.of_one_contact(values[0], now + 10 * S, now), now)
        elif verb == "delete" and picked is not None:
            queue.delete(picked, now)
        elif verb == "value" and picked is not None:
            queue.reprioritise(picked, values[1])
        elif verb == "tick":
            now += values[0] * S // 4
            queue.expire(now)
        elif verb == "suspend" and picked is not None:
            queue.suspend(picked)
            suspended.add(picked)
        elif verb == "resume" and picked is not None:
            queue.resume(picked, queue.acked_ranges(picked))
            suspended.discard(picked)
            flying = [segment for segment in flying if segment.product_id != picked]
        check(queue, flying)
    # With nothing in flight and no deadline near, all that waits can be drained.
    for segment in flying:
        queue.requeue(segment.product_id, segment.offset, segment.length)
    for product_id in list(queue._entries):
        queue.resume(product_id, queue.acked_ranges(product_id))
    missing = {
        i: e.remaining_bytes
        for i, e in queue._entries.items()
        if e.remaining_bytes and (e.product.deadline_ns or now + 1) > now
    }
    while (segment := queue.next_segment(now, 700)) is not None:
        missing[segment.product_id] -= segment.length
    assert not any(missing.values())


def check(queue, flying):
    assert queue.queued_bytes == sum(e.product.size_bytes for e in queue._entries.values())
    assert queue.queued_bytes <= 20_000
    assert len(queue) <= 8
    ready = [e for e in queue._entries.values() if e.ready]
    assert queue._order.pending_bytes == sum(e.pending.size for e in ready)
    for product_id, entry in queue._entries.items():
        covered = sum(s.length for s in flying if s.product_id == product_id)
        assert entry.pending.size + entry.acked.size + covered == entry.product.size_bytes
        assert not any(entry.acked.gaps(a, b) == [] for a, b in entry.pending)


def test_what_the_ground_calls_for_goes_next_even_while_deadlines_rule():
    queue = DownlinkQueue()
    for product_id in range(1, 6):
        queue.offer(product(product_id, size=100, deadline_ns=(10 + product_id) * S), 0)
    queue.look_ahead(Horizon.of_one_contact(1_000_000, 100 * S, 0), 0)
    assert queue.next_segment(0, 100).product_id == 1
    assert queue.reprioritise(5, 999_000)
    assert queue.next_segment(0, 100).product_id == 5
    assert queue.next_segment(0, 100).product_id == 2


def test_a_product_made_cheaper_is_not_called_for():
    queue = DownlinkQueue()
    for product_id in (1, 2):
        queue.offer(
            product(product_id, size=100, value=500, deadline_ns=(10 + product_id) * S),
            0,
        )
    queue.look_ahead(Horizon.of_one_contact(1_000_000, 100 * S, 0), 0)
    assert queue.reprioritise(2, 1)
    assert queue.next_segment(0, 100).product_id == 1


def test_a_newer_result_replaces_the_older_and_its_room():
    queue = queue_of(product(1, 900), budget_bytes=1000)
    admission = queue.offer(product(2, 800, supersedes=1), 5 * S)
    assert (admission.verdict, admission.superseded) == (Verdict.ADMITTED, 1)
    assert 1 not in queue
    assert [record.reason for record in queue.losses.drain()] == [Loss.SUPERSEDED]
    assert queue.offer(product(3, 100, supersedes=77), 6 * S).superseded is None


def test_a_refused_product_replaces_nothing():
    queue = queue_of(product(1, 900), budget_bytes=1000)
    assert queue.offer(product(2, 2000, supersedes=1), 0).verdict is Verdict.REFUSED
    assert 1 in queue


def test_what_waits_is_worth_the_sum_of_its_values_as_they_are_now():
    queue = queue_of(product(1, 1000, 300), product(2, 1000, 200))
    assert queue.snapshot().queued_millis == 500
    queue.reprioritise(2, 900)
    queue.complete(1)
    assert queue.snapshot().queued_millis == 900


def test_a_newcomer_that_finds_no_room_leaves_the_older_one_that_it_would_have_replaced():
    older, dear = product(1, size=500, value=1), product(2, size=500, value=10**9)
    queue = queue_of(older, dear, budget_bytes=1_000)
    admission = queue.offer(product(3, size=900, value=1, supersedes=1), 0)
    assert (admission.verdict, admission.reason) == (Verdict.REFUSED, Loss.REFUSED_FULL)
    assert admission.superseded is None
    assert 1 in queue
    assert [record.reason for record in queue.losses.drain()] == [Loss.REFUSED_FULL]
    admission = queue.offer(product(4, size=500, value=1, supersedes=1), 0)
    assert (admission.verdict, admission.superseded) == (Verdict.ADMITTED, 1)
    assert 1 not in queue
