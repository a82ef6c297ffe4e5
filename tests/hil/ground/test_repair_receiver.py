"""Lost frames come back out of what the node sums up; the two ends share no arithmetic."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.downlink.pass_plan import Contact, ContactKind
from flight.downlink.repair_coder import RepairCoder
from flight.wire.repair_packet import REPAIR_ROOM_BYTES, RepairSymbol, decode_repair
from hil.ground.repair_receiver import BLOCKS_KEPT, FRAMES_KEPT, RepairReceiver

S = 1_000_000_000
ROOM = 120


def sent(frames, share, rate_bps):
    """(number, packets) of frames, and the repair symbols that go with them."""
    coder = RepairCoder(
        room_bytes=ROOM + REPAIR_ROOM_BYTES, frame_bytes=2_048, share=share, after_ns=S
    )
    contact = Contact(1, 7, ContactKind.OGS, 0, 1_000 * S, rate_bps)
    coder.look(0, contact, 0, may_send=True)
    coder.look(S, contact, 0, may_send=True)
    repairs = []
    for number, packets in frames:
        coder.sent(number, packets, S)
        while coder.owed():
            repairs.append(decode_repair(coder.take(S, idle=False)))
    while (data := coder.take(2 * S, idle=True)) is not None:
        repairs.append(decode_repair(data))
    return repairs


contents = st.lists(st.binary(min_size=1, max_size=ROOM), min_size=1, max_size=120)


@settings(deadline=None, max_examples=60)
@given(contents, st.data())
def test_as_many_frames_as_there_are_repair_symbols_come_back_whichever_they_are(packets, data):
    frames = list(enumerate(packets, start=1_000))
    repairs = sent(frames, 0.4, 2e6)
    by_block = {}
    for repair in repairs:
        by_block.setdefault((repair.first_frame, repair.stride), []).append(repair)
    lost, kept_repairs = set(), []
    for (first, stride), symbols in by_block.items():
        numbers = [first + stride * i for i in range(symbols[0].sources)]
        away = data.draw(st.integers(0, len(symbols)))
        kept_repairs += data.draw(st.permutations(symbols))[away:]
        most = min(len(symbols) - away, len(numbers))
        lost |= set(data.draw(st.permutations(numbers))[:most])
    receiver = RepairReceiver()
    for number, plain in frames:
        if number not in lost:
            receiver.on_frame(number, plain)
    good = {}
    for repair in kept_repairs:
        good.update(receiver.on_repair(repair))
    assert good == {number: plain for number, plain in frames if number in lost}
    assert receiver.ledger.frames_made_good == len(lost)
    assert receiver.ledger.inconsistent == 0


def test_with_fewer_symbols_than_lost_frames_nothing_is_guessed():
    frames = [(number, bytes([number]) * 50) for number in range(1, 9)]
    repairs = sent(frames, 0.4, 60_000.0)
    assert len(repairs) == 4
    receiver = RepairReceiver()
    for number, plain in frames[5:]:
        receiver.on_frame(number, plain)
    assert [receiver.on_repair(repair) for repair in repairs] == [[], [], [], []]
    assert receiver.ledger.frames_made_good == 0


def test_symbols_that_are_no_longer_needed_are_counted_and_forgotten():
    frames = [(number, b"packets") for number in range(1, 9)]
    receiver = RepairReceiver()
    for number, plain in frames:
        receiver.on_frame(number, plain)
    for repair in sent(frames, 0.25, 60_000.0):
        assert receiver.on_repair(repair) == []
    assert receiver.ledger.idle == receiver.ledger.symbols == 2


@pytest.mark.parametrize("change", [{"sources": 7}, {"symbol": bytes(ROOM)}])
def test_symbols_of_one_block_that_contradict_each_other_are_counted_and_dropped(change):
    one = RepairSymbol(1, 1, 8, 0, bytes(ROOM + 2))
    receiver = RepairReceiver()
    assert receiver.on_repair(one) == []
    fields = {name: getattr(one, name) for name in RepairSymbol.__struct_fields__}
    assert receiver.on_repair(RepairSymbol(**{**fields, "repair": 1, **change})) == []
    assert receiver.ledger.inconsistent == 1


def test_a_sum_that_makes_no_packets_is_dropped():
    receiver = RepairReceiver()
    assert receiver.on_repair(RepairSymbol(5, 1, 1, 0, b"\xff" * 40)) == []
    assert receiver.ledger.inconsistent == 1


def test_what_is_remembered_is_bounded():
    receiver = RepairReceiver()
    for number in range(FRAMES_KEPT + 100):
        receiver.on_frame(number, b"x")
    for first in range(BLOCKS_KEPT + 10):
        receiver.on_repair(RepairSymbol(10**6 + 1_000 * first, 1, 8, 0, bytes(50)))
    assert len(receiver._frames) == FRAMES_KEPT
    assert len(receiver._blocks) == BLOCKS_KEPT
