"""Numbers that are never used twice, not even after a power cut.

The invocation counter of an AES-GCM nonce must never repeat under one key (NIST SP 800-38D
section 8; CCSDS 355.0-B-2 section 4.2.3), and the frame numbers of the ARQ must not either. A
counter kept in memory alone repeats after a reset; writing it down for every frame is too dear.
So a block is written down *before* any of it is used: a reset loses numbers, never reuses them.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

COUNTER_MAX = (1 << 64) - 1
BLOCK_DEFAULT = 1_024


class CounterExhausted(RuntimeError):  # noqa: N818 - a state of the key, not a fault of the caller
    """The key has no numbers left: change the key epoch. Nothing may be sealed with it any more."""


class CounterWaits(OSError):  # noqa: N818 - a state of the medium, over in milliseconds if it is well
    """Numbers are asked for and not durable yet; take them later."""


class CounterReserve:
    """Hands out 1, 2, 3, ... over the whole life of a key; skips at resets, never repeats.

    Args:
        load: the highest number ever reserved, 0 on a fresh node; with `durable`: or asked for,
            and not refused since.
        store: makes a new highest number durable; without `durable` it must return only when a
            power cut can no longer undo it, and raise when it cannot promise that.
        block: numbers reserved by one store. 1,024 costs one durable write in about 2 MB of
            2 kB frames, and loses at most 1,023 numbers of 2^64 at a reset.
        durable: the highest number that is durable by now, where `store` only asks for it. Then
            the next block is asked for when half of the last one is left.

    Errors of `store` pass through `take` and `reserve`; the reserve is then as it was before.
    """

    def __init__(
        self,
        load: Callable[[], int],
        store: Callable[[int], None],
        block: int = BLOCK_DEFAULT,
        durable: Callable[[], int] | None = None,
    ) -> None:
        assert block >= 1
        self._load, self._store = load, store
        self._durable = durable
        self._ahead = 0 if durable is None else block // 2
        self._block = block
        self._reserved = load()
        self._last = self._reserved
        self.first = self._last + 1
        self.blocks_reserved = 0
        if not 0 <= self._reserved <= COUNTER_MAX:
            raise ValueError(f"a stored counter of {self._reserved} was never written by us")

    @property
    def remaining(self) -> int:
        """Numbers that can be taken before the next durable write."""
        durable = self._reserved if self._durable is None else self._durable()
        return max(0, min(self._reserved, durable) - self._last)

    def reserve(self) -> None:
        """Writes the next block down ahead of need, so that no `take` of a pass has to wait.

        Raises:
            CounterExhausted: the last number of the key is reserved already.
        """
        highest = min(self._reserved + self._block, COUNTER_MAX)
        if highest == self._reserved:
            raise CounterExhausted("no counter left under this key")
        self._store(highest)
        self._reserved = highest
        self.blocks_reserved += 1

    def take(self, count: int = 1) -> int:
        """The first of the next `count` numbers, which follow one another.

        Writes blocks down first when too few are reserved; its errors pass through.

        Raises:
            CounterExhausted: the key has fewer numbers left; none is taken then.
            CounterWaits: they are not durable yet; none is taken then.
        """
        assert count >= 1
        self._forget_refused(count)
        while self._reserved - self._last < count:
            self.reserve()
        if self._reserved - self._last < count + self._ahead:
            self._reserve_ahead()
        if self.remaining < count:
            raise CounterWaits(f"{count} numbers asked for, {self.remaining} durable")
        first = self._last + 1
        self._last += count
        return first

    def ready(self, count: int = 1) -> bool:
        """Whether `take` would give so many at once; asks for more when it would not.

        Raises:
            CounterExhausted: the key has fewer numbers left.
        """
        self._forget_refused(count)
        with contextlib.suppress(OSError):
            while self._reserved - self._last < count:
                self.reserve()
        return self.remaining >= count

    def _forget_refused(self, count: int) -> None:
        """A full medium refuses what it was asked for a while ago: then it is asked again."""
        if self._durable is not None and self.remaining < count:
            self._reserved = min(self._reserved, self._load())

    def _reserve_ahead(self) -> None:
        """In good time; nobody needs it yet, so nobody is told when it fails."""
        with contextlib.suppress(OSError, CounterExhausted):
            self.reserve()
