"""The ground: what it reports complete the archive has, and what it cannot use it counts."""

from __future__ import annotations

import json
import random

import pytest

from flight.downlink.arq_sender import ArqSender
from flight.downlink.product import Segment
from flight.wire import product_packet, reconcile, report
from flight.wire.crc import crc32c
from flight.wire.errors import WireError
from flight.wire.product_packet import Freed, Manifest, ProductClass, Withdrawn
from flight.wire.reconcile import Asked, Held
from flight.wire.space_packet import Apid, SpacePacket
from hil.ground.archive import Archive, Filed
from hil.ground.frame_history import FrameHistory
from hil.ground.receiver import GroundReceiver
from hil.ground.receiver_values import ReceiverConfig

PAYLOAD = bytes(range(256)) * 4


def manifest_for(product_id, payload=PAYLOAD, name=None, crc=None):
    crc = crc32c(payload) if crc is None else crc
    name = name or f"p{product_id}"
    return Manifest(product_id, ProductClass.MASK, len(payload), crc, 5, None, 3, name)


def packet(apid, data):
    return SpacePacket(apid=apid, seq_count=0, time_ns=0, data=data)


def manifest_packet(*args, **fields):
    data = product_packet.encode_manifest(manifest_for(*args, **fields))
    return packet(Apid.PRODUCT_MANIFEST, data)


def segment_packet(product_id, offset, end, payload=PAYLOAD):
    data = product_packet.encode_segment(product_id, offset, len(payload), payload[offset:end])
    return packet(Apid.PRODUCT_SEGMENT, data)


@pytest.fixture
def archive(tmp_path):
    return Archive(tmp_path / "products", sync=False)


@pytest.fixture
def ground(archive):
    return GroundReceiver(3, archive)


def send_whole(ground, product_id=1, frame_no=1, **fields):
    ground.on_packets(
        frame_no, 2, [manifest_packet(product_id, **fields), segment_packet(product_id, 0, 1024)], 9
    )


def last_report(ground, max_bytes=1024):
    return report.decode(ground.make_report(max_bytes, 0))


def test_a_product_is_archived_once_when_all_its_bytes_and_its_digest_are_there(ground, tmp_path):
    ground.on_packets(1, 2, [segment_packet(1, 600, 1024)], 5)
    ground.on_packets(2, 2, [manifest_packet(1), segment_packet(1, 0, 300)], 6)
    assert last_report(ground).completed == ()
    assert ground.partial_products == 1
    ground.on_packets(4, 2, [segment_packet(1, 300, 600)], 7)
    ground.on_packets(4, 2, [segment_packet(1, 300, 600), manifest_packet(1)], 8)
    assert (tmp_path / "products" / "p1").read_bytes() == PAYLOAD
    metadata = json.loads((tmp_path / "products" / "p1.json").read_text())
    assert metadata["product_id"] == 1
    assert metadata["class"] == "MASK"
    assert metadata["received_ns"] == 7
    found = last_report(ground)
    assert found == report.Report(3, 1, 2, 4, 1, ((4, 4), (1, 2)), (1,))
    counters = ground.counters
    assert (counters.products, counters.product_bytes) == (1, 1024)
    assert (counters.segments_of_finished, counters.duplicate_bytes) == (1, 300)
    assert (counters.frames, counters.frames_repeated) == (4, 1)
    assert counters.duplicate_deliveries == 0
    assert ground.partial_products == 0


def test_a_wrong_digest_is_never_reported_complete_and_may_be_sent_again(ground):
    send_whole(ground, crc=123)
    assert ground.counters.digest_failures == 1
    assert last_report(ground).completed == ()
    send_whole(ground, frame_no=2)
    assert last_report(ground).completed == (1,)


