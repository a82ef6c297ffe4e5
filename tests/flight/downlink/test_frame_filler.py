"""Frames hold whole packets, what comes first goes first, and a bad record stops nobody."""

import pytest

from flight.downlink.arq_sender import ArqSender
from flight.downlink.arq_values import ArqConfig
from flight.downlink.downlink_queue import DownlinkQueue
from flight.downlink.frame_filler import FrameFiller, manifest_overhead
from flight.downlink.product import Product, ProductClass
from flight.downlink.queue_entry import OrderConfig
from flight.downlink.queue_values import QueueConfig
from flight.downlink.store_values import StoreError, StoreErrorKind
from flight.wire.product_packet import Freed, decode_manifest_packet, decode_segment
from flight.wire.reconcile import decode_request
from flight.wire.space_packet import Apid, SequenceCounts, decode_all

ROOM = 2_000


class Shelf:
    """Payloads by product; some may be broken."""

    def __init__(self):
        self.payloads = {}
        self.broken = {}
        self.sending = []

    def mark_sending(self, product_ids):
        self.sending += product_ids

    def read(self, product_id, offset, length):
        if product_id in self.broken:
            raise StoreError(self.broken[product_id])
        return self.payloads[product_id][offset : offset + length]


class Bench:
    """Queue, ARQ, shelf and the filler between them."""

    def __init__(self, *sizes):
        self.shelf = Shelf()
        order = OrderConfig(ageing_ns=None, floor_permille=0)
        self.queue = DownlinkQueue(QueueConfig(order=order), first_overhead_bytes=manifest_overhead)
        self.arq = ArqSender(2, ArqConfig())
        self.filler = FrameFiller(self.queue, self.arq, self.shelf, SequenceCounts(), ROOM)
        for number, size in enumerate(sizes, start=1):
            product = Product(
                number, ProductClass.MASK, size, 1_000_000 // number, None, 0, 7, f"p{number}"
            )
            self.shelf.payloads[number] = bytes([number % 251]) * size
            self.queue.offer(product, 0)

    def fill(self):
        content = self.filler.fill(0)
        return content, [] if content is None else decode_all(b"".join(content.packets))


def test_an_empty_queue_gives_no_frame():
    assert Bench().fill() == (None, [])


def test_small_products_share_a_frame_each_behind_its_manifest():
    content, packets = Bench(200, 300, 100).fill()
    assert [p.apid for p in packets] == [Apid.PRODUCT_MANIFEST, Apid.PRODUCT_SEGMENT] * 3
    names = [decode_manifest_packet(p.data).name for p in packets[::2]]
    segments = [decode_segment(p.data) for p in packets[1::2]]
    assert [f"p{s.product_id}" for s in segments] == names
    assert all(len(s.data) == s.total_bytes for s in segments)
    assert len(content.segments) == 3


def test_a_large_product_fills_frames_to_the_last_useful_octet_and_comes_whole():
    bench = Bench(10_000)
    got, manifests = bytearray(10_000), 0
    while (filled := bench.fill())[0] is not None:
        content, packets = filled
        assert sum(map(len, content.packets)) <= ROOM
        manifests += sum(p.apid == Apid.PRODUCT_MANIFEST for p in packets)
        for packet in packets:
            if packet.apid == Apid.PRODUCT_SEGMENT:
                segment = decode_segment(packet.data)
                got[segment.offset : segment.offset + len(segment.data)] = segment.data
    assert bytes(got) == bench.shelf.payloads[1]
    assert manifests == 1
    assert bench.shelf.sending[0] == 1


def test_what_was_freed_and_what_is_asked_goes_before_products():
    bench = Bench(500)
    bench.arq.unfinished((bench.queue.product(1),))
    bench.arq.on_report(_report_complete(77), 0)
    bench.arq.freed((77,))
    bench.arq.on_link_up(0)
    content, packets = bench.fill()
    assert decode_manifest_packet(packets[0].data) == Freed((77,))
    assert content.freed == (77,)
    assert [p.apid for p in packets[:2]] == [Apid.PRODUCT_MANIFEST, Apid.RECONCILE_REQUEST]
    assert [asked.product_id for asked in decode_request(packets[1].data)] == [1]
    assert content.asked == (1,)


def _report_complete(product_id):
    from flight.wire.report import Report  # noqa: PLC0415

    return Report(1, 0, 2, 0, 1, (), (product_id,))


@pytest.mark.parametrize("kind", [StoreErrorKind.DAMAGED, StoreErrorKind.UNKNOWN])
def test_a_damaged_product_leaves_the_queue_and_those_behind_it_go(kind):
    bench = Bench(300, 300, 300)
    bench.shelf.broken = {1: kind, 3: kind}
    content, packets = bench.fill()
    assert bench.filler.unreadable == [1, 3]
    assert [s.product_id for s in content.segments] == [2]
    assert len(packets) == 2
    assert 1 not in bench.queue
    assert 2 in bench.queue


def test_more_damaged_products_than_a_stack_is_deep_are_passed_over():
    bench = Bench(*[300] * 1500)
    bench.shelf.broken = dict.fromkeys(range(1, 1500), StoreErrorKind.DAMAGED)
    content, _ = bench.fill()
    assert [s.product_id for s in content.segments] == [1500]
    assert len(bench.filler.unreadable) == 1499


def test_a_store_that_fails_as_a_whole_costs_no_product():
    bench = Bench(300, 300)
    bench.shelf.broken = dict.fromkeys((1, 2), StoreErrorKind.CLOSED)
    assert bench.fill() == (None, [])
    bench.shelf.broken = {}
    content, _ = bench.fill()
    assert [(s.product_id, s.offset, s.length) for s in content.segments] == [
        (1, 0, 300),
        (2, 0, 300),
    ]
