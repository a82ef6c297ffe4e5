"""What waits in the virtual loop's queues: callbacks with a time, and the alarm of `SimLoop.at`.

Hop: none; the smallest parts of the bench's clock, kept lean because every wake-up passes here.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any, Protocol


class TimerOwner(asyncio.AbstractEventLoop):
    """What handles and alarms need from their loop beyond asyncio's own face."""

    def timer_cancelled(self) -> None:
        """A timer still in the heap was cancelled."""
        raise NotImplementedError


class Runnable(Protocol):
    """What the ready queue holds."""

    _cancelled: bool

    def _run(self) -> None: ...


class SimHandle(asyncio.TimerHandle):
    """A scheduled callback. `TimerHandle` by type, without its float comparisons."""

    __slots__ = ()

    _loop: "TimerOwner"
    _scheduled: bool
    _when: float

    def __init__(
        self,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: "TimerOwner",
        context: Context | None,
    ) -> None:
        # The parent's __init__ is skipped on purpose: it reads debug flags and frames.
        self._callback = callback
        self._args = args
        self._loop = loop
        self._context = copy_context() if context is None else context
        self._cancelled = False
        self._scheduled = False
        self._when = 0.0
        self._repr = None
        self._source_traceback = None

    def cancel(self) -> None:
        """Never run the callback; safe to call twice and after it ran."""
        if not self._cancelled:
            self._cancelled = True
            self._callback = _cancelled_callback
            self._args = ()
            if self._scheduled:
                self._loop.timer_cancelled()

    def _run(self) -> None:
        self._scheduled = False
        try:
            self._context.run(self._callback, *self._args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 - a loop reports whatever a callback raised
            self._loop.call_exception_handler(
                {
                    "message": f"exception in callback {self._callback!r}",
                    "exception": error,
                    "handle": self,
                }
            )


def _cancelled_callback() -> None:
    """Stands where a cancelled callback stood, so that its referents are freed at once."""


class Alarm:
    """What `SimLoop.at` yields to its task: a future reduced to one waiter.

    It never leaves `at`, so the task is its only user; it is put into the ready queue itself,
    which spares the future, the handle and the `call_soon` of `asyncio.sleep`.
    """

    __slots__ = ("_asyncio_future_blocking", "_cancelled", "_context", "_loop", "_message", "_wake")

    def __init__(self, loop: "TimerOwner") -> None:
        self._asyncio_future_blocking = True
        self._cancelled = False
        self._loop = loop

    def add_done_callback(self, wake: Callable[[Any], object], *, context: Context) -> None:
        """Called once, by the task that waits."""
        self._wake = wake
        self._context = context

    def result(self) -> None:
        """Raise CancelledError in the waiting task, if that is how the wait ended."""
        if self._cancelled:
            raise asyncio.CancelledError(*(() if self._message is None else (self._message,)))

    def cancel(self, msg: object = None) -> bool:
        """Wake the task with CancelledError; False if that is under way already."""
        if self._cancelled:
            return False
        self._cancelled = True
        self._message = msg
        self._loop.timer_cancelled()
        self._loop.call_soon(self._wake, self, context=self._context)
        return True

    def _run(self) -> None:
        self._context.run(self._wake, self)