def test_a_completion_is_repeated_until_the_node_has_freed_it(ground):
    send_whole(ground)
    assert last_report(ground).completed == last_report(ground).completed == (1,)
    freed = product_packet.encode_list(Freed((1, 99)))
    ground.on_packets(2, 2, [packet(Apid.PRODUCT_MANIFEST, freed)], 0)
    assert last_report(ground).completed == ()
    assert ground.counters.confirmations == 2


def test_reconciliation_tells_what_is_held_and_nothing_more(ground):
    send_whole(ground, 1)
    ground.on_packets(2, 2, [manifest_packet(2), segment_packet(2, 0, 100)], 0)
    ground.on_packets(3, 2, [segment_packet(3, 0, 100), segment_packet(3, 200, 250)], 0)
    ground.on_packets(4, 2, [manifest_packet(4), segment_packet(4, 0, 100)], 0)
    crc = crc32c(PAYLOAD)
    asked = (
        *(Asked(i, 1024, crc) for i in (1, 2, 3)),
        Asked(4, 1024, crc ^ 1),
        Asked(5, 1024, crc),
        Asked(1, 1024, crc ^ 1),
    )
    request = reconcile.encode_request(asked)
    ground.on_packets(5, 2, [packet(Apid.RECONCILE_REQUEST, request)], 0)
    (data,) = ground.take_answers()
    assert ground.take_answers() == []
    answer = reconcile.decode_answer(data)
    assert answer.epoch == 3
    assert [(i.product_id, i.held, i.ranges) for i in answer.items] == [
        (1, Held.COMPLETE, ()),
        (2, Held.PARTIAL, ((0, 100),)),
        (3, Held.PARTIAL, ((1, 100), (200, 250))),  # the start again, and its manifest with it
        (4, Held.UNKNOWN, ()),
        (5, Held.UNKNOWN, ()),
        (1, Held.UNKNOWN, ()),
    ]
    assert ground.counters.partials_superseded == ground.counters.identities_reused == 1
    with pytest.raises(WireError):
        ground.reconcile_answer(b"?")


def test_what_contradicts_itself_or_is_garbage_is_counted_and_changes_nothing(ground):
    ground.on_packets(1, 2, [manifest_packet(1), segment_packet(1, 0, 100)], 0)
    other = bytes(2048)
    ground.on_packets(
        2,
        2,
        [
            segment_packet(1, 0, 9, other),
            manifest_packet(1, other),
            manifest_packet(1, name="renamed"),
            packet(Apid.PRODUCT_SEGMENT, b"?"),
            packet(Apid.PRODUCT_MANIFEST, b"?"),
            packet(Apid.HOUSEKEEPING, b"not ours"),
        ],
        0,
    )
    counters = ground.counters
    assert counters.segments_inconsistent == 1
    assert counters.manifests_inconsistent == 2
    assert counters.bad_packets == 2
    ground.on_packets(3, 2, [segment_packet(1, 100, 1024)], 0)
    assert counters.products == 1


def test_memory_is_bounded_and_the_oldest_part_goes_first(archive):
    config = ReceiverConfig(partial_bytes_max=3000, unconfirmed_max=2)
    ground = GroundReceiver(1, archive, config)
    for product_id in range(1, 5):
        ground.on_packets(product_id, 2, [segment_packet(product_id, 0, 10)], 0)
    assert ground.partial_products == 2
    assert ground.counters.partials_evicted == 2
    ground.on_packets(9, 2, [segment_packet(9, 0, 10, bytes(3001))], 0)
    assert ground.counters.segments_inconsistent == 1
    gone = product_packet.encode_list(Withdrawn((3, 4, 77)))
    ground.on_packets(10, 2, [packet(Apid.PRODUCT_MANIFEST, gone)], 0)
    assert ground.counters.partials_withdrawn == 2
    assert ground.partial_products == 0
    for product_id in (11, 12, 13):
        send_whole(ground, product_id, frame_no=product_id)
    assert last_report(ground).completed == (13, 12)
    assert ground.counters.unconfirmed_dropped == 1


