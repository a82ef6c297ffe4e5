"""The store's writer on a board: the one thread beside the loop that may wait for the medium.

Image -> ground, hop "durable before it counts". A sync takes 0.4 ms to 36 ms on what boards have,
and now and then much longer; on the loop each of them would be a late control cycle. What the
thread does is `StoreEngine`'s business, how long writes wait for one another `GroupCommit`'s.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, TypeVar

from flight.downlink.group_commit import COLLECT_NS, GroupCommit
from flight.downlink.store_request import WriteOutcome, WriteRequest
from flight.downlink.store_values import StoreError, StoreErrorKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.downlink.store_engine_sqlite import StoreEngine

T = TypeVar("T")
BEAT_S = 0.25
"""An idle writer says this often that it is there."""
CALL_LIMIT_S = 30.0
"""Opening a store of a million products takes seconds; a medium that needs longer hangs."""
STOP_LIMIT_S = 5.0
_NS_PER_S = 1_000_000_000


class _Call:
    """An action for the thread, and where its result goes."""

    def __init__(self, action: Callable[[], object]) -> None:
        self._action = action
        self._done = threading.Event()
        self._result: object = None
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._result = self._action()
        except Exception as error:  # noqa: BLE001  it is raised where somebody waits for it
            self._error = error
        self._done.set()

    def result(self, limit_s: float) -> object:
        if not self._done.wait(limit_s):
            raise StoreError(StoreErrorKind.SYNC, f"the medium gave no answer in {limit_s:g} s")
        if self._error is not None:
            raise self._error
        return self._result


class WriterThread:
    """A `StoreWriter` with a thread of its own.

    Args:
        now_ns: monotonic time, callable from any thread.
        on_outcome: called in the thread after each outcome, to wake whoever polls.
        stop_limit_s: a thread that hangs in the medium longer than this is left behind at `stop`.
    """

    def __init__(
        self,
        now_ns: Callable[[], int],
        on_outcome: Callable[[], None] = lambda: None,
        *,
        stop_limit_s: float = STOP_LIMIT_S,
    ) -> None:
        self._now_ns = now_ns
        self._stop_limit_s = stop_limit_s
        self._inbox: deque[WriteRequest | _Call | None] = deque()
        self._came = threading.Condition()
        self._outcomes: deque[WriteOutcome] = deque()
        self._engine: StoreEngine | None = None
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)
        self._told_dead = False
        self.on_outcome = on_outcome
        self.beats = 0

    def start(self, make: Callable[[], StoreEngine]) -> None:
        """See `StoreWriter`."""
        self._thread.start()

        def engine() -> None:
            self._engine = make()

        self._ask(engine)

    def call(self, action: Callable[[StoreEngine], T]) -> T:
        """See `StoreWriter`; StoreError SYNC when the medium gives no answer."""
        found: list[T] = []
        self._ask(lambda: found.append(action(self._open_engine)))
        return found[0]

    def submit(self, request: WriteRequest) -> None:
        """See `StoreWriter`."""
        self._put(request)

    def poll(self) -> WriteOutcome | None:
        """See `StoreWriter`; a thread that died is told once, as an outcome of its own."""
        alive = self._thread.is_alive()
        if self._outcomes:
            return self._outcomes.popleft()
        if alive or self._told_dead:
            return None
        self._told_dead = True
        return WriteOutcome(error=StoreErrorKind.CLOSED, detail="the writer has ended")

    def stop(self) -> None:
        """See `StoreWriter`; what the medium holds up for too long is left behind."""
        self._told_dead = True
        self._put(None)
        if self._thread.ident is not None:
            self._thread.join(self._stop_limit_s)

    @property
    def _open_engine(self) -> StoreEngine:
        assert self._engine is not None, "start first"
        return self._engine

    def _ask(self, action: Callable[[], object]) -> None:
        call = _Call(action)
        self._put(call)
        call.result(CALL_LIMIT_S)

    def _run(self) -> None:
        group = GroupCommit()
        going = True
        try:
            while going:
                self.beats += 1
                going = self._take_in(group)
                self._write_due(group, self._now_ns())
        finally:
            if self._engine is not None:
                self._engine.close()
            self.on_outcome()

    def _write_due(self, group: GroupCommit, now_ns: int) -> None:
        while requests := group.take(now_ns):
            self._outcomes.append(self._open_engine.write(requests))
            self.beats += 1
            self.on_outcome()

    def _put(self, item: WriteRequest | _Call | None) -> None:
        with self._came:
            self._inbox.append(item)
            self._came.notify()

    def _take_in(self, group: GroupCommit) -> bool:
        """Waits for something to do, at most until a group is due; False at the end."""
        due_ns = group.due_in_ns(self._now_ns())
        wait_s = BEAT_S if due_ns is None else min(BEAT_S, due_ns / _NS_PER_S)
        with self._came:
            if not self._inbox:
                self._came.wait(wait_s)
        while self._inbox:
            item = self._inbox.popleft()
            if isinstance(item, WriteRequest):
                group.offer(item, self._now_ns())
                continue
            # Whoever asks waits already, and means all that came before.
            self._write_due(group, self._now_ns() + COLLECT_NS)
            if item is None:
                return False
            item.run()
        return True
