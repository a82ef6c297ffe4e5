"""The whole ground: what falls from the sky is heard or counted, what is due goes up in frames."""

import pytest

from flight.keys import Half, derive_from_seed
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.command_table import DeleteProduct
from flight.telemetry.dictionary import EVENT_BY_NAME
from flight.wire.counter_reserve import CounterReserve
from flight.wire.crc import crc32c
from flight.wire.product_packet import (
    Manifest,
    ProductClass,
    encode_manifest,
    encode_segment,
)
from flight.wire.reconcile import Asked, Held, decode_answer, encode_request
from flight.wire.report import decode as decode_report
from flight.wire.secure_link import Opened, SecureLink
from flight.wire.space_packet import Apid, SequenceCounts, encode
from flight.wire.telecommand import Stage, VerificationReport, encode_report
from flight.wire.telemetry import encode_event, encode_housekeeping
from flight.wire.transfer_frame import VirtualChannel
from hil.ground.archive import Archive
from hil.ground.ground_segment import GroundSegment
from hil.ground.operator import Fate

KEYS, SCID = derive_from_seed(21), 3
PAYLOAD = bytes(range(200))
CRC = crc32c(PAYLOAD)


class Sky:
    """A ground and the node's end of its link."""

    def __init__(self, folder):
        self.node = SecureLink(
            scid=SCID, sends=KEYS.sends(Half.NODE), receives=[KEYS.receives(Half.NODE)],
            counters=CounterReserve(lambda: 0, lambda _: None),
        )  # fmt: skip
        self.archive = Archive(folder, sync=False)
        self.ground = GroundSegment(
            keys=KEYS, scid=SCID, frame_bytes_max=2_048, archive=self.archive
        )
        self.counts = SequenceCounts()

    def frame(self, *contents, vcid=VirtualChannel.TELEMETRY):
        packets = [encode(apid, self.counts.take(apid), data, time_ns=0) for apid, data in contents]
        return self.node.seal(vcid, packets).frame

    def down(self, *contents, now_ns=5, vcid=VirtualChannel.TELEMETRY):
        return self.ground.on_frame(self.frame(*contents, vcid=vcid), now_ns)

    def up(self, *, now_ns=9, report=False):
        frames = [self.node.open(each) for each in self.ground.uplink(now_ns, report=report)]
        assert all(isinstance(each, Opened) for each in frames)
        return [(packet.apid, packet.data) for each in frames for packet in each.packets]


def product(product_id=1):
    manifest = Manifest(
        product_id=product_id, klass=ProductClass.MASK, size_bytes=len(PAYLOAD), crc32c=CRC,
        value_millis=1, deadline_ns=None, created_ns=0, name=f"p{product_id}", depends_on=None,
    )  # fmt: skip
    return (Apid.PRODUCT_MANIFEST, encode_manifest(manifest)), (
        Apid.PRODUCT_SEGMENT,
        encode_segment(product_id, 0, len(PAYLOAD), PAYLOAD),
    )


@pytest.fixture
def sky(tmp_path):
    return Sky(tmp_path)


def test_a_refused_frame_is_counted_by_its_verdict_and_changes_nothing(sky):
    good = sky.frame(*product())
    hurt = good[:30] + bytes([good[30] ^ 1]) + good[31:]
    assert not sky.ground.on_frame(hurt, 0)
    assert not sky.ground.on_frame(b"", 0)
    assert sky.ground.receiver.counters.frames == 0
    assert sky.ground.on_frame(good, 0)
    assert not sky.ground.on_frame(good, 0)
    assert dict(sky.ground.frames_refused) == {"bad_fecf": 1, "bad_length": 1, "replayed": 1}
    assert sky.ground.receiver.counters.products == 1


def test_a_product_may_come_down_in_pieces_in_any_order_and_is_reported_complete(sky):
    manifest, segment = product()
    assert sky.down(segment, vcid=VirtualChannel.PRODUCTS)
    assert sky.archive.digest(1) is None
    assert sky.down(manifest, vcid=VirtualChannel.PRODUCTS)
    assert sky.archive.digest(1) == CRC
    ((apid, data),) = sky.up(report=True)
    report = decode_report(data)
    assert apid == Apid.REPORT
    assert report.completed == (1,)
    assert report.vcid == VirtualChannel.PRODUCTS


def test_nothing_goes_up_unasked(sky):
    assert sky.ground.uplink(0, report=False) == []
    assert sky.ground.receiver.counters.reports == 0


def test_a_command_goes_up_once_and_the_nodes_word_on_it_reaches_the_operator(sky):
    number = sky.ground.command(DeleteProduct(7), 0)
    assert [apid for apid, _ in sky.up()] == [Apid.TELECOMMAND]
    assert sky.up() == []
    for stage in (Stage.ACCEPTED, Stage.COMPLETED):
        sky.down((Apid.VERIFICATION, encode_report(VerificationReport(number, stage))))
    assert sky.ground.operator.fate(number).fate is Fate.COMPLETED


def test_a_question_of_the_node_is_answered_once_with_what_is_held(sky):
    sky.down(*product(1))
    asked = [Asked(n, len(PAYLOAD), CRC) for n in (1, 2)]
    sky.down((Apid.RECONCILE_REQUEST, encode_request(asked)))
    ((apid, data),) = sky.up()
    assert apid == Apid.RECONCILE_ANSWER
    held = {each.product_id: each.held for each in decode_answer(data).items}
    assert held == {1: Held.COMPLETE, 2: Held.UNKNOWN}
    assert sky.up() == []


def test_commands_go_up_before_answers_and_reports(sky):
    sky.down((Apid.RECONCILE_REQUEST, encode_request([Asked(1, 1, 1)])))
    sky.ground.command(DeleteProduct(7), 0)
    order = [apid for apid, _ in sky.up(report=True)]
    assert order == [Apid.TELECOMMAND, Apid.RECONCILE_ANSWER, Apid.REPORT]


def test_live_telemetry_is_heard_by_group_and_events_by_name(sky):
    channels = ChannelValues()
    channels.values[channels.index("power.soc_estimate")] = 0.5
    booted = EVENT_BY_NAME["BOOTED"]
    sky.down(
        (Apid.HOUSEKEEPING, encode_housekeeping("power", channels.values)),
        (Apid.EVENT, encode_event(booted.event_id, booted.severity, {})),
        (Apid.EVENT, encode_event(60_000, booted.severity, {})),
    )
    assert 0.5 in sky.ground.housekeeping["power"]
    assert dict(sky.ground.events_heard) == {"BOOTED": 1, "unknown": 1}


def test_a_packet_that_cannot_be_read_is_counted_and_those_behind_it_are_heard(sky):
    booted = EVENT_BY_NAME["BOOTED"]
    sky.down(
        (Apid.HOUSEKEEPING, b"x"),
        (Apid.EVENT, b"x"),
        (Apid.EVENT, encode_event(booted.event_id, booted.severity, {})),
    )
    assert sky.ground.packets_unreadable == 2
    assert dict(sky.ground.events_heard) == {"BOOTED": 1}
