"""Anti-replay: each number is accepted once, within a window behind the highest (CCSDS 355.0-B-2).

Used for the counters of sealed frames and for the identities of telecommands. The window is one
integer used as a bitmap, so its memory is bounded by its width.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW_DEFAULT = 1_024


class Freshness(Enum):
    """Whether a number was seen before."""

    NEW = "new"
    SEEN = "seen"
    TOO_OLD = "too_old"


class ReplayWindow:
    """Remembers which of the newest `width` numbers were accepted.

    Args:
        width: numbers remembered behind and including the highest one.
        load: the highest number accepted before the last reset, 0 for none. What lay behind it is
            refused after a reset, for nobody knows any more what of it was seen.
        store: makes a new highest number durable before `accept` returns. Without it a reset
            forgets, and what was accepted before the reset could be accepted again.
        ahead: how far above a number to store, where numbers are times of sending: what follows
            soon need not wait for the store then. After a reset numbers up to the stored one are
            refused, so it should be less than a start takes. Counts for `announce` alone.
        durable: the highest number that is durable by now, where `store` only asks for it. Whoever
            must not act before that calls `announce` first.
        store_every: stores only when the highest number is this far above the stored one, so that
            up to this many accepted numbers less one come through once more after a reset. More
            than 1 is for frames alone, where a write each would wear the flash: telecommands
            have their own window, and ARQ packets may safely come twice.

    A `store` that raises OSError does not stop reception: a node with a dead disk must still obey
    its ground. It is counted in `store_failures`, and until the next reset the window holds.
    """

    def __init__(  # noqa: PLR0913  each has a default
        self,
        width: int = WINDOW_DEFAULT,
        load: Callable[[], int] | None = None,
        store: Callable[[int], None] | None = None,
        *,
        store_every: int = 1,
        durable: Callable[[], int] | None = None,
        ahead: Callable[[int], int] = lambda _number: 0,
    ) -> None:
        assert width >= 1
        assert store_every >= 1
        self._mask = (1 << width) - 1
        self._width = width
        self._store = store
        self._store_every = store_every
        self._durable, self._ahead = durable, ahead
        self.highest = 0 if load is None else load()
        self._floor = self.highest
        self._stored = self.highest
        self._seen = 0
        self.store_failures = 0

    def judge(self, number: int) -> Freshness:
        """What `accept` would find; changes nothing, so a cheap question before a dear check."""
        if number <= self._floor or number <= self.highest - self._width:
            return Freshness.TOO_OLD
        if number > self.highest or not self._seen >> (self.highest - number) & 1:
            return Freshness.NEW
        return Freshness.SEEN

    def accept(self, number: int) -> Freshness:
        """Marks a number as seen, if it is NEW; anything else leaves the window as it was."""
        verdict = self.judge(number)
        if verdict is not Freshness.NEW:
            return verdict
        if number > self.highest:
            self._keep(number)
            self._seen = (self._seen << min(number - self.highest, self._width)) & self._mask
            self.highest = number
        self._seen |= 1 << (self.highest - number)
        return verdict

    def announce(self, number: int) -> bool:
        """Whether what `accept` would keep of a number is durable by now; if not, asks for it.

        True as well when there is nothing to be kept or the store has failed: see above.
        """
        if self._durable is None or self._store is None or self.judge(number) is not Freshness.NEW:
            return True
        ahead = self._ahead(number)
        if number + ahead // 2 > self._stored:
            self._keep(number + ahead)
        return number > self._stored or self._durable() >= number

    def _keep(self, number: int) -> None:
        if self._store is None or number - self._stored < self._store_every:
            return
        try:
            self._store(number)
            self._stored = number
        except OSError:
            self.store_failures += 1