def test_an_archive_that_fails_is_counted_and_nothing_is_reported(archive):
    class Broken:
        def digest(self, product_id):
            return None

        def file(self, manifest, payload, received_ns):
            raise OSError("no space")

    ground = GroundReceiver(1, Broken())
    send_whole(ground)
    assert ground.counters.archive_errors == 1
    assert last_report(ground).completed == ()


def test_the_archive_is_idempotent_and_remembers_over_sessions(tmp_path):
    archive = Archive(tmp_path)
    assert archive.file(manifest_for(1, name="tile.png"), PAYLOAD, 0) is Filed.NEW
    assert archive.file(manifest_for(1, name="tile.png"), b"x", 0) is Filed.DUPLICATE
    assert archive.file(manifest_for(2, b"other", name="tile.png"), b"other", 0) is Filed.NEW
    assert archive.file(manifest_for(3, b"{}", name="info.json"), b"{}", 0) is Filed.NEW
    (tmp_path / "broken.json").write_text("{")
    names = {path.name for path in tmp_path.iterdir()}
    assert {"tile.png", "tile.png.json", "2-tile.png", "info.json", "info.json.json"} <= names
    assert not any(name.endswith(".part") for name in names)
    again = Archive(tmp_path)
    assert [again.digest(i) for i in (1, 2, 3, 4)] == [
        crc32c(PAYLOAD),
        crc32c(b"other"),
        crc32c(b"{}"),
        None,
    ]
    assert again.unreadable_metadata == 1
    assert again.file(manifest_for(1, name="tile.png"), b"x", 0) is Filed.DUPLICATE
    assert (tmp_path / "tile.png").read_bytes() == PAYLOAD


@pytest.mark.parametrize("max_bytes", [96, 200, 1024])
def test_reports_never_lie_and_in_the_end_tell_all(max_bytes):
    """Whatever arrives and however short reports are, each frame is decided, and rightly."""
    stream = random.Random(max_bytes)
    history = FrameHistory(2, 4000)
    arq = ArqSender(2)
    held, decided = set(), {}

    def hear(data):
        outcome = arq.on_report(report.decode(data), 0)
        decided.update({s.offset: True for s in outcome.acked})
        decided.update({s.offset: False for s in outcome.lost})

    for frame_no in range(1, 3001):
        arq.sent(frame_no, [Segment(1, frame_no, 1, 10**6)], 0)
        if frame_no in {1, 3000} or stream.random() < 0.6:
            held.add(frame_no)
            assert history.arrived(frame_no)
        data = history.report(1, (), max_bytes)
        assert len(data) <= max_bytes
        if stream.random() < 0.05:
            hear(data)
    for _ in range(4000):
        if len(decided) == 3000:
            break
        hear(history.report(1, (), max_bytes))
    assert {n for n, arrived in decided.items() if arrived} == held
    assert len(decided) == 3000


def test_every_completion_is_told_in_turn_when_not_all_fit():
    history = FrameHistory(2, 4000)
    history.arrived(1)
    unconfirmed = [i * 10**12 for i in range(300)]
    told = [report.decode(history.report(1, unconfirmed, 128)).completed for _ in range(80)]
    assert all(ids[0] == unconfirmed[-1] for ids in told), "the newest is always told"
    assert {i for ids in told for i in ids} == set(unconfirmed)


def test_the_history_claims_nothing_below_its_depth_or_before_its_beginning():
    history = FrameHistory(2, 100)
    assert report.decode(history.report(1, (), 1024)).ranges == ()
    for frame_no in (50, 60, 140):
        assert history.arrived(frame_no)
    assert not history.arrived(60)
    assert not history.arrived(49)
    found = report.decode(history.report(1, (), 1024))
    assert (found.floor, found.ranges) == (50, ((140, 140), (60, 60), (50, 50)))
    history.arrived(155)
    found = report.decode(history.report(1, (), 1024))
    assert (found.floor, found.ranges) == (55, ((155, 155), (140, 140), (60, 60)))
