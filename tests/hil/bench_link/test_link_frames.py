"""Frames arrive whole or count as broken, and every one lost gives its credit back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.bench_link.frames import FrameReceiver, FrameSender, ahead
from hil.bench_link.layout import CHUNK_BYTES_MAX
from hil.bench_link.messages import FrameChunk

LONGEST = 65542
FRAMES = st.lists(st.binary(min_size=1, max_size=300).map(lambda b: b * 60), max_size=6)


def started(credit: int = 100) -> FrameSender:
    sender = FrameSender()
    sender.restart(credit)
    return sender


@settings(deadline=None, max_examples=60)
@given(frames=FRAMES)
def test_frames_come_back_whole_and_in_order(frames: list[bytes]) -> None:
    sender, receiver = started(), FrameReceiver(LONGEST)
    got = [receiver.take(chunk) for frame in frames for chunk in sender.cut(frame)]
    assert [frame for frame in got if frame is not None] == frames
    assert (receiver.taken, receiver.broken) == (len(frames), 0)


@settings(deadline=None, max_examples=100)
@given(frames=FRAMES, data=st.data())
def test_whatever_chunks_are_lost_each_frame_is_whole_or_counted_and_none_is_mixed(
    frames: list[bytes], data: st.DataObject
) -> None:
    sender, receiver = started(), FrameReceiver(LONGEST)
    sent = [chunk for frame in frames for chunk in sender.cut(frame)]
    got = [receiver.take(chunk) for chunk in sent if data.draw(st.booleans())]
    receiver.reconcile(sender.sent)
    whole = [frame for frame in got if frame is not None]
    assert receiver.taken == len(whole)
    assert receiver.taken + receiver.lost == len(frames)
    rest = iter(frames)
    assert all(any(frame == other for other in rest) for frame in whole), "in order, unmixed"


def test_a_frame_of_one_chunk_more_than_fits_takes_two() -> None:
    sender = started()
    assert [len(c.octets) for c in sender.cut(bytes(CHUNK_BYTES_MAX))] == [CHUNK_BYTES_MAX]
    assert [c.offset for c in sender.cut(bytes(CHUNK_BYTES_MAX + 1))] == [0, CHUNK_BYTES_MAX]


def test_without_credit_nothing_leaves_and_grants_never_go_back() -> None:
    sender = started(credit=1)
    sender.cut(b"a")
    assert sender.credit == 0
    with pytest.raises(AssertionError):
        sender.cut(b"b")
    sender.grant(3)
    sender.grant(2)
    assert sender.credit == 2


@pytest.mark.parametrize(
    "chunk",
    [
        FrameChunk(0, 10, 5, b"12345"),
        FrameChunk(0, 10, 0, b"12345678901"),
        FrameChunk(0, 10, 0, b""),
        FrameChunk(0, 0, 0, b"1"),
        FrameChunk(0, LONGEST + 1, 0, b"1"),
    ],
    ids=["from the middle", "more than told", "nothing", "of no frame", "too long"],
)
def test_a_chunk_that_fits_no_frame_breaks_that_frame_alone(chunk: FrameChunk) -> None:
    receiver = FrameReceiver(LONGEST)
    assert receiver.take(chunk) is None
    assert receiver.take(FrameChunk(0, 10, 0, b"1234567890")) is None, "it is given up"
    assert receiver.take(FrameChunk(1, 3, 0, b"abc")) == b"abc"
    assert (receiver.broken, receiver.lost) == (1, 1)


def test_a_new_session_forgets_half_a_frame_and_counts_it() -> None:
    receiver = FrameReceiver(LONGEST)
    receiver.take(FrameChunk(0, 10, 0, b"12345"))
    receiver.restart()
    assert receiver.broken == 1
    assert receiver.take(FrameChunk(0, 3, 0, b"abc")) == b"abc"


@given(base=st.integers(0, 2**32 - 1), step=st.integers(-(2**31) + 1, 2**31 - 1))
def test_counters_that_wrap_are_compared_across_the_wrap(base: int, step: int) -> None:
    assert ahead((base + step) % 2**32, base) == step
