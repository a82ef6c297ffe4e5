import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.keys import Half, derive_from_seed
from flight.wire.counter_reserve import CounterReserve
from flight.wire.errors import WireError, WireReason
from flight.wire.link_security import SecurityVerdict
from flight.wire.secure_link import Opened, SecureLink
from flight.wire.space_packet import Apid, encode, packet_bytes
from flight.wire.transfer_frame import FRAME_OVERHEAD_BYTES, VirtualChannel
from hil.ground.ground_link import GroundLink, Received

KEYS = derive_from_seed(3)
SCID = 77


def reserve() -> CounterReserve:
    return CounterReserve(lambda: 0, lambda _: None)


def ends() -> tuple[SecureLink, GroundLink]:
    node = SecureLink(
        scid=SCID,
        sends=KEYS.sends(Half.NODE),
        receives=[KEYS.receives(Half.NODE)],
        counters=reserve(),
    )
    return node, GroundLink(KEYS, scid=SCID, counters=reserve())


def down(apid: int = Apid.HOUSEKEEPING, data: bytes = b"x", *, telecommand: bool = False) -> bytes:
    return encode(apid, 0, data, time_ns=1, telecommand=telecommand)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(1, 1_988), max_size=12))
def test_uplink_packets_arrive_in_order_in_as_few_frames_as_fit(sizes):
    node, ground = ends()
    packets = [
        encode(Apid.REPORT, n, bytes(size), time_ns=n, telecommand=True)
        for n, size in enumerate(sizes)
    ]
    frames = ground.frames_for(packets)
    arrived = []
    filled = []
    for frame in frames:
        assert len(frame) <= 2_048
        opened = node.open(frame)
        assert isinstance(opened, Opened)
        arrived += [(p.seq_count, len(p.data)) for p in opened.packets]
        filled.append([packet_bytes(len(p.data)) for p in opened.packets])
    assert arrived == list(enumerate(sizes))
    for held, following in itertools.pairwise(filled):
        assert FRAME_OVERHEAD_BYTES + sum(held) + following[0] > 2_048


def test_a_packet_too_long_for_any_frame_seals_nothing():
    node, ground = ends()
    good = encode(Apid.REPORT, 0, b"r", time_ns=0, telecommand=True)
    long = encode(Apid.REPORT, 1, bytes(2_048), time_ns=0, telecommand=True)
    with pytest.raises(WireError) as caught:
        ground.frames_for([good, long])
    assert caught.value.reason is WireReason.TOO_LONG
    opened = node.open(ground.frames_for([good])[0])
    assert isinstance(opened, Opened)
    assert opened.frame_no == 1


def test_downlink_frames_become_packets_and_every_refusal_is_counted():
    node, ground = ends()
    frame = node.seal(VirtualChannel.TELEMETRY, [down(data=b"one"), down(data=b"two")]).frame
    received = ground.on_frame(frame)
    assert isinstance(received, Received)
    assert (received.vcid, received.frame_no) == (VirtualChannel.TELEMETRY, 1)
    assert [p.data for p in received.packets] == [b"one", b"two"]
    assert ground.on_frame(frame) is SecurityVerdict.REPLAYED
    assert ground.on_frame(frame[:-3]) is SecurityVerdict.BAD_FECF
    assert ground.on_frame(b"") is SecurityVerdict.BAD_LENGTH
    assert ground.ledger.received == 4
    assert (ground.ledger.accepted, ground.ledger.rejected, ground.ledger.malformed) == (1, 1, 2)


def test_packets_that_do_not_belong_on_the_downlink_are_left_out_and_counted():
    node, ground = ends()
    mixed = [down(Apid.REPORT), down(), down(telecommand=True), down(0x7F0)]
    received = ground.on_frame(node.seal(VirtualChannel.TELEMETRY, mixed).frame)
    assert isinstance(received, Received)
    assert [p.apid for p in received.packets] == [Apid.HOUSEKEEPING]
    assert ground.packets_refused == 3


def test_missing_and_late_frames_are_counted_on_their_channel():
    node, ground = ends()
    frames = [node.seal(VirtualChannel.PRODUCTS, [down()]).frame for _ in range(6)]
    node.seal(VirtualChannel.TELEMETRY, [down()])
    for n in (0, 3, 5, 1):
        assert isinstance(ground.on_frame(frames[n]), Received)
    tally = ground.channels[VirtualChannel.PRODUCTS]
    assert (tally.frames, tally.highest, tally.gaps, tally.late) == (4, 6, 3, 1)
    assert ground.channels[VirtualChannel.TELEMETRY].frames == 0


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_from_the_sky_never_raise_and_never_deliver(raw):
    _, ground = ends()
    assert isinstance(ground.on_frame(raw), SecurityVerdict)
    assert ground.ledger.received == 1
    assert all(tally.frames == 0 for tally in ground.channels.values())
