import random

import pytest
from fuzz_times import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.commanding.authentication import CommandLedger, Intake, UplinkAuthenticator
from flight.keys import Half, derive_from_seed
from flight.telemetry.command_table import NoOp
from flight.wire.counter_reserve import CounterReserve
from flight.wire.crc import crc16_ccitt
from flight.wire.link_security import SecurityVerdict
from flight.wire.secure_link import SecureLink
from flight.wire.space_packet import Apid, encode
from flight.wire.telecommand import Telecommand, Unusable, encode_telecommand
from flight.wire.transfer_frame import VirtualChannel

KEYS = derive_from_seed(5)


def end(half: Half) -> SecureLink:
    return SecureLink(
        scid=9,
        sends=KEYS.sends(half),
        receives=[KEYS.receives(half)],
        counters=CounterReserve(lambda: 0, lambda _: None),
    )


def up(apid: int, data: bytes, *, telecommand: bool = True) -> bytes:
    return encode(apid, 0, data, time_ns=0, telecommand=telecommand)


def no_op(command_id: int) -> bytes:
    return up(Apid.TELECOMMAND, encode_telecommand(Telecommand(command_id, NoOp())))


def bench() -> tuple[SecureLink, SecureLink, CommandLedger, UplinkAuthenticator]:
    node, ledger = end(Half.NODE), CommandLedger()
    return end(Half.GROUND), node, ledger, UplinkAuthenticator(node, ledger)


def test_a_frame_is_sorted_into_commands_and_arq_packets_in_order():
    ground, _, ledger, uplink = bench()
    packets = [
        no_op(1),
        up(Apid.REPORT, b"report"),
        up(Apid.TELECOMMAND, b"\x82\xa2id\x02\xa3cmd\x80"),
        up(Apid.RECONCILE_ANSWER, b"answer"),
        no_op(3),
        up(Apid.TELECOMMAND, b"garbage"),
    ]
    intake = uplink.take(ground.seal(VirtualChannel.UPLINK, packets).frame)
    assert intake.verdict is SecurityVerdict.OK
    assert [t.command_id for t in intake.telecommands] == [1, 2, 3]
    assert isinstance(intake.telecommands[1], Unusable)
    assert [p.data for p in intake.arq_packets] == [b"report", b"answer"]
    assert (ledger.received, ledger.malformed) == (4, 1)


@pytest.mark.parametrize(
    "packet", [up(Apid.HOUSEKEEPING, b"x"), up(Apid.REPORT, b"x", telecommand=False)]
)
def test_a_packet_that_does_not_belong_on_the_uplink_is_refused_and_counted(packet):
    ground, _, ledger, uplink = bench()
    intake = uplink.take(ground.seal(VirtualChannel.UPLINK, [packet]).frame)
    assert intake == Intake(SecurityVerdict.OK)
    assert uplink.packets_refused == 1
    assert ledger.received == 0


def test_a_replayed_command_never_reaches_the_dispatcher():
    ground, node, ledger, uplink = bench()
    frame = ground.seal(VirtualChannel.UPLINK, [no_op(1)]).frame
    assert len(uplink.take(frame).telecommands) == 1
    assert uplink.take(frame) == Intake(SecurityVerdict.REPLAYED)
    assert ledger.received == 1
    assert node.ledger.rejected == 1


def test_the_nodes_own_downlink_mirrored_back_commands_nothing():
    _, node, _, uplink = bench()
    frame = node.seal(VirtualChannel.TELEMETRY, [no_op(1)]).frame
    assert uplink.take(frame) == Intake(SecurityVerdict.WRONG_CHANNEL)


@settings(deadline=None, max_examples=examples(200))
@given(st.lists(st.one_of(st.binary(max_size=40), st.integers(1, 9)), min_size=1, max_size=6))
def test_every_authentic_command_is_delivered_or_counted_as_malformed(datas):
    ground, _, ledger, uplink = bench()
    packets = [no_op(d) if isinstance(d, int) else up(Apid.TELECOMMAND, d) for d in datas]
    intake = uplink.take(ground.seal(VirtualChannel.UPLINK, packets).frame)
    assert ledger.received == len(datas) == len(intake.telecommands) + ledger.malformed


def test_20000_hostile_frames_command_nothing_and_are_all_accounted_for():
    rng = random.Random(7)
    ground, node, ledger, uplink = bench()
    good = [ground.seal(VirtualChannel.UPLINK, [no_op(n)]).frame for n in range(1, 21)]
    hostile = 0
    for n in range(20_000):
        frame = bytearray(good[n % len(good)])
        for _ in range(rng.randrange(1, 4)):
            frame[rng.randrange(len(frame))] ^= rng.randrange(1, 256)
        raw = bytes(frame) if n % 2 else rng.randbytes(rng.randrange(120))
        if n % 3:
            raw = raw[:-2] + crc16_ccitt(raw[:-2]).to_bytes(2, "big")
        if raw in good:  # the check value alone was hit, and mended
            continue
        hostile += 1
        intake = uplink.take(raw)
        assert intake.verdict is not SecurityVerdict.OK
        assert not intake.telecommands
    assert hostile > 19_000
    assert node.ledger.received == hostile == node.ledger.rejected + node.ledger.malformed
    assert ledger == CommandLedger()
    assert [uplink.take(frame).telecommands[0].command_id for frame in good] == list(range(1, 21))
