"""Sequences on board: an upload counts when it is kept, and the set before it is the way back."""

import msgspec
import pytest
from sequences import Flash, after, sequence

from flight.commanding.loadable import LoadVerdict
from flight.commanding.sequence import Sequence, encode_sequence
from flight.commanding.sequence_library import (
    SEQUENCES_MAX,
    UPLOADED_BYTES_MAX,
    SequenceLibrary,
)
from flight.wire.crc import crc32c

V = LoadVerdict
SHIPPED = sequence(after(1), name="shipped")


class Room:
    def __init__(self):
        self.flash, self.running = Flash(), set()
        self.library = self.boot()

    def boot(self):
        library = SequenceLibrary([SHIPPED], self.flash.keep("x"), self.running.__contains__)
        self.whole = "x" not in self.flash.words or library.restore(self.flash.words["x"])
        return library

    def load(self, *steps, name="plan"):
        return self.library.activate(encode_sequence(sequence(*steps, name=name)), 0)

    def steps(self, name="plan"):
        found = self.library.get(name)
        return None if found is None else found.sequence.steps


def test_an_upload_is_on_board_before_and_after_a_reset_and_goes_back_and_forth():
    room = Room()
    assert room.load(after(1)) is V.OK
    assert room.load(after(2)) is V.OK
    for _ in range(2):
        assert room.steps() == (after(2),)
        assert room.library.get("plan").crc == crc32c(encode_sequence(sequence(after(2))))
        room.library = room.boot()
    assert room.library.roll_back(0) is V.OK
    assert room.steps() == (after(1),)
    room.library = room.boot()
    assert room.library.roll_back(0) is V.OK
    assert room.steps() == (after(2),)


def test_the_way_back_of_the_first_upload_is_the_shipped_set():
    room = Room()
    assert room.library.roll_back(0) is V.NOT_FOUND
    room.load(after(9), name="shipped")
    assert room.steps("shipped") == (after(9),)
    assert room.library.roll_back(0) is V.OK
    assert room.steps("shipped") == SHIPPED.steps


def test_a_deleted_upload_gives_way_to_the_shipped_one_and_can_be_had_back():
    room = Room()
    room.load(after(9), name="shipped")
    assert room.library.delete("shipped") is V.OK
    assert room.steps("shipped") == SHIPPED.steps
    assert room.library.delete("shipped") is V.NOT_FOUND
    assert room.library.roll_back(0) is V.OK
    assert room.steps("shipped") == (after(9),)


def test_what_is_not_kept_does_not_count():
    room = Room()
    room.load(after(1))
    room.flash.fails = True
    assert room.load(after(2)) is V.NOT_DURABLE
    assert room.library.delete("plan") is V.NOT_DURABLE
    assert room.library.roll_back(0) is V.NOT_DURABLE
    assert room.steps() == (after(1),)
    room.library = room.boot()
    assert room.steps() == (after(1),)


def test_a_running_sequence_is_not_replaced_deleted_or_rolled_back():
    room = Room()
    room.load(after(1))
    room.running.add("plan")
    assert room.load(after(2)) is V.BUSY
    assert room.library.delete("plan") is V.BUSY
    assert room.library.roll_back(0) is V.BUSY
    assert room.load(after(2), name="other") is V.OK
    assert room.library.roll_back(0) is V.OK


@pytest.mark.parametrize("cut", [0, 3, 4, 20, -1])
def test_a_torn_or_damaged_set_is_noticed_and_the_shipped_ones_are_there(cut):
    room = Room()
    room.load(after(1))
    whole = room.flash.words["x"]
    room.flash.words["x"] = whole[:cut]
    room.library = room.boot()
    assert not room.whole
    assert (room.steps(), room.steps("shipped")) == (None, SHIPPED.steps)
    room.flash.words["x"] = whole[:9] + bytes([whole[9] ^ 4]) + whole[10:]
    room.library = room.boot()
    assert not room.whole
    assert room.library.names() == ["shipped"]


def test_the_number_and_the_octets_of_uploads_are_bounded():
    room = Room()
    for number in range(SEQUENCES_MAX):
        assert room.load(after(1), name=f"plan-{number}") is V.OK
    assert room.load(after(1), name="one-more") is V.OUT_OF_RANGE
    assert room.load(after(2), name="plan-0") is V.OK
    room = Room()
    big = [after(1)] * 120
    size = len(encode_sequence(sequence(*big, name="big-0")))
    verdicts = [room.load(*big, name=f"big-{n}") for n in range(UPLOADED_BYTES_MAX // size + 1)]
    assert verdicts[:-1] == [V.OK] * (UPLOADED_BYTES_MAX // size)
    assert verdicts[-1] is V.OUT_OF_RANGE
    assert room.library.uploaded_bytes <= UPLOADED_BYTES_MAX


def test_validation_changes_nothing():
    room = Room()
    before = room.library.dump()
    assert room.library.validate(encode_sequence(sequence(after(1)))) is V.OK
    assert room.library.validate(b"no") is V.OUT_OF_RANGE
    assert room.load() is V.OK
    assert room.library.validate(b"\xc1") is V.UNREADABLE
    assert before == msgspec.msgpack.encode([])
    assert room.flash.writes == 1


def test_a_dump_holds_each_upload_as_its_load():
    room = Room()
    room.load(after(2), name="zebra")
    room.load(after(1), name="ant")
    loads = msgspec.msgpack.decode(room.library.dump(), type=list[bytes])
    assert loads == [
        encode_sequence(sequence(after(1), name="ant")),
        encode_sequence(sequence(after(2), name="zebra")),
    ]


def test_an_upload_that_a_later_software_no_longer_takes_is_left_out_and_told(monkeypatch):
    room = Room()
    room.load(after(1))
    room.load(after(1), name="other")

    def stricter(data):
        found = real(data)
        return found if found.name != "plan" else real(b"")

    from flight.commanding import sequence_library as module  # noqa: PLC0415

    real = module.decode_sequence
    monkeypatch.setattr(module, "decode_sequence", stricter)
    room.library = room.boot()
    assert not room.whole
    assert isinstance(room.library.get("other").sequence, Sequence)
    assert room.library.get("plan") is None
