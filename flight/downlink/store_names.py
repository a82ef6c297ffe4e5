"""The store's side of its writer: marks, failures, and the names that are durable through it.

Image -> ground, hop "durable before it counts". Every request has a mark; `durable_mark` says how
far they are durable. Whoever must not act or answer before something is durable remembers `mark`
after having asked for it, and waits until `durable_mark` has come that far.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from flight.base.channels import Bounded, Offer, Overflow
from flight.downlink.store_request import WriteRequest
from flight.downlink.store_values import StoreError, StoreErrorKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flight.downlink.product_lives import LifeLine
    from flight.downlink.store_request import WriteOutcome
    from flight.downlink.store_writer import StoreWriter

OUTSTANDING_MAX = 64
"""Requests of products that may be under way; counters and blobs are few and have more room."""
WRITES_MAX = 4_096
"""Requests of any kind: hours of counters for a medium that hangs; then they are refused."""


class StoreNames(ABC):
    """Counters and state blobs, and what has become of every request.

    Attributes:
        mark: the last request sent; durable_mark: the last one that is durable.
        closed: the store failed or is closed; nothing becomes durable any more.
        writes: requests that are not answered yet.
    """

    def __init__(self, writer: StoreWriter) -> None:
        self._writer = writer
        self.writes: Bounded[WriteRequest] = Bounded(
            "store_writes", WRITES_MAX, Overflow.REJECT_NEWEST
        )
        self._counters: dict[str, int] = {}
        self._blobs: dict[str, bytes] = {}
        self._durable_counters: dict[str, int] = {}
        self._failure: StoreError | None = None
        self._beats = 0
        self.mark = self.durable_mark = 0
        self.closed = False

    @property
    def beats(self) -> int:
        """Grows while the store works: not in a medium that hangs, nor after it has failed."""
        if not self.closed:
            self._beats = self._writer.beats
        return self._beats

    @property
    def outstanding(self) -> int:
        """Requests that are not answered yet."""
        return len(self.writes)

    def load_counter(self, name: str) -> int:
        """The highest value ever asked for of a counter, 0 for a new one."""
        return self._counters.get(name, 0)

    def durable_counter(self, name: str) -> int:
        """The highest value of a counter that a power cut cannot undo any more."""
        return self._durable_counters.get(name, 0)

    def store_counter(self, name: str, highest: int, *, urgent: bool = False) -> None:
        """Asks for a counter's highest reserved value to be durable; never lowers it.

        With `urgent` it does not wait for others to share its sync.

        Raises:
            StoreError: it is known by now that it will not be.
        """
        assert highest >= self.load_counter(name), "counters only grow"
        self._counters[name] = highest
        self._ask(WriteRequest(counters={name: highest}, urgent=urgent))

    def reserve_counter(self, name: str, block: int) -> int:
        """Asks for `block` values; returns the first of them (1 for a new counter)."""
        self.store_counter(name, self.load_counter(name) + block)
        return self.load_counter(name) - block + 1

    def load_state(self, name: str) -> bytes | None:
        """The newest state blob asked for, or None."""
        return self._blobs.get(name)

    def store_state(self, name: str, blob: bytes) -> None:
        """Asks for a state blob to be durable, urgently; see `store_counter`."""
        self._ask(WriteRequest(blobs={name: blob}, urgent=True))
        self._blobs[name] = blob

    def keep_lives(self, lines: Sequence[LifeLine]) -> bool:
        """Asks for lines of the book of lives to be kept; False when that cannot be, now."""
        if self.closed or not self._can_send:
            return False
        self._send(WriteRequest(lives=lines))
        return True

    def poll(self) -> None:
        """Takes over what the writer has to say."""
        while (outcome := self._writer.poll()) is not None:
            if outcome.error is not None:
                self._failure = StoreError(outcome.error, outcome.detail)
                self.closed |= outcome.error is not StoreErrorKind.FULL
            for name in outcome.names_refused:
                self._failure = StoreError(StoreErrorKind.FULL, name)
            self._apply(outcome)
            while (request := self.writes.peek()) is not None and request.mark <= outcome.mark:
                self.writes.take()
                self.durable_mark = request.mark
                for name, value in request.counters.items():
                    if name not in outcome.names_refused:
                        self._durable_counters[name] = value
                self._confirm(request, outcome)
            for name in outcome.names_refused:  # back to what may still become durable
                asked = (request.counters.get(name, 0) for request in self.writes)
                self._counters[name] = max(self.durable_counter(name), *asked, 0)

    def settle(self) -> None:
        """Waits until the writer has done what it was asked for; before and after a flight only."""
        self._writer.call(lambda _engine: None)
        self.poll()

    def close(self) -> None:
        """Ends the writer."""
        self.closed = True
        self._writer.stop()

    @abstractmethod
    def _apply(self, outcome: WriteOutcome) -> None:
        """What the writer did, durable or not."""

    @abstractmethod
    def _confirm(self, request: WriteRequest, outcome: WriteOutcome) -> None:
        """The request is durable, but for what the outcome says was refused."""

    @property
    def _can_send(self) -> bool:
        return len(self.writes) < OUTSTANDING_MAX

    def _remember(self, counters: dict[str, int], blobs: dict[str, bytes]) -> None:
        self._counters, self._blobs = dict(counters), dict(blobs)
        self._durable_counters = dict(counters)

    def _insist_open(self) -> None:
        self._raise_failure()
        if self.closed:
            raise StoreError(StoreErrorKind.CLOSED)

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _send(self, request: WriteRequest) -> None:
        request.mark = self.mark + 1
        if self.writes.offer(request) is Offer.REJECTED:
            raise StoreError(StoreErrorKind.FULL, f"{len(self.writes)} writes wait for the medium")
        self.mark += 1
        self._writer.submit(request)
        self.poll()

    def _ask(self, request: WriteRequest) -> None:
        self._insist_open()
        self._send(request)
        self._raise_failure()
