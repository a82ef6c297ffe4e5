"""Queue, ARQ, store and receiver over a channel that loses, repeats, reorders and forges.

Whatever the channel, the resets and the ground do: what was acknowledged to the producer reaches
the archive exactly once and intact, and the node frees nothing the archive does not have.
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from flight.downlink.arq_sender import ArqSender
from flight.downlink.arq_values import ArqConfig
from flight.downlink.downlink_queue import DownlinkQueue
from flight.downlink.file_store_memory import MemoryFileStore
from flight.downlink.product import Product, ProductClass, manifest_of
from flight.downlink.product_store_sqlite import ProductStore
from flight.downlink.queue_values import AckResult, Verdict
from flight.downlink.store_values import ProductState
from flight.wire import product_packet, reconcile, report
from flight.wire.crc import crc32c
from flight.wire.errors import WireError
from flight.wire.space_packet import Apid, decode_all, encode
from hil.ground.archive import Archive, Filed
from hil.ground.receiver import GroundReceiver

VCID = 2
FRAME_BYTES = 700
CONFIG = ArqConfig(
    window_frames=64,
    urgent_reserve_frames=4,
    confirm_after_reports=6,
    ask_again_after_reports=3,
    abandon_after_reports=20,
)
FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None


def payload_of(product_id, size):
    return bytes((product_id * 31 + index * 7) & 0xFF for index in range(size))


class Node:
    """The smallest honest service around the cores; `links` are channels beside the first."""

    links = ()

    def __init__(self, files, folder):
        self.store = ProductStore(files, folder / "index.sqlite3", segment_bytes=1 << 14)
        self.queue = DownlinkQueue(
            first_overhead_bytes=lambda p: 14 + product_packet.manifest_bytes(p.name)
        )
        self.arq = ArqSender(VCID, CONFIG)
        others = {vcid: ArqSender(vcid, CONFIG, self.arq.products) for vcid in self.links}
        self.arqs = {VCID: self.arq, **others}
        self.durable, self.freed = set(), set()
        self.buffered = []
        self.frame_no = self.frame_end = 0
        recovered = self.store.recover()
        for item in recovered:
            asked = item.state is ProductState.SENDING
            admission = self.queue.offer(item.product, 0, suspended=asked)
            assert admission.verdict is Verdict.ADMITTED
        self.arq.unfinished(i.product for i in recovered if i.state is ProductState.SENDING)

    def put(self, product_id, size, klass, value, depends_on):
        payload = payload_of(product_id, size)
        product = Product(
            product_id, klass, size, value, None, 0, crc32c(payload), f"p{product_id}", depends_on
        )
        self.store.put(product, payload)
        self.buffered.append(product)

    def commit(self):
        """Everything put so far becomes durable, and only then a matter of the queue."""
        durable = set(self.store.commit(0).durable)
        for product in self.buffered:
            if product.product_id in durable:
                assert self.queue.offer(product, 0).verdict is Verdict.ADMITTED
        self.buffered.clear()
        self.durable |= durable

    def frame(self, vcid=VCID, *, urgent=False):
        """The next frame of a link, or None: (channel, frame number, bytes of its packets)."""
        arq = self.arqs[vcid]
        if not arq.can_send():
            return None
        if self.frame_no == self.frame_end:
            self.frame_no = self.store.reserve_counter("frames", 32)
            self.frame_end = self.frame_no + 32
        packets, segments, room = [], [], FRAME_BYTES
        freed = arq.next_freed(8)
        if freed:
            data = product_packet.encode_list(product_packet.Freed(freed))
            packets.append((Apid.PRODUCT_MANIFEST, data))
        asked = arq.reconcile_items(4)
        if asked:
            packets.append((Apid.RECONCILE_REQUEST, arq.reconcile_request(asked)))
        room -= sum(14 + len(data) for _, data in packets)
        while (segment := self.queue.next_segment(0, room - 30, urgent=urgent)) is not None:
            product = self.queue.product(segment.product_id)
            if segment.offset == 0:
                data = product_packet.encode_manifest(manifest_of(product))
                packets.append((Apid.PRODUCT_MANIFEST, data))
                room -= 14 + len(data)
            data = self.store.read(segment.product_id, segment.offset, segment.length)
            data = product_packet.encode_segment(
                segment.product_id, segment.offset, segment.total_bytes, data
            )
            packets.append((Apid.PRODUCT_SEGMENT, data))
            room -= 14 + len(data)
            segments.append(segment)
            assert room >= 0
        ids = {segment.product_id for segment in segments}
        if any(self.store.catalogue.state_of(i) is ProductState.NEW for i in ids):
            self.store.mark_sending(ids)
            self.commit()
        frame_no, self.frame_no = self.frame_no, self.frame_no + 1
        arq.sent(frame_no, segments, 0, freed=freed, asked=asked)
        return vcid, frame_no, b"".join(encode(a, 0, data, time_ns=0) for a, data in packets)

    def uplink(self, apid, data):
        try:
            if apid == Apid.REPORT:
                told = report.decode(data)
                outcome = self.arqs.get(told.vcid, self.arq).on_report(told, 0)
            else:
                outcome = self.arq.on_reconcile_answer(reconcile.decode_answer(data), 0)
        except WireError:
            return
        for s in outcome.acked:
            done = self.queue.acknowledge(s.product_id, [(s.offset, s.offset + s.length)], 0)
            if done is AckResult.COMPLETE:
                self.arq.all_reported(self.queue.product(s.product_id))
        for s in outcome.lost:
            self.queue.requeue(s.product_id, s.offset, s.length)
        for product_id, held in outcome.resume:
            self.queue.resume(product_id, held)
            product = self.queue.product(product_id)
            if product is not None and sum(b - a for a, b in held) == product.size_bytes:
                self.arq.all_reported(product)
        self.question(outcome.undecided)
        if outcome.completed:
            self.store.mark_delivered(outcome.completed)
            self.commit()
            for product_id in outcome.completed:
                self.queue.complete(product_id)
            self.arq.freed(outcome.completed)
            self.freed.update(outcome.completed)

    def question(self, product_ids):
        self.arq.unfinished([self.queue.product(i) for i in product_ids if self.queue.suspend(i)])

    def delete(self, product_id):
        if self.store.delete(product_id, "command"):
            self.queue.delete(product_id)
            self.arq.forget([product_id])
            self.commit()


class CountingArchive(Archive):
    def __init__(self, folder):
        super().__init__(folder, sync=False)
        self.filed = {}

    def file(self, manifest, payload, received_ns):
        assert payload == payload_of(manifest.product_id, manifest.size_bytes)
        verdict = super().file(manifest, payload, received_ns)
        if verdict is Filed.NEW:
            self.filed[manifest.product_id] = self.filed.get(manifest.product_id, 0) + 1
        return verdict


PICK = st.lists(st.integers(0, 30), max_size=12)


class Downlink(RuleBasedStateMachine):
    node_kind = Node

    @initialize()
    def start(self):
        self.folder = tempfile.TemporaryDirectory(dir=FOLDER)
        self.path = Path(self.folder.name)
        self.files = MemoryFileStore()
        self.node = self.node_kind(self.files, self.path)
        self.archive = CountingArchive(self.path / "products")
        self.epoch = 1
        self.ground = GroundReceiver(self.epoch, self.archive)
        self.down, self.up = [], []
        self.next_id = 1
        self.durable, self.deleted, self.freed = set(), set(), set()

    @property
    def acknowledged(self):
        return self.durable | self.node.durable

    @rule(
        size=st.integers(1, 4000),
        klass=st.sampled_from(ProductClass),
        value=st.integers(0, 9),
        commit=st.booleans(),
        depends=st.integers(0, 3),
    )
    def make_product(self, size, klass, value, commit, depends):
        depends_on = self.next_id - depends if 0 < depends < self.next_id else None
        self.node.put(self.next_id, size, klass, value, depends_on)
        self.next_id += 1
        if commit:
            self.node.commit()

    @rule(count=st.integers(1, 12))
    def send(self, count):
        self.node.commit()
        for _ in range(count):
            frame = self.node.frame()
            if frame is not None:
                self.down.append(frame)

    @rule(picks=PICK, drop=st.booleans())
    def channel_down(self, picks, drop):
        """Any frames in any order, some of them twice; the others stay on the way or are lost."""
        for pick in picks:
            if self.down:
                self.receive(self.down[pick % len(self.down)])
        if drop:
            self.down.clear()

    @rule(lose=st.lists(st.booleans(), min_size=1, max_size=6))
    def channel_in_order(self, lose):
        """The usual channel: in order, with a pattern of losses."""
        for index, frame in enumerate(self.down):
            if not lose[index % len(lose)]:
                self.receive(frame)
        self.down.clear()

    @rule(size=st.sampled_from([96, 128, 1024]))
    def ground_reports(self, size):
        self.up.append((Apid.REPORT, self.ground.make_report(size, 0)))
        self.up.extend((Apid.RECONCILE_ANSWER, a) for a in self.ground.take_answers())

    @rule(picks=PICK, drop=st.booleans())
    def channel_up(self, picks, drop):
        for pick in picks:
            if self.up:
                self.node.uplink(*self.up[pick % len(self.up)])
        if drop:
            self.up.clear()

    @rule(noise=st.binary(max_size=60), apid=st.sampled_from([Apid.REPORT, Apid.RECONCILE_ANSWER]))
    def garbage_goes_up(self, noise, apid):
        self.node.uplink(apid, noise)
        self.node.uplink(apid, b"\x01" + noise)

    @rule(vcid=st.sampled_from([1, VCID]), frames=st.integers(1, 50))
    def a_report_of_another_link_goes_up(self, vcid, frames):
        beyond = 10**6 if vcid == VCID else 0
        forged = report.Report(
            self.epoch, 10**6, vcid, beyond + frames, 0, ((beyond, beyond + frames),)
        )
        self.node.uplink(Apid.REPORT, report.encode(forged))

    @rule(noise=st.binary(max_size=60), apid=st.sampled_from(Apid))
    def garbage_goes_down(self, noise, apid):
        packets = decode_all(encode(apid, 0, noise, time_ns=0))
        if apid == Apid.PRODUCT_SEGMENT or (noise and noise[0] in {1, 2, 3}):
            return  # authenticated: a well-formed lie cannot come from the channel
        self.ground.on_packets(1, VCID + 1, packets, 0)

    @rule(torn=st.integers(0, 3000))
    def node_resets(self, torn):
        self.node.store.close()
        self.freed |= self.node.freed
        self.durable |= self.node.durable
        self.files = self.files.power_cut(torn)
        self.node = self.node_kind(self.files, self.path)

    @rule(
        sizes=st.lists(st.integers(1, 4000), max_size=4),
        frames=st.integers(1, 20),
        lose_down=st.lists(st.booleans(), min_size=1, max_size=6),
        lose_up=st.booleans(),
    )
    def a_stretch_of_contact(self, sizes, frames, lose_down, lose_up):
        """Many steps in one, so that histories get long."""
        for size in sizes:
            self.make_product(size, ProductClass(size % 6), size % 9, commit=True, depends=size % 4)
        self.send(frames)
        self.channel_in_order(lose_down)
        self.ground_reports(1024)
        self.channel_up(() if lose_up else range(len(self.up)), drop=True)

    @rule()
    def ground_restarts(self):
        self.epoch += 1
        self.archive_again()
        self.ground = GroundReceiver(self.epoch, self.archive)

    @rule(pick=st.integers(0, 100))
    def a_byte_rots_on_the_ground(self, pick):
        partials = list(self.ground._partials.values())
        if partials:
            buffer = partials[pick % len(partials)].buffer
            buffer[pick % len(buffer)] ^= 0xFF

    @rule(pick=st.integers(0, 100))
    def operator_deletes(self, pick):
        ids = sorted(self.acknowledged - self.deleted)
        if ids:
            product_id = ids[pick % len(ids)]
            self.node.delete(product_id)
            self.deleted.add(product_id)

    @invariant()
    def nothing_is_freed_that_the_archive_does_not_have(self):
        if hasattr(self, "node"):
            for product_id in self.node.freed | self.freed:
                assert self.archive.digest(product_id) is not None
            assert all(count == 1 for count in self.archive.filed.values())
            assert self.ground.counters.duplicate_deliveries == 0
            stored = {row.product_id for row in self.node.store.catalogue.rows()}
            missing = self.acknowledged - self.deleted - stored
            assert all(self.archive.digest(product_id) is not None for product_id in missing)

    def archive_again(self):
        filed = self.archive.filed
        self.archive = CountingArchive(self.path / "products")
        assert set(filed) == set(self.archive._digests)
        self.archive.filed = filed

    def receive(self, frame):
        vcid, frame_no, packets = frame
        self.ground.on_packets(frame_no, vcid, decode_all(packets), 0)

    def teardown(self):
        if not hasattr(self, "node"):
            return
        try:
            self.finish()
        finally:
            self.node.store.close()
            self.folder.cleanup()

    def finish(self):
        """A clean channel at last: everything acknowledged has to arrive, and to be freed."""
        self.send(1)
        self.channel_in_order([False])
        for _ in range(400):
            if not self.node.store.products and not self.ground._unconfirmed:
                break
            self.send(6)
            self.channel_in_order([False])
            self.ground_reports(1024)
            self.channel_up(range(len(self.up)), drop=True)
            self.node.commit()
        assert self.node.store.products == 0
        assert not self.ground._unconfirmed
        assert len(self.node.queue) == 0
        assert self.acknowledged - self.deleted <= set(self.archive.filed)
        self.nothing_is_freed_that_the_archive_does_not_have()


Downlink.TestCase.settings = settings(
    deadline=None,
    max_examples=40,
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestDownlink = Downlink.TestCase


ACTIONS = (
    (
        30,
        lambda m, r: m.a_stretch_of_contact(
            [r.randint(1, 4000) for _ in range(r.randint(0, 3))],
            r.randint(1, 20),
            [r.random() < 0.3 for _ in range(r.randint(1, 6))],
            r.random() < 0.5,
        ),
    ),
    (8, lambda m, r: m.send(r.randint(1, 9))),
    (8, lambda m, r: m.channel_down([r.randrange(40) for _ in range(9)], r.random() < 0.3)),
    (8, lambda m, r: m.ground_reports(r.choice((96, 128, 1024)))),
    (8, lambda m, r: m.channel_up([r.randrange(40) for _ in range(5)], r.random() < 0.3)),
    (3, lambda m, r: m.node_resets(r.randint(0, 3000))),
    (2, lambda m, _: m.ground_restarts()),
    (6, lambda m, r: m.a_byte_rots_on_the_ground(r.randrange(100))),
    (1, lambda m, r: m.operator_deletes(r.randrange(100))),
    (2, lambda m, r: m.garbage_goes_up(r.randbytes(r.randint(0, 60)), Apid.REPORT)),
)


@pytest.mark.parametrize("seed", range(6))
def test_a_long_life_of_the_downlink_loses_and_repeats_nothing(seed):
    stream = random.Random(seed)
    machine = Downlink()
    machine.start()
    try:
        weights = [weight for weight, _ in ACTIONS]
        for _ in range(250):
            ((_, action),) = stream.choices(ACTIONS, weights)
            action(machine, stream)
            machine.nothing_is_freed_that_the_archive_does_not_have()
        # The walk is worth nothing unless it went through what it is about.
        assert len(machine.archive.filed) > 50
        assert machine.epoch > 1
        assert machine.freed
    finally:
        machine.teardown()
