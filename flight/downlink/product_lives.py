"""The book of lives: what happened to each product, a line for each run of frames or bytes.

Image -> ground, hop "told", for whoever asks later what became of a product: made, each frame,
each report, verified, freed or given up. Lines are merged while frame follows frame and byte byte,
kept by the store's index in batches, bounded there, and readable after any reset; the last second
of a contact may be missing after a power cut, and what could not be kept is a line of its own.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from flight.downlink.arq_values import ArqOutcome
    from flight.downlink.product import Segment

LINES_MAX = 4_096
"""Lines that wait to be kept; more of a second are lost, and counted."""
IN_CONTACT_NS, ELSE_NS = 1_000_000_000, 10_000_000_000


class Deed(IntEnum):
    """What happened; the numbers are those of the index."""

    MADE = 1
    SENT = 2
    REPORTED = 3
    LOST = 4
    ASKED = 5
    HELD = 6
    VERIFIED = 7
    FREED = 8
    GIVEN_UP = 9
    REPAIRED = 10
    STARTED = 11
    MISSING = 12


_OF_EVENT = {
    "PRODUCT_CREATED": (Deed.MADE, "name"),
    "PRODUCT_DELIVERED": (Deed.FREED, ""),
    "PRODUCT_EVICTED": (Deed.GIVEN_UP, "reason"),
    "PRODUCT_EXPIRED": (Deed.GIVEN_UP, "reason"),
    "PRODUCT_DELETED": (Deed.GIVEN_UP, "reason"),
    "RECORD_REPAIRED": (Deed.REPAIRED, ""),
}


class LifeLine(msgspec.Struct, frozen=True, gc=False):
    """One line of the book.

    Attributes:
        product_id: whose, or None for the node's own: STARTED, and MISSING with `last` lines.
        t_ns: mission time of the first it tells of.
        deed: what happened.
        first, last: frames it went out in, from SENT; 0 elsewhere.
        start, end: bytes [start, end) of the product; of HELD how many, from 0.
        note: name or reason; of SENT the link, where it is not the laser's.
    """

    product_id: int | None
    t_ns: int
    deed: int
    first: int = 0
    last: int = 0
    start: int = 0
    end: int = 0
    note: str = ""


class EventTaker(Protocol):
    """Where edges are told."""

    def emit(self, name: str, t_ns: int, /, **args: str | float) -> object:
        """Takes one event."""
        ...


class _Run(msgspec.Struct, gc=False):
    """A line that may yet grow."""

    t_ns: int
    first: int
    last: int
    start: int
    end: int
    note: str
    turn: int


class ProductLives:
    """Collects lines and hands them on in batches.

    Args:
        keep: takes a batch to be kept; False when it cannot now.

    Attributes:
        dropped: lines that were not kept since start; name, capacity, high_water: as of a queue.
    """

    def __init__(self, keep: Callable[[Sequence[LifeLine]], bool]) -> None:
        self._keep = keep
        self._lines: list[tuple[int, LifeLine]] = []
        self._turns = 0
        self._open: dict[tuple[int, int], _Run] = {}
        self._due_ns = 0
        self._untold = 0
        self.name, self.capacity = "life_lines", LINES_MAX
        self.high_water = self.dropped = 0

    def __len__(self) -> int:
        return len(self._lines)

    def sent(
        self,
        frame_no: int,
        segments: Iterable[Segment],
        asked: Iterable[int],
        now_ns: int,
        by: str = "",
    ) -> None:
        """A frame went out with these bytes, and a question about these products.

        `by`: the link whose number it has, where that is not the laser's.
        """
        for each in segments:
            end = each.offset + each.length
            self._extend(Deed.SENT, each.product_id, now_ns, frame_no, each.offset, end, by)
        for product_id in asked:
            self.note(Deed.ASKED, product_id, now_ns)

    def settled(self, outcome: ArqOutcome, now_ns: int) -> None:
        """What a report or an answer has decided."""
        for deed, segments in ((Deed.REPORTED, outcome.acked), (Deed.LOST, outcome.lost)):
            for each in segments:
                end = each.offset + each.length
                self._extend(deed, each.product_id, now_ns, 0, each.offset, end)
        for product_id, held in outcome.resume:
            self.note(Deed.HELD, product_id, now_ns, size=sum(end - start for start, end in held))
        for product_id in outcome.completed:
            self.note(Deed.VERIFIED, product_id, now_ns)

    def note(
        self, deed: Deed, product_id: int | None, now_ns: int, note: str = "", *, size: int = 0
    ) -> None:
        """One line as it is."""
        self._turns += 1
        self._add(self._turns, LifeLine(product_id, now_ns, deed, end=size, note=note))

    def step(self, now_ns: int, *, in_contact: bool) -> None:
        """Hands lines on when it is time; called as often as one likes."""
        if now_ns >= self._due_ns:
            self._due_ns = now_ns + (IN_CONTACT_NS if in_contact else ELSE_NS)
            self.flush(now_ns)

    def flush(self, now_ns: int) -> None:
        """Hands everything on now."""
        for deed, product_id in tuple(self._open):
            self._close(deed, product_id)
        if not self._lines:
            return
        self.high_water = max(self.high_water, len(self._lines))
        lines = [line for _, line in sorted(self._lines, key=_turn)]
        self._lines = []
        if self._untold:
            lines.append(LifeLine(None, now_ns, Deed.MISSING, last=self._untold))
        if self._keep(lines):
            self._untold = 0
        else:
            lost = len(lines) - bool(self._untold)
            self.dropped += lost
            self._untold += lost

    def _extend(  # noqa: PLR0913, PLR0917  a line's own fields
        self,
        deed: Deed,
        product_id: int,
        now_ns: int,
        frame_no: int,
        start: int,
        end: int,
        by: str = "",
    ) -> None:
        line = self._open.get((deed, product_id))
        if line is not None:
            if line.end == start and line.note == by and frame_no - line.last <= 1:
                line.last, line.end = frame_no, end
                return
            self._close(deed, product_id)
        elif len(self._open) >= LINES_MAX:
            self._close(*next(iter(self._open)))
        self._turns += 1
        self._open[deed, product_id] = _Run(now_ns, frame_no, frame_no, start, end, by, self._turns)

    def _close(self, deed: int, product_id: int) -> None:
        run = self._open.pop((deed, product_id))
        line = LifeLine(
            product_id, run.t_ns, deed, run.first, run.last, run.start, run.end, run.note
        )
        self._add(run.turn, line)

    def _add(self, turn: int, line: LifeLine) -> None:
        if len(self._lines) < LINES_MAX:
            self._lines.append((turn, line))
        else:
            self.dropped += 1
            self._untold += 1


def _turn(numbered: tuple[int, LifeLine]) -> int:
    return numbered[0]


class LifeEvents:
    """Passes events on, and puts what they tell of a product into the book, throttled or not."""

    def __init__(self, lives: ProductLives, events: EventTaker) -> None:
        self._lives = lives
        self._events = events

    def emit(self, name: str, t_ns: int, /, **args: str | float) -> None:
        """Takes one event."""
        told = _OF_EVENT.get(name)
        if told is not None:
            deed, note = told
            self._lives.note(deed, int(args["product"]), t_ns, str(args.get(note, "")))
        self._events.emit(name, t_ns, **args)
