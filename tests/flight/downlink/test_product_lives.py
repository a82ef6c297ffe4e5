"""The book of lives: nothing that happened is missing unsaid, and runs are one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flight.downlink.arq_values import ArqOutcome
from flight.downlink.product import Segment
from flight.downlink.product_lives import (
    ELSE_NS,
    IN_CONTACT_NS,
    LINES_MAX,
    Deed,
    LifeEvents,
    LifeLine,
    ProductLives,
)

S = 1_000_000_000


class Book:
    """Keeps what it is given, or refuses it."""

    def __init__(self):
        self.lines, self.batches, self.takes = [], 0, True
        self.lives = ProductLives(self.keep)

    def keep(self, lines):
        self.batches += 1
        if self.takes:
            self.lines += lines
        return self.takes


@pytest.fixture
def book():
    return Book()


def part(product_id, start, end):
    return Segment(product_id, start, end - start, 10_000)


def test_frame_after_frame_and_byte_after_byte_are_one_line(book):
    for i in range(5):
        book.lives.sent(10 + i, [part(1, 100 * i, 100 * (i + 1))], (), i)
    book.lives.flush(9)
    assert book.lines == [LifeLine(1, 0, Deed.SENT, 10, 14, 0, 500)]


@pytest.mark.parametrize(("frame_no", "start"), [(12, 100), (11, 150), (11, 0)])
def test_a_gap_in_frames_or_bytes_begins_another_line(book, frame_no, start):
    book.lives.sent(10, [part(1, 0, 100)], (), 3)
    book.lives.sent(frame_no, [part(1, start, 200)], (), 4)
    book.lives.flush(9)
    assert book.lines == [
        LifeLine(1, 3, Deed.SENT, 10, 10, 0, 100),
        LifeLine(1, 4, Deed.SENT, frame_no, frame_no, start, 200),
    ]


segments = st.builds(part, st.integers(1, 3), st.integers(0, 20), st.integers(21, 40))


@given(st.lists(st.tuples(st.lists(segments, max_size=3), st.booleans()), max_size=30))
def test_every_byte_of_every_frame_is_in_a_line_of_that_frame(frames):
    book = Book()
    for number, (contents, flush) in enumerate(frames, start=1):
        book.lives.sent(number, contents, (), number)
        if flush:
            book.lives.flush(number)
    book.lives.flush(99)
    for number, (contents, _) in enumerate(frames, start=1):
        for each in contents:
            assert any(
                line.product_id == each.product_id
                and line.first <= number <= line.last
                and line.start <= each.offset
                and each.offset + each.length <= line.end
                for line in book.lines
            )


def test_a_report_tells_what_came_what_was_lost_what_is_held_and_what_is_whole(book):
    book.lives.sent(4, [], (7,), 5)
    book.lives.settled(
        ArqOutcome(
            acked=(part(1, 0, 50), part(1, 50, 90)), lost=(part(2, 5, 6),), completed=(3,),
            resume=((4, ((0, 10), (20, 25))),),
        ),
        8,
    )  # fmt: skip
    book.lives.flush(9)
    assert book.lines == [
        LifeLine(7, 5, Deed.ASKED),
        LifeLine(1, 8, Deed.REPORTED, start=0, end=90),
        LifeLine(2, 8, Deed.LOST, start=5, end=6),
        LifeLine(4, 8, Deed.HELD, end=15),
        LifeLine(3, 8, Deed.VERIFIED),
    ]


def test_lines_are_handed_on_once_a_second_in_a_contact_and_rarely_else(book):
    lives = book.lives
    for tenth in range(31):
        lives.note(Deed.VERIFIED, tenth, tenth * S // 10)
        lives.step(tenth * S // 10, in_contact=True)
    assert book.batches == 1 + 3 * S // IN_CONTACT_NS
    lives.step(4 * S, in_contact=False)
    for second in range(5, 14):
        lives.note(Deed.VERIFIED, second, second * S)
        lives.step(second * S, in_contact=False)
    assert book.batches == 1 + 3
    lives.step(4 * S + ELSE_NS, in_contact=False)
    assert book.batches == 1 + 3 + 1
    assert len(book.lines) == 31 + 9


def test_a_book_without_news_costs_nothing(book):
    for second in range(100):
        book.lives.step(second * S, in_contact=False)
    assert book.batches == 0


def test_what_was_not_kept_is_counted_and_told_as_soon_as_something_is(book):
    book.takes = False
    for batch in range(2):
        for number in range(3):
            book.lives.note(Deed.VERIFIED, number, batch)
        book.lives.flush(batch)
    assert book.lives.dropped == 6
    book.takes = True
    book.lives.note(Deed.VERIFIED, 9, 5)
    book.lives.flush(6)
    assert book.lines == [LifeLine(9, 5, Deed.VERIFIED), LifeLine(None, 6, Deed.MISSING, last=6)]
    book.lives.note(Deed.VERIFIED, 9, 7)
    book.lives.flush(8)
    assert book.lines[-1] == LifeLine(9, 7, Deed.VERIFIED)


def test_a_flood_is_bounded_and_counted(book):
    for number in range(3 * LINES_MAX):
        book.lives.sent(number, [part(number, 0, 1)], (), number)
    book.lives.flush(S)
    kept = [line for line in book.lines if line.product_id is not None]
    assert len(kept) == LINES_MAX
    assert book.lives.dropped == 2 * LINES_MAX == book.lines[-1].last


class Ears:
    def __init__(self):
        self.heard = []

    def emit(self, name, t_ns, /, **args):
        self.heard.append((name, t_ns, args))


def test_events_of_a_product_go_into_the_book_and_every_event_goes_on(book):
    ears = Ears()
    events = LifeEvents(book.lives, ears)
    events.emit("PRODUCT_CREATED", 1, product=5, name="a.msk", size=3, value=1.0)
    events.emit("PRODUCT_EVICTED", 2, product=5, reason="displaced", source="ground")
    events.emit("STORE_FAILED", 3, kind="SYNC")
    book.lives.flush(4)
    assert [name for name, _, _ in ears.heard] == [
        "PRODUCT_CREATED", "PRODUCT_EVICTED", "STORE_FAILED",
    ]  # fmt: skip
    assert book.lines == [
        LifeLine(5, 1, Deed.MADE, note="a.msk"),
        LifeLine(5, 2, Deed.GIVEN_UP, note="displaced"),
    ]


def test_frames_of_another_link_are_a_line_of_their_own_whatever_their_numbers(book):
    book.lives.sent(10, [part(1, 0, 5)], (), 1)
    book.lives.sent(11, [part(1, 5, 10)], (), 2, "radio")
    book.lives.sent(12, [part(1, 10, 15)], (), 3, "radio")
    book.lives.sent(11, [part(1, 15, 20)], (), 4)
    book.lives.flush(5)
    assert [(line.first, line.last, line.start, line.end, line.note) for line in book.lines] == [
        (10, 10, 0, 5, ""), (11, 12, 5, 15, "radio"), (11, 11, 15, 20, ""),
    ]  # fmt: skip
