"""Who runs the store's engine: the port, and the writer that does it on the spot.

Image -> ground, hop "durable before it counts". A board has a thread beside its loop
(`writer_thread`); a simulated node has none, or a flight would not be the same twice:
with `InlineWriter` each request is a group of its own, done within `submit`.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.downlink.store_engine_sqlite import StoreEngine
    from flight.downlink.store_request import WriteOutcome, WriteRequest

T = TypeVar("T")


class StoreWriter(Protocol):
    """Owns the engine. `start` and `call` are for before a flight and after it: they wait."""

    @property
    def beats(self) -> int:
        """Grows while the writer is able to work; one that hangs in the medium stands still."""
        ...

    def start(self, make: Callable[[], StoreEngine]) -> None:
        """Makes the engine where it will be used; its StoreError passes through."""
        ...

    def call(self, action: Callable[[StoreEngine], T]) -> T:
        """What `action` gives, done between two groups; errors pass through."""
        ...

    def submit(self, request: WriteRequest) -> None:
        """One more request; never waits."""
        ...

    def poll(self) -> WriteOutcome | None:
        """The next outcome, None when there is none yet; never waits."""
        ...

    def stop(self) -> None:
        """Does what was submitted, closes the engine, ends."""
        ...


class InlineWriter:
    """Does everything within the call."""

    def __init__(self) -> None:
        self._outcomes: deque[WriteOutcome] = deque()
        self._engine: StoreEngine | None = None
        self.beats = 0

    def start(self, make: Callable[[], StoreEngine]) -> None:
        """See `StoreWriter`."""
        self._engine = make()

    def call(self, action: Callable[[StoreEngine], T]) -> T:
        """See `StoreWriter`."""
        assert self._engine is not None, "start first"
        return action(self._engine)

    def submit(self, request: WriteRequest) -> None:
        """See `StoreWriter`; the outcome is there when it returns."""
        self.beats += 1
        assert self._engine is not None, "start first"
        self._outcomes.append(self._engine.write((request,)))

    def poll(self) -> WriteOutcome | None:
        """See `StoreWriter`."""
        return self._outcomes.popleft() if self._outcomes else None

    def stop(self) -> None:
        """See `StoreWriter`."""
        if self._engine is not None:
            self._engine.close()
